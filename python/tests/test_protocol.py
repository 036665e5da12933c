"""The server against clients that are rude, slow or of another version; docs/formats/stream.md by hand."""

import json
import os
import socket
import struct
import time

import pytest
from conftest import eventually

from nemosaic import Loader

HEADER = struct.Struct("<4sHHIIQ8x")
HELLO = {"client": "test", "split": "train", "seed": 0, "settings": {"preset": "random"}, "set": ["size=64"], "credits": 4}


@pytest.fixture
def path(pool, warm, nothing_is_left):
    """The socket of a server that an own Loader keeps."""
    with Loader(pool, preset="none", framework="numpy") as loader:
        yield loader._stream.server.path


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)

    def send(self, kind, request, body, version=1, magic=b"NMSC"):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.socket.sendall(HEADER.pack(magic, version, kind, request, len(text), 0) + text)

    def receive(self):
        magic, version, kind, request, size, payload = HEADER.unpack(self.read(HEADER.size))
        assert (magic, version) == (b"NMSC", 1)
        return kind, request, json.loads(self.read(size)), self.read(payload)

    def read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def get(self, request, indices, want=("image", "mask", "tokens"), slot=None, epoch=0):
        self.send(5, request, {"epoch": epoch, "indices": indices, "slot": slot, "want": list(want)})


def greeted(path, **changes):
    client = Client(path)
    client.send(1, 1, {**HELLO, **changes})
    kind, request, welcome, _ = client.receive()
    assert (kind, request) == (2, 1), welcome
    return client, welcome


def test_the_socket_is_private(path):
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700


def test_a_batch_by_hand_is_as_the_page_says(path):
    client, welcome = greeted(path)
    assert welcome["size"] == 64 and welcome["credits"] == 4 and welcome["tokens"] == {"kind": "clip", "length": 77}
    client.get(9, [3, 0, 3], want=["image", "mask", "tokens", "texts", "keys", "plans"])
    kind, request, body, payload = client.receive()
    assert (kind, request, body["slot"], body["replaced"]) == (6, 9, None, [])
    assert [(tensor["name"], tensor["dtype"], tensor["shape"]) for tensor in body["tensors"]] == [
        ("image", "uint8", [3, 64, 64, 3]),
        ("mask", "uint8", [3, 64, 64]),
        ("tokens", "int32", [3, 77]),
    ]
    assert all(tensor["offset"] % 64 == 0 for tensor in body["tensors"])
    assert len(payload) == body["tensors"][-1]["offset"] + body["tensors"][-1]["bytes"]
    third = 64 * 64 * 3
    assert payload[:third] == payload[2 * third : 3 * third] != payload[third : 2 * third]
    assert body["texts"][0] == body["plans"][0]["text"] == body["texts"][2]
    assert struct.unpack_from("<i", payload, body["tensors"][2]["offset"])[0] == 49406
    client.get(10, [1], want=["keys"])
    assert client.receive()[2]["tensors"] == []


def test_messages_in_one_byte_pieces_are_understood(path):
    client = Client(path)
    text = json.dumps(HELLO).encode()
    for byte in HEADER.pack(b"NMSC", 1, 1, 7, len(text), 0) + text:
        client.socket.sendall(bytes([byte]))
    assert client.receive()[:2] == (2, 7)


@pytest.mark.parametrize(
    "message, code",
    [
        (dict(kind=1, request=1, body=HELLO, magic=b"HTTP"), "bad-input"),
        (dict(kind=1, request=1, body=HELLO, version=2), "unsupported"),
        (dict(kind=99, request=1, body=HELLO), "bad-input"),
        (dict(kind=6, request=1, body={}), "bad-input"),
        (dict(kind=5, request=1, body={"epoch": 0, "indices": [0], "slot": None, "want": ["image"]}), "bad-input"),
        (dict(kind=1, request=1, body=b"{not json"), "bad-input"),
    ],
)
def test_what_is_no_message_ends_the_connection_with_a_reason(path, message, code):
    client = Client(path)
    client.send(**message)
    kind, _, body, _ = client.receive()
    assert (kind, body["code"], body["fatal"]) == (7, code, True)
    with pytest.raises(EOFError):
        client.receive()
    greeted(path)


def test_a_header_that_promises_gigabytes_is_refused_before_they_come(path):
    client = Client(path)
    client.socket.sendall(HEADER.pack(b"NMSC", 1, 1, 1, 2**32 - 1, 0))
    assert client.receive()[2]["code"] == "refused"
    client = Client(path)
    client.socket.sendall(HEADER.pack(b"NMSC", 1, 1, 1, 2, 2**40) + b"{}")
    assert client.receive()[2]["code"] == "bad-input"


@pytest.mark.parametrize(
    "hello, code",
    [
        ({**HELLO, "split": "nowhere"}, "usage"),
        ({**HELLO, "seed": 0.5}, "bad-input"),
        ({**HELLO, "set": ["size=tall"]}, "settings"),
        ({**HELLO, "extra": 1}, "bad-input"),
        ({}, "bad-input"),
    ],
)
def test_a_wrong_hello_is_answered_and_may_be_corrected(path, hello, code):
    client = Client(path)
    client.send(1, 1, hello)
    kind, request, body, _ = client.receive()
    assert (kind, request, body["code"]) == (7, 1, code)
    client.send(1, 2, HELLO)
    assert client.receive()[0] == 2


def test_errors_answer_their_request_only(path):
    client, welcome = greeted(path)
    client.get(1, [welcome["length"]])
    client.get(2, [0])
    client.get(3, [0], slot=5)
    client.get(4, [0], want=["truths"])
    answers = {request: (kind, body.get("code")) for kind, request, body, _ in (client.receive() for _ in range(4))}
    assert answers == {1: (7, "usage"), 2: (6, None), 3: (7, "bad-input"), 4: (7, "usage")}


def test_a_batch_over_the_limit_is_refused_before_it_is_made(path):
    client, _ = greeted(path, set=["size=4096"])
    client.get(1, list(range(10)) * 3)
    assert "limit" in client.receive()[2]["message"]


def test_more_requests_than_agreed_end_the_connection(path):
    client, _ = greeted(path, credits=2)
    with pytest.raises((EOFError, ConnectionError)):
        for request in range(1, 60):
            client.get(request, [0, 1, 2, 3])  # the server may hang up in the middle
        while True:
            kind, _, body, _ = client.receive()
            if kind == 7:
                assert body["fatal"] and "at most 2 requests" in body["message"]


@pytest.mark.parametrize("offer", ["/etc/passwd", "/proc/self/fd/0", "/proc/1/fd/99999", "/dev/shm/x"])
def test_the_server_writes_to_nothing_but_nameless_memory_of_the_client(path, tmp_path, offer):
    client, _ = greeted(path)
    client.send(3, 2, {"path": offer, "slots": 1, "slotBytes": 64, "token": "00" * 32})
    assert client.receive()[2]["code"] in ("refused", "bad-input")
    named = tmp_path / "file"
    named.write_bytes(bytes(1 << 16))
    with open(named, "r+b") as file:
        client.send(3, 3, {"path": f"/proc/{os.getpid()}/fd/{file.fileno()}", "slots": 1, "slotBytes": 64, "token": "00" * 32})
        assert client.receive()[2]["code"] == "refused"
    assert named.read_bytes() == bytes(1 << 16)
    client.get(4, [0])
    assert client.receive()[0] == 6


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) // 1024


def test_a_client_that_never_reads_costs_two_batches(path):
    client, welcome = greeted(path, set=["size=1024"], credits=32)
    megabytes = 8 * 1024 * 1024 * 4 // 2**20
    indices = [0] * 8
    client.get(1, indices)
    client.receive()
    before = resident(welcome["pid"])
    for request in range(2, 12):
        client.get(request, indices)
    most = 0
    until = time.monotonic() + 3
    while time.monotonic() < until:
        most = max(most, resident(welcome["pid"]) - before)
        time.sleep(0.05)
    # Two batches of pixels, their copies in the writing, and what the collector has not taken yet: not all ten.
    assert most < 6 * megabytes, f"{most} MB more for batches of {megabytes} MB"
    assert {client.receive()[1] for _ in range(10)} == set(range(2, 12))


def test_a_client_that_leaves_without_reading_frees_its_loader(path, pool):
    sockets = [greeted(path, seed=seed)[0] for seed in range(5)]
    for client in sockets:
        client.get(1, [0, 1, 2, 3])
        client.socket.close()
    probe, welcome = greeted(path)
    descriptors = f"/proc/{welcome['pid']}/fd"
    eventually(lambda: sum("socket" in os.readlink(f"{descriptors}/{name}") for name in safe(descriptors)) <= 6, "sockets stay open")


def safe(folder):
    return [name for name in os.listdir(folder) if os.path.lexists(f"{folder}/{name}")]
