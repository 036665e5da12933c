"""Scores of a model on the sentences of a split, at each image's own size; masks for nemosaic's evaluator."""

import os
from typing import Any, Dict, Optional

import numpy as np
import torch
from torch.nn import functional as F

from nemosaic import Loader, save_prediction

THRESHOLD = 0.5


@torch.no_grad()
def evaluate(
    model: torch.nn.Module,
    pool: str,
    split: str,
    *,
    batch_size: int = 32,
    device: str = "cpu",
    predictions: Optional[str] = None,
    limit: Optional[int] = None,
    **loader_options: Any,
) -> Dict[str, Any]:
    """{"split", "sentences", "mIoU", "oIoU", "P@0.5"}: means over sentences, and over all pixels together.

    `predictions` is a folder that masks are written to, <source>/<ref>/<sentence>.png, for `nemosaic evaluate`; `limit`
    stops after that many sentences. The other arguments go to Loader.
    """
    was_training = model.training
    model.eval()
    ious = []
    intersections = unions = 0
    with Loader(pool, batch_size=batch_size, split=split, **loader_options) as loader:
        for batch in loader:
            logits = model(batch.image.to(device), batch.tokens.to(device))
            for at, truth in enumerate(batch.truth):
                sized = F.interpolate(logits[at][None, None], size=truth.shape, mode="bilinear", align_corners=False)
                mask = (torch.sigmoid(sized[0, 0]) > THRESHOLD).cpu().numpy()
                intersection = int(np.logical_and(mask, truth).sum())
                union = int(np.logical_or(mask, truth).sum())
                # An empty truth that is left empty is right.
                ious.append(1.0 if union == 0 else intersection / union)
                intersections += intersection
                unions += union
                if predictions is not None:
                    save_prediction(predictions, batch.key[at], mask)
            if limit is not None and len(ious) >= limit:
                break
    model.train(was_training)
    values = np.asarray(ious)
    return {
        "split": split,
        "sentences": len(ious),
        "mIoU": round(100 * float(values.mean()), 2),
        "oIoU": round(100 * intersections / max(1, unions), 2),
        "P@0.5": round(100 * float((values > 0.5).mean()), 2),
    }


def prediction_folder(out: str, split: str) -> str:
    return os.path.join(out, "predictions", split)
