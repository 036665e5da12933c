"""A connection to the server: requests out, batches in, several under way."""

import os
import socket
import threading
import weakref
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from . import _protocol as protocol
from ._arrays import Arrays, decode_truth
from ._errors import NemosaicError, ServerGone
from ._slots import Slots, open_slots

CLIENT = "nemosaic-python 0.1.0"


class Connection:
    """One client. `submit` sends a request, `result` waits for its answer; a thread of its own reads in between.

    `hello` is the body of the first message; `welcome` holds the server's answer. `batch_size` sizes the shared memory;
    larger batches, and batches when no slot is free, come through the socket.
    """

    def __init__(self, sock: socket.socket, hello: Dict[str, Any], batch_size: int, make_arrays: Callable[[Dict[str, Any]], Arrays]) -> None:
        self._sock = sock
        self._owner = os.getpid()
        self._send_lock = threading.Lock()
        self._state = threading.Condition()
        self._results: Dict[int, Any] = {}
        self._wanted: Dict[int, Optional[int]] = {}
        self._dropped: Dict[int, Optional[int]] = {}
        self._failure: Optional[BaseException] = None
        self._next = 1
        self._slots: Optional[Slots] = None
        self._closed = False
        try:
            self.welcome = self._exchange(protocol.HELLO, hello, protocol.WELCOME)
            self._arrays = make_arrays(self.welcome)
            self._offer_slots(batch_size)
        except BaseException:
            self.close()
            raise
        _connections.add(self)
        self._thread = threading.Thread(target=self._read, name="nemosaic-reader", daemon=True)
        self._thread.start()

    @property
    def credits(self) -> int:
        return int(self.welcome["credits"])

    @property
    def uses_shared_memory(self) -> bool:
        return self._slots is not None

    def submit(self, epoch: int, indices: Iterable[int], want: Sequence[str]) -> int:
        """Sends a request; returns its number. At most `credits` may be under way."""
        epoch, wanted = int(epoch), [int(index) for index in indices]
        with self._state:
            self._check()
            request = self._next
            self._next = self._next % 0xFFFFFFFF + 1
            has_pixels = "image" in want or "mask" in want
            slot = self._slots.take() if self._slots is not None and has_pixels else None
            self._wanted[request] = slot
        body = {"epoch": epoch, "indices": wanted, "slot": slot, "want": list(want)}
        try:
            with self._send_lock:
                self._sock.sendall(protocol.pack(protocol.GET, request, body))
        except OSError as error:
            self._fail(ServerGone("io", f"the connection to the nemosaic server is broken: {error}"))
        return request

    def result(self, request: int) -> Dict[str, Any]:
        """The answer to a request, once. Raises the server's error, or ServerGone."""
        with self._state:
            while request not in self._results:
                self._check()
                # Short waits, so that Ctrl-C is heard on every platform.
                self._state.wait(0.5)
            answer = self._results.pop(request)
        if isinstance(answer, BaseException):
            raise answer
        result: Dict[str, Any] = answer
        return result

    def call(self, epoch: int, indices: Iterable[int], want: Sequence[str]) -> Dict[str, Any]:
        return self.result(self.submit(epoch, indices, want))

    def drop(self, request: int) -> None:
        """Gives up a request: its answer is thrown away when it comes."""
        with self._state:
            if self._results.pop(request, None) is None and request in self._wanted:
                self._dropped[request] = self._wanted.pop(request)

    @property
    def under_way(self) -> int:
        with self._state:
            return len(self._wanted) + len(self._dropped)

    def wait_for_credit(self) -> None:
        """Waits until fewer than `credits` requests are under way."""
        with self._state:
            while len(self._wanted) + len(self._dropped) >= self.credits:
                self._check()
                self._state.wait(0.5)

    def close(self) -> None:
        """Ends the connection; the server frees what it held for it."""
        if self._closed:
            return
        self._closed = True
        if os.getpid() == self._owner:
            try:
                self._sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._sock.close()
        thread = getattr(self, "_thread", None)
        if thread is not None and thread is not threading.current_thread() and os.getpid() == self._owner:
            thread.join(5.0)
        if self._slots is not None:
            self._slots.close()

    def _exchange(self, kind: int, body: Dict[str, Any], expected: int) -> Dict[str, Any]:
        try:
            self._sock.sendall(protocol.pack(kind, 0, body))
        except OSError:
            pass  # the server may have said why before it hung up
        got, _, answer, _ = protocol.receive(self._sock)
        if got == protocol.ERROR:
            raise NemosaicError(answer["code"], answer["message"])
        if got != expected:
            raise NemosaicError("bad-input", f"expected message kind {expected} from the server, got {got}")
        return answer

    def _offer_slots(self, batch_size: int) -> None:
        welcome = self.welcome
        length = protocol.layout(batch_size, welcome["size"], welcome["tokens"]["length"])
        slots = open_slots(self.credits, length)
        if slots is None:
            return
        offer = {"path": slots.path, "slots": slots.count, "slotBytes": slots.slot_bytes, "token": slots.token}
        try:
            self._exchange(protocol.SLOTS, offer, protocol.READY)
        except ServerGone:
            slots.close()
            raise
        except NemosaicError:
            slots.close()  # another PID namespace, or no /proc: the socket serves as well
            return
        self._slots = slots

    def _check(self) -> None:
        if os.getpid() != self._owner:
            raise NemosaicError("usage", "a Loader cannot be used in a forked process: use MosaicDataset with DataLoader workers")
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise NemosaicError("usage", "the connection is closed")

    def _read(self) -> None:
        try:
            while True:
                kind, request, body, payload = protocol.receive(self._sock)
                answer = self._answer(kind, request, body, payload)
                with self._state:
                    slot = self._wanted.pop(request) if request in self._wanted else self._dropped.get(request)
                    if slot is not None and self._slots is not None:
                        self._slots.give(slot)
                    if request in self._dropped:
                        del self._dropped[request]
                    else:
                        self._results[request] = answer
                    self._state.notify_all()
        except BaseException as error:
            self._fail(error)

    def _answer(self, kind: int, request: int, body: Dict[str, Any], payload: int) -> Any:
        if kind == protocol.ERROR:
            error = NemosaicError(body["code"], body["message"])
            if body.get("fatal"):
                raise error
            return error
        if kind != protocol.BATCH:
            raise NemosaicError("bad-input", f"expected a batch from the server, got message kind {kind}")
        tensors: List[Dict[str, Any]] = body["tensors"]
        slot = body["slot"]
        dropped = request in self._dropped
        arrays = self._arrays
        if slot is not None:
            assert self._slots is not None
            end = max((tensor["offset"] + tensor["bytes"] for tensor in tensors), default=0)
            raw, owner = self._slots.view(slot, end), None
            if dropped:
                tensors = []
            elif arrays.keeps_raw:
                owner, copy = arrays.empty(end)
                copy[:] = raw
                raw = copy
        else:
            owner, raw = arrays.empty(payload)
            if payload:
                protocol.receive_into(self._sock, memoryview(raw))
        answer = arrays.make(raw, owner, tensors)
        for name in ("epoch", "indices", "texts", "keys", "plans", "replaced"):
            if name in body:
                answer[name] = body[name]
        if "truths" in body:
            answer["truths"] = [decode_truth(truth) for truth in body["truths"]]
        return answer

    def _fail(self, error: BaseException) -> None:
        with self._state:
            if self._failure is None:
                self._failure = error
            self._state.notify_all()

    def _abandon(self) -> None:
        """In a forked child: lets go of the parent's descriptors without a word to the server."""
        self._closed = True
        # Another thread of the parent may have held them at that moment: here nobody would let them go.
        self._send_lock = threading.Lock()
        self._state = threading.Condition()
        try:
            os.close(self._sock.detach())
        except OSError:
            pass
        if self._slots is not None:
            self._slots.close()


_connections: "weakref.WeakSet[Connection]" = weakref.WeakSet()


def _after_fork() -> None:
    for connection in list(_connections):
        connection._abandon()
    _connections.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
