"""What runs in a worker process: measure, train and score one child, or train the final model."""

import math
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tinynas.architecture import Architecture, walk
from tinynas.data import Dataset, FoldScores, class_weights
from tinynas.data.splits import Fold, representative_rows
from tinynas.features import IntLogMel, Spectral
from tinynas.features.threshold import Tuned, tuned
from tinynas.runs import Evaluation, Settings, State
from tinynas.screening.counts import deployed_params_of
from tinynas.searching.agreement import require_agreement
from tinynas.searching.events import FoldDone
from tinynas.searching.front_end import stream_of
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome, StartFile
from tinynas.searching.share import SharedDataset
from tinynas.searching.trouble import trouble_of
from tinynas.tflite.tflm import require_same_head
from tinynas.training.augment import detail_of, plain_end, varied_from
from tinynas.training.regularization import Regularization, regularization
from tinynas.training.schedule import MOST_REPLICAS, SCORED_SAMPLES, Schedule

_LEVEL_DB = 12.0  # louder or softer, that sound is trained with
TEMPORARY = "tmp"  # the folder of the temporary files, beside that of the shared data
CHECKED_SAMPLES = 200  # held-out samples on which TFLM and the reference resolver must agree


class Worker:
    """The tasks, bound to the data and the settings of one search. TensorFlow is imported at the first task."""

    def __init__(self, dataset: Dataset, settings: Settings, threads: int = 1) -> None:
        """Take the data and settings; `threads` is TensorFlow's."""
        self._dataset = dataset
        self._settings = settings
        self._threads = threads
        self._ready = False
        self.tell: Callable[[FoldDone], None] | None = None  # of each fold of a finalist that others follow

    def evaluate(self, job: Job) -> Outcome:
        """Return what became of `job`. An error is a failed trial with its reason, never a default.

        One that is not tinynas's own is the outcome's `trouble` as well: this process may be broken.
        """
        self._set_up()
        start = time.perf_counter()
        try:
            outcome = self._evaluate(job)
        except Exception as error:  # one child must not end a search, nor what happens to a process be its fault
            trouble = trouble_of(error)
            said = str(error) if trouble is None else trouble.said
            outcome = Outcome(Evaluation(State.FAILED, error=said), trouble=trouble)
        finally:
            self._clear()
        seconds = round(time.perf_counter() - start, 3)
        return replace(outcome, evaluation=replace(outcome.evaluation, seconds=seconds))

    def _evaluate(self, job: Job) -> Outcome:
        from tinynas.training.evaluate import measure

        settings, dataset = self._settings, self._dataset
        footprint, data = measure(job.architecture, settings.target, dataset, job.seed)
        footprint = footprint.with_front_end(settings.front_end)
        require_agreement(job.architecture, job.screened, footprint, data)
        violations = settings.limits.violations(footprint)
        if violations:
            texts = tuple(str(violation) for violation in violations)
            return Outcome(Evaluation(State.INFEASIBLE, footprint, texts))
        if job.schedule is None:
            return Outcome(Evaluation(State.COMPLETE, footprint))
        scored, first, visits, visit_s = self._train(job, job.schedule)
        if job.fidelity == "full":
            require_same_head(first.tflite)
        rows = self._folds(1)[0].validation
        threshold = self._tuned(first.tflite, rows) if job.fidelity == "full" else None
        counted = sum(map(sum, scored[0].confusion or ()))
        evaluation = Evaluation(
            State.COMPLETE, footprint, (), scored, visits=visits, visit_s=visit_s, stream=threshold, scored=counted
        )
        held_out = dataset.x[rows[representative_rows(dataset.y[rows], CHECKED_SAMPLES, job.seed)]]
        samples = self._int8(first.tflite, held_out)
        return Outcome(evaluation, first.keras, first.tflite, samples, first.weights)

    def _train(self, job: Job, schedule: Schedule) -> tuple[tuple[FoldScores, ...], Any, int, float]:
        """Train the job's folds; return their scores, the first one's model, the samples visited, a visit's seconds."""
        from tinynas.training.evaluate import Start, train_fold

        start = None
        if job.start is not None:  # weights of fold 0, the one that proxies train
            start = Start(job.start.architecture, _weights(job.start))
        scored, first, visits, seconds = [], None, 0, 0.0
        for number, fold in enumerate(self._folds(schedule.folds)):
            scores, trained = train_fold(
                self._regularized(job),
                self._dataset,
                schedule,
                self._recipe(job),
                fold,
                job.seed + number,
                precision=self._settings.precision,
                start=start,
                scored=None if job.fidelity == "full" and schedule.folds == 1 else SCORED_SAMPLES,
            )
            scored.append(scores)
            visits += trained.visits
            seconds += trained.visits * trained.visit_s
            first = first or trained
            self._clear()
            is_finalist = job.fidelity == "full" and self._settings.fidelity == "proxy"
            if self.tell is not None and is_finalist and number + 1 < schedule.folds:
                self.tell(FoldDone(job.number, number + 1, schedule.folds))
        return tuple(scored), first, visits, seconds / visits

    def _tuned(self, tflite: bytes, rows: np.ndarray) -> Tuned | None:
        """Return what the recordings `rows`, which the file has not seen, say of its stream; None without one."""
        from tinynas.training.int8 import Int8Model

        dataset = self._dataset
        stream = stream_of(dataset)
        if stream is None or isinstance(dataset.features, Spectral):  # whose windows cannot be cut anew
            return None
        model = Int8Model(tflite)

        def run(x: np.ndarray) -> np.ndarray:
            return model.run(model.quantize_input(x))

        return tuned(stream, dataset.x[rows], dataset.y[rows], run, quiet=dataset.features is not None)

    def _folds(self, n: int) -> tuple[Fold, ...]:
        """Return the first `n` folds: those of the cross-validation, then those of others."""
        k = self._settings.n_folds
        return tuple(fold for seed in range(math.ceil(n / k)) for fold in self._dataset.folds(k, seed))[:n]

    def final(self, job: FinalJob, report: Callable[[Any], None] | None = None) -> Final:
        """Train the final model, score it on the test set, and run it in TFLM beside the reference resolver."""
        from tinynas.screening import screen
        from tinynas.tflite import analyze
        from tinynas.training.evaluate import Start, train_final
        from tinynas.training.verify import answers

        self._set_up()
        recipe = replace(
            self._recipe(job), epochs=job.epochs, time_budget_s=job.time_budget_s, least_epochs=job.least_epochs
        )
        precision = self._settings.precision
        done = train_final(
            self._regularized(job),
            self._dataset,
            recipe,
            job.seed,
            report,
            precision=precision,
            qat=self._settings.qat,
            until_flat=job.until_flat,
            start=None if job.start is None else Start(job.start.architecture, _weights(job.start)),
            unseen=None if job.start is None else self._folds(1)[0].validation,
            twice=job.twice,
            cool=job.cool,
        )
        trained = done.trained
        rows = representative_rows(self._dataset.y_test, CHECKED_SAMPLES, job.seed)
        samples = self._int8(trained.tflite, self._dataset.x_test[rows])
        screened = screen(job.architecture, self._settings.target)
        real = analyze(trained.tflite, self._settings.target, front_end=self._settings.front_end).footprint
        footprint = replace(real, flops=screened.flops)
        require_agreement(job.architecture, screened, footprint, trained.tflite)
        require_same_head(trained.tflite)
        step = answers(trained.tflite, samples).step
        model = trained.keras, trained.tflite, samples
        return Final(done.scores, *model, done.epochs, footprint, step, done.judged, done.losses)

    def _regularization(self, strength: str) -> Regularization:
        features = self._dataset.features
        level = features.share_of(_LEVEL_DB) if isinstance(features, IntLogMel) else 0.0
        return regularization(strength, self._dataset.layout, self._settings.augment, self._detail, level)

    def _regularized(self, job: Job | FinalJob) -> Architecture:
        """Return the network with the dropout that it is trained with; its file is the same."""
        dropout = self._regularization(job.regularization).dropout
        return job.architecture if dropout is None else replace(job.architecture, dropout=dropout)

    @cached_property
    def _detail(self) -> float:
        return detail_of(self._dataset.x)

    def _recipe(self, job: Job | FinalJob) -> Any:
        from tinynas.training.fit import Recipe, peak_rate_for

        settings, how = self._settings, self._regularization(job.regularization)
        by_length = settings.augment == "auto" and job.regularization  # older searches varied whatever the length
        params = deployed_params_of(walk(job.architecture))
        return Recipe(
            epochs=1,
            batch_size=settings.batch_size,
            peak_rate=settings.peak_rate or peak_rate_for(job.architecture),
            weight_decay=how.weight_decay,
            augmentation=how.augmentation,
            replicas=min(self._threads, MOST_REPLICAS),
            augment_from=varied_from(self._dataset.layout, len(self._dataset.y), params) if by_length else 0,
            plain=plain_end(self._dataset.layout, self._dataset.features) if job.ends_plain else 0.0,
            class_weights=class_weights(self._dataset.y, self._dataset.n_classes) if settings.balance else None,
        )

    def _int8(self, tflite: bytes, x: np.ndarray) -> np.ndarray:
        from tinynas.training.int8 import Int8Model

        return Int8Model(tflite).quantize_input(x)

    def _set_up(self) -> None:
        from tinynas.training.keras import configure

        if not self._ready:
            configure(self._threads)
            self._ready = True

    def _clear(self) -> None:
        from tinynas.training.convert import clear

        clear()


def _weights(start: StartFile) -> Mapping[str, Sequence[np.ndarray]]:
    """Return the weights, by layer name, that a run keeps as such, or within a Keras model of its own."""
    from tinynas.runs.weights import read_weights
    from tinynas.training.keras import saved_weights

    read = saved_weights if start.path.suffix == ".keras" else read_weights
    classes = None if start.head else walk(start.architecture)[-1].name
    return {name: arrays for name, arrays in read(start.path).items() if name != classes}


class Works(Protocol):
    """What a worker process needs of its `Worker`, or of one of your own."""

    def evaluate(self, job: Job) -> Outcome:
        """Return what became of `job`."""
        ...

    def final(self, job: FinalJob, report: Callable[[Any], None] | None = None) -> Final:
        """Return the final model."""
        ...


MakeWorker = Callable[[Dataset, Settings, int], Works]

_worker: Works | None = None
_events: Any = None


def start(
    shared: SharedDataset, settings: Settings, threads: int, events: Any, parent: int, make_worker: MakeWorker
) -> None:
    """Set up a worker process: its `Worker`, the queue for progress, and its end when the parent is gone.

    Its temporary files lie beside the data that it shares: what a kill leaves of them is found and removed.
    """
    global _worker, _events
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ["TMPDIR"] = tempfile.tempdir = str(shared.folder.parent / TEMPORARY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent decides
    _worker, _events = make_worker(shared.open(), settings, threads), events
    if isinstance(_worker, Worker):
        _worker.tell = events.put
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def run_evaluate(job: Job) -> Outcome:
    """Evaluate `job` in this worker process."""
    assert _worker is not None
    return _worker.evaluate(job)


def run_final(job: FinalJob) -> Final:
    """Train the final model in this worker process, reporting each epoch to the queue."""
    assert _worker is not None
    return _worker.final(job, _events.put)


def _end_with_parent(parent: int) -> None:
    """End this process when its parent has been killed: nobody would read what it finds."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
