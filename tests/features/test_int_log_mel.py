"""Integer log-mel features: against the decibels of floating point, hand arithmetic, and what a stream makes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.configurations import configurations, frames_of, sound
from tinynas.data import MelFeatures
from tinynas.errors import DataError
from tinynas.features import IntLogMel, fixed, from_dict
from tinynas.features.tables import tables_of

ONE_SECOND = IntLogMel.for_sound(16000, 16000)


def test_they_follow_the_decibels_of_floating_point() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(16000) / 16000
    clips = np.stack([rng.normal(0, 0.1, 16000), 0.5 * np.sin(2 * np.pi * 900 * time) + rng.normal(0, 0.01, 16000)])
    decibels = MelFeatures.for_sound(16000, 16000).apply(clips)
    frames = np.lib.stride_tricks.sliding_window_view(fixed.to_int16(clips), 480, axis=1)[:, ::320].reshape(-1, 480)
    logs = ONE_SECOND.logs(frames).reshape(decibels.shape) / 65536 * 20 / np.log(10)
    loud = decibels > decibels.max(axis=2, keepdims=True) - 40  # far from where 16 bits of a frame end
    apart = (logs - decibels)[loud]
    assert np.abs(apart - np.median(apart)).max() < 1.0
    assert np.std(apart) < 0.15


def test_twice_as_loud_is_six_decibels_more() -> None:
    tone = np.sin(np.arange(480) * 0.4)[None]
    one, two = (ONE_SECOND.logs(fixed.to_int16(level * tone)).max() / 65536 for level in (0.2, 0.4))
    assert two - one == pytest.approx(np.log(2), abs=0.01)


@pytest.mark.parametrize("number", range(6))
def test_an_fft_is_numpys_divided_by_its_length(number) -> None:
    for features in configurations(5, number):
        frames = frames_of(features, sound(features.clip, number))
        padded = np.zeros((features.n_fft, len(frames)), np.int16)
        padded[: features.frame] = (np.maximum(frames, -32767).astype(np.int32) * features.tables.window >> 12).T
        found = fixed.energies(padded, features.tables)[1:]
        wanted = np.abs(np.fft.rfft(padded, axis=0)[1 : features.n_fft // 2] / features.n_fft) ** 2
        assert np.abs(np.sqrt(found) - np.sqrt(wanted)).max() < 8  # rounding at each stage, of 32767


def test_square_roots_and_logarithms_of_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    sums = np.concatenate([np.arange(5000), (1 << 32) + np.arange(-9, 9), rng.integers(0, 1 << 45, 5000)])
    roots = fixed.square_roots(sums.astype(np.float64))
    for value, root in zip(sums.tolist(), roots.tolist(), strict=True):
        assert abs(root * root - value) <= root or (root, value >> 32) == (65535, 0)
    values = np.concatenate([np.arange(1, 70000), rng.integers(1, 1 << 32, 5000)])
    logs = fixed.logarithms(values, ONE_SECOND.tables)
    assert (
        np.abs(logs[1:] - 65536 * np.log(values[1:])).max() < 160
    )  # 0.0025 nepers: TFLM takes next to nothing between two segments
    assert fixed.logarithms(np.array([0, 1]), ONE_SECOND.tables).tolist() == [0, 0]


def test_the_tables_by_hand() -> None:
    tables = ONE_SECOND.tables
    assert tables.window[:2].tolist() == [round(4096 * np.sin(np.pi * k / 960) ** 2) for k in (1, 3)]
    assert tables.twiddles[64].tolist() == [0, -32767]  # a quarter turn
    assert tables.log[64] == round(65536 * (np.log2(1.5) - 0.5))
    matrix = np.zeros((42, 257))
    entry = np.repeat(np.arange(41), tables.widths)
    at = tables.first + np.arange(len(entry))
    matrix[entry, at], matrix[entry + 1, at] = tables.weights, 4096 - tables.weights
    np.testing.assert_allclose(matrix[1:41].T, 4096 * ONE_SECOND.filters(), atol=0.5)
    assert tables_of(ONE_SECOND) is tables


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_a_stream_has_the_frames_of_its_clips(seed, hops) -> None:
    (features,) = configurations(1, seed)
    samples = sound(features.clip + 5 * hops * features.hop, seed)
    frames = features.bytes_of(features.logs(frames_of(features, samples)))
    for start in range(0, len(samples) - features.clip + 1, hops * features.hop):
        first = start // features.hop
        clip = features.apply(samples[None, start : start + features.clip])[0]
        assert (clip == frames[first : first + features.n_frames]).all()


def test_the_least_value_of_16_bits_is_as_its_neighbour() -> None:
    samples = np.full((1, 480), 100, np.int16)
    one, other = samples.copy(), samples.copy()
    one[0, 240], other[0, 240] = -32768, -32767
    assert (ONE_SECOND.logs(one) == ONE_SECOND.logs(other)).all()
    assert (fixed.to_int16(np.array([-1.0, -2.0, 1.0, 0.5 / 32768])) == [-32767, -32767, 32767, 0]).all()


def test_bytes_span_the_range_they_are_fitted_to() -> None:
    made = ONE_SECOND.fitted(200_000, 700_000)
    low, high = made.bytes_of(np.array([200_000, 700_000]))
    assert low == 0
    assert 255 * made.log_scale / (made.log_scale + 1) - 1 <= high <= 255
    assert made.bytes_of(np.array([0, 10**6])).tolist() == [0, 255]
    wide = ONE_SECOND.fitted(0, 900_000)  # digital silence does not take the steps of what is heard
    assert 255 * wide.step_db == pytest.approx(80, abs=3)
    assert wide.bytes_of(np.array([0, 900_000 - 65536 * 9, 900_000])).tolist() == [0, pytest.approx(6, abs=3), 249]
    assert made.step_db == pytest.approx(20 * np.log10(np.e) / made.log_scale)


@pytest.mark.parametrize("rate", [100, 440, 1000, 8000, 44100, 192000, 400_000])
def test_what_a_run_keeps_is_read_back(rate) -> None:
    made = IntLogMel.for_sound(rate, rate)
    assert from_dict(made.to_dict()) == made
    assert made.apply(np.random.default_rng(0).normal(0, 0.1, (1, rate))).std() > 0


def test_what_cannot_be() -> None:
    with pytest.raises(DataError, match="an FFT of 600, wanted a power of two"):
        IntLogMel(16000, 16000, 480, 320, 600, 40, 80, 7600)
    with pytest.raises(DataError, match="log_scale is 0"):
        IntLogMel(16000, 16000, 480, 320, 512, 40, 80, 7600, log_scale=0)
    kept = ONE_SECOND.to_dict()
    with pytest.raises(DataError, match="the constants of the features are not those"):
        from_dict(kept | {"tables_sha256": "0"})
    with pytest.raises(DataError, match="the kind is 'mfcc', wanted int_log_mel or log_mel"):
        from_dict(kept | {"kind": "mfcc"})
    with pytest.raises(DataError, match=r"clips have shape \(2, 70\), wanted \(n, 16000\)"):
        ONE_SECOND.apply(np.zeros((2, 70)))
