"""Spectral features: against scipy, hand arithmetic, and what a run keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch
from scipy.stats import kurtosis, skew

from tests.features.spectral_sets import spectral, windows
from tinynas.errors import DataError
from tinynas.features import Spectral, from_dict
from tinynas.features.spectral import LONGEST, MOMENTS

NEPER = 65536.0


def made_of(counts: np.ndarray, **changes: int) -> tuple[Spectral, np.ndarray]:
    """Features of one channel whose raw values are those of 16 bits, and the values of windows (n, window) of them."""
    features = Spectral(**{"window": counts.shape[1], "n_fft": 32, "hop": 16} | changes, offsets=(0.0,), gains=(1.0,))
    return features, features.values(counts[..., None].astype(np.int16))[..., 0].astype(np.float64)


def noises(n: int, window: int, seed: int = 0) -> np.ndarray:
    """Windows of noise around means of their own: even, lopsided and spiky, from 30 counts to full scale."""
    rng = np.random.default_rng(seed)
    kinds = [rng.normal, lambda *shape: rng.exponential(size=shape[2]), lambda *shape: rng.standard_t(3, size=shape[2])]
    rows = [kinds[row % 3](0, 1, window) for row in range(n)]
    level = np.geomspace(30, 30000, n)[:, None]
    made = np.stack([row / np.abs(row).max() for row in rows]) * level * 0.9 + rng.uniform(-1, 1, (n, 1)) * level * 0.1
    return np.clip(np.round(made), -32767, 32767)


def test_moments_are_scipys() -> None:
    x = noises(300, 100)
    _, values = made_of(x)
    mean, rms, skewness, spiky = values[:, : len(MOMENTS)].T
    assert (mean == np.floor(x.mean(axis=1))).all()
    shared = rms / NEPER - np.log(x.std(axis=1))
    assert np.abs(shared - np.log(100)).max() < 0.004  # the logarithm's own error is 0.0025
    assert np.abs(skewness / NEPER - skew(x, axis=1)).max() < 0.003
    shared = spiky / NEPER - np.log(kurtosis(x, axis=1, fisher=False))
    assert np.abs(shared - np.log(65536)).max() < 0.004


@pytest.mark.parametrize(("window", "n_fft", "hop"), [(100, 32, 16), (128, 64, 32), (64, 64, 64), (300, 16, 5)])
def test_the_spectrum_is_welchs(window: int, n_fft: int, hop: int) -> None:
    x = noises(90, window)
    features, values = made_of(x, n_fft=n_fft, hop=hop)
    assert features.segments == 1 + (window - n_fft) // hop
    hann = np.sin(np.pi * (np.arange(n_fft) + 0.5) / n_fft) ** 2  # scipy's own begins at 0
    about = {"window": hann, "nperseg": n_fft, "noverlap": n_fft - hop, "detrend": False, "scaling": "spectrum"}
    _, power = welch(x - x.mean(axis=1, keepdims=True), axis=1, **about)
    wanted = 0.5 * np.log(power[:, 1 : n_fft // 2]) + 0.5 * np.log(hann.sum() ** 2 / 2 / n_fft**2) + np.log(window)
    apart = values[:, len(MOMENTS) :] / NEPER - wanted
    loud = wanted > wanted.max(axis=1, keepdims=True) - 4.6  # 40 dB: below it the FFT's 16 bits round
    assert loud.mean() > 0.9
    assert np.abs(apart[loud]).max() < 0.35  # 3 dB
    assert np.sqrt((apart[loud] ** 2).mean()) < 0.03  # 0.25 dB


def test_twice_the_vibration_is_six_decibels_and_the_mean_is_its_own_feature() -> None:
    x = np.round(4000 * np.sin(np.arange(64) * 2 * np.pi * 5 / 32))[None]
    _, values = made_of(np.concatenate([x, 2 * x, x + 9000]))
    one, two, moved = values
    assert one[4:].argmax() == 4  # the fifth frequency of 32 steps
    np.testing.assert_allclose((two - one)[[1, 8]] / NEPER, np.log(2), atol=0.003)
    assert (moved[1:] == one[1:]).all()
    assert moved[0] - one[0] == 9000


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_any_window_has_values_whatever_it_holds(seed: int) -> None:
    features = spectral(seed)
    x = windows(features, 6, seed + 1)
    values = features.values(features.counts(x))
    assert (np.abs(values.astype(np.int64)) < 1 << 26).all()
    flat = values[2]  # a constant
    assert (flat[MOMENTS.index("skewness")] == 0).all()
    assert (flat[1:] <= values[:, 1:].max(axis=0)).all()
    assert (features.apply(x) == features.bytes_of(values)).all()


def test_raw_values_become_16_bits_as_float32_rounds_them() -> None:
    features = Spectral.for_series(50, [-2.0, 0.0], [2.0, 0.0])
    assert features.gains == (np.float32(32767 / 2), 0.0)
    assert features.counts(np.array([[-2.0, 5.0], [2.0, 0.0], [9.0, -1.0], [-9.0, 0.0]])).T.tolist() == [
        [-32767, 32767, 32767, -32767],
        [0, 0, 0, 0],
    ]
    halves = Spectral(8, 8, 4, (0.0,), (0.5,))
    assert halves.counts(np.array([[1.0], [3.0], [-1.0], [-3.0], [0.9]]))[:, 0].tolist() == [1, 2, -1, -2, 0]


def test_bytes_span_the_training() -> None:
    features, _ = made_of(noises(200, 100))
    x = noises(200, 100)[..., None].astype(np.int16)
    fitted = features.fitted(features.values(x))
    found = fitted.bytes_of(fitted.values(x))
    assert found.shape == (200, fitted.n_values, 1)
    low, high = np.quantile(found[:, :, 0], [0.01, 0.99], axis=0)
    assert (low[[0, 2]] < 60).all()
    assert ((high - low) > 100)[: len(MOMENTS)].all()
    # A constant feature takes a byte's middle, and its last digits no steps.
    still = features.fitted(features.values(np.zeros((5, 100, 1), np.int16)))
    assert np.unique(still.apply(np.zeros((1, 100, 1)))).tolist() == [128]
    assert np.abs(still.apply(np.full((1, 100, 1), 3.0)).astype(int) - 128)[0, 0] <= 3


@pytest.mark.parametrize(("window", "n_fft"), [(8, 8), (15, 8), (16, 16), (63, 16), (64, 32), (100, 32), (8192, 64)])
def test_what_a_window_is_cut_into(window: int, n_fft: int) -> None:
    made = Spectral.for_series(window, [-1.0], [1.0])
    assert (made.n_fft, made.hop) == (n_fft, n_fft // 2)
    assert made.n_values == 3 + n_fft // 2
    assert from_dict(made.to_dict()) == made


@pytest.mark.parametrize("seed", range(3))
def test_what_a_run_keeps_is_read_back(seed: int) -> None:
    import json

    made = spectral(seed)
    assert from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_what_cannot_be() -> None:
    for window in (7, LONGEST + 1):
        with pytest.raises(DataError, match="steps has no spectral features, wanted 8 to 8,192"):
            Spectral.for_series(window, [-1.0], [1.0])
    made = spectral(0)
    kept = made.to_dict()
    with pytest.raises(DataError, match="wanted a power of two from 8 to 1,024"):
        Spectral(50, 24, 12, (0.0,), (1.0,))
    with pytest.raises(DataError, match="with 2 offsets and 1 gains"):
        Spectral(50, 16, 8, (0.0, 0.0), (1.0,))
    with pytest.raises(DataError, match="lows and factors for each of"):
        from_dict(kept | {"lows": [[1, 2]]})
    with pytest.raises(DataError, match="the constants of the features are not those"):
        from_dict(kept | {"tables_sha256": "0"})
    with pytest.raises(DataError, match="wanted the keys"):
        from_dict({key: value for key, value in kept.items() if key != "hop"})
    with pytest.raises(DataError, match="must be a number or a list of such"):
        from_dict(kept | {"lows": 3})
    with pytest.raises(DataError, match=r"windows have shape \(2, 7, 1\)"):
        made.values(np.zeros((2, 7, 1), np.int16))
