"""Memory shared with the server: a file without a name, in parts ("slots") of one batch each.

The file never has a name (O_TMPFILE in /dev/shm, or memfd), and the server opens it through /proc/<pid>/fd/<n>: nothing
can be left behind, whichever end is killed. Its pages are reserved when it is made, so that a full /dev/shm is found
then, not by a crash in the middle of a batch.
"""

import mmap
import os
import secrets
import sys
from typing import Any, List, Optional

import numpy as np
from numpy.typing import NDArray

_folder = "/dev/shm"
# Pages are reserved at once: asking for too much would not fail, it would have the system kill a process.
_most_bytes = 4 << 30


class Slots:
    """`count` slots of `slot_bytes` bytes. `take` and `give` pass them out; close when done."""

    def __init__(self, descriptor: int, count: int, slot_bytes: int) -> None:
        self.count = count
        self.slot_bytes = slot_bytes
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, count * slot_bytes)
        self._bytes: Optional[NDArray[Any]] = np.frombuffer(self._map, dtype=np.uint8)
        self._free: List[int] = list(range(count))
        self.token = secrets.token_hex(32)
        self._map[:32] = bytes.fromhex(self.token)

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def take(self) -> Optional[int]:
        """A free slot, or None."""
        return self._free.pop() if self._free else None

    def give(self, slot: int) -> None:
        self._free.append(slot)

    def view(self, slot: int, length: int) -> NDArray[Any]:
        """The first bytes of a slot: valid until it is given back."""
        assert self._bytes is not None
        start = slot * self.slot_bytes
        return self._bytes[start : start + length]

    def close(self) -> None:
        if self._bytes is None:
            return
        self._bytes = None
        os.close(self._descriptor)
        try:
            self._map.close()
        except BufferError:
            pass  # a view is still read; the pages go with it


def open_slots(count: int, slot_bytes: int) -> Optional[Slots]:
    """Shared memory for `count` batches, or None where this system has none or too little."""
    if not sys.platform.startswith("linux") or count < 1:
        return None
    slot_bytes = -(-slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
    if count * slot_bytes > min(_most_bytes, _available_memory() // 4):
        return None
    for make in (_in_dev_shm, _in_memory):
        descriptor = -1
        try:
            descriptor = make(count * slot_bytes)
            os.posix_fallocate(descriptor, 0, count * slot_bytes)
            return Slots(descriptor, count, slot_bytes)
        except (OSError, AttributeError, ValueError):
            if descriptor >= 0:
                os.close(descriptor)
    return None


def _available_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0


def _in_dev_shm(length: int) -> int:
    # A container's /dev/shm is often 64 MB: leave half of it to the others who count on it.
    space = os.statvfs(_folder)
    if space.f_bavail * space.f_frsize < 2 * length:
        raise OSError("too little space")
    return os.open(_folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)


def _in_memory(length: int) -> int:
    return os.memfd_create("nemosaic", os.MFD_CLOEXEC)
