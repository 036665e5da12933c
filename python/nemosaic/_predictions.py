"""Masks as files, in the form that `nemosaic evaluate` reads."""

import os
import struct
import threading
import zlib
from typing import Any, List, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._errors import NemosaicError


def save_prediction(folder: Union[str, "os.PathLike[str]"], key: str, mask: NDArray[Any]) -> str:
    """Writes a predicted mask [H, W] as <folder>/<key>.png; returns its path.

    `mask` is bool, 0 and 1, 0 and 255, or a probability from 0.0 to 1.0. Anything else (logits, other grey levels) is
    refused: what threshold was meant cannot be known. `key` is the expression's, source/ref/sentence (`batch.key`); probabilities become levels 0 … 255, which the
    evaluator's threshold is applied to. `nemosaic evaluate FOLDER --truth POOL --preset …` scores the folder.
    """
    parts = key.split("/")
    if len(parts) != 3 or any(part in ("", ".", "..") for part in parts):
        raise NemosaicError("usage", f"expected an expression's key source/ref/sentence, got {key!r}")
    path = os.path.join(os.fspath(folder), *parts[:2], f"{parts[2]}.png")
    write_mask(path, mask)
    return path


def write_mask(path: str, mask: NDArray[Any]) -> None:
    """A mask [H, W], as `save_prediction` takes it, as an 8-bit greyscale PNG: complete, or not there at all."""
    levels = levels_of(mask)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.{os.getpid()}-{threading.get_ident()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(grey_png(levels))
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


_rounding = 1e-5


def levels_of(mask: Any) -> NDArray[np.uint8]:
    """The grey levels of a mask: 0 and 255, or round(255 p) for a probability p. Errors: "usage" for what is neither."""
    values = np.asarray(mask)
    if values.ndim != 2:
        raise NemosaicError("usage", f"expected a mask [height, width], got shape {list(values.shape)}")
    if values.dtype.kind not in "buif":
        raise NemosaicError("usage", f"expected a mask of numbers or bool, got {values.dtype}")
    if values.size == 0 or values.dtype.kind == "b":
        return _scaled(values)
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise NemosaicError("usage", "expected probabilities from 0.0 to 1.0 in a mask, got some that are not finite")
    if values.dtype.kind == "f" and low >= -_rounding and high <= 1 + _rounding:
        levels: NDArray[np.uint8] = np.clip(np.rint(values.astype(np.float64) * 255), 0, 255).astype(np.uint8)
        return levels
    one = 255 if high == 255 else 1
    if np.isin(values, (0, one)).all():
        return _scaled(values != 0)
    if values.dtype.kind == "f":
        advice = "logits want a sigmoid first, probabilities that an interpolation made larger or smaller np.clip(p, 0, 1)"
    else:
        advice = "divide grey levels by 255.0, which makes probabilities of them; a map of labels wants mask == label"
    raise NemosaicError(
        "usage", f"expected a mask of 0 and 1, of 0 and 255, or probabilities from 0.0 to 1.0, got values from {low} to {high}: {advice}"
    )


def _scaled(mask: NDArray[Any]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = mask.astype(np.uint8) * np.uint8(255)
    return levels


def grey_png(pixels: NDArray[Any]) -> bytes:
    """An 8-bit greyscale PNG of uint8 [H, W]."""
    return _png(pixels[:, :, None], 0)


def colour_png(pixels: NDArray[Any]) -> bytes:
    """An 8-bit RGB PNG of uint8 [H, W, 3]."""
    return _png(pixels, 2)


def _png(pixels: NDArray[Any], colour_type: int) -> bytes:
    height, width, channels = pixels.shape
    rows = np.zeros((height, width * channels + 1), dtype=np.uint8)  # each row begins with its filter: 0 = none
    rows[:, 1:] = pixels.reshape(height, width * channels)
    chunks: List[Tuple[bytes, bytes]] = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes())),
        (b"IEND", b""),
    ]
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)
