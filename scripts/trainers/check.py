"""argv: trainer, clone, export, folder of drawn plans, size, steps. Compares what the trainer reads with the plans drawn,
then takes some optimiser steps on it; prints one line of JSON. Fails on the first difference.
"""

import contextlib
import glob
import json
import os
import sys
import warnings
import zlib

import numpy as np
import torch
from PIL import Image

from readers import readers

first_drawn = 1_000_000_000


def drawn(folder):
    """The drawn plans by their number, in order; what a format cannot hold is not among them."""
    samples = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.json")), key=lambda path: int(os.path.basename(path)[:-5])):
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
        samples[plan["index"]] = {"path": path[:-5], "text": plan["text"]}
    return samples


def compare(samples, wanted):
    """Goes through all samples; returns the counts and what the steps are taken on."""
    counts = {"samples": 0, "images": 0, "inside": 0, "left_out": 0}
    batch, seen = [], set()  # the first samples, as they were read
    order = list(wanted)
    for at, sample in enumerate(samples):
        at = sample["number"] - first_drawn if "number" in sample else order[at]
        want = wanted[at]
        place = "sample %d" % at
        mask = np.asarray(Image.open(want["path"] + ".mask.png")) // 255
        assert sample["mask"].shape == mask.shape, (place, sample["mask"].shape, mask.shape)
        assert (sample["mask"] == mask).all(), (place, "mask", int((sample["mask"] != mask).sum()))
        if "says" in sample:
            assert sample["says"](want["text"]), (place, sample["said"], want["text"])
        else:
            assert sample["said"] == sample["say"](want["text"]), (place, sample["said"], want["text"])
        if "is_true" in sample:
            assert sample["is_true"] == bool(mask.any()), (place, "true or not")
        image = np.asarray(Image.open(want["path"] + ".png").convert("RGB")).astype(np.float64)
        if sample["image"] is not None:
            worst = float(np.abs(sample["image"] - image).max())
            assert worst < 0.01, (place, "image", worst)
            counts["images"] += 1
        seen.add(at)
        counts["samples"] += 1
        counts["inside"] += int(mask.sum())
        if len(batch) < 8:
            pixels = image if sample["image"] is None else sample["image"]
            batch.append((np.ascontiguousarray(pixels), sample["mask"], want["text"]))
    for at in set(wanted) - seen:
        assert not np.asarray(Image.open(wanted[at]["path"] + ".mask.png")).any(), "sample %d is missing" % at
        counts["left_out"] += 1
    assert counts["samples"] > 0 and counts["inside"] > 0
    return counts, batch


class Small(torch.nn.Module):
    """Stands in for a trainer's model, whose weights are not ours to fetch: words steer what a small network marks."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.EmbeddingBag(4096, 16)
        self.seen = torch.nn.Conv2d(3, 16, 5, stride=4, padding=2)
        self.marked = torch.nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, image, words):
        steered = torch.relu(self.seen(image)) * self.words(words)[:, :, None, None]
        return torch.nn.functional.interpolate(self.marked(steered), size=image.shape[2:])


def train(batch, steps):
    """The loss before, between and after `steps` steps on what was read."""
    torch.manual_seed(0)
    model = Small()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    images = torch.tensor(np.stack([image for image, _, _ in batch]) / 255, dtype=torch.float32).permute(0, 3, 1, 2)
    masks = torch.tensor(np.stack([mask for _, mask, _ in batch]), dtype=torch.float32)[:, None]
    words = torch.tensor(
        [[zlib.crc32(word.encode()) % 4096 for word in (text.split() + [""] * 8)[:8]] for _, _, text in batch]
    )
    losses = []
    for step in range(steps + 1):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(images, words), masks)
        losses.append(loss.item())
        if step < steps:
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert steps == 0 or losses[-1] < losses[0], losses
    return losses


def main():
    name, clone, export, folder, size, steps = sys.argv[1:]
    sys.argv = [name]
    warnings.filterwarnings("ignore")
    wanted = drawn(folder)
    with contextlib.redirect_stdout(sys.stderr):
        counts, batch = compare(readers[name](clone, export, int(size)), wanted)
        losses = train(batch, int(steps))
    print(json.dumps({**counts, "steps": int(steps), "loss": losses}))


main()
