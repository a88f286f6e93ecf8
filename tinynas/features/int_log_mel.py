"""Log-mel features of sound in whole numbers: a byte a band, the same in NumPy, in C and in TFLM to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.features import fixed
from tinynas.features.frames import MelFrames
from tinynas.features.tables import Tables, tables_of

Bytes = npt.NDArray[np.uint8]

_CHUNK = 256  # frames at once: what they take stays in the processor's cache
_GREATEST_SCALE = 1477  # of a log: ln 2^32 of such steps is what 16 bits hold
_DECIBELS = 20 / np.log(10)  # of a neper
_MOST_DB = 80.0  # from the loudest to the softest value of a byte
_LONGEST_FFT = 1 << 15  # beyond it the indices of TFLM's filter bank overflow


@dataclass(frozen=True)
class IntLogMel(MelFrames):
    """A clip of `clip` samples at `sample_rate` as (n_frames, n_mels) bytes.

    Samples are 16 bits, -32767 to 32767. A frame of `frame` samples begins every `hop` samples. It is multiplied by a
    Hann window, shifted to the left as far as it fits into 16 bits, padded with zeros to `n_fft`, a power of two, and
    transformed; the energies are summed into `n_mels` triangles, and of their square root, the shift undone, the
    natural logarithm is taken. A byte is that logarithm times `log_scale`, less `log_zero`, from 0 to 255. No frame
    knows of another, so a stream has the frames of its clips.
    """

    KIND: ClassVar[str] = "int_log_mel"

    log_scale: int = 17
    log_zero: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_fft & (self.n_fft - 1) or not 4 <= self.n_fft <= _LONGEST_FFT:
            raise DataError(f"int_log_mel: an FFT of {self.n_fft}, wanted a power of two from 4 to {_LONGEST_FFT:,}")
        if not 1 <= self.log_scale <= _GREATEST_SCALE or not 0 <= self.log_zero <= 32767:
            raise DataError(
                f"int_log_mel: log_scale is {self.log_scale} and log_zero {self.log_zero}, wanted 1 to "
                f"{_GREATEST_SCALE} and 0 to 32767"
            )

    @property
    def tables(self) -> Tables:
        """The constants of window, FFT, bands and logarithm."""
        return tables_of(self)

    @property
    def step_db(self) -> float:
        """How many decibels a step of a byte is."""
        return float(_DECIBELS / self.log_scale)

    def share_of(self, decibels: float) -> float:
        """How much of the range of a byte so many decibels are."""
        return decibels / self.step_db / 255

    def fitted(self, low: float, high: float) -> IntLogMel:
        """The same with bytes that span the logarithms from `low` to `high`, which are those of `logs`.

        What is more than 80 dB softer than `high` becomes 0, as silence is, whose logarithm would take half the steps.
        """
        low = max(low, high - 65536 * _MOST_DB / _DECIBELS)
        scale = int(np.clip(255 * 65536 // max(high - low, 1), 1, _GREATEST_SCALE))
        return replace(self, log_scale=scale, log_zero=int(_steps(np.array([int(low)]), scale)[0]))

    def apply(self, clips: npt.ArrayLike) -> Bytes:
        """Clips (n, clip) in [-1, 1], or of 16 bits as they are, as bytes (n, n_frames, n_mels)."""
        x = np.asarray(clips)
        self.check_clips(x)
        x = x if x.dtype == np.int16 else fixed.to_int16(x)
        frames = np.lib.stride_tricks.sliding_window_view(x, self.frame, axis=1)[:, :: self.hop]
        return self.bytes_of(self.logs(frames.reshape(-1, self.frame))).reshape(len(x), self.n_frames, self.n_mels)

    def logs(self, frames: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Frames (n, frame) as natural logarithms (n, n_mels), in 1 / 65536."""
        out = np.empty((len(frames), self.n_mels), np.int32)
        for start in range(0, len(frames), _CHUNK):
            out[start : start + _CHUNK] = fixed.logs(frames[start : start + _CHUNK], self.n_fft, self.tables)
        return out

    def bytes_of(self, logs: npt.NDArray[np.int32]) -> Bytes:
        """The bytes (...,) of such logarithms (...,)."""
        return np.clip(_steps(logs, self.log_scale) - self.log_zero, 0, 255).astype(np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """The form that run folders keep, with the digest of the constants."""
        return {**super().to_dict(), "tables_sha256": self.tables.sha256}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> IntLogMel:
        """The inverse of to_dict; DataError when a key is missing, unknown or no number, or the constants differ."""
        found: IntLogMel = super().from_dict({key: value for key, value in values.items() if key != "tables_sha256"})
        if values.get("tables_sha256") != found.tables.sha256:
            raise DataError(
                "int_log_mel: the constants of the features are not those that the model was trained with (another "
                "NumPy, or a changed file); train it anew here, or convert it where it was trained"
            )
        return found


def _steps(logs: npt.NDArray[Any], scale: int) -> npt.NDArray[np.int64]:
    """Logarithms in 1 / 65536 as whole steps of 1 / scale, as TFLM's FilterBankLog gives them."""
    found: npt.NDArray[np.int64] = np.minimum((scale * logs.astype(np.int64) + 32768) >> 16, 32767)
    return found
