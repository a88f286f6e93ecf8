"""What runs in a process of a Ray cluster: a `Worker` with the data of its node, one job after the other."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tinynas.errors import TinynasError
from tinynas.runs import Settings
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome
from tinynas.searching.worker import MakeWorker, Worker, Works
from tinynas.version import __version__

JOBS_PER_PROCESS = 80
BEGAN, FOLD, PROGRESS = "began", "fold", "progress"
_J = TypeVar("_J", Job, FinalJob)

_key = ""
_works: Works | None = None
_is_broken = False


class NodeError(TinynasError):
    """A node that cannot work for this search."""


@dataclass(frozen=True)
class Session:
    """What a process needs for the jobs of one search; `data` holds a reference to the data in the cluster's memory.

    Ray copies the data to a node once, and every process there maps them.
    """

    key: str
    version: str
    data: list[Any]
    settings: Settings
    threads: int
    make_worker: MakeWorker
    mail: Any


class Mail:
    """An actor: what processes tell, until the search takes it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._told: list[tuple[str, Any]] = []

    def put(self, what: str, said: Any) -> None:
        """Keep something that is told."""
        self._told.append((what, said))

    def take(self) -> list[tuple[str, Any]]:
        """Return what has been told since."""
        told, self._told = self._told, []
        return told


def evaluate(session: Session, job: Job, weights: bytes | None) -> Outcome:
    """Evaluate `job`, beginning with the file `weights` in place of the one that it names."""
    global _is_broken
    if _is_broken:  # Ray runs the task again in another process
        os._exit(1)
    session.mail.put.remote(BEGAN, job.number)
    works = _works_of(session)
    with _with_weights(job, weights) as job:
        outcome = works.evaluate(job)
    _is_broken = outcome.trouble is not None
    return outcome


def final(session: Session, job: FinalJob, weights: bytes | None) -> Final:
    """Train the final model, telling of each epoch."""
    works = _works_of(session)
    with _with_weights(job, weights) as job:
        return works.final(job, lambda progress: session.mail.put.remote(PROGRESS, progress))


def _works_of(session: Session) -> Works:
    """Return what does the work of this search in this process, made at the first job."""
    global _key, _works
    if _works is None or _key != session.key:
        import ray

        if session.version != __version__:
            raise NodeError(
                f"The node {ray.util.get_node_ip_address()} has tinynas {__version__}, and the search runs with "
                f"{session.version}: install the same version on every node."
            )
        _own_temporary_folder()
        try:
            dataset = ray.get(session.data[0])
        except OSError as error:
            raise NodeError(
                f"The node {ray.util.get_node_ip_address()} cannot read the data ({error}): what is larger than memory "
                f"stays in its files, so these must have the same path on every node."
            ) from error
        _works, _key = session.make_worker(dataset, session.settings, session.threads), session.key
        if isinstance(_works, Worker):
            _works.tell = lambda told: session.mail.put.remote(FOLD, told)
    return _works


@contextmanager
def _with_weights(job: _J, weights: bytes | None) -> Iterator[_J]:
    """Give the job with the file that it begins with, written here for as long as it takes."""
    if job.start is None or weights is None:
        yield job
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / job.start.path.name
        path.write_bytes(weights)
        yield replace(job, start=replace(job.start, path=path))


def _own_temporary_folder() -> None:
    """Let the temporary files of this process lie in a folder of its own, and remove those of processes that are gone.

    Ray ends a process with a kill, which leaves them.
    """
    if os.environ.get("TINYNAS_TEMPORARY") == str(os.getpid()):
        return
    root = Path(tempfile.gettempdir()) / f"tinynas-{os.getuid()}"
    for folder in root.glob("*"):
        if folder.name.isdecimal() and not _is_alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    own = root / str(os.getpid())
    own.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    os.environ["TINYNAS_TEMPORARY"] = str(os.getpid())
    atexit.register(shutil.rmtree, own, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
