"""Samples a second into torch tensors: the reference's steps in a PyTorch Dataset, and nemosaic, side by side in one run.

    python bench/pytorch_loader.py [--pool POOL] [--seconds 5] [--repeats 3] [--out result.json]

Both make 2x2 mosaics with random negatives at every sample, 416 x 416, into batches of 32:

- reference: a clean-room Dataset of what the reference loader does for a mosaic (decode four JPEGs and four
  masks, resize each to its cell, bilinear and nearest, put together, tokenise, divide, normalise, to float32), with
  OpenCV on one thread a worker, in this process ("1 process") and in DataLoader workers, one a core ("all cores").
  It reads encoded images and masks from memory, where the reference reads them from LMDB.
- ours: Loader, into uint8 and float32 tensors; cold = images are decoded for each sample (resample opencv, and fast);
  first and second epoch = `Loader(pool)` as it comes, which keeps what it decodes; warm = from decoded tiles, after
  `nemosaic tiles`, also of full-size mosaics.

Images are those of --pool, else the photographs of NEMOSAIC_SAMPLE, else drawn scenes of 640 x 480, whose JPEGs and
masks are lighter. Ratios are given to the reference in one process and in one worker a core; the goals are to one process.

Rates are medians of --repeats turns, taken in alternation, of --seconds each after a first batch. Prints JSON.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "python" / "tests")]

from renderer import ClipTokens, Renderer  # noqa: E402  (reads a pool, apart from nemosaic)

from nemosaic import Loader  # noqa: E402
from nemosaic._command import find_command  # noqa: E402

MOSAICS = {"preset": "random", "mosaic": {"gamma": 1, "grid": "2x2"}, "size": 416, "tokens": {"kind": "clip", "length": 17}}
FULL_SIZE = {**MOSAICS, "preset": "full-size-random", "mosaic": {"gamma": 1, "placement": "uniform"}}
GOALS = {"warm uint8": 60, "warm float32": 25, "warm full-size uint8": 40, "second epoch uint8": 40, "cold": 3}


class ReferenceMosaics(Dataset):
    """The reference's steps, by its description: nothing of its code."""

    def __init__(self, refs, size, length):
        self.refs = refs
        self.half = size // 2
        self.tokens = ClipTokens(ROOT / "assets" / "clip-merges.txt.gz")
        self.words = {}
        self.length = length
        self.mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(3, 1, 1)
        self.std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(3, 1, 1)

    def __len__(self):
        return 1 << 30

    def __getitem__(self, index):
        random = np.random.default_rng(index)
        chosen = [index % len(self.refs), *random.choice(len(self.refs), 3)]
        cell = int(random.integers(4))
        chosen[0], chosen[cell] = chosen[cell], chosen[0]
        images, masks = [], []
        for at, number in enumerate(chosen):
            image_bytes, mask_bytes, _ = self.refs[number]
            image = cv2.cvtColor(cv2.imdecode(image_bytes, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            mask = cv2.imdecode(mask_bytes, cv2.IMREAD_GRAYSCALE) / 255.0
            images.append(cv2.resize(image, (self.half, self.half), interpolation=cv2.INTER_LINEAR))
            mask = cv2.resize(mask, (self.half, self.half), interpolation=cv2.INTER_NEAREST)
            masks.append(mask if at == cell else np.zeros_like(mask))
        image = np.concatenate([np.concatenate(images[:2], 1), np.concatenate(images[2:], 1)], 0)
        mask = np.concatenate([np.concatenate(masks[:2], 1), np.concatenate(masks[2:], 1)], 0)
        text = self.refs[chosen[cell]][2]
        words = torch.tensor(self.tokenised(text), dtype=torch.int64)
        tensor = torch.from_numpy(image.transpose(2, 0, 1)).float().div_(255.0).sub_(self.mean).div_(self.std)
        return tensor, words, torch.from_numpy(mask).float()

    def tokenised(self, text):
        """As CLIP's own tokenizer, words are looked up once."""
        if text not in self.words:
            self.words[text] = self.tokens(text, self.length)
        return self.words[text]


def one_thread(_):
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def encoded_refs(pool):
    """(JPEG bytes, mask PNG bytes, sentence) of the training refs, as the reference's LMDB holds them."""
    renderer = Renderer(pool)
    refs = {}
    with Loader(pool, batch_size=64, size=32, settings={"preset": "none"}, framework="numpy", dtype="uint8", plans=True, server_options=["--tiles", "off"]) as loader:
        for batch in loader:
            for plan, ref in zip(batch.plan, batch.ref):
                target = plan["layers"][0]
                data = np.fromfile(renderer.files[target["image"]], np.uint8)
                mask = cv2.imencode(".png", renderer.original_truth(plan) * 255)[1]
                refs[ref] = (data, mask, plan["text"])
    return [refs[key] for key in sorted(refs)]


def make_pool(folder, command):
    """(pool, what is in it)."""
    pool, sample = os.path.join(folder, "pool"), os.environ.get("NEMOSAIC_SAMPLE")

    def run(*words):
        subprocess.run([*command, *words, "--quiet"], check=True, stdout=subprocess.DEVNULL)

    if sample and os.path.isdir(sample):
        refer = os.path.join(sample, "refer", "cocorefs")
        run("import", "refer", refer, "--images", os.path.join(sample, "images"), "--pool", pool, "--on-bad", "skip")
        return pool, "photographs"
    scenes = os.path.join(folder, "scenes")
    run("scenes", scenes, "--count", "300", "--seed", "11", "--splits", "train=0.9,val=0.1")
    run("import", "refer", os.path.join(scenes, "refer", "scenes"), "--images", os.path.join(scenes, "images"), "--pool", pool)
    return pool, "drawn scenes"


def rate_of(batches, size_of, seconds):
    """Samples a second after the first batch."""
    batches = iter(batches)
    next(batches)
    began = time.perf_counter()
    samples = 0
    while time.perf_counter() - began < seconds:
        samples += size_of(next(batches))
    return samples / (time.perf_counter() - began)


def endless(loader):
    while True:
        yield from loader


def reference_rate(refs, batch_size, workers, seconds):
    dataset = ReferenceMosaics(refs, MOSAICS["size"], MOSAICS["tokens"]["length"])
    if workers == 0:
        one_thread(0)
    loader = DataLoader(dataset, batch_size=batch_size, num_workers=workers, worker_init_fn=one_thread)
    try:
        return rate_of(loader, lambda batch: len(batch[0]), seconds)
    finally:
        del loader


def our_rate(pool, batch_size, dtype, seconds, tiles, settings=MOSAICS):
    options = dict(batch_size=batch_size, settings=settings, dtype=dtype, drop_last=True, num_prefetch=4)
    with Loader(pool, server_options=["--tiles", tiles], **options) as loader:
        return rate_of(endless(loader), len, seconds)


def plain_epochs(pool, batch_size):
    """The rates of the first and the second epoch of a loader as it comes, without a tile before the first."""
    shutil.rmtree(os.path.join(pool, "tiles"), ignore_errors=True)
    rates = []
    with Loader(pool, batch_size=batch_size, settings=MOSAICS, dtype="uint8", num_prefetch=4) as loader:
        for _ in range(2):
            began = time.perf_counter()
            samples = sum(len(batch) for batch in loader)
            rates.append(samples / (time.perf_counter() - began))
    return rates


def build_tiles(pool, command, settings):
    """Why there are none, or None."""
    mosaic = [word for name, value in settings["mosaic"].items() for word in ("--set", f"mosaic.{name}={value}")]
    words = ["tiles", pool, "--size", str(settings["size"]), "--preset", settings["preset"], *mosaic, "--quiet"]
    done = subprocess.run([*command, *words], capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["nemosaic tiles failed"])[0]


def measure(turns, repeats):
    """name → rates; turns alternate, so that a busy machine hits all alike."""
    rates = {name: [] for name in turns}
    for turn in range(repeats):
        for name, run in turns.items():
            rates[name].append(run())
            print(f"turn {turn + 1}: {name}: {rates[name][-1]:.1f}/s", file=sys.stderr, flush=True)
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pool", help="a pool with JPEG files")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--out", help="write the JSON there too")
    args = parser.parse_args()
    if args.pool and os.path.isdir(os.path.join(args.pool, "tiles")):
        parser.error(f"{args.pool} has tiles already, so nothing would be cold: remove {args.pool}/tiles, or measure another pool")
    command = find_command()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        pool, material = (args.pool, "a pool of the caller's") if args.pool else make_pool(folder, command)
        refs = encoded_refs(pool)
        size, seconds = args.batch_size, args.seconds
        reference = {
            "reference, 1 process": lambda: reference_rate(refs, size, 0, seconds),
            "reference, all cores": lambda: reference_rate(refs, size, cores, seconds),
        }
        cold = {
            f"cold {resample} {dtype}": (lambda r=resample, d=dtype: our_rate(pool, size, d, seconds, "off", {**MOSAICS, "resample": r}))
            for resample in ("opencv", "fast")
            for dtype in ("uint8", "float32")
        }
        rates = measure({**reference, **cold}, args.repeats)
        plain = [plain_epochs(pool, size) for _ in range(args.repeats)]
        rates["first epoch uint8"], rates["second epoch uint8"] = map(list, zip(*plain))
        missing = build_tiles(pool, command, MOSAICS) or build_tiles(pool, command, FULL_SIZE)
        if missing is None:
            warm = {f"warm {dtype}": (lambda d=dtype: our_rate(pool, size, d, seconds, "use")) for dtype in ("uint8", "float32")}
            warm["warm full-size uint8"] = lambda: our_rate(pool, size, "uint8", seconds, "use", FULL_SIZE)
            for run in warm.values():
                run()  # the tiles' pages into memory
            rates.update(measure(warm, args.repeats))
    result = report(rates, cores, args, missing, material)
    text = json.dumps(result, indent=2)
    print(text)
    if args.out:
        Path(args.out).write_text(text + "\n")


def report(rates, cores, args, missing, material):
    medians = {name: statistics.median(values) for name, values in rates.items()}
    one, all_cores = medians["reference, 1 process"], medians["reference, all cores"]
    return {
        "bench": "pytorch_loader",
        "what": f"2x2 mosaics a second into torch tensors, 416 x 416, batches of {args.batch_size}",
        "machine": {"processor": processor(), "cores": cores, "python": platform.python_version(), "torch": torch.__version__, "opencv": cv2.__version__},
        "material": material,
        "seconds": args.seconds,
        "repeats": args.repeats,
        "rates": {
            name: {"median": round(medians[name], 1), "low": round(min(values), 1), "high": round(max(values), 1)}
            for name, values in rates.items()
        },
        "ratios": {
            name: {"to 1 process": round(median / one, 2), "to all cores": round(median / all_cores, 2)}
            for name, median in medians.items()
            if not name.startswith("reference")
        },
        "goals to 1 process": GOALS,
        **({} if missing is None else {"warm did not run": missing}),
    }


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    main()
