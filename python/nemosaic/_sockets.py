"""Where servers of this machine listen: names of sockets, and the removal of those that nobody listens on."""

import hashlib
import itertools
import json
import os
import socket
import stat
from pathlib import Path

from ._errors import NemosaicError

_MAX_SOCKET_PATH = 103
_numbers = itertools.count()


def connect_to(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


def socket_folder() -> str:
    """A folder of this user alone."""
    name = f"nemosaic-{os.getuid()}"
    # As the command chooses. Batch systems and containers set these to folders that are missing or another user's.
    named = [os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp", "/var/tmp"]
    tried = [folder for folder in named if folder]
    base = next((folder for folder in tried if _is_usable(folder)), None)
    if base is None:
        raise NemosaicError("io", f"expected a folder that can be written, tried {', '.join(tried)}: set TMPDIR to one")
    if len(os.fsencode(os.path.join(base, name))) > _MAX_SOCKET_PATH - 40:
        base = "/tmp"
    return os.path.join(base, name)


def _is_usable(folder: str) -> bool:
    return os.path.isabs(folder) and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def own_path() -> str:
    return os.path.join(socket_folder(), f"{os.getpid()}-{next(_numbers)}.sock")


def group_path(pool: str) -> str:
    """The same name in all processes of one launch on this machine, and in no other launch."""
    names = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "SLURM_JOB_ID", "SLURM_STEP_ID")
    values = [os.environ.get(name, "") for name in names]
    # Launchers that say nothing of themselves are told apart by their process, the parent of all ranks here.
    facts = [pool, *values, "" if any(values) else str(os.getppid())]
    return os.path.join(socket_folder(), f"group-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]}.sock")


def remove_stale_sockets(folder: str) -> None:
    """Removes sockets of ours that nobody listens on: both their server and its owner were killed."""
    if not os.path.basename(folder).startswith("nemosaic-"):
        return
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        try:
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                continue
            connect_to(path).close()
        except ConnectionRefusedError:
            _unlink(path)
        except OSError:
            pass


def remove_socket(path: str) -> None:
    _unlink(path)
    remove_stale_sockets(os.path.dirname(path))
    folder = Path(path).parent
    if folder.name.startswith("nemosaic-"):
        try:
            folder.rmdir()
        except OSError:
            pass  # others are in use there


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def is_no_socket(path: str) -> bool:
    try:
        return not stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
