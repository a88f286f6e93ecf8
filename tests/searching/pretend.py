"""What works in worker processes without TensorFlow: a job's number says what becomes of it."""

import errno
import os
import time
from pathlib import Path

import numpy as np

from tinynas.data import FoldScores, Scores
from tinynas.errors import ConversionError
from tinynas.runs import Evaluation, State
from tinynas.searching.jobs import Final, Outcome
from tinynas.searching.trouble import trouble_of

POISONS, REFUSED, NO_MEMORY, DIES, HANGS, FULL = 1, 2, 3, 4, 5, 6
"""Numbers of jobs: the first of them breaks its process for all that come after, when it is the first in it."""

_poisoned = False


class Pretend:
    """Does what the number of a job says; every other job is done."""

    def __init__(self, dataset, settings, threads):
        self._tries = Path(os.environ.get("PRETEND_TRIES", "."))

    def evaluate(self, job):
        """Return what a Worker would."""
        with (self._tries / f"{job.number}").open("a") as file:
            file.write(f"{os.getpid()}\n")
        try:
            return self._evaluate(job.number, job.screened)
        except Exception as error:
            trouble = trouble_of(error)
            return Outcome(Evaluation(State.FAILED, error=str(error)), trouble=trouble)

    def _evaluate(self, number, screened):
        global _poisoned
        if number == POISONS and len((self._tries / f"{number}").read_text().split()) == 1:
            _poisoned = True
        if _poisoned:
            raise RuntimeError("Can't provision more than one single cluster at a time")
        if number == REFUSED:
            raise ConversionError("This one does not convert.")
        if number == NO_MEMORY:
            raise MemoryError("no more")
        if number == DIES:
            os._exit(9)
        if number == HANGS:
            time.sleep(1e6)
        if number == FULL:
            raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/file")
        scores = Scores(0.5, 0.5, 0.5, 0.5)
        return Outcome(
            Evaluation(State.COMPLETE, screened, folds=(FoldScores(scores, scores),), visits=10, seconds=1.0)
        )

    def final(self, job, report=None):
        """Fail with a foreign error the first time."""
        tries = self._tries / "final"
        if not tries.exists():
            tries.touch()
            raise RuntimeError("out of\nluck")
        if job.epochs == NO_MEMORY:
            raise MemoryError("no more")
        report("an epoch")
        scores = Scores(0.5, 0.5, 0.5, 0.5)
        return Final(FoldScores(scores, scores), b"k", b"t", np.zeros((1, 8, 8, 1), np.int8), 1, None, 0)
