"""The worker processes for real: small jobs, a crash, and the check of the screen against the file."""

import os
import pickle
import signal
from dataclasses import replace

import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.hardware import Limits
from tinynas.runs import DataSource, Settings, State
from tinynas.screening import screen
from tinynas.searching import worker
from tinynas.searching.executor import Processes
from tinynas.searching.jobs import FinalJob, Job
from tinynas.searching.share import share
from tinynas.training.schedule import Schedule

NETS = [
    Architecture((8, 8, 1), (Block("conv", 4, 3, pool="max"),), Head(), 3),
    Architecture((8, 8, 1), (Block("separable", 4, 3, stride=2),), Head(), 3),
    Architecture((8, 8, 1), (Block("conv", 6, 3, stride=2),), Head("flatten"), 3),
]


@pytest.fixture
def settings(stripes, target, space):
    source = DataSource(kind="arrays", digest=stripes.digest, summary=stripes.summary())
    return Settings(
        version="0", target=target, data=source, space=space, limits=target.limits, n_folds=2, final_epochs=2
    )


@pytest.fixture
def jobs(target):
    return [
        Job(number, 0, None, net, "proxy", number, screen(net, target), Schedule(folds=1, samples=100, epochs=3))
        for number, net in enumerate(NETS)
    ]


def test_two_processes_give_what_one_gives(stripes, settings, jobs):
    executor, here = Processes(stripes, settings, 2), worker.Worker(stripes, settings)
    there = {job.number: outcome for job, outcome in executor.evaluate(jobs, None)}
    final = executor.final(FinalJob(NETS[0], 1, 2, None), lambda progress: None)
    executor.close()
    for job in jobs:
        found, wanted = there[job.number], here.evaluate(job)
        assert found.evaluation.state is State.COMPLETE
        assert replace(found.evaluation, seconds=0.0) == replace(wanted.evaluation, seconds=0.0)
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


def test_a_process_that_dies_takes_only_its_job_along(stripes, settings, jobs, monkeypatch):
    executor = Processes(stripes, settings, 1)
    killed = 0

    def submit(task, job, **given):
        nonlocal killed
        future = Processes._submit(executor, task, job, **given)
        if job.number == 1:
            killed += 1
            while not executor._pool._processes:
                pass
            for pid in list(executor._pool._processes):
                os.kill(pid, signal.SIGKILL)
        return future

    monkeypatch.setattr(executor, "_submit", submit)
    outcomes = {job.number: outcome.evaluation for job, outcome in executor.evaluate(jobs, None)}
    executor.close()
    assert killed == 2  # tried once more, alone
    assert outcomes[1].state is State.FAILED
    assert "died twice" in outcomes[1].error
    assert [outcomes[n].state for n in (0, 2)] == [State.COMPLETE] * 2


def test_a_shared_data_set_is_the_data_set(stripes, tmp_path):
    shared = share(stripes, tmp_path)
    assert len(pickle.dumps(shared)) < 5000  # whatever the size of the data
    opened = shared.open()
    assert opened.digest == stripes.digest
    assert isinstance(opened.x.base, np.memmap)
