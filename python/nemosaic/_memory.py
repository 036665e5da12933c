"""Memory for batches that is used again: fresh memory costs a page fault for every 4 KiB, more than filling it."""

import weakref
from collections import deque
from typing import Any, Deque

import numpy as np
from numpy.typing import NDArray

_most_kept = 4
# As the processors' widest vectors and NumPy's and torch's own arrays.
_alignment = 64


class Memory:
    """Lends arrays of bytes. One is used again when nothing holds it any more: neither it, nor a view, nor a tensor."""

    def __init__(self) -> None:
        self._free: Deque[bytearray] = deque()

    def lend(self, length: int) -> NDArray[Any]:
        """uint8 [length], of any content."""
        block = self._taken(length + _alignment)
        start = -np.frombuffer(block, dtype=np.uint8).ctypes.data % _alignment
        # NumPy stops at an array whose base is none: every view of it, and every tensor made of one, holds this object.
        lent: NDArray[Any] = np.frombuffer(block, dtype=np.uint8, count=length, offset=start)
        weakref.finalize(lent, self._give, block)
        return lent

    def lend_floats(self, *shape: int) -> NDArray[Any]:
        """float32 of a shape, of any content."""
        return self.lend(4 * int(np.prod(shape))).view(np.float32).reshape(shape)

    def _taken(self, length: int) -> bytearray:
        for _ in range(len(self._free)):
            try:
                block = self._free.popleft()
            except IndexError:  # another thread was faster
                break
            if len(block) == length:
                return block
            self._free.append(block)
        return bytearray(length)

    def _give(self, block: bytearray) -> None:
        self._free.append(block)
        while len(self._free) > _most_kept:
            try:
                self._free.popleft()
            except IndexError:
                break
