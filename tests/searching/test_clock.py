import time
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import Dataset
from tinynas.hardware import Target
from tinynas.runs import DataSource, Settings, Trial
from tinynas.searching.clock import Clock
from tinynas.training.schedule import schedule_for

SPACE = SearchSpace.for_input((28, 28, 1), 10)


@pytest.fixture(scope="module")
def large():
    """Sixty thousand samples, as Fashion-MNIST has."""
    x = np.zeros((60_000, 28, 28), np.uint8)
    x[:, 0, 0] = np.arange(60_000) % 256
    return Dataset.from_arrays(x, np.arange(60_000) % 10, x[:100], np.arange(100) % 10)


@pytest.fixture
def settings(target, large):
    source = DataSource(kind="arrays", digest="", summary="")
    return Settings(version="0", target=Target.load("nucleo_f401"), data=source, space=SPACE, limits=target.limits)


def _ranked(seconds, visits, n=3, rung=0):
    architecture = SPACE.handmade()[0]
    scored = replace(evaluate(architecture), seconds=seconds, visits=visits, rung=rung)
    evaluation = replace(scored, footprint=footprint_of(architecture))
    return [Trial(number, 0, None, architecture, evaluation) for number in range(n)]


def test_without_a_budget_nothing_is_cut(large, settings):
    clock = Clock(None, 0.0, 2)
    full = schedule_for("full", large, 5)
    assert clock.finalists(_ranked(5.0, 12_000), large, settings) == full
    assert (clock.search_deadline(), clock.finalists_deadline(), clock.final_seconds()) == (None, None, None)
    assert not clock.search_is_over()


@pytest.mark.parametrize(("budget_s", "seconds"), [(1800, 5.0), (1800, 20.0), (600, 5.0), (3600, 10.0)])
def test_the_plan_costs_no_more_than_its_share(large, settings, budget_s, seconds):
    ranked = _ranked(seconds, 12_000)
    schedule = Clock(budget_s, 0.0, 2).finalists(ranked, large, settings)
    assert 2 <= schedule.folds <= 5
    proxy = schedule_for("proxy", large, 5)
    assert schedule.epochs * schedule.samples >= 0.95 * proxy.visits  # a fold learns at least as much as a proxy did
    cost = 2 * schedule.visits * seconds / 12_000  # three finalists on two workers: two rounds
    assert cost <= 0.08 * budget_s


def test_a_proxy_that_stopped_early_is_costed_by_what_it_did(large, settings):
    whole = Clock(1800, 0.0, 2).finalists(_ranked(5.0, 12_000), large, settings)
    early = Clock(1800, 0.0, 2).finalists(_ranked(2.5, 6_000), large, settings)
    assert early.visits == pytest.approx(whole.visits, rel=0.01)


def test_a_fold_is_trained_as_long_as_the_highest_rung_or_not_at_all(large, settings):
    ranked = _ranked(45.0, 108_000, rung=2)
    schedule = Clock(3600, 0.0, 2).finalists(ranked, large, settings)
    assert schedule.folds >= 2
    assert schedule.epochs * schedule.samples >= 0.95 * 108_000
    assert Clock(900, 0.0, 2).finalists(ranked, large, settings) is None


def test_where_there_is_no_time_no_finalist_is_trained(large, settings):
    assert Clock(60, 0.0, 2).finalists(_ranked(20.0, 12_000), large, settings) is None


@pytest.mark.parametrize(
    ("budget_s", "workers", "seconds", "stretch"),
    [
        (3600, 2, 6.0, 2.0),  # 2,160 s of 18 s each, with its share of the promotions: 120 trials
        (3600, 1, 6.0, 1.0),
        (60, 2, 6.0, 1.0),  # never shorter
        (36_000, 2, 1.0, 5.0),  # and never longer than that
        (None, 2, 6.0, 1.0),
    ],
)
def test_proxies_are_longer_where_there_is_time_for_more_of_them_than_need_be(
    settings, budget_s, workers, seconds, stretch
):
    first = _ranked(seconds, 12_000)
    assert Clock(budget_s, 0.0, workers).stretch(first, settings) == stretch
    untrained = [replace(trial, evaluation=replace(trial.evaluation, visits=0)) for trial in first]
    assert Clock(budget_s, 0.0, workers).stretch(untrained, settings) == 1.0


def test_the_shares_of_the_budget():
    clock = Clock(100.0, 15.0, 2)  # fifteen seconds were used before a resume
    assert clock.elapsed() == pytest.approx(15, abs=1)
    assert clock.share() == pytest.approx(0.5, abs=0.04)
    assert clock.search_deadline() - time.monotonic() == pytest.approx(15, abs=1)
    assert clock.finalists_deadline() - time.monotonic() == pytest.approx(23, abs=1)
    assert clock.final_seconds() == pytest.approx(70, abs=1)
    assert Clock(100.0, 60.0, 2).search_is_over()
    assert Clock(100.0, 99.0, 2).final_seconds() == 10  # a final training there is, whatever happened
