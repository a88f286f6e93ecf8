"""The functions of tinynas.searching.node as tasks of Ray."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from tinynas.data import Dataset
from tinynas.errors import RunError
from tinynas.runs import Settings
from tinynas.searching import node
from tinynas.searching.connection import library, nodes
from tinynas.searching.jobs import FinalJob, Job, StartFile
from tinynas.searching.trouble import DIED, Trouble, trouble_of
from tinynas.searching.worker import MakeWorker
from tinynas.version import __version__

_RETRIES = 3  # by Ray, of a task whose process or node is lost


class Tasks:
    """The functions of tinynas.searching.node as tasks, with the data and the settings in the cluster's memory."""

    def __init__(self, dataset: Dataset, settings: Settings, make_worker: MakeWorker) -> None:
        ray = library()
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
        cluster = nodes()
        environment = _environment(1, TINYNAS_ALONE=uuid4().hex)
        task = self._fresh.options(num_cpus=cluster.smallest, max_retries=0, runtime_env=environment)
        return task.remote(self._session, job, _weights_of(job.start))

    def final(self, job: FinalJob) -> Any:
        """Start the final training on one node, with as many CPUs as it has threads."""
        cpus = min(self._threads, nodes().largest)
        environment = _environment(self._threads, TINYNAS_ALONE=uuid4().hex)
        task = self._train.options(num_cpus=cpus, max_retries=_RETRIES, runtime_env=environment)
        return task.remote(self._final_session, job, _weights_of(job.start))

    def mail(self) -> list[tuple[str, Any]]:
        """Return what processes have told since."""
        told: list[tuple[str, Any]] = library().get(self._mail.take.remote())
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


def result_of(task: Any) -> Any:
    """Return what a task that is done returned, the TinynasError that it raised, or else what trouble it had."""
    ray = library()
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
