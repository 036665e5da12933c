"""Loader: ranks, resuming, prefetching, errors."""

import json
import os
import pickle
import warnings

import numpy as np
import pytest
from conftest import run_script

import nemosaic
from nemosaic import Loader, NemosaicError

FAST = dict(size=48, settings={"preset": "random"}, framework="numpy", dtype="uint8")
WORLDS = (1, 2, 4, 8)


def content(batch):
    """What makes a batch: its samples and their bytes."""
    return [(index, batch.key[at], batch.image[at].tobytes(), batch.mask[at].tobytes()) for at, index in enumerate(batch.indices)]


def epoch_of(pool, world, drop_last=False, epoch=0, **options):
    """The global batches of an epoch: a set of samples for each step."""
    ranks = []
    for rank in range(world):
        with Loader(pool, batch_size=8 // world, rank=rank, world_size=world, drop_last=drop_last, **FAST, **options) as loader:
            loader.set_epoch(epoch)
            batches = [content(batch) for batch in loader]
            assert len(batches) == len(loader)
            ranks.append(batches)
    assert len({len(batches) for batches in ranks}) == 1
    return [sorted(sum((batches[step] for batches in ranks), [])) for step in range(len(ranks[0]))]


def test_every_world_size_sees_the_same_global_batches(pool, warm):
    reference = epoch_of(pool, 1, drop_last=True)
    assert len(reference) >= 2
    samples = [sample[0] for batch in reference for sample in batch]
    assert len(samples) == len(set(samples))
    for world in WORLDS[1:]:
        assert epoch_of(pool, world, drop_last=True) == reference


def test_without_drop_last_nothing_is_lost_and_only_padding_repeats(pool, warm):
    for world in WORLDS:
        indices = [sample[0] for batch in epoch_of(pool, world) for sample in batch]
        with Loader(pool, **FAST) as loader:
            assert set(indices) == set(range(loader.samples))
            assert len(indices) - loader.samples < world


def test_validation_over_ranks_gives_each_sentence_exactly_once(pool, warm):
    seen = []
    for rank in range(4):
        with Loader(pool, batch_size=2, split="val", rank=rank, world_size=4, **FAST) as loader:
            seen += [key for batch in loader for key in batch.key]
            samples = loader.samples
    assert len(seen) == len(set(seen)) == samples


@pytest.mark.parametrize("after", WORLDS)
def test_an_epoch_resumes_at_any_step_and_world_size(pool, warm, after):
    whole = epoch_of(pool, 2, drop_last=True, epoch=1)
    for step in range(len(whole)):
        with Loader(pool, batch_size=4, rank=1, world_size=2, drop_last=True, **FAST) as loader:
            loader.set_epoch(1)
            batches = iter(loader)
            for _ in range(step):
                next(batches)
            state = json.loads(json.dumps(loader.state_dict()))
        ranks = []
        for rank in range(after):
            with Loader(pool, batch_size=8 // after, rank=rank, world_size=after, drop_last=True, **FAST) as loader:
                loader.load_state_dict(state)
                assert loader.epoch == 1
                loader.set_epoch(loader.epoch)
                ranks.append([content(batch) for batch in loader])
                assert loader.epoch == 2, "at the end of an epoch the next one follows"
        rest = [sorted(sum((batches[at] for batches in ranks), [])) for at in range(len(ranks[0]))]
        assert rest == whole[step:]


def test_a_state_counts_batches_given_not_batches_made_ahead(pool, warm):
    with Loader(pool, batch_size=2, num_prefetch=4, **FAST) as loader:
        batches = iter(loader)
        assert loader.state_dict()["samples"] == 0
        next(batches)
        assert loader.state_dict()["samples"] == 2
        batches.close()
        loader.set_epoch(0)
        assert [batch.indices for batch in loader][0] == loader._order(0).batch(0).tolist(), "a chosen epoch begins anew"
        assert loader.state_dict() == {**loader.state_dict(), "epoch": 1, "samples": 0}


def test_an_epoch_is_over_when_its_last_batch_is_handed_out(pool, warm):
    """Trainers that count batches (Lightning) never ask for the one after the last."""
    with Loader(pool, batch_size=4, **FAST) as loader:
        seen = []
        for epoch in range(3):
            batches = iter(loader)
            for _ in range(len(loader)):
                batch = next(batches)
                assert batch.epoch == epoch
            assert loader.epoch == epoch + 1
            state = loader.state_dict()
            assert (state["epoch"], state["samples"]) == (epoch + 1, 0)
            seen.append(content(batch))
        assert len({repr(last) for last in seen}) == 3
        with Loader(pool, batch_size=4, **FAST) as resumed:
            resumed.load_state_dict(json.loads(json.dumps(state)))
            assert [batch.epoch for batch in resumed] == [3] * len(loader), "the next epoch, and not an empty one"
            old = {**state, "epoch": 2, "samples": len(loader) * 4}
            resumed.load_state_dict(old)
            assert resumed.epoch == 3, "states of before said where the last batch ended"


def test_a_pass_that_was_left_early_is_not_repeated(pool, warm):
    """A trainer's limit of batches, or a loop with break."""
    with Loader(pool, batch_size=4, **FAST) as loader:
        assert [next(iter(loader)).epoch for _ in range(3)] == [0, 1, 2]
        assert loader.epoch == 2 and loader.state_dict()["samples"] == 4
        loader.set_epoch(2)
        assert next(iter(loader)).epoch == 2, "unless somebody says which epoch"
        loader.sampler.set_epoch(7)
        assert next(iter(loader)).epoch == 7
        for batch in loader:
            break
        assert batch.epoch == 8


@pytest.mark.parametrize(
    "change, says",
    [
        ({"seed": 1}, r"another seed \(0 then, 1 now\)"),
        ({"settings": {"preset": "random", "mosaic": {"gamma": 0.25}}}, r"another setting \(mosaic.gamma 0.5 then, 0.25 now\)"),
        ({"batch_size": 5}, "no whole number"),
        ({"split": "val"}, r"another split \(train then, val now\)"),
        ({"epochs": 9, "shuffle": False}, "another shuffle"),
        ({"shuffle": False}, r"another shuffle \(True then, False now\)"),
    ],
)
def test_a_state_of_another_stream_is_refused(pool, warm, change, says):
    with Loader(pool, batch_size=2, **FAST) as loader:
        batches = iter(loader)
        next(batches)
        state = loader.state_dict()
    with Loader(pool, **{"batch_size": 2, **FAST, **change}) as other:
        with pytest.raises(NemosaicError, match=says):
            other.load_state_dict(state)


def test_a_training_is_made_longer_unless_its_last_epochs_are_others(pool, warm):
    for plain, fits in ((0, True), (1, False)):
        settings = {"preset": "random", "schedule": {"plainLast": plain}}
        with Loader(pool, batch_size=2, epochs=4, **{**FAST, "settings": settings}) as loader:
            state = loader.state_dict()
        with Loader(pool, batch_size=2, epochs=5, **{**FAST, "settings": settings}) as longer:
            if fits:
                longer.load_state_dict(state)
            else:
                with pytest.raises(NemosaicError, match=r"another setting \(schedule.epochs 4 then, 5 now\)"):
                    longer.load_state_dict(state)


def test_a_state_of_another_pool_is_refused(pool, scenes_pool):
    with Loader(pool, batch_size=2, **FAST) as loader:
        state = loader.state_dict()
    with Loader(scenes_pool, batch_size=2, **FAST) as other, pytest.raises(NemosaicError, match="another pool, or this one was imported"):
        other.load_state_dict(state)


def test_a_state_that_is_none_is_told(pool, warm):
    with Loader(pool, batch_size=8, **FAST) as loader, pytest.raises(NemosaicError, match="without epoch, global_batch, .*identity"):
        loader.load_state_dict({"version": 1, "samples": 0})


def test_a_request_of_no_numbers_costs_no_credit(pool, warm):
    with Loader(pool, batch_size=8, **FAST) as loader:
        connection = loader._holder.connection(renew=False)
        for _ in range(3):
            with pytest.raises((TypeError, ValueError)):
                connection.submit(0, ["first"], ["image"])
        assert connection.under_way == 0


def test_epochs_differ_and_seeds_differ_and_repeats_agree(pool, warm):
    def first(epoch, seed):
        with Loader(pool, batch_size=8, seed=seed, **FAST) as loader:
            loader.set_epoch(epoch)
            return content(next(iter(loader)))

    assert first(0, 0) == first(0, 0)
    assert first(0, 0) != first(1, 0)
    assert first(0, 0) != first(0, 1)


def test_batch_size_does_not_change_samples(pool, warm):
    def samples(batch_size):
        with Loader(pool, batch_size=batch_size, **FAST) as loader:
            return sorted(sum((content(batch) for batch in loader), []))

    assert samples(3) == samples(7)


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


def test_epochs_are_what_the_schedule_counts_back_from(pool, warm):
    plain = {"preset": "random", "mosaic": {"gamma": 1}, "schedule": {"plainLast": 1, "epochs": 100}}
    with Loader(pool, batch_size=64, plans=True, epochs=2, **{**FAST, "settings": plain}) as loader:
        assert loader.settings["schedule"]["epochs"] == 2
        kinds = [{plan["kind"] for plan in batch.plan} for _ in range(2) for batch in loader]
    assert kinds == [{"random"}, {"single"}]


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


def test_an_epoch_too_small_for_the_global_batch_warns(pool):
    with pytest.warns(UserWarning, match="an epoch is empty"):
        loader = Loader(pool, batch_size=1000, drop_last=True, **FAST)
    assert len(loader) == 0 and list(loader) == []
    loader.close()


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
