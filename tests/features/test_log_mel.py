"""Log-mel features against TensorFlow's, and against tones whose band is known."""

import numpy as np
import pytest

from tinynas.data import MelFeatures
from tinynas.errors import DataError


def tone(hz, features, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(features.clip) / features.sample_rate)


@pytest.mark.parametrize(("rate", "clip", "mels"), [(16000, 16000, 40), (8000, 4000, 20), (4000, 900, None)])
def test_features_are_those_of_tensorflow(tensorflow, rate, clip, mels) -> None:
    tf = tensorflow
    made = MelFeatures.for_sound(rate, clip, mels)
    x = np.random.default_rng(0).normal(0, 0.1, (3, clip)).astype(np.float32)
    spectrum = tf.signal.stft(x, made.frame, made.hop, made.n_fft)  # its window is the periodic Hann too
    power = tf.abs(spectrum) ** 2 / tf.reduce_sum(tf.signal.hann_window(made.frame)) ** 2
    weights = tf.signal.linear_to_mel_weight_matrix(
        made.n_mels, made.n_fft // 2 + 1, made.sample_rate, made.low_hz, made.high_hz
    )
    wanted = 10 * np.log10(np.maximum((power @ weights).numpy(), 1e-8))
    assert wanted.shape == (3, made.n_frames, made.n_mels)
    np.testing.assert_allclose(made.apply(x), wanted, atol=0.01)


def test_a_second_at_16_khz_is_49_frames_of_40_bands() -> None:
    made = MelFeatures.for_sound(16000, 16000)
    assert (made.n_frames, made.n_mels, made.frame, made.hop, made.n_fft) == (49, 40, 480, 320, 512)


@pytest.mark.parametrize("hz", [300, 1000, 3000])
def test_a_tone_is_loudest_in_its_band(hz) -> None:
    made = MelFeatures.for_sound(16000, 16000)
    bands = made.apply(tone(hz, made)[None])[0].mean(axis=0)
    edges = 700 * np.expm1(np.linspace(np.log1p(made.low_hz / 700), np.log1p(made.high_hz / 700), made.n_mels + 2))
    loudest = int(bands.argmax())
    assert edges[loudest] < hz < edges[loudest + 2]


def test_twice_as_loud_is_six_decibels_and_silence_is_the_floor() -> None:
    made = MelFeatures.for_sound(16000, 16000)
    one, two = (made.apply(tone(1000, made, amplitude)[None]).max() for amplitude in (0.2, 0.4))
    assert two - one == pytest.approx(6.02, abs=0.01)
    assert (made.apply(np.zeros((1, 16000))) == -80).all()
    assert (made.apply(np.full((1, 16000), 0.5))[:, :, 5:] == -80).all()  # an offset is not sound


@pytest.mark.parametrize("rate", [100, 440, 1000, 2000, 8000, 22050, 44100, 48000, 192000, 400_000])
def test_every_band_has_a_value_at_any_rate(rate) -> None:
    made = MelFeatures.for_sound(rate, rate)
    assert made.filters().any(axis=0).all()
    assert MelFeatures.from_dict(made.to_dict()) == made


def test_what_cannot_be() -> None:
    with pytest.raises(DataError, match="clips of 100 samples at 16000 Hz are shorter than a frame of 480"):
        MelFeatures.for_sound(16000, 100)
    with pytest.raises(DataError, match=r"500 mel bands at 8000 Hz are too narrow for the FFT: at most \d+"):
        MelFeatures.for_sound(8000, 8000, 500)
    made = MelFeatures.for_sound(8000, 8000)
    with pytest.raises(DataError, match=r"clips have shape \(2, 70\), wanted \(n, 8000\)"):
        made.apply(np.zeros((2, 70)))
    for broken in ({}, made.to_dict() | {"kind": "mfcc"}, made.to_dict() | {"hop": "a"}, made.to_dict() | {"hop": 0}):
        with pytest.raises(DataError, match="mel features"):
            MelFeatures.from_dict(broken)
    with pytest.raises(DataError, match="wanted 0 <= low < high"):
        MelFeatures.from_dict(made.to_dict() | {"high_hz": 9000.0})
