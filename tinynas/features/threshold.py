"""The threshold of a stream, from recordings that the model was not trained on: they are played one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.features.smoothing import FULL_SCORE
from tinynas.features.stream import Stream

_THRESHOLDS = range(104, FULL_SCORE + 1, 4)
_LEAST_EVENTS = 10  # below it a threshold would be chance
_MOST_VALUES = 1 << 24  # of the windows of one such stream

Rows = npt.NDArray[Any]
Run = Callable[[Rows], npt.NDArray[np.int8]]


@dataclass(frozen=True)
class Tuned:
    """The threshold that was chosen, and what it does on the recordings it was chosen by.

    `hits` of `events`, the recordings whose class is not background, were told, and `false_accepts` times a class was
    told that was not heard.
    """

    threshold: int
    hits: int
    events: int
    false_accepts: int

    def __str__(self) -> str:
        """Return the clause: "threshold 180, by which 95 of 100 recordings were told and 2 classes falsely"."""
        return (
            f"threshold {self.threshold}, by which {self.hits} of {self.events} recordings that it was not trained on "
            f"were told, and {self.false_accepts} times a class that was not heard"
        )

    def to_dict(self) -> dict[str, int]:
        """Return plain values, ready for JSON; `from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, int]) -> Tuned:
        """Return what `to_dict` wrote; TypeError for other keys."""
        return cls(**values)


def tuned(stream: Stream, x: Rows, y: npt.NDArray[np.int64], run: Run, *, quiet: bool) -> Tuned | None:
    """The threshold with which most recordings are told less each false one; of equal ones the middle.

    x (n, ...) are windows of the model's input and y (n,) their classes; `run` gives the int8 outputs (m, classes) of
    windows (m, ...). The recordings are played as one stream, the classes in turn. Where there is `quiet` between them,
    as around a word, half a window of the softest frame of each follows it. None where there are too few, or
    none is told more than falsely.
    """
    most = max(1, _MOST_VALUES // (stream.values * 2 * -(-stream.length // stream.stride)))
    order = _in_turn(y)[:most]
    background = stream.smoothing.background
    told = [number for number in order if int(y[number]) not in background]
    if len(told) < _LEAST_EVENTS:
        return None
    pause = stream.length // 2 if quiet else 0
    rows = _played(np.asarray(x[order]).reshape(len(order), stream.length, stream.channels), pause)
    windows = np.lib.stride_tricks.sliding_window_view(rows, stream.length, axis=0)[:: stream.stride].swapaxes(1, 2)
    outputs = run(np.ascontiguousarray(windows).reshape(-1, *x.shape[1:]))
    labels = [int(y[number]) for number in order]
    found = [_judged(stream, each, outputs, labels, pause) for each in _THRESHOLDS]
    best = max(each.hits - each.false_accepts for each in found)
    if best <= 0:
        return None
    equal = [each for each in found if each.hits - each.false_accepts == best]
    return equal[len(equal) // 2]


def _in_turn(y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The rows of y, one of each class after the other, as long as there are."""
    rank = np.empty(len(y), np.int64)
    for label in np.unique(y):
        rank[y == label] = np.arange((y == label).sum())
    return np.lexsort((y, rank))


def _played(clips: Rows, pause: int) -> Rows:
    """Clips (n, length, channels) as rows (m, channels), one after the other with a `pause` of quiet behind each."""
    n, length, channels = clips.shape
    softest = clips.sum(axis=2, dtype=np.float64).argmin(axis=1)
    between = np.repeat(clips[np.arange(n), softest][:, None], pause, axis=1)
    return np.concatenate([clips, between], axis=1).reshape(n * (length + pause), channels)


def _judged(stream: Stream, threshold: int, outputs: npt.NDArray[np.int8], labels: Sequence[int], pause: int) -> Tuned:
    """What a threshold tells: right is a class of which the windows that were averaged hold a part."""
    smoothing, every, length = replace(stream.smoothing, threshold=threshold), stream.length + pause, stream.length
    hits, false_accepts = set[int](), 0
    for each in smoothing.detections(outputs):
        start = (each.result - smoothing.results + 1) * stream.stride
        end = each.result * stream.stride + length
        clips = range(max(0, (start - length) // every + 1), min(len(labels), (end - 1) // every + 1))
        heard = [clip for clip in clips if labels[clip] == each.label]
        hits.update(heard[-1:])
        false_accepts += not heard
    events = sum(label not in smoothing.background for label in labels)
    return Tuned(threshold, len(hits), events, false_accepts)
