import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datasets import write_refer

from nemosaic import NemosaicError
from nemosaic._command import find_command

ROOT = Path(__file__).resolve().parents[2]

# Options of loaders whose batches are made fast.
FAST = dict(size=48, settings={"preset": "random"}, framework="numpy", dtype="uint8")


# The words after `nemosaic` that make a pool of drawn scenes with mined candidates: pool/ in the working directory.
SMALL_STEPS = (
    ["scenes", "scenes", "--count", "48", "--seed", "3", "--splits", "train=0.75,val=0.25"],
    ["import", "refer", "scenes/refer/scenes", "--images", "scenes/images", "--pool", "pool"],
    ["embed", "pool", "--model", "lexical"],
    ["mine", "pool"],
)


@pytest.fixture(scope="session")
def command():
    """The words that start nemosaic, or a skip that says why."""
    try:
        return find_command()
    except NemosaicError as error:
        pytest.skip(f"did not run: {error}")


@pytest.fixture(scope="session")
def pool(command, tmp_path_factory):
    """A pool of 24 small images."""
    folder = tmp_path_factory.mktemp("toy")
    refer, images = write_refer(str(folder))
    made = str(folder / "pool")
    subprocess.run([*command, "import", "refer", refer, "--images", images, "--pool", made, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return made


@pytest.fixture(scope="session")
def scenes_pool(command, tmp_path_factory):
    """A pool of drawn scenes with mined candidates (by words: no model is needed)."""
    folder = tmp_path_factory.mktemp("scenes")
    for words in SMALL_STEPS:
        subprocess.run([*command, *words, "--quiet"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    return str(folder / "pool")


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch, tmp_path_factory):
    """Every test has a runtime folder of its own, which has to be empty at its end, as has /dev/shm of our files."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "NEMOSAIC_SOCKET", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    runtime = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    before = set(shared_memory())
    yield
    import gc

    gc.collect()
    eventually(lambda: not list(runtime.iterdir()), f"files are left in {runtime}: {list(runtime.rglob('*'))}")
    assert set(shared_memory()) <= before


@pytest.fixture
def warm(pool, nothing_is_left):
    """Keeps a server for the length of a test, so that its loaders need not start one each."""
    from nemosaic import Loader

    with Loader(pool, preset="none", framework="numpy"):
        yield


def shared_memory():
    """Names in /dev/shm that are ours or nobody's."""
    try:
        return [name for name in os.listdir("/dev/shm") if "nemosaic" in name.lower()]
    except OSError:
        return []


def eventually(holds, message, seconds=5.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, message
        time.sleep(0.02)


def run_script(script, *args, timeout=120, env=None, check=True):
    """Runs Python source text in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]), **(env or {})},
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


def content(batch):
    """What makes a batch: its samples and their bytes."""
    return [(index, batch.key[at], batch.image[at].tobytes(), batch.mask[at].tobytes()) for at, index in enumerate(batch.indices)]
