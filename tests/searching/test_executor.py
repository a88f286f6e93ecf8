"""The contract that every executor keeps: each row of contracts.EXECUTORS goes through all of it.

Then the worker processes for real: small jobs, and the check of the screen against the file. What may go wrong with
them is in test_processes.py.
"""

import pickle
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.contracts import EXECUTORS, FAILS
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.data import Dataset
from tinynas.hardware import Limits, Target
from tinynas.runs import DataSource, Evaluation, Settings, State
from tinynas.screening import screen
from tinynas.searching import worker
from tinynas.searching.events import FoldDone
from tinynas.searching.jobs import FinalJob, Job
from tinynas.searching.processes import Processes
from tinynas.searching.share import share
from tinynas.training.schedule import Schedule

NETS = [
    Architecture((8, 8, 1), (Block("conv", 4, 3, pool="max"),), Head(), 3),
    Architecture((8, 8, 1), (Block("separable", 4, 3, stride=2),), Head(), 3),
    Architecture((8, 8, 1), (Block("conv", 6, 3, stride=2),), Head("flatten"), 3),
]


@pytest.fixture(scope="module", params=EXECUTORS)
def executor(request, stripes):
    """An executor of each kind, one for all tests of the contract: starting processes takes its time."""
    if request.param == "ray":
        pytest.importorskip("ray", reason="Ray is not installed: make test-ray")
    made = EXECUTORS[request.param](stripes, _settings(stripes))
    yield made
    made.close()
    made.close()  # twice is as good


def _settings(stripes):
    target = Target.load("nucleo_f401")
    return Settings(
        version="0",
        target=target,
        data=DataSource(kind="arrays").of(stripes),
        space=SearchSpace.for_input((8, 8, 1), 3),
        limits=target.limits,
        n_folds=2,
        final_epochs=2,
    )


def _jobs(first=0, fails=False):
    """Children that are measured only, which is quick; the one that fails among them if wanted."""
    target = Target.load("nucleo_f401")
    nets = [NETS[0], FAILS, NETS[2]] if fails else [NETS[0], NETS[2]]
    jobs = []
    for number, net in enumerate(nets, first):
        screened = screen(net, target)
        jobs.append(Job(number, 0, None, net, "none", number, replace(screened, flops=1) if net == FAILS else screened))
    return jobs


def test_every_job_comes_back_once_with_its_outcome(executor):
    for first in (0, 10):  # generation by generation
        jobs = _jobs(first)
        found = list(executor.evaluate(jobs, None))
        assert sorted(job.number for job, _ in found) == [job.number for job in jobs]
        for job, outcome in found:
            assert job == jobs[job.number - first]
            assert outcome.evaluation.state is State.COMPLETE
    assert list(executor.evaluate([], None)) == []


def test_one_that_fails_takes_no_other_along_and_says_why(executor):
    found = {job.architecture: outcome.evaluation for job, outcome in executor.evaluate(_jobs(fails=True), None)}
    assert found[FAILS].state is State.FAILED
    assert found[FAILS].error
    assert "\n" not in found[FAILS].error
    assert {evaluation.state for net, evaluation in found.items() if net != FAILS} == {State.COMPLETE}


def test_after_the_deadline_none_is_started(executor):
    assert list(executor.evaluate(_jobs(), time.monotonic() - 1)) == []
    assert len(list(executor.evaluate(_jobs(), time.monotonic() + 600))) == 2


def test_a_search_may_stop_listening(executor):
    """As after an error in the loop: what is left runs out, and the next generation is its own."""
    outcomes = executor.evaluate(_jobs(), None)
    next(iter(outcomes))
    del outcomes
    assert sorted(job.number for job, _ in executor.evaluate(_jobs(20), None)) == [20, 21]


@pytest.fixture
def settings(stripes):
    return _settings(stripes)


@pytest.fixture
def jobs(target):
    return [
        Job(number, 0, None, net, "proxy", number, screen(net, target), Schedule(folds=1, samples=100, epochs=3))
        for number, net in enumerate(NETS)
    ]


def test_two_processes_give_what_one_gives_and_tell_the_folds_of_finalists(stripes, settings, jobs):
    told = []
    jobs[2] = replace(jobs[2], fidelity="full", schedule=Schedule(folds=2, samples=100, epochs=2))
    executor, here = Processes(stripes, settings, 2, tell=told.append), worker.Worker(stripes, settings)
    there = {job.number: outcome for job, outcome in executor.evaluate(jobs, None)}
    final = executor.final(FinalJob(NETS[0], 1, 2, None), lambda progress: None)
    executor.close()
    assert told == [FoldDone(2, 1, 2)]
    for job in jobs:
        found, wanted = there[job.number], here.evaluate(job)
        assert found.evaluation.state is State.COMPLETE
        untimed = {"seconds": 0.0, "visit_s": 0.0}
        assert replace(found.evaluation, **untimed) == replace(wanted.evaluation, **untimed)
        assert found.tflite == wanted.tflite
    assert final.tflm_largest_step in (0, 1)
    assert final.epochs == 2


def test_a_limit_holds_for_the_real_file_too(stripes, settings, jobs):
    tight = settings.model_copy(update={"limits": Limits(flash_bytes=100)})
    outcome = worker.Worker(stripes, tight).evaluate(jobs[0])
    assert outcome.evaluation.state is State.INFEASIBLE
    assert "limit 100 B" in outcome.evaluation.violations[0]
    assert not outcome.evaluation.folds


def test_a_screen_that_is_wrong_is_a_failed_trial(stripes, settings, jobs):
    wrong = replace(jobs[0], screened=replace(jobs[0].screened, flops=1))
    outcome = worker.Worker(stripes, settings).evaluate(wrong)
    assert outcome.evaluation.state is State.FAILED
    assert "disagree on flops: 1 screened" in outcome.evaluation.error


def test_a_finalist_of_one_fold_is_scored_on_all_that_it_has_not_seen(stripes, settings, jobs, monkeypatch):
    """A proxy, and each of several folds, on some: there are many of them, or others beside."""
    monkeypatch.setattr(worker, "SCORED_SAMPLES", 3)
    whole = len(stripes.folds(settings.n_folds, 0)[0].validation)
    assert whole > 3
    for fidelity, scored in (("proxy", 3), ("full", whole)):
        job = replace(jobs[0], fidelity=fidelity, schedule=Schedule(1, 24, 1))
        evaluation = worker.Worker(stripes, settings).evaluate(job).evaluation
        (fold,) = evaluation.folds
        assert np.sum(fold.confusion) == scored
        assert Evaluation.from_dict(evaluation.to_dict()).scored == scored


def test_pictures_end_plain_unless_the_search_is_older(stripes, settings, jobs):
    there = worker.Worker(stripes, settings)
    for job in (jobs[0], FinalJob(NETS[0], 1, 2, None)):
        assert there._recipe(job).plain == 0.2
        assert there._recipe(replace(job, ends_plain=False)).plain == 0.0
    series = Dataset.from_arrays(np.zeros((6, 8, 2)), np.arange(6) % 2, layout="series")
    assert worker.Worker(series, settings)._recipe(jobs[0]).plain == 0.0


def test_a_shared_data_set_is_the_data_set(stripes, tmp_path):
    shared = share(stripes, tmp_path)
    assert len(pickle.dumps(shared)) < 5000  # whatever the size of the data
    opened = shared.open()
    assert opened.digest == stripes.digest
    assert isinstance(opened.x.base, np.memmap)
