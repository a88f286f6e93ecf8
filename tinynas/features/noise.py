"""Noise reduction and PCAN of int_log_mel: equal to TFLM's signal operators to the last bit.

Sources: tflite-micro signal/src (filter_bank_spectral_subtraction, pcan_argc_fixed), with the parameters of its
micro_speech example, whose estimate may rise above what is heard (no clamping).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.features.tables import correction_bits

Int16s = npt.NDArray[np.int16]
Int64s = npt.NDArray[np.int64]

SMOOTHING_BITS = 10  # of an estimate, behind the point
SHARE_BITS = 14
SHARES = int(0.025 * (1 << SHARE_BITS)), int(0.06 * (1 << SHARE_BITS))  # of what is heard, for even and odd bands
LEAST_LEFT = int(0.05 * (1 << SHARE_BITS))  # of a magnitude
GAIN_BITS = 21
_STRENGTH, _OFFSET = 0.95, 80.0
SNR_BITS, OUTPUT_BITS = 12, 6  # of what PCAN makes, before and after it is compressed
_WORD = (1 << 32) - 1
PARAMETERS = SMOOTHING_BITS, SHARE_BITS, SHARES, LEAST_LEFT, GAIN_BITS, SNR_BITS, OUTPUT_BITS
"""What the arithmetic rests on beside the gains."""


@dataclass(frozen=True)
class Noise:
    """Noise reduction, and with `pcan` a gain by the noise that evens out levels.

    `background` is the estimate of each band's noise that a stream begins with, its mean magnitude in 1 / 1024: that of
    the training's background, so that the first frames after a reset are as those of a stream that has long run.
    """

    background: tuple[int, ...]
    pcan: bool = False

    def __post_init__(self) -> None:
        if not all(isinstance(each, int) and 0 <= each <= _WORD for each in self.background):
            raise DataError(f"noise: the background is {self.background}, wanted whole numbers below 2^32, one a band")

    def louder(self, factor: float) -> Noise:
        """The same with a background that is so many times as loud."""
        return replace(self, background=tuple(min(_WORD, round(factor * each)) for each in self.background))

    def to_dict(self) -> dict[str, Any]:
        """The form that run folders keep."""
        return {"background": list(self.background), "pcan": self.pcan}

    @classmethod
    def from_dict(cls, values: Any) -> Noise:
        """The inverse of to_dict; DataError when it is something else."""
        if not isinstance(values, Mapping) or set(values) != {"background", "pcan"}:
            raise DataError(f"noise: wanted the keys background and pcan, got {values!r}")
        if not isinstance(values["pcan"], bool) or not isinstance(values["background"], list | tuple):
            raise DataError(f"noise: wanted a list and true or false, got {values!r}")
        return cls(tuple(values["background"]), values["pcan"])

    def estimates(self, magnitudes: Int64s, heard: npt.NDArray[np.bool_] | None = None) -> Int64s:
        """Estimates of the noise after each of consecutive frames: magnitudes (n, frames, bands) to the same shape.

        Each of the n streams begins with the background. Frames that are not `heard` (n, frames) change nothing.
        """
        scaled = (magnitudes << SMOOTHING_BITS) & _WORD
        shares = np.resize(SHARES, magnitudes.shape[-1])
        fresh = scaled * shares
        now = np.broadcast_to(np.array(self.background, np.int64), (len(magnitudes), magnitudes.shape[-1]))
        found = np.empty_like(magnitudes)
        for at in range(magnitudes.shape[1]):
            after = (fresh[:, at] + now * ((1 << SHARE_BITS) - shares)) >> SHARE_BITS
            now = after if heard is None else np.where(heard[:, at, None], after, now)
            found[:, at] = now
        return found

    def taken_off(self, magnitudes: Int64s, estimates: Int64s, n_fft: int) -> Int64s:
        """What noise reduction, and PCAN where it is on, leave of magnitudes (..., bands)."""
        scaled = (magnitudes << SMOOTHING_BITS) & _WORD
        left = (scaled - np.minimum(estimates, scaled)) >> SMOOTHING_BITS
        left = np.maximum(left, (magnitudes * LEAST_LEFT) >> SHARE_BITS)
        return _evened(left, estimates, n_fft) if self.pcan else left


def snr_shift(n_fft: int) -> int:
    """How far PCAN shifts a magnitude times its gain to the right."""
    return GAIN_BITS - correction_bits(n_fft) - SNR_BITS


@lru_cache(maxsize=8)
def gains(n_fft: int) -> Int16s:
    """PCAN's gain (125,) by the estimate, in 1 / 2^21: the values for 0 and 1, then a parabola an octave.

    Entry 4 k - 6 and the next two are its value, slope and curvature where the estimate has k bits. The gain is
    (noise + 80)^-0.95, of the noise before the correction of the logarithm.
    """
    bits = SMOOTHING_BITS - correction_bits(n_fft)

    def gain(estimate: int) -> int:
        return min(32767, int((1 << GAIN_BITS) * (estimate / 2.0**bits + _OFFSET) ** -_STRENGTH + 0.5))

    found = np.zeros(125, np.int16)
    found[:2] = gain(0), gain(1)
    for k in range(2, 33):
        start = 1 << (k - 1)
        first, middle, last = (gain(each) for each in (start, start + start // 2, min(2 * start, _WORD)))
        slope = 4 * (middle - first) - (last - first)
        found[4 * k - 6 : 4 * k - 3] = first, slope, last - first - slope
    return found


def _evened(magnitudes: Int64s, estimates: Int64s, n_fft: int) -> Int64s:
    """PCAN: magnitudes times the gain of their noise, compressed."""
    snr = ((magnitudes * _gain_of(estimates, gains(n_fft).astype(np.int64))) >> snr_shift(n_fft)) & _WORD
    square = ((snr * snr) & _WORD) >> (2 + 2 * SNR_BITS - OUTPUT_BITS)
    straight = (snr >> (SNR_BITS - OUTPUT_BITS)) - (1 << OUTPUT_BITS)
    found: Int64s = np.where(snr < 2 << SNR_BITS, square, straight)
    return found


def _gain_of(estimates: Int64s, table: Int64s) -> Int64s:
    bits = np.frexp(np.maximum(estimates, 3).astype(np.float64))[1].astype(np.int64)
    at = 4 * bits - 6
    part = np.where(bits < 11, estimates << np.maximum(11 - bits, 0), estimates >> np.maximum(bits - 11, 0)) & 0x3FF
    curve = (((table[at + 2] * part) >> 5) + (table[at + 1] << 5)) * part
    found: Int64s = np.where(estimates > 2, ((curve + (1 << 14)) >> 15) + table[at], table[np.minimum(estimates, 2)])
    return found
