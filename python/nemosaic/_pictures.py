"""Samples as a page shows them: mosaics small, with their masks marked, as HTML for notebooks."""

import base64
import html
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ._predictions import colour_png

_most = 8
_side = 200
_tint = np.array([255, 32, 64], dtype=np.float32)


def as_numpy(array: Any) -> NDArray[Any]:
    """A tensor on any device, or an array, as an array."""
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    return np.asarray(array)


def pixels_of(image: Any, constants: Optional[Dict[str, Sequence[float]]]) -> NDArray[np.uint8]:
    """uint8 [S, S, 3] of an image [3, S, S] as batches hold it: bytes, or floats that were normalised by `constants`."""
    planes = as_numpy(image)
    if planes.dtype == np.uint8:
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    values = planes.transpose(1, 2, 0).astype(np.float32)
    if constants is not None:
        values = values * np.asarray(constants["std"], np.float32) + np.asarray(constants["mean"], np.float32)
    pixels: NDArray[np.uint8] = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    return pixels


def marked(pixels: NDArray[np.uint8], mask: Any) -> NDArray[np.uint8]:
    """The picture with the masked pixels tinted and their outline drawn."""
    inside = as_numpy(mask) > 0
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    shown = pixels.astype(np.float32)
    shown[inside] = 0.55 * shown[inside] + 0.45 * _tint
    shown[inside & ~core] = _tint
    return shown.astype(np.uint8)


def gallery(
    title: str, images: Any, masks: Any, texts: Sequence[str], constants: Optional[Dict[str, Sequence[float]]]
) -> str:
    """HTML of the first samples of a batch under one line of title."""
    figures: List[str] = []
    for image, mask, text in list(zip(images, masks, texts))[:_most]:
        picture = marked(pixels_of(image, constants), mask)
        step = max(1, picture.shape[0] // _side)
        data = base64.b64encode(colour_png(np.ascontiguousarray(picture[::step, ::step]))).decode("ascii")
        words = html.escape(text)
        figures.append(
            f'<figure style="margin:0;width:{_side}px"><img alt="{words}" width="{_side}" src="data:image/png;base64,{data}">'
            f'<figcaption style="font-size:12px">{words}</figcaption></figure>'
        )
    more = len(texts) - len(figures)
    rest = f"<div>and {more} more</div>" if more > 0 else ""
    return (
        f"<div><div>{html.escape(title)}</div>"
        f'<div style="display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start">{"".join(figures)}</div>{rest}</div>'
    )


def shape_of(name: str, array: Any) -> str:
    """ "image float32 [16, 3, 416, 416]" """
    return f"{name} {str(array.dtype).replace('torch.', '')} {list(array.shape)}"


def short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
