"""The seam between the loop and the machine, and the executor that runs jobs in this process."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tinynas.architecture import Architecture
from tinynas.errors import UsageError
from tinynas.runs import Evaluation, State
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome


class Executor(Protocol):
    """The seam between the loop and the machine."""

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with its outcome as it is done; after `deadline` (time.monotonic) no job is started."""
        ...

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final | None:
        """Run the final training, passing its progress to `report`; None when this executor trains nothing."""
        ...

    def close(self) -> None:
        """End whatever was started."""
        ...


class Calls:
    """Evaluation by a function, in this process: the seam for tests and for measures of one's own."""

    def __init__(self, evaluate: Callable[[Architecture], Evaluation]) -> None:
        """Take the function from Architecture to Evaluation."""
        self._evaluate = evaluate

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with the function's evaluation."""
        for job in jobs:
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
