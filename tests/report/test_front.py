"""Fronts against the definition of dominance; groups of trials that were trained alike."""

from dataclasses import replace
from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from tests.report.conftest import fold_scores
from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.report.front import cost_of, front_line, groups, thinned
from tinynas.runs import Evaluation, State, Trial

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]


def _trial(number, score=0.5, fidelity="proxy", rung=0):
    evaluation = Evaluation(State.COMPLETE, footprint_of(NET), (), (fold_scores(score),), fidelity, rung=rung)
    return Trial(number, 0, None, NET, evaluation)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.booleans()), max_size=12))
def test_the_line_joins_what_no_other_dominates(points):
    nets = [replace(NET, dropout=(0.0, number / 100)) for number in range(len(points))]
    trials = []
    for number, (score, cost, known) in enumerate(points):
        trial = _trial(number, 0.5 + score / 100)
        figures = replace(trial.evaluation.footprint, latency_ms=float(cost) if known else None)
        evaluation = replace(trial.evaluation, footprint=figures)
        trials.append(replace(trial, architecture=nets[number], evaluation=evaluation))

    def beats(a, b):
        (sa, ca, _), (sb, cb, _) = points[a], points[b]
        return sa >= sb and ca <= cb and (sa, ca) != (sb, cb)

    known = [number for number, (_, _, is_known) in enumerate(points) if is_known]
    wanted = {b for b in known if not any(beats(a, b) for a in known)}
    found = front_line(trials, "accuracy", "latency")
    assert {trial.number for trial in found} == wanted
    costs = [cost_of(trial, "latency") for trial in found]
    assert costs == sorted(costs)


def test_costs_are_the_footprint_s():
    trial = _trial(0)
    figures = trial.evaluation.footprint
    assert cost_of(trial, "ram") == figures.arena_bytes
    assert cost_of(trial, "flash") == figures.flash_bytes
    assert cost_of(trial, "latency") == figures.latency_ms
    assert isnan(cost_of(Trial(0, 0, None, NET, Evaluation(State.FAILED)), "ram"))


def test_trials_are_grouped_by_how_they_were_trained():
    trials = [_trial(0), _trial(1, rung=1), _trial(2, fidelity="full"), _trial(3, rung=1)]
    untrained = Trial(4, 0, None, NET, Evaluation(State.INFEASIBLE))
    found = groups([*trials, untrained], "proxy")
    assert [(group.label, [t.number for t in group.trials], group.full) for group in found] == [
        ("proxy training, rung 0", [0], False),
        ("proxy training, rung 1", [1, 3], False),
        ("finalists, trained for longer", [2], True),
    ]
    assert [group.label for group in groups(trials[2:3], "full")] == ["trained on every fold"]
    assert [group.label for group in groups(trials[:1], "proxy")] == ["proxy training"]
    assert groups([untrained], "proxy") == ()


def test_thinning_keeps_the_leaders_and_is_even():
    many = groups([_trial(number) for number in range(100)], "proxy")
    (kept,) = thinned(many, {1, 99}, 10)
    numbers = [trial.number for trial in kept.trials]
    assert {1, 99} <= set(numbers)
    assert 10 <= len(numbers) <= 13
    assert thinned(many, set(), 100) == many
    assert replace(kept, trials=()) == replace(many[0], trials=())
