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
    """Writes a predicted mask [H, W] (bool, 0 and 1, or a probability 0.0 … 1.0) as <folder>/<key>.png; returns its path.

    `key` is the expression's, source/ref/sentence (`batch.key`); probabilities become levels 0 … 255, which the
    evaluator's threshold is applied to. `nemosaic evaluate FOLDER --truth POOL --preset …` scores the folder.
    """
    parts = key.split("/")
    if len(parts) != 3 or any(part in ("", ".", "..") for part in parts):
        raise NemosaicError("usage", f"expected an expression's key source/ref/sentence, got {key!r}")
    path = os.path.join(os.fspath(folder), *parts[:2], f"{parts[2]}.png")
    write_mask(path, mask)
    return path


def write_mask(path: str, mask: NDArray[Any]) -> None:
    """A mask [H, W] of 0 … 1 as an 8-bit greyscale PNG, 255 for 1: complete, or not there at all."""
    levels = np.asarray(mask)
    if levels.ndim != 2:
        raise NemosaicError("usage", f"expected a mask [height, width], got shape {list(levels.shape)}")
    if levels.dtype.kind == "f":
        if not np.isfinite(levels).all():
            raise NemosaicError("usage", "expected probabilities from 0.0 to 1.0 in a mask, got some that are not finite")
        levels = np.clip(np.rint(levels * 255), 0, 255)
    else:
        levels = (levels != 0) * 255
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.{os.getpid()}-{threading.get_ident()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(grey_png(levels.astype(np.uint8)))
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def grey_png(pixels: NDArray[Any]) -> bytes:
    """An 8-bit greyscale PNG of uint8 [H, W]."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each row begins with its filter: 0 = none
    rows[:, 1:] = pixels
    chunks: List[Tuple[bytes, bytes]] = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes())),
        (b"IEND", b""),
    ]
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)
