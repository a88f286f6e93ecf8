"""Where jobs run: in this process, or in worker processes that may crash without taking the search along."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import Any, Protocol

from tinynas.architecture import Architecture
from tinynas.data import Dataset
from tinynas.errors import RunError, UsageError
from tinynas.runs import Evaluation, Settings, State
from tinynas.searching import worker
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome
from tinynas.searching.share import SharedDataset, share

_JOBS_PER_POOL = 80  # then the processes are replaced: TensorFlow keeps some memory of every model
_REPORT_S = 0.2  # so often the progress of the final training is passed on


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


class Processes:
    """Worker processes of one TensorFlow thread each (loky's: they need no `if __name__ == "__main__"`)."""

    def __init__(self, dataset: Dataset, settings: Settings, workers: int | None = None) -> None:
        """Start nothing yet: the first job starts the processes, as many as the search began with by itself."""
        self._dataset = dataset
        self._shared: tuple[tempfile.TemporaryDirectory[str], SharedDataset] | None = None
        self._settings = settings
        self._workers = workers or settings.final_threads
        self._pool: Any = None
        self._events: Any = None
        self._done = 0

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield the outcomes as they come. A job whose process died is tried once more, alone, then failed."""
        waiting = list(jobs)
        running: dict[Future[Outcome], Job] = {}
        while waiting or running:
            if deadline is not None and time.monotonic() > deadline:
                waiting.clear()
            if self._done >= _JOBS_PER_POOL and not running:
                self._end()
            while waiting and len(running) < self._workers and self._done < _JOBS_PER_POOL:
                job = waiting.pop(0)
                running[self._submit(worker.run_evaluate, job)] = job
            done = wait(running, return_when=FIRST_COMPLETED).done
            finished = [future for future in running if future in done]
            if any(_died(future) for future in finished):
                victims = list(running.values())
                running.clear()
                self._end()
                yield from ((job, self._alone(job)) for job in victims)
                continue
            for future in finished:
                yield running.pop(future), future.result()

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final:
        """Run the final training in a process of its own, once more if that dies; RunError when it dies again."""
        for _ in range(2):
            self._end()
            future = self._submit(worker.run_final, job, processes=1, threads=self._settings.final_threads)
            while not wait([future], timeout=_REPORT_S).done:
                self._report(report)
            self._report(report)
            if not _died(future):
                final: Final = future.result()
                return final
        raise RunError(
            f"The process of the final training died twice ({future.exception()}); is there memory enough? "
            f"--resume tries again."
        )

    def close(self) -> None:
        """End the processes and remove what they shared."""
        self._end()
        if self._shared is not None:
            self._shared[0].cleanup()
            self._shared = None

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None
            self._done = 0

    def _alone(self, job: Job) -> Outcome:
        """Run a job with nothing beside it, so that a second death can be laid at its door."""
        future = self._submit(worker.run_evaluate, job)
        if not _died(future):
            outcome: Outcome = future.result()
            return outcome
        self._end()
        error = f"The worker process died twice on this child ({future.exception()}); is there memory enough?"
        return Outcome(Evaluation(State.FAILED, error=error))

    def _report(self, report: Callable[[Any], None]) -> None:
        """Pass on what the process of the final training has told since."""
        while not self._events.empty():
            report(self._events.get())

    def _submit(self, task: Any, job: Any, processes: int | None = None, threads: int = 1) -> Any:
        if self._pool is None:
            self._start(processes or self._workers, threads)
        self._done += 1
        try:
            return self._pool.submit(task, job)
        except BrokenExecutor:  # a process died while it had nothing to do
            self._end()
            self._start(processes or self._workers, threads)
            return self._pool.submit(task, job)

    def _start(self, processes: int, threads: int) -> None:
        from loky import ProcessPoolExecutor
        from loky.backend import get_context

        self._done = 0
        self._events = get_context("loky").Queue()
        self._pool = ProcessPoolExecutor(
            max_workers=processes,
            context=get_context("loky"),
            initializer=worker.start,
            initargs=(self._shared_dataset(), self._settings, threads, self._events, os.getpid()),
            timeout=None,
        )

    def _shared_dataset(self) -> SharedDataset:
        if self._shared is None:
            folder = tempfile.TemporaryDirectory(prefix="tinynas-")
            self._shared = folder, share(self._dataset, Path(folder.name))
        return self._shared[1]


def _died(future: Future[Any]) -> bool:
    """Wait for the job's end and return whether its process died under it, rather than the job raising an error."""
    return isinstance(future.exception(), BrokenExecutor)


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
