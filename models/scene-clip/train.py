"""Trains scene-clip, a two-tower image-text model in CLIP's shape, and exports it to ONNX in the hub's layout.

    python models/scene-clip/train.py train PREPARED NAME... --epochs 24 --run RUN
    python models/scene-clip/train.py export --run RUN

PREPARED is the folder that prepare.mjs wrote, NAME... the scenes' folders in the order that its step `epochs` got. RUN keeps
checkpoint.pt (every two minutes and at each epoch's end) and log.jsonl; the same command goes on from there. A GPU is used where
there is one. Two cores are used best by two processes that average their gradients: set WORLD_SIZE=2 and RANK=0 or 1, MASTER_ADDR
and MASTER_PORT. Needs PyTorch 1.13 or newer, NumPy and, for the export, onnx.

Loss, for a batch of 64 images and 128 texts of which it is known exactly which holds where (2 true, 1 in doubt, 0 false):
CLIP's softmax in both directions with several positives a row; a sigmoid on each pair, so that one threshold means the same
for every text; and, in training only, the class and the colours at each place of the vision tower's grid and in the whole
picture. Pairs in doubt count nowhere.
"""

import argparse
import json
import math
import os
import pathlib
import time

import numpy as np
import torch
from torch import distributed, nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
IMAGES, TEXTS = 64, 128
CLASSES, COLOURS = 122, 11
DIMENSION = 256
GRID = (12, 16)


def conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    padding = 0 if size == stride else size // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Bottleneck(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.body = nn.Sequential(
            conv(width, inner, 1),
            conv(inner, inner, 3),
            nn.Conv2d(inner, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.body(x))


class Vision(nn.Module):
    """[n, 3, 96, 128] in -1 .. 1 to [n, 256], by what is seen at the places of a 12 x 16 grid.

    Each of 320 features is reduced by its maximum over the picture and over its halves, and by its mean.
    """

    def __init__(self, width: int = 128, inner: int = 64, blocks: int = 3, seen: int = 320):
        super().__init__()
        self.grid = nn.Sequential(
            conv(3, 48, 4, 4), conv(48, width, 3, 2), *[Bottleneck(width, inner) for _ in range(blocks)]
        )
        self.seen = conv(width, seen, 1)
        self.at_place = nn.Conv2d(width, CLASSES + 1 + COLOURS, 1)
        self.hidden = nn.Sequential(nn.Linear(6 * seen, 384), nn.ReLU(inplace=True))
        self.out = nn.Linear(384, DIMENSION)

    def pooled(self, grid: torch.Tensor) -> torch.Tensor:
        seen = self.seen(grid)
        left, right = seen[:, :, :, :8].amax((2, 3)), seen[:, :, :, 8:].amax((2, 3))
        top, bottom = seen[:, :, :6].amax((2, 3)), seen[:, :, 6:].amax((2, 3))
        return torch.cat([torch.maximum(left, right), left, right, top, bottom, seen.mean((2, 3))], 1)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.out(self.hidden(self.pooled(self.grid(pixel_values))))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 3 * width), nn.ReLU(), nn.Linear(3 * width, width))

    def forward(self, x: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        n, length, width = x.shape
        q, k, v = self.qkv(self.before(x)).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(2, 3) / math.sqrt(width // self.heads) + hidden
        mixed = (scores.softmax(3) @ v).transpose(1, 2).reshape(n, length, width)
        x = x + self.join(mixed)
        return x + self.feed(self.between(x))


class Text(nn.Module):
    """[n, length] ids and mask to [n, 256]: a transformer, read at [CLS] and as the mean over the words."""

    def __init__(self, vocabulary: int, width: int = 128, heads: int = 4, layers: int = 2, positions: int = 32):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.places = nn.Parameter(0.02 * torch.randn(positions, width))
        nn.init.normal_(self.words.weight, std=0.3)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(2 * width, DIMENSION)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        x = self.words(input_ids) + self.places[: input_ids.shape[1]]
        there = attention_mask.to(x.dtype)
        hidden = (1 - there)[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, hidden)
        x = self.norm(x)
        mean = (x * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
        return self.out(torch.cat([x[:, 0], mean], 1))


class Towers(nn.Module):
    def __init__(self, vocabulary: int):
        super().__init__()
        self.vision, self.text = Vision(), Text(vocabulary)
        self.in_picture = nn.Linear(384, CLASSES)
        self.scale, self.slope, self.bias = (nn.Parameter(torch.tensor(v)) for v in (2.7, 2.7, -7.0))


class Prepared:
    """The arrays of several folders, rows counted through."""

    def __init__(self, folder: pathlib.Path, names: list[str]):
        def load(what: str, mode: str = "r") -> list[np.ndarray]:
            return [np.load(folder / f"{name}.{what}.npy", mmap_mode=mode) for name in names]

        self.folder = folder
        self.images = np.concatenate(load("images"))
        self.objects = np.concatenate(load("objects"))
        self.tokens = np.concatenate(load("tokens"))

    def epoch(self, number: int) -> np.ndarray:
        return np.load(self.folder / f"epoch-{number}.npy", mmap_mode="r")

    def batch(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        row = np.asarray(row)
        images, texts = row[:IMAGES], row[IMAGES : IMAGES + TEXTS]
        truth = row[IMAGES + TEXTS :].view(np.uint8).reshape(TEXTS, IMAGES)
        tokens = self.tokens[texts]
        tokens = tokens[:, : (tokens != 0).any(0).sum()]
        return self.images[images], self.objects[images], tokens, truth.copy()


def places(objects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What stands at each place of the grid: class (CLASSES: ground, -1: not counted) and bits of its colours."""
    rows, columns = GRID
    classes = np.full((len(objects), rows, columns), CLASSES, np.int64)
    colours = np.zeros((len(objects), rows, columns), np.int64)
    for i, scene in enumerate(objects):
        for cls, x, y, w, h, bits in scene:
            if cls < 0:
                break
            for share, value in ((1.0, -1), (0.56, cls)):
                left, right = (x + w * (1 - share) / 2) / 40, (x + w * (1 + share) / 2) / 40
                top, bottom = (y + h * (1 - share) / 2) / 40, (y + h * (1 + share) / 2) / 40
                a, b = int(round(top)), max(int(round(bottom)), int(round(top)) + 1)
                c, d = int(round(left)), max(int(round(right)), int(round(left)) + 1)
                classes[i, a:b, c:d] = value
            colours[i, a:b, c:d] = bits
    return classes, colours


def losses(towers: Towers, images, objects, tokens, truth, device) -> dict[str, torch.Tensor]:
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    gain = 1 + 0.15 * (torch.rand(len(pixels), 3, 1, 1, device=device) - 0.5)
    gain = gain * (1 + 0.2 * (torch.rand(len(pixels), 1, 1, 1, device=device) - 0.5))
    pixels = (pixels + 1) * gain - 1
    ids = torch.from_numpy(tokens).to(device).long()
    truth = torch.from_numpy(truth).to(device)
    vision = towers.vision
    # Half the time on processors with bfloat16; what is compared and summed stays float32.
    with torch.autocast(device, dtype=torch.bfloat16):
        grid = vision.grid(pixels)
        pooled = vision.pooled(grid)
        at_place = vision.at_place(grid).float()
    hidden = vision.hidden(pooled.float())
    image = F.normalize(vision.out(hidden), dim=1)
    text = F.normalize(towers.text(ids, (ids != 0).long()), dim=1)
    cosine = text @ image.t()

    true, counts = truth == 2, truth != 1
    logits = cosine * towers.scale.exp().clamp(max=100) + torch.where(counts, 0.0, -1e4)
    def several(rows: torch.Tensor, positive: torch.Tensor) -> torch.Tensor:
        number = positive.sum(1)
        each = -(rows.log_softmax(1) * positive).sum(1) / number.clamp(min=1)
        return each[number > 0].mean()

    pairs = cosine * towers.slope.exp().clamp(max=100) + towers.bias
    apart = F.binary_cross_entropy_with_logits(pairs, true.float(), reduction="none") * counts
    classes, colours = (torch.from_numpy(part).to(device) for part in places(objects))
    named = F.cross_entropy(at_place[:, : CLASSES + 1], classes, reduction="none", ignore_index=-1)
    weight = torch.where(classes == CLASSES, 0.1, 1.0)
    is_thing = (classes >= 0) & (classes < CLASSES)
    bits = (colours[:, None] >> torch.arange(COLOURS, device=device)[:, None, None]) & 1
    coloured = F.binary_cross_entropy_with_logits(at_place[:, CLASSES + 1 :], bits.float(), reduction="none").sum(1)
    present = torch.zeros(len(images), CLASSES + 1, device=device)
    things = torch.from_numpy(objects[:, :, 0]).to(device).long()
    present.scatter_(1, torch.where(things < 0, CLASSES, things), 1.0)
    there = F.binary_cross_entropy_with_logits(towers.in_picture(hidden), present[:, :CLASSES], reduction="none").sum(1)
    return {
        "text": several(logits, true),
        "image": several(logits.t(), true.t()),
        "pairs": apart.sum() / TEXTS,
        "class": (named * weight).sum() / weight[classes >= 0].sum(),
        "colour": (coloured * is_thing).sum() / is_thing.sum(),
        "there": there.mean(),
    }


WEIGHTS = {"text": 1.0, "image": 0.5, "pairs": 0.3, "class": 1.0, "colour": 0.3, "there": 0.1}


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1:
        distributed.init_process_group("gloo")
        torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = Prepared(args.prepared, args.names)
    towers = Towers(vocabulary()).to(device, memory_format=torch.channels_last)
    decayed = [p for p in towers.parameters() if p.dim() > 1]
    others = [p for p in towers.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}], lr=args.rate, betas=(0.9, 0.98)
    )
    steps = len(data.epoch(0)) // world
    total = steps * args.epochs
    args.run.mkdir(parents=True, exist_ok=True)
    saved = args.run / "checkpoint.pt"
    step, spent = 0, 0.0
    if saved.exists():
        state = torch.load(saved, map_location=device)
        towers.load_state_dict(state["towers"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["seconds"]
    started = kept = time.monotonic()

    def keep() -> None:
        if rank > 0:
            return
        seconds = spent + time.monotonic() - started
        state = {"towers": towers.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "seconds": seconds}
        torch.save(state, f"{saved}.new")
        os.replace(f"{saved}.new", saved)

    if world > 1:
        for value in towers.state_dict().values():
            distributed.broadcast(value, 0)
    torch.manual_seed(args.seed + 1000 * rank + step)
    towers.train()
    sums: dict[str, float] = {}
    counted = 0
    while step < total:
        epoch, place = divmod(step, steps)
        rate = args.rate * min(1.0, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / total)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        parts = losses(towers, *data.batch(data.epoch(epoch)[place * world + rank]), device)
        loss = sum(WEIGHTS[name] * value for name, value in parts.items())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if world > 1:
            share(towers, world)
        nn.utils.clip_grad_norm_(towers.parameters(), 5.0)
        optimiser.step()
        step += 1
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value.item()
        counted += 1
        if rank == 0 and (step % steps == 0 or counted == 20):
            means = {name: round(value / counted, 4) for name, value in sums.items()}
            seconds = round(spent + time.monotonic() - started)
            line = json.dumps({"epoch": round(step / steps, 2), "step": step, "of": total, "seconds": seconds, "rate": round(rate, 6), **means})
            print(line, flush=True)
            with open(args.run / "log.jsonl", "a") as log:
                log.write(f"{line}\n")
            sums, counted = {}, 0
        if step % steps == 0 or time.monotonic() - kept > 120:
            keep()
            kept = time.monotonic()
    keep()


def share(towers: Towers, world: int) -> None:
    """Averages the gradients of all processes: each has drawn its own batch."""
    gradients = [p.grad for p in towers.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(flat)
    flat /= world
    at = 0
    for g in gradients:
        g.copy_(flat[at : at + g.numel()].view_as(g))
        at += g.numel()


def vocabulary() -> int:
    return len(json.loads((HERE / "tokenizer.json").read_text())["model"]["vocab"])


def export(args: argparse.Namespace) -> None:
    towers = Towers(vocabulary())
    towers.load_state_dict(torch.load(args.run / "checkpoint.pt", map_location="cpu")["towers"])
    towers.eval()
    out = args.out / "onnx"
    out.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        towers.vision,
        (torch.zeros(2, 3, 96, 128),),
        str(out / "vision_model.onnx"),
        input_names=["pixel_values"],
        output_names=["image_embeds"],
        dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}},
        opset_version=14,
    )
    ids = torch.ones(2, 8, dtype=torch.long)
    free = {0: "batch", 1: "length"}
    torch.onnx.export(
        towers.text,
        (ids, ids),
        str(out / "text_model.onnx"),
        input_names=["input_ids", "attention_mask"],
        output_names=["text_embeds"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "text_embeds": {0: "batch"}},
        opset_version=14,
    )
    for path in sorted(out.iterdir()):
        print(path.name, path.stat().st_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    one = steps.add_parser("train")
    one.add_argument("prepared", type=pathlib.Path)
    one.add_argument("names", nargs="+")
    one.add_argument("--epochs", type=int, default=24)
    one.add_argument("--rate", type=float, default=2e-3)
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--run", type=pathlib.Path, required=True)
    other = steps.add_parser("export")
    other.add_argument("--run", type=pathlib.Path, required=True)
    other.add_argument("--out", type=pathlib.Path, default=HERE)
    args = parser.parse_args()
    (train if args.step == "train" else export)(args)


if __name__ == "__main__":
    main()
