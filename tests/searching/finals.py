"""An executor with made-up scores, models and final trainings, all of them functions of the genome alone."""

from dataclasses import replace

import numpy as np

from tests.searching.conftest import evaluate, footprint_of
from tinynas.data import Dataset, FoldScores, Scores
from tinynas.searching import Final, Outcome
from tinynas.searching.executor import Calls

SCORES = FoldScores(Scores(0.8, 0.8, 0.8, 0.8), Scores(0.75, 0.75, 0.75, 0.75))


def many_samples(n=2_000, side=8, classes=3, channels=1, seed=0):
    """Return noise in which a search trains its children on one fold: there are enough samples for that."""
    x = np.random.default_rng(seed).random((n, side, side, channels), dtype=np.float32)
    return Dataset.from_arrays(x, np.arange(n) % classes, name="noise")


class Made(Calls):
    """Notes every job; `flash_bytes` is the size of the final file, `judged` its score on samples held out."""

    def __init__(self, score=evaluate, flash_bytes=None, judged=None, epochs=7):
        super().__init__(score)
        self.jobs, self.finals, self._flash_bytes = [], [], flash_bytes
        self._epochs = epochs
        self._judged = {} if judged is None else {"ptq": judged}

    def evaluate(self, jobs, deadline):
        for job, outcome in super().evaluate(jobs, deadline):
            self.jobs.append(job)
            samples = np.zeros((2, 8, 8, 1), np.int8)
            weights = {"block0_conv": [np.full((1,), job.number, np.float32)]}
            yield job, Outcome(outcome.evaluation, b"keras", job.architecture.key.encode(), samples, weights)

    def final(self, job, report):
        self.finals.append(job)
        footprint = footprint_of(job.architecture)
        if self._flash_bytes is not None:
            footprint = replace(footprint, flash=replace(footprint.flash, model=self._flash_bytes))
        samples = np.zeros((2, 8, 8, 1), np.int8)
        return Final(
            SCORES,
            b"keras",
            job.architecture.key.encode(),
            samples,
            self._epochs,
            footprint,
            None,
            self._judged,
            (1.0, 0.5),
        )
