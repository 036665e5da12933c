"""From `Loader(...)` to its first batch, and the memory that it takes: one process, or the ranks of one machine.

    python bench/first_batch.py POOL [--ranks 8] [--batch-size 64]

Prints JSON: seconds of each rank, core seconds of the server until then (which other work on the machine hardly changes), servers, the server's memory now and at most (VmRSS, VmHWM) and what of it is its own
(RssAnon: pages of tiles and mined columns are the system's cache), in MB.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from nemosaic import Loader  # noqa: E402


def memory_of(pid):
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {name: round(int(fields[name].split()[0]) / 1000) for name in ("VmRSS", "VmHWM", "RssAnon")}


def core_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one(pool, batch_size):
    began = time.perf_counter()
    with Loader(pool, batch_size=batch_size, framework="numpy", dtype="uint8") as loader:
        batch = next(iter(loader))
        seconds = time.perf_counter() - began
        assert len(batch) == batch_size
        server = loader._welcome["pid"]
        print(json.dumps({"seconds": round(seconds, 2), "core": core_seconds(server), "server": server}), flush=True)
        sys.stdin.readline()  # rank 0 owns the server: it stays until all have their batch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pool")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--alone", action="store_true")
    args = parser.parse_args()
    if args.alone:
        return one(args.pool, args.batch_size)
    words = [sys.executable, __file__, args.pool, "--alone", "--batch-size", str(args.batch_size)]
    group = {"WORLD_SIZE": str(args.ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(os.getpid())}
    ranks = []
    for rank in range(args.ranks):
        env = {**os.environ, **({} if args.ranks == 1 else {**group, "RANK": str(rank), "LOCAL_RANK": str(rank)})}
        ranks.append(subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    answers = [json.loads(rank.stdout.readline()) for rank in ranks]
    memory = memory_of(answers[0]["server"])
    for rank in reversed(ranks):
        rank.communicate("\n")
    print(
        json.dumps(
            {
                "ranks": args.ranks,
                "seconds": [answer["seconds"] for answer in answers],
                "coreSeconds": max(answer["core"] for answer in answers),
                "servers": len({answer["server"] for answer in answers}),
                "memory": memory,
            }
        )
    )


if __name__ == "__main__":
    main()
