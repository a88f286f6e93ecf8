"""The arithmetic of int_log_mel in NumPy, many frames at once; equal to TFLM's signal operators to the last bit.

Sources: tflite-micro signal/src (window, fft_auto_scale, rfft_int16 on kissfft with 16 bits, energy, filter_bank,
square_root_64, log). Frames lie side by side along the last axis, so that every step is one pass over all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.features.tables import BANK_BITS, LN2_Q16, WINDOW_BITS, Tables, correction_bits, radices

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Complex = tuple[npt.NDArray[Any], npt.NDArray[Any]]

FULL_SCALE = 32767  # of a sample: TFLM's FftAutoScale overflows at -32768


def to_int16(sound: npt.ArrayLike) -> Int16s:
    """Samples in [-1, 1] as the device has them, -32767 to 32767."""
    whole = np.round(np.asarray(sound, np.float64) * 32768)
    return np.clip(whole, -FULL_SCALE, FULL_SCALE).astype(np.int16)


def magnitudes(frames: Int16s, tables: Tables) -> Int64s:
    """Frames (n, frame) as the bands' magnitudes (n, bands)."""
    samples = np.clip(frames.T, -FULL_SCALE, FULL_SCALE).astype(np.int32)  # int16's least value has no counterpart
    x = (samples * tables.window.astype(np.int32)[:, None]) >> WINDOW_BITS
    bits = _auto_scale(x)
    padded = np.zeros((2 * len(tables.twiddles), x.shape[1]), np.int16)
    padded[: len(x)] = x << bits
    found: Int64s = (square_roots(_bands(energies(padded, tables), tables)) >> bits).T
    return found


def natural_logs(magnitudes: Int64s, n_fft: int, tables: Tables) -> Int32s:
    """The natural logarithms of magnitudes, each shifted to the left so that soft sounds have steps, in 1 / 65536."""
    return logarithms((magnitudes << correction_bits(n_fft)) & 0xFFFFFFFF, tables)


def _auto_scale(x: Int32s) -> Int32s:
    """How far each frame of x (frame, n) can be shifted to the left."""
    top = np.abs(x).max(axis=0)
    return np.where(top > 0, 15 - np.frexp(top.astype(np.float64))[1], 0).astype(np.int32)


def energies(x: Int16s, tables: Tables) -> Int64s:
    """The squares of the FFT's magnitudes (n_fft / 2, n) of x (n_fft, n); the FFT is divided by its length."""
    half = len(x) // 2
    re, im = _fft(x[0::2], x[1::2], tables)
    k = np.arange(1, half // 2 + 1)
    a = _divided((re[k], im[k]), 2)
    b = _divided((re[half - k], (-im[half - k].astype(np.int32)).astype(np.int16)), 2)
    f1, f2 = (a[0] + b[0], a[1] + b[1]), (a[0] - b[0], a[1] - b[1])
    t = _product(_wrapped(f2), tables.turns[k - 1])
    f1 = _wrapped(f1)
    out = np.zeros((half, x.shape[1]), np.int64)
    for at, pair in ((k, (f1[0] + t[0], f1[1] + t[1])), (half - k, (f1[0] - t[0], t[1] - f1[1]))):
        real, imaginary = _wrapped((pair[0] >> 1, pair[1] >> 1))
        out[at] = real.astype(np.int64) ** 2 + imaginary.astype(np.int64) ** 2
    return out


def _fft(re: npt.NDArray[Any], im: npt.NDArray[Any], tables: Tables) -> Complex:
    """kissfft's complex FFT of 16 bits over the first axis of (n, frames): each stage divides by its radix."""
    n = len(re)
    order = _digits_reversed(n)
    now: Complex = re[order], im[order]
    m = 1
    for p in reversed(radices(n)):
        parts = [part.reshape(n // (p * m), p, m, -1) for part in now]
        stride = n // (p * m)
        scaled = [_divided((parts[0][:, j], parts[1][:, j]), p) for j in range(p)]
        turned = [_product(scaled[j], tables.twiddles[np.arange(m) * stride * j]) for j in range(1, p)]
        first = scaled[0]
        if p == 2:
            (t,) = turned
            made = [_sum(first, t), _difference(first, t)]
        else:
            even, odd = _sum(first, turned[1]), _difference(first, turned[1])
            outer, inner = _sum(turned[0], turned[2]), _difference(turned[0], turned[2])
            made = [
                _sum(even, outer),
                (odd[0] + inner[1], odd[1] - inner[0]),
                _difference(even, outer),
                (odd[0] - inner[1], odd[1] + inner[0]),
            ]
        wrapped = [_wrapped(each) for each in made]
        now = (
            np.stack([each[0] for each in wrapped], axis=1).reshape(n, -1),
            np.stack([each[1] for each in wrapped], axis=1).reshape(n, -1),
        )
        m *= p
    return now


@lru_cache(maxsize=8)
def _digits_reversed(n: int) -> Int64s:
    """Which sample stands at each place before the innermost stage."""
    places = np.arange(n)
    for p in radices(n):
        block = len(places) if places.ndim == 1 else places.shape[-1]
        places = places.reshape(-1, block // p, p).swapaxes(1, 2) if block > 1 else places
    return places.reshape(-1)


def _rounded(x: Any) -> Int32s:
    """x / 32768, halves upwards, as 16 bits hold it."""
    found: Int32s = ((x + (1 << 14)) >> 15).astype(np.int16).astype(np.int32)
    return found


def _divided(x: Complex, k: int) -> Complex:
    share = np.int32(32767 // k)
    return _rounded(x[0].astype(np.int32) * share), _rounded(x[1].astype(np.int32) * share)


def _product(x: Complex, roots: Int16s) -> Complex:
    """x (..., m, frames) times roots (m, 2)."""
    re, im = roots.astype(np.int32)[:, 0, None], roots.astype(np.int32)[:, 1, None]
    return _rounded(x[0] * re - x[1] * im), _rounded(x[0] * im + x[1] * re)


def _sum(a: Complex, b: Complex) -> Complex:
    return a[0] + b[0], a[1] + b[1]


def _difference(a: Complex, b: Complex) -> Complex:
    return a[0] - b[0], a[1] - b[1]


def _wrapped(x: Complex) -> Complex:
    """x as 16 bits hold it."""
    return x[0].astype(np.int16).astype(np.int32), x[1].astype(np.int16).astype(np.int32)


def _bands(energies: Int64s, tables: Tables) -> npt.NDArray[np.float64]:
    """The sums (bands, n) of energies (n_fft / 2, n); whole numbers below 2^53, so that float64 holds them."""
    used = energies[tables.first : tables.first + len(tables.weights)].astype(np.float64)
    entries = len(tables.widths)
    entry = np.repeat(np.arange(entries), tables.widths)
    matrix = np.zeros((entries + 1, len(entry)))
    matrix[entry, np.arange(len(entry))] = tables.weights
    matrix[entry + 1, np.arange(len(entry))] = (1 << BANK_BITS) - tables.weights
    sums: npt.NDArray[np.float64] = matrix[1:entries] @ used
    return sums


def square_roots(sums: npt.NDArray[np.float64]) -> Int64s:
    """Square roots rounded to the nearest; exact, since the sums are far below 2^52."""
    root = np.floor(np.sqrt(sums))
    rest = sums - root * root
    limit = np.where(sums < 1 << 32, (1 << 16) - 1, (1 << 32) - 1)
    rounded: Int64s = np.where((rest > root) & (root != limit), root + 1, root).astype(np.int64)
    return rounded


def logarithms(x: Int64s, tables: Tables) -> Int32s:
    """ln(x) of whole numbers below 2^32, in 1 / 65536; 0 for 0 and 1. A table of log2 of 128 segments."""
    table = np.append(tables.log, 0).astype(np.int64)
    safe = np.maximum(x, 2)
    whole = np.frexp(safe.astype(np.float64))[1].astype(np.int64) - 1
    part = safe - (np.int64(1) << whole)
    part = np.where(whole < 16, part << np.maximum(16 - whole, 0), part >> np.maximum(whole - 16, 0))
    segment = part >> 9
    low, high = table[segment], table[segment + 1]
    part = part + low + (((high - low) * (part & 511)) >> 16)
    found = (LN2_Q16 * ((whole << 16) + part) + 32768) >> 16
    return np.where(x > 1, found, 0).astype(np.int32)
