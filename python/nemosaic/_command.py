"""Finding the nemosaic command, which does the work behind this package."""

import os
import shlex
import shutil
from pathlib import Path
from typing import List, Optional, Sequence, Union

from ._errors import NemosaicError

Command = Union[str, Sequence[str]]


def find_command(given: Optional[Command] = None) -> List[str]:
    """The words that start nemosaic: `given`; else NEMOSAIC_COMMAND; else `nemosaic` on the PATH; else
    node_modules/.bin/nemosaic here or in a folder above; else dist/cli/main.js of the checkout this package lies in.

    Raises NemosaicError ("not-found") that says what to install.
    """
    if given is not None:
        return _words(given)
    named = os.environ.get("NEMOSAIC_COMMAND")
    if named:
        return _words(named)
    on_path = shutil.which("nemosaic")
    if on_path is not None:
        return [on_path]
    here = Path.cwd()
    for folder in (here, *here.parents):
        local = folder / "node_modules" / ".bin" / "nemosaic"
        if local.exists():
            return [str(local)]
    checkout = Path(__file__).resolve().parents[2] / "dist" / "cli" / "main.js"
    if checkout.exists():
        return _words(str(checkout))
    raise NemosaicError(
        "not-found",
        "the nemosaic command is not installed: install Node 20.19 or newer (nodejs.org) and then nemosaic with "
        '"npm install -g nemosaic", or set NEMOSAIC_COMMAND to where it is; looked on the PATH, for '
        f'node_modules/.bin/nemosaic from "{here}" upwards, and at "{checkout}"',
    )


def _words(command: Command) -> List[str]:
    if isinstance(command, str):
        words = [command] if os.path.exists(command) else shlex.split(command)
    else:
        words = [os.fspath(word) for word in command]
    if not words:
        raise NemosaicError("usage", "expected a command, got an empty one")
    if len(words) == 1 and words[0].endswith((".js", ".mjs", ".cjs")):
        return [_node(), words[0]]
    return words


def _node() -> str:
    node = os.environ.get("NEMOSAIC_NODE") or shutil.which("node")
    if node is None:
        raise NemosaicError(
            "not-found",
            "Node is not installed: nemosaic needs version 20.19 or newer (nodejs.org); put it on the PATH or set NEMOSAIC_NODE",
        )
    return node
