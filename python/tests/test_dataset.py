"""MosaicDataset: in DataLoader workers, forked and spawned, and in the shapes of published scripts."""

import json
import pickle
import subprocess

import numpy as np
import pytest
from renderer import Renderer

from nemosaic import Loader, MosaicDataset, NemosaicError

torch = pytest.importorskip("torch")
cv2 = pytest.importorskip("cv2")
from torch.utils.data import DataLoader

OPTIONS = dict(size=48, settings={"preset": "random"}, token_length=17)


def expected(pool, epoch):
    """index → (image, tokens, mask) from a Loader."""
    with Loader(pool, batch_size=8, **OPTIONS) as loader:
        loader.set_epoch(epoch)
        return {
            index: (batch.image[at], batch.tokens[at], batch.mask[at])
            for batch in loader
            for at, index in enumerate(batch.indices)
        }


def test_an_item_is_what_the_references_dataset_returns(pool):
    dataset = MosaicDataset(pool, **OPTIONS)
    dataset.set_epoch(0)
    wanted = expected(pool, 0)
    assert len(dataset) == len(wanted)
    for index in range(len(dataset)):
        image, word_vec, mask = dataset[index]
        assert (image.dtype, word_vec.dtype, mask.dtype) == (torch.float32, torch.int64, torch.float32)
        assert (image.shape, word_vec.shape, mask.shape) == ((3, 48, 48), (17,), (48, 48))
        for ours, theirs in zip((image, word_vec, mask), wanted[index]):
            assert torch.equal(ours, theirs)
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    dataset.close()


def test_sentences_that_are_true_of_nothing_come_with_empty_masks_as_the_plans_say(pool, command):
    settings = {"preset": "none", "gres": {"negativeSentence": 0.5, "negativeSource": "random"}}
    sets = ["--preset", "none", "--set", "gres.negativeSentence=0.5", "--set", "gres.negativeSource=random", "--set", "size=48"]
    words = [*command, "plan", pool, "--epoch", "0", *sets]
    plans = [json.loads(line) for line in subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()]
    false = {plan["index"] for plan in plans if plan["kind"] == "no-target"}
    assert 0 < len(false) < len(plans)
    dataset = MosaicDataset(pool, **{**OPTIONS, "settings": settings})
    dataset.set_epoch(0)
    with Loader(pool, batch_size=8, **{**OPTIONS, "settings": settings}) as loader:
        for batch in loader:
            for at, index in enumerate(batch.indices):
                plan = plans[index]
                assert (batch.text[at], batch.mask[at].any().item()) == (plan["text"], index not in false)
                assert ("sentence" in plan["why"]) == (index in false)
                for ours, theirs in zip(dataset[index], (batch.image[at], batch.tokens[at], batch.mask[at])):
                    assert torch.equal(ours, theirs)
    dataset.close()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_persistent_workers_see_a_new_epoch(pool, context):
    dataset = MosaicDataset(pool, **OPTIONS)
    loader = DataLoader(dataset, batch_size=4, num_workers=2, persistent_workers=True, multiprocessing_context=context)
    seen = {}
    for epoch in (0, 3, 0):
        dataset.set_epoch(epoch)
        images, words, masks = (torch.cat(parts) for parts in zip(*loader))
        wanted = expected(pool, epoch)
        for index in range(len(dataset)):
            assert torch.equal(images[index], wanted[index][0])
            assert torch.equal(words[index], wanted[index][1])
            assert torch.equal(masks[index], wanted[index][2])
        seen[epoch] = images
    assert not torch.equal(seen[0], seen[3])
    del loader
    dataset.close()


@pytest.mark.parametrize("options", [{}, {"num_workers": 2}, {"num_workers": 2, "persistent_workers": True}])
def test_each_pass_is_drawn_anew_where_nobody_tells_an_epoch(pool, warm, options):
    dataset = MosaicDataset(pool, **OPTIONS)
    assert dataset.epoch is None
    # Shuffled: which worker draws an item, and when, must not matter.
    loader = DataLoader(dataset, batch_size=4, sampler=None if options else list(range(len(dataset))), **options)
    for epoch in range(3):
        images = torch.cat([images for images, _, _ in loader])
        wanted = expected(pool, epoch)
        for index in range(len(dataset)):
            assert torch.equal(images[index], wanted[index][0]), (epoch, index)
    dataset.set_epoch(1)
    assert torch.equal(dataset[3][0], expected(pool, 1)[3][0]) and torch.equal(dataset[3][0], dataset[3][0])
    dataset.close()


def test_ranks_that_are_told_no_epoch_never_draw_one_sample_twice(pool, warm, monkeypatch):
    epochs = []
    for rank in range(2):
        for name, value in {"RANK": rank, "WORLD_SIZE": 2}.items():
            monkeypatch.setenv(name, str(value))
        dataset = MosaicDataset(pool, **OPTIONS)
        epochs.append([dataset._epoch_of(5) for _ in range(3)])
        dataset.close()
    assert epochs == [[0, 2, 4], [1, 3, 5]]


def test_a_schedule_over_epochs_that_ranks_have_to_guess_is_warned_of(pool, monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    dataset = MosaicDataset(pool, **{**OPTIONS, "settings": {"preset": "random", "schedule": {"gamma": [[0, 0.1], [9, 0.5]]}}})
    with pytest.warns(UserWarning, match="set_epoch"):
        dataset[0]
    dataset.close()


def test_repeat_is_a_dataset_of_several_epochs_for_trainers_that_count_steps(pool, warm):
    dataset = MosaicDataset(pool, repeat=3, **OPTIONS)
    samples = dataset.samples
    assert len(dataset) == 3 * samples
    wanted = expected(pool, 2)
    for ours, theirs in zip(dataset[2 * samples + 4], wanted[4]):
        assert torch.equal(ours, theirs)
    mixed = dataset.__getitems__([2 * samples + 1, 1, 2 * samples])
    assert torch.equal(mixed[0][0], wanted[1][0]) and torch.equal(mixed[2][0], wanted[0][0])
    assert torch.equal(mixed[1][0], expected(pool, 0)[1][0])
    assert torch.equal(dataset[1][0], expected(pool, 3)[1][0]), "a second pass goes on behind the first"
    with pytest.raises(NemosaicError, match="repeat"):
        MosaicDataset(pool, mode="val", repeat=2, **OPTIONS)
    dataset.close()


def test_a_batch_of_items_is_one_request(pool):
    dataset = MosaicDataset(pool, **OPTIONS)
    dataset.set_epoch(0)
    items = dataset.__getitems__([5, 1, 5])
    assert all(torch.equal(a, b) for a, b in zip(items[0], dataset[5])) and all(torch.equal(a, b) for a, b in zip(items[1], dataset[1]))
    dataset.close()


def test_a_pickled_dataset_joins_the_server_of_its_maker(pool):
    dataset = MosaicDataset(pool, **OPTIONS)
    dataset.set_epoch(2)
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.epoch == 2
    assert all(torch.equal(a, b) for a, b in zip(copy[4], dataset[4]))
    copy.close()
    untold = MosaicDataset(pool, **OPTIONS)
    untold[4]
    copy = pickle.loads(pickle.dumps(untold))
    assert [copy._epoch_of(at) for at in (3, 4, 5)] == [0, 1, 0], "what was drawn is not drawn again"
    copy.close()
    untold.close()
    assert torch.equal(dataset[4][0], dataset[4][0])
    dataset.close()


def test_validation_fits_the_loop_of_cris(pool, tmp_path):
    """CRIS: predictions are warped to the original size by `inverse` and compared with the file `mask_dir`."""
    dataset = MosaicDataset(pool, mode="val", mask_dir=str(tmp_path / "masks"), **{**OPTIONS, "size": 200})
    loader = DataLoader(dataset, batch_size=4, num_workers=1)
    ious = []
    for images, texts, param in loader:
        assert images.shape[1:] == (3, 200, 200) and texts.shape[1:] == (17,)
        for mask_dir, mat, ori_size in zip(param["mask_dir"], param["inverse"], param["ori_size"]):
            h, w = np.array(ori_size)
            truth = cv2.imread(mask_dir, flags=cv2.IMREAD_GRAYSCALE)
            assert truth.shape == (h, w) and set(np.unique(truth)) <= {0, 255}
            small = cv2.resize(truth, (200, 200), interpolation=cv2.INTER_LINEAR).astype(np.float32)
            back = cv2.warpAffine(small, np.array(mat), (int(w), int(h)), flags=cv2.INTER_CUBIC, borderValue=0.0) > 127
            ious.append((back & (truth > 0)).sum() / (back | (truth > 0)).sum())
    assert len(ious) == len(dataset)
    assert min(ious) > 0.93, "a perfect prediction comes back as the truth"
    dataset.close()


def test_testing_gives_all_sentences_of_a_ref(pool):
    renderer = Renderer(pool)
    dataset = MosaicDataset(pool, mode="test", split="val", **OPTIONS)
    sentences = 0
    with Loader(pool, split="val", batch_size=64, plans=True, **OPTIONS) as loader:
        batch = next(iter(loader))
        by_ref = {}
        for at, ref in enumerate(batch.ref):
            by_ref.setdefault(ref, []).append(at)
    for image, params in (dataset[at] for at in range(len(dataset))):
        rows = by_ref[params["seg_id"]]
        assert params["sents"] == [batch.text[row] for row in rows]
        assert torch.equal(image, batch.image[rows[0]])
        np.testing.assert_array_equal(params["mask"], renderer.original_truth(batch.plan[rows[0]]) * 255)
        assert params["ori_size"].tolist() == list(params["mask"].shape)
        sentences += len(rows)
    assert len(dataset) == len(by_ref) and sentences == len(batch)
    assert dataset.keys() == batch.key, "one a sentence, as a loop over items and sentences meets them"
    with pytest.raises(NemosaicError, match="each epoch draws its own"):
        MosaicDataset(pool, **OPTIONS).keys()
    dataset.close()


def test_lavts_loop_gets_targets_and_sentences_as_it_unpacks_them(pool):
    train = MosaicDataset(pool, layout="lavt", size=48, preset="random")
    image, target, ids, attention = train[0]
    assert image.shape == (3, 48, 48) and target.dtype == torch.int64 and set(target.unique().tolist()) <= {0, 1}
    assert ids.shape == attention.shape == (1, 20) and ids[0, 0] == 101
    assert attention.sum() == (ids != 0).sum() and ids[0, int(attention.sum()) - 1] == 102
    test = MosaicDataset(pool, mode="test", layout="lavt", split="val", size=48, preset="random")
    for at in range(len(test)):
        image, target, ids, attention = next(iter(DataLoader(torch.utils.data.Subset(test, [at]), batch_size=1)))
        ids, attention = ids.squeeze(1), attention.squeeze(1)
        assert ids.shape[:2] == (1, 20) and ids.shape == attention.shape
        assert all(ids[0, 0, sentence] == 101 for sentence in range(ids.shape[-1]))
    train.close()
    test.close()


def test_vpd_gets_clip_tokens_padded_as_transformers_does(pool):
    dataset = MosaicDataset(pool, layout="vpd", size=48, preset="random")
    image, target, ids, attention = dataset[0]
    used = int(attention.sum())
    assert ids.shape == (1, 77) and ids[0, 0] == 49406
    assert (ids[0, used - 1 :] == 49407).all() and (ids[0, 1 : used - 1] != 49407).all()
    assert image.min() >= -1 and image.max() <= 1 and image.min() < -0.5
    dataset.close()


def test_cgformer_gets_lists_of_sentences_in_testing(pool):
    dataset = MosaicDataset(pool, mode="test", layout="cgformer", split="val", size=48, preset="random")
    shape_only, image, words, mask, pad_masks, seg_id, sents = dataset[0]
    assert len(words) == len(pad_masks) == len(sents) >= 1 and words[0].shape == (1, 20)
    assert shape_only.shape[:2] == mask.shape and mask.dtype == np.int64
    dataset.close()


@pytest.mark.parametrize(
    "options, says",
    [
        ({"epochs": 0}, "epochs of 1"),
        ({"repeat": 0}, "repeat of 1"),
        ({"size": 3}, "size"),
        ({"seed": -1}, "seed from 0"),
        ({"mode": "training"}, "train, val, test"),
        ({"layout": "crisp"}, "cris, lavt"),
        ({"mode": "train", "split": "val"}, "not augmented"),
        ({"mode": "val", "split": "train"}, "is the augmented one"),
    ],
)
def test_wrong_arguments_are_told(pool, options, says):
    with pytest.raises(NemosaicError, match=says) as caught:
        MosaicDataset(pool, **{**OPTIONS, **options})
    from nemosaic import _server

    assert not _server._owned, "nothing is left running while somebody looks at the error"
    del caught


def test_a_layout_takes_its_models_tokens_and_settings_must_not_contradict_it(pool, warm):
    bert = {"preset": "random", "tokens": {"kind": "bert", "length": 12}}
    with_default = MosaicDataset(pool, size=48, settings=bert)
    assert with_default[0][1].tolist()[0] == 101 and with_default[0][1].shape == (12,), "the default layout takes the settings'"
    with pytest.raises(NemosaicError, match='layout "cris" feeds clip tokens, and the settings say tokens.kind .bert.'):
        MosaicDataset(pool, size=48, settings=bert, layout="cris")
    lavt = MosaicDataset(pool, size=48, settings=bert, layout="lavt")
    assert lavt[0][2].shape == (1, 12), "a length that the settings name is taken"
    changed = MosaicDataset(pool, size=48, settings=bert, layout="cris", tokens="clip", token_length=9)
    assert changed[0][1].tolist()[0] == 49406 and changed[0][1].shape == (9,)
    for dataset in (with_default, lavt, changed):
        dataset.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_items_that_make_no_batch_are_told_in_our_words(pool, warm, workers):
    for mode, layout in (("val", None), ("test", None), ("test", "cgformer"), ("test", "lavt")):
        dataset = MosaicDataset(pool, mode=mode, layout=layout, split="val", size=48, preset="random")
        loader = DataLoader(dataset, batch_size=len(dataset), num_workers=workers)
        with pytest.raises((NemosaicError, RuntimeError), match="items make no batch: .*; use batch_size=1, a collate_fn"):
            next(iter(loader))
        one = next(iter(DataLoader(dataset, batch_size=1, num_workers=workers)))
        assert isinstance(one, list) and len(one) == len(dataset[0])
        dataset.close()
