"""The constants of features in whole numbers: one table, which NumPy, C and TFLM's operators all read.

They are computed in float64 and rounded once. The layout of bands is that of TFLM's FilterBank
(signal/src/filter_bank.cc): entry i holds the FFT values between two corners of the triangles, which fall for band
i - 1 with `weights` and rise for band i with the rest of 1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinynas.features.frames import MelFrames

Int16s = npt.NDArray[np.int16]

WINDOW_BITS = 12
BANK_BITS = 12
LOG_SEGMENTS = 128
LN2_Q16 = 45426  # round(65536 ln 2)


@dataclass(frozen=True, eq=False)
class Tables:
    """What the arithmetic reads.

    window (frame,): Hann at n + 1/2, in 1 / 4096.  twiddles (n_fft / 2, 2) and turns (n_fft / 4, 2): real and imaginary
    parts of the complex FFT's roots, and of those that make a real FFT of it, in 1 / 32767.  weights: of each FFT value
    from `first` on, in 1 / 4096.  widths (n_mels + 1,): how many FFT values each entry holds.  log (129,): how far
    log2(1 + x) is from x, in 1 / 65536.
    """

    window: Int16s
    twiddles: Int16s
    turns: Int16s
    first: int
    weights: Int16s
    widths: Int16s
    log: Int16s

    @property
    def sha256(self) -> str:
        """What tells these constants from others, in hex."""
        digest = hashlib.sha256()
        for field in fields(self):
            digest.update(np.ascontiguousarray(getattr(self, field.name), dtype="<i2").tobytes())
        return digest.hexdigest()


@lru_cache(maxsize=8)
def tables_of(frames: MelFrames) -> Tables:
    """The constants for such frames and bands."""
    half = frames.n_fft // 2
    edges, bins = frames.edges(), frames.bins()[1:half]  # neither the constant part nor half the sample rate
    entry = np.searchsorted(edges, bins, side="left") - 1  # edges[entry] < bin <= edges[entry + 1]
    inside = (entry >= 0) & (entry <= frames.n_mels)
    at = entry[inside]
    falling = (edges[at + 1] - bins[inside]) / (edges[at + 1] - edges[at])
    return replace(
        plain_tables(frames.frame, frames.n_fft),
        first=1 + int(np.argmax(inside)),
        weights=np.round(falling * (1 << BANK_BITS)).astype(np.int16),
        widths=np.bincount(at, minlength=frames.n_mels + 1).astype(np.int16),
    )


@lru_cache(maxsize=8)
def plain_tables(frame: int, n_fft: int) -> Tables:
    """The constants of window, FFT and logarithm, without bands."""
    half, none = n_fft // 2, np.zeros(0, np.int16)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / frame * (np.arange(frame) + 0.5))
    share = np.arange(LOG_SEGMENTS + 1) / LOG_SEGMENTS
    return Tables(
        window=np.round(hann * (1 << WINDOW_BITS)).astype(np.int16),
        twiddles=_roots(-2 * np.pi * np.arange(half) / half),
        turns=_roots(-np.pi * ((np.arange(half // 2) + 1) / half + 0.5)),
        first=0,
        weights=none,
        widths=none,
        log=np.round(65536 * (np.log2(1 + share) - share)).astype(np.int16),
    )


def _roots(phase: npt.NDArray[np.float64]) -> Int16s:
    """exp(i phase) as (n, 2), rounded as kissfft does."""
    parts = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    return np.floor(0.5 + 32767 * parts).astype(np.int16)


def radices(n: int) -> list[int]:
    """The factors of a complex FFT of n, a power of two, the outermost first: as kissfft takes them."""
    found = []
    while n > 1:
        found.append(4 if n % 4 == 0 else 2)
        n //= found[-1]
    return found


def correction_bits(n_fft: int) -> int:
    """How far a band's magnitude is shifted to the left before its logarithm, so that soft sounds have steps too."""
    return max(0, n_fft.bit_length() - 1 - BANK_BITS // 2)
