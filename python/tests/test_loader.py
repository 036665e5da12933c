"""Loader: prefetching, how batches travel, servers, errors."""

import json
import os
import pickle
import warnings

import numpy as np
import pytest
from conftest import FAST, content, run_script

import nemosaic
from nemosaic import Loader, NemosaicError


def test_a_request_of_no_numbers_costs_no_credit(pool, warm):
    with Loader(pool, batch_size=8, **FAST) as loader:
        connection = loader._holder.connection(renew=False)
        for _ in range(3):
            with pytest.raises((TypeError, ValueError)):
                connection.submit(0, ["first"], ["image"])
        assert connection.under_way == 0


def test_an_abandoned_pass_does_not_disturb_the_next(pool):
    with Loader(pool, batch_size=2, num_prefetch=3, **FAST) as loader:
        whole = [content(batch) for batch in loader]
        for _ in range(4):
            loader.set_epoch(0)
            for batch in loader:
                assert content(batch) == whole[0]
                break
        loader.set_epoch(0)
        first, second = iter(loader), iter(loader)
        assert [content(next(first)), content(next(second)), content(next(first))] == [whole[0], whole[0], whole[1]]


def test_large_batches_pass_through_the_socket_when_there_is_no_shared_memory(pool, monkeypatch):
    with Loader(pool, batch_size=8, **FAST) as loader:
        shared = loader._connection().uses_shared_memory
        expected = [content(batch) for batch in loader]
    monkeypatch.setattr("nemosaic._client.open_slots", lambda count, size: None)
    with Loader(pool, batch_size=8, **FAST) as loader:
        assert not loader._connection().uses_shared_memory
        assert [content(batch) for batch in loader] == expected
    assert shared, "on Linux batches come through shared memory"


def test_shared_memory_of_another_owner_is_refused_and_the_socket_serves(pool, monkeypatch):
    original = nemosaic._client.open_slots

    def spoilt(count, size):
        slots = original(count, size)
        slots.token = "00" * 32
        return slots

    monkeypatch.setattr("nemosaic._client.open_slots", spoilt)
    with Loader(pool, batch_size=8, **FAST) as loader:
        assert not loader._connection().uses_shared_memory
        assert len([batch for batch in loader]) == len(loader)


def test_slots_fall_back_from_dev_shm_to_memory(monkeypatch):
    from nemosaic import _slots

    monkeypatch.setattr(_slots, "_folder", "/proc/nowhere")
    slots = _slots.open_slots(2, 5000)
    assert slots is not None and slots.slot_bytes == 8192 and os.path.exists(slots.path)
    slots.close()
    monkeypatch.setattr(_slots.os, "posix_fallocate", None)
    assert _slots.open_slots(2, 1 << 60) is None, "refused before anything is reserved"


def test_texts_plans_and_refs_come_along(pool):
    with Loader(pool, batch_size=6, plans=True, **FAST) as loader:
        batch = next(iter(loader))
    assert len(batch) == 6 and batch.image.shape == (6, 3, 48, 48) and batch.tokens.shape == (6, 77)
    assert [plan["text"] for plan in batch.plan] == batch.text
    assert [key.rsplit("/", 1)[0] for key in batch.key] == batch.ref
    assert batch.plan[0]["index"] == batch.indices[0]
    assert pickle.loads(pickle.dumps(batch)).indices == batch.indices


@pytest.mark.parametrize(
    "options, code, says",
    [
        ({"split": "trian"}, "usage", 'Did you mean "train"'),
        ({"settings": {"bnd": {}}}, "settings", "unknown setting"),
        ({"settings": "/nowhere/nemosaic.json"}, "not-found", "cannot read the settings file"),
        ({"preset": "nemoo"}, "usage", "unknown preset"),
        ({"preset": "nemo"}, "incomplete", "run \"nemosaic embed\""),
        ({"batch_size": 0}, "usage", "batch_size of 1 or more, got 0"),
        ({"rank": 2, "world_size": 2}, "usage", "rank 2 of 2"),
        ({"dtype": "float16"}, "usage", "uint8 or float32"),
        ({"normalise": "cilp"}, "usage", "clip, imagenet"),
        ({"size": 3}, "settings", "size"),
        ({"seed": -1}, "usage", r"expected a seed from 0 to 2\*\*53 - 1, got -1"),
        ({"seed": True}, "usage", "a seed from 0 .* got True"),
        ({"seed": 1.5}, "usage", "a seed from 0 .* got 1.5"),
        ({"batch_size": 2.5}, "usage", "batch_size as a whole number of 1 or more, got 2.5"),
        ({"num_prefetch": 0}, "usage", "num_prefetch of 1 to 1024"),
        ({"size": "416px"}, "usage", "size as a whole number"),
        ({"epochs": 0}, "usage", "epochs of 1 or more"),
        ({"tail": "cut"}, "usage", "pad, drop, keep"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(pool, warm, options, code, says):
    with pytest.raises(NemosaicError, match=says) as caught:
        Loader(pool, **{**FAST, **options})
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_a_pool_that_is_none_is_told(command, tmp_path):
    with pytest.raises(NemosaicError, match="expected a pool"):
        Loader(tmp_path / "nothing", **FAST)
    with pytest.raises(NemosaicError, match="pool.json"):
        Loader(tmp_path, **FAST)


def test_a_settings_file_is_read_and_arguments_stand_over_it(pool, tmp_path):
    path = tmp_path / "nemosaic.json"
    path.write_text(json.dumps({"preset": "none", "size": 40, "tokens": {"length": 17}}))
    with Loader(pool, settings=path, framework="numpy") as loader:
        assert loader.size == 40 and next(iter(loader)).tokens.shape[1] == 17
        assert loader.settings["mosaic"]["gamma"] == 0
    with Loader(pool, settings=str(path), size=56, tokens="bert", token_length=20, preset="random", framework="numpy") as loader:
        assert loader.size == 56 and next(iter(loader)).tokens[:, 0].tolist() == [101] * 16
        assert loader.settings["mosaic"]["randomShare"] == 1


def test_the_settings_file_of_the_working_directory_is_read_by_each_loader(pool, warm, tmp_path, monkeypatch):
    """Also where a server runs already that was started in another folder."""
    (tmp_path / "nemosaic.json").write_text(json.dumps({"preset": "random", "mosaic": {"gamma": 0.75}}))
    monkeypatch.chdir(tmp_path)
    with Loader(pool, size=48, framework="numpy") as loader:
        assert loader.settings["mosaic"]["gamma"] == 0.75
    with Loader(pool, size=48, preset="yolov4", framework="numpy") as loader:
        mosaic = loader.settings["mosaic"]
        assert (mosaic["style"], mosaic["gamma"]) == ("yolov4", 0.75), "a preset is what the file's keys change, as for the command"


def test_single_images_at_an_unknown_end_are_warned_of():
    from nemosaic._stream import warn_of_settings

    welcome = {"augmented": True, "resolved": {"schedule": {"plainLast": 9, "epochs": None}}}
    with pytest.warns(UserWarning, match=r"plainLast 9.*pass epochs="):
        warn_of_settings(welcome, stacklevel=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_settings({"augmented": False, "resolved": welcome["resolved"]}, stacklevel=1)
        warn_of_settings({"augmented": True, "resolved": {"schedule": {"plainLast": 9, "epochs": 27}}}, stacklevel=1)


def test_thin_bands_are_warned_of_once_where_the_loader_is_made(scenes_pool):
    thin = {"band": {"tau": -0.99, "tauImage": None}, "tooFew": "single", "mosaic": {"gamma": 1}}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        with Loader(scenes_pool, batch_size=4, plans=True, **{**FAST, "preset": None, "settings": thin}) as loader:
            batches = iter(loader)
            kinds = {plan["kind"] for _ in range(3) for plan in next(batches).plan}
    assert kinds == {"single"}
    lines = [one for one in said if "mosaics asked for" in str(one.message)]
    assert len(lines) == 1 and lines[0].filename == __file__
    assert "only 0 % of the mosaics asked for can be made" in str(lines[0].message) and "nemosaic tune" in str(lines[0].message)


def test_a_server_of_another_pool_is_refused(pool, scenes_pool, tmp_path):
    with Loader(pool, batch_size=2, **FAST) as owner:
        path = owner._stream.server.path
        with pytest.raises(NemosaicError, match="serves another pool") as caught:
            Loader(scenes_pool, socket=path, **FAST)
        assert caught.value.code == "refused" and scenes_pool in str(caught.value)
        with pytest.raises(NemosaicError, match="expected a pool at .*nothing there"):
            Loader(tmp_path / "nothing", socket=path, **FAST)
        with pytest.raises(NemosaicError, match=f'expected a socket at "{tmp_path}", found something else; start it with'):
            Loader(pool, socket=str(tmp_path), **FAST)
        with Loader(pool, socket=path, **FAST) as joined, Loader(None, socket=path, **FAST) as whatever:
            assert joined.identity == whatever.identity == owner.identity
        with pytest.raises(NemosaicError, match="None; that is for a server's own pool"):
            Loader(None, **FAST)


def test_without_the_command_the_error_says_what_to_install(pool, tmp_path):
    script = """
import sys
from nemosaic import Loader, NemosaicError
from nemosaic import _command
_command.__file__ = "/nowhere/python/nemosaic/_command.py"
_command._engine = _command.Path("/nowhere")
try:
    Loader(sys.argv[1], framework="numpy")
except NemosaicError as error:
    print(error.code, error)
"""
    # An empty PATH: some machine may have the command in a folder of its own.
    env = {"PATH": str(tmp_path), "NEMOSAIC_COMMAND": ""}
    cwd = os.getcwd()
    os.chdir(tmp_path)
    try:
        done = run_script(script, pool, env=env)
    finally:
        os.chdir(cwd)
    assert done.stdout.startswith("not-found the nemosaic command is not installed: this is the client alone."), done.stdout
    assert "docs/install.md" in done.stdout and "NEMOSAIC_COMMAND" in done.stdout


def test_a_command_that_fails_is_quoted(pool):
    with pytest.raises(NemosaicError, match="cannot start"):
        Loader(pool, command=["/nowhere/nemosaic"], **FAST)
    with pytest.raises(NemosaicError, match="no such thing"):
        Loader(pool, command=["sh", "-c", "echo no such thing >&2; exit 3"], **FAST)


def test_a_closed_loader_says_so(pool):
    loader = Loader(pool, **FAST)
    loader.close()
    loader.close()
    with pytest.raises(NemosaicError, match="closed"):
        next(iter(loader))


def test_ranks_are_taken_from_the_environment_and_share_one_server(pool, monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_PORT": "29511"}.items():
        monkeypatch.setenv(name, value)
    with Loader(pool, batch_size=4, **FAST) as owner:
        script = """
import json, sys
from nemosaic import Loader
loader = Loader(sys.argv[1], batch_size=4, size=48, settings={"preset": "random"}, framework="numpy", dtype="uint8")
print(json.dumps([loader.rank, loader.world_size, loader._connection().welcome["pid"], [i for b in loader for i in b.indices]]))
"""
        done = run_script(script, pool, env={"RANK": "1", "LOCAL_RANK": "1"})
        rank, world, pid, indices = json.loads(done.stdout)
        assert (rank, world) == (1, 2) and pid == owner._connection().welcome["pid"]
        mine = [index for batch in owner for index in batch.indices]
        assert set(mine) | set(indices) == set(range(owner.samples))
        assert len(set(mine) & set(indices)) <= 1, "only padding repeats"


def test_a_joining_rank_says_what_it_waits_for(pool, monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(nemosaic.ServerGone, match="local rank 0"):
        Loader(pool, timeout=0.3, **FAST)


def test_train_and_val_of_one_process_share_a_server(pool):
    with Loader(pool, **FAST) as train, Loader(pool, split="val", **FAST) as val:
        assert train._connection().welcome["pid"] == val._connection().welcome["pid"]
        assert np.array_equal(next(iter(train)).epoch, 0) and next(iter(val)).truth is not None


def test_torch_distributed_says_rank_and_world_before_the_environment(pool, tmp_path):
    pytest.importorskip("torch.distributed")
    script = """
import sys, torch.distributed as dist
from nemosaic import Loader
dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=0, world_size=1)
with Loader(sys.argv[1], batch_size=2, size=48, preset="random") as loader:
    print(loader.rank, loader.world_size, len(next(iter(loader))))
dist.destroy_process_group()
"""
    done = run_script(script, pool, tmp_path / "store", env={"RANK": "3", "WORLD_SIZE": "8"})
    assert done.stdout.split() == ["0", "1", "2"]


def test_without_torch_batches_are_numpy_and_asking_for_torch_says_so(pool):
    script = """
import sys
sys.modules["torch"] = None
from nemosaic import Loader, MosaicDataset, NemosaicError
with Loader(sys.argv[1], batch_size=2, size=48, preset="random") as loader:
    print(type(next(iter(loader)).image).__name__)
dataset = MosaicDataset(sys.argv[1], size=48, preset="random")
print(*(type(part).__name__ for part in dataset[0]))
dataset.close()
for options in ({"framework": "torch"}, {"device": "cuda"}, {"pin_memory": True}):
    try:
        Loader(sys.argv[1], preset="random", **options)
    except NemosaicError as error:
        print(error)
"""
    lines = run_script(script, pool).stdout.splitlines()
    assert lines[:2] == ["ndarray", "ndarray ndarray ndarray"]
    assert "pip install torch" in lines[2] and "need torch" in lines[3] and "need torch" in lines[4]


def test_server_options_reach_the_server_that_is_started(pool, warm, capfd):
    with Loader(pool, batch_size=4, server_options=["--timing"], **FAST) as loader:
        next(iter(loader))
    said = capfd.readouterr().err
    assert "tokens" in said and "%" in said
    with pytest.raises(NemosaicError, match="unknown option '--no-such'") as wrong:
        Loader(pool, server_options=["--no-such"], **FAST)
    assert wrong.value.code == "usage"
    with pytest.raises(NemosaicError, match="server_options as a list of words"):
        Loader(pool, server_options="--timing", **FAST)
