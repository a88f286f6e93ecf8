"""Accuracy, and precision, recall and F1 as macro means over the classes, as scikit-learn defines them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """Shares in [0, 1]; precision, recall and F1 weigh every class alike, however rare it is."""

    accuracy: float
    precision: float
    recall: float
    f1: float

    def to_dict(self) -> dict[str, float]:
        """The four shares by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scores:
        """The inverse of to_dict; DataError when a key is missing, unknown or no number."""
        try:
            return cls(**{str(key): float(value) for key, value in values.items()})
        except (TypeError, ValueError) as error:
            raise DataError(f"scores: wanted accuracy, precision, recall and f1 as numbers, got {values!r}") from error


MOST_MISTAKES = 24
"""Wrong answers that are kept of a test: enough to look at, and few for a summary."""


@dataclass(frozen=True)
class FoldScores:
    """The scores of the float model and of its int8 file on the same samples.

    `confusion` counts the int8 file's answers: a row a true class, a column a predicted one; None where nobody counted.
    `mistakes` are some samples that the int8 file gets wrong, as (row, true class, answer); see `mistakes`. Neither is
    part of the journal, or of any weight when scores are compared.
    """

    float: Scores
    int8: Scores
    confusion: tuple[tuple[int, ...], ...] | None = field(default=None, compare=False, repr=False)
    mistakes: tuple[tuple[int, int, int], ...] = field(default=(), compare=False, repr=False)


def score(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int) -> Scores:
    """Scores of predicted classes (n,) against true ones (n,), both 0 .. n_classes - 1.

    Macro means run over all n_classes: a class never predicted has precision 0, one without samples recall 0.
    """
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    true, pred = _checked(y_true, y_pred, n_classes)
    precision, recall, f1, _ = precision_recall_fscore_support(
        true, pred, labels=np.arange(n_classes), average="macro", zero_division=0
    )
    return Scores(float(accuracy_score(true, pred)), float(precision), float(recall), float(f1))


def mistakes(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int) -> tuple[tuple[int, int, int], ...]:
    """Return some samples that were taken for another class, as (row, true class, answer), by rising row.

    They are at most MOST_MISTAKES: the first of each confusion of two classes, then the second of each, and so on, so
    that the usual confusion does not hide the others.
    """
    true, pred = _checked(y_true, y_pred, n_classes)
    seen: dict[tuple[int, int], int] = {}
    found = []
    for row in np.flatnonzero(true != pred).tolist():
        pair = (int(true[row]), int(pred[row]))
        seen[pair] = seen.get(pair, 0) + 1
        found.append((seen[pair], row, *pair))
    return tuple(sorted((row, real, taken) for _, row, real, taken in sorted(found)[:MOST_MISTAKES]))


def confusion(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int) -> Ints:
    """Counts (n_classes, n_classes): a row a true class, a column a predicted one."""
    from sklearn.metrics import confusion_matrix

    true, pred = _checked(y_true, y_pred, n_classes)
    return np.asarray(confusion_matrix(true, pred, labels=np.arange(n_classes)), dtype=np.int64)


def _checked(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int) -> tuple[Ints, Ints]:
    true, pred = np.asarray(y_true), np.asarray(y_pred)
    if true.ndim != 1 or true.shape != pred.shape or not true.size:
        raise DataError(
            f"scores: true classes of shape {true.shape} and predicted ones of {pred.shape}, "
            f"wanted one class for each sample in both, and at least one sample"
        )
    for name, y in (("true", true), ("predicted", pred)):
        if y.dtype.kind not in "iu":
            raise DataError(f"scores: {name} classes are of type {y.dtype}, wanted integers")
        if y.min() < 0 or y.max() >= n_classes:
            raise DataError(f"scores: {name} classes run from {y.min()} to {y.max()}, wanted 0 to {n_classes - 1}")
    return true.astype(np.int64), pred.astype(np.int64)
