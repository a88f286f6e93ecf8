"""A model on a real board: its self-test, its answers to the test set, and its times beside those estimated."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np
import numpy.typing as npt

from tinynas.data.metrics import confusion
from tinynas.engine import Engine, build
from tinynas.engine.instructions import cost_of, works
from tinynas.errors import BoardError, ModelError
from tinynas.hardware import DEFAULT_BUILD, FIGURES, Build, Target, Work, latency
from tinynas.hardware.measured import Record, Timed
from tinynas.measuring.device import Device, Int8s, Profile
from tinynas.measuring.subject import Subject
from tinynas.options import PRESETS
from tinynas.tflite import Graph, analyze, read
from tinynas.training.verify import run as run_here

Ints = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

_TIMES, _LEAST_US = 20, 2_000  # times of inferences; microseconds of those that are timed together
_MOST_CLOCK_ERROR = 0.02
_MOST_OPERATOR_RUNS = 100


@dataclass(frozen=True)
class Accuracy:
    """Shares of the samples that the board and this machine got right, and the board's answers: a row a true class."""

    board: float
    here: float
    confusion: tuple[tuple[int, ...], ...]
    confusion_here: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Measurement:
    """What a board said of a model.

    `mismatches` are golden outputs of the self-test that differ, `differing` those of the `samples` whose output is not
    this machine's to the last bit. `times_us` are of inferences, `operators` of each operator in one, with what is
    estimated; none where the build times none. `estimated_us` is what is estimated for the board without any
    measurement, with its `error`; None where the core's time is not known. `frame_us` is the time of a frame of the
    sound's features, and `are_features_right` whether their hash is the one wanted.
    """

    origin: str
    board: str
    profile: Profile
    mismatches: int
    samples: int
    differing: int
    accuracy: Accuracy | None
    times_us: tuple[float, ...]
    operators: tuple[Timed, ...]
    estimated_us: float | None
    error: float | None
    frame_us: float | None = None
    are_features_right: bool | None = None

    @property
    def median_us(self) -> float:
        """The median of the times of an inference."""
        return statistics.median(self.times_us)

    @property
    def spread_us(self) -> tuple[float, float]:
        """The least and the greatest of these times."""
        return min(self.times_us), max(self.times_us)

    @property
    def is_right(self) -> bool:
        """Whether the board computes what was computed here."""
        return not self.mismatches and not self.differing and self.are_features_right is not False

    def record(self, target: Target, is_emulated: bool = False) -> Record | None:
        """What is kept of it, for estimates of other models; None where there is no estimate to hold it against, or
        where it would say nothing of TFLM's: the engine's instructions are counted for cores with DSP."""
        if self.estimated_us is None or self.error is None or self.median_us <= 0:
            return None
        if self.profile.runtime == "engine" and target.kernels != "cmsis_nn":
            return None
        return Record(
            model=self.profile.model,
            origin=self.origin,
            runtime="engine" if self.profile.runtime == "engine" else "tflm",
            optimize=self.profile.optimize,
            us=self.median_us,
            estimated_us=self.estimated_us,
            error=self.error,
            core=target.core,
            clock_hz=target.clock_hz,
            kernels=target.kernels,
            figures=FIGURES,
            when=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
            is_emulated=is_emulated,
            operators=self.operators,
        )


def measure(
    device: Device,
    subject: Subject,
    target: Target,
    *,
    is_emulated: bool = False,
    progress: Progress | None = None,
) -> Measurement:
    """Measure `subject` on the connected board, a `target`; `progress` is called with samples done and all samples.

    The clock of an emulator `is_emulated` counts instructions, and is not held against this machine's. BoardError where
    the board has another model, where its clock is wrong, or for what it answers (device.py).
    """
    profile = device.connect()
    _require_same(profile, subject)
    if not is_emulated:
        _require_clock(device)
    mismatches = device.self_test()
    outputs = _outputs(device, subject.samples, progress)
    tflite = subject.files[profile.model]
    graph = read(tflite)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    here = run_here(tflite, subject.samples.reshape(len(subject.samples), *shape)).astype(np.int8)
    times = _times(device)
    runs = max(1, min(_MOST_OPERATOR_RUNS, round(10 * _LEAST_US / max(1.0, statistics.median(times)))))
    estimates, error = _estimates(tflite, graph, profile, target)
    features = device.features()
    return Measurement(
        origin=subject.origin,
        board=target.name,
        profile=profile,
        mismatches=mismatches,
        samples=len(outputs),
        differing=int((outputs != here.reshape(outputs.shape)).any(axis=1).sum()),
        accuracy=_accuracy(subject, outputs, here.reshape(outputs.shape)),
        times_us=times,
        operators=_operators(device.operators(runs), estimates),
        estimated_us=sum(estimates) if estimates else None,
        error=error,
        frame_us=None if features is None else features[0],
        are_features_right=None if features is None else features[1],
    )


def _require_same(profile: Profile, subject: Subject) -> None:
    if profile.model not in subject.files:
        wanted = next(iter(subject.files))
        raise BoardError(
            f"The board runs another model than that of {subject.origin}: its file's SHA-256 begins with "
            f"{profile.model[:12]}, wanted {wanted[:12]}; convert the model anew and flash that."
        )
    if profile.input_bytes != subject.samples.shape[1]:
        raise BoardError(
            f"The board takes {profile.input_bytes} bytes of input, the model of {subject.origin} takes "
            f"{subject.samples.shape[1]}."
        )


def _require_clock(device: Device) -> None:
    error = device.clock_error()
    if abs(error) > _MOST_CLOCK_ERROR:
        raise BoardError(
            f"The board's clock runs {'fast' if error > 0 else 'slow'} by {100 * abs(error):.0f} % of this machine's, "
            f"so that its times say nothing: look at the function that gives microseconds, and at the clock below it; "
            f"that of an emulator counts instructions (--emulated)."
        )


def _outputs(device: Device, samples: Int8s, progress: Progress | None) -> Int8s:
    found = []
    for done, sample in enumerate(samples, 1):
        device.load(sample)
        found.append(device.infer().output)
        if len(found[-1]) != len(found[0]):
            raise BoardError(f"The board gave {len(found[-1])} outputs, and {len(found[0])} before.")
        if progress is not None:
            progress(done, len(samples))
    return np.stack(found)


def _times(device: Device) -> tuple[float, ...]:
    """Microseconds of an inference, measured often; short ones several at a time, as the clock has whole ones."""
    one = device.infer(1, 1).spent_us
    together = max(1, -(-_LEAST_US // max(1, one)))
    return tuple(device.infer(together).spent_us / together for _ in range(_TIMES))


def _accuracy(subject: Subject, board: Int8s, here: Int8s) -> Accuracy | None:
    if subject.labels is None:
        return None
    answers, ours = board.argmax(axis=1), here.argmax(axis=1)
    n_classes = len(subject.class_names)
    tables = [confusion(subject.labels, each, n_classes).tolist() for each in (answers, ours)]
    theirs, mine = (tuple(tuple(map(int, row)) for row in table) for table in tables)
    right = float((answers == subject.labels).mean())
    return Accuracy(right, float((ours == subject.labels).mean()), theirs, mine)


def _operators(times: Sequence[tuple[str, float]] | None, estimates: Sequence[float]) -> tuple[Timed, ...]:
    """Each operator's time beside its estimate; 0.0 stands for an estimate that is not known."""
    if times is None:
        return ()
    known = list(estimates) if len(estimates) == len(times) else [0.0] * len(times)
    return tuple(Timed(name, us, estimate) for (name, us), estimate in zip(times, known, strict=True))


def _estimates(tflite: bytes, graph: Graph, profile: Profile, target: Target) -> tuple[list[float], float | None]:
    """Microseconds of each operator, or of each call of the engine, without any measurement of the board; the error."""
    board = target.without_measurements()
    if profile.runtime == "tflm":
        build_: Build = "release -Os i8" if profile.optimize == "-Os" else DEFAULT_BUILD
        analysis = analyze(tflite, board, build=build_)
        if analysis.latency is None:
            return [], None
        return [1000 * (each.latency_ms or 0.0) for each in analysis.operators], analysis.latency.error
    engine = _engine(tflite, profile)
    if engine is None:
        return [], None
    works_ = [latency(Work(round(cost_of(work))), board) for work in works(engine.net, engine.plan)]
    return [1000 * each.value for each in works_ if each is not None], next((e.error for e in works_ if e), None)


def _engine(tflite: bytes, profile: Profile) -> Engine | None:
    """The engine with as many calls as the board's."""
    for preset in PRESETS:
        for keep_input in (False, True):
            try:
                engine = build(tflite, optimize=preset, keep_input=keep_input)
            except ModelError:
                return None
            if len(engine.calls) == profile.n_operators:
                return engine
    return None
