"""python loader-once.py POOL OUT: one epoch through the client; writes the hash of all that came."""

import hashlib
import sys

from nemosaic import Loader, NemosaicError

CODES = {"usage": 2, "settings": 2, "not-found": 3, "exists": 3, "locked": 5, "incomplete": 5, "offline": 6, "network": 6, "io": 7}

pool, out = sys.argv[1:]
seen = hashlib.sha256()
try:
    settings = {"preset": "random", "size": 48, "onBadImage": "fail"}
    with Loader(pool, batch_size=3, framework="numpy", settings=settings, tokens="none", timeout=25) as loader:
        for batch in loader:
            seen.update(batch.image.tobytes() + batch.mask.tobytes() + "\n".join(batch.key).encode())
except NemosaicError as error:
    sys.stderr.write(f"{error}\n" if str(error).startswith("nemosaic: ") else f"nemosaic: {error}\n")
    sys.exit(CODES.get(error.code, 4))
with open(out, "w") as file:
    file.write(seen.hexdigest())
