"""Log-mel features of sound in whole numbers: a byte a band, the same in NumPy, in C and in TFLM to the last bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.features import fixed
from tinynas.features.frames import MelFrames
from tinynas.features.noise import PARAMETERS, Noise, gains
from tinynas.features.tables import Tables, tables_of

Bytes = npt.NDArray[np.uint8]

_CHUNK = 256  # frames at once: what they take stays in the processor's cache
_GREATEST_SCALE = 1477  # of a log: ln 2^32 of such steps is what 16 bits hold
_DECIBELS = 20 / np.log(10)  # of a neper
_MOST_DB = 80.0  # from the loudest to the softest value of a byte
_LONGEST_FFT = 1 << 15  # beyond it the indices of TFLM's filter bank overflow
_CONTEXT_S = 2.0  # of a recording, after which an estimate of noise has forgotten nine tenths of what was before


@dataclass(frozen=True)
class IntLogMel(MelFrames):
    """A clip of `clip` samples at `sample_rate` as (n_frames, n_mels) bytes.

    Samples are 16 bits, -32767 to 32767. A frame of `frame` samples begins every `hop` samples. It is multiplied by a
    Hann window, shifted to the left as far as it fits into 16 bits, padded with zeros to `n_fft`, a power of two, and
    transformed; the energies are summed into `n_mels` triangles, and of their square root, the shift undone, the
    natural logarithm is taken. A byte is that logarithm times `log_scale`, less `log_zero`, from 0 to 255. No frame
    knows of another, so a stream has the frames of its clips.

    With `noise`, an estimate of each band's noise is taken off before the logarithm. It follows the frames, so that
    these then depend on those before them, back to a reset.
    """

    KIND: ClassVar[str] = "int_log_mel"
    NO_NUMBERS: ClassVar[frozenset[str]] = frozenset({"noise"})

    log_scale: int = 17
    log_zero: int = 0
    noise: Noise | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_fft & (self.n_fft - 1) or not 4 <= self.n_fft <= _LONGEST_FFT:
            raise DataError(f"int_log_mel: an FFT of {self.n_fft}, wanted a power of two from 4 to {_LONGEST_FFT:,}")
        if not 1 <= self.log_scale <= _GREATEST_SCALE or not 0 <= self.log_zero <= 32767:
            raise DataError(
                f"int_log_mel: log_scale is {self.log_scale} and log_zero {self.log_zero}, wanted 1 to "
                f"{_GREATEST_SCALE} and 0 to 32767"
            )
        if self.noise is not None and len(self.noise.background) != self.n_mels:
            raise DataError(
                f"int_log_mel: the background has {len(self.noise.background)} bands, the features {self.n_mels}"
            )

    @property
    def name(self) -> str:
        """What a user chooses them by, with +noise or +pcan."""
        return self.KIND if self.noise is None else f"{self.KIND}+{'pcan' if self.noise.pcan else 'noise'}"

    @property
    def tables(self) -> Tables:
        """The constants of window, FFT, bands and logarithm."""
        return tables_of(self)

    @property
    def step_db(self) -> float:
        """How many decibels a step of a byte is."""
        return float(_DECIBELS / self.log_scale)

    def after_noise(self, factor: float) -> IntLogMel:
        """The same as it begins where the noise is so many times as loud as the background."""
        return self if self.noise is None else replace(self, noise=self.noise.louder(factor))

    def share_of(self, decibels: float) -> float:
        """How much of the range of a byte so many decibels are; 0 with PCAN, which evens them out."""
        return 0.0 if self.noise is not None and self.noise.pcan else decibels / self.step_db / 255

    def fitted(self, low: float, high: float) -> IntLogMel:
        """The same with bytes that span the logarithms from `low` to `high`, which are those of `logs`.

        What is more than 80 dB softer than `high` becomes 0, as silence is, whose logarithm would take half the steps.
        """
        low = max(low, high - 65536 * _MOST_DB / _DECIBELS)
        scale = int(np.clip(255 * 65536 // max(high - low, 1), 1, _GREATEST_SCALE))
        return replace(self, log_scale=scale, log_zero=int(_steps(np.array([int(low)]), scale)[0]))

    def apply(self, clips: npt.ArrayLike) -> Bytes:
        """Clips (n, clip) in [-1, 1], or of 16 bits as they are, as bytes (n, n_frames, n_mels).

        Each is what a stream begins with after a reset.
        """
        x = np.asarray(clips)
        self.check_clips(x)
        x = x if x.dtype == np.int16 else fixed.to_int16(x)
        frames = np.lib.stride_tricks.sliding_window_view(x, self.frame, axis=1)[:, :: self.hop]
        magnitudes = self.magnitudes(frames.reshape(-1, self.frame)).reshape(len(x), self.n_frames, self.n_mels)
        return self.bytes_of(self.logs_of(magnitudes))

    def logs(self, frames: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Frames (n, frame), the first that follow a reset, as natural logarithms (n, n_mels), in 1 / 65536."""
        found: npt.NDArray[np.int32] = self.logs_of(self.magnitudes(frames)[None])[0]
        return found

    def logs_of_windows(self, samples: npt.NDArray[np.int16], starts: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """The clips that begin at `starts` (n,) of a recording as natural logarithms (n, n_frames, n_mels).

        With noise reduction they follow what is before them in the recording, 2 s at most, and before its beginning
        the background. Frames that several clips hold are computed once.
        """
        first = np.asarray(starts)[:, None]
        most = round(_CONTEXT_S * self.sample_rate / self.hop)
        context = 0 if self.noise is None else min(most, int(first.max()) // self.hop)
        begins = first + self.hop * np.arange(-context, self.n_frames)
        unique, places = np.unique(np.maximum(begins, 0), return_inverse=True)
        magnitudes = self.magnitudes(np.lib.stride_tricks.sliding_window_view(samples, self.frame)[unique])
        found: npt.NDArray[np.int32] = self.logs_of(magnitudes[places.reshape(begins.shape)], begins >= 0)
        return found[:, context:]

    def magnitudes(self, frames: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        """Frames (n, frame) as magnitudes (n, n_mels) of the bands."""
        out = np.empty((len(frames), self.n_mels), np.int64)
        for start in range(0, len(frames), _CHUNK):
            out[start : start + _CHUNK] = fixed.magnitudes(frames[start : start + _CHUNK], self.tables)
        return out

    def logs_of(
        self, magnitudes: npt.NDArray[np.int64], heard: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.int32]:
        """Magnitudes (n, frames, n_mels) of n streams, each after a reset, as natural logarithms, in 1 / 65536.

        Frames that are not `heard` (n, frames) leave the estimate of the noise as it is.
        """
        rows = magnitudes.reshape(-1, self.n_mels)
        estimates = None if self.noise is None else self.noise.estimates(magnitudes, heard).reshape(rows.shape)
        out = np.empty(rows.shape, np.int32)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            if self.noise is not None and estimates is not None:
                part = self.noise.taken_off(part, estimates[start : start + _CHUNK], self.n_fft)
            out[start : start + _CHUNK] = fixed.natural_logs(part, self.n_fft, self.tables)
        return out.reshape(magnitudes.shape)

    def bytes_of(self, logs: npt.NDArray[np.int32]) -> Bytes:
        """The bytes (...,) of such logarithms (...,)."""
        return np.clip(_steps(logs, self.log_scale) - self.log_zero, 0, 255).astype(np.uint8)

    @property
    def sha256(self) -> str:
        """What tells the constants from others, in hex."""
        if self.noise is None:
            return self.tables.sha256
        more = gains(self.n_fft).astype("<i2").tobytes() if self.noise.pcan else b""
        return hashlib.sha256(self.tables.sha256.encode() + repr(PARAMETERS).encode() + more).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The form that run folders keep, with the digest of the constants; noise reduction where it is on."""
        values = {**super().to_dict(), "tables_sha256": self.sha256}
        del values["noise"]
        return values if self.noise is None else {**values, "noise": self.noise.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> IntLogMel:
        """The inverse of to_dict; DataError when a key is missing, unknown or no number, or the constants differ."""
        numbers = {key: value for key, value in values.items() if key not in ("tables_sha256", "noise")}
        found: IntLogMel = super().from_dict(numbers)
        if "noise" in values:
            found = replace(found, noise=Noise.from_dict(values["noise"]))
        if values.get("tables_sha256") != found.sha256:
            raise DataError(
                "int_log_mel: the constants of the features are not those that the model was trained with (another "
                "NumPy, or a changed file); train it anew here, or convert it where it was trained"
            )
        return found


def _steps(logs: npt.NDArray[Any], scale: int) -> npt.NDArray[np.int64]:
    """Logarithms in 1 / 65536 as whole steps of 1 / scale, as TFLM's FilterBankLog gives them."""
    found: npt.NDArray[np.int64] = np.minimum((scale * logs.astype(np.int64) + 32768) >> 16, 32767)
    return found
