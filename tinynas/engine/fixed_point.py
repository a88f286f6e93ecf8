"""TFLM's fixed-point arithmetic on whole numbers: multipliers, their rounding, exp and the reciprocal.

Values are int64 arrays (or ints) that hold int32; Qm.n is a number with n bits behind the point. Sources: TFLM's
lite/kernels/internal/common.cc and quantization_util.cc; gemmlowp's fixedpoint.h, by Mitchell's and Newton's methods.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from tinynas.errors import UsageError

Ints = npt.NDArray[np.int64]
Rounding = Literal["double", "single"]
"""How an accumulator is scaled: rounded at 2^31 and again at the shift (TFLM's default), or once
(TFLITE_SINGLE_ROUNDING)."""

ROUNDINGS: tuple[str, ...] = get_args(Rounding)
INT32_MAX = 2**31 - 1
_LEAST_EXPONENT, _MOST_EXPONENT_SINGLE = -31, 30


class Multiplier(NamedTuple):
    """A positive real factor as `multiplier` / 2^31 * 2^`shift`; the multiplier has 31 bits, or is 0."""

    multiplier: int
    shift: int


def check_rounding(rounding: str) -> None:
    """UsageError unless `rounding` is one of ROUNDINGS."""
    if rounding not in ROUNDINGS:
        raise UsageError(f"The rounding is {rounding!r}; wanted one of {', '.join(ROUNDINGS)}.")


def half_away(value: float) -> int:
    """The nearest whole number; halves go away from zero, as C's round() does."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(0.5 - value)


def quantize_multiplier(real: float, rounding: Rounding = "double") -> Multiplier:
    """`real` >= 0 as a Multiplier (TFLM: QuantizeMultiplier); what is below 2^-32 becomes 0."""
    if real == 0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    multiplier = half_away(fraction * 2**31)
    if multiplier == 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < _LEAST_EXPONENT:
        return Multiplier(0, 0)
    if rounding == "single" and shift > _MOST_EXPONENT_SINGLE:
        return Multiplier(INT32_MAX, _MOST_EXPONENT_SINGLE)
    return Multiplier(multiplier, shift)


def wrap(x: Any) -> Any:
    """x as int32 holds it, what is beyond wrapped around."""
    return (np.asarray(x, np.int64) + 2**31) % 2**32 - 2**31


def high_product(a: Any, b: Any) -> Any:
    """a * b / 2^31, halves up: SaturatingRoundingDoublingHighMul for all but the pair of two least values."""
    return (np.asarray(a, np.int64) * np.asarray(b, np.int64) + 2**30) >> 31


def divide_by_power(x: Any, exponent: Any) -> Any:
    """x / 2^exponent, halves away from zero (RoundingDivideByPOT); an exponent of 0 changes nothing."""
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    half = np.where(exponent > 0, np.left_shift(1, np.maximum(exponent - 1, 0)), 0)
    return (x + half - ((x < 0) & (exponent > 0))) >> exponent


def requantize(x: Any, multiplier: Any, shift: Any, rounding: Rounding = "double") -> Ints:
    """x times the factor, a whole number (TFLM: MultiplyByQuantizedMultiplier); arrays broadcast."""
    x, shift = np.asarray(x, np.int64), np.asarray(shift, np.int64)
    if rounding == "single":
        total = 31 - shift
        scaled: Ints = (x * np.asarray(multiplier, np.int64) + np.left_shift(np.int64(1), total - 1)) >> total
        return scaled
    left = wrap(x * np.left_shift(np.int64(1), np.maximum(shift, 0)))
    doubled: Ints = divide_by_power(high_product(left, multiplier), np.maximum(-shift, 0))
    return doubled


def saturate(x: Any) -> Ints:
    """x within the range of int32."""
    clipped: Ints = np.clip(np.asarray(x, np.int64), -(2**31), INT32_MAX)
    return clipped


_EIGHTH = 1 << 28
_EXP_MINUS_EIGHTH, _THIRD = 1895147668, 715827883  # exp(-1/8) and 1/3, Q0.31
# exp(-2^k) for k = -2 .. 4, Q0.31.
_EXP_POWERS = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}


def exp_of_negative(x: Any, integer_bits: int) -> Ints:
    """exp(x) in Q0.31 of x <= 0 in Q(integer_bits).(31 - integer_bits) (gemmlowp: exp_on_negative_values)."""
    x = np.asarray(x, np.int64)
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    within = (x & (quarter - 1)) - quarter  # x modulo 1/4, in [-1/4, 0)
    t = (within << integer_bits) + _EIGHTH
    square = high_product(t, t)
    cube, fourth = high_product(square, t), high_product(square, square)
    tail = divide_by_power(high_product(divide_by_power(fourth, 2) + cube, _THIRD) + square, 1)
    result = _EXP_MINUS_EIGHTH + high_product(_EXP_MINUS_EIGHTH, t + tail)
    remainder = within - x
    for power, factor in _EXP_POWERS.items():
        if integer_bits > power:
            result = np.where(remainder & (1 << (fraction_bits + power)), high_product(result, factor), result)
    exact: Ints = np.where(x == 0, INT32_MAX, result)
    return exact


_NEWTON_START, _NEWTON_SLOPE = 1515870810, -1010580540  # 48/17 and -32/17, Q2.29


def _reciprocal(x: Any) -> Ints:
    """2 / (1 + x) in Q2.29 of x in [0, 1) in Q0.31: three steps of Newton's method."""
    total = np.asarray(x, np.int64) + INT32_MAX
    half = (total + 1) // 2  # RoundingHalfSum of non-negative values
    result = _NEWTON_START + high_product(half, _NEWTON_SLOPE)
    for _ in range(3):
        error = (1 << 29) - high_product(half, result)
        result = result + saturate(high_product(result, error) << 2)
    found: Ints = np.asarray(result)
    return found


def one_over_one_plus(x: Any) -> Ints:
    """1 / (1 + x) in Q0.31 of x in [0, 1) in Q0.31 (gemmlowp: one_over_one_plus_x_for_x_in_0_1)."""
    return saturate(_reciprocal(x) << 1)


def one_minus_over_one_plus(x: Any) -> Ints:
    """(1 - x) / (1 + x) in Q0.31 of x in [0, 1) in Q0.31 (gemmlowp: one_minus_x_over_one_plus_x_for_x_in_0_1)."""
    return saturate((_reciprocal(x) - (1 << 29)) << 2)
