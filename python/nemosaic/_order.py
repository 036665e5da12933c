"""The order of an epoch and the part of it that a rank sees, exactly as the command computes them.

Random numbers are counter-based (Philox4x32-10, Salmon et al., SC 2011), so that the order of any epoch follows from
(seed, epoch, length) alone; docs/formats/stream.md has the rule.
"""

from typing import Any, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

ORDER_STREAM = 0xFFFFFFFF


def philox4x32(
    counter: Tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]], key: Tuple[int, int]
) -> Tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The four words of each block: uint64 arrays whose values are below 2**32."""
    low32 = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    first, second = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product0 = c0 * first
        product1 = c2 * second
        c0, c1, c2, c3 = (
            (product1 >> shift) ^ c1 ^ np.uint64(k0),
            product1 & low32,
            (product0 >> shift) ^ c3 ^ np.uint64(k1),
            product0 & low32,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def epoch_order(seed: int, epoch: int, length: int) -> NDArray[Any]:
    """A permutation of 0 … length - 1 (int64): items sorted by a key of 52 random bits, equal keys by item."""
    counter = (
        np.arange(length, dtype=np.uint64),
        np.full(length, ORDER_STREAM, dtype=np.uint64),
        np.zeros(length, dtype=np.uint64),
        np.full(length, epoch, dtype=np.uint64),
    )
    word0, word1, _, _ = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))
    keys = ((word0 >> np.uint64(6)) << np.uint64(26)) + (word1 >> np.uint64(6))
    return np.argsort(keys, kind="stable")


class RankOrder:
    """The batches of one rank in one epoch: PyTorch's DistributedSampler, by global batches.

    Step k of all ranks together holds items k·B·W … (k + 1)·B·W - 1 of the epoch's order (B = batch size, W = world
    size); rank r has those at positions r, r + W, r + 2W, … of it. So a global batch holds the same samples whatever
    the world size, and an epoch can be resumed at another one.

    `tail` is what happens to items that do not fill a global batch: "drop" leaves them out; "pad" repeats the first
    items of the order until each rank has as many (DistributedSampler's default); "keep" gives each item exactly once,
    so that ranks may differ by one sample.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        rank: int,
        world_size: int,
        tail: str,
        order: Optional[NDArray[Any]] = None,
    ) -> None:
        self.length = length
        self.batch_size = batch_size
        self.rank = rank
        self.world_size = world_size
        self.tail = tail
        self._order = order

    @property
    def samples(self) -> int:
        """Samples of this rank in an epoch."""
        if self.tail == "drop":
            return self.length // (self.batch_size * self.world_size) * self.batch_size
        if self.tail == "pad":
            return -(-self.length // self.world_size)
        return max(0, -(-(self.length - self.rank) // self.world_size))

    @property
    def steps(self) -> int:
        """Batches of this rank in an epoch."""
        return -(-self.samples // self.batch_size)

    def batch(self, step: int) -> NDArray[Any]:
        """Sample indices of a step, int64."""
        first = step * self.batch_size
        at = np.arange(first, min(first + self.batch_size, self.samples), dtype=np.int64)
        positions = (at * self.world_size + self.rank) % max(1, self.length)
        return positions if self._order is None else self._order[positions]
