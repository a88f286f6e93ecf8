"""Noise reduction and PCAN: against the arithmetic of TFLM's sources a value at a time, and what they are for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.configurations import configurations, frames_of, sound
from tinynas.errors import DataError
from tinynas.features import IntLogMel, fixed, from_dict
from tinynas.features.noise import Noise, gains, snr_shift
from tinynas.options.reading import SOUND_FEATURES

PLAIN = IntLogMel.for_sound(16000, 16000)
QUIET = Noise((1024 * 40,) * 40)
REDUCED, EVEN = replace(PLAIN, noise=QUIET), replace(PLAIN, noise=replace(QUIET, pcan=True))
WORD = 1 << 32


def by_hand(magnitudes, noise, n_fft):
    """What is left of magnitudes (frames, bands), in Python's whole numbers, as signal/src computes it."""
    state, found = list(noise.background), []
    for row in magnitudes.tolist():
        left = []
        for band, value in enumerate(row):
            share = (409, 983)[band % 2]  # 0.025 and 0.06 of 2^14
            scaled = (value << 10) % WORD
            state[band] = (scaled * share + state[band] * (16384 - share)) >> 14
            made = max((scaled - min(state[band], scaled)) >> 10, (value * 819) >> 14)
            if noise.pcan:
                snr = ((made * gain_by_hand(state[band], gains(n_fft).tolist())) >> snr_shift(n_fft)) % WORD
                made = (snr * snr) >> 20 if snr < 8192 else (snr >> 6) - 64
            left.append(made)
        found.append(left)
    return np.array(found)


def gain_by_hand(estimate, table):
    if estimate <= 2:
        return table[estimate]
    bits = estimate.bit_length()
    value, slope, curvature = table[4 * bits - 6 : 4 * bits - 3]
    part = ((estimate << 11 >> bits) if bits < 11 else (estimate >> (bits - 11))) & 0x3FF
    return ((((curvature * part) >> 5) + (slope << 5)) * part + 16384 >> 15) + value


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([4, 64, 512, 4096, 1 << 15]))
def test_it_is_what_tflms_sources_say(seed: int, pcan: bool, n_fft: int) -> None:
    rng = np.random.default_rng(seed)
    magnitudes = np.floor(10 ** rng.uniform(0, 6.6, (2, 9, 5)) * (rng.random((2, 9, 5)) < 0.8)).astype(np.int64)
    noise = Noise(tuple(int(each) for each in 10 ** rng.uniform(0, 9.6, 5)), pcan)
    found = noise.taken_off(magnitudes, noise.estimates(magnitudes), n_fft)
    assert (found == [by_hand(each, noise, n_fft) for each in magnitudes]).all()


@pytest.mark.parametrize("n_fft", [64, 512, 2048])
def test_the_gain_is_a_power_of_the_noise(n_fft: int) -> None:
    bits = 10 - max(0, n_fft.bit_length() - 7)  # of an estimate, less the correction of the logarithm
    estimates = np.unique(np.geomspace(1, WORD - 1, 5000).astype(np.int64))
    table = gains(n_fft).tolist()
    found = np.array([gain_by_hand(int(each), table) for each in estimates])
    wanted = np.minimum(32767, 2**21 * (estimates / 2.0**bits + 80) ** -0.95)
    assert np.abs(found - wanted).max() < 70  # a parabola an octave, of 32767
    assert snr_shift(512) == 6  # as TFLM's wrapper has it for this length alone
    assert [snr_shift(each) for each in (64, 1024, 2048)] == [9, 5, 4]


def test_a_steady_noise_is_taken_off_and_a_word_is_not() -> None:
    rng = np.random.default_rng(0)
    hiss = rng.normal(0, 300, 16000 * 4)
    word = np.where(np.arange(len(hiss)) // 1600 == 30, 3000 * np.sin(np.arange(len(hiss)) * 0.4), 0)
    frames = frames_of(PLAIN, np.round(hiss + word).astype(np.int16))
    plain, reduced = (each.logs(frames) / 65536 for each in (PLAIN, REDUCED))
    at, band = 30 * 1600 // 320, int(np.argmax(plain[150]))
    before = slice(100, 145)
    contrast = [each[at + 1, band] - each[before, band].mean() for each in (plain, reduced)]
    assert contrast[1] > contrast[0] + 1  # nepers
    assert (plain[before] - reduced[before]).mean() > 1
    assert plain[at + 1, band] - reduced[at + 1, band] < 0.2


def test_levels_are_evened_out() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0, 1, 16000 * 4) + 20 * (np.arange(64000) // 4000 % 8 == 7) * np.sin(np.arange(64000) * 0.4)
    clips = [frames_of(PLAIN, np.round(level * base).astype(np.int16)) for level in (100, 1000)]
    plain, reduced, even = (
        np.subtract(*(each.logs(frames)[100:] / 65536 for frames in clips)) for each in (PLAIN, REDUCED, EVEN)
    )
    assert np.abs(np.median(plain)) == pytest.approx(np.log(10), abs=0.05)
    assert np.abs(np.median(reduced)) == pytest.approx(np.log(10), abs=0.1)
    assert np.abs(np.median(even)) < 0.4


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_a_stream_runs_on(seed: int) -> None:
    """A clip's frames in a stream are those of the stream, whatever came before; after a reset those of the clip."""
    features = configurations(3, seed)[seed % 2 + 1]
    samples = sound(features.clip + 7 * features.hop, seed)
    stream = features.logs(frames_of(features, samples))
    assert (features.apply(samples[None, : features.clip])[0] == features.bytes_of(stream[: features.n_frames])).all()
    starts = features.hop * np.arange(8)  # less than two seconds, so that they have all that came before
    windows = features.logs_of_windows(samples, starts)
    for start, window in enumerate(windows):
        assert (window == stream[start : start + features.n_frames]).all()


def test_two_seconds_of_a_recording_go_before_a_window() -> None:
    samples = np.round(np.random.default_rng(0).normal(0, 500, 16000 * 5)).astype(np.int16)
    (found,) = REDUCED.logs_of_windows(samples, [3 * 16000 + 7])
    begin = 3 * 16000 + 7 - 100 * 320
    assert (found == REDUCED.logs(frames_of(REDUCED, samples[begin:]))[100 : 100 + 49]).all()
    (first,) = REDUCED.logs_of_windows(samples, [0])
    assert (REDUCED.bytes_of(first) == REDUCED.apply(samples[None, :16000])[0]).all()
    assert (PLAIN.logs_of_windows(samples, [7])[0] == PLAIN.logs(frames_of(PLAIN, samples[7:]))[:49]).all()


@pytest.mark.parametrize("made", [REDUCED, EVEN, EVEN.fitted(100_000, 500_000)])
def test_what_a_run_keeps_is_read_back(made: IntLogMel) -> None:
    kept = made.to_dict()
    assert from_dict(kept) == made
    assert kept["noise"] == {"background": [40960] * 40, "pcan": made.noise == EVEN.noise}
    assert "noise" not in PLAIN.to_dict()
    digests = {each.to_dict()["tables_sha256"] for each in (PLAIN, REDUCED, EVEN)}
    assert len(digests) == 3
    assert fixed.natural_logs(np.array([[0]]), 512, made.tables).tolist() == [[0]]


def test_what_older_runs_keep_is_read_as_before() -> None:
    old = {
        "kind": "int_log_mel", "sample_rate": 16000, "clip": 16000, "frame": 480, "hop": 320, "n_fft": 512,
        "n_mels": 40, "low_hz": 80.0, "high_hz": 7600.0, "log_scale": 17, "log_zero": 0,
        "tables_sha256": "220b47da68ada2f700837369da59e5b15cd0bc5f774353c19cb1ee5716529524",
    }  # fmt: skip
    assert from_dict(old) == PLAIN
    assert PLAIN.to_dict() == old
    assert [each.name for each in (PLAIN, REDUCED, EVEN)] == ["int_log_mel", "int_log_mel+noise", "int_log_mel+pcan"]
    assert {each.name for each in (PLAIN, REDUCED, EVEN)} < set(SOUND_FEATURES)


def test_what_cannot_be() -> None:
    with pytest.raises(DataError, match="the background has 3 bands, the features 40"):
        replace(PLAIN, noise=Noise((1, 2, 3)))
    with pytest.raises(DataError, match="wanted whole numbers below 2\\^32"):
        Noise((-1,))
    kept = REDUCED.to_dict()
    for wrong in (None, {"background": [1]}, {"background": 5, "pcan": True}, {"background": [1] * 40, "pcan": 1}):
        with pytest.raises(DataError, match="noise: wanted"):
            from_dict({**kept, "noise": wrong})
    with pytest.raises(DataError, match="the constants of the features are not those"):
        from_dict({**EVEN.to_dict(), "tables_sha256": kept["tables_sha256"]})


def test_loudness_in_decibels_has_no_share_of_even_levels() -> None:
    assert REDUCED.share_of(6.0) == PLAIN.share_of(6.0) > 0
    assert EVEN.share_of(6.0) == 0
