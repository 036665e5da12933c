"""What Loader and MosaicDataset share: which server, which stream of samples, and how to come back to it."""

import json
import os
import time
from typing import Any, Dict, List, Optional, Sequence, Union

from ._arrays import Arrays, has_torch
from ._client import CLIENT, Connection
from ._command import Command
from ._errors import NemosaicError, ServerGone
from ._server import Server, open_server

Settings = Union[None, str, "os.PathLike[str]", Dict[str, Any]]


def read_settings(settings: Settings, preset: Optional[str]) -> Optional[Dict[str, Any]]:
    """Settings as the tree that travels to the server; None leaves the choice to it."""
    tree: Optional[Dict[str, Any]]
    if settings is None or isinstance(settings, dict):
        tree = settings
    else:
        path = os.fspath(settings)
        try:
            with open(path, encoding="utf-8") as file:
                value = json.load(file)
        except OSError as error:
            raise NemosaicError("not-found", f'cannot read the settings file "{path}": {error.strerror}') from error
        except ValueError as error:
            raise NemosaicError("settings", f'expected JSON in the settings file "{path}": {error}') from error
        if not isinstance(value, dict):
            raise NemosaicError("settings", f'expected a JSON object of settings in "{path}"')
        tree = value
    return tree if preset is None else {**(tree or {}), "preset": preset}


def overrides(size: Optional[int], tokens: Optional[str], token_length: Optional[int]) -> List[str]:
    """Arguments that stand over the settings, as --set words."""
    words = []
    if size is not None:
        words.append(f"size={int(size)}")
    if tokens is not None:
        words.append(f"tokens.kind={tokens}")
    if token_length is not None:
        words.append(f"tokens.length={int(token_length)}")
    return words


def pick_framework(framework: Optional[str]) -> str:
    if framework is None:
        return "torch" if has_torch() else "numpy"
    if framework not in ("torch", "numpy"):
        raise NemosaicError("usage", f"expected framework torch or numpy, got {framework!r}")
    if framework == "torch" and not has_torch():
        raise NemosaicError("not-found", 'torch is not installed: pip install torch, or use framework="numpy"')
    return framework


class Stream:
    """A server and the hello that names a stream of samples: gives connections, also after the server was killed."""

    def __init__(
        self,
        pool: Union[str, "os.PathLike[str]"],
        split: str,
        seed: int,
        settings: Optional[Dict[str, Any]],
        sets: List[str],
        credits: int,
        batch_size: int,
        arrays: Dict[str, Any],
        command: Optional[Command],
        socket_path: Optional[str],
        world_size: int,
        local_rank: Optional[int],
        timeout: float,
        server_options: Sequence[str] = (),
    ) -> None:
        self.hello = {
            "client": CLIENT,
            "split": split,
            "seed": int(seed),
            "settings": settings,
            "set": sets,
            "credits": credits,
        }
        self.batch_size = batch_size
        self._arrays = arrays
        if isinstance(server_options, str):
            raise NemosaicError("usage", f"expected server_options as a list of words, got {server_options!r}")
        self.server: Server = open_server(
            os.fspath(pool), command, socket_path, world_size, local_rank, timeout, tuple(server_options)
        )
        self.welcome: Optional[Dict[str, Any]] = None

    def connect(self, restart: bool = False) -> Connection:
        """A new connection; one after the first has to be to the same stream of samples."""
        connection = self._shaken_hands(restart or self.welcome is None)
        if self.welcome is None:
            self.welcome = connection.welcome
        elif connection.welcome["identity"] != self.welcome["identity"]:
            connection.close()
            raise NemosaicError("bad-input", "the pool or the settings changed while the server was away: start a new Loader")
        return connection

    def _shaken_hands(self, restart: bool) -> Connection:
        """A connection that has been greeted. A server killed a moment ago may still take connections, only to drop them."""
        attempts = 5
        while True:
            attempts -= 1
            sock = self.server.connect(restart)
            try:
                return Connection(sock, self.hello, self.batch_size, self._make_arrays)
            except ServerGone:
                if not restart or attempts == 0:
                    raise
                time.sleep(0.1)

    def _make_arrays(self, welcome: Dict[str, Any]) -> Arrays:
        normalise = self._arrays["normalise"]
        known = welcome["normalisation"]
        if isinstance(normalise, str):
            if normalise not in known:
                raise NemosaicError(
                    "usage", f"expected normalise to be {', '.join(known)}, None or a dict of mean and std, got {normalise!r}"
                )
            normalise = known[normalise]
        return Arrays(
            self._arrays["framework"],
            self._arrays["dtype"],
            normalise,
            self._arrays["pin_memory"],
            self._arrays["device"],
        )


class Holder:
    """A connection and its owner's share of the server; apart from the owner, so that that one can be collected."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._current: Optional[Connection] = None
        self._owner = os.getpid()

    def connection(self, renew: bool) -> Connection:
        if renew and self._current is not None:
            self._current.close()
            self._current = None
        if self._current is None:
            self._current = self.stream.connect(restart=renew)
        return self._current

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
        if os.getpid() == self._owner:
            self.stream.server.release()
