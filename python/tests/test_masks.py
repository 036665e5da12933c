"""Masks that are written for others to read: each its own file, whole or not there."""

import os
import re

import numpy as np
import pytest

from nemosaic import NemosaicError, save_prediction
from nemosaic._layouts import truth_file
from nemosaic._predictions import levels_of, write_mask
from nemosaic._server import refusal


def test_truths_of_refs_whose_names_look_alike_are_files_of_their_own(tmp_path):
    folder = str(tmp_path)
    small, other = np.zeros((4, 6), np.uint8), np.ones((4, 6), np.uint8)
    keys = ["a/b_c/1", "a_b/c/1", "a/b c/1", "a/b:c/1", f"a/{'x' * 300}/1", f"a/{'x' * 299}y/1"]
    paths = [truth_file(folder, key, small) for key in keys]
    assert len(set(paths)) == len(keys)
    assert truth_file(folder, "a/b_c/2", small) == paths[0]  # another sentence of the same ref
    # The same name in another pool: what an earlier one left must not be taken for its truth.
    changed = truth_file(folder, keys[0], other)
    assert changed != paths[0]
    assert truth_file(folder, keys[0], small.reshape(6, 4)) not in (changed, paths[0])
    assert len(os.listdir(folder)) == len(keys) + 2


def test_a_mask_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    path = str(tmp_path / "mask.png")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        write_mask(path, np.ones((3, 3), np.uint8))
    assert os.listdir(tmp_path) == []
    with pytest.raises(NemosaicError, match="not finite"):
        write_mask(path, np.full((3, 3), np.nan, np.float32))
    assert os.listdir(tmp_path) == []


def test_masks_and_probabilities_become_their_grey_levels():
    half = np.array([[0.0, 0.5], [1.0, 1 + 1e-7]], np.float32)
    assert levels_of(half).tolist() == [[0, 128], [255, 255]]
    assert levels_of(np.array([[0.0, 0.25]], np.float16)).tolist() == [[0, 64]]
    for mask in (np.array([[False, True]]), np.array([[0, 1]]), np.array([[0, 255]], np.uint8), np.array([[0.0, 255.0]])):
        assert levels_of(mask).tolist() == [[0, 255]]
    assert levels_of(np.zeros((1, 2), np.uint8)).tolist() == [[0, 0]] and levels_of(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    "mask, says",
    [
        (np.array([[-3.2, 5.1]]), "from -3.2 to 5.1: logits want a sigmoid"),
        (np.array([[-0.01, 1.0]]), "np.clip"),
        (np.array([[0.0, 128.0]]), "from 0.0 to 128.0"),
        (np.array([[0, 128, 255]], np.uint8), "divide grey levels by 255.0"),
        (np.array([[0, 1, 2]]), "mask == label"),
        (np.array([[1, 255]], np.uint8), "from 1 to 255"),
        (np.array([[0, -1]]), "from -1 to 0"),
        (np.array([[0.0, np.inf]]), "not finite"),
        (np.array([["0"]]), "numbers or bool"),
        (np.zeros((1, 4, 4)), "shape"),
    ],
)
def test_what_is_no_mask_and_no_probability_is_refused(tmp_path, mask, says):
    with pytest.raises(NemosaicError, match=re.escape(says)) as caught:
        save_prediction(tmp_path, "a/b/c", mask)
    assert caught.value.code == "usage" and not list(tmp_path.iterdir())


def test_the_commands_error_is_found_behind_its_warnings():
    assert refusal("warning: two images are gone\nnemosaic: unknown split\n") == "unknown split"
    assert refusal("killed by hand") == "killed by hand"
    assert refusal("") == ""
