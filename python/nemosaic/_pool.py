"""What the client itself reads of a pool: which one it is."""

import json
import os
from typing import Optional, Union

from ._errors import NemosaicError

PoolPath = Union[None, str, "os.PathLike[str]"]


def read_pool_hash(pool: PoolPath) -> Optional[str]:
    """The hash in a pool's manifest, by which a server says which pool it serves; None for no pool. Errors: "not-found"."""
    if pool is None:
        return None
    path = os.path.join(os.fspath(pool), "pool.json")
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
    except FileNotFoundError:
        where = os.fspath(pool)
        found = "a folder without pool.json" if os.path.isdir(where) else "nothing there"
        raise NemosaicError("not-found", f'expected a pool at "{where}", found {found}; make one with "nemosaic import"') from None
    except OSError as error:
        raise NemosaicError("not-found", f'expected a pool, but "{path}" cannot be read: {error.strerror}') from error
    except ValueError as error:
        raise NemosaicError("bad-input", f'expected JSON in "{path}": {error}') from error
    known = manifest.get("hash") if isinstance(manifest, dict) else None
    if not isinstance(known, str):
        raise NemosaicError("bad-input", f'expected a pool\'s manifest with its "hash" in "{path}"; import the dataset again')
    return known
