"""Memory that is used again must never be memory that somebody still holds."""

import gc

import numpy as np
import pytest

from nemosaic._memory import Memory


def address(array):
    return array.__array_interface__["data"][0]


def holders():
    """Ways in which a program keeps a part of a batch, and drops the rest."""
    yield "the array", lambda array: array
    yield "a view of a view", lambda array: array[8:].reshape(-1, 8).T[3:5, 1:]
    yield "an array of another type", lambda array: array.view(np.float32)[4:]
    torch = pytest.importorskip("torch")
    yield "a tensor", lambda array: torch.from_numpy(array)
    yield "a tensor's slice", lambda array: torch.from_numpy(array.view(np.float32).reshape(2, -1)).permute(1, 0)[1:]
    yield "a parameter's data", lambda array: torch.nn.Parameter(torch.from_numpy(array.view(np.float32)))


def test_memory_is_lent_again_when_nothing_holds_it_any_more():
    for what, hold in holders():
        memory = Memory()
        first = memory.lend(6400)
        assert address(first) % 64 == 0
        first[:] = 7
        held = hold(first)
        place = address(first)
        del first
        gc.collect()
        second = memory.lend(6400)
        assert address(second) != place, what
        second[:] = 9
        content = held.detach().numpy() if hasattr(held, "detach") else held
        assert set(np.ascontiguousarray(content).view(np.uint8).reshape(-1).tolist()) == {7}, what
        del held, content
        gc.collect()
        assert address(memory.lend(6400)) == place, what


def test_memory_keeps_few_blocks_and_none_of_another_length():
    memory = Memory()
    many = [memory.lend(1000) for _ in range(9)]
    assert len({address(array) for array in many}) == 9
    many.clear()
    gc.collect()
    assert len(memory._free) <= 4
    assert memory.lend(2000).shape == (2000,)
    assert memory.lend_floats(2, 3, 5).dtype == np.float32
    assert memory.lend(0).shape == (0,)
