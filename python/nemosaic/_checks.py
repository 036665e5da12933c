"""Numbers that callers pass: checked here, so that the line that a person reads names the argument."""

import operator
from typing import Any

from ._errors import NemosaicError

MAX_SEED = 2**53 - 1
MAX_EPOCH = 2**32 - 1


def whole(what: str, value: Any, least: int, most: int = MAX_SEED) -> int:
    """`value` as an int from `least` to `most`; NumPy's integers too, no fractions and no words. Errors: "usage"."""
    span = f"{least} or more" if most == MAX_SEED else f"{least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        raise NemosaicError("usage", f"expected {what} as a whole number of {span}, got {value!r}") from None
    if not least <= number <= most:
        raise NemosaicError("usage", f"expected {what} of {span}, got {value!r}")
    return number


def seed_of(value: Any) -> int:
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= MAX_SEED:
        raise NemosaicError("usage", f"expected a seed from 0 to 2**53 - 1, got {value!r}")
    return number
