"""What each layer computes, in numpy: the reference that the generated C is held against. One function a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinynas.engine.fixed_point import Rounding, divide_by_power, high_product, one_over_one_plus, requantize, wrap
from tinynas.engine.net import (
    Clamp,
    Concatenation,
    Convolution,
    Depthwise,
    Gather,
    Int8s,
    Ints,
    Layer,
    Lookup,
    Net,
    Pad,
    Pair,
    Pool,
    Reduce,
    Running,
    Scaling,
    Softmax,
    Window,
)


def evaluate(net: Net, samples: Int8s, rounding: Rounding = "double") -> Int8s:
    """The outputs (n, values) of `net` for int8 `samples` (n, ...)."""
    return evaluate_all(net, samples, rounding)[net.output]


def evaluate_all(net: Net, samples: Int8s, rounding: Rounding = "double") -> dict[int, Int8s]:
    """Every value of `net`, (n, bytes) each, for int8 `samples` (n, ...)."""
    known = {net.input: np.ascontiguousarray(samples, np.int8).reshape(len(samples), -1)}
    for layer in net.layers:
        known[layer.output] = evaluate_layer(layer, [known[number] for number in layer.inputs], rounding)
    return known


def evaluate_layer(layer: Layer, inputs: list[Int8s], rounding: Rounding = "double") -> Int8s:
    """The output (n, bytes) of one layer for its inputs, (n, bytes) each."""
    found = _EVALUATE[layer.kind](layer.spec, [each.astype(np.int64) for each in inputs], rounding)
    result: Int8s = found.reshape(len(inputs[0]), -1).astype(np.int8)
    return result


def _clamped(x: Ints, clamp: Clamp) -> Ints:
    return np.clip(x, clamp.low, clamp.high)


def _scaled(sums: Ints, scaling: Scaling, rounding: Rounding) -> Ints:
    """Sums (..., channels) to int8."""
    return _clamped(requantize(wrap(sums), scaling.multipliers, scaling.shifts, rounding) + scaling.zero, scaling.clamp)


def _taps(x: Ints, window: Window, fill: int) -> Ints:
    """The windows (n, out_height, out_width, kernel_h, kernel_w, channels) of maps x (n, bytes)."""
    w = window
    maps = x.reshape(-1, w.height, w.width, w.channels)
    high = (w.out_height - 1) * w.stride_h + w.reach_h
    wide = (w.out_width - 1) * w.stride_w + w.reach_w
    room = np.full((len(maps), max(high, w.pad_top + w.height), max(wide, w.pad_left + w.width), w.channels), fill)
    room[:, w.pad_top : w.pad_top + w.height, w.pad_left : w.pad_left + w.width] = maps
    windows = np.lib.stride_tricks.sliding_window_view(room[:, :high, :wide], (w.reach_h, w.reach_w), (1, 2))
    thinned = windows[:, :: w.stride_h, :: w.stride_w, :, :: w.dilation_h, :: w.dilation_w]
    return np.moveaxis(thinned, 3, 5)


def _convolution(spec: Convolution, inputs: list[Ints], rounding: Rounding) -> Ints:
    taps = _taps(inputs[0] - spec.zero, spec.window, 0)
    filters = spec.weights.astype(np.int64)
    per_group, per_in = len(filters) // spec.groups, filters.shape[3]
    sums = [
        np.tensordot(
            taps[..., group * per_in : (group + 1) * per_in],
            filters[group * per_group : (group + 1) * per_group],
            ((3, 4, 5), (1, 2, 3)),
        )
        for group in range(spec.groups)
    ]
    return _scaled(np.concatenate(sums, -1) + spec.bias, spec.scaling, rounding)


def _depthwise(spec: Depthwise, inputs: list[Ints], rounding: Rounding) -> Ints:
    taps = _taps(inputs[0] - spec.zero, spec.window, 0)
    wide = np.repeat(taps, spec.window.out_channels // spec.window.channels, -1)
    return _scaled((wide * spec.weights).sum((3, 4)) + spec.bias, spec.scaling, rounding)


def _pool(spec: Pool, inputs: list[Ints], rounding: Rounding) -> Ints:
    if not spec.average:
        return _clamped(_taps(inputs[0], spec.window, -128).max((3, 4)), spec.clamp)
    sums = _taps(inputs[0], spec.window, 0).sum((3, 4))
    counts = _taps(np.ones_like(inputs[0]), spec.window, 0).sum((3, 4))
    means = np.where(sums > 0, (sums + counts // 2) // counts, -((-sums + counts // 2) // counts))
    return _clamped(means, spec.clamp)


def _pair(spec: Pair, inputs: list[Ints], rounding: Rounding) -> Ints:
    given = iter(inputs)
    a, b = (
        (next(given) if constant is None else constant.astype(np.int64)).reshape(-1, *shape[-3:])
        if shape[0] == 1
        else (next(given) if constant is None else constant.astype(np.int64)).reshape(-1, *shape)
        for constant, shape in zip(spec.constants, spec.shapes, strict=True)
    )
    return _clamped(_PAIRINGS[spec.pairing](spec, a, b, rounding), spec.clamp)


def _sum(spec: Pair, a: Ints, b: Ints, rounding: Rounding) -> Ints:
    one = requantize((a - spec.zeros[0]) << 20, *spec.factors[0], rounding)
    two = requantize((b - spec.zeros[1]) << 20, *spec.factors[1], rounding)
    total = one + two if spec.pairing == "ADD" else one - two
    return requantize(total, *spec.factors[2], rounding) + spec.zero


def _product(spec: Pair, a: Ints, b: Ints, rounding: Rounding) -> Ints:
    return requantize((a - spec.zeros[0]) * (b - spec.zeros[1]), *spec.factors[0], rounding) + spec.zero


def _prelu(spec: Pair, a: Ints, b: Ints, rounding: Rounding) -> Ints:
    x = a - spec.zeros[0]
    above = requantize(x, *spec.factors[0], rounding)
    below = requantize(x * (b - spec.zeros[1]), *spec.factors[1], rounding)
    return np.where(x >= 0, above, below) + spec.zero


_PAIRINGS: Mapping[str, Callable[[Pair, Ints, Ints, Rounding], Ints]] = {
    "ADD": _sum,
    "SUB": _sum,
    "MUL": _product,
    "MAXIMUM": lambda spec, a, b, rounding: np.maximum(a, b),
    "MINIMUM": lambda spec, a, b, rounding: np.minimum(a, b),
    "PRELU": _prelu,
}


def _lookup(spec: Lookup, inputs: list[Ints], rounding: Rounding) -> Ints:
    return spec.table.astype(np.int64)[inputs[0] + 128]


def _softmax(spec: Softmax, inputs: list[Ints], rounding: Rounding) -> Ints:
    """reference/softmax.h: exps in Q0.31, their sum in Q12.19, its reciprocal by Newton."""
    rows = inputs[0].reshape(-1, spec.classes)
    below = rows.max(1, keepdims=True) - rows
    known = below < len(spec.exps)
    exps = np.where(known, spec.exps[np.minimum(below, len(spec.exps) - 1)], 0)
    total = divide_by_power(exps, 12).sum(1, keepdims=True)
    zeros = 32 - np.ceil(np.log2(total + 1)).astype(np.int64)  # leading zeros of a 32-bit word
    scale = one_over_one_plus((total << zeros) - 2**31)
    shares = divide_by_power(high_product(scale, exps), 12 - zeros + 23) - 128
    found: Ints = np.where(known, np.clip(shares, -128, 127), -128)
    return found


def _reduce(spec: Reduce, inputs: list[Ints], rounding: Rounding) -> Ints:
    kept = _offsets(spec.kept.sizes, spec.kept.strides)
    reduced = _offsets(spec.reduced.sizes, spec.reduced.strides)
    x: Ints = inputs[0][:, kept[:, None] + reduced]
    if spec.scaling is None:
        extremes: Ints = x.max(2) if spec.reduction == "MAX" else x.min(2)
        return extremes
    return _scaled((x.sum(2) - spec.zero * len(reduced))[..., None], spec.scaling, rounding)


def _running(spec: Running, inputs: list[Ints], rounding: Rounding) -> Ints:
    x = inputs[0].reshape(len(inputs[0]), -1, spec.channels)
    if spec.running == "MEAN" and spec.scaling is not None:
        return _scaled((x - spec.zero).sum(1)[..., None], spec.scaling, rounding)
    if spec.running == "AVERAGE":
        sums, count = x.sum(1), x.shape[1]
        return _clamped(np.where(sums > 0, (sums + count // 2) // count, -((-sums + count // 2) // count)), spec.clamp)
    extremes: Ints = x.max(1) if spec.running == "MAX" else x.min(1)
    return _clamped(extremes, spec.clamp)


def _offsets(sizes: tuple[int, ...], strides: tuple[int, ...]) -> Ints:
    """Every offset that indices below `sizes` have with `strides`, in order."""
    offsets: Ints = np.zeros(1, np.int64)
    for size, stride in zip(sizes, strides, strict=True):
        offsets = (offsets[:, None] + np.arange(size) * stride).reshape(-1)
    return offsets


def _gather(spec: Gather, inputs: list[Ints], rounding: Rounding) -> Ints:
    return inputs[0][:, spec.start + _offsets(spec.sizes, spec.strides)]


def _pad(spec: Pad, inputs: list[Ints], rounding: Rounding) -> Ints:
    room = np.full((len(inputs[0]), *spec.out_shape), spec.fill)
    sides = [slice(before, before + size) for before, size in zip(spec.before, spec.shape, strict=True)]
    inside = (slice(None), *sides)
    room[inside] = inputs[0].reshape(-1, *spec.shape)
    return room


def _concatenation(spec: Concatenation, inputs: list[Ints], rounding: Rounding) -> Ints:
    parts = [x.reshape(len(x), spec.outer, size) for x, size in zip(inputs, spec.parts, strict=True)]
    return np.concatenate(parts, 2)


_EVALUATE: Mapping[str, Callable[[Any, list[Ints], Rounding], Ints]] = {
    "convolution": _convolution,
    "depthwise": _depthwise,
    "pool": _pool,
    "pair": _pair,
    "lookup": _lookup,
    "softmax": _softmax,
    "reduce": _reduce,
    "running": _running,
    "gather": _gather,
    "pad": _pad,
    "concatenation": _concatenation,
}
