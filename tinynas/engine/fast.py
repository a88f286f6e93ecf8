"""Kernels for speed: which layers have one, the memory that they need besides their values, and their constants.

Their windows are widened to 16 bits first, which takes memory; their weights lie in the order in which they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from tinynas.engine.net import Convolution, Depthwise, Ints, Layer, Net, Pair, Scaling, Window
from tinynas.engine.plan import aligned
from tinynas.engine.weights import folded_bias

BLOCK = 4
"""Pixels that the kernel of convolutions works on at once: TN_BLOCK."""

HALF = (2**30, 0)
"""The factor 1/2: that of the operand of a sum with the greater scale."""

_MOST_SUM_SHIFT = 22  # so that the output's zero point, shifted as far, stays within int32
_COLUMNS = 16  # of a row that shares no taps with the next
_MOST_SHIFT = 23  # right shifts up to which the rounding constant and a sum below 2^30 stay within int32
_SUM_LIMIT = 2**30
Words = npt.NDArray[np.int64]
_Weighted = TypeVar("_Weighted", Convolution, Depthwise)


class Runs(NamedTuple):
    """What lies side by side in a row of taps: how many such runs, their values, and the bytes between their starts."""

    times: int
    length: int
    step: int

    @property
    def in_quads(self) -> bool:
        """Whether four values at a time make two pairs: the values 0 and 2, and 1 and 3."""
        return self.length % 4 == 0


def scratch_of(net: Net, rounding: str) -> dict[int, int]:
    """The bytes that each layer with a kernel for speed needs while it runs."""
    if rounding != "double":
        return {}
    return {
        index: scratch_bytes(layer)
        for index, layer in enumerate(net.layers)
        if layer.kind in _SCRATCH and _can(layer.spec)
    }


def scratch_bytes(layer: Layer) -> int:
    """The bytes that the layer's kernel for speed needs while it runs."""
    return _SCRATCH[layer.kind](layer.spec)


def _can(spec: Any) -> bool:
    """Whether the short scaling is exact: right shifts alone, and sums that may be doubled."""
    shifts = _right_shifts(spec.scaling)
    axis = 2 if isinstance(spec, Depthwise) else 0
    weights = np.moveaxis(np.abs(spec.weights.astype(np.int64)), axis, 0).reshape(len(spec.bias), -1)
    sums = np.abs(spec.bias) + 255 * weights.sum(1)
    return bool(shifts.min() >= 1 and shifts.max() <= _MOST_SHIFT and sums.max() < _SUM_LIMIT)


def _right_shifts(scaling: Scaling) -> Ints:
    return np.where(scaling.multipliers == 0, 1, -scaling.shifts)


def runs_of(spec: Convolution) -> Runs:
    """The runs of a row of taps: one where taps lie side by side, else one a tap."""
    w = spec.window
    if spec.groups == 1 and w.dilation_w == 1:
        return Runs(1, w.kernel_w * w.channels, 0)
    return Runs(w.kernel_w, w.channels // spec.groups, w.dilation_w * w.channels)


def words_of(spec: Convolution) -> int:
    """Words of two weights, or of two values, in one window of one group: an even number, as the loop is unrolled."""
    runs = runs_of(spec)
    words = spec.window.kernel_h * runs.times * -(-runs.length // 2)
    return words + words % 2


def _convolution_scratch(spec: Convolution) -> int:
    spec = wide_rows(spec)
    if is_dense(spec):
        return 0
    runs = runs_of(spec)
    return 4 * BLOCK * spec.groups * words_of(spec) + (aligned(runs.length) if runs.times == 1 else 0)


def convolution_words(spec: Convolution) -> Words:
    """The stream of constants that tn_blocked reads."""
    runs, bias = runs_of(spec), folded_bias(spec)
    per_group, w = len(bias) // spec.groups, spec.window
    whole = spec.weights.astype(np.int64).reshape(len(bias), w.kernel_h * runs.times, runs.length)
    if runs.in_quads:
        rows = whole.reshape(len(bias), -1, 2, 2).swapaxes(2, 3).reshape(len(bias), -1)
    else:
        rows = np.pad(whole, ((0, 0), (0, 0), (0, runs.length % 2))).reshape(len(bias), -1)
    rows = np.pad(rows, ((0, 0), (0, 2 * words_of(spec) - rows.shape[1])))
    shifts = _right_shifts(spec.scaling) - 1
    pieces = []
    for group in range(spec.groups):
        for first in range(group * per_group, (group + 1) * per_group, 2):
            two = slice(first, min(first + 2, (group + 1) * per_group))
            pieces += [_filled(bias[two], 2), _pairs(rows[two]), _filled(spec.scaling.multipliers[two], 2)]
            pieces.append(_bytes(_filled(shifts[two], 4)))
    return np.concatenate(pieces)


def is_dense(spec: Convolution) -> bool:
    """Whether one window is the whole map: every output reads every input, in order."""
    w = spec.window
    is_whole = (w.kernel_h, w.kernel_w) == (w.height, w.width) and not w.pad_top and not w.pad_left
    return spec.groups == 1 and (w.out_height, w.out_width) == (1, 1) and is_whole


def dense_words(spec: Convolution) -> Words:
    """The stream of constants that tn_dense reads."""
    bias, shifts, pieces = folded_bias(spec), _right_shifts(spec.scaling) - 1, []
    rows = spec.weights.astype(np.int64).reshape(len(bias), -1)
    rows = np.pad(rows, ((0, -len(rows) % 4), (0, -rows.shape[1] % 4)))
    for first in range(0, len(bias), 4):
        n = 4 if len(bias) - first > 2 else 2
        some = slice(first, first + n)
        weights = rows[some].reshape(n, -1, 4).swapaxes(0, 1)
        pieces += [_filled(bias[some], n), _bytes(weights), _filled(spec.scaling.multipliers[some], n)]
        pieces.append(_bytes(_filled(shifts[some], 4)))
    return np.concatenate(pieces)


def wide_rows(spec: _Weighted) -> _Weighted:
    """The same convolution, of a map of one column as one of a map of one row."""
    w = spec.window
    if w.width > 1 or w.out_width > 1 or w.kernel_w > 1 or w.height == 1:
        return spec
    turned = Window(
        1, w.height, w.channels, 1, w.out_height, w.out_channels, 1, w.kernel_h, 1, w.stride_h, 1, w.dilation_h,
        0, w.pad_top,
    )  # fmt: skip
    axis = 0 if isinstance(spec, Depthwise) else 1
    return replace(spec, window=turned, weights=spec.weights.swapaxes(axis, axis + 1))


def as_convolution(spec: Depthwise) -> Convolution | None:
    """The same as a convolution where there is one input channel, else None."""
    if spec.window.channels > 1:
        return None
    weights = np.moveaxis(spec.weights, 2, 0)[..., None]
    return Convolution(spec.window, weights, spec.bias, spec.zero, spec.scaling)


def columns_of(w: Window) -> int:
    """How many columns of a row are made at once: all where rows share taps, else few, as that takes memory."""
    return w.out_width if w.kernel_h > 1 else min(w.out_width, _COLUMNS)


def depthwise_words(spec: Depthwise) -> Words:
    """The stream of constants that tn_depthwise_rows reads."""
    channels, pieces = len(spec.bias), []
    bias, shifts = folded_bias(spec), _right_shifts(spec.scaling) - 1
    taps = spec.weights.astype(np.int64).reshape(-1, channels)
    for first in range(0, channels, 4):
        four = slice(first, first + 4)
        weights = np.pad(taps[:, four], ((0, 0), (0, 4 - taps[:, four].shape[1])))
        pieces += [_filled(bias[four], 4), _bytes(weights.reshape(-1)), _filled(spec.scaling.multipliers[four], 4)]
        pieces.append(_bytes(_filled(shifts[four], 4)))
    return np.concatenate(pieces)


def quick_sum(spec: Pair) -> int:
    """1 where tn_quick_sums can take an ADD: a factor is 1/2, and the others' shifts go right; else 0."""
    if spec.pairing != "ADD" or HALF not in spec.factors[:2]:
        return 0
    others = [*(factor for factor in spec.factors[:2] if factor != HALF), spec.factors[2]]
    return int(all(multiplier and -_MOST_SUM_SHIFT <= shift < 0 for multiplier, shift in others))


def _filled(values: Ints, length: int) -> Ints:
    """The values, and zeros up to the length."""
    return np.pad(values.astype(np.int64), (0, length - len(values)))


def _pairs(rows: Ints) -> Words:
    """The weights (1 or 2 channels, values) as words of two channels and two values."""
    both = np.pad(rows, ((0, 2 - len(rows)), (0, 0))).reshape(2, -1, 2)
    return _bytes(both.transpose(1, 2, 0).reshape(-1))


def _bytes(values: Ints) -> Words:
    """int8 values as words of int32, the first in the lowest byte."""
    four = values.astype(np.int64).reshape(-1, 4) & 0xFF
    words: Words = (four << np.array([0, 8, 16, 24])).sum(1)
    return words - ((words >> 31) << 32)


def _depthwise_scratch(spec: Depthwise) -> int:
    alike = as_convolution(spec)
    if alike is not None:
        return _convolution_scratch(alike)
    w = wide_rows(spec).window
    wide = (columns_of(w) - 1) * w.stride_w + w.reach_w
    return w.reach_h * wide * 8 * -(-w.out_channels // 4) + 4 * w.kernel_h


_SCRATCH: Mapping[str, Callable[[Any], int]] = {"convolution": _convolution_scratch, "depthwise": _depthwise_scratch}
