"""Fixed-point arithmetic against what its definitions say, in exact fractions and in floats."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.engine.fixed_point import (
    check_rounding,
    divide_by_power,
    exp_of_negative,
    high_product,
    one_minus_over_one_plus,
    one_over_one_plus,
    quantize_multiplier,
    requantize,
)
from tinynas.errors import UsageError

INT32 = st.integers(-(2**30) + 1, 2**30 - 1)
FACTOR = st.integers(2**30, 2**31 - 1)


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def half_away(value: Fraction) -> int:
    return half_up(value) if value >= 0 else -half_up(-value)


@given(INT32, FACTOR)
def test_the_high_product_rounds_halves_up(x: int, factor: int) -> None:
    assert high_product(x, factor) == half_up(Fraction(x * factor, 2**31))


@given(INT32, st.integers(0, 31))
def test_the_shift_rounds_halves_away(x: int, exponent: int) -> None:
    assert divide_by_power(x, exponent) == half_away(Fraction(x, 2**exponent))


@given(INT32, FACTOR, st.integers(-31, 0))
def test_double_rounding_rounds_twice_and_single_once(x: int, factor: int, shift: int) -> None:
    exact = Fraction(x * factor, 2**31)
    assert requantize(x, factor, shift) == half_away(Fraction(half_up(exact), 2**-shift))
    assert requantize(x, factor, shift, "single") == half_up(exact / 2**-shift)


@given(st.floats(2**-30, 2**10))
def test_a_multiplier_is_the_nearest(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert abs(Fraction(multiplier, 2**31) * Fraction(2) ** shift - Fraction(real)) <= Fraction(real) / 2**30


def test_what_is_too_small_is_0() -> None:
    assert quantize_multiplier(0.0) == quantize_multiplier(2.0**-33) == (0, 0)
    assert quantize_multiplier(1 - 2.0**-40) == (2**30, 1)


@given(st.integers(-(2**31) + 1, 0), st.sampled_from([4, 5]))
def test_exp_is_near_exp(x: int, bits: int) -> None:
    real = math.exp(x / 2 ** (31 - bits))
    assert abs(int(exp_of_negative(x, bits)) / 2**31 - real) < 3e-7


@given(st.integers(0, 2**31 - 1))
def test_reciprocals_are_near_reciprocals(x: int) -> None:
    real = x / 2**31
    assert abs(int(one_over_one_plus(x)) / 2**31 - 1 / (1 + real)) < 1e-8
    assert abs(int(one_minus_over_one_plus(x)) / 2**31 - (1 - real) / (1 + real)) < 1e-8


def test_arrays_broadcast() -> None:
    found = requantize(np.array([[100, -100], [7, 9]]), np.array([2**30, 2**30 + 5]), np.array([0, -1]))
    assert found.tolist() == [[50, -25], [4, 3]]


def test_an_unknown_rounding_is_named() -> None:
    with pytest.raises(UsageError, match="'up'; wanted one of double, single"):
        check_rounding("up")
