"""Log-mel features of sound in floating point: decibels, as searches made them before int_log_mel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinynas.features.frames import MelFrames

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MelFeatures(MelFrames):
    """A clip of `clip` samples in [-1, 1] at `sample_rate` as (n_frames, n_mels) decibels.

    A frame of `frame` samples begins every `hop` samples. It is multiplied by a periodic Hann window, padded with zeros
    to `n_fft`, transformed, and its power |X|^2 / (sum of the window)^2 is summed into `n_mels` triangles. A band is
    10 log10 of that sum, at least `floor_db`.
    """

    KIND: ClassVar[str] = "log_mel"

    floor_db: float = -80.0

    def apply(self, clips: npt.ArrayLike) -> Floats:
        """Clips (n, clip) in [-1, 1] as decibels (n, n_frames, n_mels) float32."""
        x = np.asarray(clips, dtype=np.float64)
        self.check_clips(x)
        out = np.empty((len(x), self.n_frames, self.n_mels), dtype=np.float32)
        for number, clip in enumerate(x):
            out[number] = self.of_frames(np.lib.stride_tricks.sliding_window_view(clip, self.frame)[:: self.hop])
        return out

    def of_frames(self, frames: npt.ArrayLike) -> Floats:
        """Frames (n, frame) in [-1, 1] as decibels (n, n_mels) float32."""
        window = self.window()
        power = np.abs(np.fft.rfft(np.asarray(frames, np.float64) * window, self.n_fft)) ** 2 / window.sum() ** 2
        floor = 10 ** (self.floor_db / 10)
        decibels: Floats = (10 * np.log10(np.maximum(power @ self.filters(), floor))).astype(np.float32)
        return decibels

    def window(self) -> npt.NDArray[np.float64]:
        """The periodic Hann window (frame,)."""
        hann: npt.NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.frame) / self.frame)
        return hann
