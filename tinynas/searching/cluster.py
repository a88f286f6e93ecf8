"""Jobs as tasks of Ray, on the nodes of a cluster: one CPU and one TensorFlow thread each, and the same `Worker`.

Ray knows the nodes: it starts the processes, copies the data to every node once, and runs again elsewhere what was lost
with one. What is tried again and what is a verdict on a child is decided here, as for worker processes. The journal and
all other files are written by the process that holds this executor, and by nobody else.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tinynas.data import Dataset
from tinynas.errors import RunError, TinynasError, UsageError
from tinynas.runs import Evaluation, Settings, State
from tinynas.searching import node, worker
from tinynas.searching.events import FoldDone
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome, StartFile
from tinynas.searching.trouble import DIED, FULL, SILENT, Trouble, final_failed, trouble_of
from tinynas.searching.waits import Waits
from tinynas.version import __version__
from tinynas.words import minutes

AUTO = "auto"  # the cluster that this machine is a node of
_PORT = 6379  # of a head, where none is named
_RETRIES = 3  # by Ray, of a task whose process or node is lost
_FINAL_TRIES = 2
_HEAR_S = 5.0  # so often it is asked which tasks have begun
_REPORT_S = 0.5  # and how far the final training is

Say = Callable[[str], None]

_came = False  # whether this process is connected to a cluster by `connect`: who came leaves again


@dataclass(frozen=True)
class Nodes:
    """The CPUs of a cluster: of all its nodes, of the largest and of the smallest that has one."""

    cpus: int
    largest: int
    smallest: int


def connect(address: str | None = None) -> Nodes:
    """Connect this process to the cluster at `address`, if it is connected to none; return what the cluster has now.

    UsageError where Ray is not installed, RunError where no cluster answers.
    """
    global _came
    ray = _ray()
    address = address or AUTO
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of the cluster that "local" starts
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as Ray does from 3.0, and says otherwise
        host = address if address in (AUTO, "local") or ":" in address else f"{address}:{_PORT}"
        try:
            ray.init(address=host, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise RunError(
                f"No Ray cluster answers at {address} ({said}); start one with ray start --head, or name the host of "
                f"one with --address (docs/cluster.md)."
            ) from error
        _came = True
    return _nodes(ray)


def leave() -> None:
    """Undo `connect`; a connection that was there before it stays."""
    global _came
    if _came:
        _ray().shutdown()
        _came = False


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"executor ray needs Ray, which cannot be imported ({error}): pip install 'tinynas[ray]'."
        ) from error
    return ray


def _nodes(ray: Any) -> Nodes:
    cpus = [int(each["Resources"].get("CPU", 0)) for each in ray.nodes() if each["Alive"]]
    cpus = [each for each in cpus if each] or [1]  # a head without any waits for nodes
    return Nodes(sum(cpus), max(cpus), min(cpus))


@dataclass
class _Running:
    """A task: its job, when it began on a node (time.monotonic; None while it waits for one), and what was told."""

    job: Job
    began: float | None = None
    told: bool = False


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
        self._say = say or _silently
        self._tell = tell or _silently
        self._make_worker = make_worker
        self._tasks: _Tasks | None = None

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield the outcomes as they come. A job that had trouble is tried again, alone, before it is failed."""
        waiting, again = deque(jobs), deque[tuple[Job, Trouble]]()
        running: dict[Any, _Running] = {}
        try:
            while waiting or running or again:
                if _is_over(deadline):
                    waiting.clear()
                    self._take_back(running)
                while waiting and len(running) < (self._workers or len(jobs)):
                    job = waiting.popleft()
                    running[self._started().trial(job)] = _Running(job)
                if running:
                    yield from self._finished(running, waiting, again, deadline)
                elif again:
                    job, trouble = again.popleft()
                    yield job, self._alone(job, trouble, deadline)
        finally:  # who listens no longer needs no answers
            self._cancel(running)

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final:
        """Run the final training on one node, as `Processes.final` does in a process."""
        trouble = None
        for _ in range(_FINAL_TRIES):
            if trouble is not None:
                self._say(f"The final training is tried again in a fresh process: {trouble.said}")
            found = self._final(job, report)
            if isinstance(found, Final):
                return found
            trouble = found
        assert trouble is not None
        raise final_failed(trouble)

    def close(self) -> None:
        """Leave the cluster, which frees the data and ends the processes then."""
        self._tasks = None
        leave()

    # --- trials

    def _finished(
        self,
        running: dict[Any, _Running],
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
        for task, trouble in self._silent(running).items():
            job = running.pop(task).job
            self._cancel([task])
            again.append((job, trouble))
            self._say(f"Trial {job.number} gave no answer ({trouble.said}); it is tried again with a node to itself.")

    def _wait(self, running: dict[Any, _Running], deadline: float | None = None) -> list[Any]:
        """Return the tasks that are done, as soon as one is or time has passed in which another should be looked at."""
        ray = _ray()
        seconds = _HEAR_S if deadline is None else min(_HEAR_S, max(0.05, deadline - time.monotonic()))
        done, _ = ray.wait(list(running), num_returns=1, timeout=seconds)
        if done:
            done, _ = ray.wait(list(running), num_returns=len(running), timeout=0)
        self._hear(running)
        return list(done)

    def _hear(self, running: dict[Any, _Running]) -> None:
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

    def _silent(self, running: dict[Any, _Running]) -> dict[Any, Trouble]:
        """Return the tasks that have had their time without an answer; tell of those that are late."""
        now, found = time.monotonic(), {}
        for task, each in running.items():
            if each.began is None:
                continue
            most_s = self._waits.seconds(each.job)
            if now >= each.began + most_s:
                found[task] = Trouble(SILENT, f"none in {minutes(most_s)}")
            elif not each.told and now >= each.began + self._waits.late(each.job):
                each.told = True
                self._say(
                    f"Trial {each.job.number}: no answer for {minutes(now - each.began)}; after {minutes(most_s)} it "
                    f"is ended, and tried again (--trial-timeout)."
                )
        return found

    def _alone(self, job: Job, trouble: Trouble, deadline: float | None) -> Outcome:
        """Try a job again with a node to itself, in a fresh process each time, as often as its trouble allows."""
        tries = 1
        while tries < trouble.most_tries and not _is_over(deadline):
            running = {self._started().alone(job): _Running(job)}
            found: Outcome | Trouble | None = None
            while found is None:
                for task in self._wait(running):
                    found = self._outcome(task)
                if found is None:
                    for task, silence in self._silent(running).items():
                        self._cancel([task])
                        found = silence
            tries += 1
            if isinstance(found, Outcome):
                self._waits.learn([found.evaluation])
                return found
            trouble = found
        if trouble.kind == FULL:
            raise RunError(f"The disk of a node is full ({trouble.said}): make room there, and go on with --resume.")
        return Outcome(Evaluation(State.FAILED, error=trouble.verdict(tries), cause=trouble.kind))

    def _outcome(self, task: Any) -> Outcome | Trouble:
        """Return what a task that is done came to."""
        found = _result(task)
        if isinstance(found, Outcome):
            return found if found.trouble is None else found.trouble
        if isinstance(found, Trouble):
            return found
        return Outcome(Evaluation(State.FAILED, error=str(found)))

    def _take_back(self, running: dict[Any, _Running]) -> None:
        """Take back the tasks that no node has begun."""
        if any(each.began is None for each in running.values()):
            self._hear(running)
            unbegun = [task for task, each in running.items() if each.began is None]
            self._cancel(unbegun)
            for task in unbegun:
                del running[task]

    def _cancel(self, tasks: Any) -> None:
        for task in list(tasks):
            _ray().cancel(task, force=True)

    # --- the final training

    def _final(self, job: FinalJob, report: Callable[[Any], None]) -> Final | Trouble:
        """Run the final training once."""
        ray, tasks = _ray(), self._started()
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
        found = _result(task)
        if isinstance(found, TinynasError):
            raise found
        return found  # type: ignore[no-any-return]

    def _started(self) -> "_Tasks":
        """Return the tasks of this search, connecting to the cluster for the first."""
        if self._tasks is None:
            connect(self._address)
            self._tasks = _Tasks(self._dataset, self._settings, self._make_worker)
        return self._tasks


class _Tasks:
    """The functions of tinynas.searching.node as tasks, with the data and the settings in the cluster's memory."""

    def __init__(self, dataset: Dataset, settings: Settings, make_worker: worker.MakeWorker) -> None:
        ray = _ray()
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._threads = settings.final_threads
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        # Answered between two waits for tasks, so it stands where this process is.
        self._mail = ray.remote(node.Mail).options(num_cpus=0, scheduling_strategy=here).remote()
        key, data = uuid4().hex, ray.put(dataset)
        self._session, self._final_session = (
            ray.put(node.Session(f"{key}-{threads}", __version__, [data], settings, threads, make_worker, self._mail))
            for threads in (1, self._threads)
        )
        # Ray replaces a process after so many: TensorFlow keeps some memory of every model. Another environment makes
        # other processes: TensorFlow's threads are settled once.
        self._evaluate = ray.remote(max_calls=node.JOBS_PER_PROCESS)(node.evaluate)
        self._fresh = ray.remote(max_calls=1)(node.evaluate)
        self._train = ray.remote(max_calls=1)(node.final)

    def trial(self, job: Job) -> Any:
        """Start a trial wherever a CPU is free."""
        task = self._evaluate.options(num_cpus=1, max_retries=_RETRIES, runtime_env=_environment(1))
        return task.remote(self._session, job, _weights_of(job.start))

    def alone(self, job: Job) -> Any:
        """Start a trial in a fresh process, on a node that does nothing else."""
        nodes = _nodes(_ray())
        environment = _environment(1, TINYNAS_ALONE=uuid4().hex)
        task = self._fresh.options(num_cpus=nodes.smallest, max_retries=0, runtime_env=environment)
        return task.remote(self._session, job, _weights_of(job.start))

    def final(self, job: FinalJob) -> Any:
        """Start the final training on one node, with as many CPUs as it has threads."""
        cpus = min(self._threads, _nodes(_ray()).largest)
        environment = _environment(self._threads, TINYNAS_ALONE=uuid4().hex)
        task = self._train.options(num_cpus=cpus, max_retries=_RETRIES, runtime_env=environment)
        return task.remote(self._final_session, job, _weights_of(job.start))

    def mail(self) -> list[tuple[str, Any]]:
        """Return what processes have told since."""
        told: list[tuple[str, Any]] = _ray().get(self._mail.take.remote())
        return told


def _environment(threads: int, **more: str) -> dict[str, Any]:
    return {"env_vars": {"OMP_NUM_THREADS": str(threads), **more}}


def _weights_of(start: StartFile | None) -> bytes | None:
    """Return the file that a training begins with: a node may not see the run's folder."""
    if start is None:
        return None
    try:
        return Path(start.path).read_bytes()
    except OSError as error:
        raise RunError(f"{start.path}, the weights of a trial, cannot be read ({error.strerror or error}).") from error


def _result(task: Any) -> Any:
    """Return what a task that is done returned, the TinynasError that it raised, or else what trouble it had."""
    ray = _ray()
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, BaseException) else error
        if isinstance(cause, node.NodeError):
            raise RunError(str(cause)) from error
        trouble = trouble_of(cause)
        return cause if trouble is None else trouble
    except ray.exceptions.RayError as error:
        return Trouble(DIED, f"{type(error).__name__}: {' '.join(str(error).split())}"[:300])


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def _silently(said: Any) -> None:
    """Tell nobody."""
