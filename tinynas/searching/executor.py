"""The seam between the loop and the machine, and the executor that runs jobs in this process."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tinynas.architecture import Architecture
from tinynas.errors import UsageError
from tinynas.runs import Evaluation, State
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome


class Executor(Protocol):
    """The seam between the loop and the machine."""

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with its outcome as it is done; after `deadline` (time.monotonic) no job is started.

        `jobs` may grow whenever an outcome was taken: who looks again has work for all workers (see `Waiting`). What an
        executor has not seen by then it is given another time.
        """
        ...

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final | None:
        """Run the final training, passing its progress to `report`; None when this executor trains nothing."""
        ...

    def close(self) -> None:
        """End whatever was started."""
        ...


class Waiting(deque[Job]):
    """The jobs of `evaluate` that wait to be started, those first that came first."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        """Begin with the jobs that there are."""
        super().__init__()
        self._jobs, self._n_seen = jobs, 0
        self.look()

    def look(self) -> None:
        """Take in the jobs that have come since."""
        self.extend(self._jobs[self._n_seen :])
        self._n_seen = len(self._jobs)


class Calls:
    """Evaluation by a function, in this process: the seam for tests and for measures of one's own."""

    def __init__(self, evaluate: Callable[[Architecture], Evaluation]) -> None:
        """Take the function from Architecture to Evaluation."""
        self._evaluate = evaluate

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with the function's evaluation."""
        for job in jobs:  # those that come meanwhile too
            if deadline is not None and time.monotonic() > deadline:
                return
            try:
                evaluation = self._evaluate(job.architecture)
            except Exception as error:  # as in a worker process: one child must not end a search
                text = " ".join(f"{type(error).__name__}: {error}".split())
                evaluation = Evaluation(State.FAILED, error=text)
            if not isinstance(evaluation, Evaluation):
                raise UsageError(f"evaluate returned {evaluation!r} for {job.architecture}; an Evaluation was wanted.")
            yield job, Outcome(evaluation)

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> None:
        """Train nothing: there is no model to keep."""

    def close(self) -> None:
        """Nothing was started."""
