from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.tflite.affine import to_int8, to_real

SCALES = st.floats(2**-12, 4, width=32)
ZERO_POINTS = st.integers(-128, 127)


@given(st.lists(st.floats(-600, 600, width=32), min_size=1, max_size=20), SCALES, ZERO_POINTS)
def test_int8_is_the_nearest_step_of_the_exact_quotient(x, scale, zero_point):
    found = to_int8(np.array(x, np.float32), scale, zero_point)
    assert found.dtype == np.int8
    for value, step in zip(x, found.tolist(), strict=True):
        exact = Fraction(value) / Fraction(scale) + zero_point
        nearest = min(max(exact, -128), 127)
        assert abs(step - nearest) <= Fraction(1, 2) + abs(exact) / 2**22  # a float32 quotient has 24 bits


def test_half_a_step_goes_to_the_even_one_and_the_ends_hold():
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9], np.float32)
    assert to_int8(x, 1.0, 0).tolist() == [0, 2, 2, 0, -2, 127, -128]
    assert to_int8(x, 1.0, 3).tolist() == [3, 5, 5, 3, 1, 127, -128]


@given(SCALES, ZERO_POINTS)
def test_every_int8_comes_back(scale, zero_point):
    every = np.arange(-128, 128).astype(np.int8)
    real = to_real(every, scale, zero_point)
    assert real.dtype == np.float32
    assert real[zero_point + 128] == 0
    assert np.diff(real) == pytest.approx(np.full(255, scale), rel=1e-3)
    np.testing.assert_array_equal(to_int8(real, scale, zero_point), every)
