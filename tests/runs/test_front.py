"""The Pareto front against its definition, written out with loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.errors import ModelError, UsageError
from tinynas.runs import (
    OBJECTIVES,
    Evaluation,
    State,
    Trial,
    checked_objectives,
    front,
    latest,
    objective_values,
    undominated,
)

SPACE = SearchSpace.for_input((8, 8, 1), 3)
MANY = [SPACE.random_architecture(np.random.default_rng(seed)) for seed in range(12)]
small = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=12)


def _trial(number, score, architecture=None, rung=0, fidelity="proxy", **footprint):
    from dataclasses import replace

    architecture = architecture or MANY[number]
    scores = Scores(score, score, score, score)
    measured = replace(footprint_of(architecture), **footprint)
    evaluation = Evaluation(State.COMPLETE, measured, (), (FoldScores(scores, scores),), fidelity=fidelity, rung=rung)
    return Trial(number, 0, None, architecture, evaluation)


@given(small)
def test_undominated_is_what_nothing_beats(rows):
    found = undominated(np.array(rows, dtype=float))
    for i, a in enumerate(rows):
        assert found[i] == (not any(b != a and all(x <= y for x, y in zip(b, a, strict=True)) for b in rows))


@given(small)
def test_the_front_is_what_none_dominates(rows):
    trials = [_trial(n, -a / 10, params=b, macs=c) for n, (a, b, c) in enumerate(rows)]
    names = ("accuracy", "params", "macs")
    expected = {
        n
        for n, a in enumerate(rows)
        if not any(b != a and all(x <= y for x, y in zip(b, a, strict=True)) for b in rows)
    }
    assert {trial.number for trial in front(trials, names)} == expected


def test_it_is_sorted_by_accuracy_and_holds_the_best():
    trials = [_trial(n, score, params=100 * n) for n, score in enumerate((0.5, 0.7, 0.6, 0.9))]
    assert [trial.number for trial in front(trials, ("accuracy", "params"))] == [3, 1, 0]


def test_values_are_measured_bytes_and_figures():
    trial = _trial(0, 0.75)
    footprint = trial.evaluation.footprint
    expected = [-0.75, footprint.arena.minimum, footprint.flash.model, 1.0, footprint.macs, footprint.params]
    assert objective_values([trial], OBJECTIVES).tolist() == [expected]
    assert objective_values([], ("accuracy", "ram")).shape == (0, 2)


def test_an_architecture_stands_with_its_trial_of_most_training():
    first, promoted = _trial(0, 0.9), _trial(5, 0.8, MANY[0], rung=1)
    finalist = _trial(7, 0.7, MANY[0], fidelity="full")
    failed = Trial(8, 1, 0, MANY[0], Evaluation(State.FAILED, error="no", rung=2))
    other = _trial(1, 0.1)
    assert latest([first, other, promoted]) == (promoted, other)
    assert latest([promoted, other, first]) == (promoted, other)
    assert latest([first, other, promoted, finalist, failed]) == (finalist, other)
    assert latest([failed]) == ()
    assert [trial.number for trial in front([first, promoted, finalist], ("accuracy",))] == [7]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("accuracy", "size"), "no objective 'size'"),
        (("accuracy", "ram", "ram"), "twice"),
        (("ram",), "leave out accuracy"),
        ((), "leave out accuracy"),
    ],
)
def test_objectives_that_make_no_sense_say_why(names, message):
    with pytest.raises(UsageError, match=message):
        checked_objectives(names)


def test_a_value_that_is_not_known_is_an_error():
    with pytest.raises(ModelError, match="latency of trial 3 is not known"):
        front([_trial(3, 0.5, latency_ms=None)], ("accuracy", "latency"))
