"""Runs that version 0.1.0 left unfinished go on as it would have: the same trials, each trained as long.

`tests/fixtures/old_runs` was made with the code of 0.1.0: searches of 5 children a generation with made-up scores, each
stopped in its third generation or among its finalists. `journal.sql` is what they had then, `jobs.json` what that
version trains from the first trial to the last. With a time budget the clock decides what is not settled yet, so of
the search that was stopped by then only the trials of the search phase are compared.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.data import Dataset
from tinynas.runs import read_settings, read_trials
from tinynas.searching import resume
from tinynas.searching.executor import Calls

RUNS = Path(__file__).parents[1] / "fixtures" / "old_runs"
SETTLED = {
    "searching": 28,
    "searching_by_the_clock": 26,
    "finalists_by_the_clock": 28,
}  # jobs up to where all is settled


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """What the searches began with: whole numbers, so that the digest is the same on every machine."""
    x = (np.arange(2000 * 16 * 16) * 37 % 251).astype(np.uint8).reshape(2000, 16, 16)
    return Dataset.from_arrays(x, np.arange(2000) % 3, name="made-up")


@pytest.fixture(params=SETTLED)
def run(request, tmp_path):
    """A copy of an old run, and what 0.1.0 trains in it."""
    kept = RUNS / request.param
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(kept / "settings.json", folder)
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        connection.executescript((kept / "journal.sql").read_text())
    return folder, json.loads((kept / "jobs.json").read_text())[: SETTLED[request.param]]


class Noting(Calls):
    """Made-up scores; notes each job."""

    def __init__(self):
        super().__init__(lambda architecture: replace(evaluate(architecture), seconds=0.4, visits=2_000))
        self.jobs = []

    def evaluate(self, jobs, deadline):
        for job in jobs:
            self.jobs.append(job)
            yield from super().evaluate([job], deadline)


def test_it_goes_on_as_it_would_have(run, dataset):
    folder, wanted = run
    before = {trial.number for trial in read_trials(folder / "journal.sqlite")}
    executor = Noting()
    result = resume(folder, dataset, executor=lambda *_: executor, screen=footprint_of, workers=1)
    found = {job.number: job for job in executor.jobs}
    rest = [each for each in wanted if each["number"] not in before]
    assert rest
    for each in rest:
        job = found[each["number"]]
        assert (job.generation, job.parent, job.architecture.key) == (each["generation"], each["parent"], each["key"])
        assert (job.fidelity, job.rung, job.seed) == (each["fidelity"], each["rung"], each["seed"])
        schedule = job.schedule
        assert (schedule.folds, schedule.samples, schedule.epochs) == (each["folds"], each["samples"], each["epochs"])
    trials = {trial.number: trial.architecture.key for trial in result.trials}
    assert all(trials[each["number"]] == each["key"] for each in wanted)


def test_what_it_kept_is_read(run, dataset):
    folder, wanted = run
    assert read_settings(folder).data.digest == dataset.digest
    kept = {trial.number: trial for trial in read_trials(folder / "journal.sqlite")}
    for each in wanted:
        if each["number"] in kept:
            trial = kept[each["number"]]
            assert (trial.architecture.key, trial.evaluation.rung) == (each["key"], each["rung"])
            assert trial.evaluation.fidelity == each["fidelity"]
            assert trial.evaluation.mean() == evaluate(trial.architecture).mean()
