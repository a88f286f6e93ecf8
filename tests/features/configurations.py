"""Random int_log_mel features, and sound that goes to the ends of what they take."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.features import IntLogMel, fixed
from tinynas.features.noise import Noise

N_FRAMES = 6


def configurations(n: int, seed: int = 0, *, background: bool = True) -> list[IntLogMel]:
    """n of them: 8 to 48 kHz, frames of 16 to 64 ms, hops of 50 to 100 %, 8 to 64 bands, any range of bytes.

    Two of three have noise reduction, one of them PCAN; their backgrounds are 0 unless there is a `background`.
    """
    rng, noises = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    found: list[IntLogMel] = []
    while len(found) < n:
        rate = int(rng.choice([8000, 11025, 16000, 22050, 32000, 44100, 48000]))
        frame = int(rate * rng.uniform(0.016, 0.064))
        hop = int(frame * rng.uniform(0.5, 1))
        low, high = rng.uniform(0, 300), rng.uniform(0.3, 0.5) * rate
        n_fft = 1 << (frame - 1).bit_length()
        numbers = rate, frame + N_FRAMES * hop, frame, hop, n_fft, int(rng.integers(8, 65)), low, high
        try:
            made = IntLogMel(*numbers, log_scale=int(rng.integers(10, 60)), log_zero=int(rng.integers(0, 120)))
        except DataError:
            continue
        if made.filled():
            found.append(with_noise(made, len(found) % 3, noises, background=background))
    return found


def with_noise(made: IntLogMel, how: int, rng: np.random.Generator, *, background: bool = True) -> IntLogMel:
    """The same without noise reduction (0), with it (1), or with PCAN (2)."""
    if how == 0:
        return made
    estimates = np.round(1024 * 10 ** rng.uniform(-1, 5, made.n_mels)).astype(int) * background
    return replace(made, noise=Noise(tuple(estimates.tolist()), pcan=how == 2))


def sound(samples: int, seed: int = 0) -> npt.NDArray[np.int16]:
    """Samples of 16 bits: noise from the last bit to far beyond full scale, silence, tones, -32768, square waves."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples)
    level = 10 ** rng.uniform(-4.6, 1.2)
    kinds = [
        lambda: rng.normal(0, level, samples),
        lambda: np.sin(time * rng.uniform(0, 3.1)) * min(level, 1.1),
        lambda: np.sign(np.sin(time * rng.uniform(0, 3.1))),
        lambda: np.zeros(samples),
        lambda: np.where(rng.random(samples) < 0.01, -1.0, rng.normal(0, 1e-4, samples)),
        lambda: np.where(time == samples // 2, 1 / 32768, 0.0),
    ]
    made = np.round(kinds[seed % len(kinds)]() * 32768)
    return np.clip(made, -32768, 32767).astype(np.int16)


def frames_of(features: IntLogMel, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """The frames (n, frame) of the samples, as they came."""
    return np.lib.stride_tricks.sliding_window_view(samples, features.frame)[:: features.hop]


def clipped(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    return np.maximum(samples, -fixed.FULL_SCALE)
