"""What proxy_tau.py and bench_train.py share: random architectures, their scores in a JSON file, two processes.

A study is one file, written after every score, so that a run that was stopped goes on where it stopped, and a longer
list of architectures or measures adds to what is there. Every score carries the CPU and wall seconds that it took.
"""

import json
import math
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.architecture import Architecture, SearchSpace, mutate
from tinynas.data import Dataset
from tinynas.hardware import Limits, Target
from tinynas.runs.writing import write_atomically
from tinynas.screening import screen
from tinynas.searching.feasible import screened
from tinynas.searching.strategy import Proposal
from tinynas.training.precision import best_precision

Scores = dict[str, dict[str, Any]]  # by the key of the architecture, by the name of the measure
PACKAGES = ("tinynas", "tensorflow", "tf_keras", "numpy")


@dataclass(frozen=True)
class Setup:
    """What every process needs: the data's path ("digits" for scikit-learn's), the board, settings, the seed.

    `near`: whether the architectures are near the hand-made starts.
    """

    data: str
    target: str
    seed: int
    settings: tuple[tuple[str, str], ...] = ()
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    near: bool = False

    def dataset(self) -> Dataset:
        return Dataset.digits() if self.data == "digits" else Dataset.load(self.data)

    def limits(self) -> Limits:
        limits = Target.load(self.target).limits
        given = {"flash_bytes": self.flash_bytes, "ram_bytes": self.ram_bytes}
        return Limits(**{**asdict(limits), **{name: value for name, value in given.items() if value is not None}})

    def precision(self, dataset: Dataset) -> str:
        """The number format of the trainings: what search() would choose on this machine, unless it is set."""
        return dict(self.settings).get("precision", best_precision(dataset.input_shape))


@dataclass(frozen=True)
class Job:
    """One measure of one architecture: `kind` names the method of `measures.Measures`, `plan` its arguments."""

    number: int
    architecture: Architecture
    measure: str
    kind: str
    plan: tuple[Any, ...] = ()


def draw(setup: Setup, dataset: Dataset, n: int) -> list[Architecture]:
    """The first n different architectures of the space that fit, the same ones for the same seed.

    They are random ones, or, `setup.near`, the hand-made starts and mutants of them and of one another, which are no
    smaller than a sixth of the file: such as a search looks at.
    """
    rng, target, limits = np.random.default_rng(setup.seed), Target.load(setup.target), setup.limits()
    space = SearchSpace.for_input(dataset.input_shape, dataset.n_classes)
    known = starts(space, target, limits, setup.seed) if setup.near else []
    found = {architecture.key: architecture for architecture in known}
    for _ in range(1000 * n):
        if len(found) >= n:
            return list(found.values())[:n]
        if setup.near:
            architecture = list(found.values())[int(rng.integers(len(found)))]
            for _ in range(int(rng.integers(1, 5))):
                architecture = mutate(architecture, space, rng)
        else:
            architecture = space.random_architecture(rng)
        footprint = screen(architecture, target)
        large = 6 * footprint.params > (limits.flash_bytes or 0) or not setup.near
        if large and not limits.violations(footprint):
            found.setdefault(architecture.key, architecture)
    raise SystemExit(f"only {len(found)} of {n} architectures that fit were found: widen the limits")


def starts(space: SearchSpace, target: Target, limits: Limits, seed: int) -> list[Architecture]:
    """The hand-made starts within the limits, shrunk where they are not, as a search begins with them."""
    rng, known, found = np.random.default_rng(seed), set[str](), list[Architecture]()
    for architecture in space.handmade():
        tried = screened(Proposal(architecture), space, lambda each: screen(each, target), limits, known, rng)
        found += [candidate.proposal.architecture for candidate in tried if not candidate.violations]
    return found


class Study:
    """The file: architectures in the order of `draw`, each with its scores by the name of the measure."""

    def __init__(self, path: Path, setup: Setup, dataset: Dataset) -> None:
        self.path = path
        facts = {**asdict(setup), "data": dataset.name, "digest": dataset.digest, "precision": setup.precision(dataset)}
        self.facts: dict[str, Any] = json.loads(json.dumps(facts))
        self.scores: Scores = {}
        if path.exists():
            self.take(path)

    def take(self, path: Path, only: Sequence[str] | None = None) -> None:
        """Add the scores of another file of the same data, board, seed and settings; all measures, or `only` some."""
        read = json.loads(path.read_text())
        made = {"near": False, **read["setup"]}
        differ = [name for name in self.facts if made.get(name) != self.facts[name]]
        if differ:
            raise SystemExit(f"{path} was made with other values of: {', '.join(differ)}; name another file")
        for entry in read["architectures"]:
            scores = {name: s for name, s in entry["scores"].items() if only is None or name in only}
            self.scores.setdefault(entry["key"], {}).update(scores)

    def write(self, architectures: Sequence[Architecture], **more: Any) -> None:
        entries = [
            {"key": a.key, "text": str(a), "genes": a.to_dict(), "scores": self.scores.get(a.key, {})}
            for a in architectures
        ]
        versions = {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}
        document = {"setup": self.facts, "versions": versions, **more, "architectures": entries}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, json.dumps(_without_nan(document), indent=1, allow_nan=False).encode())

    def column(self, measure: str, field: str = "score") -> dict[str, float]:
        """The values of a measure by the key of the architecture, where it has been measured."""
        return column(self.scores, measure, field)


def column(scores: Scores, measure: str, field: str = "score") -> dict[str, float]:
    """The values of a measure by the key of the architecture, where it has been measured."""
    return {key: s[measure][field] for key, s in scores.items() if field in s.get(measure, {})}


def run(
    jobs: Sequence[Job], setup: Setup, done: Callable[[Job, dict[str, Any]], None], workers: int, minutes: float | None
) -> None:
    """Run the jobs in order, `workers` at a time, each in a process of one thread; start none after `minutes`.

    Plain trainings have processes of their own, since tinynas makes TensorFlow deterministic in its own.
    """
    import measures
    from loky import ProcessPoolExecutor
    from loky.backend import get_context

    pools: dict[bool, Any] = {}
    for plain in {job.kind == "plain" for job in jobs}:
        pools[plain] = ProcessPoolExecutor(
            workers, context=get_context("loky"), initializer=measures.start, initargs=(setup,), timeout=None
        )
    start, waiting = time.monotonic(), list(jobs)
    running: dict[Future[Any], Job] = {}
    try:
        while waiting or running:
            if minutes is not None and time.monotonic() - start > 60 * minutes:
                waiting.clear()
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[pools[job.kind == "plain"].submit(measures.measure, job)] = job
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done(running.pop(future), future.result())
    finally:
        for pool in pools.values():
            pool.shutdown(wait=True, kill_workers=True)


def _without_nan(value: Any) -> Any:
    """The same with null for what is not a finite number, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def common_arguments(parser: Any) -> None:
    """The options of both programs."""
    parser.add_argument("--data", default="digits", help="a folder of IDX files, or digits")
    parser.add_argument("--n", type=int, default=24, help="architectures")
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--flash", type=int, help="bytes of the file, in place of the board's limit")
    parser.add_argument("--ram", type=int, help="bytes of the arena, in place of the board's limit")
    parser.add_argument(
        "--near", action="store_true", help="the hand-made starts and what is near them, in place of random ones"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the search")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, help="start nothing after so long; the next run goes on")
    parser.add_argument("--full", type=float, default=20.0, help="length of the full training, in default proxies")
    parser.add_argument("--out", type=Path)


def setup_of(arguments: Any) -> Setup:
    settings = tuple(sorted(tuple(pair.split("=", 1)) for pair in arguments.set))
    limits = arguments.flash, arguments.ram
    return Setup(arguments.data, arguments.target, arguments.seed, settings, *limits, arguments.near)


def middle(values: Sequence[float]) -> float:
    """The median, nan of nothing."""
    return statistics.median(values) if values else float("nan")
