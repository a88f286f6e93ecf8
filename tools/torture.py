"""Kills searches and fills their disk, resumes them, and holds what they leave against a search that was left alone.

    python tools/torture.py                    50 kills with worker processes, the disk full at each write; the table
    python tools/torture.py --quick            in one process and fewer: the form that runs with the tests
    python tools/torture.py --real             50 kills of searches that train, with one and with two workers
    python tools/torture.py --kills 200 --seed 7

A search here trains nothing: its scores, weights and models follow from the genome, the seed and the weights that it
began from, so that a trial which comes out otherwise once shows in all that follows. All else is the real one: loop,
journal, files, worker processes. It is killed with SIGKILL when it is about to do, or has just done, something to a
file of its folder or to its journal: at such moments from its beginning to its end, so commits, finalists and the final
training are among them. Exit code 1 when one of the ends differs in a row of the journal, a byte of a file or the
summary, seconds apart. With --real the workers are the real ones, TensorFlow and all, on tiny data; three of five kills
hit a commit, the finalists or the final training on purpose.
"""

import argparse
import contextlib
import errno
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tinynas import Dataset, Evaluation, FoldScores, Scores, State, resume, search
from tinynas.errors import RunError, TinynasError
from tinynas.runs import Journal, Settings, read_trials
from tinynas.searching import Executor, Final, FinalProgress, Job, Outcome
from tinynas.searching.jobs import FinalJob
from tinynas.searching.processes import Processes
from tinynas.searching.worker import TEMPORARY, Worker

_SETTINGS: dict[str, Any] = {
    "n_generations": 6,  # the last two are proposed before all earlier ones are told
    "n_children": 3,
    "n_finalists": 2,
    "n_folds": 2,
    "n_rungs": 2,
    "strategy": "evolution",
    "seed": 5,
}
_REAL: dict[str, Any] = {**_SETTINGS, "n_children": 2, "n_rungs": 1, "n_finalists": 1, "final_epochs": 2}
_STEPS_S = 0.02  # what a made-up training takes: long enough to be killed in
_BEGINNING = 15  # so many moments until its first trial: few, but what is lost there changes all that follows
_AFTER_KILL_S = 10.0  # so long the processes of a killed search have to end by themselves
_VERBOSE = "TORTURE_VERBOSE" in os.environ  # say how each search ends
_RAN, _TINYNAS, _OTHER = 0, 3, 4  # how a search in a process of its own ends


# --- a search that trains nothing


class Pretend:
    """Does the work of a `Worker` in no time: whatever it says follows from the job and the weights it begins from."""

    def __init__(self, dataset: Dataset, settings: Settings, threads: int) -> None:
        """Take what a Worker takes."""

    def evaluate(self, job: Job) -> Outcome:
        """Return made-up scores, weights and models."""
        time.sleep(_STEPS_S)
        began_from = b"" if job.start is None else job.start.path.read_bytes()
        said = f"{job.architecture.key} {job.seed} {job.fidelity} {job.rung}".encode()
        digest = hashlib.sha256(said + began_from).digest()
        (Path(tempfile.gettempdir()) / f"{job.number}.tmp").write_bytes(digest)  # as a training would
        scores = Scores(*(0.3 + 0.6 * byte / 255 for byte in digest[:4]))
        folds = (FoldScores(scores, scores),) * (1 if job.schedule is None else job.schedule.folds)
        evaluation = Evaluation(State.COMPLETE, job.screened, (), folds, visits=100)
        weights = {"conv": [np.frombuffer(digest, np.uint8)]}
        return Outcome(evaluation, digest, digest[::-1] * 50, np.zeros((2, 8, 8, 1), np.int8), weights)

    def final(self, job: FinalJob, report: Callable[[Any], None] | None = None) -> Final:
        """Return a made-up final model."""
        from tinynas import Target, screen

        for epoch in range(1, 4):
            time.sleep(_STEPS_S)
            if report is not None:
                report(FinalProgress(epoch, 3, 1 / epoch, 0.1))
        digest = hashlib.sha256(f"{job.architecture.key} {job.seed}".encode()).digest()
        scores = Scores(0.9, 0.9, 0.9, 0.9)
        footprint = screen(job.architecture, Target.load("nucleo_f401"))
        samples = np.zeros((2, 8, 8, 1), np.int8)
        return Final(FoldScores(scores, scores), digest, digest * 50, samples, 3, footprint, 0)


class Here:
    """An executor that calls `Pretend` in this process."""

    def __init__(self, folder: Path) -> None:
        """Keep temporary files where worker processes would."""
        self._temporary = folder / ".scratch" / TEMPORARY
        self._worker = Pretend(None, None, 1)  # type: ignore[arg-type]  # it looks at neither

    def evaluate(self, jobs: Any, deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with its outcome."""
        tempfile.tempdir = str(self._temporary)
        for job in jobs:
            try:
                self._temporary.mkdir(parents=True, exist_ok=True)
                outcome = self._worker.evaluate(job)
            except OSError as error:
                raise RunError(f"The disk is full ({error}).") from error
            yield job, outcome

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> Final:
        """Return the final model."""
        return self._worker.final(job, report)

    def close(self) -> None:
        """Remove the temporary files."""
        shutil.rmtree(self._temporary.parent, ignore_errors=True)


def data() -> Dataset:
    """Return sixty noisy pictures of three classes."""
    return Dataset.from_arrays(np.random.default_rng(0).random((60, 8, 8)), np.arange(60) % 3, name="noise")


class Maker:
    """Makes the executor of a search: `workers` processes, which may train for `real`, or this one for 0."""

    def __init__(self, folder: Path, workers: int, real: bool = False) -> None:
        """Take the run folder."""
        self._folder, self._workers, self.is_real = folder, workers, real
        self.made: list[Executor] = []

    def __call__(self, dataset: Dataset, settings: Settings) -> Executor:
        """Return the executor, and remember it."""
        made: Executor
        if self._workers:
            scratch = self._folder / ".scratch"
            make = Worker if self.is_real else Pretend
            made = Processes(dataset, settings, self._workers, scratch=scratch, make_worker=make)
        else:
            made = Here(self._folder)
        self.made.append(made)
        return made


def run(folder: Path, dataset: Dataset, maker: Maker) -> None:
    """Search in `folder`, from wherever it stands."""
    if (folder / "settings.json").exists():
        resume(folder, dataset, executor=maker, progress=False)
    else:
        settings = _REAL if maker.is_real else _SETTINGS
        search(dataset, "nucleo_f401", out=folder, executor=maker, workers=1, progress=False, **settings)


# --- the moments: whatever a search does to its folder


class Moments:
    """Counts what is done to the files and the journal of a run, and does `then` at the moment `at`."""

    def __init__(self, folder: Path, at: int | None, then: Callable[[str], None]) -> None:
        """Watch from now on, in this process, for as long as it lives."""
        self._folder, self._at, self._then = str(folder), at, then
        self.all: list[str] = []
        sys.addaudithook(self._heard)
        made = Journal._run

        def counted(journal: Journal, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
            writes = not statement.startswith("SELECT")
            connection = journal._connection
            if writes:
                try:
                    self._moment(f"before {statement.split()[0]} {values[:1]}")
                except OSError:  # SQLite says it in its own words
                    journal._connection = _FullDatabase()  # type: ignore[assignment]
            try:
                rows = made(journal, statement, values)
            finally:
                journal._connection = connection
            if writes:
                self._moment(f"after {statement.split()[0]} {values[:1]}")
            return rows

        Journal._run = counted  # type: ignore[method-assign]

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "shutil.copytree"):
            path = arguments[0]
        else:
            return
        if str(path).startswith(self._folder):
            self._moment(f"{event} {Path(str(path)).name}")

    def _moment(self, what: str) -> None:
        self.all.append(what)
        if len(self.all) == self._at:
            self._then(what)


class _FullDatabase:
    """A connection to a database whose disk is full."""

    def execute(self, statement: str, values: tuple[Any, ...]) -> None:
        raise sqlite3.OperationalError("database or disk is full")


def _in_process(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own; return its exit status, negative for a signal."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status, said = _OTHER, ""
        try:
            work()
            status = _RAN
        except TinynasError as error:
            said, status = str(error), _TINYNAS
        except BaseException as error:
            where = [f"{Path(each.filename).name}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)]
            said = f"{type(error).__name__}: {error} ({' > '.join(where[-6:])})"
        finally:
            if said and _VERBOSE:
                print(f"      {said}", file=sys.stderr, flush=True)
            os._exit(status)
    _, ended = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(ended)


def _worker_pids() -> list[int]:
    """Return the worker processes of this one."""
    found = []
    for child in Path("/proc/self/task").glob("*/children"):
        for pid in child.read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"popen_loky" in command:
                found.append(int(pid))
    return found


def _kill(whom: str) -> Callable[[str], None]:
    def now(what: str) -> None:
        if whom != "coordinator":
            for pid in _worker_pids()[:1]:
                os.kill(pid, signal.SIGKILL)
        if whom != "worker":
            os.kill(os.getpid(), signal.SIGKILL)

    return now


def _is_write(what: str) -> bool:
    """Whether a full disk may refuse what is done at a moment: nothing is refused its removal."""
    return not what.startswith(("after", "os.remove", "os.rmdir"))


def _full(what: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# --- what is left, and whether it is the same


def results(folder: Path) -> dict[str, Any]:
    """Return the journal, the files and the summary of a run, what is of the clock left out."""
    summary = json.loads((folder / "summary.json").read_text())
    trials = []
    for trial in read_trials(folder / "journal.sqlite"):
        evaluation = trial.evaluation.to_dict()
        trials.append((trial.number, trial.generation, trial.parent, trial.architecture.key, evaluation))
        evaluation["seconds"] = evaluation["visit_s"] = 0.0
    files = {
        path.relative_to(folder).as_posix(): _digest(path)
        for name in ("best", "models", "weights", ".scratch")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }
    names = sorted(path.name for path in folder.iterdir() if path.name != ".lock")
    return {"summary": {**summary, "seconds": 0}, "trials": trials, "files": files, "names": names}


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; of a Keras file that of what it holds, but for when it was saved."""
    data = path.read_bytes()
    if path.suffix == ".keras" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as inner:
            data = b"".join(inner.read(name) for name in sorted(inner.namelist()) if name != "metadata.json")
    return hashlib.sha256(data).hexdigest()


def difference(folder: Path, wanted: dict[str, Any]) -> str:
    """Return what of a run differs from `wanted`, "" where nothing does."""
    try:
        found = results(folder)
    except (OSError, TinynasError, ValueError) as error:
        return f"cannot be read: {error}"
    return ", ".join(name for name, value in wanted.items() if found[name] != value)


@dataclass
class Row:
    """A line of the table: how often something was done, how often all was as it should be, and what was not."""

    what: str
    tries: int = 0
    same: int = 0
    faults: tuple[str, ...] = ()

    def tell(self, fault: str) -> None:
        """Take in a try and what was wrong, "" for nothing."""
        self.tries += 1
        self.same += not fault
        self.faults += (fault,) if fault else ()

    def __str__(self) -> str:
        faults = "".join(f"\n      {fault}" for fault in self.faults[:10])
        return f"{self.what:44} {self.same:4} of {self.tries:4}{faults}"


class Torture:
    """Runs of one kind: `workers` processes, 0 for none; what is left is held against one that was left alone."""

    def __init__(self, root: Path, workers: int, real: bool = False) -> None:
        """Search once without trouble, and count its moments."""
        self.root, self.workers, self.real = root, workers, real
        self.temporary = root / "tmp"
        self.temporary.mkdir(exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.temporary)
        self.dataset = data()
        whole, count = root / "whole", root / "count"

        def work() -> None:
            moments = Moments(whole, None, _full)
            run(whole, self.dataset, self._maker(whole))
            count.write_text(json.dumps(moments.all))

        assert _in_process(work) == _RAN
        self.wanted = results(whole)
        self.moments: list[str] = json.loads(count.read_text())
        shutil.rmtree(whole)

    def _maker(self, folder: Path) -> Maker:
        return Maker(folder, self.workers, self.real)

    def stopped(self, folder: Path, at: int, then: Callable[[str], None]) -> int:
        """Search in `folder` with `then` done at the moment `at`; return how that ended."""

        def work() -> None:
            Moments(folder, at, then)
            run(folder, self.dataset, self._maker(folder))

        return _in_process(work)

    def resumed(self, folder: Path) -> str:
        """Resume the search in `folder`; return what is wrong afterwards, "" for nothing."""
        ended = _in_process(lambda: run(folder, self.dataset, self._maker(folder)))
        return f"the resumed search ended with {ended}" if ended != _RAN else self.checked(folder)

    def checked(self, folder: Path) -> str:
        """Return what is wrong with a search that has ended, and remove it."""
        fault = difference(folder, self.wanted)
        left = sorted(path.name for path in self.temporary.iterdir())
        shutil.rmtree(folder)
        return fault or (f"left in the temporary folder: {', '.join(left)}" if left else "")

    def killed(self, at: int, whom: str) -> str:
        """Kill at the moment `at`, and resume; return what was wrong."""
        folder = self.root / f"killed-{at}-{whom}"
        ended = self.stopped(folder, at, _kill(whom))
        if whom == "worker":
            return f"at {at}: it ended with {ended}" if ended != _RAN else self.checked(folder)
        if ended == _RAN and at:  # several workers end in another order each time, and so there may be fewer moments
            return self.checked(folder) or self.killed(at * 9 // 10, whom)
        if ended != -signal.SIGKILL:
            return f"at {at}: it was not killed but ended with {ended}"
        fault = self.resumed(folder)
        return f"at {at}: {fault}" if fault else ""

    def filled(self, at: int) -> str:
        """Refuse the write at the moment `at` as a full disk does, and resume; return what was wrong."""
        folder = self.root / f"filled-{at}"
        ended = self.stopped(folder, at, _full)
        if ended == _OTHER:
            return f"at {at}: it ended with an error that is not tinynas's own"
        fault = self.resumed(folder)
        return f"at {at}: {fault}" if fault else ""

    def disk(self, kib: int) -> str:
        """Search on a disk of so many KiB, and resume it on a larger one; return what was wrong."""
        place = self.root / "disk"
        place.mkdir(exist_ok=True)
        folder = place / "run"
        with mounted(place, kib) as grow:
            ended = _in_process(lambda: run(folder, self.dataset, Maker(folder, self.workers)))
            if ended == _OTHER:
                return f"{kib} KiB: it ended with an error that is not tinynas's own"
            grow()
            fault = self.resumed(folder)
            return f"{kib} KiB: {fault}" if fault else ""


@contextlib.contextmanager
def mounted(place: Path, kib: int) -> Iterator[Callable[[], None]]:
    """Mount a small disk in memory at `place`; what is yielded makes it large."""
    assert os.system(f"mount -t tmpfs -o size={kib}k none {place}") == 0
    try:
        yield lambda: os.system(f"mount -o remount,size=64m {place}")  # type: ignore[misc]
    finally:
        os.system(f"umount -l {place}")


def can_mount(root: Path) -> bool:
    """Whether this person may mount a disk."""
    place = root / "may"
    place.mkdir()
    may = os.system(f"mount -t tmpfs -o size=64k none {place} 2>/dev/null") == 0
    if may:
        os.system(f"umount {place}")
    place.rmdir()
    return may


def _spread(count: int, most: int, rng: random.Random) -> list[int]:
    """Return `count` moments out of 1 to `most`, one at random out of each equal part, all where they are enough."""
    if count >= most or not count:
        return list(range(1, min(count, most) + 1))
    edges = [1 + most * part // count for part in range(count + 1)]
    return [rng.randrange(low, max(low + 1, high)) for low, high in pairwise(edges)]


def _on_purpose(moments: list[str], count: int, rng: random.Random) -> list[int]:
    """Return `count` moments: two of five anywhere, the others at commits, finalists and the final training."""
    numbered = list(enumerate(moments, 1))
    finalists, final = (
        next(at for at, what in numbered if what == f"after INSERT ('{fact}',)") for fact in ("finalists", "final_from")
    )
    groups = (
        [at for at, what in numbered if re.match(r"(before|after) INSERT \(\d", what)],
        list(range(finalists, final)),
        list(range(final, len(moments) + 1)),
    )
    chosen = [rng.choice(groups[turn % len(groups)]) for turn in range(count - 2 * count // 5)]
    return sorted(chosen + _spread(2 * count // 5, len(moments), rng))


def real_rows(root: Path, kills: int, rng: random.Random) -> Iterator[Row]:
    """Yield the lines of the table of searches that train."""
    turns = [(workers, whom) for workers in (1, 2) for whom in ("coordinator", "worker", "both")]
    for number, (workers, whom) in enumerate(turns):
        if whom == "coordinator":
            apart = Torture(root, workers, real=True)
        row = Row(
            f"{whom} killed, {workers} worker process{'es' if workers > 1 else ''} that train{'s' * (workers == 1)}"
        )
        share = kills // len(turns) + (number < kills % len(turns))
        for at in _on_purpose(apart.moments, share, rng) if share else ():
            row.tell(apart.killed(at, whom))
        if share:
            yield row
    row = Row("processes that outlive their search")
    row.tell(_outlived())
    yield row


def rows(root: Path, kills: int, fills: int, quick: bool, rng: random.Random) -> Iterator[Row]:
    """Yield the lines of the table."""
    here = Torture(root, 0)
    row = Row(f"killed, in one process ({len(here.moments)} moments)")
    for at in _spread(kills, len(here.moments), rng):
        row.tell(here.killed(at, "coordinator"))
    yield row
    row = Row(f"killed while it begins ({_BEGINNING} moments)")
    for at in range(1, _BEGINNING + 1):
        row.tell(here.killed(at, "coordinator"))
    yield row
    writes = [at for at, what in enumerate(here.moments, 1) if _is_write(what)]
    row = Row(f"disk full, a write refused ({len(writes)} writes)")
    for at in _spread(fills, len(writes), rng):
        row.tell(here.filled(writes[at - 1]))
    yield row
    if quick:
        return
    if can_mount(root):
        row = Row("disk full, a real one of 16 to 320 KiB")
        for kib in range(16, 324, 4):
            row.tell(here.disk(kib))
        yield row
    for workers in (1, 2):
        apart = Torture(root, workers)
        for whom in ("coordinator", "worker", "both"):
            row = Row(f"{whom} killed, {workers} worker process{'es' if workers > 1 else ''}")
            for at in _spread(max(1, kills // 5), len(apart.moments), rng):
                row.tell(apart.killed(at, whom))
            yield row
    row = Row("processes that outlive their search")
    row.tell(_outlived())
    yield row


def _outlived() -> str:
    """Return which processes of this program are left after a while, "" for none."""
    until = time.monotonic() + _AFTER_KILL_S
    left: list[str] = []
    while time.monotonic() < until:
        left = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                ours = f"TMPDIR={tempfile.gettempdir()}".encode() in path.read_bytes()
                if ours and path.parent.name != str(os.getpid()):
                    left.append(path.parent.name)
        if not left:
            return ""
        time.sleep(0.5)
    return f"processes {', '.join(left)}"


def main() -> int:
    """Print the table; return 1 when something was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="moments at which a search is killed")
    parser.add_argument("--fills", type=int, default=10**9, help="writes that are refused; by itself every one")
    parser.add_argument("--quick", action="store_true", help="in one process, the short form")
    parser.add_argument("--real", action="store_true", help="searches that train, in worker processes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    good = True
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinynas-torture-") as root:
        rng = random.Random(options.seed)
        chosen = real_rows(Path(root), options.kills, rng) if options.real else None
        for row in chosen or rows(Path(root), options.kills, options.fills, options.quick, rng):
            print(row, flush=True)
            good = good and row.same == row.tries > 0
    print(f"{'all as it should be' if good else 'NOT AS IT SHOULD BE'}, {time.monotonic() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
