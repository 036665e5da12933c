"""A small referring-segmentation model: a convolutional image tower, a recurrent text tower, fusion by attention.

It is the usual design in miniature (visual features that attend to words, and to each other, before a decoder), small
enough to train on one CPU core in minutes. Position and relation words need to know where things are, so the image
tower sees coordinates, and pixels of the coarsest map see each other.
"""

import math
from typing import Optional

import torch
from torch import nn
from torch.nn import functional as F


class RefModel(nn.Module):
    """forward(image float32 [B, 3, S, S], tokens int64 [B, L]) → logits [B, S, S].

    S is a multiple of 16, `width` one of 32. Tokens are CLIP's, padded with 0. `image` takes the place of the small image
    tower: maps at strides 4, 8 and 16, whose channels it names.
    """

    def __init__(self, width: int = 128, words: int = 4096, image: Optional[nn.Module] = None) -> None:
        super().__init__()
        quarter, inner = width // 4, 3 * width // 4
        self.image = ImageTower(width) if image is None else image
        channels = self.image.channels
        self.text = TextTower(inner, words)
        self.enter = nn.Conv2d(channels[2], inner, 1)
        self.blocks = nn.ModuleList(FusionBlock(inner) for _ in range(2))
        self.films = nn.ModuleList(nn.Linear(inner, 2 * count) for count in channels)
        self.lateral = nn.ModuleList(nn.Conv2d(count, quarter, 1) for count in channels[:2])
        self.leave = nn.Conv2d(inner, quarter, 1)
        self.smooth = nn.ModuleList(conv_block(quarter, quarter, 1) for _ in range(2))
        self.head = nn.Conv2d(quarter, 1, 1)

    def forward(self, image: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        words, used, sentence = self.text(tokens)
        maps = self.image(image)
        fine, middle, coarse = (modulated(x, film(sentence)) for x, film in zip(maps, self.films))
        coarse = self.enter(coarse)
        batch, inner, height, length = coarse.shape
        pixels = coarse.flatten(2).transpose(1, 2) + position_code(height, length, inner, coarse)
        for block in self.blocks:
            pixels = block(pixels, words, used)
        x = self.leave(pixels.transpose(1, 2).reshape(batch, inner, height, length))
        for skip, lateral, smooth in zip((middle, fine), (self.lateral[1], self.lateral[0]), self.smooth):
            x = smooth(F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False) + lateral(skip))
        logits = self.head(x)
        return F.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=False).squeeze(1)


class ImageTower(nn.Module):
    """Maps at strides 4, 8 and 16, of width/4, width/2 and width channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.channels = (quarter, half, width)
        # Squares of 2 x 2 pixels become channels first: convolutions with few channels are slow on CPUs.
        self.fine = nn.Sequential(conv_block(14, quarter, 2), conv_block(quarter, quarter, 1))
        self.middle = nn.Sequential(conv_block(quarter, half, 2), conv_block(half, half, 1))
        self.coarse = nn.Sequential(conv_block(half, width, 2), conv_block(width, width, 1))

    def forward(self, image: torch.Tensor) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        squares = F.pixel_unshuffle(image, 2)
        batch, _, height, length = squares.shape
        y = torch.linspace(-1, 1, height, device=image.device).view(1, 1, height, 1).expand(batch, 1, height, length)
        x = torch.linspace(-1, 1, length, device=image.device).view(1, 1, 1, length).expand(batch, 1, height, length)
        fine = self.fine(torch.cat([squares, x, y], dim=1))
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


def modulated(x: torch.Tensor, film: torch.Tensor) -> torch.Tensor:
    """[B, C, H, W] scaled and shifted by channel, as the sentence says: `film` is [B, 2 C]."""
    scale, shift = film.unsqueeze(-1).unsqueeze(-1).chunk(2, dim=1)
    return x * (1 + scale) + shift


class TextTower(nn.Module):
    """Words [B, L, width], which of them are used [B, L], and the sentence [B, width].

    Of CLIP's 49,408 tokens a dataset uses a few hundred: each gets one of `words` rows when training first meets it.
    Tokens that training never met share one row.
    """

    unknown = 1

    def __init__(self, width: int, words: int, vocabulary: int = 49408) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.register_buffer("row_of", torch.full((vocabulary,), self.unknown))
        self.register_buffer("rows", torch.tensor(2))
        self.row_of[0] = 0
        self.recurrent = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        used = tokens != 0
        # No step for columns that are padding in the whole batch.
        length = max(1, int(used.sum(1).max()))
        tokens, used = tokens[:, :length], used[:, :length]
        if self.training:
            self.learn_words(tokens)
        words, _ = self.recurrent(self.embedding(self.row_of[tokens]))
        words = self.norm(words)
        weight = used.unsqueeze(-1).to(words.dtype)
        return words, used, (words * weight).sum(1) / weight.sum(1).clamp(min=1)

    def learn_words(self, tokens: torch.Tensor) -> None:
        new = tokens[self.row_of[tokens] == self.unknown].unique()
        room = self.embedding.num_embeddings - int(self.rows)
        new = new[:room]
        self.row_of[new] = self.rows + torch.arange(len(new), device=new.device)
        self.rows += len(new)


class FusionBlock(nn.Module):
    """Pixels attend to words, then to each other, then think for themselves."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.words = nn.MultiheadAttention(width, heads, batch_first=True)
        self.others = nn.MultiheadAttention(width, heads, batch_first=True)
        self.think = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, pixels: torch.Tensor, words: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
        x = self.norms[0](pixels)
        pixels = pixels + self.words(x, words, words, key_padding_mask=~used, need_weights=False)[0]
        x = self.norms[1](pixels)
        pixels = pixels + self.others(x, x, x, need_weights=False)[0]
        return pixels + self.think(self.norms[2](pixels))


def conv_block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.GroupNorm(8, outputs), nn.ReLU(inplace=True)
    )


def position_code(height: int, length: int, width: int, like: torch.Tensor) -> torch.Tensor:
    """Sines and cosines of row and column, [1, height · length, width]."""
    quarter = width // 4
    rates = torch.exp(torch.arange(quarter, device=like.device, dtype=like.dtype) * (-math.log(100.0) / quarter))
    rows = torch.linspace(0, math.pi * 2, height, device=like.device, dtype=like.dtype)[:, None] * rates
    columns = torch.linspace(0, math.pi * 2, length, device=like.device, dtype=like.dtype)[:, None] * rates
    rows = torch.cat([rows.sin(), rows.cos()], -1)[:, None, :].expand(height, length, 2 * quarter)
    columns = torch.cat([columns.sin(), columns.cos()], -1)[None, :, :].expand(height, length, 2 * quarter)
    return torch.cat([rows, columns], -1).reshape(1, height * length, 4 * quarter)


def segmentation_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus dice, means over the batch. `mask` is float 0 and 1, [B, S, S]."""
    crossed = F.binary_cross_entropy_with_logits(logits, mask)
    share = torch.sigmoid(logits).flatten(1)
    truth = mask.flatten(1)
    dice = 1 - (2 * (share * truth).sum(1) + 1) / (share.sum(1) + truth.sum(1) + 1)
    return crossed + dice.mean()
