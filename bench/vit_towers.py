"""An image-text model in the shape of CLIP ViT-B/16, with random weights, for the benchmark of embedding.

    python bench/vit_towers.py FOLDER LAYERS WIDTH IMAGE_SIZE

Writes onnx/vision_model.onnx: patches of 16 pixels, a class token, blocks of attention with heads of 64 and of QuickGELU,
512 numbers an image. 12 layers of width 768 at 224 pixels are ViT-B/16. The text tower beside it is the least that goes with
it: the mean of its tokens' vectors.
"""

import sys
from pathlib import Path

import torch
from torch import nn

PATCH, HEAD, DIMENSION, VOCABULARY = 16, 64, 512, 1000


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count, length, width = x.shape

        def heads(values: torch.Tensor) -> torch.Tensor:
            return values.view(count, length, width // HEAD, HEAD).transpose(1, 2)

        y = self.norms[0](x)
        query, key, value = heads(self.query(y) * HEAD**-0.5), heads(self.key(y)), heads(self.value(y))
        seen = torch.softmax(query @ key.transpose(2, 3), -1) @ value
        x = x + self.out(seen.transpose(1, 2).reshape(count, length, width))
        y = self.widen(self.norms[1](x))
        return x + self.narrow(y * torch.sigmoid(1.702 * y))


class VisionTower(nn.Module):
    def __init__(self, layers: int, width: int, size: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, PATCH, PATCH, bias=False)
        self.first = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, (size // PATCH) ** 2 + 1, width) * 0.02)
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(layers)))
        self.project = nn.Linear(width, DIMENSION, bias=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(pixels.shape[0], -1, -1), patches], 1) + self.positions
        return self.project(self.after(self.blocks(self.before(x))[:, 0]))


class TextTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, DIMENSION)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen = mask.to(torch.float32).unsqueeze(2)
        return (self.words(ids) * seen).sum(1) / seen.sum(1)


def export(tower: nn.Module, inputs: dict[str, torch.Tensor], axes: list[str], output: str, path: Path) -> None:
    free = {name: dict(enumerate(axes)) for name in inputs} | {output: {0: axes[0]}}
    torch.onnx.export(
        tower.eval(),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=[output],
        dynamic_axes=free,
        opset_version=13,
    )


def main(folder: str, layers: int, width: int, size: int) -> None:
    torch.manual_seed(0)
    onnx = Path(folder, "onnx")
    onnx.mkdir(parents=True)
    pixels = {"pixel_values": torch.zeros(2, 3, size, size)}
    export(VisionTower(layers, width, size), pixels, ["images"], "image_embeds", onnx / "vision_model.onnx")
    texts = {name: torch.ones(2, 8, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    export(TextTower(), texts, ["texts", "length"], "text_embeds", onnx / "text_model.onnx")


main(sys.argv[1], *map(int, sys.argv[2:5]))
