"""Messages of the stream (docs/formats/stream.md): a header of 32 bytes, JSON, raw payload."""

import json
import socket
import struct
from typing import Any, Dict, Tuple

from ._errors import NemosaicError, ServerGone

VERSION = 1
HELLO, WELCOME, SLOTS, READY, GET, BATCH, ERROR = range(1, 8)
ALIGNMENT = 64

_header = struct.Struct("<4sHHIIQ8x")
_magic = b"NMSC"


def pack(kind: int, request: int, body: Dict[str, Any]) -> bytes:
    """A whole message without payload."""
    text = json.dumps(body, separators=(",", ":")).encode("utf-8")
    return _header.pack(_magic, VERSION, kind, request, len(text), 0) + text


def receive(sock: socket.socket) -> Tuple[int, int, Dict[str, Any], int]:
    """The next message's kind, request, JSON and size of the payload, which is left in the socket."""
    head = bytearray(_header.size)
    receive_into(sock, memoryview(head))
    magic, version, kind, request, text_bytes, payload_bytes = _header.unpack(head)
    if magic != _magic:
        raise NemosaicError("bad-input", f"expected a message of nemosaic from the server, got bytes {bytes(head[:4])!r}")
    if version != VERSION:
        raise NemosaicError(
            "unsupported",
            f"the server speaks protocol version {version}, this client {VERSION}: install the same version of the "
            "nemosaic command and of the Python package",
        )
    text = bytearray(text_bytes)
    receive_into(sock, memoryview(text))
    return kind, request, json.loads(text.decode("utf-8")), payload_bytes


def receive_into(sock: socket.socket, view: memoryview) -> None:
    """Fills `view` from the socket; ServerGone where the connection ends before."""
    done = 0
    while done < len(view):
        try:
            count = sock.recv_into(view[done:])
        except (ConnectionError, OSError) as error:
            raise ServerGone("io", f"the connection to the nemosaic server is broken: {error}") from error
        if count == 0:
            raise ServerGone("io", "the nemosaic server ended (killed, or out of memory?)")
        done += count


def layout(samples: int, size: int, token_length: int) -> int:
    """Bytes of the arrays of a batch: image, mask and tokens, each from a multiple of 64 on."""
    end = 0
    for length in (3 * size * size, size * size, 4 * token_length):
        end = -(-end // ALIGNMENT) * ALIGNMENT + samples * length
    return end
