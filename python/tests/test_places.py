"""Containers and batch systems: users without a home, variables that name folders which cannot be used."""

import os
import subprocess
import sys
import tempfile

import pytest
from conftest import ROOT

from nemosaic import NemosaicError
from nemosaic import _sockets

SCRIPT = """
import sys
from nemosaic import Loader
with Loader(sys.argv[1], batch_size=4, size=48, preset="random", framework="numpy") as loader:
    print(len(next(iter(loader))), loader._stream.server.path)
"""


def test_the_socket_lies_in_the_first_folder_that_can_be_used(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for runtime in ("/nowhere/run", "", "run", str(tmp_path / "file"), "/proc/self"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        assert os.path.dirname(_sockets.socket_folder()) == str(tmp_path) or len(str(tmp_path)) > 50, runtime
    monkeypatch.setattr(_sockets, "_is_usable", lambda folder: False)
    with pytest.raises(NemosaicError, match="tried /proc/self, .*, /tmp, /var/tmp: set TMPDIR") as caught:
        _sockets.socket_folder()
    assert caught.value.code == "io"


def test_a_user_without_a_passwd_entry_or_a_home_trains(pool, command):
    if os.getuid() != 0:
        pytest.skip("did not run: it takes root to become a user that nobody knows")
    stranger = 54321
    for path in (sys.executable, str(ROOT / "python" / "nemosaic" / "__init__.py"), command[-1]):
        reads = subprocess.run(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=stranger, group=stranger)
        if reads.returncode != 0:
            pytest.skip(f"did not run: another user may not read {path}")
    with tempfile.TemporaryDirectory() as copy:  # pytest's own folders are closed to others
        trains_as(stranger, pool, command, copy)


def trains_as(stranger, pool, command, copy):
    subprocess.run(["cp", "-r", os.path.dirname(pool), f"{copy}/toy"], check=True)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python"), "XDG_RUNTIME_DIR": "/nowhere/run", "TMPDIR": "/nowhere"}
    words = [sys.executable, "-c", SCRIPT, f"{copy}/toy/pool"]

    def train():
        return subprocess.run(words, capture_output=True, text=True, env=env, user=stranger, group=stranger, cwd="/", timeout=120)

    assert 'pool.json" cannot be read: Permission denied' in train().stderr, "what is there and closed is not said to be missing"
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    done = train()
    assert done.returncode == 0, done.stderr
    count, socket = done.stdout.split()
    assert count == "4" and socket.startswith(f"/tmp/nemosaic-{stranger}/") and not os.path.exists(socket)
    asked = subprocess.run(
        [*command, "embed", words[-1]], capture_output=True, text=True, env={**env, "HF_HUB_OFFLINE": "1"}, user=stranger, group=stranger, cwd="/"
    )
    assert asked.returncode == 2 and "HOME is not set" in asked.stderr and "--cache-dir" in asked.stderr, asked.stderr
