"""What noise reduction and PCAN are worth in a stream, and how they are to be trained: a table of test accuracies.

    python tools/make_spoken.py words --each 2 --seed 3
    python tools/bench_noise.py words

Each training clip is computed after a reset to no noise, after a reset to the background of the set, or as
`--features int_log_mel+noise` and `+pcan` do it: after noise of many levels, from 12 dB softer than the background to
12 dB louder. Each test clip follows two seconds of white noise, as in a stream that runs: as loud as make_spoken.py's
(30 of 32768), 20 dB softer or 20 dB louder, the last columns all of it, noise and word, at another level. Two
classifiers, logistic regression and a random forest, see what is left of the bytes: mean and maximum of seven parts of
a clip, and mean and deviation of the whole.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[1]))

from tinynas.data.readers.quiet import background, levels
from tinynas.data.readers.sound import resampled
from tinynas.data.readers.wav import read_wav
from tinynas.features import IntLogMel
from tinynas.features.fixed import to_int16
from tinynas.features.noise import Noise

RATE, SECONDS, PARTS, SIGMA = 16_000, 2, 7, 30.0
TESTS = {
    "same noise": (0, 0),
    "noise -20 dB": (-20, 0),
    "noise -10 dB": (-10, 0),
    "noise +10 dB": (10, 0),
    "noise +20 dB": (20, 0),
    "all -20 dB": (0, -20),
    "all +8 dB": (0, 8),
}


def samples_of(file: Path) -> np.ndarray:
    """The samples of a file as the device has them."""
    return to_int16(resampled(read_wav(file), RATE))


def read(folder: Path) -> tuple[list[Path], np.ndarray, np.ndarray]:
    """(files, clips (n, RATE), labels)."""
    files = sorted(folder.glob("[!_]*/*.wav"))
    clips = np.zeros((len(files), RATE), np.int16)
    for row, file in zip(clips, files, strict=True):
        sound = samples_of(file)[:RATE]
        row[: len(sound)] = sound
    return files, clips, np.array([file.parent.name for file in files])


def magnitudes(features: IntLogMel, clips: np.ndarray) -> np.ndarray:
    """Magnitudes (n, frames, bands) of the clips' frames."""
    frames = np.lib.stride_tricks.sliding_window_view(clips, features.frame, axis=1)[:, :: features.hop]
    return features.magnitudes(frames.reshape(-1, features.frame)).reshape(len(clips), -1, features.n_mels)


def after_noise(clips: np.ndarray, noise_db: float, all_db: float, rng: np.random.Generator) -> np.ndarray:
    """The clips with two seconds of noise before each."""
    noise = rng.normal(0, SIGMA * 10 ** (noise_db / 20), (len(clips), SECONDS * RATE))
    streams = np.concatenate([noise, clips], axis=1) * 10 ** (all_db / 20)
    return np.clip(np.round(streams), -32767, 32767).astype(np.int16)


def seen(found: np.ndarray) -> np.ndarray:
    """What the classifiers see of bytes (n, frames, bands)."""
    each = found.astype(float)
    parts = [np.concatenate([part.mean(1), part.max(1)], 1) for part in np.array_split(each, PARTS, axis=1)]
    return np.concatenate([*parts, each.mean(1), each.std(1)], 1)


def row(
    features: IntLogMel,
    factors: Sequence[float],
    train: np.ndarray,
    tests: Mapping[str, np.ndarray],
    y: Any,
    y_test: Any,
) -> list[str]:
    """Accuracies on each test of classifiers that were trained after noise of such factors of the background."""
    logs = np.stack([features.after_noise(f).logs_of(one[None])[0] for f, one in zip(factors, train, strict=True)])
    fitted = features.fitted(float(logs.min()), float(logs.max()))
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=0.02, max_iter=400)),
        RandomForestClassifier(200, random_state=0),
    ]
    for model in models:
        model.fit(seen(fitted.bytes_of(logs)), y)
    cells = []
    for found in tests.values():
        given = seen(fitted.bytes_of(fitted.logs_of(found)[:, -train.shape[1] :]))
        cells.append(" / ".join(f"{model.score(given, y_test):.2f}" for model in models))
    return cells


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="what tools/make_spoken.py wrote")
    given = parser.parse_args()
    (files, clips, y), (_, clips_test, y_test) = (read(given.data / part) for part in ("train", "test"))
    plain = IntLogMel.for_sound(RATE, RATE)
    found, _ = background(given.data, files, list(y), plain, samples_of)
    train = magnitudes(plain, clips)
    rng = np.random.default_rng(0)
    tests = {name: magnitudes(plain, after_noise(clips_test, *how, rng)) for name, how in TESTS.items()}
    every = len(clips)
    print(f"| features | trained after | {' | '.join(TESTS)} |\n|---|---|{'---|' * len(TESTS)}")
    for name, noise in {"int_log_mel": None, "+noise": Noise(found), "+pcan": Noise(found, pcan=True)}.items():
        ways = {"no noise": [0.0] * every, "the background": [1.0] * every, "many levels": levels(every)}
        for way, factors in ways.items() if noise else [("-", [1.0] * every)]:
            cells = row(replace(plain, noise=noise), factors, train, tests, y, y_test)
            print(f"| `{name}` | {way} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
