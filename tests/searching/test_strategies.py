"""The contract that every strategy keeps."""

import numpy as np
import pytest

from tests.searching.conftest import evaluate
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching import Evolution, RandomSearch

MAKERS = {
    "plus": lambda space: Evolution(space, selection="plus"),
    "comma": lambda space: Evolution(space, selection="comma"),
    "random start": lambda space: Evolution(space, start="random"),
    "random": RandomSearch,
}


@pytest.fixture(params=MAKERS, ids=str)
def make(request, space):
    return lambda: MAKERS[request.param](space)


def _tell(strategy, proposals, generation, first):
    for number, proposal in enumerate(proposals, first):
        strategy.tell(
            Trial(
                number,
                generation,
                proposal.parent,
                proposal.architecture,
                evaluate(proposal.architecture),
            )
        )


def _run(strategy, generations=3, n=5):
    asked, number = [], 0
    for generation in range(generations):
        proposals = strategy.ask(n, np.random.default_rng([7, generation]))
        asked.append(proposals)
        _tell(strategy, proposals, generation, number)
        number += len(proposals)
    return asked


def test_it_gives_as_many_as_were_asked_for_and_all_in_the_space(make, space):
    for n, proposals in (
        (1, make().ask(1, np.random.default_rng(0))),
        (9, make().ask(9, np.random.default_rng(0))),
    ):
        assert len(proposals) == n
        assert all(space.contains(proposal.architecture) for proposal in proposals)


def test_asking_changes_no_state(make):
    strategy = make()
    _run(strategy)
    first = strategy.ask(6, np.random.default_rng(1))
    strategy.ask(20, np.random.default_rng(2))
    assert strategy.ask(6, np.random.default_rng(1)) == first


def test_what_it_was_told_and_the_generator_decide(make):
    assert _run(make()) == _run(make())


def test_failed_and_infeasible_trials_are_no_parents(make, space):
    strategy = make()
    architecture = space.random_architecture(np.random.default_rng(3))
    strategy.tell(Trial(0, 0, None, architecture, Evaluation(State.FAILED, error="no")))
    strategy.tell(Trial(1, 0, None, architecture, Evaluation(State.INFEASIBLE, violations=("flash",))))
    assert all(proposal.parent is None for proposal in strategy.ask(5, np.random.default_rng(0)))


def test_comma_leaves_the_parents_behind(space):
    plus, comma = Evolution(space, selection="plus"), Evolution(space, selection="comma")
    for strategy in (plus, comma):
        _run(strategy, generations=1)
        worse = strategy.ask(5, np.random.default_rng(0))
        for number, proposal in enumerate(worse, 5):
            bad = Evaluation(State.COMPLETE, folds=evaluate(space.handmade()[0]).folds)
            strategy.tell(Trial(number, 1, proposal.parent, proposal.architecture, bad))
    parents = {proposal.parent for proposal in comma.ask(40, np.random.default_rng(1))}
    assert parents <= set(range(5, 10))
    assert {proposal.parent for proposal in plus.ask(40, np.random.default_rng(1))} & set(range(5))
