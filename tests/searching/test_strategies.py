"""The contract that every strategy keeps: each row of contracts.STRATEGIES goes through all of it."""

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of, score_of
from tests.searching.contracts import LEARN, SLOW, STRATEGIES
from tinynas.data import FoldScores, Scores
from tinynas.options import HEEDS
from tinynas.runs import Evaluation, Settings, State, Trial
from tinynas.searching import AgingEvolution, Evolution, RandomSearch, strategy_for

LEARNING = [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in sorted(LEARN)]


@pytest.fixture(params=STRATEGIES, ids=str)
def make(request, space, small_pool):
    return lambda: STRATEGIES[request.param](space)


def _evaluated(architecture, score=None, rung=0):
    if score is None:
        return replace(evaluate(architecture), footprint=footprint_of(architecture), rung=rung)
    scores = Scores(score, score, score, score)
    return Evaluation(State.COMPLETE, footprint_of(architecture), folds=(FoldScores(scores, scores),), rung=rung)


def _tell(strategy, proposals, generation, first):
    for number, proposal in enumerate(proposals, first):
        evaluation = _evaluated(proposal.architecture)
        strategy.tell(Trial(number, generation, proposal.parent, proposal.architecture, evaluation))


def _run(strategy, generations=4, n=5):
    asked, number = [], 0
    for generation in range(generations):
        proposals = strategy.ask(n, np.random.default_rng([7, generation]))
        asked.append(proposals)
        _tell(strategy, proposals, generation, number)
        number += len(proposals)
    return asked


def test_it_gives_as_many_as_were_asked_for_and_all_in_the_space(make, space):
    told = make()
    _run(told)
    for strategy in (make(), told):
        for n in (1, 9):
            proposals = strategy.ask(n, np.random.default_rng(0))
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


def test_a_strategy_that_was_only_told_goes_on_the_same(make):
    """A resumed search: the trials come from a journal, and nothing was asked."""
    asked, resumed = make(), make()
    number = 0
    for generation, proposals in enumerate(_run(asked)):
        _tell(resumed, proposals, generation, number)
        number += len(proposals)
    assert asked.ask(7, np.random.default_rng(5)) == resumed.ask(7, np.random.default_rng(5))


def test_failed_and_infeasible_trials_are_no_parents(make, space):
    strategy = make()
    architecture = space.random_architecture(np.random.default_rng(3))
    strategy.tell(Trial(0, 0, None, architecture, Evaluation(State.FAILED, error="no")))
    over = Evaluation(State.INFEASIBLE, footprint_of(architecture), violations=("flash",))
    strategy.tell(Trial(1, 0, None, architecture, over))
    assert all(proposal.parent is None for proposal in strategy.ask(5, np.random.default_rng(0)))
    _tell(strategy, [*strategy.ask(3, np.random.default_rng(1))], 1, 2)
    parents = {proposal.parent for proposal in strategy.ask(40, np.random.default_rng(2))}
    assert parents <= {None, 2, 3, 4}


def test_a_promotion_is_the_same_individual_and_its_newest_trial_the_parent(make):
    """After a promotion of every trial no child comes from a trial that it replaced."""
    strategy = make()
    asked = _run(strategy)
    architectures = [proposal.architecture for proposals in asked for proposal in proposals]
    for number, architecture in enumerate(architectures):
        promoted = _evaluated(architecture, min(0.99, score_of(architecture) + 0.05), rung=1)
        strategy.tell(Trial(100 + number, 3, number, architecture, promoted))
    parents = {proposal.parent for proposal in strategy.ask(60, np.random.default_rng(4))} - {None}
    assert all(parent >= 100 for parent in parents)


def test_a_failed_promotion_leaves_the_earlier_trial(make):
    strategy = make()
    asked = _run(strategy)
    before = strategy.ask(8, np.random.default_rng(1))
    failed = Evaluation(State.FAILED, error="no", rung=1)
    strategy.tell(Trial(99, 3, 0, asked[0][0].architecture, failed))
    assert strategy.ask(8, np.random.default_rng(1)) == before


@pytest.mark.parametrize("name", LEARNING)
def test_it_finds_better_ones_than_random_search_does(name, space):
    """On a made-up score, mean of the best of 60 over 3 seeds."""

    def best(make, seed):
        strategy, number, found = make(space), 0, []
        for generation in range(10):
            proposals = strategy.ask(6, np.random.default_rng([seed, generation]))
            found += [score_of(proposal.architecture) for proposal in proposals]
            _tell(strategy, proposals, generation, number)
            number += len(proposals)
        return max(found)

    scores = {n: np.mean([best(STRATEGIES[n], seed) for seed in range(3)]) for n in (name, "random")}
    if name == "nsga2":  # it looks for small ones as well, so it need only be near
        assert scores[name] > scores["random"] - 0.15
    else:
        assert scores[name] > scores["random"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_it_is_quick(name, space):
    """8 children after 60 trials, screen aside; the bound is some ten times what it takes."""
    strategy = STRATEGIES[name](space)
    rng = np.random.default_rng(0)
    _tell(strategy, [p for _ in range(60) for p in RandomSearch(space).ask(1, rng)], 0, 0)
    start = time.process_time()
    strategy.ask(8, rng)
    assert time.process_time() - start < 5


def test_comma_leaves_the_parents_behind(space):
    plus, comma = Evolution(space, selection="plus"), Evolution(space, selection="comma")
    for strategy in (plus, comma):
        _run(strategy, generations=1)
        worse = strategy.ask(5, np.random.default_rng(0))
        for number, proposal in enumerate(worse, 5):
            bad = _evaluated(proposal.architecture, 0.1)
            strategy.tell(Trial(number, 1, proposal.parent, proposal.architecture, bad))
    parents = {proposal.parent for proposal in comma.ask(40, np.random.default_rng(1))}
    assert parents <= set(range(5, 10))
    assert {proposal.parent for proposal in plus.ask(40, np.random.default_rng(1))} & set(range(5))


def test_a_promotion_of_a_parent_does_not_bring_it_back_with_comma(space):
    strategy = Evolution(space, selection="comma")
    first = _run(strategy, generations=2)[0]
    strategy.tell(Trial(50, 1, 0, first[0].architecture, _evaluated(first[0].architecture, 0.97, rung=1)))
    assert {proposal.parent for proposal in strategy.ask(40, np.random.default_rng(1))} <= set(range(5, 10))


def test_aging_forgets_the_oldest_however_good(space):
    strategy = AgingEvolution(space, population=4, sample=4)
    rng = np.random.default_rng(0)
    architectures = [space.random_architecture(rng) for _ in range(6)]
    for number, architecture in enumerate(architectures):
        strategy.tell(Trial(number, number, None, architecture, _evaluated(architecture, 0.9 - number / 10)))
    assert {proposal.parent for proposal in strategy.ask(20, rng)} == {2}


def test_aging_is_random_until_its_population_is_full(space):
    strategy = AgingEvolution(space, population=10, sample=3, start="random")
    _run(strategy, generations=1, n=9)
    assert {proposal.parent for proposal in strategy.ask(20, np.random.default_rng(0))} == {None}
    _tell(strategy, [*RandomSearch(space).ask(1, np.random.default_rng(3))], 1, 9)
    assert None not in {proposal.parent for proposal in strategy.ask(20, np.random.default_rng(0))}


def test_the_settings_name_each_strategy_and_each_keeps_the_contract(space, target):
    from tinynas.runs import DataSource

    source = DataSource(kind="digits", digest="d", summary="digits")
    kinds = set()
    for name in HEEDS:
        settings = Settings(version="0", target=target, data=source, space=space, limits=target.limits, strategy=name)
        kinds.add(type(strategy_for(settings, footprint_of)))
    assert kinds == {type(make(space)) for make in STRATEGIES.values()}
    assert len(kinds) == len(HEEDS)
