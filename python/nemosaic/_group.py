"""Which of the processes that train together this one is."""

import os
import sys
from typing import Optional, Tuple

from ._errors import NemosaicError


def group_of(rank: Optional[int], world_size: Optional[int], local_rank: Optional[int]) -> Tuple[int, int, Optional[int]]:
    """Rank, world size and local rank of this process. An error for a rank outside the world."""
    if rank is None or world_size is None:
        known = _distributed()
        if known is not None:
            found_rank, found_size = known
        else:
            found_rank, found_size = _number("RANK", 0), _number("WORLD_SIZE", 1)
        rank = found_rank if rank is None else rank
        world_size = found_size if world_size is None else world_size
    if world_size < 1 or not 0 <= rank < world_size:
        raise NemosaicError("usage", f"expected a rank from 0 to world_size - 1, got rank {rank} of {world_size}")
    if local_rank is None and os.environ.get("LOCAL_RANK"):
        local_rank = _number("LOCAL_RANK", 0)
    return int(rank), int(world_size), local_rank


def _distributed() -> Optional[Tuple[int, int]]:
    module = sys.modules.get("torch.distributed")
    if module is None or not module.is_available() or not module.is_initialized():
        return None
    return int(module.get_rank()), int(module.get_world_size())


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise NemosaicError("usage", f"expected a whole number in {name}, got {text!r}") from None
