"""Spectral features of a sensor's window in whole numbers: the same in NumPy and in C to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.features.spectrum import FULL_SCALE, values_of
from tinynas.features.tables import Tables, plain_tables

Bytes = npt.NDArray[np.uint8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]

MOMENTS = ("mean", "rms", "skewness", "kurtosis")
FACTOR_BITS = 24  # behind the point of a byte's factor
LONGEST = 1 << 13  # steps of a window, so that no sum overflows 64 bits
_SHORTEST, _LONGEST_FFT = 8, 1 << 10
_USUAL_FFT = 16, 64
_DECIBELS = 65536 * np.log(10) / 20  # a decibel of a logarithm in 1 / 65536
_LEAST_DB, _MOST_DB = 3.0, 80.0  # that the 255 steps of a byte are
_BULK = 0.005, 0.995
_LEAST_SPAN = 256  # of the values of a feature: a unit of them is at most a step
_FLAT = 1e-30  # half the range of a channel that never changes, which becomes 0
_CHUNK = 1024  # windows of a channel at once


@dataclass(frozen=True)
class Spectral:
    """A window of `window` steps of several channels as bytes (n_values, channels): moments and a spectrum a channel.

    A raw value becomes 16 bits, (raw - offset) * gain in float32, rounded and clipped to +/-32767, with an `offsets`
    and a `gains` of its own for each channel. The window's mean is the first feature and is taken off, which is the
    filter. The others are ln(RMS), the skewness m3 / m2^1.5, ln of the kurtosis m4 / m2^2, and ln of the root of the
    power spectrum: the mean of |FFT|^2 over segments of `n_fft` steps with a Hann window, one every `hop`, for the
    frequencies 1 to n_fft / 2 - 1 in units of the rate / n_fft. A byte is (value - low) * factor / 2^24, rounded, 0 to
    255; `lows` and `factors` are (n_values,) for each channel.
    """

    KIND: ClassVar[str] = "spectral"

    window: int
    n_fft: int
    hop: int
    offsets: tuple[float, ...]
    gains: tuple[float, ...]
    lows: tuple[tuple[int, ...], ...] = ()
    factors: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        n = self.n_fft
        if n & (n - 1) or not _SHORTEST <= n <= min(self.window, _LONGEST_FFT) or not 1 <= self.hop <= self.window:
            raise DataError(
                f"spectral: segments of {n} steps every {self.hop} of a window of {self.window}, wanted a power of two "
                f"from {_SHORTEST} to {_LONGEST_FFT:,} that fits into the window"
            )
        if self.window > LONGEST or not self.offsets or len(self.offsets) != len(self.gains):
            raise DataError(
                f"spectral: a window of {self.window:,} steps with {len(self.offsets)} offsets and {len(self.gains)} "
                f"gains, wanted at most {LONGEST:,} steps and one of each for every channel"
            )
        for table, most in ((self.lows, 1 << 30), (self.factors, 1 << FACTOR_BITS)):
            rows_fit = [len(row) for row in table] == [self.n_values] * self.channels
            if table and not (rows_fit and all(abs(each) <= most for row in table for each in row)):
                raise DataError(
                    f"spectral: wanted {self.n_values} lows and factors for each of {self.channels} channels, at most "
                    f"{most:,} each"
                )

    @classmethod
    def for_series(cls, window: int, low: npt.ArrayLike, high: npt.ArrayLike) -> Spectral:
        """Segments of half a window, 16 to 64 steps, that overlap by half; 16 bits hold `low` to `high` of a channel.

        DataError for a window that is too short or too long.
        """
        if not _SHORTEST <= window <= LONGEST:
            raise DataError(
                f"a window of {window:,} steps has no spectral features, wanted {_SHORTEST} to {LONGEST:,}: give "
                f"another window, or leave features away"
            )
        least, most = _USUAL_FFT
        n_fft = 1 << (min(most, max(least, window // 2), window).bit_length() - 1)
        ends = np.array([low, high], np.float64)
        middle, half = ends.mean(axis=0), (ends[1] - ends[0]) / 2
        gains = np.divide(FULL_SCALE, half, out=np.zeros_like(half), where=half > _FLAT)
        return cls(window, n_fft, n_fft // 2, _floats(middle), _floats(gains))

    @property
    def channels(self) -> int:
        """How many values a step has."""
        return len(self.offsets)

    @property
    def n_values(self) -> int:
        """How many bytes a channel becomes."""
        return len(MOMENTS) + self.n_fft // 2 - 1

    @property
    def segments(self) -> int:
        """How many spectra are averaged."""
        return 1 + (self.window - self.n_fft) // self.hop

    @property
    def tables(self) -> Tables:
        """The constants of window, FFT and logarithm."""
        return plain_tables(self.n_fft, self.n_fft)

    def words(self, rate: float | None = None) -> str:
        """A sentence for a person; `rate` is the steps a second."""
        most = self.n_fft // 2 - 1
        unit = f"{1 / self.n_fft:g} of the rate" if rate is None else f"{rate / self.n_fft:.3g} Hz"
        return (
            f"A window of {self.window} steps becomes {self.n_values} spectral features a channel: "
            f"{', '.join(MOMENTS)}, and the spectrum at {most} frequencies, {unit} apart."
        )

    def apply(self, windows: npt.ArrayLike) -> Bytes:
        """Raw windows (n, window, channels) as bytes (n, n_values, channels)."""
        return self.bytes_of(self.values(self.counts(windows)))

    def counts(self, raw: npt.ArrayLike) -> Int16s:
        """Raw values (..., channels) as 16 bits, halves away from 0, as the device rounds them."""
        offsets, gains = (np.array(each, np.float32) for each in (self.offsets, self.gains))
        scaled = np.clip((np.asarray(raw, np.float32) - offsets) * gains, -FULL_SCALE, FULL_SCALE)
        whole = np.trunc(scaled)
        found: Int16s = (whole + np.where(np.abs(scaled - whole) >= 0.5, np.copysign(1, scaled), 0)).astype(np.int16)
        return found

    def values(self, counts: Int16s) -> Int32s:
        """Windows (n, window, channels) of 16 bits as (n, n_values, channels), before they are bytes."""
        if counts.ndim != 3 or counts.shape[1:] != (self.window, self.channels):
            raise DataError(f"spectral: windows have shape {counts.shape}, wanted (n, {self.window}, {self.channels})")
        rows = counts.transpose(0, 2, 1).reshape(-1, self.window)
        out = np.empty((len(rows), self.n_values), np.int32)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            out[start : start + _CHUNK] = values_of(part.T, self.hop, self.segments, self.tables).T
        found: Int32s = out.reshape(len(counts), self.channels, self.n_values).transpose(0, 2, 1)
        return found

    def bytes_of(self, values: Int32s) -> Bytes:
        """The bytes (n, n_values, channels) of such values."""
        low, factor = (np.array(table, np.int64).T for table in (self.lows, self.factors))
        steps = ((values - low) * factor + (1 << (FACTOR_BITS - 1))) >> FACTOR_BITS
        found: Bytes = np.clip(steps, 0, 255).astype(np.uint8)
        return found

    def fitted(self, values: Int32s) -> Spectral:
        """The same with bytes that span those of the training part (n, n_values, channels), each of them for itself.

        They span the bulk of 99 % and an eighth of it on either side, of a logarithm 3 to 80 dB.
        """
        low, high = (np.quantile(values, end, axis=0) for end in _BULK)
        low, high = low - (high - low) / 8, high + (high - low) / 8
        least, most = (np.full((self.n_values, 1), limit * _DECIBELS) for limit in (_LEAST_DB, _MOST_DB))
        for plain in (MOMENTS.index("mean"), MOMENTS.index("skewness")):
            least[plain], most[plain] = _LEAST_SPAN, np.inf
        span = np.clip(high - low, least, most)
        low = np.where(high - low > most, high - most, (low + high - span) / 2)
        lows, factors = np.floor(low).astype(int), np.round(255 * (1 << FACTOR_BITS) / span).astype(int)
        return replace(self, lows=_nested(lows.T), factors=_nested(factors.T))

    def to_dict(self) -> dict[str, Any]:
        """The form that run folders keep, with the digest of the constants."""
        return {"kind": self.KIND, **asdict(self), "tables_sha256": self.tables.sha256}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Spectral:
        """The inverse of to_dict; DataError when a key is missing, unknown or no number, or the constants differ."""
        known = {field.name for field in fields(cls)} | {"kind", "tables_sha256"}
        if set(values) != known or values["kind"] != cls.KIND:
            raise DataError(f"spectral: wanted the keys {sorted(known)} of kind {cls.KIND}, got {dict(values)!r:.200}")
        try:
            numbers: dict[str, Any] = {name: int(values[name]) for name in ("window", "n_fft", "hop")}
            numbers |= {name: tuple(map(float, values[name])) for name in ("offsets", "gains")}
            found = cls(**numbers, lows=_nested(values["lows"]), factors=_nested(values["factors"]))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"spectral: every value but the kind must be a number or a list of such ({error})"
            ) from error
        if values["tables_sha256"] != found.tables.sha256:
            raise DataError(
                "spectral: the constants of the features are not those that the model was trained with (another "
                "NumPy, or a changed file); train it anew here, or convert it where it was trained"
            )
        return found


def _floats(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """The values as float32 holds them."""
    return tuple(map(float, values.astype(np.float32)))


def _nested(rows: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, row)) for row in rows)
