"""Constants of the kernels for speed, each layer's as one stream of words in the order in which it is read.

Words are int32; of the bytes and halves in a word the first is the lowest, whatever the processor's byte order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.engine.fast import right_shifts, runs_of, words_of
from tinynas.engine.net import Convolution, Depthwise, Int8s
from tinynas.engine.weights import folded_bias

Words = npt.NDArray[np.int64]


def convolution_words(spec: Convolution, wide: bool) -> Words:
    """What tn_blocked reads: two channels by two channels of each group, weights of 16 bits if `wide`."""
    runs, channels = runs_of(spec), len(spec.bias)
    whole = spec.weights.reshape(channels, spec.window.kernel_h * runs.times, runs.length)
    if runs.in_quads:
        rows = whole.reshape(channels, -1, 2, 2).swapaxes(2, 3).reshape(channels, -1)
    else:
        rows = _filled(whole, runs.length + runs.length % 2, 2).reshape(channels, -1)
    rows = _filled(rows, 2 * words_of(spec), 1)

    def weights(two: Int8s) -> Words:
        pairs = two.reshape(len(two), 2, -1, 2)
        return _halves(pairs.swapaxes(1, 2)) if wide else _bytes(pairs.transpose(0, 2, 3, 1))

    return _stream(spec, rows, spec.groups, 2, weights)


def dense_words(spec: Convolution) -> Words:
    """What tn_dense reads: four channels by four channels, two where no more are left."""
    rows = spec.weights.reshape(len(spec.bias), -1)
    rows = _filled(rows, rows.shape[1] + -rows.shape[1] % 4, 1)

    def weights(some: Int8s) -> Words:
        return _bytes(some.reshape(*some.shape[:2], -1, 4).swapaxes(1, 2))

    left = len(rows) % 4
    fours = len(rows) - left if left in (1, 2) else len(rows)
    parts = [(4, 0, fours), (2, fours, len(rows))]
    return np.concatenate([_stream(spec, rows, 1, n, weights, first, end) for n, first, end in parts if end > first])


def depthwise_words(spec: Depthwise, wide: bool) -> Words:
    """What tn_depthwise_rows reads: four channels by four channels, weights of 16 bits if `wide`."""
    rows = spec.weights.reshape(-1, len(spec.bias)).T

    def weights(four: Int8s) -> Words:
        return _halves(four[:, [0, 2, 1, 3]].swapaxes(1, 2)) if wide else _bytes(four.swapaxes(1, 2))

    return _stream(spec, rows, 1, 4, weights)


def _stream(
    spec: Convolution | Depthwise,
    rows: Int8s,
    groups: int,
    n: int,
    weights: Callable[[Int8s], Words],
    first: int = 0,
    end: int | None = None,
) -> Words:
    """`n` channels of a group together, of those from `first` to `end`, zeros where none are left: their biases, their
    weights (`weights` makes words of `rows` (blocks, n, ...)), their multipliers, and their right shifts less one, a
    byte each."""

    def blocks(values: Any) -> Any:
        some = values[first:end]
        some = some.reshape(groups, len(some) // groups, *values.shape[1:])
        return _filled(some, -(-some.shape[1] // n) * n, 1).reshape(-1, n, *values.shape[1:])

    shifts = blocks(right_shifts(spec.scaling) - 1)
    pieces = [
        blocks(folded_bias(spec)),
        weights(blocks(rows)),
        blocks(spec.scaling.multipliers),
        _bytes(_filled(shifts, 4, 1)),
    ]
    return np.concatenate(pieces, 1).reshape(-1)


def _filled(values: Any, length: int, axis: int) -> Any:
    """The values, and zeros up to the length of the axis."""
    if values.shape[axis] == length:
        return values
    found = np.zeros((*values.shape[:axis], length, *values.shape[axis + 1 :]), values.dtype)
    found[(slice(None),) * axis + (slice(values.shape[axis]),)] = values
    return found


def _halves(values: Any) -> Words:
    """int16 values (blocks, ...) two by two as words (blocks, words)."""
    return _as_words(values, "<i2")


def _bytes(values: Any) -> Words:
    """int8 values (blocks, ...) four by four as words (blocks, words)."""
    return _as_words(values, "<i1")


def _as_words(values: Any, dtype: str) -> Words:
    flat = np.ascontiguousarray(values.reshape(len(values), -1), dtype=dtype)
    return flat.view("<i4").astype(np.int64)
