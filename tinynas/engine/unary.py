"""Each operator of one int8 as the 256 values it takes, computed as TFLM computes them: one function an operator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from tinynas.engine.fixed_point import (
    INT32_MAX,
    Multiplier,
    Rounding,
    divide_by_power,
    exp_of_negative,
    half_away,
    one_minus_over_one_plus,
    one_over_one_plus,
    quantize_multiplier,
    requantize,
)
from tinynas.engine.net import Int8s, Ints
from tinynas.errors import ModelError
from tinynas.tflite.graph import Operator, Tensor

Table = Callable[[Operator, Tensor, Tensor, Rounding], Ints]
_LOGISTIC_BITS = 4  # integer bits of LOGISTIC's and TANH's argument
_EVERY = np.arange(-128, 128, dtype=np.int64)


def scale_of(tensor: Tensor) -> np.float32:
    """The tensor's one scale, as TFLM holds it."""
    scale: np.float32 = np.float32(tensor.scales[0])
    return scale


def float32_option(operator: Operator, name: str, default: float) -> np.float32:
    """The operator's option `name` as TFLM holds it."""
    value = (operator.options or {}).get(name, default)
    if not isinstance(value, int | float):
        raise ModelError(f"operator {operator.name} has {value!r} as its option '{name}'; wanted a number")
    found: np.float32 = np.float32(value)
    return found


def table_of(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Int8s:
    """What `operator` makes of -128 .. 127."""
    values = UNARY[operator.name](operator, source, result, rounding)
    table: Int8s = np.clip(values, -128, 127).astype(np.int8)
    return table


def _rescaled(x: Ints, real: float, zero: int, rounding: Rounding) -> Ints:
    found: Ints = requantize(x, *quantize_multiplier(real, rounding), rounding) + zero
    return found


def _quantize(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    real = float(scale_of(source)) / float(scale_of(result))
    return _rescaled(_EVERY - source.zero_points[0], real, result.zero_points[0], rounding)


def _relu(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    real = float(scale_of(source) / scale_of(result))
    zero = result.zero_points[0]
    return np.maximum(_rescaled(_EVERY - source.zero_points[0], real, zero, rounding), zero)


def _relu6(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    """TFLM does not rescale here: 6 is measured by the input's scale (activations_common.cc)."""
    zero = source.zero_points[0]
    six = min(127, zero + half_away(float(np.float32(6) / scale_of(source))))
    return np.clip(_EVERY, zero, max(six, zero))


def _leaky_relu(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    alpha = float32_option(operator, "alpha", 0.0)
    x, zero = _EVERY - source.zero_points[0], result.zero_points[0]
    identity = _rescaled(x, float(scale_of(source) / scale_of(result)), 0, rounding)
    slope = float(scale_of(source) * alpha / scale_of(result))
    below = _rescaled(x, abs(slope), 0, rounding) * (1 if slope >= 0 else -1)
    return np.where(x >= 0, identity, below) + zero


def _in_q4(source: Tensor, rounding: Rounding) -> tuple[Ints, Ints]:
    """The table's arguments in Q4.27, and -1, 0 or 1 where they lie below, within or above what exp is made for.

    TFLM: logistic_common.cc and tanh.cc.
    """
    x = _EVERY - source.zero_points[0]
    fraction, shift = math.frexp(float(scale_of(source)) * 2 ** (31 - _LOGISTIC_BITS))
    radius = math.floor((2**_LOGISTIC_BITS - 1) * 2.0 ** (31 - _LOGISTIC_BITS - shift))
    beyond = np.where(x <= -radius, -1, np.where(x >= radius, 1, 0))
    inside = np.where(beyond == 0, x, 0)
    return requantize(inside, half_away(fraction * 2**31), shift, rounding), beyond.astype(np.int64)


def _logistic(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    if result.zero_points[0] != -128:
        raise ModelError(
            f"LOGISTIC has an output of zero point {result.zero_points[0]}, which TFLM refuses: wanted -128; convert "
            "the model again"
        )
    x, beyond = _in_q4(source, rounding)
    above = one_over_one_plus(exp_of_negative(-np.abs(x), _LOGISTIC_BITS))
    half = np.where(x == 0, 1 << 30, np.where(x > 0, above, INT32_MAX - above))
    return np.where(beyond == 0, divide_by_power(half, 23) - 128, np.where(beyond < 0, -128, 127))


def _tanh(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    x, beyond = _in_q4(source, rounding)
    above = one_minus_over_one_plus(exp_of_negative(-np.abs(x), _LOGISTIC_BITS + 1))  # of 2 x, by reading x as Q5.26
    signed = np.where(x == 0, 0, np.where(x > 0, above, -above))
    return np.where(beyond == 0, divide_by_power(signed, 24), np.where(beyond < 0, -128, 127))


def _to_int16(multiplier: int) -> int:
    """A Q0.31 multiplier rounded to Q0.15 (hard_swish_common.cc: DownScaleInt32ToInt16Multiplier)."""
    return 32767 if multiplier >= INT32_MAX - (1 << 15) else (multiplier + (1 << 15)) >> 16


def _high_product_16(a: Ints, b: int) -> Ints:
    """a * b / 2^15, halves away from zero, on int16 (SaturatingRoundingDoublingHighMul)."""
    product = a * b
    return np.where(product >= 0, (product + (1 << 14)) >> 15, -((-product + (1 << 14) - 1) >> 15))


def _hard_swish(operator: Operator, source: Tensor, result: Tensor, rounding: Rounding) -> Ints:
    """reference/hard_swish.h: int16 steps, the last product cut off and not rounded."""
    fine = np.float32(1 / 128) * scale_of(source)
    unit = np.float32(np.float32(3) / np.float32(32768))
    outer, outer_shift = quantize_multiplier(float(fine / scale_of(result)), rounding)
    inner, shift = quantize_multiplier(float(fine / unit), rounding)
    if outer_shift > 0:
        raise ModelError(
            "HARD_SWISH has an output scale below 1/128 of its input's, which TFLM refuses; convert the model again"
        )
    x = (_EVERY - source.zero_points[0]) * 128
    if shift > 0:
        gate = np.clip(x << (shift - 1), -32768, 32767)
        gate = np.clip(_high_product_16(gate, _to_int16(inner)) * 2, -32768, 32767)
    else:
        gate = divide_by_power(_high_product_16(x, _to_int16(inner)), -shift)
    gate = (gate + 32768) >> 1
    product = gate * _high_product_16(x, _to_int16(outer))
    cut = np.where(product >= 0, product >> 15, -(-product >> 15))
    found: Ints = divide_by_power(cut, -outer_shift) + result.zero_points[0]
    return found


UNARY: Mapping[str, Table] = {
    "QUANTIZE": _quantize,
    "RELU": _relu,
    "RELU6": _relu6,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _logistic,
    "TANH": _tanh,
    "HARD_SWISH": _hard_swish,
}
"""The operators that are a table of 256 bytes."""


def exps_of(beta: float, scale: np.float32, rounding: Rounding) -> tuple[Ints, Multiplier]:
    """SOFTMAX's exp of 0, -1, -2 ... steps of the input, Q0.31, up to where TFLM takes it for 0 (softmax.h); and what a
    step is, as a factor to Q5.26.

    What is below 2^-20 is left away as well: it adds nothing to the sum, which has 19 bits behind the point, and its
    share is no step of the output.
    """
    real = min(beta * float(scale) * 2**26, float(INT32_MAX))
    multiplier, shift = quantize_multiplier(real, rounding)
    farthest = math.floor(31 * 2**26 / 2.0**shift)
    steps = np.arange(min(farthest, 255) + 1, dtype=np.int64)
    exps = exp_of_negative(requantize(-steps, multiplier, shift, rounding), 5)
    return exps[exps >= 1 << 11], Multiplier(multiplier, shift)
