"""The server process: started and owned by one process of a machine, joined by the others."""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Dict, List, Optional, Tuple

from ._command import Command, find_command
from ._errors import NemosaicError, ServerGone
from ._sockets import connect_to, group_path, is_no_socket, own_path, remove_socket, remove_stale_sockets


class Server:
    """Where the server of a pool listens; `connect` gives a connection to it."""

    path: str

    def connect(self, restart: bool) -> socket.socket:
        raise NotImplementedError

    def release(self) -> None:
        """Gives the server up; an owned one ends when nobody in this process uses it."""

    def ending(self) -> Optional[str]:
        """How a process of ours ended, " (killed by signal 9 …): last words"; None where that is not known."""
        return None


class JoinedServer(Server):
    """A server that another process owns; waits until it is there."""

    def __init__(self, path: str, timeout: float, what: str) -> None:
        self.path = path
        self._timeout = timeout
        self._what = what

    def connect(self, restart: bool) -> socket.socket:
        start = time.monotonic()
        until, told = start + self._timeout, False
        while True:
            try:
                return connect_to(self.path)
            except OSError as error:
                if is_no_socket(self.path):
                    raise ServerGone("usage", f'expected a socket at "{self.path}", found something else; {self._what}') from error
                if not told and time.monotonic() > start + 2.0:
                    told = True
                    sys.stderr.write(f'waiting for a nemosaic server on "{self.path}", {self._timeout:g} s at most\n')
                if time.monotonic() > until:
                    raise ServerGone(
                        "not-found",
                        f'no nemosaic server answers on "{self.path}" after {self._timeout:g} s ({error.strerror}); '
                        f"{self._what}",
                    ) from error
            time.sleep(0.05)


class OwnedServer(Server):
    """A server that this process has started. It ends when this process does, however that ends."""

    def __init__(self, pool: str, command: List[str], options: Tuple[str, ...], path: str, timeout: float) -> None:
        self.path = path
        self.users = 0
        self._pool = pool
        self._command = command
        self._options = options
        self._timeout = timeout
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self._said = ""

    def connect(self, restart: bool) -> socket.socket:
        with self._lock:
            if self._process is None:
                self._start()
            elif not self._is_alive():
                if not restart:
                    raise ServerGone("io", f"the nemosaic server ended{self._last_words()}")
                self._start()
            try:
                return connect_to(self.path)
            except OSError as error:
                # Killed a moment ago: its socket refuses before its process can be waited for.
                if restart and self._ends_within(2.0):
                    self._start()
                    return connect_to(self.path)
                raise ServerGone("io", f"the nemosaic server does not answer: {error.strerror}{self._last_words()}") from error

    def ending(self) -> Optional[str]:
        # Its socket closes a moment before it can be waited for.
        return self._last_words() if self._process is not None and self._ends_within(1.0) else None

    @property
    def pid(self) -> Optional[int]:
        return None if self._process is None else self._process.pid

    def release(self) -> None:
        with _registry_lock:
            self.users -= 1
            if self.users > 0:
                return
            for key, server in list(_owned.items()):
                if server is self:
                    del _owned[key]
        self.stop()

    def stop(self) -> None:
        """Ends the process and removes what a killed one left."""
        process, self._process = self._process, None
        if process is None or os.getpid() != self._owner:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.terminate()  # a client of another process still holds it
            try:
                process.wait(3.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        remove_socket(self.path)

    def forget(self) -> None:
        """In a forked child: lets go of the pipe, so that the server sees its owner's end."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    try:
                        os.close(stream.fileno())
                    except (OSError, ValueError):
                        pass
            _forgotten.append(process)

    def _start(self) -> None:
        if self._process is not None:
            self.stop()
        remove_stale_sockets(os.path.dirname(self.path))
        environment = dict(os.environ)
        # libuv decodes images on 4 threads unless told otherwise.
        environment.setdefault("UV_THREADPOOL_SIZE", str(max(4, min(64, os.cpu_count() or 4))))
        words = [*self._command, "serve", self._pool, "--socket", self.path, "--owned", "--quiet", *self._options]
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the training script; the server ends after it
            )
        except OSError as error:
            raise NemosaicError("not-found", f"cannot start {words[0]!r}: {error.strerror or error}") from error
        self._process = process
        self._said = ""
        listener = threading.Thread(target=self._listen, args=(process,), name="nemosaic-stderr", daemon=True)
        listener.start()
        line = _line_within(process, self._timeout)
        if line is None:
            process.kill()
            process.wait()
            listener.join(1.0)
            self._process = None
            raise NemosaicError("io", f"the nemosaic server was not ready after {self._timeout:g} s{self._last_words()}")
        try:
            ready = json.loads(line)
        except ValueError:
            ready = None
        if not isinstance(ready, dict) or "socket" not in ready:
            status = process.wait() if line == b"" else process.poll()
            if status is None:
                process.kill()
                process.wait()
            listener.join(1.0)
            self._process = None
            said = self._said.strip() or line.decode("utf-8", "replace").strip() or f"exit status {status}"
            if status is not None and status < 0:
                raise ServerGone("io", f"the nemosaic server was killed by signal {-status} while it started")
            code = {2: "usage", 3: "not-found", 4: "bad-input", 5: "incomplete"}.get(status or 0, "io")
            raise NemosaicError(code, refusal(said))

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                text = line.decode("utf-8", "replace")
                if process is self._process or self._process is None:
                    self._said = (self._said + text)[-4000:]
                sys.stderr.write(text)

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _ends_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self._is_alive():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def _last_words(self) -> str:
        status = None if self._process is None else self._process.poll()
        if status is not None and status < 0:
            why = f" (killed by signal {-status}; 9 is often the system's answer to too little memory)"
        else:
            why = "" if status is None else f" (exit status {status})"
        said = self._said.strip().splitlines()
        if status is not None and status < 0:
            # Killed, it had no last word: what it remarked before, on tiles say, is not why.
            said = [line for line in said if line.startswith("nemosaic:")]
        return why + (f": {said[-1]}" if said else "")


def open_server(
    pool: str,
    command: Optional[Command],
    path: Optional[str],
    world_size: int,
    local_rank: Optional[int],
    timeout: float,
    options: Tuple[str, ...] = (),
) -> Server:
    """The server of a pool for this process. `options` are further words for "nemosaic serve", where one is started.

    `path` (or NEMOSAIC_SOCKET) joins one that runs already. Otherwise local rank 0, or a process that is no part of a
    launched group, starts one, which all loaders of this process share; other local ranks join that of rank 0.
    """
    named = named_socket(path)
    if named is not None:
        return JoinedServer(named, timeout, f'start it with "nemosaic serve {pool} --socket {named}"')
    pool = os.path.realpath(pool)
    grouped = world_size > 1 and local_rank is not None
    if grouped and local_rank != 0:
        return JoinedServer(group_path(pool), timeout, "local rank 0 starts it: did that process end, or not reach its Loader?")
    words = find_command(command)
    with _registry_lock:
        key = (pool, (*words, *options))
        server = _owned.get(key)
        if server is None:
            server = OwnedServer(pool, words, options, group_path(pool) if grouped else own_path(), timeout)
            _owned[key] = server
        server.users += 1
        return server


def named_socket(path: Optional[str]) -> Optional[str]:
    """The socket of a server that somebody else started, where the caller or NEMOSAIC_SOCKET names one."""
    return path or os.environ.get("NEMOSAIC_SOCKET") or None


_owned: Dict[Tuple[str, Tuple[str, ...]], OwnedServer] = {}
_registry_lock = threading.Lock()
_forgotten: List["subprocess.Popen[bytes]"] = []


def _stop_all() -> None:
    for server in list(_owned.values()):
        server.stop()
    _owned.clear()


def _after_fork() -> None:
    global _registry_lock
    _registry_lock = threading.Lock()
    for server in list(_owned.values()):
        server.forget()
    _owned.clear()


atexit.register(_stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def refusal(said: str) -> str:
    """The command's own line of error among what it said: warnings may stand before it."""
    lines = said.splitlines() or [said]
    mark = "nemosaic: "
    return next((line[len(mark) :] for line in lines if line.startswith(mark)), lines[0])


def _line_within(process: "subprocess.Popen[bytes]", seconds: float) -> Optional[bytes]:
    """The first line of standard output; b"" at its end, None after `seconds`."""
    found: List[bytes] = []

    def read() -> None:
        assert process.stdout is not None
        try:
            found.append(process.stdout.readline())
        except (OSError, ValueError):
            found.append(b"")

    thread = threading.Thread(target=read, name="nemosaic-ready", daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else None
