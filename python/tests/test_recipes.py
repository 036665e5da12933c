"""The recipes, run as their readers would: blocks of one file in the state in which that file is."""

import argparse
import json
import os
import re
import subprocess
import sys
import types

import pytest
from conftest import ROOT

from nemosaic import Loader, MosaicDataset

RECIPES = ROOT / "docs" / "recipes"
LIVE = ["cris", "lavt", "rela", "cgformer", "vpd", "etris", "detris", "rmsin", "maskris"]
"""Those that draw anew each epoch; the others export."""
OURS = "nemosaic"
"""The preset that recipes begin with."""


def blocks(name, language="python"):
    return re.findall(rf"```{language}\n(.*?)```", (RECIPES / f"{name}.md").read_text(encoding="utf-8"), re.S)


def block_of(name, *words):
    (found,) = [block for block in blocks(name) if all(word in block for word in words)]
    return found


def args_of(pool, **more):
    given = dict(pool=pool, nemosaic="nemosaic.json", epochs=50, seed=5, manual_seed=5, img_size=32, input_size=32, word_len=17, token_length=77)
    splits = dict(train_split="train", val_split="val", test_split="val", mask_root="masks")
    return types.SimpleNamespace(**{**given, **splits, **more})


@pytest.fixture
def desk(scenes_pool, tmp_path, monkeypatch):
    """A working directory in which nothing is but the files that the recipe says to make; a server that is there for all of a test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCAL_RANK", "0")  # restored after the recipes set it
    with Loader(scenes_pool, preset="none", framework="numpy"):
        yield scenes_pool


def test_recipes_begin_with_the_settings_that_they_need(desk):
    for name in [*LIVE, "lisa"]:
        page = (RECIPES / f"{name}.md").read_text(encoding="utf-8")
        (text,) = blocks(name, "json")
        settings = json.loads(text)
        assert settings["preset"] == OURS and page.index(text) < page.index("nemosaic import") < page.index("```python"), name
        keeping = {"rela": "np.save(", "lisa": "cv2.imwrite("}.get(name, "save_prediction(")
        assert "seed=" in page and "(compare.md)" in page and keeping in page, name
        with open("nemosaic.json", "w") as file:
            file.write(text)
        with Loader(desk, batch_size=2, size=32, framework="numpy") as loader:
            assert "nemosaic.json" in repr(loader)
            schedule = loader.settings["schedule"]
        if name == "lisa":  # exported, where a schedule has no place
            assert schedule["epochs"] is None and schedule["plainLast"] == 0
        else:
            assert schedule["epochs"] and schedule["plainLast"] == pytest.approx(1 / 3), name


def test_the_files_to_compare_with_are_settings(desk):
    files = [json.loads(text) for text in blocks("compare", "json")]
    assert [file["preset"] for file in files] == ["none", "full-size-random", "nemo"]
    for file in files:
        Loader(desk, batch_size=2, size=32, settings=file, framework="numpy").close()


def write_settings(name):
    with open("nemosaic.json", "w") as file:
        file.write(blocks(name, "json")[0])


@pytest.mark.parametrize("name", ["cris", "cgformer", "etris", "detris"])
def test_scripts_that_count_epochs_from_1_draw_epoch_0_first(desk, name):
    write_settings(name)
    told = []
    names = {
        "os": os,
        "args": args_of(desk),
        "gpu": 0,
        "epoch": 0,
        "epoch_log": 1,
        "train_sampler": types.SimpleNamespace(set_epoch=told.append),
    }
    exec(block_of(name, "train_data = "), names)
    train, val = names["train_data"], names["val_data"]
    assert told == [1] and train.epoch == 0 and train.split == "train" and val.split == "val"
    assert train._options["seed"] == 5 and "schedule.epochs=50" in train._options["sets"]
    train[0], val[0]
    train.close()
    val.close()
    # test.py is a file of its own: what it needs, it has to import.
    testing = {"args": args_of(desk)}
    exec(block_of(name, "test_data = "), testing)
    assert testing["test_data"].mode == "test" and len(testing["test_data"].keys()) >= len(testing["test_data"])
    testing["test_data"].close()


@pytest.mark.parametrize("name", ["lavt", "vpd", "rmsin"])
def test_datasets_of_lavt_and_its_kin_are_seeded_and_scheduled(desk, name):
    write_settings(name)
    parser = argparse.ArgumentParser()
    exec(block_of(name, "add_argument"), {"parser": parser})
    given = args_of(**vars(parser.parse_args(["--pool", desk, "--seed", "7"])))
    for code in [block for block in blocks(name) if "def get_dataset" in block]:
        names = {}
        exec(code, names)
        for image_set in ("train", "val"):
            if 'mode="test"' in code and image_set == "train":
                continue
            dataset, classes = names["get_dataset"](image_set, None, given)
            assert classes == 2 and len(dataset[0]) == 4
            if dataset.mode == "train":
                assert dataset._options["seed"] == 7 and "schedule.epochs=50" in dataset._options["sets"]
            dataset.close()


def test_maskris_hides_words_of_mosaics_by_its_own_rule(desk, monkeypatch):
    torch = pytest.importorskip("torch", reason="did not run: torch is not installed")
    write_settings("maskris")

    class ReferDatasetMasking:
        def random_word(self, sentence):
            assert self.txt_mask_ratio == 0.3 and self.tokenizer == "bert"
            sentence[0][0] = 103
            return sentence

    theirs = types.SimpleNamespace(
        ReferDatasetMasking=ReferDatasetMasking, BertTokenizer=types.SimpleNamespace(from_pretrained=lambda name: "bert")
    )
    names = {}
    exec(block_of("maskris", "class Mosaics"), names)
    for name, module in (("data", types.ModuleType("data")), ("data.dataset_refer_bert", theirs), ("data.nemo", types.SimpleNamespace(**names))):
        monkeypatch.setitem(sys.modules, name, module)
    parser = argparse.ArgumentParser()
    exec(block_of("maskris", "add_argument"), {"parser": parser})
    more = dict(txt_mask_ratio=0.3, txt_mask_ratio_sub=(0.8, 0.1), bert_tokenizer="bert-base-uncased")
    given = args_of(**{**vars(parser.parse_args(["--pool", desk])), **more})
    main, evaluating = [block for block in blocks("maskris") if "def get_dataset" in block]
    assert main == evaluating
    exec(main, names)
    dataset, classes = names["get_dataset"]("train", None, given)
    exec(block_of("maskris", "set_epoch").strip(), {"dataset": dataset, "epoch": 3})
    image, targets, ids, hidden, attention = dataset[0]
    assert classes == 2 and dataset.mosaics.epoch == 3 and len(dataset) == len(dataset.mosaics)
    assert hidden[0][0] == 103 and ids[0][0] == 101 and torch.equal(hidden[0][1:], ids[0][1:])
    assert targets["mask"].shape == image.shape[1:] and attention.shape == ids.shape
    dataset.mosaics.close()
    dataset, _ = names["get_dataset"]("val", None, given)
    keeping = block_of("maskris", "save_prediction")
    exec(keeping, {"data_loader": types.SimpleNamespace(dataset=dataset), "output": [dataset[at][1]["mask"][None] for at in range(2)]})
    assert [os.path.exists(f"predictions/{key}.png") for key in dataset.mosaics.keys()[:3]] == [True, True, False]
    dataset.mosaics.close()


def test_lisas_masks_are_called_by_the_sentences_of_each_image(tmp_path, monkeypatch):
    np = pytest.importorskip("numpy")
    monkeypatch.chdir(tmp_path)
    written = {}
    refs = {1: [{"sentences": [{"sent_id": 5}, {"sent_id": 7}]}, {"sentences": [{"sent_id": 6}]}], 2: [{"sentences": [{"sent_id": 9}]}]}
    data = {"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}], "img2refs": refs}
    kept = types.SimpleNamespace(cpu=lambda: types.SimpleNamespace(numpy=lambda: np.ones((2, 2), dtype=np.int32)))
    names = {
        "os": os,
        "cv2": types.SimpleNamespace(imwrite=lambda path, mask: written.update({path: int(mask.max())})),
        "val_loader": types.SimpleNamespace(dataset=types.SimpleNamespace(refer_seg_ds=data)),
        "input_dict": {"image_paths": ["a.jpg"]},
        "output_list": [kept, kept, kept],
    }
    exec(block_of("lisa", "cv2.imwrite"), names)
    assert written == {f"predictions/{number}.png": 255 for number in (5, 7, 6)}


def test_kept_masks_are_scored(desk, tmp_path, command):
    """The lines that keep masks, with truth in place of a model's: the evaluator finds every sentence, and nothing to improve."""
    test_data = MosaicDataset(desk, mode="test", layout="cris", split="val", size=32, token_length=17, preset="none", framework="numpy")
    keeping = block_of("cris", "save_prediction").replace("pred)", "pred)  # noqa").splitlines()
    start = "\n".join(line for line in keeping if "import" in line or line.startswith("keys"))
    names = {"os": os, "test_loader": types.SimpleNamespace(dataset=test_data), "args": types.SimpleNamespace(output_dir="out")}
    exec(start, names)
    (save,) = [line for line in keeping if line.startswith("save_prediction(")]
    for _, params in (test_data[at] for at in range(len(test_data))):
        for _ in params["sents"]:
            names["pred"] = params["mask"] > 0
            exec(save, names)
    test_data.close()
    words = [*command, "evaluate", "out/predictions", "--truth", desk, "--preset", "cris", "--split", "val", "--sentences", "all", "--json"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["samples"] > len(test_data) and result["metrics"]["mIoU"]["value"] > 0.999
