"""Either side is killed: errors come fast, work goes on where asked to, and nothing is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from conftest import FAST, ROOT, eventually, run_script, shared_memory

from nemosaic import Loader, MosaicDataset, NemosaicError, ServerGone


def kill_server(loader):
    pid = loader._connection().welcome["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_server_is_a_clear_error_after_what_was_under_way(pool):
    with Loader(pool, batch_size=2, num_prefetch=2, **FAST) as loader:
        batches = iter(loader)
        next(batches)
        pid = kill_server(loader)
        got = 0
        with pytest.raises(ServerGone, match=r"ended \(killed by signal 9; [^:;]*\); with restart=True the run continues"):
            for _ in batches:
                got += 1
        assert got <= 2
        with pytest.raises(ServerGone):
            next(iter(loader))
    eventually(lambda: not is_alive(pid), "the killed server is still there")


def test_with_restart_it_goes_on_at_the_same_sample(pool):
    with Loader(pool, batch_size=2, **FAST) as loader:
        expected = [(batch.indices, batch.image.tobytes(), batch.mask.tobytes()) for batch in loader]
    with Loader(pool, batch_size=2, restart=True, **FAST) as loader:
        seen = []
        for step, batch in enumerate(loader):
            seen.append((batch.indices, batch.image.tobytes(), batch.mask.tobytes()))
            if step in (0, 1, 4):
                kill_server(loader)
        assert seen == expected


def test_restart_gives_up_where_the_server_cannot_live(pool, tmp_path, command):
    """A server that starts once and never again: no endless loop."""
    script = tmp_path / "once"
    script.write_text(f'#!/bin/sh\n[ -e "{tmp_path}/used" ] && echo "worn out" >&2 && exit 7\ntouch "{tmp_path}/used"\nexec {" ".join(command)} "$@"\n')
    script.chmod(0o755)
    with Loader(pool, batch_size=2, restart=True, command=[str(script)], **FAST) as loader:
        batches = iter(loader)
        next(batches)
        kill_server(loader)
        with pytest.raises(NemosaicError, match="worn out"):
            for _ in batches:
                pass


CLIENT = """
import sys, time
from nemosaic import Loader
loader = Loader(sys.argv[1], batch_size=2, size=48, settings={"preset": "random"}, framework="numpy", dtype="uint8")
batches = iter(loader)
next(batches)
print(loader._connection().welcome["pid"], loader._connection().uses_shared_memory, flush=True)
time.sleep(60)
"""


def start_client(pool):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    client = subprocess.Popen([sys.executable, "-c", CLIENT, pool], stdout=subprocess.PIPE, text=True, env=env)
    pid, shares = client.stdout.readline().split()
    assert shares == "True"
    return client, int(pid)


@pytest.mark.parametrize("round_", range(3))
def test_a_killed_client_leaves_no_process_socket_or_memory(pool, tmp_path_factory, round_):
    client, server = start_client(pool)
    assert is_alive(server)
    client.kill()
    client.wait()
    client.stdout.close()
    eventually(lambda: not is_alive(server), "the server outlives its owner")
    assert shared_memory() == []
    eventually(lambda: not os.listdir(os.environ["XDG_RUNTIME_DIR"]), "a socket is left")


def answers(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def test_when_both_are_killed_the_next_start_removes_the_socket(pool):
    client, server = start_client(pool)
    os.kill(server, signal.SIGSTOP)  # so that it cannot tidy up
    client.kill()
    client.wait()
    client.stdout.close()
    os.kill(server, signal.SIGKILL)
    folder = os.path.join(os.environ["XDG_RUNTIME_DIR"], os.listdir(os.environ["XDG_RUNTIME_DIR"])[0])
    (name,) = os.listdir(folder)
    eventually(lambda: not answers(os.path.join(folder, name)), "the killed server still listens")
    assert os.listdir(folder) == [name], "the test must have left a dead socket"
    with Loader(pool, **FAST):
        assert len(os.listdir(folder)) == 1
    assert not os.path.exists(folder)


def test_a_client_that_joined_and_dies_frees_its_slots(pool, monkeypatch):
    # Without tiles: their files stay open for the clients that come.
    with Loader(pool, batch_size=2, server_options=["--tiles", "off"], **FAST) as owner:
        path = owner._stream.server.path
        server = owner._connection().welcome["pid"]
        before = len(os.listdir(f"/proc/{server}/fd"))
        for _ in range(3):
            monkeypatch.setenv("NEMOSAIC_SOCKET", path)
            client, _ = start_client(pool)
            monkeypatch.delenv("NEMOSAIC_SOCKET")
            assert len(os.listdir(f"/proc/{server}/fd")) > before
            client.kill()
            client.wait()
            client.stdout.close()
            eventually(lambda: len(os.listdir(f"/proc/{server}/fd")) <= before, "descriptors of a dead client stay open")
        assert is_alive(server)
        assert len(list(owner)) == len(owner)


def test_a_finished_script_ends_its_server(pool):
    done = run_script(CLIENT.replace("time.sleep(60)", ""), pool)
    server = int(done.stdout.split()[0])
    eventually(lambda: not is_alive(server), "the server outlives the script")


def test_a_script_that_fails_ends_its_server(pool):
    done = run_script(CLIENT.replace("time.sleep(60)", "raise SystemExit(3)"), pool, check=False)
    assert done.returncode == 3
    eventually(lambda: not is_alive(int(done.stdout.split()[0])), "the server outlives the script")


def test_a_forked_child_keeps_nothing_of_its_parent_open(pool):
    script = """
import json, os, sys, time
from nemosaic import Loader, NemosaicError
loader = Loader(sys.argv[1], batch_size=2, size=48, settings={"preset": "random"}, framework="numpy")
next(iter(loader))
child = os.fork()
if child == 0:
    try:
        next(iter(loader))
    except NemosaicError as error:
        print(json.dumps([error.code, str(error)]), flush=True)
    time.sleep(30)
    os._exit(0)
time.sleep(1)
print(loader._connection().welcome["pid"], child, flush=True)
os._exit(0)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    parent = subprocess.Popen([sys.executable, "-c", script, pool], stdout=subprocess.PIPE, text=True, env=env)
    code, says = json.loads(parent.stdout.readline())
    assert code == "usage" and "MosaicDataset" in says
    server, child = map(int, parent.stdout.readline().split())
    parent.wait()
    assert is_alive(child)
    eventually(lambda: not is_alive(server), "a forked child keeps the server alive")
    os.kill(child, signal.SIGKILL)
    parent.stdout.close()


def test_a_forked_child_is_told_even_where_the_parent_held_a_lock_when_it_forked(pool):
    loader = Loader(pool, batch_size=2, **FAST)
    try:
        connection = loader._holder.connection(renew=False)
        held, over = threading.Event(), threading.Event()

        def hold():  # as the reading thread may, at that very moment
            with connection._state:
                held.set()
                over.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            told = 1
            try:
                connection.submit(0, [0], ["keys"])
            except NemosaicError as error:
                told = 0 if "forked" in str(error) else 2
            os._exit(told)
        over.set()
        thread.join()
        _, status = os.waitpid(child, 0)
        assert status == 0
    finally:
        loader.close()


def test_a_dataset_says_when_its_server_is_gone_and_goes_on_with_restart(pool):
    for restart in (False, True):
        dataset = MosaicDataset(pool, size=48, preset="random", framework="numpy", restart=restart)
        dataset.set_epoch(0)
        image, words, mask = dataset[3]
        os.kill(dataset._connection().welcome["pid"], signal.SIGKILL)
        if restart:
            again = dataset[3]
            assert (again[0] == image).all() and (again[1] == words).all() and (again[2] == mask).all()
        else:
            with pytest.raises(ServerGone, match="with restart=True the run continues"):
                dataset[3]
        dataset.close()
