"""The order of an epoch, ranks, and the command's own order."""

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nemosaic._order import RankOrder, epoch_order, philox4x32

WORLDS = (1, 2, 4, 8)


def words(counter, key):
    blocks = philox4x32(tuple(np.array([word], dtype=np.uint64) for word in counter), key)
    return [int(block[0]) for block in blocks]


def test_philox_gives_the_known_answers_of_random123():
    ones = 0xFFFFFFFF
    assert words((0, 0, 0, 0), (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert words((ones,) * 4, (ones, ones)) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    digits = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert words(digits, (0xA4093822, 0x299F31D0)) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


@pytest.mark.parametrize("seed, epoch, length", [(0, 0, 1), (0, 0, 1000), (1, 3, 257), (2**53 - 1, 2**32 - 1, 64)])
def test_the_order_is_the_commands(command, seed, epoch, length):
    main = Path(command[-1]).resolve()
    kernels = main.parents[1] / "kernels" / "index.js"
    if not kernels.exists():
        pytest.skip("did not run: the command is not a built checkout")
    script = f"import {{ epochOrder }} from {json.dumps(str(kernels))}; console.log(JSON.stringify([...epochOrder({seed}, {epoch}, {length})]))"
    node = command[0] if len(command) > 1 else "node"
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert epoch_order(seed, epoch, length).tolist() == json.loads(done.stdout)


def test_orders_are_permutations_that_differ_between_epochs_and_seeds():
    orders = [epoch_order(seed, epoch, 500).tolist() for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order) == list(range(500))
    assert len({tuple(order) for order in orders}) == 4
    assert epoch_order(0, 0, 0).tolist() == []


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("length", [64, 67, 5])
def test_ranks_follow_the_rule_of_distributed_sampler(world, length):
    """Against PyTorch's own sampler, with our permutation in place of torch.randperm."""
    torch = pytest.importorskip("torch")
    from torch.utils.data.distributed import DistributedSampler

    order = epoch_order(3, 1, length)
    original = torch.randperm
    try:
        torch.randperm = lambda n, generator=None: torch.from_numpy(order.copy())
        for rank in range(world):
            theirs = list(DistributedSampler(range(length), num_replicas=world, rank=rank, shuffle=True))
            ours = RankOrder(length, 3, rank, world, "pad", order)
            mine = [int(index) for step in range(ours.steps) for index in ours.batch(step)]
            assert mine == theirs
    finally:
        torch.randperm = original


@pytest.mark.parametrize("tail", ["pad", "drop", "keep"])
@pytest.mark.parametrize("length", [1, 7, 64, 131])
def test_no_sample_is_lost_or_given_twice_over_ranks(tail, length):
    order = epoch_order(0, 0, length)
    for world in WORLDS:
        batch = 8 // world
        ranks = [RankOrder(length, batch, rank, world, tail, order) for rank in range(world)]
        seen = [int(index) for rank in ranks for step in range(rank.steps) for index in rank.batch(step)]
        if tail == "keep":
            assert sorted(seen) == list(range(length))
        if tail == "pad":
            assert set(seen) == set(range(length)) and len(seen) == world * math.ceil(length / world)
            assert len({rank.steps for rank in ranks}) == 1
        if tail == "drop":
            assert len(seen) == len(set(seen)) == length // 8 * 8
        for step in range(length // 8):
            together = sorted(int(index) for rank in ranks for index in rank.batch(step))
            assert together == sorted(order[step * 8 : step * 8 + 8].tolist()), "a global batch is the same at any world size"
