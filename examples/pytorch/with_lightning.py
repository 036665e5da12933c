"""Lightning over a Loader: epochs, validation, checkpoints that hold the loader's place. python with_lightning.py POOL

Lightning 2.2 and newer save a loader's state with the model's and tell it the epoch; nothing has to be called.
"""

import sys
from typing import Any

import lightning
import torch
from model import RefModel, segmentation_loss

from nemosaic import Loader


class Segmenter(lightning.LightningModule):
    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.model = RefModel(width)

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        return segmentation_loss(self.model(batch.image, batch.tokens), batch.mask)

    def validation_step(self, batch: Any, index: int) -> None:
        loss = segmentation_loss(self.model(batch.image, batch.tokens), batch.mask)
        self.log("val_loss", loss, batch_size=len(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def train(pool: str, epochs: int = 20, size: int = 128, seed: int = 0, **options: Any) -> None:
    with Loader(pool, 16, size, seed=seed, preset="nemosaic", epochs=epochs, token_length=20, drop_last=True) as loader:
        with Loader(pool, 16, size, split="val", token_length=20) as val:
            lightning.Trainer(max_epochs=epochs, **options).fit(Segmenter(), loader, val)


if __name__ == "__main__":
    train(sys.argv[1])
