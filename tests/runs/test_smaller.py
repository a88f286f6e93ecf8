"""Which smaller network a standard error cannot tell from the best: by hand, over made-up folds."""

import math
from dataclasses import replace

import pytest

from tests.searching.conftest import footprint_of
from tinynas.architecture import Architecture, Block, Head
from tinynas.data import FoldScores, Scores
from tinynas.runs import (
    Evaluation,
    State,
    Trial,
    contenders,
    preferred,
    smaller,
    smaller_words,
    standard_error,
    unbeaten,
)


def _trial(number, filters, scores, fidelity="full", rung=0, visits=0):
    """A network with so many filters: the more, the larger its file and its arena."""
    architecture = Architecture((8, 8, 1), (Block("conv", filters, 3),), Head(), 3)
    folds = tuple(FoldScores(Scores(*[score] * 4), Scores(*[score] * 4)) for score in scores)
    evaluation = Evaluation(State.COMPLETE, footprint_of(architecture), (), folds, fidelity, rung=rung, visits=visits)
    return Trial(number, 0, None, architecture, evaluation)


BEST = _trial(9, 64, (0.88, 0.90, 0.92, 0.90, 0.90))  # a deviation of 0.0141, a standard error of 0.0063
NEAR = _trial(8, 32, (0.895,) * 5)
FAR = _trial(7, 8, (0.885,) * 5)


def test_the_standard_error_is_that_of_the_mean():
    assert standard_error(BEST.evaluation, "accuracy", 10) == pytest.approx(math.sqrt(0.0008 / 4 / 5))
    one = _trial(0, 8, (0.8,))
    assert standard_error(one.evaluation, "accuracy", 400) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [("accuracy", BEST), ("balanced", NEAR), ("small", FAR)],
)
def test_what_is_preferred_gives_up_so_much(prefer, wanted):
    assert preferred([FAR, NEAR, BEST], "accuracy", prefer, 100, BEST) is wanted


def test_two_standard_errors_where_they_are_more_than_two_points():
    wild = _trial(9, 64, (0.80, 1.0, 0.80, 1.0, 0.90))  # a standard error of 0.0447
    low = _trial(7, 8, (0.82,) * 5)
    assert preferred([low, wild], "accuracy", "small", 100, wild) is low
    assert preferred([low, wild], "accuracy", "balanced", 100, wild) is wild


def test_neither_a_larger_one_nor_one_that_was_trained_otherwise_is_preferred():
    larger = _trial(6, 80, (0.9,) * 5)
    shorter = _trial(5, 8, (0.9,) * 5, visits=100)
    proxy = _trial(4, 8, (0.9,), fidelity="proxy")
    assert preferred([larger, shorter, proxy, BEST], "accuracy", "small", 100, BEST) is BEST


def test_the_smallest_within_one_standard_error_is_named():
    found = smaller([FAR, NEAR, BEST], BEST, "accuracy", 100)
    assert found.trial is NEAR
    assert found.points == pytest.approx(0.005)
    about = found.to_dict()
    assert (about["trial"], about["points"], about["standard_error"]) == (8, 0.5, 0.632)
    assert smaller([FAR, BEST], BEST, "accuracy", 100) is None


def test_another_is_compared_by_the_proxy_that_the_best_had():
    proxies = [
        _trial(0, 64, (0.70,), "proxy", 0, 10),
        _trial(1, 64, (0.80,), "proxy", 1, 30),
        _trial(2, 32, (0.79,), "proxy", 1, 30),  # near, as well trained
        _trial(3, 16, (0.70,), "proxy", 0, 10),  # as good as the best's shortest, which says little
        _trial(4, 8, (0.79,), "proxy", 1, 10),  # not trained as long
    ]
    found = smaller([*proxies, BEST], BEST, "accuracy", 400)  # a standard error of 0.02
    assert found.trial.number == 2
    assert found.to_dict()["fidelity"] == "proxy"


def test_a_finalist_that_fell_behind_is_not_named_for_its_proxy():
    proxies = [_trial(1, 64, (0.80,), "proxy"), _trial(2, 8, (0.80,), "proxy")]
    assert smaller([*proxies, FAR, BEST], BEST, "accuracy", 400) is None


def test_who_prefers_small_networks_has_some_among_the_finalists():
    ranked = [
        _trial(number, filters, (0.9 - 0.001 * number,), "proxy")
        for number, filters in enumerate((64, 60, 56, 48, 8, 4))
    ]
    assert contenders(ranked, 3, "accuracy", "accuracy", 400) == ranked[:3]
    assert contenders(ranked, 3, "accuracy", "balanced", 400) == [ranked[0], ranked[1], ranked[5]]
    assert contenders(ranked, 1, "accuracy", "small", 400) == [ranked[0], ranked[5]]
    poor = [*ranked[:4], _trial(4, 8, (0.5,), "proxy")]
    assert contenders(poor, 3, "accuracy", "small", 400) == [poor[0], poor[1], poor[3]]
    assert contenders([], 3, "accuracy", "small", 400) == []


def test_in_words():
    best = {"flash_bytes": 10_000, "arena_bytes": 4000}
    found = {"trial": 4, "fidelity": "full", "points": 0.2, "flash_bytes": 3333, "arena_bytes": 2000}
    said = "#4: 0.2 points less, 33 % of the model file, 50 % of the arena: tinynas train latest:4"
    assert smaller_words({"best": best, "smaller": found}, "latest") == said
    alike = {**found, "points": -0.01, "fidelity": "proxy"}
    assert "as good in validation as the search trained both" in smaller_words(
        {"best": best, "smaller": alike}, "latest"
    )
    assert smaller_words({"best": best}, "latest") is None
    assert smaller_words({"best": None, "smaller": None}, "latest") is None


def test_of_several_the_smallest_by_file_and_arena():
    other = replace(NEAR, number=6)
    assert smaller([other, NEAR, BEST], BEST, "accuracy", 100).trial is other  # the same network: the older stands


@pytest.mark.parametrize(("score", "stays"), [(0.895, True), (0.885, False)])
def test_a_proven_network_stays_unless_it_is_beaten_by_its_standard_error(score, stays):
    """On 1,000 samples the standard error of 0.895 is 0.0097, that of 0.885 is 0.0101."""
    best, proven = _trial(3, 64, (0.90,)), _trial(2, 32, (score,))
    keys = {proven.architecture.key}
    worse = _trial(1, 16, (0.80,))
    assert unbeaten([worse, proven, best], best, keys, "accuracy", 1_000, _macs) is (proven if stays else best)
    assert unbeaten([worse, proven, best], best, keys | {worse.architecture.key}, "accuracy", 1_000, _macs) is (
        proven if stays else best
    )


@pytest.mark.parametrize(("lead", "stays"), [(0.013, True), (0.015, False)])
def test_on_one_fold_the_error_is_that_of_the_difference_on_the_samples_it_was_scored_on(lead, stays):
    """The standard error of 0.9 on 900 samples is 0.01, and of a difference of two such 0.0141."""
    best, proven = _scored(_trial(3, 64, (0.90 + lead,)), 900), _scored(_trial(2, 32, (0.90,)), 900)
    assert standard_error(proven.evaluation, "accuracy", 10) == pytest.approx(0.01)
    assert unbeaten([proven, best], best, {proven.architecture.key}, "accuracy", 10, _macs) is (
        proven if stays else best
    )
    folds = _scored(BEST, 900).evaluation
    assert standard_error(folds, "accuracy", 10) == standard_error(BEST.evaluation, "accuracy", 10)


def _scored(trial, n):
    return replace(trial, evaluation=replace(trial.evaluation, scored=n))


def test_only_a_proven_network_that_was_trained_alike_stays():
    best, near = _trial(3, 64, (0.90,)), _trial(2, 32, (0.899,), visits=100)
    assert unbeaten([near, best], best, {near.architecture.key}, "accuracy", 1_000, _macs) is best
    assert unbeaten([NEAR, BEST], BEST, set(), "accuracy", 1_000, _macs) is BEST


@pytest.mark.parametrize(("score", "filters", "stays"), [(0.899, 32, False), (0.899, 96, True), (0.885, 96, False)])
def test_of_proven_networks_that_are_level_the_larger_stays(score, filters, stays):
    best, other = _trial(3, 64, (0.90,)), _trial(2, filters, (score,))
    keys = {best.architecture.key, other.architecture.key}
    assert unbeaten([other, best], best, keys, "accuracy", 1_000, _macs) is (other if stays else best)
    found = _trial(4, 16, (0.901,))  # who leads them by less than an error
    assert unbeaten([other, best, found], found, keys, "accuracy", 1_000, _macs) is (other if stays else best)


def _macs(trial: Trial) -> int:
    return trial.evaluation.footprint.macs
