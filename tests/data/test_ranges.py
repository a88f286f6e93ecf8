"""The range that becomes 0 to 1: far values do not eat it, unless they are what the classes differ in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import from_arrays
from tinynas.data.check import check
from tinynas.data.ranges import bulk_steps, find_ranges
from tinynas.errors import UsageError

Y = np.arange(120) % 3


def series(seed=0):
    return np.random.default_rng(seed).normal(size=(120, 50, 2))


@settings(max_examples=30)
@given(count=st.integers(1, 20), size=st.floats(1e3, 1e7), seed=st.integers(0, 50), sign=st.sampled_from([-1, 1]))
def test_spikes_do_not_eat_the_range(count, size, seed, sign) -> None:
    rng = np.random.default_rng(seed)
    x = series(seed)
    x[rng.integers(0, 120, count), rng.integers(0, 50, count), 0] = sign * size * rng.uniform(1, 2, count)
    data = from_arrays(x, Y, layout="series", seed=seed)
    assert (np.quantile(data.x[..., 0], 0.99) - np.quantile(data.x[..., 0], 0.01)) * 256 > 64
    full = from_arrays(x, Y, layout="series", seed=seed, range="full")
    told = [note for note in data.notes if note.startswith("Channel 1: ")]
    assert bool(told) == (data.normalization != full.normalization)


def test_the_note_says_values_steps_range_and_the_way_out() -> None:
    x = series()
    x[::20, 3, 1] = -999
    data = from_arrays(x, Y, x, Y, layout="series")
    (note,) = data.notes
    low, high = x[..., 1][x[..., 1] > -999].min(), x[..., 1].max()
    steps = 256 * np.diff(np.quantile(x[..., 1][x[..., 1] > -999], (0.005, 0.995)))[0] / (high + 999)
    assert note == (
        f"Channel 2: 6 of 6,000 values lie far from the others, such as -999 (6 times), as marks of failed readings "
        f"are: --missing drop or interpolate treats them; in a range of -999 to {high:.6g} the bulk has {steps:.3g} of "
        f"the 256 steps of int8, so the range is {low:.6g} to {high:.6g} and they are clipped, on the device too "
        f"(--range full keeps them)."
    )
    assert data.normalization.offset[1] == pytest.approx(low)
    assert from_arrays(x, Y, x, Y, layout="series", range="full").notes == ()


def test_far_values_that_tell_the_classes_apart_stay() -> None:
    """Taps: one sharp value in every sample of a class, far above the noise of the others."""
    x = 0.02 * np.random.default_rng(0).normal(size=(120, 150, 2))
    x[Y == 1, 25, 0] = 16 + np.random.default_rng(1).normal(size=40)
    data = from_arrays(x, Y, x, Y, layout="series")
    assert data.normalization.scale[0] == pytest.approx(1 / np.ptp(x[..., 0]))
    assert "but they tell the classes apart, so the range stays (--range robust clips them)." in data.notes[0]
    robust = from_arrays(x, Y, x, Y, layout="series", range="robust")
    assert robust.normalization.scale[0] > 5
    assert any("(1 of 256" in warning or "int8: --range robust" in warning for warning in check(data).warnings)


@pytest.mark.parametrize("values", ["normal", "skewed", "cut off", "zeros and ones", "constant", "sparse"])
def test_usual_data_keep_their_range(values) -> None:
    rng = np.random.default_rng(0)
    x = {
        "normal": rng.normal(size=(120, 60)),
        "skewed": rng.lognormal(0, 0.8, (120, 60)),
        "cut off": rng.normal(size=(120, 60)).clip(-1, 1),
        "zeros and ones": rng.integers(0, 2, (120, 60)) * 7.0,
        "constant": np.where(np.arange(60) == 3, rng.random((120, 60)), 0.5) * 9,
        "sparse": np.where(rng.random((120, 60)) < 0.995, 0.0, rng.random((120, 60))) * 5,
    }[values]
    data = from_arrays(x, Y, x, Y)
    assert data.notes == ()
    assert data.normalization == from_arrays(x, Y, x, Y, range="full").normalization


def test_floats_within_0_and_1_that_use_few_steps_get_the_range() -> None:
    """16-bit pictures divided by 65,535, of which a few hundred values are used."""
    rng = np.random.default_rng(0)
    x = (51600 + rng.normal(0, 30, (120, 8, 8))) / 65535
    data = from_arrays(x, Y, x, Y)
    assert (data.x.min(), data.x.max()) == (0, 1)
    wide = rng.random((120, 8, 8))
    assert from_arrays(wide, Y).normalization.scale == (1.0,)
    both = from_arrays(np.stack([x, wide], axis=-1), Y, layout="image").normalization
    assert both.scale[0] > 100
    assert (both.offset[1], both.scale[1]) == (0.0, 1.0)


def test_bytes_keep_theirs_unless_robust_is_asked_for() -> None:
    x = np.random.default_rng(0).integers(100, 110, (120, 8, 8), dtype=np.uint8)
    x[3, 3, 3] = 255
    assert from_arrays(x, Y).normalization.scale == (1 / 255,)
    asked = from_arrays(x, Y, range="robust").normalization
    assert (asked.offset[0], asked.scale[0]) == (100, pytest.approx(1 / 9))


def test_a_sample_of_many_values_is_enough(monkeypatch) -> None:
    x = series().astype(np.float32)
    x[7, 7, 0] = 5e6
    whole = find_ranges(x[:, :, None], None, Y, None)
    monkeypatch.setattr("tinynas.data.ranges._SAMPLE_VALUES", 500)
    some = find_ranges(x[:, :, None], None, Y, None)
    assert some.high[0] < 10
    assert some.high[0] == pytest.approx(whole.high[0], rel=0.5)


def test_steps_are_those_of_quantiles() -> None:
    x = np.random.default_rng(0).random((50, 6, 1, 3)).astype(np.float32) * [1, 0.5, 0.01]
    low, high = np.quantile(x.reshape(-1, 3), (0.01, 0.99), axis=0)
    assert bulk_steps(x) == pytest.approx(256 * (high - low), abs=0.06)
    found = check(from_arrays(np.squeeze(x * 100 - 7), np.arange(50) % 2, layout="series"))
    assert len(found.steps) == 3
    assert all(steps > 200 for steps in found.steps)


def test_ranges_that_are_none() -> None:
    with pytest.raises(UsageError, match="range is 'wide'; choose full or robust"):
        from_arrays(series(), Y, range="wide")
