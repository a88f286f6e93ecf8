"""A real search in this process, on one thread, measured in CPU seconds: trainings, screening and strategy together."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from searchbench.curves import Curve
from searchbench.drive import BudgetUsedError, Meter, drive
from tinynas import __version__
from tinynas.architecture import Architecture, SearchSpace
from tinynas.data import Dataset
from tinynas.hardware import Footprint, Limits, Target
from tinynas.runs import DataSource, Evaluation, Settings
from tinynas.screening.screen import screen
from tinynas.searching import AgingEvolution, Event, TrialDone, search, with_limits
from tinynas.searching.jobs import Job, Outcome
from tinynas.searching.worker import Worker
from tinynas.training.precision import best_precision
from tinynas.training.schedule import Lengths, Schedule

# uNAS: population 100, sample 25 for 2,000 trainings, random start, one mutation a child. A run here has some dozen
# trainings, so the population is a tenth, its share drawn the same.
_UNAS_POPULATION, _UNAS_SAMPLE = 10, 3
_N_FOLDS = 5


class InProcess:
    """An executor that trains in this process and gives each evaluation the CPU seconds that it took."""

    def __init__(self, dataset: Dataset, settings: Settings) -> None:
        self._worker = Worker(dataset, settings, threads=1)

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        for job in jobs:
            start = time.process_time()
            outcome = self._worker.evaluate(job)
            seconds = round(time.process_time() - start, 3)
            yield job, replace(outcome, evaluation=replace(outcome.evaluation, seconds=seconds))

    def final(self, job: Any, report: Callable[[Any], None]) -> None:
        """Train nothing: the search phase is what is measured."""

    def close(self) -> None:
        """Nothing was started."""


@dataclass(frozen=True)
class Setting:
    """What all strategies have in common: data, board, limits, space and budget in CPU seconds."""

    name: str
    dataset: Dataset
    target: Target
    limits: Limits
    space: SearchSpace
    budget_s: float

    @property
    def floor(self) -> float:
        """The accuracy of a guess."""
        return 1 / self.dataset.n_classes

    def settings(self, seed: int, **given: Any) -> Settings:
        """Return settings for a worker that is used without a search around it."""
        source = DataSource(kind="arrays", digest=self.dataset.digest, summary=self.dataset.summary())
        common: dict[str, Any] = {"target": self.target, "data": source, "space": self.space, "limits": self.limits}
        common["precision"] = best_precision(self.dataset.input_shape)  # as search() chooses
        return Settings.create(version=__version__, seed=seed, n_folds=_N_FOLDS, **common, **given)


def setting_for(name: str, dataset: Dataset, target: str, limits: Mapping[str, Any], budget_s: float) -> Setting:
    """Return the setting of a benchmark: the usual space for the data, the target's limits with `limits` on top."""
    board = Target.load(target)
    space = SearchSpace.for_input(dataset.input_shape, dataset.n_classes)
    return Setting(name, dataset, board, with_limits(board, **limits), space, budget_s)


def run(setting: Setting, label: str, seed: int) -> Curve:
    """Return the curve of one run of the strategy or peer that `label` names.

    A label is a strategy of tinynas or one of PEERS, and after it settings for the search, as in
    "surrogate:n_rungs=1:inherit=false". The clock starts after a training that only warms up TensorFlow.
    """
    name, given = parse_label(label)
    _warm_up(setting, seed)
    start = time.process_time()
    meter = Meter(setting.budget_s, lambda: time.process_time() - start)
    with redirect_stdout(sys.stderr):
        PEERS.get(name, _search)(setting, seed, meter, name, given)
    limits = {name: value for name, value in asdict(setting.limits).items() if value is not None}
    about = {"version": __version__, "target": setting.target.name, "limits": limits}
    return Curve(setting.name, label, seed, setting.budget_s, setting.floor, tuple(meter.points), about)


def parse_label(label: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the settings that "name:key=value:key=value" holds; numbers and booleans as such."""
    name, *parts = label.split(":")
    given: dict[str, Any] = {}
    for part in parts:
        key, _, text = part.partition("=")
        known = {"true": True, "false": False}
        given[key] = known[text.lower()] if text.lower() in known else int(text) if text.isdecimal() else text
    return name, given


def _warm_up(setting: Setting, seed: int) -> None:
    """Import and trace what every run has to, on an architecture that fits anything."""
    architecture = setting.space.handmade()[0]
    job = job_for(0, architecture, screen(architecture, setting.target), seed, Schedule(1, 256, 2))
    evaluation = Worker(setting.dataset, setting.settings(seed)).evaluate(job).evaluation
    if not evaluation.folds:
        raise RuntimeError(f"the training that warms up gave no score: {evaluation.error or evaluation.violations}")


def job_for(number: int, architecture: Architecture, footprint: Footprint, seed: int, schedule: Schedule) -> Job:
    """Return the job of a training of its own."""
    return Job(
        number=number,
        generation=0,
        parent=None,
        architecture=architecture,
        fidelity="proxy",
        seed=seed,
        screened=footprint,
        schedule=schedule,
    )


def _search(setting: Setting, seed: int, meter: Meter, name: str, given: Mapping[str, Any]) -> None:
    """Run tinynas's own search, promotions and inheritance included, until the budget is used."""

    def watch(event: Event) -> None:
        if isinstance(event, TrialDone) and event.trial.evaluation.folds:
            meter.note(event.trial.evaluation.mean())

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            search(
                setting.dataset,
                setting.target,
                out=Path(folder) / "run",
                limits=setting.limits,
                space=setting.space,
                executor=InProcess,
                watch=watch,
                strategy=name,
                seed=seed,
                n_folds=_N_FOLDS,
                **{"max_trials": 10**6, **given},
            )
        except BudgetUsedError:
            return


def trainer(setting: Setting, seed: int) -> Callable[..., Evaluation]:
    """Return a function (number, architecture, footprint, epochs=None) that trains one proxy from scratch.

    `epochs` replaces those of the proxy's schedule.
    """
    worker = Worker(setting.dataset, setting.settings(seed))
    schedule = Lengths.of(setting.dataset, _N_FOLDS).proxy()

    def train(number: int, architecture: Architecture, footprint: Footprint, epochs: int | None = None) -> Evaluation:
        length = replace(schedule, epochs=epochs or schedule.epochs)
        return worker.evaluate(job_for(number, architecture, footprint, seed * 100_003 + number, length)).evaluation

    return train


def _unas(setting: Setting, seed: int, meter: Meter, name: str, given: Mapping[str, Any]) -> None:
    """Aging evolution as in uNAS: one child at a time, each trained from scratch for the same number of epochs."""
    usual = {"population": _UNAS_POPULATION, "sample": _UNAS_SAMPLE, "start": "random", "n_mutations": 1}
    strategy = AgingEvolution(setting.space, **{**usual, **given})
    check = partial(screen, target=setting.target)
    drive(strategy, setting.space, check, setting.limits, trainer(setting, seed), meter, seed)


def _tuner(setting: Setting, seed: int, meter: Meter, name: str, given: Mapping[str, Any]) -> None:
    from searchbench.tuner import run_tuner

    check = partial(screen, target=setting.target)
    schedule = Lengths.of(setting.dataset, _N_FOLDS).proxy()
    train = trainer(setting, seed)
    run_tuner(name, setting.space, check, setting.limits, train, meter, seed, schedule.epochs)


PEERS: dict[str, Callable[..., None]] = {"unas": _unas, "kt-random": _tuner, "kt-hyperband": _tuner}
