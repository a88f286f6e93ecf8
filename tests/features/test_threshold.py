"""The threshold that recordings choose: told are as many as can be, less those that are told falsely."""

from dataclasses import replace

import numpy as np
import pytest

from tinynas.features.smoothing import Smoothing
from tinynas.features.stream import Stream
from tinynas.features.threshold import Tuned, tuned

LENGTH, CHANNELS = 8, 3
STREAM = Stream(3, LENGTH, CHANNELS, 2, 0.02, Smoothing(3, suppression=7, background=(2,)))


def recordings(n: int, strengths: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """n clips of each class: the last six frames have its channel, as loud as its strength says, the others nothing."""
    y = np.tile(np.arange(3), n)
    x = np.zeros((len(y), LENGTH, CHANNELS, 1), np.float32)
    for number, label in enumerate(y):
        x[number, 2:, label, 0] = strengths[int(label)]
    return x, y


def loudness(windows: np.ndarray) -> np.ndarray:
    """A network that scores each class by how loud its channel is at its loudest; class 2 speaks through channel 0."""
    scores = windows[..., 0].max(axis=1)
    scores[:, 0] = np.maximum(scores[:, 0], scores[:, 2])
    scores[:, 2] = 0
    return (np.clip(np.round(scores * 255), 0, 255) - 128).astype(np.int8)


def test_it_lies_above_what_is_told_falsely() -> None:
    x, y = recordings(8, {0: 0.95, 1: 0.9, 2: 0.6})  # class 2, the background, is taken for class 0 at 153
    found = tuned(STREAM, x, y, loudness, quiet=True)
    assert found is not None
    assert (found.hits, found.events, found.false_accepts) == (16, 16, 0)
    assert 153 < found.threshold <= 230
    assert found.threshold in (188, 192, 196)  # the middle of what does as well
    assert str(found).startswith(f"threshold {found.threshold}, by which 16 of 16 recordings")
    assert Tuned.from_dict(found.to_dict()) == found


def test_no_other_threshold_is_better() -> None:
    rng = np.random.default_rng(0)
    x, y = recordings(12, {0: 0.9, 1: 0.8, 2: 0.7})
    x *= rng.uniform(0.4, 1.0, (len(x), 1, 1, 1)).astype(np.float32)
    found = tuned(STREAM, x, y, loudness, quiet=True)
    assert found is not None
    kept: list[np.ndarray] = []

    def run(windows: np.ndarray) -> np.ndarray:
        kept.append(windows)
        return loudness(windows)

    tuned(STREAM, x, y, run, quiet=True)
    outputs, gains = loudness(kept[0]), {}
    for threshold in range(104, 256, 4):
        told = set()
        wrong = 0
        for each in replace(STREAM.smoothing, threshold=threshold).detections(outputs):
            rows = range(
                (each.result - 2) * 2, each.result * 2 + LENGTH
            )  # of three windows; a clip and its quiet are 12
            heard = [
                row // 12 for row in rows if row % 12 < LENGTH and row // 12 < len(y) and y[row // 12] == each.label
            ]
            wrong += not heard
            told.update(heard[-1:])
        gains[threshold] = len(told) - wrong
    assert found.hits - found.false_accepts == max(gains.values()) == gains[found.threshold]
    assert len(set(gains.values())) > 3


@pytest.mark.parametrize("quiet", [True, False])
def test_the_recordings_are_played_in_turn(quiet: bool) -> None:
    x, y = recordings(6, {0: 0.9, 1: 0.8, 2: 0.7})
    order = np.random.default_rng(0).permutation(len(y))
    given: list[np.ndarray] = []

    def run(windows: np.ndarray) -> np.ndarray:
        given.append(windows)
        return loudness(windows)

    tuned(STREAM, x[order], y[order], run, quiet=quiet)
    every = (LENGTH + (LENGTH // 2 if quiet else 0)) // 2
    heard = [int(window.max(axis=1)[..., 0].argmax()) if window.any() else -1 for window in given[0][::every]]
    assert [each[:, :, 0].max(axis=0).argmax() for each in given[0][::every]] == y.tolist()
    assert len(heard) == len(y)


def test_a_network_that_tells_nothing_says_nothing() -> None:
    x, y = recordings(8, {0: 0.3, 1: 0.3, 2: 0.3})
    assert tuned(STREAM, x, y, loudness, quiet=True) is None


def test_a_handful_says_nothing() -> None:
    x, y = recordings(4, {0: 0.9, 1: 0.8, 2: 0.7})
    assert tuned(STREAM, x, y, loudness, quiet=True) is None
