"""How a search runs here: the machines, the workers, the waits. None is a setting: a resume may take others."""

import os
from dataclasses import dataclass, replace
from typing import Any

from tinynas.data import Dataset
from tinynas.errors import UsageError
from tinynas.options import RUNNING
from tinynas.runs import Run
from tinynas.searching.cluster import Ray
from tinynas.searching.connection import connect
from tinynas.searching.events import Note, Watcher
from tinynas.searching.executor import Executor
from tinynas.searching.own import MakeExecutor, made_executor
from tinynas.searching.processes import Processes
from tinynas.searching.waits import Waits
from tinynas.words import counted

RAY = "ray"
_MOST_WORKERS = 16  # however few the cores: who wants to see what happens may


@dataclass(frozen=True)
class Running:
    """What trains, and where: `own` makes the caller's executor, `address` is a cluster's.

    `workers` trials run side by side, and the final training has so many `threads`; both are None until `connected`
    where a cluster decides.
    """

    workers: int | None
    threads: int | None
    trial_timeout_s: float | None = None
    executor: str = "processes"
    address: str | None = None
    own: MakeExecutor | None = None
    most: int | None = None  # trials that a cluster is given at a time

    def connected(self) -> "Running":
        """Return it with the numbers of the cluster, which this process is connected to then."""
        if self.executor != RAY:
            return self
        nodes = connect(self.address)
        workers = self.most or nodes.cpus
        return replace(self, workers=workers, threads=min(workers, nodes.largest))


def checked_running(
    workers: int | None, trial_timeout_s: float | None, executor: MakeExecutor | str | None, address: str | None
) -> Running:
    """Return how the search runs; UsageError for what makes no sense."""
    named = executor if isinstance(executor, str) else "processes"
    _check("trial_timeout_s", trial_timeout_s)
    _check("executor", named)
    _check("address", address)
    own = None if executor is None or isinstance(executor, str) else executor
    if named == RAY:
        _check("workers", workers)
        return Running(None, None, trial_timeout_s, named, address, most=workers)
    if address is not None:
        raise UsageError("address names a cluster: it is only for executor ray.")
    workers = _checked_workers(workers)
    return Running(workers, workers, trial_timeout_s, named, own=own)


def executor_for(running: Running, run: Run, dataset: Dataset, watch: Watcher) -> Executor:
    """Return what trains; it knows what the run's trials have cost."""
    if running.own is not None:
        return made_executor(running.own, dataset, run.settings)
    waits = Waits(running.trial_timeout_s, run.settings.time_budget_s)
    waits.learn(trial.evaluation for trial in run.journal.trials())

    def say(text: str) -> None:
        run.log(text)
        watch(Note(text))

    if running.executor == RAY:
        return Ray(dataset, run.settings, running.most, address=running.address, waits=waits, say=say, tell=watch)
    return Processes(dataset, run.settings, running.workers, scratch=run.scratch, waits=waits, say=say, tell=watch)


def _check(name: str, value: Any) -> None:
    row = RUNNING[name]
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = {"whole": isinstance(value, int) and number, "time": number}.get(row.kind, isinstance(value, str))
    if not kind or not row.holds(value) or value == "":
        raise UsageError(f"{name} is {value!r:.60}; wanted {row.wanted}.")


def _checked_workers(workers: int | None) -> int:
    """Return the number of worker processes: one a core that this process may use, if none is given."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers is None:
        return cores
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise UsageError(f"The number of workers is {workers!r}; a whole number of at least 1 is needed.")
    most = max(_MOST_WORKERS, 2 * cores)
    if workers > most:
        raise UsageError(
            f"{workers:,} workers are too many for {counted(cores, 'core')}: each is a process of its own "
            f"with TensorFlow in it, and more than one for each core only wait for each other; give at most "
            f"{most}, or leave --workers out."
        )
    return workers
