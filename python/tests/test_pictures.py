"""What a notebook shows of batches, loaders and datasets."""

import base64
import io
import re

import numpy as np
import pytest

from nemosaic import Batch, Loader, MosaicDataset
from nemosaic._pictures import marked, pixels_of

OPTIONS = dict(size=48, settings={"preset": "random", "mosaic": {"gamma": 1}}, framework="numpy")


def pictures_in(page):
    """The PNGs of a page as arrays, read by Pillow."""
    image = pytest.importorskip("PIL.Image")
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [np.asarray(image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


@pytest.mark.parametrize("normalise", ["clip", "imagenet", None])
@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_a_batch_shows_its_mosaics_with_masks_marked(pool, warm, normalise, framework):
    if framework == "torch":
        pytest.importorskip("torch")
    with Loader(pool, batch_size=10, dtype="uint8", **OPTIONS) as loader:
        raw = next(iter(loader))
    with Loader(pool, batch_size=10, normalise=normalise, **{**OPTIONS, "framework": framework}) as loader:
        batch = next(iter(loader))
    assert repr(batch).startswith("Batch(10 samples of epoch 0: image float32 [10, 3, 48, 48], mask float32 [10, 48, 48], tokens int64")
    assert len(repr(batch)) < 250
    page = batch._repr_html_()
    shown = pictures_in(page)
    assert len(shown) == 8 and "and 2 more" in page
    for at, picture in enumerate(shown):
        outside = raw.mask[at] == 0
        assert picture.shape == (48, 48, 3)
        np.testing.assert_array_equal(picture[outside], raw.image[at].transpose(1, 2, 0)[outside])
        assert (picture[~outside] != raw.image[at].transpose(1, 2, 0)[~outside]).any()


def test_words_of_people_are_no_markup():
    batch = Batch(np.zeros((1, 3, 4, 4), np.uint8), np.zeros((1, 4, 4), np.uint8), np.zeros((1, 0), int), ["<b> & \"x\""], ["a/b/c"], [0], 0)
    page = batch._repr_html_()
    assert "<b>" not in page and "&lt;b&gt; &amp; &quot;x&quot;" in page


def test_the_outline_of_a_mask_is_drawn_and_its_inside_tinted():
    mask = np.zeros((5, 5), np.uint8)
    mask[1:4, 1:4] = 1
    shown = marked(np.full((5, 5, 3), 100, np.uint8), mask)
    assert shown[1, 1].tolist() == shown[3, 2].tolist() == [255, 32, 64]
    assert shown[2, 2].tolist() == [169, 69, 83] and shown[0, 0].tolist() == [100, 100, 100]
    assert pixels_of(np.zeros((3, 2, 2), np.float32), {"mean": [1, 0, 0.5], "std": [1, 1, 1]})[0, 0].tolist() == [255, 0, 128]


def test_looking_at_a_loader_or_a_dataset_does_not_move_it(pool, warm):
    with Loader(pool, batch_size=4, seed=3, **OPTIONS) as loader, Loader(pool, batch_size=4, seed=3, **OPTIONS) as other:
        assert re.search(r'^Loader\(split "train" of ".*": \d+ samples of 48 × 48 in \d+ batches of 4; epoch 0, seed 3; preset "random"\)$', repr(loader))
        assert len(pictures_in(loader._repr_html_())) == 4
        batches = iter(loader)
        first = next(batches)
        assert len(pictures_in(loader._repr_html_())) == 4 and loader.epoch == 0
        assert np.array_equal(first.image, next(iter(other)).image)
    dataset = MosaicDataset(pool, **OPTIONS)
    assert "new at each pass, seed 0" in repr(dataset) and len(pictures_in(dataset._repr_html_())) == 8
    assert dataset._epoch_of(0) == 0, "what was shown was not drawn for training"
    dataset.close()
    assert dataset._repr_html_() and repr(loader) in loader._repr_html_().replace("&quot;", '"'), "also when closed"
