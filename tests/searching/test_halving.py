from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.searching.conftest import evaluate
from tinynas.architecture import SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.runs import Evaluation, State, Trial, ranking
from tinynas.searching.halving import promotions

KEY = ranking("accuracy")
SPACE = SearchSpace.for_input((8, 8, 1), 3)
NETS = [SPACE.assemble((block,), head) for block, head in ((a.blocks[0], a.head) for a in SPACE.handmade())]


def _trial(number, score, rung=0, net=None, state=State.COMPLETE):
    """A trial of a network that no other number has."""
    base = SPACE.handmade()[0]
    blocks = (replace(base.blocks[0], filters=4 + (number if net is None else net)), *base.blocks[1:])
    architecture = replace(base, blocks=blocks)
    scores = Scores(score, score, score, score)
    folds = (FoldScores(scores, scores),) if state is State.COMPLETE else ()
    return Trial(number, 0, None, architecture, Evaluation(state, folds=folds, fidelity="proxy", rung=rung))


def test_the_best_third_goes_on():
    trials = [_trial(number, score) for number, score in enumerate([0.1, 0.9, 0.3, 0.8, 0.5, 0.6, 0.2])]
    assert [trial.number for trial in promotions(trials, 3, 3, KEY)] == [1, 3]


def test_who_does_not_stand_out_is_not_promoted():
    trials = [_trial(number, score) for number, score in enumerate([0.1, 0.9, 0.3, 0.8, 0.5, 0.6, 0.2])]
    asked = []

    def stands_out(trial, among):
        asked.append((trial.number, sorted(each.number for each in among)))
        return trial.number == 3

    assert [trial.number for trial in promotions(trials, 3, 3, KEY, stands_out)] == [3]
    assert asked == [(1, list(range(7))), (3, list(range(7)))]


def test_what_has_left_a_rung_holds_its_place():
    trials = [_trial(number, score) for number, score in enumerate([0.1, 0.9, 0.3, 0.8, 0.5, 0.6])]
    trials.append(_trial(6, 0.95, rung=1, net=1))
    assert [trial.number for trial in promotions(trials, 3, 3, KEY)] == [3]
    late = [*trials, _trial(7, 0.7, rung=1, net=3), _trial(8, 0.99), _trial(9, 0.98)]
    assert [trial.number for trial in promotions(late, 3, 3, KEY)] == []  # two of eight places, both taken


def test_higher_rungs_come_first_and_the_last_is_the_last():
    trials = [_trial(number, number / 10) for number in range(9)]
    trials += [_trial(10 + number, 0.5 + number / 10, rung=1, net=6 + number) for number in range(3)]
    assert [(t.number, t.evaluation.rung) for t in promotions(trials, 3, 3, KEY)] == [(12, 1)]
    assert promotions(trials, 1, 3, KEY) == ()
    assert [t.number for t in promotions(trials, 2, 3, KEY)] == []


def test_a_promotion_that_failed_is_not_tried_for_ever():
    trials = [_trial(number, number / 10) for number in range(3)]
    trials.append(_trial(3, 0.0, rung=1, net=2, state=State.FAILED))
    assert promotions(trials, 3, 3, KEY) == ()


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(2, 5))
def test_repeated_to_the_end_a_share_reaches_each_rung(scores, reduction):
    trials = [_trial(number, score) for number, score in enumerate(scores)]
    while found := promotions(trials, 3, reduction, KEY):
        for trial in found:
            up = replace(trial.evaluation, rung=trial.evaluation.rung + 1)
            trials.append(replace(trial, number=len(trials), evaluation=up))
    counts = [sum(trial.evaluation.rung == rung for trial in trials) for rung in range(3)]
    assert counts == [len(scores), len(scores) // reduction, len(scores) // reduction // reduction]


def test_the_made_up_evaluation_is_no_proxy():
    """Only trainings that can go on are promoted."""
    assert evaluate(NETS[0]).fidelity == "none"
    trials = [Trial(n, 0, None, net, evaluate(net)) for n, net in enumerate(NETS)]
    assert promotions(trials, 3, 2, KEY) == ()
