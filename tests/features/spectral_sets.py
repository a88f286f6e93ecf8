"""Random spectral features, and windows of a sensor that go to the ends of what they take."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tinynas.features import Spectral

Floats = npt.NDArray[np.float32]


def spectral(seed: int) -> Spectral:
    """Features of 8 to 300 steps and 1 to 5 channels, segments of any length and overlap, any range of bytes."""
    rng = np.random.default_rng(seed)
    window, channels = int(rng.integers(8, 300)), int(rng.integers(1, 6))
    low = rng.normal(0, 10 ** rng.uniform(-3, 4), channels)
    made = Spectral.for_series(window, low, low + 10 ** rng.uniform(-3, 4, channels))
    if seed % 3:
        n_fft = 1 << int(rng.integers(3, window.bit_length()))
        made = replace(made, n_fft=n_fft, hop=int(rng.integers(n_fft // 4, n_fft + 1)))
    return made.fitted(made.values(made.counts(windows(made, 12, seed))))


def windows(features: Spectral, n: int, seed: int) -> Floats:
    """n windows (n, window, channels): noise of all levels, beyond the range, constants, tones, spikes and steps."""
    rng = np.random.default_rng((seed, 1))
    time = np.arange(features.window)[:, None]
    half = np.float32(32767) / np.array(features.gains, np.float32)
    found = []
    for number in range(n):
        level = 10 ** rng.uniform(-5, 0.5)
        kinds = [
            lambda level=level: rng.normal(rng.normal(0, 0.3), level, (features.window, features.channels)),
            lambda level=level: level * np.sin(time * rng.uniform(0, 3.1, features.channels)),
            lambda: np.full((features.window, features.channels), rng.choice([0.0, -1.0, 1.0, 7.0])),
            lambda level=level: np.where(time == rng.integers(features.window), level, 0.0),
            lambda: np.sign(np.sin(time * rng.uniform(0, 3.1, features.channels))),
            lambda: np.round(rng.normal(0, 3, (features.window, features.channels))) / 65534,  # halves of a count
        ]
        made = np.broadcast_to(kinds[number % len(kinds)](), (features.window, features.channels))
        found.append(np.array(features.offsets) + made * half)
    return np.stack(found).astype(np.float32)
