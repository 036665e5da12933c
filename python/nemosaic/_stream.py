"""What Loader and MosaicDataset share: which server, which stream of samples, and how to come back to it."""

import html
import json
import os
import time
import warnings
from typing import Any, Dict, List, Optional, Sequence, Union

from ._arrays import Arrays, has_torch
from ._checks import seed_of, whole
from ._client import CLIENT, Connection
from ._command import Command
from ._errors import NemosaicError, ServerGone
from ._pictures import gallery
from ._pool import PoolPath, read_pool_hash
from ._server import Server, named_socket, open_server

Settings = Union[None, str, "os.PathLike[str]", Dict[str, Any]]


SETTINGS_FILE = "nemosaic.json"


def read_settings(settings: Settings, preset: Optional[str], socket_path: Optional[str] = None) -> Optional[Dict[str, Any]]:
    """Settings as the tree that travels to the server.

    None is nemosaic.json in the working directory, else no setting at all; for a server that somebody else started
    (`socket_path`, NEMOSAIC_SOCKET) the result is None too, and the server's own settings are in force.
    """
    tree: Optional[Dict[str, Any]]
    if settings is None and named_socket(socket_path) is not None:
        tree = None
    elif settings is None and not os.path.exists(SETTINGS_FILE):
        tree = {}
    elif isinstance(settings, dict):
        tree = settings
    else:
        path = SETTINGS_FILE if settings is None else os.fspath(settings)
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


def origin_of(settings: Settings, preset: Optional[str], socket_path: Optional[str] = None) -> str:
    """What `read_settings` read, in words."""
    over = f'preset "{preset}"'
    if settings is None and named_socket(socket_path) is not None:
        return over if preset is not None else "the server's settings"
    if settings is None and not os.path.exists(SETTINGS_FILE):
        return over if preset is not None else "default settings"
    if isinstance(settings, dict):
        named = f'preset "{settings["preset"]}"' if isinstance(settings.get("preset"), str) else "settings as given"
    else:
        named = f'settings "{os.path.abspath(SETTINGS_FILE if settings is None else settings)}"'
    return named if preset is None else f"{named} over {over}"


def overrides(
    size: Optional[int], tokens: Optional[str], token_length: Optional[int], epochs: Optional[int] = None
) -> List[str]:
    """Arguments that stand over the settings, as --set words."""
    words = []
    if size is not None:
        words.append(f"size={whole('size', size, 1)}")
    if tokens is not None:
        words.append(f"tokens.kind={tokens}")
    if token_length is not None:
        words.append(f"tokens.length={whole('token_length', token_length, 1)}")
    if epochs is not None:
        words.append(f"schedule.epochs={whole('epochs', epochs, 1)}")
    return words


def warn_of_settings(welcome: Dict[str, Any], stacklevel: int) -> None:
    """What the server finds wrong with the negatives; and single images in the last epochs need to know which are the last."""
    for text in welcome.get("warnings", []):
        warnings.warn(text, stacklevel=stacklevel + 1)
    schedule = welcome["resolved"].get("schedule") or {}
    if welcome["augmented"] and schedule.get("plainLast") and schedule.get("epochs") is None:
        warnings.warn(
            f"the settings want single images in the last epochs (schedule.plainLast {schedule['plainLast']}), and how many "
            "epochs there will be is not known, so that mosaics stay in until the end: pass epochs=, or set schedule.epochs",
            stacklevel=stacklevel + 1,
        )


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
        pool: PoolPath,
        split: str,
        seed: int,
        settings: Optional[Dict[str, Any]],
        origin: str,
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
            "seed": seed_of(seed),
            "settings": settings,
            "set": sets,
            "credits": credits,
        }
        self.batch_size = batch_size
        self._arrays = arrays
        if isinstance(server_options, str):
            raise NemosaicError("usage", f"expected server_options as a list of words, got {server_options!r}")
        if pool is None and named_socket(socket_path) is None:
            raise NemosaicError("usage", "expected a pool's folder, got None; that is for a server's own pool, with socket=")
        self._pool = pool
        self.origin = origin
        """Where the settings come from, for people."""
        self.constants: Optional[Dict[str, Any]] = None
        """{mean, std} that images are normalised with, once that is known."""
        self._pool_hash = read_pool_hash(pool)
        self.server: Server = open_server(
            "POOL" if pool is None else os.fspath(pool), command, socket_path, world_size, local_rank, timeout, tuple(server_options)
        )
        self.welcome: Optional[Dict[str, Any]] = None

    def connect(self, restart: bool = False) -> Connection:
        """A new connection; one after the first has to be to the same stream of samples."""
        connection = self._shaken_hands(restart or self.welcome is None)
        served = connection.welcome["pool"]
        if self._pool_hash is not None and served != self._pool_hash:
            connection.close()
            raise NemosaicError(
                "refused",
                f'the server on "{self.server.path}" serves another pool ({served[:12]}) than the one at '
                f'"{os.fspath(self._pool or "")}" ({self._pool_hash[:12]}), or one that was imported again since it started; '
                "start a server for this pool, or pass None for the server's own",
            )
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

    @property
    def place(self) -> str:
        """The pool, for people."""
        return f'the pool of "{self.server.path}"' if self._pool is None else f'"{os.fspath(self._pool)}"'

    def gallery(self, alive: bool, title: str, epoch: int, indices: List[int]) -> str:
        """HTML of samples, over a connection of its own; only `title` where that cannot be had. Never raises for that."""
        if not alive or not indices:
            return html.escape(title)
        try:
            connection = Connection(self.server.connect(False), {**self.hello, "credits": 1}, 8, self._make_arrays)
            try:
                answer = connection.call(epoch, indices[:8], ["image", "mask", "texts"])
            finally:
                connection.close()
        except NemosaicError as error:
            return html.escape(f"{title} ({error})")
        return gallery(title, answer["image"], answer["mask"], answer["texts"], self.constants)

    def gone(self, error: ServerGone, restarts: bool) -> ServerGone:
        """The error for a person: how the server ended, where that is known, and what to do."""
        ending = self.server.ending()
        message = str(error) if ending is None else f"the nemosaic server ended{ending}"
        hint = "" if restarts or "restart=True" in message else "; with restart=True the run continues at the same sample with a new server"
        return ServerGone(error.code, f"{message}{hint}")

    def _make_arrays(self, welcome: Dict[str, Any]) -> Arrays:
        normalise = self._arrays["normalise"]
        known = welcome["normalisation"]
        if isinstance(normalise, str):
            if normalise not in known:
                raise NemosaicError(
                    "usage", f"expected normalise to be {', '.join(known)}, None or a dict of mean and std, got {normalise!r}"
                )
            normalise = known[normalise]
        self.constants = normalise
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
