import time
from dataclasses import replace

import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.hardware import Target
from tinynas.runs import DataSource, Settings, Trial
from tinynas.searching.clock import Clock
from tinynas.searching.costs import Costs, costs_of
from tinynas.training.schedule import Lengths, Schedule

SPACE = SearchSpace.for_input((28, 28, 1), 10)
LARGE = Lengths(60_000, 784, 5)  # as Fashion-MNIST
MIDDLING = Lengths(6_000, 784, 5)  # so few that a final training has 300 epochs of use
SMALL = Lengths(85, 119 * 6, 5)  # a few recordings of gestures


@pytest.fixture
def settings(target):
    source = DataSource(kind="arrays", digest="", summary="")
    return Settings(version="0", target=Target.load("nucleo_f401"), data=source, space=SPACE, limits=target.limits)


def _ranked(seconds, visits, n=3, rung=0, visit_s=0.0):
    architecture = SPACE.handmade()[0]
    scored = replace(evaluate(architecture), seconds=seconds, visits=visits, rung=rung, visit_s=visit_s)
    evaluation = replace(scored, footprint=footprint_of(architecture))
    return [Trial(number, 0, None, architecture, evaluation) for number in range(n)]


def _finalists(clock, ranked, lengths=LARGE):
    return clock.finalists(ranked, ranked, lengths)


def test_without_a_budget_nothing_is_cut(settings):
    clock = Clock(None, 0.0, 2)
    assert _finalists(clock, _ranked(5.0, 12_000)) == LARGE.full()
    clock.allot(_ranked(5.0, 12_000), _ranked(5.0, 12_000), LARGE, settings)
    assert (clock.search_deadline(), clock.finalists_deadline(), clock.final_seconds()) == (None, None, None)
    assert not clock.search_is_over()


@pytest.mark.parametrize(("budget_s", "seconds"), [(1800, 5.0), (1800, 20.0), (600, 5.0), (3600, 10.0)])
def test_the_plan_costs_no_more_than_its_share(budget_s, seconds):
    ranked = _ranked(seconds, 12_000)
    schedule = _finalists(Clock(budget_s, 0.0, 2), ranked)
    assert 2 <= schedule.folds <= 5
    assert schedule.epochs * schedule.samples >= 0.95 * LARGE.proxy().visits  # a fold learns as much as a proxy did
    cost = 2 * schedule.visits * seconds / 12_000  # three finalists on two workers: two rounds
    assert cost <= 0.08 * budget_s


def test_what_building_costs_is_no_visits(settings):
    """Of 5 seconds 3 are for building and converting: a finalist pays them for each fold, and not for each visit."""
    schedule = _finalists(Clock(1800, 0.0, 2), _ranked(5.0, 12_000, visit_s=2.0 / 12_000))
    cost = 2 * (3.0 * schedule.folds + schedule.visits * 2.0 / 12_000)
    assert 0.9 * 0.08 * 1800 <= cost <= 0.08 * 1800
    assert schedule.visits > _finalists(Clock(1800, 0.0, 2), _ranked(5.0, 12_000)).visits


def test_a_proxy_that_stopped_early_is_costed_by_what_it_did():
    whole = _finalists(Clock(1800, 0.0, 2), _ranked(5.0, 12_000))
    early = _finalists(Clock(1800, 0.0, 2), _ranked(2.5, 6_000))
    assert early.visits == pytest.approx(whole.visits, rel=0.01)


def test_a_fold_is_trained_as_long_as_the_highest_rung_or_not_at_all():
    ranked = _ranked(45.0, 108_000, rung=2)
    schedule = _finalists(Clock(3600, 0.0, 2), ranked)
    assert schedule.folds >= 2
    assert schedule.epochs * schedule.samples >= 0.95 * 108_000
    assert _finalists(Clock(900, 0.0, 2), ranked) is None


def test_where_there_is_time_a_finalist_is_trained_as_long_as_the_longest_proxy():
    """Proxies of few samples may be longer than full fidelity is by itself."""
    visits = 3 * SMALL.full().samples * SMALL.full().epochs
    schedule = _finalists(Clock(36_000, 0.0, 2), _ranked(10.0, visits, rung=2), SMALL)
    assert (schedule.folds, schedule.samples) == (15, SMALL.full().samples)  # so few that all folds come three times
    assert schedule.visits == 15 * visits


def test_where_there_is_no_time_no_finalist_is_trained():
    assert _finalists(Clock(60, 0.0, 2), _ranked(20.0, 12_000)) is None


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


def _allotted(budget_s, ranked, lengths, settings, before_s=0.0):
    clock = Clock(budget_s, before_s, 2)
    clock.allot(ranked, ranked, lengths, settings)
    return clock


def _seconds(clock):
    """When the search ends, and by when the last finalist is started, counted from the start of the search."""
    started = time.monotonic() - clock.elapsed()
    return clock.search_deadline() - started, clock.finalists_deadline() - started


def test_a_final_training_that_can_use_its_share_gets_it(settings):
    for ranked in (_ranked(5.0, 12_000, visit_s=3 / 12_000), _ranked(5.0, 12_000)):
        search_s, finalists_s = _seconds(_allotted(3600, ranked, LARGE, settings))
        assert search_s == pytest.approx(0.30 * 3600, abs=0.1)
        assert finalists_s == pytest.approx(0.38 * 3600, abs=0.1)


@pytest.mark.parametrize("budget_s", [75, 150, 600])
def test_what_the_final_training_cannot_use_is_for_search_and_finalists(settings, budget_s):
    """85 samples cost 0.1 ms a visit: 1,500 epochs and the fine-tuning are 14 s, whatever the budget."""
    ranked = _ranked(2.0, 68 * 120, visit_s=1e-4)
    final_s = 1500 * 85 * 1e-4 * 13 / 12
    clock = _allotted(budget_s, ranked, SMALL, settings)
    search_s, _ = _seconds(clock)
    schedule = _finalists(clock, ranked, SMALL)
    start_s = 2.0 - 68 * 120 * 1e-4
    finalists_s = 0.0 if schedule is None else 2 * (schedule.folds * start_s + schedule.visits * 1e-4)
    child_s = 5 * start_s + SMALL.proxy().visits * 1e-4  # what is begun before the search ends may take so long
    used = search_s + child_s + finalists_s + final_s
    assert 0.8 * budget_s <= used <= budget_s
    assert search_s + child_s > 0.38 * budget_s
    ended = Clock(budget_s, search_s + child_s + finalists_s, 2)
    ended.allot(ranked, ranked, SMALL, settings)
    assert ended.final_seconds() >= final_s  # it is not cut short


def test_epochs_that_were_asked_for_are_what_the_final_training_can_use(settings):
    ranked = _ranked(5.0, 12_000, visit_s=3 / 12_000)
    few = settings.model_copy(update={"final_epochs": 4})
    assert _seconds(_allotted(3600, ranked, LARGE, few))[0] > 0.6 * 3600


def test_without_a_final_training_all_is_for_the_search():
    search_s, finalists_s = _seconds(Clock(100, 0.0, 2, final=False))
    assert search_s == pytest.approx(92, abs=0.1)
    assert finalists_s == pytest.approx(100, abs=0.1)


def test_costs_are_those_of_the_dearest_and_of_the_usual_start():
    cheap, dear = _ranked(3.0, 10_000, 1, visit_s=1e-4), _ranked(9.0, 10_000, 1, visit_s=5e-4)
    odd = _ranked(60.0, 10_000, 1, visit_s=1e-4)  # its process was started first
    assert costs_of([*cheap, *dear, *odd], cheap) == Costs(pytest.approx(4.0), 1e-4)
    assert costs_of([*cheap, *dear, *odd], [*cheap, *dear]).visit_s == 5e-4
    assert costs_of(_ranked(3.0, 10_000), _ranked(3.0, 10_000)) == Costs(0.0, 3e-4)
    assert costs_of([], []) == Costs(0.0, 0.0)
    found = costs_of(cheap, cheap)
    assert found.seconds(20_000, 2) == pytest.approx(6.0)
    assert found.visits(found.seconds(12_345)) == pytest.approx(12_345)
    assert Costs(0.0, 0.0).visits(1.0) == float("inf")


def _settled(budget_s, ranked, settings, lengths=LARGE):
    clock = Clock(budget_s, 0.0, 2)
    clock.allot(ranked, ranked, lengths, settings)
    return clock, clock.finalists(ranked, ranked, lengths)


def test_where_the_final_training_has_150_epochs_finalists_are_compared_in_such(settings):
    """1 ms a visit: 300 epochs of 6,000 are half an hour and more, and some 1,060 s of the budget are left."""
    clock, schedule = _settled(1800, _ranked(12.0, 12_000, visit_s=1e-3), settings, MIDDLING)
    assert clock.compares_at_length
    assert clock.enough_epochs is None
    assert not clock.twice
    assert (schedule.folds, schedule.samples) == (1, 4_800)
    seconds = (0.08 * 1800 + 0.3 * 1080) / 2  # of each of two rounds
    assert schedule.epochs == pytest.approx(seconds / (4_800 * 1e-3), abs=4)
    clock, schedule = _settled(1800, _ranked(12.0, 12_000, visit_s=1e-3), settings)
    assert not clock.compares_at_length  # a large network: thirty epochs
    assert schedule == _finalists(Clock(1800, 0.0, 2), _ranked(12.0, 12_000, visit_s=1e-3))


def test_with_time_to_spare_finalists_have_more_folds_and_the_final_training_both_ways(settings):
    clock, schedule = _settled(36_000, _ranked(12.0, 12_000, visit_s=1e-3), settings, MIDDLING)
    assert clock.twice
    assert clock.enough_epochs is None
    assert clock.places(_ranked(12.0, 12_000, visit_s=1e-3), _ranked(12.0, 12_000, visit_s=1e-3), MIDDLING) == 3
    assert schedule.epochs == MIDDLING.final(timed=True) == 300
    assert 1 < schedule.folds <= 5


@pytest.mark.parametrize("budget_s", [1_800, 2_700, 3_600])
def test_where_fewer_epochs_are_enough_more_finalists_are_trained_for_so_many(settings, budget_s):
    """0.1 ms a visit: 40 epochs of 48,000 are 192 s, and 20 of 60,000 with the fine-tuning 163 s at the most."""
    ranked = _ranked(1.2, 12_000, visit_s=1e-4)
    clock = _allotted(budget_s, ranked, LARGE, settings)
    assert clock.enough_epochs == 40
    assert not clock.twice
    places = clock.places(ranked, ranked, LARGE)
    schedule = clock.finalists(ranked, _ranked(1.2, 12_000, n=places, visit_s=1e-4), LARGE)
    assert schedule == Schedule(1, 48_000, 40) == Schedule(1, 48_000, LARGE.enough(1_000))
    assert places % 2 == 0  # both workers have as many
    search_s, latest_s = _seconds(clock)
    assert search_s >= 0.3 * budget_s
    used = places / 2 * 192
    assert used <= latest_s + 192 - search_s  # the last are started in time,
    assert latest_s + 192 <= 0.97 * budget_s - 4  # and end within the budget, though those before were slow
    final_s = 1.25 * 20 * 60_000 * 1e-4 * 13 / 12
    assert 0 <= budget_s - search_s - used - final_s - 0.03 * budget_s <= 12
    assert 8 <= places <= 16


def test_with_all_the_time_finalists_have_sixteen_places_and_then_more_folds(settings):
    ranked = _ranked(1.2, 12_000, visit_s=1e-4)
    clock = _allotted(36_000, ranked, LARGE, settings)
    assert clock.places(ranked, ranked, LARGE) == 16
    schedule = clock.finalists(ranked, _ranked(1.2, 12_000, n=16, visit_s=1e-4), LARGE)
    assert (schedule.folds, schedule.epochs) == (5, 40)


def test_epochs_that_were_asked_for_are_not_cut_nor_those_of_a_search_that_began_before(settings):
    ranked = _ranked(1.2, 12_000, visit_s=1e-4)
    asked = settings.model_copy(update={"final_epochs": 200})
    old = replace(LARGE, cut_finals=False)
    for clock in (_allotted(3600, ranked, LARGE, asked), _allotted(3600, ranked, old, settings)):
        assert clock.compares_at_length
        assert clock.enough_epochs is None
        assert clock.places(ranked, ranked, LARGE) == 3


def test_one_dear_finalist_does_not_take_the_places_of_the_others(settings):
    """Of three the last costs three times as much: all together take what three of the mean cost do."""
    ranked = _ranked(1.2, 12_000, visit_s=1e-4)
    ranked[-1] = replace(ranked[-1], evaluation=replace(ranked[-1].evaluation, visit_s=3e-4, seconds=3.6))
    alike = _ranked(2.0, 12_000, visit_s=5e-4 / 3)
    found = []
    for trials in (ranked, alike):
        clock = _allotted(3600, trials, LARGE, settings)
        assert clock.enough_epochs == 40
        found.append(clock.places(trials, trials, LARGE))
        schedule = clock.finalists(trials, (trials * 6)[: found[-1]], LARGE)
        assert schedule == Schedule(1, 48_000, LARGE.enough(1_000))
    assert found[0] == found[1] > 8


def test_a_network_that_is_not_small_is_never_cut(settings):
    """Of 15,000 parameters for 60,000 samples one is small yet."""
    ranked = _ranked(1.2, 12_000, visit_s=1e-4)
    for params, cut in ((15_000, True), (15_001, False)):
        footprint = replace(ranked[0].evaluation.footprint, params=params)
        ranked[0] = replace(ranked[0], evaluation=replace(ranked[0].evaluation, footprint=footprint))
        clock = _allotted(1800, ranked, LARGE, settings)
        assert clock.compares_at_length
        assert (clock.enough_epochs is not None) is cut
        assert LARGE.enough(params) == (40 if cut else 300)


def test_where_not_all_finalists_can_be_trained_long_enough_none_is_taken_for_finished(settings):
    """Of some 1,070 s for finalists ten have 960 on two workers, and twelve would need 1,152."""
    for n, cut in ((10, True), (12, False)):
        ranked = _ranked(1.2, 12_000, n=n, visit_s=1e-4)
        clock = _allotted(1800, ranked, LARGE, settings.model_copy(update={"n_finalists": n}))
        assert clock.compares_at_length
        assert (clock.enough_epochs is not None) is cut


def test_as_many_finalists_as_were_asked_for(settings):
    ranked = _ranked(1.2, 12_000, visit_s=1e-4)
    clock = _allotted(3600, ranked, LARGE, settings.model_copy(update={"n_finalists": 3}))
    assert clock.enough_epochs == 40
    assert clock.places(ranked, ranked, LARGE) == 3
    assert clock.finalists(ranked, ranked, LARGE).folds > 1


def test_few_samples_are_never_compared_at_length(settings):
    clock, schedule = _settled(600, _ranked(2.0, 8_000, visit_s=1e-4), settings, SMALL)
    assert not clock.compares_at_length
    assert schedule.folds >= 5


def test_a_search_that_began_before_has_its_shares(settings):
    old = replace(LARGE, long_finals=False)
    clock, schedule = _settled(1800, _ranked(1.2, 12_000, visit_s=1e-4), settings, old)
    assert not clock.compares_at_length
    assert schedule.folds > 1


@pytest.mark.parametrize(("budget_s", "short"), [(20, True), (59, True), (60, False), (300, False), (None, False)])
def test_a_budget_that_no_search_can_keep_is_told(budget_s, short):
    said = Clock(budget_s, 0.0, 2).told_short(())
    assert (said is not None) == short
    if short:
        assert said.startswith(
            f"A time budget of {budget_s} s will be overrun: 2 trials (about 28 s), the final training"
        )
        assert said.endswith("take about 60 s, whatever the budget; give a minute or more.")


def test_what_trials_have_cost_says_how_much_more_is_needed():
    """A trial of 3 seconds, one of them for building; 10 s of training, 4 s at the end, two processes of 5 s."""
    trials = _ranked(3.0, 1000, visit_s=2.0 / 1000)
    assert Clock(27, 0.0, 2).told_short(trials) is None
    assert Clock(20, 0.0, 2).told_short(trials) == (
        "A time budget of 20 s more will be overrun: 1 trial (about 3 s), the final training (about 10 s), its "
        "conversion and test (about 4 s) and the start of their processes (about 10 s) take about 27 s, whatever the "
        "budget; give so much or more."
    )
    assert Clock(20, 0.0, 2, final=False).told_short(trials) is None


def test_where_no_folds_are_afforded_finalists_go_on_for_a_share_of_the_final_training(settings):
    """6 minutes in one process, 0.1 ms a visit: 108 s for children, 29 s and 15 % of some 190 s for two finalists."""
    ranked = _ranked(12.0, 108_000, visit_s=1e-4)[:2]
    clock = Clock(360, 0.0, 1)
    clock.allot(ranked, ranked, LARGE, settings)
    assert not clock.compares_at_length
    schedule = clock.going_on(ranked, ranked, LARGE, settings)
    seconds = clock.finalists_deadline(going_on=True) - clock.finalists_deadline()
    assert seconds == pytest.approx(0.15 * (0.59 * 360 - 12), rel=0.1)
    assert (schedule.folds, schedule.samples) == (1, 48_000)
    assert 1.5 * 108_000 <= schedule.visits <= (0.38 * 360 + seconds) / 2 / 1e-4
    assert (
        clock.going_on(ranked, _ranked(100.0, 1_000_000, visit_s=1e-4)[:2], LARGE, settings) is None
    )  # no longer at all
    assert clock.going_on(ranked, ranked, replace(LARGE, long_finals=False), settings) is None  # began before
    assert Clock(None, 0.0, 1).going_on(ranked, ranked, LARGE, settings) is None
