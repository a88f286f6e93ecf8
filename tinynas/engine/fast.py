"""Kernels for speed: which layers have one, in what form, and the memory and Flash that they take for it.

Their windows are widened to 16 bits first, which takes memory beside the values; their constants are in `streams`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np

from tinynas.engine.net import Convolution, Depthwise, Ints, Layer, Net, Pair, Scaling, Spec, Window
from tinynas.engine.plan import aligned
from tinynas.engine.simplify import macs_of

BLOCK = 4
"""Pixels that the kernel of convolutions works on at once: TN_BLOCK."""

HALF = (2**30, 0)
"""The factor 1/2: that of the operand of a sum with the greater scale."""

_MOST_SHIFT = 23  # right shifts up to which the rounding constant and a sum below 2^30 stay within int32
_MOST_SUM_SHIFT = 22  # so that the output's zero point, shifted as far, stays within int32
_SUM_LIMIT = 2**30
_COLUMNS = 16  # of a row that shares no taps with the next
_WIDE_CODE_BYTES = 400  # of tn_wide_channels
_WORTH = 100  # a layer that would save less than so small a part of a net's multiply-accumulates is left as it is
_Weighted = TypeVar("_Weighted", Convolution, Depthwise)


def scratch_of(net: Net, rounding: str) -> dict[int, int]:
    """The bytes that each layer with a kernel for speed needs while it runs."""
    if rounding != "double":
        return {}
    return {index: scratch_bytes(layer) for index, layer in enumerate(net.layers) if _can(layer)}


def _can(layer: Layer) -> bool:
    """Whether the short scaling is exact: right shifts alone, and sums that may be doubled."""
    spec = layer.spec
    if layer.foreign or not isinstance(spec, Convolution | Depthwise):
        return False
    shifts, (below, above) = right_shifts(spec.scaling), spec.tap_sums
    sums = np.abs(spec.bias) + 255 * (above - below).reshape(len(spec.bias), -1).sum(1)
    return bool(shifts.min() >= 1 and shifts.max() <= _MOST_SHIFT and sums.max() < _SUM_LIMIT)


def right_shifts(scaling: Scaling) -> Ints:
    """By how much each channel is shifted to the right; 1 where its multiplier is 0."""
    return np.where(scaling.multipliers == 0, 1, -scaling.shifts)


def as_convolution(spec: Spec) -> Convolution | None:
    """The convolution that tn_blocked or tn_dense is to run: `spec` itself, or a depthwise one of one input channel."""
    if isinstance(spec, Depthwise) and spec.window.channels == 1:
        weights = np.moveaxis(spec.weights, 2, 0)[..., None]
        spec = Convolution(spec.window, weights, spec.bias, spec.zero, spec.scaling)
    return wide_rows(spec) if isinstance(spec, Convolution) else None


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


def is_dense(spec: Convolution) -> bool:
    """Whether one window is the whole map: every output reads every input, in order."""
    w = spec.window
    is_whole = (w.kernel_h, w.kernel_w) == (w.height, w.width) and not w.pad_top and not w.pad_left
    return spec.groups == 1 and (w.out_height, w.out_width) == (1, 1) and is_whole


def quads_of(spec: Convolution) -> int:
    """Fours of values of a dense layer's input."""
    return -(-int(spec.weights[0].size) // 4)


class Runs(NamedTuple):
    """What lies side by side in a row of taps: how many such runs, their values, and the bytes between their starts."""

    times: int
    length: int
    step: int

    @property
    def in_quads(self) -> bool:
        """Whether four values at a time make two pairs: the values 0 and 2, and 1 and 3."""
        return self.length % 4 == 0


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


def columns_of(w: Window) -> int:
    """How many columns of a row tn_depthwise_rows makes at once: all where rows share taps, else few, as that takes
    memory."""
    return w.out_width if w.kernel_h > 1 else min(w.out_width, _COLUMNS)


def scratch_bytes(layer: Layer) -> int:
    """The bytes that the layer's kernel for speed needs while it runs."""
    spec, alike = layer.spec, as_convolution(layer.spec)
    if alike is not None:
        runs = runs_of(alike)
        spare = aligned(runs.length) if runs.times == 1 else 0
        return 0 if is_dense(alike) else 4 * BLOCK * alike.groups * words_of(alike) + spare
    assert isinstance(spec, Depthwise)
    w = wide_rows(spec).window
    wide = (columns_of(w) - 1) * w.stride_w + w.reach_w
    return w.reach_h * wide * 8 * -(-w.out_channels // 4) + 4 * w.kernel_h


class Offer(NamedTuple):
    """What weights of 16 bits save of an inference, in instructions, for so many bytes of Flash more."""

    layers: tuple[int, ...]
    saved: int
    bytes: int


def widened(net: Net, layers: Iterable[int], flash_budget: int) -> frozenset[int]:
    """Those of the `layers` whose weights are to have 16 bits in Flash, for at most so many bytes more: where a byte
    saves most. Depthwise convolutions all have the same."""
    offers, taps, code = [], Offer((), 0, 0), _WIDE_CODE_BYTES
    for index in layers:
        given = net.layers[index].spec
        spec = as_convolution(given)
        if spec is not None and not is_dense(spec):
            words = words_of(spec) * spec.groups * -(-(len(spec.bias) // spec.groups) // 2)
            offers.append(Offer((index,), 2 * words * -(-_pixels(spec.window) // BLOCK), 4 * words))
        elif spec is None and isinstance(given, Depthwise):
            words = given.window.kernel_h * given.window.kernel_w * -(-given.window.out_channels // 4)
            saved = 2 * words * -(-_pixels(given.window) // 2)
            taps = Offer((*taps.layers, index), taps.saved + saved, taps.bytes + 4 * words)
    found: set[int] = set()
    worthy = [offer for offer in (*offers, taps) if offer.saved * _WORTH > sum(map(macs_of, net.layers))]
    for offer in sorted(worthy, key=lambda each: each.bytes / each.saved):
        more = offer.bytes + (0 if offer is taps else code)
        if more <= flash_budget:
            found.update(offer.layers)
            flash_budget -= more
            code = code if offer is taps else 0
    return frozenset(found)


def _pixels(w: Window) -> int:
    return w.out_height * w.out_width


def quick_sum(spec: Pair) -> int:
    """1 where tn_quick_sums can take an ADD: a factor is 1/2, and the others' shifts go right; else 0."""
    if spec.pairing != "ADD" or HALF not in spec.factors[:2]:
        return 0
    others = [*(factor for factor in spec.factors[:2] if factor != HALF), spec.factors[2]]
    return int(all(multiplier and -_MOST_SUM_SHIFT <= shift < 0 for multiplier, shift in others))
