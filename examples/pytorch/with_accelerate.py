"""Accelerate over a Loader, on one process or several (accelerate launch). python with_accelerate.py POOL OUT

The loader deals its batches to the ranks and moves them to their devices itself: it is not prepared, only its state is saved.
"""

import os
import sys

from accelerate import Accelerator
from model import RefModel, segmentation_loss
from torch.optim import AdamW

from nemosaic import Loader


def train(pool: str, out: str, epochs: int = 20, size: int = 128, seed: int = 0) -> None:
    accelerator = Accelerator(project_dir=out)
    device = None if accelerator.device.type == "cpu" else accelerator.device
    model = RefModel(64)
    with Loader(pool, 16, size, seed=seed, preset="nemosaic", epochs=epochs, token_length=20, drop_last=True, device=device) as loader:
        model, optimizer = accelerator.prepare(model, AdamW(model.parameters(), lr=1e-3))
        accelerator.register_for_checkpointing(loader)
        if os.path.isdir(os.path.join(out, "last")):
            accelerator.load_state(os.path.join(out, "last"))
        for epoch in range(loader.epoch, epochs):
            loader.set_epoch(epoch)
            for batch in loader:
                loss = segmentation_loss(model(batch.image, batch.tokens), batch.mask)
                optimizer.zero_grad()
                accelerator.backward(loss)
                optimizer.step()
            accelerator.save_state(os.path.join(out, "last"))
            accelerator.print(f"epoch {epoch}: loss {loss.item():.3f}")


if __name__ == "__main__":
    train(*sys.argv[1:3])
