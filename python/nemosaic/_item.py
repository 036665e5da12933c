"""Items of validation and testing, and how the default collation of torch takes them."""

from typing import Any, Dict, List, Optional

from ._errors import NemosaicError


class Item(tuple):  # type: ignore[type-arg]
    """A tuple, as loops unpack it. A class of its own, so that items that make no batch are told in our words."""

    def __reduce__(self) -> Any:
        return Item, (tuple(self),)


def teach_torch() -> None:
    """Registers `Item` with torch's default collation (torch 1.13 and newer; older ones say it in their own words)."""
    from torch.utils.data._utils import collate

    functions: Optional[Dict[Any, Any]] = getattr(collate, "default_collate_fn_map", None)
    if functions is not None:
        functions.setdefault(Item, _collate)


def _collate(items: List[Item], *, collate_fn_map: Optional[Dict[Any, Any]] = None) -> Any:
    from torch.utils.data._utils.collate import collate

    try:
        return collate([tuple(item) for item in items], collate_fn_map=collate_fn_map)
    except (RuntimeError, TypeError, ValueError) as error:
        raise NemosaicError(
            "usage",
            f"these {len(items)} items make no batch: truth has each image's own size, and refs have as many sentences as they "
            "have; use batch_size=1, a collate_fn of your own, or, for CRIS's loops, mask_dir= (truth as files)",
        ) from error
