"""Loader: epochs over ranks, and states to resume from."""

import json

import pytest
from conftest import FAST, content

from nemosaic import Loader, NemosaicError

WORLDS = (1, 2, 4, 8)


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


def test_epochs_are_what_the_schedule_counts_back_from(pool, warm):
    plain = {"preset": "random", "mosaic": {"gamma": 1}, "schedule": {"plainLast": 1, "epochs": 100}}
    with Loader(pool, batch_size=64, plans=True, epochs=2, **{**FAST, "settings": plain}) as loader:
        assert loader.settings["schedule"]["epochs"] == 2
        kinds = [{plan["kind"] for plan in batch.plan} for _ in range(2) for batch in loader]
    assert kinds == [{"random"}, {"single"}]


def test_an_epoch_too_small_for_the_global_batch_warns(pool):
    with pytest.warns(UserWarning, match="an epoch is empty"):
        loader = Loader(pool, batch_size=1000, drop_last=True, **FAST)
    assert len(loader) == 0 and list(loader) == []
    loader.close()
