"""Operators of one or two operands element by element, SOFTMAX, and the reductions."""

from __future__ import annotations

from math import prod

import numpy as np

from tinynas.engine.fixed_point import quantize_multiplier
from tinynas.engine.lower.state import (
    Lowering,
    add,
    clamp_of,
    padded,
    same_scale,
)
from tinynas.engine.net import (
    EVERY,
    Axes,
    Lookup,
    Pair,
    Pairing,
    Reduce,
    Reduction,
    Scaling,
    Softmax,
)
from tinynas.engine.unary import exps_of, float32_option, scale_of, table_of
from tinynas.errors import ModelError
from tinynas.tflite.graph import (
    Operator,
    Tensor,
)


def _sum_factors(state: Lowering, name: str, one: Tensor, two: Tensor, result: Tensor) -> tuple[tuple[int, int], ...]:
    """ADD's factors are worked out in doubles, SUB's in float32 (TFLM: add_common.cc, sub_common.cc)."""
    kind = np.float64 if name == "ADD" else np.float32
    a, b, made = (kind(scale_of(tensor)) for tensor in (one, two, result))
    twice = kind(2) * max(a, b)
    reals = a / twice, b / twice, twice / (kind(1 << 20) * made)
    if not reals[2] < 1:
        raise ModelError(
            f"{name} makes an output of scale {float(made):g} from inputs of {float(a):g} and {float(b):g}, which TFLM "
            "refuses: its factor must be below 1; convert the model again"
        )
    return tuple(quantize_multiplier(float(real), state.rounding) for real in reals)


def _pair_factors(state: Lowering, name: str, one: Tensor, two: Tensor, result: Tensor) -> tuple[tuple[int, int], ...]:
    a, b, made = (float(scale_of(tensor)) for tensor in (one, two, result))
    product = quantize_multiplier(a * b / made, state.rounding)
    if name in ("ADD", "SUB"):
        return _sum_factors(state, name, one, two, result)
    if name == "MUL":
        return (product,)
    return () if name != "PRELU" else (quantize_multiplier(a / made, state.rounding), product)


def pair(state: Lowering, operator: Operator) -> None:
    """ADD, SUB, MUL, MAXIMUM, MINIMUM, PRELU."""
    name: Pairing = operator.name  # type: ignore[assignment]
    tensors = state.source(operator, 0), state.source(operator, 1)
    result = state.result(operator)
    shape = padded(result.shape)
    shapes = padded(tensors[0].shape), padded(tensors[1].shape)
    if len(shape) != 4 or np.broadcast_shapes(*shapes) != shape:
        raise state.unsupported(operator, f"makes {list(result.shape)} of {[list(each.shape) for each in tensors]}")
    constants = tuple(
        np.asarray(state.constants[number], np.int8).reshape(-1) if number in state.constants else None
        for number in operator.inputs[:2]
    )
    clamp = clamp_of(operator, result) if operator.options else EVERY
    spec = Pair(
        name,
        shape,
        shapes,
        (constants[0], constants[1]),
        (tensors[0].zero_points[0], tensors[1].zero_points[0]),
        result.zero_points[0],
        _pair_factors(state, name, *tensors, result),
        clamp if name not in ("MAXIMUM", "MINIMUM", "PRELU") else EVERY,
    )
    positions = tuple(position for position in (0, 1) if constants[position] is None)
    if not positions:
        raise state.unsupported(operator, "has two constant operands; convert the model again")
    add(state, operator, spec, positions)


def unary(state: Lowering, operator: Operator) -> None:
    """An operator of one value: a table."""
    source, result = state.source(operator), state.result(operator)
    add(state, operator, Lookup(table_of(operator, source, result, state.rounding)))


def softmax(state: Lowering, operator: Operator) -> None:
    """SOFTMAX over the last axis."""
    source, result = state.source(operator), state.result(operator)
    if result.zero_points[0] != -128 or abs(result.scales[0] * 256 - 1) > 1e-3:
        raise ModelError(
            f"SOFTMAX has an output of scale {result.scales[0]:g} and zero point {result.zero_points[0]}, which TFLM "
            "refuses: wanted 1/256 and -128; convert the model again"
        )
    beta = float(float32_option(operator, "beta", 1.0))
    classes = source.shape[-1] if source.shape else 1
    exps, step = exps_of(beta, scale_of(source), state.rounding)
    add(state, operator, Softmax(source.elements // classes, classes, exps, step))


def reduce(state: Lowering, operator: Operator) -> None:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN."""
    source, result = state.source(operator), state.result(operator)
    reduction: Reduction = operator.name.removeprefix("REDUCE_")  # type: ignore[assignment]
    rank = len(source.shape)
    axes = {int(axis) % rank for axis in state.constant(operator, 1, "axes").reshape(-1)}
    kept, reduced = (
        _groups(state, operator, source.shape, axes, False),
        _groups(state, operator, source.shape, axes, True),
    )
    if reduction in ("MAX", "MIN"):
        same_scale(operator, source, result)
        add(state, operator, Reduce(reduction, kept, reduced))
        return
    multiplier, shift = quantize_multiplier(float(scale_of(source)) / float(scale_of(result)), state.rounding)
    if reduction == "MEAN":
        count = prod(reduced.sizes)
        bits = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << bits) // count, shift - bits
    scaling = Scaling(np.array([multiplier]), np.array([shift]), result.zero_points[0])
    add(state, operator, Reduce(reduction, kept, reduced, source.zero_points[0], scaling))


def _groups(state: Lowering, operator: Operator, shape: tuple[int, ...], axes: set[int], reduced: bool) -> Axes:
    """The axes of `shape` in `axes` (or not in them), neighbours joined, as at most two of a size and a stride."""
    groups: list[tuple[int, int, int]] = []  # size, stride, last axis
    stride = prod(shape)
    for axis, size in enumerate(shape):
        stride //= size
        if (axis in axes) != reduced or size == 1:
            continue
        if groups and all(shape[between] == 1 for between in range(groups[-1][2] + 1, axis)):
            groups[-1] = groups[-1][0] * size, stride, axis
        else:
            groups.append((size, stride, axis))
    if len(groups) > 2:
        raise state.unsupported(operator, f"reduces axes {sorted(axes)} of {list(shape)}, too scattered for the engine")
    filled = [(1, 0, 0)] * (2 - len(groups)) + groups
    return Axes((filled[0][0], filled[1][0]), (filled[0][1], filled[1][1]))
