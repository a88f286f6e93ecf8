"""Jobs in worker processes, which may crash, hang or run out of memory without taking the search along."""

import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from functools import partial
from pathlib import Path
from typing import Any

from tinynas.data import Dataset
from tinynas.errors import RunError, TinynasError
from tinynas.runs import Evaluation, Settings, State
from tinynas.searching import tries, worker
from tinynas.searching.events import FoldDone
from tinynas.searching.executor import Waiting
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome
from tinynas.searching.share import SharedDataset, share
from tinynas.searching.tries import Running, Say, is_over, silently
from tinynas.searching.trouble import DIED, SILENT, Trouble, trouble_of
from tinynas.searching.waits import Waits
from tinynas.words import minutes

_JOBS_PER_PROCESS = 80  # then all are replaced: TensorFlow keeps some memory of every model
_REPORT_S = 0.2  # so often the progress of the final training, and of finalists, is passed on


class Processes:
    """Worker processes of one TensorFlow thread each (loky's: they need no `if __name__ == "__main__"`).

    An error that is not tinynas's own is no verdict on a child: the process that raised it is replaced, and the job
    tried again with nothing beside it.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        workers: int | None = None,
        *,
        scratch: Path | None = None,
        waits: Waits | None = None,
        say: Say | None = None,
        tell: Callable[[FoldDone], None] | None = None,
        make_worker: worker.MakeWorker = worker.Worker,
    ) -> None:
        """Start nothing yet: the first job starts the processes, as many as the search began with by itself.

        What the processes share, and their temporary files, lie below `scratch`, which `close` removes; by itself in
        the system's temporary folder. `waits` knows how long a job may take, `say` tells people what goes wrong, and
        `tell` takes the folds of finalists as they are trained. `make_worker`, a function that can be imported, makes
        what does the work in each process.
        """
        self._dataset = dataset
        self._settings = settings
        self._workers = workers or settings.final_threads
        self._most_jobs = _JOBS_PER_PROCESS * self._workers
        self._scratch = scratch
        self._shared: SharedDataset | None = None
        self._waits = waits or Waits(time_budget_s=settings.time_budget_s)
        self._say = say or silently
        self._tell = tell or silently
        self._make_worker = make_worker
        self._pool: Any = None
        self._events: Any = None
        self._done = 0

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield the outcomes as they come. A job that had trouble is tried again, alone, before it is failed."""
        waiting, again = Waiting(jobs), deque[tuple[Job, Trouble]]()
        running: dict[Future[Outcome], Running] = {}
        while waiting or running or again:
            if is_over(deadline):
                waiting.clear()
            if running or not again:
                self._fill(running, () if again else waiting)
                yield from self._finished(running, waiting, again)
            else:
                job, trouble = again.popleft()
                yield job, tries.again(trouble, partial(self._alone, job), deadline)
            waiting.look()

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final:
        """Run the final training in a process of its own, once more if that dies or fails; RunError when it does again.

        An error of tinynas's own is raised as it is.
        """
        return tries.final(lambda: self._final(job, report), self._say)

    def close(self) -> None:
        """End the processes and remove what they shared."""
        self._end()
        if self._shared is not None:
            shutil.rmtree(self._shared.folder.parent, ignore_errors=True)
            self._shared = None

    # --- jobs

    def _fill(self, running: dict[Future[Outcome], Running], waiting: "deque[Job] | tuple[()]") -> None:
        """Start jobs of those `waiting` until every process has one, in new processes when they have had many."""
        if self._done >= self._most_jobs and not running:
            self._end()
        while waiting and len(running) < self._workers and self._done < self._most_jobs:
            job = waiting.popleft()
            running[self._submit(worker.run_evaluate, job)] = Running(job, time.monotonic())

    def _finished(
        self,
        running: dict[Future[Outcome], Running],
        waiting: deque[Job],
        again: deque[tuple[Job, Trouble]],
    ) -> Iterator[tuple[Job, Outcome]]:
        """Wait until something happens; yield the outcomes there are, and put jobs that had trouble into `again`."""
        seconds = self._until_next(running.values())
        if seconds is not None and any(_has_folds(each.job) for each in running.values()):
            seconds = min(seconds, _REPORT_S)
        done = wait(running, timeout=seconds, return_when=FIRST_COMPLETED).done
        self._report(self._tell)
        silent = self._silent(running)
        if any(_died(future) for future in done):  # which of them it was that took the others along is not known
            for future, each in self._all_end(running):
                outcome = _trouble_of_death(future) if not future.done() or _died(future) else _outcome_of(future)
                if isinstance(outcome, Trouble):
                    again.append((each.job, outcome))
                else:
                    yield each.job, outcome
            self._say_again(again[-1][1])
        elif silent:
            for future, each in self._all_end(running):
                if future in silent:
                    again.append((each.job, silent[future]))
                else:
                    waiting.appendleft(each.job)
            self._say_again(again[-1][1])
        else:
            for future in [future for future in running if future in done]:
                job = running.pop(future).job
                outcome = _outcome_of(future)
                if isinstance(outcome, Trouble):
                    again.append((job, outcome))
                    self._say_again(outcome)
                else:
                    self._waits.learn([outcome.evaluation])
                    yield job, outcome

    def _all_end(self, running: dict[Future[Outcome], Running]) -> list[tuple[Future[Outcome], Running]]:
        """End every process; return what was running, the last one first."""
        ended = list(running.items())
        running.clear()
        self._end()
        return ended[::-1]

    def _alone(self, job: Job) -> Outcome | Trouble:
        """Try a job again with nothing beside it, in a fresh process."""
        self._end()
        running = {self._submit(worker.run_evaluate, job): Running(job, time.monotonic())}
        found: Outcome | Trouble | None = None
        while found is None:
            (future,) = running
            if wait(running, timeout=self._until_next(running.values())).done:
                found = _trouble_of_death(future) if _died(future) else _outcome_of(future)
            else:
                found = self._silent(running).get(future)
        if isinstance(found, Outcome):
            self._waits.learn([found.evaluation])
        else:
            self._end()
        return found

    def _until_next(self, running: Any) -> float | None:
        """Return the seconds until one of those `running` is late, or has had its time; None when none runs."""
        now = time.monotonic()
        times = [
            (each.began or now) + (self._waits.seconds(each.job) if each.told else self._waits.late(each.job)) - now
            for each in running
        ]
        return max(0.05, min(times)) if times else 0.0

    def _silent(self, running: dict[Future[Outcome], Running]) -> dict[Future[Outcome], Trouble]:
        """Return those that have had their time without an answer; tell of those that are late."""
        open_ones = {future: each for future, each in running.items() if not future.done()}
        return tries.silent(open_ones, self._waits, self._say)

    def _say_again(self, trouble: Trouble) -> None:
        what = {DIED: "A worker process died", SILENT: "A worker process gave no answer"}.get(trouble.kind, "An error")
        self._say(f"{what} ({trouble.said}); what it trained is tried again, alone, in a fresh process.")

    # --- the final training

    def _final(self, job: FinalJob, report: Callable[[Any], None]) -> Final | Trouble:
        """Run the final training once, in a fresh process."""
        self._end()
        future = self._submit(worker.run_final, job, processes=1, threads=self._settings.final_threads)
        began = heard = time.monotonic()
        longest_s = 0.0
        while not wait([future], timeout=_REPORT_S).done:
            now = time.monotonic()
            if self._report(report):
                longest_s, heard = max(longest_s, now - heard), now
            silence_s = self._waits.silence(len(self._dataset.x), longest_s, now - began)
            if now - heard > silence_s:
                self._end()
                return Trouble(SILENT, f"none in {minutes(silence_s)}")
        self._report(report)
        if _died(future):
            return _trouble_of_death(future)
        error = future.exception()
        if error is None:
            final: Final = future.result()
            return final
        trouble = trouble_of(error)
        if trouble is None:
            raise error
        return trouble

    def _report(self, report: Callable[[Any], None]) -> bool:
        """Pass on what the processes have told since; return whether they told anything."""
        told = False
        while self._events is not None and not self._events.empty():
            report(self._events.get())
            told = True
        return told

    # --- the processes

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None
            self._done = 0

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
        shared = self._shared_dataset()
        self._pool = ProcessPoolExecutor(
            max_workers=processes,
            context=get_context("loky"),
            initializer=worker.start,
            initargs=(shared, self._settings, threads, self._events, os.getpid(), self._make_worker),
            timeout=None,
        )

    def _shared_dataset(self) -> SharedDataset:
        if self._shared is None:
            try:
                if self._scratch is None:
                    scratch = Path(tempfile.mkdtemp(prefix="tinynas-"))
                else:
                    scratch = self._scratch
                    shutil.rmtree(scratch, ignore_errors=True)
                (scratch / worker.TEMPORARY).mkdir(parents=True)
                (scratch / "data").mkdir()
                self._shared = share(self._dataset, scratch / "data")
            except OSError as error:
                place = self._scratch or tempfile.gettempdir()
                raise RunError(
                    f"The data cannot be written to {place} for the worker processes ({error.strerror or error}): make "
                    f"room there, and go on with --resume."
                ) from error
        return self._shared


def _died(future: Future[Any]) -> bool:
    """Return whether the process of a job that has ended died under it, rather than the job raising an error."""
    return future.done() and isinstance(future.exception(), BrokenExecutor)


def _trouble_of_death(future: Future[Any]) -> Trouble:
    return Trouble(DIED, " ".join(str(future.exception() if future.done() else "with another one").split())[:300])


def _outcome_of(future: Future[Outcome]) -> Outcome | Trouble:
    """Return what a job came to."""
    error = future.exception()
    if error is None:
        outcome = future.result()
        return outcome if outcome.trouble is None else outcome.trouble
    trouble = trouble_of(error)
    if trouble is None and isinstance(error, TinynasError):
        return Outcome(Evaluation(State.FAILED, error=str(error)))
    return trouble or Trouble(DIED, str(error))


def _has_folds(job: Job) -> bool:
    return job.schedule is not None and job.schedule.folds > 1
