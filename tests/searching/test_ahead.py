"""Generations that are proposed before all earlier ones are told: the same journal on any number of workers."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.runs import Journal, State, folder, read_trials
from tinynas.searching import ahead, resume, search
from tinynas.searching.ahead import Ahead
from tinynas.searching.executor import Calls, Waiting


class Workers(Calls):
    """So many jobs at a time, of which any may be the next to end.

    After `stop_after` outcomes the search is killed, or when nothing is left but job `hangs`, which never ends.
    """

    def __init__(self, workers, chance, stop_after=None, looks=True, fails=(), hangs=None):
        super().__init__(evaluate)
        self.workers, self.chance, self.stop_after, self.looks = workers, random.Random(chance), stop_after, looks
        self.fails, self.hangs, self.n_calls, self.together = set(fails), hangs, 0, []

    def evaluate(self, jobs, deadline):
        self.n_calls += 1
        waiting, running = Waiting(jobs), []
        while waiting or running:
            while waiting and len(running) < self.workers:
                running.append(waiting.popleft())
            self.together.append({job.generation for job in running})
            may_end = [job for job in running if job.number != self.hangs]
            if not may_end or (self.stop_after is not None and len(self.together) > self.stop_after):
                raise KeyboardInterrupt
            job = self.chance.choice(may_end)
            running.remove(job)
            ((_, outcome),) = super().evaluate([job], None)
            if job.number in self.fails:
                outcome = replace(outcome, evaluation=replace(outcome.evaluation, state=State.FAILED, folds=()))
            yield job, outcome
            if self.looks:
                waiting.look()


@pytest.fixture
def run(stripes, target, space, limits, tmp_path, small_pool):
    """Search with an executor; the folder that it leaves, which a second call with the same name resumes."""

    def start(name, executor, **given):
        usual = {"space": space, "limits": limits, "n_generations": 17, "n_children": 4, "strategy": "evolution"}
        common = {"executor": lambda dataset, settings: executor, "screen": footprint_of, "progress": False}
        folder = tmp_path / name
        try:
            if folder.exists():
                resume(folder, stripes, **common)
            else:
                search(stripes, target, out=folder, **{**usual, **common, **given})
        except KeyboardInterrupt:
            assert not (folder / "summary.json").exists()
        return folder

    return start


def _journal(folder):
    return [
        (t.number, t.generation, t.parent, t.architecture.key, replace(t.evaluation, seconds=0.0))
        for t in read_trials(folder / "journal.sqlite")
    ]


def test_wide_generations_need_two_less_at_least(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.begin(folder.SINCE)
    assert Ahead.of(journal, 3, 31) == Ahead(4, 3, 0)
    assert Ahead.of(journal, 3, 32) == Ahead(4, 3, 2)
    journal.close()


def test_a_quarter_of_the_generations_or_two_need_not_be_told():
    assert [Ahead(4, 0, 2).told(each) for each in range(14)] == [0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10]
    assert [Ahead(4, 10, 2).told(each) for each in range(10, 15)] == [10, 10, 10, 10, 11]  # a part that began with 10
    assert [Ahead(4, 0).told(each) for each in range(13)] == [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9]
    assert [Ahead(4, 10).told(each) for each in range(10, 15)] == [10, 10, 10, 10, 11]
    assert [Ahead(0, 0).told(each) for each in range(13)] == list(range(13))


@given(share=st.integers(0, 9), least=st.integers(0, 4), first=st.integers(0, 50), since=st.integers(0, 500))
def test_nothing_is_untold(share, least, first, since):
    rule, generation = Ahead(share, first, least), first + since
    assert first <= rule.told(generation) <= generation
    assert rule.told(generation) <= rule.told(generation + 1)


@pytest.mark.parametrize(("strategy", "wide"), [("evolution", 32), ("surrogate", 32), ("evolution", 4)])
def test_the_number_of_workers_changes_nothing(run, strategy, wide, monkeypatch):
    monkeypatch.setattr(ahead, "WIDE", wide)  # generations are of 4 here
    one = run("one", Workers(1, 0), strategy=strategy)
    for workers in (3, 100):
        executor = Workers(workers, workers)
        many = run(f"{workers}", executor, strategy=strategy)
        assert _journal(many) == _journal(one)
        assert max(map(len, executor.together)) > 1  # generations were trained side by side
        assert executor.n_calls < 17


def test_an_executor_that_does_not_look_again_is_given_the_rest_another_time(run):
    one, blind = run("one", Workers(1, 0)), Workers(5, 1, looks=False)
    assert _journal(run("blind", blind)) == _journal(one)
    assert blind.n_calls > 4


@pytest.mark.parametrize(("stop_after", "wide"), [(0, 32), (9, 32), (30, 32), (41, 32), (60, 32), (9, 4), (41, 4)])
def test_a_killed_search_goes_on_to_the_same_end(run, stop_after, wide, monkeypatch):
    monkeypatch.setattr(ahead, "WIDE", wide)
    whole = run("whole", Workers(1, 0))
    run("killed", Workers(7, 3, stop_after=stop_after))
    assert _journal(run("killed", Workers(2, 5))) == _journal(whole)


@pytest.mark.parametrize(("since", "together"), [({"ahead": 0, "ahead_least": 0}, 1), ({"ahead_least": 0}, None)])
def test_what_an_earlier_version_began_goes_on_as_it_began(run, monkeypatch, since, together):
    monkeypatch.setattr(ahead, "WIDE", 4)
    usual = dict(folder.SINCE)
    for name, value in since.items():
        monkeypatch.setitem(folder.SINCE, name, value)
    whole = run("whole", Workers(1, 0))
    run("begun", Workers(7, 1, stop_after=30))
    for name, value in usual.items():
        monkeypatch.setitem(folder.SINCE, name, value)
    executor = Workers(7, 2)
    assert _journal(run("begun", executor)) == _journal(whole)
    assert together in (None, max(map(len, executor.together)))
    assert _journal(run("new", Workers(1, 0))) != _journal(whole)


def test_failed_trials_that_nothing_is_built_on_are_tried_again(run):
    """A trial of generation 9 hangs: 12 is the last that is proposed without it, and 10 to 12 end."""
    whole = _journal(run("whole", Workers(1, 0)))
    trained = [row for row in whole if row[4].state is State.COMPLETE]
    first = {row[1]: row[0] for row in reversed(trained)}
    killed = _journal(run("killed", Workers(2, 0, hangs=first[9], fails=[first[10], first[12]])))
    assert max(row[1] for row in killed) == 12
    assert [row[0] for row in killed if row[4].state is State.FAILED] == [first[10], first[12]]
    assert _journal(run("killed", Workers(3, 1))) == whole
    run("built on", Workers(2, 0, stop_after=60, fails=[first[3]]))
    assert [row[0] for row in _journal(run("built on", Workers(3, 1))) if row[4].state is State.FAILED] == [first[3]]


def test_trials_are_counted_while_they_are_under_way(run):
    trials = _journal(run("run", Workers(50, 0), n_generations=None, max_trials=61, n_finalists=1))
    assert len({row[3] for row in trials if row[4].state is not State.INFEASIBLE}) == 61


def test_a_space_that_is_exhausted_ends_the_search_when_all_has_ended(run, stripes):
    single = {"batch_norm": (True,), "pools": (None,), "residual": (False,), "hidden_units": (0,)}
    space = SearchSpace.for_input(
        (8, 8, 1), 3, kinds=("conv",), max_depth=1, filters=(4, 8), activations=("relu",), **single
    )
    one, many = (
        run(name, Workers(n, 1), space=space, n_generations=90, n_children=12) for name, n in (("one", 1), ("many", 60))
    )
    assert _journal(one) == _journal(many)
    assert "holds no new architecture" in (many / "search.log").read_text()


def test_what_a_run_begins_with_is_written_into_it(run):
    journal = Journal(run("run", Workers(1, 0), n_generations=1) / "journal.sqlite")
    assert (journal.fact("ahead"), journal.fact("ahead_least")) == (4, 2)
    journal.close()
