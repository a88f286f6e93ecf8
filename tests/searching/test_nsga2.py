"""The parts of NSGA-II against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.searching.conftest import footprint_of
from tests.searching.test_strategies import _evaluated
from tinynas.hardware import Limits
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching import NSGA2
from tinynas.searching.nsga2 import crowded_order, crowding, fronts

tables = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=15)


def _dominates(a, b):
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


@given(tables)
def test_fronts_are_peeled_one_by_one(rows):
    left, expected = set(range(len(rows))), []
    while left:
        members = {i for i in left if not any(_dominates(rows[j], rows[i]) for j in left)}
        expected.append(sorted(members))
        left -= members
    assert list(fronts(np.array(rows, dtype=float))) == expected


def test_crowding_by_hand():
    values = np.array([[0.0, 10.0], [1.0, 6.0], [4.0, 5.0], [10.0, 0.0]])
    assert crowding(values).tolist() == pytest.approx([np.inf, 0.4 + 0.5, 0.9 + 0.6, np.inf])
    assert crowding(np.array([[1.0, 2.0]])).tolist() == [np.inf]
    assert crowding(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])).tolist() == [np.inf, 1.0, np.inf]


@given(tables)
def test_none_stands_before_one_that_dominates_it(rows):
    order = crowded_order(np.array(rows, dtype=float))
    assert sorted(order) == list(range(len(rows)))
    for place, later in enumerate(order):
        assert not any(_dominates(rows[later], rows[sooner]) for sooner in order[:place])


def test_children_come_from_the_front(space):
    """Two objectives; the third trial is beaten in both, and a population of two leaves it out."""
    strategy = NSGA2(space, objectives=("accuracy", "flash"), population=2)
    by_size = sorted(space.handmade(), key=lambda a: footprint_of(a).flash_bytes)
    small, large = by_size[0], by_size[-1]
    for number, (architecture, score) in enumerate(((small, 0.5), (large, 0.9), (by_size[1], 0.4))):
        strategy.tell(Trial(number, 0, None, architecture, _evaluated(architecture, score)))
    assert {proposal.parent for proposal in strategy.ask(60, np.random.default_rng(0))} == {0, 1}


def test_of_infeasible_ones_the_nearest_to_the_limits_comes_first(space):
    strategy = NSGA2(space, limits=Limits(flash_bytes=1000), population=2)
    by_size = sorted(space.handmade(), key=lambda a: footprint_of(a).flash_bytes)
    strategy.tell(Trial(0, 0, None, by_size[1], _evaluated(by_size[1], 0.5)))
    for number, architecture in enumerate((by_size[2], by_size[0]), 1):
        over = Evaluation(State.INFEASIBLE, footprint_of(architecture), ("flash",))
        strategy.tell(Trial(number, 0, None, architecture, over))
    assert [(a.key, n) for a, n in strategy._ranked()] == [(by_size[1].key, 0), (by_size[0].key, None)]
