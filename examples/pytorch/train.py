"""Trains the small model of model.py on a pool, with or without hard-negative mosaics.

    nemosaic scenes scenes --count 600
    nemosaic import refer scenes/refer/scenes --images scenes/images --pool pool
    nemosaic embed pool && nemosaic mine pool
    python train.py pool --augment nemosaic --epochs 50 --out runs/nemosaic-0 --seed 0
    nemosaic evaluate runs/nemosaic-0/predictions/val --truth pool --split val --preset cris

A run that was stopped goes on where it was when the same command is given again: the checkpoint holds model,
optimiser, random state and the loader's place in its epoch. The same seed gives the same batches whatever the
machine, and the same weights on the same machine and number of threads.
"""

import argparse
import json
import os
import random
import runpy
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Iterator, List, Optional

import numpy as np
import torch
from evaluation import evaluate, prediction_folder
from model import RefModel, segmentation_loss

from nemosaic import Batch, Loader

# A short name; any other is a preset's own.
AUGMENTS = {"reference": "nemo-reference"}


@dataclass
class Config:
    """One run. `settings` is a nemosaic.json or a dict; `augment` names the preset that it changes."""

    pool: str
    out: str
    augment: str = "nemosaic"
    settings: Any = None
    steps: int = 1500
    epochs: Optional[int] = None  # as many steps as these have; schedules of the settings count them
    batch_size: int = 24
    size: int = 128
    token_length: int = 20
    width: int = 128
    backbone: Optional[str] = None
    tower: Optional[str] = None
    freeze_backbone: bool = False
    learning_rate: float = 1e-3
    warmup: int = 50
    seed: int = 0
    eval_splits: List[str] = field(default_factory=lambda: ["val"])
    eval_pools: Dict[str, str] = field(default_factory=dict)
    eval_limit: Optional[int] = None
    save_every: int = 200
    threads: Optional[int] = None
    device: str = "cpu"


def train(config: Config) -> Dict[str, Any]:
    """Trains to `config.steps`, evaluates, and returns what it also writes to <out>/result.json."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    os.makedirs(config.out, exist_ok=True)
    seed_everything(config.seed)
    tower = None if config.tower is None else runpy.run_path(config.tower)["make_tower"]()
    model = RefModel(config.width, image=tower)
    if config.backbone is not None:
        model.image.load_state_dict(torch.load(config.backbone, map_location="cpu")["tower"])
    if config.freeze_backbone:
        model.image.requires_grad_(False)
    model = model.to(config.device)
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=config.learning_rate, weight_decay=0.01)
    checkpoint = os.path.join(config.out, "checkpoint.pt")
    step, seconds = 0, 0.0
    with Loader(
        config.pool,
        batch_size=config.batch_size,
        size=config.size,
        split="train",
        seed=config.seed,
        settings=config.settings or {},  # a nemosaic.json that happens to lie here must not change what --augment names
        preset=AUGMENTS.get(config.augment, config.augment),
        token_length=config.token_length,
        dtype="float32",
        device=None if config.device == "cpu" else config.device,
        drop_last=True,
        restart=True,
        epochs=config.epochs,
    ) as loader:
        if config.epochs is not None:
            config = replace(config, steps=config.epochs * len(loader))
        if os.path.exists(checkpoint):
            step, seconds = restore(checkpoint, config, model, optimizer, loader)
            print(f"goes on after step {step}", flush=True)
        began = time.monotonic()
        model.train()
        batches = endless(loader)
        while step < config.steps:
            batch = next(batches)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config, step)
            logits = model(batch.image, batch.tokens)
            loss = segmentation_loss(logits, batch.mask)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimizer.step()
            step += 1
            if step % 50 == 0 or step == config.steps:
                spent = seconds + time.monotonic() - began
                note(config, {"step": step, "epoch": batch.epoch, "loss": round(loss.item(), 4), "seconds": round(spent, 1)})
            if step % config.save_every == 0 or step == config.steps:
                save(checkpoint, config, model, optimizer, loader, step, seconds + time.monotonic() - began)
        seconds += time.monotonic() - began
    scores = score(config, model)
    result = {"config": asdict(config), "steps": step, "train_seconds": round(seconds, 1), "scores": scores}
    write_whole(os.path.join(config.out, "result.json"), json.dumps(result, indent=2).encode())
    return result


def score(config: Config, model: torch.nn.Module) -> List[Dict[str, Any]]:
    """Scores on splits of the training pool, and on other pools by name."""
    sets = [(split, config.pool, split) for split in config.eval_splits]
    sets += [(name, pool, "val") for name, pool in config.eval_pools.items()]
    scores = []
    for name, pool, split in sets:
        found = evaluate(
            model,
            pool,
            split,
            device=config.device,
            predictions=prediction_folder(config.out, name),
            limit=config.eval_limit,
            size=config.size,
            token_length=config.token_length,
            preset="none",
        )
        scores.append({"name": name, **found})
        print(json.dumps(scores[-1]), flush=True)
    return scores


def endless(loader: Loader) -> Iterator[Batch]:
    """Epoch after epoch; each is another order and other mosaics. A loaded state goes on in the middle of one."""
    if len(loader) == 0:
        raise SystemExit(f"split train has {loader.samples} samples, fewer than a batch: choose a smaller --batch-size")
    while True:
        yield from loader


def learning_rate(config: Config, step: int) -> float:
    """A linear warm-up, then a cosine to nothing."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * 0.5 * (1 + float(np.cos(np.pi * done)))


def save(path: str, config: Config, model: Any, optimizer: Any, loader: Loader, step: int, seconds: float) -> None:
    state = {
        "config": asdict(config),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "loader": loader.state_dict(),
        "random": torch.get_rng_state(),
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)


def restore(path: str, config: Config, model: Any, optimizer: Any, loader: Loader) -> "tuple[int, float]":
    state = torch.load(path, map_location=config.device)
    # What may change between the parts of a run without changing its course.
    free = {"out", "pool", "backbone", "threads", "device", "save_every", "eval_splits", "eval_pools", "eval_limit"}
    now = asdict(config)
    changed = [name for name, value in state["config"].items() if name not in free and now[name] != value]
    if changed:
        raise SystemExit(f"{path} is of a run with another {', '.join(changed)}: choose another --out, or remove it")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    loader.load_state_dict(state["loader"])
    torch.set_rng_state(state["random"].cpu())
    return int(state["step"]), float(state["seconds"])


def note(config: Config, line: Dict[str, Any]) -> None:
    with open(os.path.join(config.out, "log.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def write_whole(path: str, data: bytes) -> None:
    with open(path + ".tmp", "wb") as file:
        file.write(data)
    os.replace(path + ".tmp", path)


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def main(words: Optional[List[str]] = None) -> Dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pool")
    parser.add_argument("--out", required=True, help="folder for checkpoint, log, predictions and result.json")
    parser.add_argument("--augment", default=Config.augment, help="the preset that draws training samples; reference is nemo-reference")
    parser.add_argument("--settings", help="a nemosaic.json over the preset of --augment")
    parser.add_argument("--steps", type=int, default=Config.steps)
    parser.add_argument("--epochs", type=int, help="train so many epochs, in place of --steps; the settings' schedule counts them")
    parser.add_argument("--batch-size", type=int, default=Config.batch_size)
    parser.add_argument("--size", type=int, default=Config.size, help="a multiple of 16")
    parser.add_argument("--token-length", type=int, default=Config.token_length)
    parser.add_argument("--width", type=int, default=Config.width)
    parser.add_argument("--backbone", help="a file with weights of the image tower: {\"tower\": state_dict}")
    parser.add_argument("--tower", help="a Python file whose make_tower() gives the image tower, such as evidence/lite0.py")
    parser.add_argument("--freeze-backbone", action="store_true", help="train all but the image tower, in half the time")
    parser.add_argument("--learning-rate", type=float, default=Config.learning_rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eval-splits", nargs="*", default=["val"], help="splits of the pool to score at the end")
    parser.add_argument("--eval-pools", nargs="*", default=[], metavar="NAME=POOL", help="pools whose split val is scored")
    parser.add_argument("--eval-limit", type=int, help="score only that many sentences of each")
    parser.add_argument("--save-every", type=int, default=Config.save_every)
    parser.add_argument("--threads", type=int, help="torch's threads")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = vars(parser.parse_args(words))
    pools = {}
    for word in args.pop("eval_pools"):
        name, equals, pool = word.partition("=")
        if not (name and equals and pool):
            parser.error(f"expected NAME=POOL for --eval-pools, got {word!r}")
        pools[name] = pool
    if args["size"] % 16:
        parser.error(f"expected a --size that is a multiple of 16, got {args['size']}")
    return train(Config(eval_pools=pools, **args))


if __name__ == "__main__":
    main()
