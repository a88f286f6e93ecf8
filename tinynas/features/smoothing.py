"""From the results of overlapping windows to detections, in whole numbers: the twin of NAME_stream_result() in C."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.errors import UsageError

FULL_SCORE = 255
# Names of classes that stand for nothing in particular, whole or as a part between underscores.
_BACKGROUND = frozenset(
    (
        "background",
        "noise",
        "silence",
        "silent",
        "unknown",
        "other",
        "others",
        "none",
        "nothing",
        "idle",
        "rest",
        "normal",
    )
)
_MOST_RESULTS = 255
_MOST_SUPPRESSION = 1 << 16


class Detection(NamedTuple):
    """The number of the result with which a class was told, and its mean score, 0 to 255."""

    result: int
    label: int
    score: float


@dataclass(frozen=True)
class Smoothing:
    """When a class is told: the scores of the last `results` are averaged, and the greatest mean is the answer.

    It is told where its mean score is `threshold` at least, of 255, and `margin` above the second, and its class is
    none of `background`. The same class is not told again for `suppression` results; another one is.
    """

    results: int = 3
    threshold: int = 200
    margin: int = 26
    suppression: int = 7
    background: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        ranges = {
            "results": (1, _MOST_RESULTS),
            "threshold": (0, FULL_SCORE),
            "margin": (0, FULL_SCORE),
            "suppression": (0, _MOST_SUPPRESSION),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise UsageError(f"{name} is {value!r}; wanted a whole number from {least} to {most:,}.")

    def detections(self, outputs: npt.NDArray[np.int8]) -> Iterator[Detection]:
        """Yield the detections among outputs (n, classes), int8 with -128 for a score of 0, in their order."""
        scores = outputs.astype(np.int64) + 128
        kept: deque[npt.NDArray[np.int64]] = deque(maxlen=self.results)
        sums = np.zeros(scores.shape[1], np.int64)
        last, quiet = -1, 0
        for number, row in enumerate(scores):
            if len(kept) == self.results:
                sums -= kept[0]
            kept.append(row)
            sums += row
            quiet -= quiet > 0
            if len(kept) < self.results:
                continue
            best = int(np.argmax(sums))
            second = int(np.delete(sums, best).max(initial=0))
            if best in self.background or sums[best] < self.threshold * self.results:
                continue
            if sums[best] - second < self.margin * self.results or (quiet and best == last):
                continue
            last, quiet = best, self.suppression
            yield Detection(number, best, int(sums[best]) / self.results)


def smoothing_for(
    class_names: Sequence[str], length: int, stride: int, threshold: int = Smoothing.threshold
) -> Smoothing:
    """The defaults for windows of `length` that begin every `stride`: a sound within several of them is told once."""
    results = 3
    suppression = -(-length // stride) + results
    return Smoothing(results, threshold, suppression=suppression, background=background_of(class_names))


def background_of(class_names: Sequence[str]) -> tuple[int, ...]:
    """The classes whose names say that they are none in particular, such as unknown or _background_noise_."""
    found = []
    for number, name in enumerate(class_names):
        words = name.lower().replace("-", "_").replace(" ", "_").strip("_").split("_")
        if words and set(words) <= _BACKGROUND:
            found.append(number)
    return tuple(found)


def stride_for(length: int) -> int:
    """From one window of `length` frames or steps to the next, where nobody says: a quarter of it."""
    return max(1, length // 4)
