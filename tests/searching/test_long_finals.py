"""Finalists at the length of the final training, which goes on from the winner's weights; with made-up scores."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tests.searching.test_small_sets import made_up
from tinynas.data import FoldScores, Scores
from tinynas.runs import Journal, read_settings
from tinynas.searching import equal_length, resume, search
from tinynas.searching.clock import Clock
from tinynas.searching.equal_length import SizeBonus
from tinynas.searching.executor import Calls
from tinynas.searching.jobs import Outcome
from tinynas.training import schedule

VISIT_S = 1e-4  # of 2,000 samples 300 epochs, the most, are 60 s


class Clocked(Calls):
    """Each visit took VISIT_S, or so it says; notes the jobs, and what the final training is to be."""

    def __init__(self, stop_at_final=False, visit_s=VISIT_S):
        super().__init__(evaluate)
        self.jobs, self.last, self._stop, self._visit_s = [], None, stop_at_final, visit_s

    def evaluate(self, jobs, deadline):
        for job in jobs:
            self.jobs.append(job)
            scored, visits = evaluate(job.architecture), job.schedule.visits
            folds = scored.folds * job.schedule.folds
            evaluation = replace(scored, folds=folds, visits=visits, visit_s=self._visit_s)
            evaluation = replace(evaluation, seconds=visits * self._visit_s)
            yield job, Outcome(evaluation, weights={"conv": [np.zeros(1)]})

    def final(self, job, report):
        if self._stop:
            raise KeyboardInterrupt
        self.last = job


@pytest.fixture
def run(target, space, limits, tmp_path, small_pool):
    def start(out="run", n=2_000, executor=None, **given):
        executor = executor or Clocked()
        usual = {"space": space, "limits": limits, "screen": footprint_of, "n_generations": 2, "workers": 1}
        data = made_up(n)
        result = search(data, target, out=tmp_path / out, executor=lambda *_: executor, **{**usual, **given})
        return result, executor

    return start


def _finalists(executor):
    return [job for job in executor.jobs if job.fidelity == "full"]


def test_the_best_start_is_among_the_finalists(run):
    result, executor = run(n_finalists=2)
    starts = {a.key for a in read_settings(result.folder).space.handmade()}
    tried = [job for job in executor.jobs if job.architecture.key in starts]
    best = max(tried, key=lambda job: evaluate(job.architecture).mean()).architecture.key
    keys = [job.architecture.key for job in _finalists(executor)]
    assert best in keys
    assert len(keys) == (2 if best in keys[:2] else 3)
    assert len({*keys}) == len(keys)
    _, executor = run("random", n_finalists=2, start="random")
    assert len(_finalists(executor)) == 2
    _, executor = run("one", n_finalists=1)
    assert len(_finalists(executor)) == 1


def test_where_the_final_training_is_long_finalists_are_as_long_and_the_winner_goes_on(run):
    result, executor = run(time_budget_s=120, n_rungs=1)
    (schedule,) = {job.schedule for job in _finalists(executor)}
    assert (schedule.folds, schedule.samples) == (1, 1_600)
    assert schedule.epochs > 35  # and full fidelity, for which there is no time, has 60 on each of five folds
    assert executor.last.start is not None
    assert executor.last.start.architecture.key == result.best.architecture.key
    assert result.best.evaluation.fidelity == "full"
    assert not executor.last.twice


def test_with_time_for_it_the_final_training_also_starts_anew(run):
    _, executor = run(time_budget_s=1_200)
    assert executor.last.twice
    assert executor.last.start is not None
    assert {job.schedule.epochs for job in _finalists(executor)} == {300}


@pytest.mark.parametrize("given", [{"n": 200, "time_budget_s": 120}, {"n": 2_000, "time_budget_s": None}])
def test_elsewhere_it_starts_anew(run, given):
    _, executor = run(**given)
    assert _finalists(executor)
    assert (executor.last.start, executor.last.twice) == (None, False)


def test_killed_before_the_final_training_it_goes_on_with_the_same(run, tmp_path):
    _, whole = run("whole", time_budget_s=1_200)
    with pytest.raises(KeyboardInterrupt):
        run("killed", executor=Clocked(stop_at_final=True), time_budget_s=1_200)
    executor = Clocked()
    resume(tmp_path / "killed", made_up(2_000), executor=lambda *_: executor, screen=footprint_of, workers=1)
    assert not executor.jobs
    assert executor.last.start.path == tmp_path / "killed" / "weights" / whole.last.start.path.name
    assert executor.last.twice


def test_a_search_that_began_before_goes_on_as_it_would_have(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run("old", executor=Clocked(stop_at_final=True), time_budget_s=120, n_finalists=2)
    journal = Journal(tmp_path / "old" / "journal.sqlite")
    journal.set_fact("long_finals", False)
    journal.close()
    executor = Clocked()
    resume(tmp_path / "old", made_up(2_000), executor=lambda *_: executor, screen=footprint_of, workers=1)
    assert not executor.last.twice


@pytest.mark.parametrize("older", [False, True])
def test_trainings_end_plain_unless_the_search_is_older(run, tmp_path, older):
    first = Clocked(stop_at_final=True)
    with pytest.raises(KeyboardInterrupt):
        run("old", executor=first, max_trials=2, n_finalists=2)
    assert {job.ends_plain for job in first.jobs} == {True}
    with closing(Journal(tmp_path / "old" / "journal.sqlite")) as journal:
        journal.remove([job.number for job in _finalists(first)])
        if older:
            journal.set_fact("ends_plain", False)
    second = Clocked()
    resume(tmp_path / "old", made_up(2_000), executor=lambda *_: second, screen=footprint_of, workers=1)
    assert len(_finalists(second)) == 2
    assert {job.ends_plain for job in (*second.jobs, second.last)} == {not older}


@pytest.mark.parametrize("n_finalists", [2, 3])
def test_where_it_is_short_finalists_go_on_from_their_proxies_and_the_final_training_from_the_winner(run, n_finalists):
    """With 400 s it has some 100 epochs; two fresh folds for each finalist would take more than the 32 s there are."""
    result, executor = run(executor=Clocked(visit_s=1e-3), time_budget_s=400, n_rungs=1, n_finalists=n_finalists)
    starts = {a.key for a in read_settings(result.folder).space.handmade()}
    finalists = _finalists(executor)
    (schedule,) = {job.schedule for job in finalists}
    longest = max(job.schedule.visits for job in executor.jobs if job.fidelity == "proxy")
    assert (schedule.folds, schedule.samples) == (1, 1_600)
    assert schedule.visits >= 1.5 * longest
    assert len(finalists) >= 2
    assert {job.architecture.key for job in finalists} & starts
    assert all(job.start is not None and job.start.architecture.key == job.architecture.key for job in finalists)
    assert executor.last.start.architecture.key == result.best.architecture.key
    assert result.best.evaluation.fidelity == "full"


def test_the_final_training_sees_at_least_as_many_samples_as_the_trial_did(run):
    """Of 200 samples five folds of 160 are trained, and a budget of a second leaves hardly an epoch."""
    result, executor = run(n=200, time_budget_s=1)
    visits, folds = result.best.evaluation.visits, len(result.best.evaluation.folds)
    assert executor.last.least_epochs * 200 >= visits / folds > (executor.last.least_epochs - 1) * 200
    assert executor.last.start is None


class Killed(Clocked):
    """Killed when the first finalist is trained."""

    def evaluate(self, jobs, deadline):
        for done in super().evaluate(jobs, deadline):
            yield done
            if done[0].fidelity == "full":
                raise KeyboardInterrupt


def test_killed_among_the_finalists_the_others_go_on_as_they_would_have(run, tmp_path, monkeypatch):
    given = {"time_budget_s": 400, "n_rungs": 1}
    _, whole = run("whole", executor=Clocked(visit_s=1e-3), **given)
    with pytest.raises(KeyboardInterrupt):
        run("run", executor=Killed(visit_s=1e-3), **given)
    executor = Clocked(visit_s=1e-3)
    monkeypatch.setattr("tinynas.searching.clock.Clock.going_on", None)  # what was settled is not asked for again
    result = resume(tmp_path / "run", made_up(2_000), screen=footprint_of, executor=lambda *_: executor)
    keys, wanted = ([job.architecture.key for job in _finalists(each)] for each in (executor, whole))
    assert keys == wanted[1:]
    assert all(job.start is not None for job in executor.jobs)
    assert executor.last.start.architecture.key == result.best.architecture.key


def _said(folder):
    return (folder / "search.log").read_text()


def test_where_no_finalist_could_begin_it_is_said(run, monkeypatch):
    monkeypatch.setattr(Clocked, "evaluate", _without_finalists(Clocked.evaluate))
    result, _ = run(executor=Clocked(visit_s=1e-3), time_budget_s=400, n_rungs=1)
    assert "The time was over before a finalist could begin: the best proxy wins." in _said(result.folder)
    assert result.best.evaluation.fidelity == "proxy"


def _without_finalists(evaluate_all):
    def only_proxies(self, jobs, deadline):
        yield from evaluate_all(self, [job for job in jobs if job.fidelity == "proxy"], deadline)

    return only_proxies


@pytest.mark.parametrize("prefers_size", [True, False])
def test_why_another_than_the_highest_score_is_trained_is_said(run, monkeypatch, prefers_size):
    """Where size has a bonus that outweighs all scores, the largest network wins with a lower one."""
    monkeypatch.setattr(equal_length, "SIZE_BONUS", SizeBonus(10.0 if prefers_size else 0.0))
    result, _ = run(executor=Clocked(visit_s=1e-3), time_budget_s=15, n_rungs=1, n_finalists=1)
    scores = [t.evaluation.mean() for t in result.trials if t.evaluation.folds]
    assert (result.best.evaluation.mean() < max(scores)) is prefers_size
    assert ("has more to gain from a long training" in _said(result.folder)) is prefers_size


class Set(Clocked):
    """Every finalist scores 0.9, but for what is not among `starts`: it has so much more."""

    def __init__(self, starts, lead):
        super().__init__()
        self._starts, self._lead = starts, lead

    def evaluate(self, jobs, deadline):
        for job, outcome in super().evaluate(jobs, deadline):
            if job.fidelity == "full":
                score = 0.9 + (self._lead if job.architecture.key not in self._starts else 0.0)
                scores = Scores(score, score, score, score)
                evaluation = replace(outcome.evaluation, folds=(FoldScores(scores, scores),) * job.schedule.folds)
                outcome = replace(outcome, evaluation=evaluation)
            yield job, outcome


@pytest.mark.parametrize("lead", [0.01, 0.05])
def test_a_start_stays_the_best_unless_it_is_surely_beaten(run, space, lead):
    """The standard error of 0.9 on 400 samples is 0.015."""
    starts = {architecture.key for architecture in space.handmade()}
    result, executor = run(executor=Set(starts, lead), time_budget_s=120, n_rungs=1, n_finalists=2)
    assert {job.architecture.key in starts for job in _finalists(executor)} == {True, False}
    assert (result.best.architecture.key in starts) is (lead < 0.015)
    assert executor.last.start.architecture.key == result.best.architecture.key
    assert ("a hand-made start, since #" in _said(result.folder)) is (lead < 0.015)
    first = max(
        (t for t in result.trials if t.evaluation.fidelity == "full"), key=lambda t: t.evaluation.mean("accuracy")
    )
    said = f"a hand-made start, since #{first.number} is better by less than a standard error"
    assert result.summary["best"]["chosen"] == (said if lead < 0.015 else None)


def test_where_fewer_epochs_are_enough_more_are_compared_and_the_best_wins(run, space, tmp_path, monkeypatch):
    """100 epochs of 2,000 samples, 1,500 steps of two batches: 16 s for a finalist. Killed, it ends the same."""
    monkeypatch.setattr(schedule, "_ENOUGH_VISITS", 40_000)
    starts = {architecture.key for architecture in space.handmade()}
    given = {"time_budget_s": 240, "n_rungs": 1}
    result, executor = run(executor=Set(starts, 0.01), **given)
    finalists = _finalists(executor)
    assert len(finalists) > 4
    assert len(_finalists(run("asked", executor=Set(starts, 0.01), n_finalists=2, **given)[1])) <= 3
    assert {job.schedule for job in finalists} == {schedule.Schedule(1, 1_600, 100)}
    assert result.best.architecture.key not in starts
    assert executor.last.cool
    assert executor.last.epochs == 100
    assert executor.last.start.architecture.key == result.best.architecture.key

    class KilledSet(Killed, Set):
        """Both."""

    with pytest.raises(KeyboardInterrupt):
        run("killed", executor=KilledSet(starts, 0.01), **given)
    executor = Set(starts, 0.01)
    result = resume(tmp_path / "killed", made_up(2_000), screen=footprint_of, executor=lambda *_: executor)
    assert [job.architecture.key for job in executor.jobs] == [job.architecture.key for job in finalists[1:]]
    assert {job.schedule for job in executor.jobs} == {schedule.Schedule(1, 1_600, 100)}
    assert result.best.architecture.key not in starts
    assert executor.last.cool


class Poor(Set):
    """The starts have the lowest scores of the proxies as well."""

    def evaluate(self, jobs, deadline):
        for job, outcome in super().evaluate(jobs, deadline):
            if job.fidelity == "proxy":
                scores = Scores(*(0.1 if job.architecture.key in self._starts else 0.5,) * 4)
                folds = (FoldScores(scores, scores),) * job.schedule.folds
                outcome = replace(outcome, evaluation=replace(outcome.evaluation, folds=folds))
            yield job, outcome


def test_finalists_that_had_less_time_than_was_reckoned_are_not_taken_for_finished(run, space, monkeypatch):
    """The start stays then, which was not surely beaten, and goes on at the full rate."""
    monkeypatch.setattr(schedule, "_ENOUGH_VISITS", 40_000)
    monkeypatch.setattr(Clock, "finalists", lambda *_: schedule.Schedule(1, 1_600, 60))
    starts = {architecture.key for architecture in space.handmade()}
    result, executor = run(executor=Set(starts, 0.01), time_budget_s=240, n_rungs=1)
    assert {job.schedule.epochs for job in _finalists(executor)} == {60}
    assert result.best.architecture.key in starts
    assert executor.last.start is not None
    assert not executor.last.cool


def test_a_start_beside_the_finalists_has_one_of_the_places(run, space, monkeypatch):
    """Else the time that was reckoned for all of them would not hold the last."""
    monkeypatch.setattr(schedule, "_ENOUGH_VISITS", 40_000)
    found, places = [], Clock.places
    monkeypatch.setattr(Clock, "places", lambda *given: found.append(places(*given)) or found[-1])
    starts = {architecture.key for architecture in space.handmade()}
    _, executor = run(executor=Poor(starts, 0.01), time_budget_s=240, n_rungs=1)
    finalists = [job.architecture.key for job in _finalists(executor)]
    assert found == [len(finalists)]
    assert found[0] > 4
    assert [key in starts for key in finalists].count(True) == 1


def test_where_more_finalists_cost_more_there_are_fewer_and_none_is_cut_short(run, space, monkeypatch):
    """Who comes beside the first may be dearer than they: with five epochs less the start would stay."""
    monkeypatch.setattr(schedule, "_ENOUGH_VISITS", 40_000)
    reckoned = Clock.finalists

    def dearer(clock, trials, ranked, lengths):
        found = reckoned(clock, trials, ranked, lengths)
        return found if len(ranked) < 5 else replace(found, epochs=found.epochs - 5)

    monkeypatch.setattr(Clock, "finalists", dearer)
    starts = {architecture.key for architecture in space.handmade()}
    result, executor = run(executor=Set(starts, 0.01), time_budget_s=240, n_rungs=1)
    assert [job.schedule.epochs for job in _finalists(executor)] == [100] * 4
    assert result.best.architecture.key not in starts
    assert executor.last.cool


def test_who_prefers_a_small_network_is_not_given_a_start_in_its_place(run, space, monkeypatch):
    starts = {architecture.key for architecture in space.handmade()}
    monkeypatch.setattr("tinynas.searching.record.preferred", lambda among, metric, prefer, samples, best: best)
    result, _ = run(executor=Set(starts, 0.01), time_budget_s=120, n_rungs=1, n_finalists=2, prefer="balanced")
    assert result.best.architecture.key not in starts
    assert "a hand-made start, since #" not in _said(result.folder)
    assert result.summary["best"]["chosen"] is None


def test_who_prefers_a_small_network_is_told_which_scores_higher(run, space, monkeypatch):
    starts = {architecture.key for architecture in space.handmade()}
    monkeypatch.setattr(
        "tinynas.searching.record.preferred", lambda among, *_: min(among, key=lambda t: t.evaluation.mean("accuracy"))
    )
    result, _ = run(executor=Set(starts, 0.01), time_budget_s=120, n_rungs=1, n_finalists=2, prefer="balanced")
    first = max(
        (t for t in result.trials if t.evaluation.fidelity == "full"), key=lambda t: t.evaluation.mean("accuracy")
    )
    assert result.summary["best"]["chosen"] == (
        f"smaller than #{first.number}, which scores higher by no more than --prefer balanced gives up"
    )


def test_a_search_that_began_before_goes_on_without(run, space, tmp_path):
    class Killed(Set):
        def final(self, job, report):
            raise KeyboardInterrupt

    starts = {architecture.key for architecture in space.handmade()}
    with pytest.raises(KeyboardInterrupt):
        run(executor=Killed(starts, 0.01), time_budget_s=120, n_rungs=1, n_finalists=2)
    with closing(Journal(tmp_path / "run" / "journal.sqlite")) as journal:
        journal.set_fact("proven_stay", False)
    executor = Set(starts, 0.01)
    result = resume(tmp_path / "run", made_up(2_000), screen=footprint_of, executor=lambda *_: executor)
    assert result.best.architecture.key not in starts
