"""What is to be on the board: a run's model with its test set, or a .tflite."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinynas.data import Dataset
from tinynas.data.splits import representative_rows
from tinynas.errors import ModelError, TinynasError, UsageError
from tinynas.hardware import KERNEL_LIBRARIES, Target
from tinynas.measuring.device import Int8s
from tinynas.runs import Best, read_settings, run_and_trial
from tinynas.tflite import Graph, add_offline_plan, read, strip
from tinynas.tflite.affine import to_int8

Ints = npt.NDArray[np.int64]

_RANDOM_SAMPLES = 8  # for a .tflite, of which there are no data


@dataclass(frozen=True, eq=False)
class Subject:
    """A model by `origin`, the files that a board may hold of it by their SHA-256, and its samples int8 (n, bytes).

    `labels` are None where they are not known, with `why` in a sentence. `target` is a run's own board.
    """

    origin: str
    tflite: bytes
    files: Mapping[str, bytes]
    samples: Int8s
    labels: Ints | None
    class_names: tuple[str, ...]
    target: Target | None
    why: str = ""


def subject(source: Path | str, n_samples: int | None = None, runs: Path | str = "runs") -> Subject:
    """The subject that `source` names: a run, RUN:TRIAL or a .tflite; of the test set `n_samples` evenly over the
    classes, all without a number. UsageError or another TinynasError, in one sentence."""
    if n_samples is not None and n_samples < 1:
        raise UsageError(f"--samples is {n_samples}; wanted a number of 1 or more, or none for the whole test set.")
    if str(source).lower().endswith(".tflite"):
        return _of_file(Path(source), n_samples)
    folder, trial = run_and_trial(source, Path(runs))
    settings, best = read_settings(folder), Best(folder, trial)
    origin = str(folder) if trial is None else f"{folder}:{trial}"
    files, graph = _files(best.tflite), read(best.tflite)
    names = tuple(map(str, best.about["class_names"]))
    try:
        data = settings.data.load()
        if settings.data.digest not in ("", data.digest):
            raise UsageError("the data are not what they were when the search began")
    except TinynasError as error:
        rows = best.samples.reshape(len(best.samples), -1)[:n_samples]
        why = f"There is no accuracy, since the run's data cannot be had: {str(error).rstrip('.')}."
        return Subject(origin, best.tflite, files, rows, None, names, settings.target, why)
    rows = _rows(data, n_samples)
    samples = _inputs(graph, np.asarray(data.x_test[rows]))
    return Subject(origin, best.tflite, files, samples, data.y_test[rows], names, settings.target)


def _of_file(path: Path, n_samples: int | None) -> Subject:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        tflite = strip(raw)  # as convert does
        graph = read(tflite)
        ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
        if [each.dtype for each in ends] != ["INT8", "INT8"]:
            raise ModelError("wanted one int8 input and one int8 output")
    except ModelError as error:
        raise type(error)(f"{path}: {error}") from None
    shape = (n_samples or _RANDOM_SAMPLES, ends[0].elements)
    samples = np.random.default_rng(0).integers(-128, 128, shape, dtype=np.int8)
    why = "There is no accuracy of a .tflite alone: its answers to random inputs are compared."
    return Subject(str(path), tflite, _files(tflite), samples, None, (), None, why)


def _files(tflite: bytes) -> dict[str, bytes]:
    """The file, and the same with each memory plan that convert may have put into it."""
    found = [tflite]
    with suppress(ModelError):  # one that no plan is known for has none
        found += [add_offline_plan(tflite, kernels) for kernels in KERNEL_LIBRARIES]
    return {hashlib.sha256(each).hexdigest(): each for each in found}


def _rows(data: Dataset, n_samples: int | None) -> Ints:
    if n_samples is None:
        return np.arange(len(data.y_test))
    return representative_rows(data.y_test, n_samples, 0)


def _inputs(graph: Graph, x: npt.NDArray[np.float32]) -> Int8s:
    source = graph.tensors[graph.inputs[0]]
    return to_int8(x, source.scales[0], source.zero_points[0]).reshape(len(x), -1)
