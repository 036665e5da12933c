"""The examples for Lightning and Accelerate, and the notebook, with their packages."""

import json
import os
import re
import sys

import pytest
from conftest import ROOT

import nemosaic
from nemosaic import Loader, NemosaicError

EXAMPLES = ROOT / "examples"


@pytest.fixture
def examples(monkeypatch):
    """The folder of the example scripts on the path, with nemosaic.json in the working directory left alone."""
    pytest.importorskip("torch", reason="did not run: torch is not installed")
    monkeypatch.syspath_prepend(str(EXAMPLES / "pytorch"))


@pytest.fixture
def lightning(examples, monkeypatch):
    module = pytest.importorskip("lightning", reason="did not run: lightning is not installed (python/requirements-trainers.txt)")
    # Debian's torch 1.13 cannot import its sharded tensors under Python 3.11, which this would do for every module.
    monkeypatch.setattr(module.LightningModule, "_register_sharded_tensor_state_dict_hooks_if_available", lambda self: None)
    return module


SMALL = dict(size=32, token_length=20, preset="random", drop_last=True)
QUIET = dict(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)


@pytest.mark.filterwarnings("ignore")
def test_lightning_draws_every_epoch_anew_and_resumes_at_the_next_batch(lightning, pool, warm, tmp_path):
    from with_lightning import Segmenter

    seen = []

    class Watched(Segmenter):
        def training_step(self, batch, index):
            seen.append((batch.epoch, tuple(batch.indices)))
            return super().training_step(batch, index)

    def fit(checkpoint=None, callbacks=(), **options):
        seen.clear()
        with Loader(pool, 4, **SMALL) as loader:
            trainer = lightning.Trainer(max_epochs=3, callbacks=list(callbacks), default_root_dir=tmp_path, **QUIET, **options)
            trainer.fit(Watched(32), loader, ckpt_path=checkpoint)
            return len(loader), list(seen)

    every = lightning.pytorch.callbacks.ModelCheckpoint(
        tmp_path, save_top_k=-1, every_n_train_steps=1, filename="at-{step}", auto_insert_metric_name=False
    )
    steps, whole = fit(callbacks=[every])
    assert steps >= 3 and [epoch for epoch, _ in whole] == [epoch for epoch in range(3) for _ in range(steps)]
    assert len({order for _, order in whole}) == len(whole), "another order each epoch"
    for step in (1, steps + 1):
        assert fit(str(tmp_path / f"at-{step}.ckpt"))[1] == whole[step:], f"resumed after {step} steps of {steps} an epoch"
    # Saved within the last batch, Lightning counts that as not done and takes one batch more before it goes on.
    assert fit(str(tmp_path / f"at-{steps}.ckpt"))[1][1:] == whole[steps:]
    ended = lightning.pytorch.callbacks.ModelCheckpoint(tmp_path, save_top_k=-1, every_n_epochs=1, filename="end-{epoch}", auto_insert_metric_name=False)
    fit(callbacks=[ended])
    assert fit(str(tmp_path / "end-0.ckpt"))[1] == whole[steps:], "an epoch's end resumes at the next epoch, and skips none"
    limited = fit(limit_train_batches=2, enable_checkpointing=False)[1]
    assert [epoch for epoch, _ in limited] == [0, 0, 1, 1, 2, 2]


@pytest.mark.filterwarnings("ignore")
def test_the_example_for_lightning_runs_as_it_stands(lightning, scenes_pool, tmp_path):
    from with_lightning import train

    train(scenes_pool, epochs=1, size=32, max_steps=2, default_root_dir=tmp_path, limit_val_batches=1, enable_checkpointing=False, **QUIET)


@pytest.mark.filterwarnings("ignore")
def test_accelerate_saves_the_loaders_place(examples, scenes_pool, tmp_path, monkeypatch, capsys):
    pytest.importorskip("accelerate", reason="did not run: accelerate is not installed (python/requirements-trainers.txt)")
    import with_accelerate

    seen = []

    class Stopped(Exception):
        pass

    class Watched(Loader):
        def set_epoch(self, epoch):
            seen.append(epoch)
            if seen == [0, 1]:
                raise Stopped
            super().set_epoch(epoch)

    monkeypatch.setattr(with_accelerate, "Loader", Watched)
    with pytest.raises(Stopped):
        with_accelerate.train(scenes_pool, str(tmp_path), epochs=2, size=32)
    with_accelerate.train(scenes_pool, str(tmp_path), epochs=2, size=32)
    assert seen == [0, 1, 1], "the second run goes on with the next epoch"
    assert re.findall(r"epoch \d: loss [\d.]+", capsys.readouterr().out)


def test_the_notebook_runs_and_shows_pictures(command, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="did not run: nbclient is not installed (python/requirements-trainers.txt)")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel", reason="did not run: ipykernel is not installed (python/requirements-trainers.txt)")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "python"))
    monkeypatch.setenv("NEMOSAIC_COMMAND", " ".join(command))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    path = EXAMPLES / "quickstart.ipynb"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") for cell in stored["cells"]), "outputs are made, not kept"
    notebook = nbformat.read(str(path), as_version=4)
    nbclient.NotebookClient(notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    pages = [
        output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    assert [page.count("data:image/png;base64,") for page in pages] == [8, 8, 4, 8]
    assert any("band can fill a mosaic" in str(output) for cell in notebook.cells for output in cell.get("outputs", []))


def test_the_command_can_be_run_from_python(command, pool, capfd):
    nemosaic.run("stats", pool, "--quiet", command=command)
    assert "expressions of" in capfd.readouterr().out
    for words, code, says in ((("minne",), "usage", "unknown command"), (("stats", "/nowhere"), "not-found", "expected a pool")):
        with pytest.raises(NemosaicError, match=says) as caught:
            nemosaic.run(*words, command=command)
        assert caught.value.code == code
    with pytest.raises(NemosaicError, match="cannot start"):
        nemosaic.run("stats", command=["/nowhere/nemosaic"])
