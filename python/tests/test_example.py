"""examples/pytorch: it trains, it resumes to the same weights, and its predictions score the same in `nemosaic evaluate`."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module", autouse=True)
def example():
    folder = str(ROOT / "examples" / "pytorch")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


def weights(folder):
    return torch.load(folder / "checkpoint.pt")["model"]


SMALL = dict(size=64, batch_size=4, width=32, threads=1, eval_splits=[])


def test_mined_mosaics_train_and_the_evaluator_agrees_with_the_script(scenes_pool, command, tmp_path):
    import train

    out = tmp_path / "run"
    words = [scenes_pool, "--out", str(out), "--augment", "nemo", "--steps", "12", "--size", "64", "--batch-size", "4"]
    result = train.main([*words, "--width", "32", "--threads", "1", "--eval-splits", "val"])
    losses = [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert result["steps"] == 12 and losses and all(loss == loss for loss in losses)
    (scores,) = result["scores"]
    assert scores["sentences"] == len(list((out / "predictions" / "val").rglob("*.png"))) > 0


def test_the_evaluator_agrees_with_the_script(scenes_pool, command, tmp_path):
    """On a model that is neither right nor empty: bright means target."""
    from evaluation import evaluate

    class Bright(torch.nn.Module):
        def forward(self, image, tokens):
            return image.mean(1) - 1

    scores = evaluate(Bright(), scenes_pool, "val", predictions=str(tmp_path), size=64, preset="none")
    assert scores["mIoU"] > 1
    words = ["evaluate", str(tmp_path), "--truth", scenes_pool, "--split", "val", "--preset", "cris", "--sentences", "all", "--json", "--quiet"]
    judged = subprocess.run([*command, *words], capture_output=True, text=True)
    assert judged.returncode == 0, judged.stderr
    report = json.loads(judged.stdout)
    assert report["samples"] == scores["sentences"]
    for name in ("mIoU", "oIoU", "P@0.5"):
        assert round(100 * report["metrics"][name]["value"], 2) == pytest.approx(scores[name], abs=0.011), name


def test_a_run_that_was_stopped_ends_with_the_same_weights(pool, tmp_path):
    from train import Config, train

    whole = Config(pool=pool, out=str(tmp_path / "whole"), augment="random", steps=9, save_every=100, **SMALL)
    train(whole)
    parts = Config(pool=pool, out=str(tmp_path / "parts"), augment="random", steps=9, save_every=4, **SMALL)
    stop_after(parts, 6)
    assert torch.load(tmp_path / "parts" / "checkpoint.pt")["step"] == 4
    train(parts)
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(value, weights(tmp_path / "parts")[name]), name


def stop_after(config, step):
    """Trains until an interrupt after `step` steps, as Ctrl-C would."""
    import train

    original = train.segmentation_loss
    steps = 0

    def loss(logits, mask):
        nonlocal steps
        if steps == step:
            raise KeyboardInterrupt
        steps += 1
        return original(logits, mask)

    train.segmentation_loss = loss
    try:
        with pytest.raises(KeyboardInterrupt):
            train.train(config)
    finally:
        train.segmentation_loss = original


def test_a_checkpoint_of_another_run_is_refused(pool, tmp_path):
    from train import Config, train

    train(Config(pool=pool, out=str(tmp_path), augment="none", steps=1, **SMALL))
    with pytest.raises(SystemExit, match="another augment, seed"):
        train(Config(pool=pool, out=str(tmp_path), augment="random", seed=1, steps=1, **SMALL))


def test_the_model_can_learn(scenes_pool):
    """It fits a handful of samples: the loss is not for show."""
    from model import RefModel, segmentation_loss

    from nemosaic import Loader

    torch.manual_seed(0)
    model = RefModel(32)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with Loader(scenes_pool, batch_size=4, size=64, preset="none", token_length=20) as loader:
        batch = next(iter(loader))
    first = last = None
    for _ in range(60):
        loss = segmentation_loss(model(batch.image, batch.tokens), batch.mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        first, last = first or loss.item(), loss.item()
    assert last < 0.6 * first
