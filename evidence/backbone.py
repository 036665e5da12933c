"""Pretrains the image tower of examples/pytorch/model.py to name classes and colours, on scenes apart from all others.

    python evidence/backbone.py POOL SCENES --out backbone.pt

Referring segmentation is trained on towers that know objects already (ImageNet's, CLIP's). So is ours: the tower learns
which class and which colours lie at each place, from all objects of the scenes, half of the time at quarter size, as towers
for photographs learn objects at every scale. All arms of the experiment start from this one file.
"""

import argparse
import json
import os
import sys
import time
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "pytorch"))
from model import ImageTower  # noqa: E402

from nemosaic import Loader  # noqa: E402

# Scenes number refs as 16 * image + 0, 1, … and annotations as 16 * image + object (docs/scenes.md).
IDS_AN_IMAGE = 16


class Namer(nn.Module):
    """Logits of class (0: nothing) and colours at stride 4, summed over the tower's three maps."""

    def __init__(self, tower: ImageTower, width: int, outputs: int) -> None:
        super().__init__()
        self.tower = tower
        self.heads = nn.ModuleList(nn.Conv2d(channels, outputs, 1) for channels in (width // 4, width // 2, width))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        maps = self.tower(image)
        logits = self.heads[0](maps[0])
        for x, head in zip(maps[1:], self.heads[1:]):
            logits = logits + F.interpolate(head(x), size=logits.shape[-2:], mode="bilinear", align_corners=False)
        return logits


def read_scenes(folder: str) -> Tuple[List[str], List[str], Dict[int, List[Tuple[str, List[str], Any]]]]:
    """Class names, colour words, and by image id each object's class, colours and run lengths."""
    with open(os.path.join(folder, "refer", "scenes", "instances.json"), encoding="utf-8") as file:
        runs = {annotation["id"]: annotation["segmentation"] for annotation in json.load(file)["annotations"]}
    images = {}
    with open(os.path.join(folder, "scenes.jsonl"), encoding="utf-8") as file:
        for line in map(json.loads, file):
            first = IDS_AN_IMAGE * line["image_id"]
            images[line["image_id"]] = [
                (thing["className"], thing["colours"], runs[first + thing["id"]])
                for thing in line["scene"]["objects"]
                if first + thing["id"] in runs
            ]
    things = [thing for image in images.values() for thing in image]
    return sorted({name for name, _, _ in things}), sorted({word for _, words, _ in things for word in words}), images


def decoded(segmentation: Any) -> np.ndarray:
    """COCO's compressed run lengths to bool [H, W]: five bits a character, differences to the count before last."""
    counts: List[int] = []
    value = shift = 0
    for character in segmentation["counts"].encode("ascii"):
        bits = character - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    height, width = segmentation["size"]
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(width, height).T


def labels_of(things: List[Any], classes: Dict[str, int], colours: Dict[str, int], side: int) -> Tuple[np.ndarray, np.ndarray]:
    """uint8 [side, side]: class + 1 or 0; int16 [side, side]: a bit a colour. Sampled at the middle of each place."""
    named, painted = np.zeros((side, side), np.uint8), np.zeros((side, side), np.int16)
    for name, words, segmentation in things:
        mask = decoded(segmentation)
        rows = ((np.arange(side) + 0.5) * mask.shape[0] / side).astype(int)
        columns = ((np.arange(side) + 0.5) * mask.shape[1] / side).astype(int)
        there = mask[np.ix_(rows, columns)]
        named[there] = classes[name] + 1
        painted[there] = sum(1 << colours[word] for word in words)
    return named, painted


def read_images(pool: str, size: int, wanted: int) -> Iterator[Tuple[int, np.ndarray]]:
    """(image id, uint8 [3, size, size]), each image once, in the pool's own order."""
    seen = set()
    with Loader(pool, batch_size=32, size=size, split="train", preset="none", dtype="uint8", framework="numpy", shuffle=False) as loader:
        for batch in loader:
            for ref, image in zip(batch.ref, batch.image):
                number = int(ref.rsplit("/", 1)[1]) // IDS_AN_IMAGE
                if number not in seen and len(seen) < wanted:
                    seen.add(number)
                    yield number, np.array(image)


def normalised(images: np.ndarray) -> torch.Tensor:
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)
    return (torch.from_numpy(images).float() / 255 - mean) / deviation


def mosaic(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """[4 n, …, s, s] in the order given to [n, …, 2 s, 2 s]."""
    a, b, c, d = (values[order[at::4]] for at in range(4))
    return np.concatenate([np.concatenate([a, b], -1), np.concatenate([c, d], -1)], -2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pool")
    parser.add_argument("scenes", help="the folder that `nemosaic scenes` wrote")
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--images", type=int, default=1_000_000, help="use only that many")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--save-every", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    class_names, colour_names, scenes = read_scenes(args.scenes)
    classes = {name: at for at, name in enumerate(class_names)}
    colours = {word: at for at, word in enumerate(colour_names)}
    full, labels, paints, small, small_labels, small_paints = ([] for _ in range(6))
    for number, image in read_images(args.pool, args.size, args.images):
        full.append(image)
        named, painted = labels_of(scenes[number], classes, colours, args.size // 4)
        labels.append(named)
        paints.append(painted)
        named, painted = labels_of(scenes[number], classes, colours, args.size // 8)
        small_labels.append(named)
        small_paints.append(painted)
    for _, image in read_images(args.pool, args.size // 2, args.images):
        small.append(image)
    data = [np.stack(values) for values in (full, labels, paints, small, small_labels, small_paints)]
    tower = ImageTower(args.width)
    namer = Namer(tower, args.width, 1 + len(classes) + len(colours)).to(args.device)
    optimizer = torch.optim.AdamW(namer.parameters(), lr=args.learning_rate, weight_decay=0.01)
    checkpoint, step, seconds = args.out + ".part", 0, 0.0
    if os.path.exists(checkpoint):
        state = torch.load(checkpoint, map_location=args.device, weights_only=False)  # written below
        namer.load_state_dict(state["namer"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]
    began = time.monotonic()
    while step < args.steps:
        rng = np.random.default_rng([7, step])  # each step's batch is a function of its number: resuming repeats none
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * min(1, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * step / args.steps))
        count = args.batch_size // 2
        at = rng.choice(len(data[0]), count, replace=len(data[0]) < count)
        four = rng.choice(len(data[0]), 4 * count, replace=len(data[0]) < 4 * count)
        batch, named, painted = (
            np.concatenate([data[which][at], mosaic(data[which + 3], four)]) for which in range(3)
        )
        logits = namer(normalised(batch).to(args.device))
        target = torch.from_numpy(named.astype(np.int64)).to(args.device)
        bits = torch.from_numpy((painted[:, None] >> np.arange(len(colours))[None, :, None, None] & 1).astype(np.float32)).to(args.device)
        weight = torch.ones(1 + len(classes), device=args.device)
        weight[0] = 0.1
        class_logits = logits[:, : 1 + len(classes)]
        named_loss = F.cross_entropy(class_logits, target, weight=weight)
        inside = (target > 0).unsqueeze(1).float()
        colour_loss = (F.binary_cross_entropy_with_logits(logits[:, 1 + len(classes) :], bits, reduction="none") * inside).sum() / (inside.sum() * len(colours) + 1)
        optimizer.zero_grad(set_to_none=True)
        (named_loss + 2 * colour_loss).backward()
        torch.nn.utils.clip_grad_norm_(namer.parameters(), 1.0)
        optimizer.step()
        step += 1
        spent = seconds + time.monotonic() - began
        if step % 50 == 0 or step == args.steps:
            right = (class_logits.argmax(1) == target).float()[target > 0].mean().item()
            print(json.dumps({"step": step, "loss": round(named_loss.item(), 3), "colour": round(colour_loss.item(), 3), "right": round(right, 3), "seconds": round(spent, 1)}), flush=True)
        if step % args.save_every == 0 or step == args.steps:
            write(checkpoint, {"namer": namer.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": spent})
    write(args.out, {"width": args.width, "steps": args.steps, "tower": tower.state_dict()})


def write(path: str, value: Any) -> None:
    torch.save(value, path + ".tmp")
    os.replace(path + ".tmp", path)


if __name__ == "__main__":
    main()
