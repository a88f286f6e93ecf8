"""How long trainings are: by the size of the data, and never too few steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.data import Dataset
from tinynas.training.schedule import Lengths, Schedule, batching, usual_folds

SMALL = {"samples": 85, "values": 119 * 6, "n_folds": 5}


@pytest.mark.parametrize(
    ("shape", "n", "proxy", "full"),
    [
        ((28, 28), 60_000, (1, 6_000, 2), (48_000, 5)),
        ((8, 8), 1_500, (1, 1_200, 30), (1_200, 60)),
        ((8, 8), 537, (5, 430, 30), (430, 80)),
    ],
)
def test_schedules_follow_the_size_of_the_data(shape, n, proxy, full):
    x = np.zeros((n, *shape), np.uint8)
    x[:, 0, 0] = np.arange(n) % 200
    lengths = Lengths.of(Dataset.from_arrays(x, np.arange(n) % 10, x[:10], np.arange(10)), 5)
    assert lengths.proxy() == Schedule(*proxy)
    assert lengths.full() == Schedule(5, *full)
    assert lengths.full().visits == 5 * full[0] * full[1]
    assert lengths.final(timed=True) >= lengths.final() >= 4


@given(st.integers(0, 3), st.integers(2, 4), st.floats(1.0, 5.0), st.integers(200, 40_000))
def test_a_rung_sees_so_many_times_the_samples_of_the_one_below(rung, reduction, stretch, n):
    lengths = Lengths(n, 4, 5, reduction)
    proxy, schedule = lengths.proxy(), lengths.proxy(rung, stretch)
    assert schedule.folds == proxy.folds == (5 if 0.2 * n < 249.5 else 1)
    assert proxy.samples <= schedule.samples <= round(0.8 * n)
    assert schedule.visits == pytest.approx(
        proxy.visits * reduction**rung * stretch, abs=(0.5 * schedule.samples + 1) * schedule.folds
    )


@given(st.integers(4, 5_000), st.integers(1, 5_000), st.integers(2, 10), st.integers(1, 256), st.integers(1, 4))
def test_however_few_the_samples_there_are_steps_enough(samples, values, n_folds, batch_size, replicas):
    lengths = Lengths(samples, values, n_folds, batch_size=batch_size, replicas=replicas)
    for schedule, least in ((lengths.proxy(), 120), (lengths.full(), 480)):
        assert schedule.epochs * batching(schedule.samples, batch_size)[2] >= least
    for timed in (False, True):
        assert lengths.final(timed) * batching(samples, batch_size, replicas)[2] >= 1_500
    old = Lengths(samples, values, n_folds, batch_size=batch_size, replicas=replicas, least=False)
    assert old.proxy().epochs <= min(30, lengths.proxy().epochs)
    assert old.full().epochs <= min(60, lengths.full().epochs)
    assert old.final() <= min(60, lengths.final())


def test_eighty_five_windows_are_trained_and_not_just_looked_at():
    """One step an epoch: 30, 60 and 60 epochs, as version 0.1.0 had it, are no training."""
    lengths, old = Lengths(**SMALL), Lengths(**SMALL, least=False, small_sets=False)
    assert (old.proxy(), old.full(), old.final()) == (Schedule(1, 68, 30), Schedule(5, 68, 60), 60)
    assert (lengths.proxy(), lengths.full(), lengths.final()) == (Schedule(5, 68, 120), Schedule(5, 68, 480), 1_500)


def test_where_a_fold_scores_too_few_all_folds_are_trained():
    """108 samples are a standard error of 4.7 points: the windows of 537 are scored on all of them."""
    assert [Lengths(n, 784, 5).proxy().folds for n in (100, 537, 1_245, 1_250, 60_000)] == [5, 5, 5, 1, 1]
    assert [Lengths(n, 784, 3).proxy(2, 4.0).folds for n in (100, 537, 750)] == [3, 3, 1]
    assert Lengths(537, 784, 5, small_sets=False).proxy().folds == 1  # a search that began before


def test_samples_that_belong_together_count_by_their_groups():
    """3,193 windows of 98 recordings are scored on all of them: 19 recordings a fold say little."""
    groups = (None, 98, 499, 500)
    assert [Lengths(3_193, 600, 5, groups=each).proxy().folds for each in groups] == [1, 5, 5, 1]
    assert Lengths(3_193, 600, 5, groups=98, small_sets=False).proxy().folds == 1  # a search that began before


def _grouped(n, n_groups):
    x = np.random.default_rng(0).random((n, 4, 4))
    y = np.arange(n) % n_groups % 2
    groups = None if n_groups == n else np.arange(n) % n_groups
    return Dataset.from_arrays(x, y, x[:10], y[:10], groups=groups, groups_test=None if groups is None else groups[:10])


@pytest.mark.parametrize(
    ("n", "n_groups", "folds"), [(1_500, 40, 3), (1_500, 600, 5), (1_500, 1_500, 5), (1_500, 4, 2), (300, 40, 5)]
)
def test_few_groups_have_three_folds_and_all_of_them_are_trained(n, n_groups, folds):
    data = _grouped(n, n_groups)
    assert usual_folds(data, 5) == folds
    assert Lengths.of(data, folds).groups == (None if n_groups == n else n_groups)
    assert Lengths.of(data, folds).proxy().folds == (1 if n_groups >= 600 else folds)


def test_large_data_are_trained_as_before():
    for samples, values in ((60_000, 784), (4_000, 40), (3_193, 600), (2_354, 784)):
        lengths, old = Lengths(samples, values, 5), Lengths(samples, values, 5, least=False)
        for rung in range(3):
            assert lengths.proxy(rung, 1.67) == old.proxy(rung, 1.67)
        assert lengths.full() == old.full()
        assert lengths.final() == old.final()


@given(st.integers(1, 2_000), st.integers(1, 128), st.integers(1, 4))
def test_a_batch_is_even_shares_and_fits(samples, batch_size, replicas):
    found, batch, steps = batching(samples, batch_size, replicas)
    assert 1 <= found <= replicas
    assert batch % found == 0
    assert batch <= min(samples, batch_size * found)
    assert steps * batch <= samples < (steps + 1) * batch


@given(st.integers(0, 9), st.integers(0, 10**6), st.integers(0, 300))
def test_a_schedule_is_read_back_as_is_that_of_0_1_0(folds, samples, epochs):
    schedule = Schedule(folds, samples, epochs)
    assert Schedule.from_dict(schedule.to_dict()) == schedule
    assert Schedule.from_dict([folds, epochs, samples]) == schedule
