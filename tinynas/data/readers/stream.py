"""Datasets of tf.data as arrays. Only their methods are used: no TensorFlow is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Array = npt.NDArray[Any]
_INFINITE = -1  # tf.data.INFINITE_CARDINALITY


def read_pairs(dataset: Any, batched: bool | None, what: str) -> tuple[Array, Array]:
    """Samples (n, ...) and labels (n, ...) of a tf.data.Dataset: see Dataset.from_tf_data."""
    if not hasattr(dataset, "as_numpy_iterator"):
        raise DataError(f"{what} is a {type(dataset).__name__}, wanted a tf.data.Dataset of (sample, label) pairs")
    if hasattr(dataset, "cardinality") and int(dataset.cardinality()) == _INFINITE:
        raise DataError(f"{what} never ends: leave repeat() out, or take() some of it")
    xs: list[Array] = []
    ys: list[Array] = []
    for number, element in enumerate(dataset.as_numpy_iterator()):
        if not isinstance(element, tuple | list) or len(element) != 2:
            raise DataError(f"{what}, element {number}: is no pair of a sample and a label")
        if any(isinstance(part, dict | tuple | list) or hasattr(part, "to_list") for part in element):
            raise DataError(f"{what}, element {number}: a sample and a label must be one array each")
        x, y = (np.asarray(part) for part in element)
        xs.append(x)
        ys.append(_text(y))
    if not xs:
        raise DataError(f"{what} is empty")
    if batched is None:
        batched = all(y.ndim and x.ndim and len(x) == len(y) for x, y in zip(xs, ys, strict=True))
    if batched and not all(x.ndim and y.ndim and len(x) == len(y) for x, y in zip(xs, ys, strict=True)):
        raise DataError(f"{what}: batched is True, but an element has not as many labels as samples")
    if len({x.shape[batched:] for x in xs}) > 1 or len({y.shape[batched:] for y in ys}) > 1:
        shapes = " and ".join(sorted(str(shape) for shape in {x.shape[batched:] for x in xs})[:2])
        raise DataError(f"{what}: its samples differ in shape ({shapes}), wanted one")
    join = np.concatenate if batched else np.stack
    return _joined(join, xs), _joined(join, ys)


def _joined(join: Any, arrays: Sequence[Array]) -> Array:
    joined: Array = join(arrays)
    return joined


def _text(y: Array) -> Array:
    """Labels with bytes, as TensorFlow has strings, as str."""
    if y.dtype.kind in "OS":
        return np.array(
            [value.decode() if isinstance(value, bytes) else value for value in y.ravel().tolist()]
        ).reshape(y.shape)
    return y
