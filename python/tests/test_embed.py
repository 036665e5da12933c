"""`nemosaic.embed` with functions for a model: what is written, what goes on after a kill, what is refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import nemosaic
from nemosaic import NemosaicError

pytest.importorskip("PIL", reason="did not run: Pillow is not installed")
WIDTH = 6


def image_vectors(images):
    """The mean colours of halves: something that every image has of its own."""
    pixels = [np.asarray(image, np.float32) / 255 for image in images]
    return np.stack([np.concatenate([each[: len(each) // 2].mean((0, 1)), each[len(each) // 2 :].mean((0, 1))]) for each in pixels]) + 0.1


def text_vectors(texts):
    return np.array([[len(text), *(text.count(letter) for letter in "aeiou")] for text in texts], np.float32) + 0.5


@pytest.fixture
def own_pool(pool, tmp_path):
    """A copy of the small pool, to write into."""
    shutil.copytree(Path(pool).parent, tmp_path / "toy")
    copy = tmp_path / "toy" / "pool"
    shutil.rmtree(copy / "embeddings", ignore_errors=True)
    return str(copy)


def keys(command, pool):
    lines = [json.loads(line) for line in subprocess.run([*command, "keys", pool], check=True, capture_output=True, text=True).stdout.splitlines()]
    return [line for line in lines if "file" in line], [line for line in lines if "expression" in line]


def stored(pool, name="ours"):
    return [np.load(os.path.join(pool, "embeddings", name, f"{matrix}.npy")) for matrix in ("images", "expressions")]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_writes_each_vector_at_its_row_keeps_what_is_finished_and_replaces_another_models_by_force(command, own_pool, capfd):
    from PIL import Image

    report = nemosaic.embed(own_pool, (image_vectors, text_vectors), name="ours", batch_size=5, workers=2)
    images, expressions = keys(command, own_pool)
    assert report == ("ours", len(images), len(expressions), False, [])
    assert "embed images" in capfd.readouterr().err
    made = stored(own_pool)
    wanted = unit(image_vectors([Image.open(line["file"]).convert("RGB") for line in images]))
    np.testing.assert_allclose(made[0], wanted, atol=1e-6)
    np.testing.assert_allclose(made[1], unit(text_vectors([line["text"] for line in expressions])), atol=1e-6)
    manifest = json.loads(Path(own_pool, "embeddings/ours/images.json").read_text())
    assert (manifest["format"], manifest["model"]["id"], manifest["batch"], manifest["dimension"]) == ("nemosaic-embeddings", "ours", 5, WIDTH)
    assert sorted(os.listdir(Path(own_pool, "embeddings/ours"))) == ["expressions.json", "expressions.npy", "images.json", "images.npy"]

    def never(_):
        raise AssertionError("ran")

    assert nemosaic.embed(own_pool, (never, never), name="ours", batch_size=5, workers=0).reused
    other = nemosaic.encoders.pair(image_vectors, text_vectors, id="another")
    with pytest.raises(NemosaicError, match="use force=True") as caught:
        nemosaic.embed(own_pool, other, name="ours", batch_size=5, workers=0)
    assert caught.value.code == "exists"
    assert not nemosaic.embed(own_pool, other, name="ours", batch_size=5, workers=0, force=True, quiet=True).reused
    subprocess.run([*command, "mine", own_pool, "--embeddings", "ours", "--quiet"], check=True, stdout=subprocess.DEVNULL)


def test_goes_on_behind_the_last_batch_of_a_run_that_was_killed(command, own_pool):
    script = textwrap.dedent(
        f"""
        import sys, time
        sys.path[:0] = {[str(Path(__file__).parent), str(Path(nemosaic.__file__).parents[1])]!r}
        import nemosaic
        from test_embed import image_vectors, text_vectors
        def slow(images):
            print("batch", len(images), flush=True)
            time.sleep(0.05)
            return image_vectors(images)
        nemosaic.embed({own_pool!r}, (slow, text_vectors), name="ours", batch_size=3, workers=2, quiet=True, command={list(command)!r})
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    for _ in range(4):
        assert process.stdout.readline().startswith("batch")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    begun = Path(own_pool, "embeddings/ours/.partial-python/images.npy")
    with open(begun, "ab") as file:
        file.write(b"half a row")
    ran = []

    def counting(images):
        ran.append(len(images))
        return image_vectors(images)

    nemosaic.embed(own_pool, (counting, text_vectors), name="ours", batch_size=3, workers=0, quiet=True)
    images, _ = keys(command, own_pool)
    assert len(images) - 12 <= sum(ran) <= len(images) - 9
    resumed = stored(own_pool)
    nemosaic.embed(own_pool, (image_vectors, text_vectors), name="whole", batch_size=3, workers=0, quiet=True)
    for one, other in zip(resumed, stored(own_pool, "whole")):
        assert one.tobytes() == other.tobytes()


def test_workers_end_with_a_run_that_is_killed(command, own_pool):
    script = textwrap.dedent(
        f"""
        import os, sys, time
        sys.path[:0] = {[str(Path(__file__).parent), str(Path(nemosaic.__file__).parents[1])]!r}
        import nemosaic
        from multiprocessing import active_children
        from test_embed import text_vectors
        def forever(images):
            print(*[child.pid for child in active_children()], flush=True)
            time.sleep(60)
        nemosaic.embed({own_pool!r}, (forever, text_vectors), name="ours", workers=2, quiet=True, command={list(command)!r})
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    children = [int(word) for word in process.stdout.readline().split()]
    assert len(children) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    limit = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{child}") for child in children):
        assert time.monotonic() < limit, "workers live on"
        time.sleep(0.1)


def test_names_an_image_that_cannot_be_decoded_or_leaves_it_out(command, own_pool, capfd):
    images, _ = keys(command, own_pool)
    Path(images[4]["file"]).write_bytes(b"no image at all")
    os.remove(images[7]["file"])
    with pytest.raises(NemosaicError, match=f'cannot decode the image "{images[4]["name"]}"'):
        nemosaic.embed(own_pool, (image_vectors, text_vectors), name="ours", batch_size=3, workers=0, quiet=True)
    report = nemosaic.embed(own_pool, (image_vectors, text_vectors), name="ours", batch_size=3, workers=2, on_bad="skip")
    assert report.skipped == [images[4]["name"], images[7]["name"]]
    assert f"skipped {images[7]['name']}" in capfd.readouterr().err
    lengths = np.linalg.norm(stored(own_pool)[0], axis=1)
    assert [row for row, length in enumerate(lengths) if length == 0] == [4, 7]
    manifest = json.loads(Path(own_pool, "embeddings/ours/images.json").read_text())
    assert [each["row"] for each in manifest["skipped"]] == [4, 7]


def test_refuses_what_is_no_vector_for_each_image(own_pool, monkeypatch):
    listed = nemosaic._embed._listed([*nemosaic._embed.find_command()], own_pool)
    monkeypatch.setattr(nemosaic._embed, "_listed", lambda *_: listed)
    for images, message in [
        (lambda images: image_vectors(images)[:-1], "expected \\[4, width\\] vectors of images"),
        (lambda images: image_vectors(images)[0], "expected \\[4, width\\]"),
        (lambda images: image_vectors(images) * np.nan, "not finite"),
        (lambda images: image_vectors(images).astype(np.float64) * 1e300, "not finite"),
        (lambda images: np.zeros((len(images), 0)), "expected \\[4, width\\]"),
        (lambda images: None, "expected \\[4, width\\]"),
        (lambda images: [[1.0], [1.0, 2.0], [1.0], [1.0]], "from the encoder, got list"),
        (lambda images: [["a"]] * 4, "from the encoder, got list"),
        (lambda images: Gradient(image_vectors(images)[:2]), "expected \\[4, width\\]"),
    ]:
        with pytest.raises(NemosaicError, match=message):
            nemosaic.embed(own_pool, (images, text_vectors), name="ours", batch_size=4, workers=0, quiet=True)
    assert not os.path.exists(os.path.join(own_pool, "embeddings/ours/images.json"))


class Gradient:
    """As a tensor that requires gradients: NumPy may not take it as it is."""

    def __init__(self, values):
        self._values = values

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")

    def detach(self):
        return self

    float = cpu = detach

    def numpy(self):
        return self._values


def test_takes_float64_and_tensors_with_gradients_and_a_failing_encoder_can_be_run_again(own_pool):
    both = (lambda images: Gradient(image_vectors(images)), lambda texts: text_vectors(texts).astype(np.float64))
    calls = []

    def failing(images):
        calls.append(len(images))
        if len(calls) == 3:
            raise MemoryError("out of memory on the device")
        return image_vectors(images)

    # The workers end with it, and let go of the lock.
    with pytest.raises(MemoryError):
        nemosaic.embed(own_pool, (failing, text_vectors), name="ours", batch_size=3, workers=2, quiet=True)
    nemosaic.embed(own_pool, both, name="ours", batch_size=3, workers=2, quiet=True)
    nemosaic.embed(own_pool, (image_vectors, text_vectors), name="whole", batch_size=3, workers=0, quiet=True)
    for one, other in zip(stored(own_pool), stored(own_pool, "whole")):
        assert one.tobytes() == other.tobytes()


def test_refuses_arguments_before_anything_is_made(own_pool, tmp_path):
    both = (image_vectors, text_vectors)
    for arguments, message in [
        ({}, "expected name="),
        ({"name": "../up"}, "expected a name of letters"),
        ({"name": "lexical"}, "expected a name"),
        ({"name": "a", "batch_size": 0}, "expected batch_size"),
        ({"name": "a", "on_bad": "ignore"}, "expected on_bad"),
    ]:
        with pytest.raises(NemosaicError, match=message):
            nemosaic.embed(own_pool, both, **arguments)
    with pytest.raises(NemosaicError, match="expected a pool"):
        nemosaic.embed(tmp_path / "nowhere", both, name="a")
    with pytest.raises(NemosaicError, match="expected an id"):
        nemosaic.encoders.pair(*both, id="")
    assert not os.path.exists(os.path.join(own_pool, "embeddings"))


def test_a_second_run_at_the_same_time_is_refused_and_so_are_other_widths(own_pool):
    def again(images):
        with pytest.raises(NemosaicError, match="is being written by another run"):
            nemosaic.embed(own_pool, (image_vectors, text_vectors), name="ours", workers=0)
        return image_vectors(images)[:, :3]

    with pytest.raises(NemosaicError, match="one width, got 3"):
        nemosaic.embed(own_pool, (again, text_vectors), name="ours", workers=0, quiet=True)


def test_crops_are_cut_as_the_command_says_embedded_in_batches_of_rows_and_mined_by_the_best(command, own_pool):
    from PIL import Image

    lines = subprocess.run([*command, "keys", own_pool, "--images", "--crops", "objects,grid:2"], check=True, capture_output=True, text=True)
    images = [json.loads(line) for line in lines.stdout.splitlines()]
    wanted = []
    for line in images:
        picture = Image.open(line["file"]).convert("RGB")
        assert line["crops"][0] == [0, 0, *picture.size]
        wanted += [image_vectors([picture.crop((x, y, x + width, y + height))])[0] for x, y, width, height in line["crops"]]
    ran = []

    def counting(pictures):
        ran.append(len(pictures))
        if len(ran) == 4:
            raise KeyboardInterrupt
        return image_vectors(pictures)

    given = {"batch_size": 7, "crops": "objects,grid:2", "quiet": True}
    with pytest.raises(KeyboardInterrupt):
        nemosaic.embed(own_pool, (counting, text_vectors), name="ours", workers=2, **given)
    nemosaic.embed(own_pool, (counting, text_vectors), name="ours", workers=0, **given)
    # The fourth batch is made again, and none before.
    assert ran[:5] == [7] * 5 and sum(ran) == len(wanted) + 7
    folder = Path(own_pool, "embeddings/ours")
    np.testing.assert_allclose(np.load(folder / "image-parts.npy"), unit(np.stack(wanted)), atol=1e-6)
    starts = np.load(folder / "image-part-starts.npy")
    assert np.diff(starts).tolist() == [len(line["crops"]) for line in images]
    np.testing.assert_array_equal(np.load(folder / "images.npy"), np.load(folder / "image-parts.npy")[starts[:-1]])
    assert nemosaic.embed(own_pool, (counting, text_vectors), name="ours", **given).reused
    with pytest.raises(NemosaicError, match="use force=True"):
        nemosaic.embed(own_pool, (counting, text_vectors), name="ours", batch_size=7, crops="grid:2")
    with pytest.raises(NemosaicError, match='expected crops as "objects"'):
        nemosaic.embed(own_pool, (counting, text_vectors), name="ours", crops="faces")
    # Mining checks that the boxes are still those of the pool.
    subprocess.run([*command, "mine", own_pool, "--embeddings", "ours", "--sentences", "--quiet"], check=True, stdout=subprocess.DEVNULL)


def test_an_image_that_cannot_be_decoded_loses_all_its_crops_and_is_told_once(command, own_pool):
    images, _ = keys(command, own_pool)
    os.remove(images[2]["file"])
    report = nemosaic.embed(own_pool, (image_vectors, text_vectors), name="ours", batch_size=3, workers=0, crops="grid:2", on_bad="skip", quiet=True)
    assert report.skipped == [images[2]["name"]]
    lengths = np.linalg.norm(np.load(Path(own_pool, "embeddings/ours/image-parts.npy")), axis=1)
    assert np.flatnonzero(lengths == 0).tolist() == [10, 11, 12, 13, 14]
