"""kill -9 of the server and of clients, many times, while a training loop runs: nothing is lost, nothing is left.

    python kill_loop.py POOL --rounds 50

Each round kills the server of a loop with restart=True at a random moment, and kills a client that owns a server. At
the end: samples as in an undisturbed run, no process, no socket, nothing in /dev/shm.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

from nemosaic import Loader

OPTIONS = dict(batch_size=2, size=48, settings={"preset": "random"}, framework="numpy", dtype="uint8")

CLIENT = """
import sys
from nemosaic import Loader
loader = Loader(sys.argv[1], batch_size=2, size=48, settings={"preset": "random"}, framework="numpy", dtype="uint8")
print(loader._connection().welcome["pid"], flush=True)
while True:
    for batch in loader: pass
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    runtime = tempfile.mkdtemp(prefix="kills-")
    os.environ["XDG_RUNTIME_DIR"] = runtime
    before = set(os.listdir("/dev/shm"))
    print(kill_servers(args.pool, args.rounds, chance))
    print(kill_clients(args.pool, args.rounds, chance))
    assert os.listdir(runtime) == [], os.listdir(runtime)
    left = [name for name in set(os.listdir("/dev/shm")) - before if "nemosaic" in name]
    assert left == [], left
    os.rmdir(runtime)
    print("nothing is left")


def kill_servers(pool, rounds, chance):
    """One loop over epochs; its server is killed `rounds` times."""
    expected = {}
    with Loader(pool, **OPTIONS) as loader:
        for epoch in range(3):
            expected[epoch] = [(batch.indices, batch.image.tobytes()) for batch in loader]
    killed = []
    stop = threading.Event()
    progress = threading.Event()
    with Loader(pool, restart=True, **OPTIONS) as loader:

        def killer():
            while len(killed) < rounds and not stop.is_set():
                time.sleep(chance.uniform(0.0, 0.15))
                pid = loader._stream.server.pid
                if pid is not None and pid not in killed and alive(pid):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    # Now and then while the next one starts; else after a batch, however slow the machine, or no loop could get on.
                    if chance.random() < 0.7:
                        progress.clear()
                        while not progress.wait(0.05) and not stop.is_set():
                            pass

        thread = threading.Thread(target=killer)
        thread.start()
        passes = 0
        try:
            while thread.is_alive():
                epoch = passes % 3
                loader.set_epoch(epoch)
                seen = []
                for batch in loader:
                    seen.append((batch.indices, batch.image.tobytes()))
                    progress.set()
                    time.sleep(0.05)
                assert seen == expected[epoch], "a killed server changed the samples"
                passes += 1
        finally:
            stop.set()
            thread.join()
    until = time.monotonic() + 5
    while any(alive(pid) for pid in killed) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [pid for pid in killed if alive(pid)]
    return f"killed {len(killed)} servers during {passes} epochs: all samples as in an undisturbed run"


def kill_clients(pool, rounds, chance):
    longest = 0.0
    for _ in range(rounds):
        client = subprocess.Popen([sys.executable, "-c", CLIENT, pool], stdout=subprocess.PIPE, text=True)
        server = int(client.stdout.readline())
        time.sleep(chance.uniform(0.0, 0.2))
        client.kill()
        client.wait()
        client.stdout.close()
        began = time.monotonic()
        while alive(server):
            assert time.monotonic() - began < 5, "a server outlives its owner"
            time.sleep(0.005)
        longest = max(longest, time.monotonic() - began)
    return f"killed {rounds} clients: their servers ended within {longest:.2f} s"


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    main()
