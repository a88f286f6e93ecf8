"""When a training no longer gains: on made-up losses, and on real ones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.architecture import Architecture, Block, Head
from tinynas.data import Dataset
from tinynas.data.groups import Groups
from tinynas.training.build import build
from tinynas.training.evaluate import REHEARSAL, train_final
from tinynas.training.falling import Falling
from tinynas.training.fit import Recipe, fit
from tinynas.training.keras import seed_everything

NET = Architecture((8, 8, 1), (Block("conv", 8, 3, pool="max"), Block("separable", 8, 3)), Head(), 3)


def _ended(planned, loss_at):
    """The epoch at which a training with these losses is over; the planned one if it never is before."""
    falling = Falling(planned)
    for epoch in range(1, planned + 1):
        if falling.is_due(epoch):
            falling.tell(epoch, loss_at(epoch))
            if falling.is_over:
                return epoch
    return planned


@given(st.integers(10, 3_000))
def test_a_loss_that_falls_to_the_end_ends_nothing(planned):
    assert _ended(planned, lambda epoch: 1 / epoch) == planned


@given(st.integers(10, 3_000), st.floats(0.05, 0.95))
def test_one_that_rises_ends_a_fifth_of_the_plan_later_and_never_in_the_first_half(planned, lowest):
    ended = _ended(planned, lambda epoch: abs(epoch / planned - lowest))
    wanted = min(1.0, max(0.5, lowest + 0.2))
    assert ended / planned == pytest.approx(wanted, abs=0.06 + 2 / planned)
    assert ended >= planned / 2


def test_one_that_jumps_about_is_smoothed():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, 2001)
    assert _ended(2000, lambda epoch: 1 - epoch / 2000 + noise[epoch]) == 2000


def _noise(n):
    """Labels that mean nothing: the longer the training, the worse the loss on samples that it did not see."""
    rng = np.random.default_rng(0)
    return Dataset.from_arrays(rng.random((n, 8, 8)), rng.permutation(np.arange(n) % 3), name="noise")


@pytest.mark.parametrize("learnable", [True, False])
def test_a_training_ends_when_it_only_learns_by_heart(tensorflow, stripes, learnable):
    data = stripes if learnable else _noise(60)
    seed_everything(1)
    told = []
    half = len(data.y) // 2
    rows, held = np.arange(half), np.arange(half, len(data.y))
    epochs = fit(
        build(NET), data.x[rows], data.y[rows], Recipe(200, batch_size=8), 1, told.append,
        held=(data.x[held], data.y[held]),
    )  # fmt: skip
    assert epochs == len(told) == told[-1].epochs
    assert epochs >= 100
    if not learnable:
        assert epochs <= 140  # the middle, and a tenth in which the rate falls


@pytest.mark.parametrize("n", [75, 1300])
def test_the_final_training_ends_when_it_gains_no_more(tensorflow, n):
    """With few samples a rehearsal says when, and all are trained on; with many, five per cent are held out."""
    told = []
    data = _noise(n)
    recipe = Recipe(40 if n == 75 else 20, batch_size=16)
    done = train_final(NET, data, recipe, seed=1, report=told.append, until_flat=True)
    assert recipe.epochs / 2 <= done.epochs <= 0.9 * recipe.epochs
    assert done.judged == {}
    assert told[-1].epoch == told[-1].epochs
    rehearsed = [progress.epoch for progress in told if progress.training]
    assert [progress.epoch for progress in told] == [*rehearsed, *range(1, done.epochs + 1)]
    assert rehearsed == list(range(1, len(rehearsed) + 1))
    train = len(data.y) - (0 if n == 75 else round(0.05 * len(data.y)))
    assert done.trained.visits == done.epochs * train
    assert {progress.training for progress in told} == ({"", REHEARSAL} if n == 75 else {""})


@pytest.mark.parametrize("qat", [False, True])
def test_samples_that_belong_together_are_not_judged_by_one_by_one(tensorflow, qat):
    """Others of their group are trained on, so that their loss would fall for ever: a rehearsal takes whole groups."""
    told, data = [], _noise(1300)
    grouped = replace(data, groups=Groups(tuple(map(str, range(20))), np.arange(len(data.y)) % 20))
    done = train_final(NET, grouped, Recipe(20, batch_size=16), seed=1, report=told.append, until_flat=True, qat=qat)
    assert {"", REHEARSAL} <= {progress.training for progress in told}
    assert 10 <= done.epochs <= 18
    held = round(0.05 * len(data.y)) if qat else 0  # to choose between two files, which have seen the same
    assert done.trained.visits == done.epochs * (len(data.y) - held)


def test_without_being_asked_it_trains_to_the_end(tensorflow):
    assert train_final(NET, _noise(75), Recipe(12, batch_size=16), seed=1).epochs == 12


def test_the_rehearsal_does_not_see_the_test_set(tensorflow, stripes):
    recipe = Recipe(20, batch_size=16)
    done = train_final(NET, stripes, recipe, seed=1, until_flat=True)
    swapped = replace(stripes, y_test=(stripes.y_test + 1) % 3)
    other = train_final(NET, swapped, recipe, seed=1, until_flat=True)
    assert done.trained.tflite == other.trained.tflite
