"""What the loop asks of its trials: which are the best, and who wins a tie."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.hardware import Target
from tinynas.runs import DataSource, Evaluation, Run, Settings, State, Trial, leader, ranking
from tinynas.searching import search
from tinynas.searching.equal_length import size
from tinynas.searching.record import Record, count_trained

SPACE = SearchSpace.for_input((8, 8, 1), 3)
NETS = sorted(
    {net.key: net for net in (SPACE.random_architecture(np.random.default_rng(n)) for n in range(12))}.values(),
    key=lambda net: footprint_of(net).arena_bytes,
)
SCORES = (6 / 13, 5 / 13)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A record that any trials can be put into."""
    target = Target.load("nucleo_f401")
    settings = Settings(version="0", target=target, data=DataSource(kind="arrays"), space=SPACE, limits=target.limits)
    run = Run.create(tmp_path_factory.mktemp("record") / "run", settings)

    def made(trials):
        found = Record(run)
        found._trials = {trial.number: trial for trial in trials}
        found._look()
        return found

    yield made
    run.close()


def _trial(number, net, score, rung=0, fidelity="proxy", folds=1, visits=2_000):
    scores = Scores(score, score, score, score)
    evaluation = Evaluation(
        State.COMPLETE, footprint_of(net), (), (FoldScores(scores, scores),) * folds, fidelity, rung=rung, visits=visits
    )
    return Trial(number, 0, None, net, evaluation)


def test_of_three_at_the_same_score_the_smallest_arena_is_trained(record):
    """Thirteen held-out samples: a score is one of fourteen, and the bonus on size would choose the largest."""
    trials = [_trial(number, net, SCORES[0]) for number, net in enumerate((NETS[-1], NETS[0], NETS[6]))]
    found = record([*trials, _trial(3, NETS[1], SCORES[1])])
    lengths = found.lengths(trials)
    assert max(trials, key=lengths) is trials[0]  # what it is worth at one length, a tie aside
    assert found.ranked() == [trials[1], trials[2], trials[0], found[3]]
    assert found.best() is trials[1]


def test_among_finalists_too(record):
    trials = [
        _trial(number, net, SCORES[0], fidelity="full", folds=3) for number, net in enumerate((NETS[-1], NETS[0]))
    ]
    assert record([*trials, _trial(2, NETS[3], 0.9)]).best() is trials[1]


def test_of_proven_finalists_that_are_level_the_one_that_computes_most_stays(record):
    """Whichever of the two scores a little more; the sizes are those that the proxies' bonus goes by."""
    nets = sorted(NETS, key=lambda net: size(net, footprint_of(net).macs))
    small, large = nets[0], nets[-1]
    for leading in (0.899, 0.901):
        trials = [_trial(0, small, 0.900, fidelity="full"), _trial(1, large, leading, fidelity="full")]
        assert record(trials).best((0,), 1_000, {small.key, large.key}) is trials[1]


def test_the_last_place_of_a_float_decides_nothing(record):
    """Means over folds of the same counts in another order may differ in it."""
    larger = _trial(0, NETS[-1], 0.6 + 1e-12, fidelity="full")
    smaller = _trial(1, NETS[0], 0.6, fidelity="full")
    assert record([larger, smaller]).best() is smaller
    assert record([_trial(0, NETS[-1], 0.6 + 1e-6, fidelity="full"), smaller]).best() is not smaller


RUNGS, RIGHT = st.integers(0, 2), st.integers(0, 13)


@given(drawn=st.lists(st.tuples(st.integers(0, len(NETS) - 1), RIGHT, RUNGS), min_size=1, max_size=20, unique=True))
def test_a_tie_stands_together_by_its_arenas_and_higher_rungs_come_first(record, drawn):
    made = [_trial(n, NETS[net], right / 13, rung) for n, (net, right, rung) in enumerate(drawn)]
    found = record(made).ranked()
    assert {trial.architecture.key for trial in found} == {trial.architecture.key for trial in made}
    rungs = [trial.evaluation.rung for trial in found]
    assert rungs == sorted(rungs, reverse=True)
    places = [(trial.evaluation.rung, trial.evaluation.mean()) for trial in found]
    for place in set(places):
        tied = [trial.evaluation.footprint.arena_bytes for trial, at in zip(found, places, strict=True) if at == place]
        assert tied == sorted(tied)
    assert len(set(places)) == 1 + sum(one != other for one, other in pairwise(places))


def test_where_all_score_alike_the_smallest_wins(stripes, target, limits, tmp_path):
    same = evaluate(NETS[0])
    result = search(
        stripes, target, out=tmp_path / "run", space=SPACE, limits=limits, screen=footprint_of, strategy="random",
        evaluate=lambda architecture: same, n_generations=4, n_children=6, n_rungs=1,
    )  # fmt: skip
    arenas = [trial.evaluation.footprint.arena_bytes for trial in result.trials if trial.evaluation.folds]
    assert len(set(arenas)) > 3
    assert result.best.evaluation.fidelity == "full"
    assert result.footprint.arena_bytes == min(arenas)


def _check_before(record, trials, generation):
    """What is said of the generations before one, in whatever order they are asked for."""
    before = [trial for trial in trials if trial.generation < generation]
    assert [trial.number for trial in record.before(generation)] == [trial.number for trial in before]
    trained = {trial.architecture.key for trial in before if trial.evaluation.state is not State.INFEASIBLE}
    assert record.trained_before(generation) == trained
    scored = [trial for trial in before if trial.evaluation.folds]
    best = min(scored, key=ranking("accuracy"), default=None)
    assert record.stale(generation) == (0 if best is None else before[-1].generation - best.generation)


@settings(max_examples=15)  # each is a run folder
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 4), st.booleans()), min_size=1, max_size=12),
    st.lists(st.integers(0, 5), min_size=12, max_size=12),
)
def test_what_is_kept_up_is_what_all_trials_say(tmp_path_factory, rows, asked):
    target = Target.load("nucleo_f401")
    chosen = Settings(version="0", target=target, data=DataSource(kind="arrays"), space=SPACE, limits=target.limits)
    run = Run.create(tmp_path_factory.mktemp("kept") / "run", chosen)
    try:
        record, trials = Record(run), []
        for number, (net, score, fits) in enumerate(rows):
            trial = replace(_trial(number, NETS[net % len(NETS)], score / 4), generation=number // 3)
            if not fits:
                trial = Trial(number, number // 3, None, trial.architecture, Evaluation(State.INFEASIBLE))
            trials.append(trial)
            assert record.leads(trial) == (leader(trials, "accuracy") is trial)
            record.add(trial, 1.0)
            assert [each.number for each in record.trials] == [each.number for each in trials]
            assert record.n_trained == count_trained(trials)
            _check_before(record, trials, asked[number])
        record.forget([trials[-1].number])
        assert record.n_trained == count_trained(trials[:-1])
        assert record.leads(trials[-1]) == (leader(trials, "accuracy") is trials[-1])
        _check_before(record, trials[:-1], 5)
    finally:
        run.close()
