"""Where samples are few: what a search asks its executor to train, with made-up scores."""

from collections import Counter
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.data import Dataset
from tinynas.runs import Journal, read_trials
from tinynas.searching import course, resume, search
from tinynas.searching.executor import Calls
from tinynas.searching.jobs import Outcome
from tinynas.searching.strategies import strategy_for
from tinynas.training.regularization import STRENGTHS
from tinynas.training.schedule import Lengths

N = 200


class Folds(Calls):
    """Scores as many folds as a job has, and notes it; each has weights that might be started from."""

    def __init__(self, stop_after=10**9):
        super().__init__(evaluate)
        self.jobs, self._left = [], stop_after

    def evaluate(self, jobs, deadline):
        for job in jobs:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
            self.jobs.append(job)
            scored = evaluate(job.architecture)
            evaluation = replace(scored, folds=scored.folds * job.schedule.folds, visits=job.schedule.visits)
            yield job, Outcome(evaluation, weights={"conv": [np.zeros(1)]})


@pytest.fixture
def run(target, space, limits, tmp_path, small_pool):
    def start(out="run", n=N, executor=None, **given):
        executor = executor or Folds()
        usual = {"space": space, "limits": limits, "screen": footprint_of, "n_generations": 6, "n_children": 6}
        data = made_up(n)
        result = search(data, target, out=tmp_path / out, executor=lambda *_: executor, **{**usual, **given})
        return result, executor.jobs

    return start


def made_up(n):
    x = (np.arange(n * 64) * 37 % 251).astype(np.uint8).reshape(n, 8, 8)
    return Dataset.from_arrays(x, np.arange(n) % 3, x[:30], np.arange(30) % 3, name="made-up")


def _searched(jobs):
    return [job for job in jobs if job.fidelity == "proxy"]


def test_every_child_is_trained_on_every_fold_from_fresh_weights(run):
    _, jobs = run(strategy="evolution")
    assert {job.schedule.folds for job in _searched(jobs)} == {5}
    assert {job.start for job in jobs} == {None}
    _, jobs = run("large", n=1_250, strategy="evolution")
    assert {job.schedule.folds for job in _searched(jobs)} == {1}
    assert {job.start is None for job in _searched(jobs)} == {True, False}
    assert {job.regularization for job in jobs} == {"usual"}


def test_regularisation_is_searched_and_kept(run):
    result, jobs = run(n_generations=12)
    trials = {trial.number: trial for trial in result.trials}
    assert {job.regularization for job in jobs} == set(STRENGTHS)
    as_parent = Counter()
    for job in jobs:
        assert trials[job.number].evaluation.regularization == job.regularization
        if job.parent is not None:
            parent = trials[job.parent]
            same = parent.evaluation.regularization == job.regularization
            if parent.architecture.key == job.architecture.key:
                assert same  # a promotion or a finalist
            else:
                as_parent[same] += 1
    assert as_parent[True] > as_parent[False] > 0
    assert result.summary["best"]["regularization"] == result.best.evaluation.regularization


def test_a_difference_below_the_standard_error_promotes_nobody(run, monkeypatch):
    rungs = lambda jobs: {job.rung for job in _searched(jobs)}  # noqa: E731
    _, jobs = run("apart", strategy="evolution")
    assert 1 in rungs(jobs)
    monkeypatch.setitem(globals(), "evaluate", _alike)
    _, jobs = run("alike", strategy="evolution")
    assert rungs(jobs) == {0}


def _alike(architecture, scored=evaluate):
    """About 0.7, give or take half a point: of 200 samples the standard error is 3.2 points."""
    value = 0.7 + (int(architecture.key[:2], 16) / 255 - 0.5) / 100
    evaluation = scored(architecture)
    same = replace(evaluation.folds[0].int8, accuracy=value)
    return replace(evaluation, folds=(replace(evaluation.folds[0], int8=same, float=same),))


@pytest.mark.parametrize("stop_after", [3, 20, 39])
def test_killed_it_goes_on_to_the_same_end(run, tmp_path, stop_after):
    whole, _ = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("killed", executor=Folds(stop_after))
    result = resume(tmp_path / "killed", made_up(N), executor=lambda *_: Folds(), screen=footprint_of)
    assert [_rows(t) for t in result.trials] == [_rows(t) for t in whole.trials]


def test_a_search_that_began_before_goes_on_as_it_would_have(run, tmp_path):
    """Its journal has no fact about small sets: one fold, weights inherited, no choice of regularisation."""
    with pytest.raises(KeyboardInterrupt):
        run("old", executor=Folds(1), strategy="evolution")
    journal = Journal(tmp_path / "old" / "journal.sqlite")
    journal.set_fact("small_sets", False)
    journal.close()
    executor = Folds()
    resume(tmp_path / "old", made_up(N), executor=lambda *_: executor, screen=footprint_of)
    assert {job.schedule.folds for job in _searched(executor.jobs)} == {1}
    assert {job.regularization for job in executor.jobs} == {""}
    assert any(job.start is not None for job in executor.jobs)
    assert len(list(read_trials(tmp_path / "old" / "journal.sqlite"))) > 20


def _rows(trial):
    return trial.number, trial.parent, trial.architecture.key, replace(trial.evaluation, seconds=0.0)


def test_few_groups_are_few_samples_but_not_in_a_search_that_began_before(target, space, limits, tmp_path, small_pool):
    n = 3_000
    x = (np.arange(n * 64) * 37 % 251).astype(np.uint8).reshape(n, 8, 8)
    groups = np.arange(n) % 60
    data = Dataset.from_arrays(x, groups % 3, x[:30], groups[:30] % 3, groups=groups, groups_test=np.arange(30) + 60)
    given = {"space": space, "limits": limits, "screen": footprint_of, "n_generations": 3, "n_children": 4}
    first = Folds()
    result = search(data, target, out=tmp_path / "run", executor=lambda *_: first, **given)
    assert {job.schedule.folds for job in first.jobs} == {3}
    assert {job.start for job in first.jobs} == {None}
    with pytest.raises(KeyboardInterrupt):
        search(data, target, out=tmp_path / "old", executor=lambda *_: Folds(stop_after=1), **given)
    with closing(Journal(tmp_path / "old" / "journal.sqlite")) as journal:
        journal.set_fact("few_groups", False)
    old = Folds()
    resume(tmp_path / "old", data, executor=lambda *_: old, screen=footprint_of)
    assert {job.schedule.folds for job in _searched(old.jobs)} == {1}
    assert result.folder.name == "run"


@pytest.mark.parametrize("n_groups", [60, None])
def test_finalists_are_ranked_with_the_bonus_that_children_are(run, monkeypatch, n_groups):
    """Where groups are few, size counts on several folds: for the record as for the strategy."""
    given = []

    class Noted(course.Record):
        def __init__(self, folder, begun, size_bonus=None):
            given.append(size_bonus)
            super().__init__(folder, begun, *(() if size_bonus is None else (size_bonus,)))

    def strategy(settings, screen, networks, size_bonus):
        given.append(size_bonus)
        return strategy_for(settings, screen, networks, size_bonus)

    monkeypatch.setattr(course, "Record", Noted)
    monkeypatch.setattr("tinynas.searching.api.strategy_for", strategy)
    if n_groups is not None:
        monkeypatch.setattr(course, "lengths_for", lambda *_: Lengths(3_000, 64, 3, groups=n_groups))
    run(n_generations=1, n_children=2)
    record, proposer = given
    assert record == proposer
    assert record.on_folds is (n_groups is not None)
