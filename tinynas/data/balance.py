"""Class weights for data in which some classes are rare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError


def class_weights(y: npt.NDArray[np.int64], n_classes: int) -> tuple[float, ...]:
    """A weight a class, for the loss of each of its samples: n / (n_classes * samples of the class).

    The weights of all samples have the mean 1, and those of each class the same sum. y (n,) holds 0 .. n_classes - 1;
    DataError when a class has no sample.
    """
    counts = np.bincount(y, minlength=n_classes)
    if len(counts) != n_classes or not counts.all():
        raise DataError(
            f"class weights: the classes have {counts.tolist()} samples, wanted {n_classes} with at least 1"
        )
    return tuple(float(weight) for weight in len(y) / (n_classes * counts))
