"""How right a model's outputs are on held-out samples, by what the output is: an accuracy, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinynas.data import Dataset
from tinynas.data.doubts import Figures, doubts, doubts_of_values
from tinynas.data.values import values_of
from tinynas.errors import DataError
from tinynas.export.output import Ints, Labelled, Output
from tinynas.tflite.affine import Floats


@dataclass(frozen=True)
class Accuracy:
    """Shares of `samples` held-out samples that a model gets right; `float32` is None where there is no float model.

    `confusion` counts the int8 file's answers: a row a true class, a column an answer.
    """

    samples: int
    int8: float
    float32: float | None = None
    confusion: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Deviation:
    """How far a model's values are from the true ones on `samples` held-out samples, in the unit of the values.

    `measure` is "mean absolute error", or "root mean square error" for an output that is the input again. `constant`
    is what the best of all answers that are the same for every sample would give: the median of the training labels,
    or the mean of the inputs.
    `float32` is None where there is no float model.
    """

    samples: int
    measure: str
    int8: float
    constant: float
    float32: float | None = None


Score = Accuracy | Deviation


def warnings_of(found: Score | None, class_names: Sequence[str]) -> tuple[str, ...]:
    """What such a score says against a model, a sentence each."""
    if isinstance(found, Deviation):
        return doubts_of_values(found.measure, found.int8, found.constant)
    return () if found is None else doubts(Figures(found.confusion, class_names, found.float32))


def score(output: Output, data: Labelled, rows: Ints, inputs: Floats, int8: Floats, floats: Floats | None) -> Score:
    """The score of real outputs (n, values) of the int8 file, and of the float model, for the test samples `rows`.

    `inputs` are the real inputs (n, values) that they were made from, which a reconstruction is held against.
    """
    if output.kind in ("classes", "binary"):
        return _accuracy(output, data, rows, int8, floats)
    if output.kind == "values":
        return _error_of_values(data, rows, int8, floats)
    return _error_of_reconstruction(inputs, int8, floats)


def _accuracy(output: Output, data: Labelled, rows: Ints, int8: Floats, floats: Floats | None) -> Accuracy:
    from tinynas.data.metrics import confusion

    assert isinstance(data, Dataset)  # output_of refuses others
    labels = data.y_test[rows]
    right = None if floats is None else float((output.answers(floats) == labels).mean())
    found = output.answers(int8)
    counts = confusion(labels, found, data.n_classes)
    return Accuracy(len(rows), float((found == labels).mean()), right, tuple(map(tuple, counts.tolist())))


def _error_of_values(data: Labelled, rows: Ints, int8: Floats, floats: Floats | None) -> Deviation:
    values = values_of(data)
    if values is None:
        raise DataError(f"{data.name}: the labels are no numbers, so the model's values cannot be compared with them")
    train, test = values[0], values[1][rows]
    if test.shape[1] != int8.shape[1]:
        raise DataError(
            f"{data.name} has {test.shape[1]} value(s) a sample, but the model gives {int8.shape[1]}; wanted as many"
        )
    return Deviation(
        len(rows),
        "mean absolute error",
        float(np.abs(int8 - test).mean()),
        float(np.abs(np.median(train, axis=0) - test).mean()),
        None if floats is None else float(np.abs(floats - test).mean()),
    )


def _error_of_reconstruction(inputs: Floats, int8: Floats, floats: Floats | None) -> Deviation:
    wanted = inputs.astype(np.float64)
    return Deviation(
        len(inputs),
        "root mean square error",
        _rms(int8 - wanted),
        _rms(wanted.mean(axis=0) - wanted),
        None if floats is None else _rms(floats - wanted),
    )


def _rms(differences: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(differences))))
