"""Constants of the kernels for speed, each layer's as one stream of words in the order in which it is read.

Words are int32; of the bytes and halves in a word the first is the lowest, whatever the processor's byte order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinynas.engine.fast import right_shifts, runs_of, words_of
from tinynas.engine.fixed_point import wrap
from tinynas.engine.net import Convolution, Depthwise, Ints
from tinynas.engine.weights import folded_bias

Words = npt.NDArray[np.int64]


def convolution_words(spec: Convolution, wide: bool) -> Words:
    """What tn_blocked reads: two channels by two channels of each group, weights of 16 bits if `wide`."""
    runs, channels = runs_of(spec), len(spec.bias)
    whole = spec.weights.astype(np.int64).reshape(channels, spec.window.kernel_h * runs.times, runs.length)
    if runs.in_quads:
        rows = whole.reshape(channels, -1, 2, 2).swapaxes(2, 3).reshape(channels, -1)
    else:
        rows = np.pad(whole, ((0, 0), (0, 0), (0, runs.length % 2))).reshape(channels, -1)
    rows = np.pad(rows, ((0, 0), (0, 2 * words_of(spec) - rows.shape[1])))

    def weights(some: slice, n: int) -> Words:
        two = _filled(rows[some], n).reshape(n, -1, 2)
        return _halves(two.swapaxes(0, 1)) if wide else _bytes(two.transpose(1, 2, 0))

    return _stream(spec, channels // spec.groups, (2,), weights)


def dense_words(spec: Convolution) -> Words:
    """What tn_dense reads: four channels by four channels, two where no more are left."""
    rows = spec.weights.astype(np.int64).reshape(len(spec.bias), -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))

    def weights(some: slice, n: int) -> Words:
        return _bytes(_filled(rows[some], n).reshape(n, -1, 4).swapaxes(0, 1))

    return _stream(spec, len(rows), (4, 2), weights)


def depthwise_words(spec: Depthwise, wide: bool) -> Words:
    """What tn_depthwise_rows reads: four channels by four channels, weights of 16 bits if `wide`."""
    channels = len(spec.bias)
    rows = spec.weights.astype(np.int64).reshape(-1, channels).T

    def weights(some: slice, n: int) -> Words:
        four = _filled(rows[some], n)
        return _halves(four[[0, 2, 1, 3]].T) if wide else _bytes(four.T)

    return _stream(spec, channels, (4,), weights)


def _stream(
    spec: Convolution | Depthwise, per_group: int, sizes: tuple[int, ...], weights: Callable[[slice, int], Words]
) -> Words:
    """As many channels together as the least of `sizes` that holds those left, at most the first: their biases, their
    weights, their multipliers, and their right shifts less one, a byte each."""
    bias, multipliers, shifts = folded_bias(spec), spec.scaling.multipliers, right_shifts(spec.scaling) - 1
    pieces = []
    for group in range(0, len(bias), per_group):
        first = group
        while first < group + per_group:
            left = group + per_group - first
            n = min((size for size in sizes if size >= left), default=sizes[0])
            some = slice(first, min(first + n, group + per_group))
            pieces += [_filled(bias[some], n), weights(some, n)]
            pieces += [_filled(multipliers[some], n), _bytes(_filled(shifts[some], 4))]
            first += n
    return np.concatenate(pieces)


def _filled(values: Ints, length: int) -> Ints:
    """The values, and zeros up to the length of the first axis."""
    return np.pad(values.astype(np.int64), [(0, length - len(values))] + [(0, 0)] * (values.ndim - 1))


def _halves(values: Ints) -> Words:
    """int16 values two by two as words."""
    two = values.astype(np.int64).reshape(-1, 2)
    words: Words = wrap((two[:, 0] & 0xFFFF) + (two[:, 1] << 16))
    return words


def _bytes(values: Ints) -> Words:
    """int8 values four by four as words."""
    four = values.astype(np.int64).reshape(-1, 4) & 0xFF
    words: Words = wrap((four << np.array([0, 8, 16, 24])).sum(1))
    return words
