"""Normalisation: against numpy written out plainly, in range always, and the same on one sample as on all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinynas.data import Normalization, from_arrays
from tinynas.data.normalize import fit_normalization
from tinynas.errors import DataError

Y = np.arange(20) % 2


def dataset(x, x_test=None):
    return from_arrays(x, Y, x if x_test is None else x_test, Y, layout="series")


def test_ubyte_is_divided_by_255_whatever_its_range() -> None:
    x = np.random.default_rng(0).integers(10, 90, (20, 5, 3), dtype=np.uint8)
    data = dataset(x)
    assert data.normalization == Normalization((0.0,), (1 / 255,), "uint8")
    np.testing.assert_array_equal(data.x[:, :, 0], (x / 255).astype(np.float32))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u2", "u4", "f4", "f8", "f2"])
def test_other_types_by_the_range_of_each_channel_in_training(dtype: str) -> None:
    x = np.random.default_rng(1).integers(1, 100, (20, 5, 3)).astype(dtype)
    x_test = np.random.default_rng(2).integers(0, 120, (20, 5, 3)).astype(dtype)
    data = dataset(x, x_test)
    low, high = x.astype(float).min((0, 1)), x.astype(float).max((0, 1))
    np.testing.assert_allclose(data.x[:, :, 0], (x - low) / (high - low), rtol=1e-6, atol=1e-7)
    expected = np.clip((x_test - low) / (high - low), 0, 1)
    np.testing.assert_allclose(data.x_test[:, :, 0], expected, rtol=1e-6, atol=1e-7)
    assert data.normalization.source_dtype == x.dtype.name
    assert len(data.normalization.offset) == 3


def test_float_in_the_unit_range_is_left_as_it_is_and_the_test_part_is_clipped() -> None:
    x = np.linspace(0.2, 0.7, 20 * 4, dtype=np.float32).reshape(20, 4)
    data = dataset(x, x * 2 - 0.5)
    np.testing.assert_array_equal(data.x[:, :, 0, 0], x)
    np.testing.assert_array_equal(data.x_test[:, :, 0, 0], np.clip(x * 2 - 0.5, 0, 1))
    assert data.normalization == Normalization((0.0,), (1.0,), "float32")


def test_bool_becomes_zero_and_one() -> None:
    x = np.random.default_rng(0).random((20, 6)) < 0.5
    np.testing.assert_array_equal(dataset(x).x[:, :, 0, 0], x.astype(np.float32))


def test_a_constant_channel_becomes_zero_even_where_the_test_differs() -> None:
    x = np.random.default_rng(0).normal(size=(20, 5, 2))
    x[:, :, 1] = 7.0
    data = dataset(x, x + 1)
    assert data.normalization.scale[1] == 0.0
    assert not data.x[..., 1].any()
    assert not data.x_test[..., 1].any()


def test_only_constants_cannot_be_learned() -> None:
    with pytest.raises(DataError, match="every training sample holds the same values"):
        dataset(np.full((20, 5, 2), 7.0))


def test_the_range_comes_from_the_training_share_alone() -> None:
    x = np.random.default_rng(0).normal(size=(50, 4))
    sets = [from_arrays(x, np.arange(50) % 5, seed=seed) for seed in range(30)]
    assert all(data.x.min() == 0.0 and data.x.max() == 1.0 for data in sets)
    assert any(data.normalization.offset[0] > x.min() for data in sets)  # the least value is in a test part


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 6), st.integers(1, 4), st.just(1), st.integers(1, 3)),
        elements=st.floats(-3e38, 3e38, allow_nan=False),
    )
)
def test_always_within_the_unit_range_and_monotone(x: np.ndarray) -> None:
    try:
        fitted = fit_normalization(x, None, "x")
    except DataError:
        assert (np.ptp(x, axis=(0, 1, 2)) < 1e-37).all()
        return
    out = fitted.apply(x)
    assert out.dtype == np.float32
    assert out.min() >= 0
    assert out.max() <= 1
    for channel in range(x.shape[-1]):
        order = np.argsort(x[..., channel], axis=None)
        assert (np.diff(out[..., channel].ravel()[order]) >= 0).all()
    np.testing.assert_array_equal(np.stack([fitted.apply(sample) for sample in x]), out)


def test_apply_keeps_the_shape_and_wants_the_channels() -> None:
    fitted = Normalization((0.0, 1.0), (1.0, 0.5), "float32")
    assert fitted.apply([0.5, 2.0]).tolist() == [0.5, 0.5]
    with pytest.raises(DataError, match="made for 2 channels, the values have 3"):
        fitted.apply(np.zeros((4, 3)))


def test_dict_round_trip_and_its_errors() -> None:
    fitted = Normalization((0.0, 1.5), (1.0, 0.25), "int16")
    assert Normalization.from_dict(fitted.to_dict()) == fitted
    for broken in (
        {"offset": [0]},
        fitted.to_dict() | {"offset": ["a"]},
        fitted.to_dict() | {"clip": [0, 2]},
    ):
        with pytest.raises(DataError):
            Normalization.from_dict(broken)
    for offset, scale in (((), ()), ((0.0,), (1.0, 2.0)), ((float("nan"),), (1.0,))):
        with pytest.raises(DataError, match="equally many finite numbers"):
            Normalization(offset, scale, "int16")
