"""What every kind of mel features has: frames, FFT and bands, and the checks of their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Doubles = npt.NDArray[np.float64]
_Made = TypeVar("_Made", bound="MelFrames")


@dataclass(frozen=True)
class MelFrames:
    """Frames of `frame` samples every `hop` samples of a clip of `clip`, `n_fft` values and `n_mels` bands of each.

    The bands are triangles, evenly spaced between `low_hz` and `high_hz` on the mel scale 1127 ln(1 + f / 700).
    """

    KIND: ClassVar[str] = ""
    NO_NUMBERS: ClassVar[frozenset[str]] = frozenset()  # fields that a kind reads itself

    sample_rate: int
    clip: int
    frame: int
    hop: int
    n_fft: int
    n_mels: int
    low_hz: float
    high_hz: float

    def __post_init__(self) -> None:
        whole = (self.sample_rate, self.clip, self.frame, self.hop, self.n_fft, self.n_mels)
        if min(whole) < 1 or not self.frame <= min(self.clip, self.n_fft):
            raise DataError(
                f"mel features: a clip of {self.clip} samples with frames of {self.frame} every {self.hop}, "
                f"an FFT of {self.n_fft} and {self.n_mels} bands; wanted 1 or more of each, and frame <= n_fft and clip"
            )
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise DataError(
                f"mel features: bands from {self.low_hz:g} to {self.high_hz:g} Hz at {self.sample_rate} Hz, "
                f"wanted 0 <= low < high <= half the sample rate"
            )

    @classmethod
    def for_sound(cls: type[_Made], sample_rate: int, clip: int, n_mels: int | None = None) -> _Made:
        """Frames of 30 ms every 20 ms and 40 bands, or as many as the FFT has room for when n_mels is not given.

        DataError when the clip is shorter than a frame, or the FFT has no value for one of n_mels bands.
        """
        frame = max(2, round(0.03 * sample_rate))
        if clip < frame:
            raise DataError(f"clips of {clip} samples at {sample_rate} Hz are shorter than a frame of {frame} samples")
        n_fft = 1 << (frame - 1).bit_length()
        high = min(sample_rate / 2, 7600.0)
        low = min(80.0, high / 20)

        def made(bands: int) -> _Made:
            return cls(sample_rate, clip, frame, max(1, round(0.02 * sample_rate)), n_fft, bands, low, high)

        most = next((n for n in range(40 if n_mels is None else n_mels, 0, -1) if made(n).filled()), 0)
        if most == 0 or (n_mels is not None and most < n_mels):
            raise DataError(f"{n_mels or 40} mel bands at {sample_rate} Hz are too narrow for the FFT: at most {most}")
        return made(most)

    @property
    def name(self) -> str:
        """What a user chooses them by."""
        return self.KIND

    @property
    def n_frames(self) -> int:
        """How many whole frames a clip has."""
        return 1 + (self.clip - self.frame) // self.hop

    @property
    def span(self) -> int:
        """Samples from the first to the last of a clip's frames."""
        return self.frame + (self.n_frames - 1) * self.hop

    def filters(self) -> Doubles:
        """The triangles (n_fft / 2 + 1, n_mels): the weight of each FFT value in each band."""
        edges = self.edges()
        bins = self.bins()[:, None]
        rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
        weights: Doubles = np.maximum(0.0, np.minimum(rising, falling))
        weights[0] = 0.0  # a constant offset is no sound
        return weights

    def edges(self) -> Doubles:
        """The corners (n_mels + 2,) of the triangles, in mel."""
        return np.linspace(_mel(self.low_hz), _mel(self.high_hz), self.n_mels + 2)

    def bins(self) -> Doubles:
        """Where each FFT value (n_fft / 2 + 1,) lies, in mel."""
        at: Doubles = _mel(np.arange(self.n_fft // 2 + 1) * self.sample_rate / self.n_fft)
        return at

    def filled(self) -> bool:
        """Whether every band has an FFT value in it: one that has none would be constant."""
        return bool(self.filters().any(axis=0).all())

    def to_dict(self) -> dict[str, Any]:
        """The form that run folders keep."""
        return {"kind": self.KIND, **asdict(self)}

    @classmethod
    def from_dict(cls: type[_Made], values: Mapping[str, Any]) -> _Made:
        """The inverse of to_dict; DataError when a key is missing, unknown or no number."""
        known = {field.name for field in fields(cls)} - cls.NO_NUMBERS | {"kind"}
        if set(values) != known or values["kind"] != cls.KIND:
            raise DataError(f"mel features: wanted the keys {sorted(known)} of kind {cls.KIND}, got {dict(values)!r}")
        numbers = {key: value for key, value in values.items() if key != "kind"}
        if not all(isinstance(value, int | float) for value in numbers.values()):
            raise DataError(f"mel features: every value but the kind must be a number, got {dict(values)!r}")
        return cls(**numbers)

    def check_clips(self, x: npt.NDArray[Any]) -> None:
        """DataError unless x is clips (n, clip)."""
        if x.ndim != 2 or x.shape[1] != self.clip:
            raise DataError(f"mel features: clips have shape {x.shape}, wanted (n, {self.clip})")


def _mel(hz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hz) / 700.0)
