"""From a batch's raw bytes to the arrays that a model takes, in torch or NumPy."""

import importlib.util
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ._errors import NemosaicError
from ._memory import Memory

DTYPES = ("uint8", "float32")


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def decode_truth(truth: Dict[str, Any]) -> NDArray[Any]:
    """A run-length mask (COCO's order, down the columns; the first run is of zeros) as uint8 [height, width]."""
    height, width = truth["size"]
    counts = np.asarray(truth["counts"], dtype=np.int64)
    values = np.arange(len(counts), dtype=np.uint8) & 1
    return np.ascontiguousarray(np.repeat(values, counts).reshape(width, height).T)


class Arrays:
    """Makes `image` [B, 3, S, S], `mask` [B, S, S] and `tokens` [B, L] out of raw bytes.

    dtype "uint8": image and mask stay bytes (image is a channels-last view: no copy). dtype "float32": image is
    (x / 255 - mean) / std, contiguous, or x / 255 where `normalise` is None; mask is 0.0 and 1.0. Tokens are int64.
    With `device`, bytes are moved first and all arithmetic is done there.
    """

    def __init__(
        self,
        framework: str,
        dtype: str,
        constants: Optional[Dict[str, Sequence[float]]],
        pin_memory: bool,
        device: Optional[Any],
    ) -> None:
        if dtype not in DTYPES:
            raise NemosaicError("usage", f"expected dtype uint8 or float32, got {dtype!r}")
        if framework == "numpy" and (device is not None or pin_memory):
            raise NemosaicError("usage", "device and pin_memory need torch, which is not installed or not asked for")
        self.framework = framework
        self.dtype = dtype
        self.pin_memory = pin_memory
        self.device = device
        mean = np.asarray(constants["mean"] if constants else [0.0, 0.0, 0.0], dtype=np.float64)
        std = np.asarray(constants["std"] if constants else [1.0, 1.0, 1.0], dtype=np.float64)
        self._mean = mean.astype(np.float32)
        self._std = std.astype(np.float32)
        self._raw = Memory()
        self._floats = Memory()
        self._mask_floats = Memory()

    @property
    def keeps_raw(self) -> bool:
        """Whether the arrays share memory with the raw bytes, which the caller then has to leave to them."""
        return self.dtype == "uint8" or self.device is not None

    def empty(self, length: int) -> Any:
        """Raw bytes to be filled: (owner, uint8 view)."""
        if self.framework == "torch":
            import torch

            if self.pin_memory:
                owner = torch.empty(length, dtype=torch.uint8, pin_memory=True)
                return owner, owner.numpy()
            lent = self._raw.lend(length)
            return torch.from_numpy(lent), lent
        lent = self._raw.lend(length)
        return lent, lent

    def make(self, raw: NDArray[Any], owner: Any, tensors: List[Dict[str, Any]]) -> Dict[str, Any]:
        """The arrays that `tensors` (of the batch's JSON) describe. `owner` is what `empty` gave, or None for a slot."""
        parts: Dict[str, Any] = {}
        for tensor in tensors:
            start, end = tensor["offset"], tensor["offset"] + tensor["bytes"]
            shape = tensor["shape"]
            if self.framework == "torch":
                parts[tensor["name"]] = self._torch(tensor["name"], raw, owner, start, end, shape)
            else:
                parts[tensor["name"]] = self._numpy(tensor["name"], raw[start:end], shape)
        return parts

    def _numpy(self, name: str, raw: NDArray[Any], shape: List[int]) -> NDArray[Any]:
        if name == "tokens":
            return raw.view("<i4").reshape(shape).astype(np.int64)
        pixels = raw.reshape(shape)
        if name == "mask":
            return pixels if self.dtype == "uint8" else self._as_floats(pixels)
        if self.dtype == "uint8":
            return pixels.transpose(0, 3, 1, 2)
        return self._normalised(pixels)

    def _as_floats(self, mask: NDArray[Any], out: Optional[NDArray[Any]] = None) -> NDArray[Any]:
        if out is None:
            out = self._mask_floats.lend_floats(*mask.shape)
        np.copyto(out, mask)
        return out

    def _normalised(self, pixels: NDArray[Any], out: Optional[NDArray[Any]] = None) -> NDArray[Any]:
        """The reference's arithmetic, in float32, one step after the other: a product by 1 / 255 would differ."""
        batch, height, width, _ = pixels.shape
        if out is None:
            out = self._floats.lend_floats(batch, 3, height, width)
        for sample in range(batch):  # one plane after the other: it stays in the cache
            for channel in range(3):
                plane = out[sample, channel]
                np.copyto(plane, pixels[sample, :, :, channel])
                np.divide(plane, np.float32(255), out=plane)
                np.subtract(plane, self._mean[channel], out=plane)
                np.divide(plane, self._std[channel], out=plane)
        return out

    def _torch(self, name: str, raw: NDArray[Any], owner: Any, start: int, end: int, shape: List[int]) -> Any:
        import torch

        if self.device is None and (self.dtype == "float32" or name == "tokens"):
            if name == "tokens":
                return torch.from_numpy(raw[start:end].view("<i4").reshape(shape).astype(np.int64))
            pixels = raw[start:end].reshape(shape)
            make = self._as_floats if name == "mask" else self._normalised
            if not self.pin_memory:
                return torch.from_numpy(make(pixels))
            batch, height, width = shape[:3]
            out = torch.empty(shape if name == "mask" else (batch, 3, height, width), dtype=torch.float32, pin_memory=True)
            make(pixels, out.numpy())
            return out
        part = owner[start:end]
        if self.device is not None:
            part = part.to(self.device, non_blocking=True)
        if name == "tokens":
            return part.view(torch.int32).view(shape).long()
        part = part.view(shape)
        if name == "mask":
            return part if self.dtype == "uint8" else part.float()
        image = part.permute(0, 3, 1, 2)
        if self.dtype == "uint8":
            return image
        image = image.to(torch.float32, memory_format=torch.contiguous_format)
        mean = torch.tensor(self._mean, device=image.device).view(1, 3, 1, 1)
        std = torch.tensor(self._std, device=image.device).view(1, 3, 1, 1)
        return image.div_(255.0).sub_(mean).div_(std)
