"""What a stream of a model's input is: windows of frames or steps, one every so many, and what becomes of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinynas.features.smoothing import Smoothing, smoothing_for, stride_for
from tinynas.features.spectral import Spectral

if TYPE_CHECKING:
    from tinynas.features import Features


@dataclass(frozen=True)
class Stream:
    """A window of `length` frames or steps of `channels` values, one every `stride`, and how results are smoothed.

    `every_s` is the time from one frame or step to the next, None where it is not known.
    """

    classes: int
    length: int
    channels: int
    stride: int
    every_s: float | None
    smoothing: Smoothing

    @property
    def values(self) -> int:
        """Values of a window: a byte each in its ring."""
        return self.length * self.channels

    @property
    def stride_s(self) -> float | None:
        """Seconds from one window to the next."""
        return None if self.every_s is None else self.stride * self.every_s


def stream_for(
    features: Features | None,
    class_names: Sequence[str],
    values: int,
    *,
    layout: str,
    channels: int = 1,
    channel_names: Sequence[str] = (),
    rate: float | None = None,
    threshold: int = Smoothing.threshold,
) -> Stream | None:
    """The stream of a model of so many input `values` that tells classes of sound or of a series; None for others.

    `features` are those of sound, `channels` those of a step, `rate` the steps a second, and `threshold` what the
    training found (threshold.py). Columns of a table that have
    no names, one a value, are no series of steps.
    """
    if isinstance(features, Spectral):
        if values != features.n_values * features.channels:
            return None
        length, channels = features.window, features.channels
        every_s: float | None = None if rate is None else 1 / rate
    elif features is not None:
        if values != features.n_frames * features.n_mels:
            return None
        length, channels = features.n_frames, features.n_mels
        every_s = features.hop / features.sample_rate
    else:
        length = values // channels
        if layout != "series" or length < 2 or not (channel_names or channels > 1):
            return None
        every_s = None if rate is None else 1 / rate
    stride = stride_for(length)
    smoothing = smoothing_for(class_names, length, stride, threshold)
    return Stream(len(class_names), length, channels, stride, every_s, smoothing)
