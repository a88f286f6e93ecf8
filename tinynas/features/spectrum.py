"""The arithmetic of spectral features in NumPy, many windows at once; NAME_features.c does the same to the last bit.

Windows lie side by side along the last axis. Logarithms are natural, in 1 / 65536; constants that all windows share are
left out of them, since the bytes' zero takes them up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinynas.features.fixed import FULL_SCALE as FULL_SCALE
from tinynas.features.fixed import Int16s, Int32s, Int64s, energies, logarithms, square_roots
from tinynas.features.tables import LN2_Q16, WINDOW_BITS, Tables

FRACTION = 16  # bits behind the point of logarithms and of the skewness
RMS_BITS = 8  # behind the point of the RMS
POWER_BITS = 8  # behind the point of the power, of which the root is taken
SQUARE_BITS = 8  # that a square loses before it is squared, so that 64 bits hold the sum


def values_of(counts: Int16s, hop: int, segments: int, tables: Tables) -> Int32s:
    """Windows (steps, n) as (n_values, n): mean, ln RMS, skewness, ln kurtosis, ln of each frequency's amplitude."""
    mean, centred, bits = centred_of(counts)
    spectrum = np.zeros((len(tables.window) // 2, centred.shape[1]), np.int64)
    for start in range(0, segments * hop, hop):
        part = centred[start : start + len(tables.window)]
        spectrum += energies(((part * tables.window[:, None].astype(np.int32)) >> WINDOW_BITS).astype(np.int16), tables)
    power = (spectrum[1:] << POWER_BITS) // segments
    amplitudes = logarithms(square_roots(power.astype(np.float64)), tables) - (POWER_BITS // 2 + bits) * LN2_Q16
    return np.concatenate([mean[None], _moments(centred, bits, tables), amplitudes]).astype(np.int32)


def centred_of(counts: Int16s) -> tuple[Int64s, Int32s, Int64s]:
    """(mean (n,), rounded down; windows (steps, n) without it, shifted to fill 16 bits; by how many bits (n,)).

    What is shifted are the differences from the mean, times the steps, which are whole; a shift to the right is towards
    0.
    """
    n, x = len(counts), counts.astype(np.int64)
    total = x.sum(axis=0)
    apart = x * n - total
    size = np.abs(apart)
    bits = 15 - np.frexp(np.maximum(size.max(axis=0), 1).astype(np.float64))[1].astype(np.int64)
    size = np.where(bits < 0, size >> np.maximum(-bits, 0), size << np.maximum(bits, 0))
    return total // n, (np.sign(apart) * size).astype(np.int32), bits


def _moments(centred: Int32s, bits: Int64s, tables: Tables) -> npt.NDArray[np.int64]:
    """(3, n): ln of the RMS, skewness and ln of the kurtosis; skewness 0 and kurtosis 1 / 65536 without any change."""
    n, x = len(centred), centred.astype(np.int64)
    squares = x * x
    sum2, sum3, sum4 = squares.sum(axis=0), (squares * x).sum(axis=0), ((squares >> SQUARE_BITS) ** 2).sum(axis=0)
    rms = square_roots(((sum2 << 2 * RMS_BITS) // n).astype(np.float64))
    # m3 / rms three times over, each time as far shifted to the left as 64 bits allow.
    by = np.maximum(rms, 1)
    skewness = (np.abs(sum3) // n << RMS_BITS) // by
    skewness = (skewness << (RMS_BITS + 8)) // by
    skewness = np.sign(sum3) * ((skewness << FRACTION) // by)
    m2 = np.maximum(sum2 // n, 1)
    kurtosis = ((sum4 // n << 2 * SQUARE_BITS) // m2 << FRACTION) // m2
    return np.stack([logarithms(rms, tables) - (RMS_BITS + bits) * LN2_Q16, skewness, logarithms(kurtosis, tables)])
