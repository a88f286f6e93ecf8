"""A time budget is used: whole searches on a clock that is moved by what trainings would take."""

import heapq
from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import Dataset
from tinynas.runs import Journal, read_trials
from tinynas.searching import Note, Outcome, clock, resume, search
from tinynas.searching.executor import Calls

WORKERS = 2
START_S = 1.3  # building, converting and scoring a child
FIRST_S = 6.0  # what the first child of a process takes longer: TensorFlow is loaded
END_S = 5.0  # converting the final model, the test set, TFLM


@dataclass
class Machine:
    """Two workers in a made-up time: a visit takes `visit_s`, in the final training too, where two batches share it."""

    visit_s: float
    now: float = 1000.0
    last: object = None

    def __call__(self, dataset, settings):
        self.samples, self.jobs = len(dataset.x), []
        self.free = [self.now + FIRST_S] * WORKERS
        return self

    def evaluate(self, jobs, deadline):
        waiting, running = list(jobs), []
        while waiting or running:
            while waiting and len(running) < WORKERS and (deadline is None or self.now <= deadline):
                job = waiting.pop(0)
                place = min(range(WORKERS), key=lambda worker: self.free[worker])
                schedule = job.schedule
                trained_s = schedule.folds * START_S + schedule.visits * self.visit_s
                self.free[place] = max(self.now, self.free[place]) + trained_s
                heapq.heappush(running, (self.free[place], job.number, trained_s, job))
            if not running:
                return
            ended, _, trained_s, job = heapq.heappop(running)
            self.now = max(self.now, ended)
            self.jobs.append(job)
            done = evaluate(job.architecture)
            folds = done.folds * job.schedule.folds
            told = {"seconds": trained_s, "visits": job.schedule.visits, "visit_s": self.visit_s}
            yield job, Outcome(replace(done, footprint=footprint_of(job.architecture), folds=folds, **told))

    def final(self, job, report):
        self.last = job
        wanted = final_seconds(job, self.samples, self.visit_s)
        self.now += min(wanted, wanted if job.time_budget_s is None else job.time_budget_s) + END_S

    def close(self):
        pass


def final_seconds(job, samples, visit_s):
    """Two processors do half as much again as one where there are samples for two batches."""
    return job.epochs * samples * visit_s * 13 / 12 / (1.5 if samples >= 128 else 1.0)


@pytest.fixture
def run(target, limits, tmp_path, monkeypatch):
    """Search in made-up time; return how long it took, the machine and what was said."""

    def start(n, budget_s, visit_s, **given):
        machine, said = Machine(visit_s), []
        monkeypatch.setattr(clock.time, "monotonic", lambda: machine.now)
        x = np.zeros((n, 8, 8), np.uint8)
        x[:, 0, 0] = np.arange(n) % 256
        data = Dataset.from_arrays(x, np.arange(n) % 5, x[:10], np.arange(10) % 5)
        search(
            data, target, out=tmp_path / "run", space=SearchSpace.for_input((8, 8, 1), 5), screen=footprint_of,
            executor=machine, watch=said.append, time_budget_s=budget_s, strategy="random", workers=WORKERS,
            precision="float32", **given,
        )  # fmt: skip
        return machine.now - 1000, machine, [event.text for event in said if isinstance(event, Note)]

    return start


@pytest.mark.parametrize("budget_s", [75, 120, 300])
@pytest.mark.parametrize(("n", "visit_s"), [(85, 6e-5), (85, 3e-5), (300, 6e-5)])
def test_on_small_data_the_budget_is_used(run, n, visit_s, budget_s):
    took, machine, said = run(n, budget_s, visit_s)
    assert 0.8 * budget_s <= took <= 1.05 * budget_s
    assert machine.last.time_budget_s >= final_seconds(machine.last, n, visit_s)  # as long as makes sense, all the same
    if budget_s > 75:
        assert not [text for text in said if "no time to train finalists" in text]
        assert {job.fidelity for job in machine.jobs} == {"proxy", "full"}


@pytest.mark.parametrize(("budget_s", "visit_s"), [(120, 2e-4), (900, 8e-4)])
def test_on_large_data_the_final_training_has_its_share(run, budget_s, visit_s):
    took, machine, _ = run(20_000, budget_s, visit_s)
    assert took <= 1.1 * budget_s
    searched = [job for job in machine.jobs if job.fidelity == "proxy"]
    assert machine.last.time_budget_s >= 0.5 * budget_s - 12
    assert len(searched) * (START_S + searched[0].schedule.visits * visit_s) <= WORKERS * 0.45 * budget_s


def test_where_the_final_training_is_long_it_shares_with_the_finalists(run):
    """Of 0.2 ms a visit it would have 190 epochs in 900 s; the longest proxies, begun in time, end late."""
    took, machine, _ = run(20_000, 900, 2e-4)
    assert took <= 1.1 * 900
    finalists = [job for job in machine.jobs if job.fidelity == "full"]
    assert {job.schedule.folds for job in finalists} == {1}
    assert finalists[0].schedule.epochs > 30
    assert machine.last.time_budget_s >= 0.2 * 900


def test_a_search_that_measures_only_uses_it_too(run, stripes, target, space, limits, tmp_path, monkeypatch):
    now = [0.0]

    def slow(architecture):
        now[0] += 1.0
        return evaluate(architecture)

    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    given = {"space": space, "limits": limits, "screen": footprint_of, "strategy": "random"}
    search(stripes, target, out=tmp_path / "run", evaluate=slow, time_budget_s=50, **given)
    assert 45 <= now[0] <= 55


def test_what_version_0_1_0_began_goes_on_by_its_lengths(stripes, target, space, limits, tmp_path):
    """Its journal does not say that steps are counted: 30 epochs, and finalists of 60, however few the samples."""

    class Noting(Calls):
        def __init__(self, *_):
            super().__init__(evaluate)
            self.jobs = []

        def evaluate(self, jobs, deadline):
            for job in jobs:
                self.jobs.append(job)
                if len(self.jobs) == 5:
                    raise KeyboardInterrupt
                yield from super().evaluate([job], deadline)

    given = {"space": space, "limits": limits, "screen": footprint_of, "strategy": "random"}
    with pytest.raises(KeyboardInterrupt):
        search(stripes, target, out=tmp_path / "run", executor=Noting, n_generations=2, n_children=4, **given)
    journal = Journal(tmp_path / "run" / "journal.sqlite")
    assert journal.fact("least_steps") is True
    journal.set_fact("least_steps", False)
    journal.close()
    assert len(list(read_trials(tmp_path / "run" / "journal.sqlite"))) >= 4
    again = Noting()
    again.jobs = [None] * 10
    resume(tmp_path / "run", stripes, executor=lambda *_: again, screen=footprint_of)
    lengths = {(job.fidelity, job.rung): job.schedule.epochs for job in again.jobs[10:]}
    assert lengths["proxy", 0] == 30
    assert lengths["full", 0] == 60
