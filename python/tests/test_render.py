"""Pixels, masks and tokens in torch equal an independent rendering of the same plans."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
from conftest import ROOT
from renderer import ClipTokens, Renderer

from nemosaic import Loader

torch = pytest.importorskip("torch")

SETTINGS = {"preset": "random", "mosaic": {"gamma": 0.8, "grid": "mixed"}, "unit": "expression"}


@pytest.mark.parametrize("size", [416, 97])
def test_training_samples_equal_an_independent_rendering_of_their_plans(pool, size):
    renderer = Renderer(pool)
    tokens = ClipTokens(ROOT / "assets" / "clip-merges.txt.gz")
    kinds = {}
    with Loader(pool, batch_size=8, size=size, settings=SETTINGS, token_length=17, dtype="uint8", plans=True) as loader:
        worst = 0
        for batch in loader:
            for at, plan in enumerate(batch.plan):
                image, mask = renderer.draw(plan)
                ours = batch.image[at].permute(1, 2, 0).numpy().astype(np.int16)
                worst = max(worst, int(np.abs(ours - image).max()))
                np.testing.assert_array_equal(batch.mask[at].numpy(), mask)
                assert batch.tokens[at].tolist() == tokens(plan["text"], 17)
                assert batch.text[at] == plan["text"] and batch.key[at] == plan["expression"]
                kinds[len(plan["layers"])] = kinds.get(len(plan["layers"]), 0) + 1
                assert mask.any()
    assert worst <= 1
    assert set(kinds) == {1, 4, 9}, "the test must have seen single images, 2x2 and 3x3"


STYLES = {
    "cross point": {"preset": "random", "mosaic": {"gamma": 1, "crossPoint": 0.4, "grid": "3x3"}},
    "cover": {"preset": "random", "mosaic": {"gamma": 1, "fit": "cover"}},
    "contain": {"preset": "random", "mosaic": {"gamma": 1, "fit": "contain"}},
    "blur": {"preset": "random", "mosaic": {"gamma": 1, "blur": 3.5}},
    "full-size": {"preset": "full-size", "mosaic": {"gamma": 1, "randomShare": 1}},
    "paste": {"preset": "paste", "mosaic": {"gamma": 1, "randomShare": 1}},
    "paste, blurred": {"preset": "paste", "mosaic": {"gamma": 1, "randomShare": 1, "blur": 1.5}},
    "yolov4": {"preset": "yolov4", "mosaic": {"gamma": 1}},
    "cutmix": {"preset": "cutmix", "mosaic": {"gamma": 1}},
    "mixgen": {"preset": "mixgen", "mosaic": {"gamma": 1}},
    "canvas": {"preset": "random", "mosaic": {"gamma": 1, "grid": "3x3"}, "legacy": {"canvas": True}},
}


@pytest.mark.parametrize("style", list(STYLES))
def test_every_style_of_mosaic_is_drawn_by_its_plan_alone(pool, warm, style):
    renderer = Renderer(pool)
    layers = 0
    with Loader(pool, batch_size=12, size=98, settings=STYLES[style], dtype="uint8", plans=True) as loader:
        for batch in loader:
            for at, plan in enumerate(batch.plan):
                image, mask = renderer.draw(plan)
                ours = batch.image[at].permute(1, 2, 0).numpy().astype(np.int16)
                assert np.abs(ours - image).max() <= 1
                np.testing.assert_array_equal(batch.mask[at].numpy(), mask)
                layers += len(plan["layers"]) > 1
                assert ("canvas" in plan) == (style == "canvas" and plan["kind"] != "single")
                assert (plan["version"] == 2) == (style.startswith("paste") and plan["kind"] != "single")
    assert layers >= 10, "the test must have seen mosaics"


def test_float_images_are_the_references_normalisation_of_the_same_bytes(pool):
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(3, 1, 1)
    with Loader(pool, batch_size=8, size=64, settings=SETTINGS, dtype="uint8") as raw, Loader(
        pool, batch_size=8, size=64, settings=SETTINGS
    ) as loader:
        for plain, batch in zip(raw, loader):
            assert batch.image.dtype == torch.float32 and batch.mask.dtype == torch.float32 and batch.tokens.dtype == torch.int64
            assert batch.image.is_contiguous() and batch.image.shape == (len(batch), 3, 64, 64)
            for ours, pixels in zip(batch.image, plain.image):
                # Step by step as the reference does, in place on float32.
                theirs = pixels.float().div_(255.0).sub_(mean).div_(std)
                assert torch.equal(ours, theirs)
            assert torch.equal(batch.mask, plain.mask.float())


def test_numpy_arrays_equal_the_tensors(pool):
    for dtype in ("uint8", "float32"):
        options = dict(batch_size=5, size=64, settings=SETTINGS, dtype=dtype)
        with Loader(pool, **options) as tensors, Loader(pool, framework="numpy", **options) as arrays:
            for ours, theirs in zip(arrays, tensors):
                for name in ("image", "mask", "tokens"):
                    assert isinstance(getattr(ours, name), np.ndarray)
                    np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name).numpy())


def test_validation_gives_every_sentence_once_and_truth_at_original_size(pool):
    renderer = Renderer(pool)
    seen = []
    with Loader(pool, batch_size=4, size=96, split="val", settings=SETTINGS, plans=True) as loader:
        for batch in loader:
            assert [plan["kind"] for plan in batch.plan] == ["single"] * len(batch)
            for plan, truth in zip(batch.plan, batch.truth):
                np.testing.assert_array_equal(truth, renderer.original_truth(plan))
            seen += batch.key
        assert len(seen) == loader.samples == len(set(seen)) > 0


def test_an_unplanned_change_would_be_noticed(pool):
    """The comparison above can fail: another plan's rendering differs."""
    renderer = Renderer(pool)
    with Loader(pool, batch_size=2, size=97, settings=SETTINGS, dtype="uint8", plans=True) as loader:
        batch = next(iter(loader))
    image, mask = renderer.draw(batch.plan[1])
    assert np.abs(batch.image[0].permute(1, 2, 0).numpy().astype(int) - image).max() > 1
    assert Path(pool).is_dir()
