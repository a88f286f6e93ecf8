"""Jobs as tasks of Ray, on the nodes of a cluster: one CPU and one TensorFlow thread each, and the same `Worker`.

Ray knows the nodes: it starts the processes, copies the data to every node once, and runs again elsewhere what was lost
with one. What is tried again and what is a verdict on a child is decided here, as for worker processes. The journal and
all other files are written by the process that holds this executor, and by nobody else.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from tinynas.data import Dataset
from tinynas.errors import TinynasError
from tinynas.runs import Evaluation, Settings, State
from tinynas.searching import node, tries, worker
from tinynas.searching.connection import connect, leave, library
from tinynas.searching.events import FoldDone
from tinynas.searching.executor import Waiting
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome
from tinynas.searching.tasks import Tasks, result_of
from tinynas.searching.tries import Running, Say, is_over, silently
from tinynas.searching.trouble import SILENT, Trouble
from tinynas.searching.waits import Waits
from tinynas.words import minutes

_HEAR_S = 5.0  # so often it is asked which tasks have begun
_REPORT_S = 0.5  # and how far the final training is


class Ray:
    """The tasks of one search on a cluster of Ray.

    A task that is lost with its process or its node is run again by Ray, elsewhere. What Ray gives up, and an error
    that is not tinynas's own, is tried again with a node to itself.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        workers: int | None = None,
        *,
        address: str | None = None,
        waits: Waits | None = None,
        say: Say | None = None,
        tell: Callable[[FoldDone], None] | None = None,
        make_worker: worker.MakeWorker = worker.Worker,
    ) -> None:
        """Start nothing yet: the first job connects to the cluster at `address`, and sends the data there.

        At most `workers` tasks are given to Ray at a time; without it all of a generation are, and a cluster that grows
        by itself grows for them. The others are as those of `Processes`.
        """
        self._dataset = dataset
        self._settings = settings
        self._workers = workers
        self._address = address
        self._waits = waits or Waits(time_budget_s=settings.time_budget_s)
        self._say = say or silently
        self._tell = tell or silently
        self._make_worker = make_worker
        self._tasks: Tasks | None = None

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield the outcomes as they come. A job that had trouble is tried again, alone, before it is failed."""
        waiting, again = Waiting(jobs), deque[tuple[Job, Trouble]]()
        running: dict[Any, Running] = {}
        try:
            while waiting or running or again:
                if is_over(deadline):
                    waiting.clear()
                    self._take_back(running)
                while waiting and len(running) < (self._workers or len(jobs)):
                    job = waiting.popleft()
                    running[self._started().trial(job)] = Running(job)
                if running:
                    yield from self._finished(running, waiting, again, deadline)
                elif again:
                    job, trouble = again.popleft()
                    yield job, tries.again(trouble, partial(self._alone, job), deadline, "The disk of a node")
                waiting.look()
        finally:  # who listens no longer needs no answers
            self._cancel(running)

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final:
        """Run the final training on one node, as `Processes.final` does in a process."""
        return tries.final(lambda: self._final(job, report), self._say)

    def close(self) -> None:
        """Leave the cluster, which frees the data and ends the processes then."""
        self._tasks = None
        leave()

    # --- trials

    def _finished(
        self,
        running: dict[Any, Running],
        waiting: deque[Job],
        again: deque[tuple[Job, Trouble]],
        deadline: float | None,
    ) -> Iterator[tuple[Job, Outcome]]:
        """Wait until something happens; yield the outcomes there are, and put jobs that had trouble into `again`."""
        done = self._wait(running, deadline)
        for task in done:
            job = running.pop(task).job
            outcome = self._outcome(task)
            if isinstance(outcome, Trouble):
                again.append((job, outcome))
                self._say(f"Trial {job.number} had trouble ({outcome.said}); it is tried again with a node to itself.")
            else:
                self._waits.learn([outcome.evaluation])
                yield job, outcome
        for task, trouble in tries.silent(running, self._waits, self._say).items():
            job = running.pop(task).job
            self._cancel([task])
            again.append((job, trouble))
            self._say(f"Trial {job.number} gave no answer ({trouble.said}); it is tried again with a node to itself.")

    def _wait(self, running: dict[Any, Running], deadline: float | None = None) -> list[Any]:
        """Return the tasks that are done, as soon as one is or time has passed in which another should be looked at."""
        ray = library()
        seconds = _HEAR_S if deadline is None else min(_HEAR_S, max(0.05, deadline - time.monotonic()))
        done, _ = ray.wait(list(running), num_returns=1, timeout=seconds)
        if done:
            done, _ = ray.wait(list(running), num_returns=len(running), timeout=0)
        self._hear(running)
        return list(done)

    def _hear(self, running: dict[Any, Running]) -> None:
        """Note which tasks have begun since; one that Ray has begun again elsewhere has its whole time again.

        What was told of folds is passed on.
        """
        mail = self._started().mail()
        for said in (said for what, said in mail if what == node.FOLD):
            self._tell(said)
        began = {number for what, number in mail if what == node.BEGAN}
        for each in running.values():
            if each.job.number in began:
                each.began = time.monotonic()

    def _alone(self, job: Job) -> Outcome | Trouble:
        """Try a job again with a node to itself, in a fresh process."""
        running = {self._started().alone(job): Running(job)}
        found: Outcome | Trouble | None = None
        while found is None:
            for task in self._wait(running):
                found = self._outcome(task)
            if found is None:
                for task, trouble in tries.silent(running, self._waits, self._say).items():
                    self._cancel([task])
                    found = trouble
        if isinstance(found, Outcome):
            self._waits.learn([found.evaluation])
        return found

    def _outcome(self, task: Any) -> Outcome | Trouble:
        """Return what a task that is done came to."""
        found = result_of(task)
        if isinstance(found, Outcome):
            return found if found.trouble is None else found.trouble
        if isinstance(found, Trouble):
            return found
        return Outcome(Evaluation(State.FAILED, error=str(found)))

    def _take_back(self, running: dict[Any, Running]) -> None:
        """Take back the tasks that no node has begun."""
        if any(each.began is None for each in running.values()):
            self._hear(running)
            unbegun = [task for task, each in running.items() if each.began is None]
            self._cancel(unbegun)
            for task in unbegun:
                del running[task]

    def _cancel(self, tasks: Any) -> None:
        for task in list(tasks):
            library().cancel(task, force=True)

    # --- the final training

    def _final(self, job: FinalJob, report: Callable[[Any], None]) -> Final | Trouble:
        """Run the final training once."""
        ray, tasks = library(), self._started()
        task = tasks.final(job)
        began = heard = time.monotonic()
        longest_s, is_done = 0.0, False
        while not is_done:
            is_done = bool(ray.wait([task], timeout=_REPORT_S)[0])
            news, now = tasks.mail(), time.monotonic()
            for what, said in news:
                if what == node.PROGRESS:
                    report(said)
            if news:
                longest_s, heard = max(longest_s, now - heard), now
            silence_s = self._waits.silence(len(self._dataset.x), longest_s, now - began)
            if not is_done and now - heard > silence_s:
                self._cancel([task])
                return Trouble(SILENT, f"none in {minutes(silence_s)}")
        found = result_of(task)
        if isinstance(found, TinynasError):
            raise found
        return found  # type: ignore[no-any-return]

    def _started(self) -> Tasks:
        """Return the tasks of this search, connecting to the cluster for the first."""
        if self._tasks is None:
            connect(self._address)
            self._tasks = Tasks(self._dataset, self._settings, self._make_worker)
        return self._tasks
