"""The features as C99: what the templates of NAME_features.h and NAME_features.c say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.export import c_text
from tinynas.features import IntLogMel, MelFeatures, Spectral, noise, spectrum
from tinynas.features import spectral as steps
from tinynas.features.tables import BANK_BITS, LN2_Q16, WINDOW_BITS, correction_bits, radices
from tinynas.hardware.front_counts import features_bytes

Int8s = npt.NDArray[np.int8]
HASH_WINDOWS = 6  # of the self-test of spectral features, each an eighth as loud as the one before
AS_THEY_ARE = np.arange(-128, 128, dtype=np.int8)


def whole_values(features: IntLogMel, levels: Int8s = AS_THEY_ARE) -> dict[str, Any]:
    """What the templates know of features in whole numbers; `levels` (256,) is the network's input for each byte."""
    tables = features.tables
    most = int(tables.widths.max())
    return {
        "f": features,
        "whole": True,
        "hash": check_hash(features, levels),
        "levels": "" if (levels == AS_THEY_ARE).all() else c_text.array(levels),
        "ram_bytes": features_bytes(features),
        "tables": tables,
        "correction": correction_bits(features.n_fft),
        "radices": radices(features.n_fft // 2),
        "window": c_text.array(tables.window),
        "twiddles": c_text.array(_pairs(tables.twiddles)),
        "turns": c_text.array(_pairs(tables.turns)),
        "weights": c_text.array(tables.weights),
        "widths": c_text.array(tables.widths),
        "width_type": "uint8_t" if most < 256 else "uint16_t",
        "logs": c_text.array(tables.log),
        "window_bits": WINDOW_BITS,
        "bank_bits": BANK_BITS,
        "ln2": LN2_Q16,
        **_noise_values(features),
    }


def _noise_values(features: IntLogMel) -> dict[str, Any]:
    """What they know of noise reduction and PCAN."""
    found, table = features.noise, noise.gains(features.n_fft)
    return {
        "noise": found,
        "background": "" if found is None else c_text.array(found.background),
        "gains": c_text.array(table) if found is not None and found.pcan else "",
        "p": {
            "smoothing_bits": noise.SMOOTHING_BITS,
            "share_bits": noise.SHARE_BITS,
            "shares": noise.SHARES,
            "least": noise.LEAST_LEFT,
            "n_gains": len(table),
            "snr_shift": noise.snr_shift(features.n_fft),
            "straight_from": 2 << noise.SNR_BITS,
            "square_shift": 2 + 2 * noise.SNR_BITS - noise.OUTPUT_BITS,
            "straight_shift": noise.SNR_BITS - noise.OUTPUT_BITS,
            "straight_less": 1 << noise.OUTPUT_BITS,
        },
    }


def spectral_values(features: Spectral, levels: Int8s = AS_THEY_ARE) -> dict[str, Any]:
    """What the templates know of spectral features; `levels` (256,) is the network's input for each byte."""
    tables = features.tables
    return {
        "f": None,
        "spectral": features,
        "noise": None,
        "whole": True,
        "hash": spectral_hash(features, levels),
        "hash_windows": HASH_WINDOWS,
        "levels": "" if (levels == AS_THEY_ARE).all() else c_text.array(levels),
        "ram_bytes": features_bytes(features),
        "radices": radices(features.n_fft // 2),
        "channel_offsets": c_text.array(map(c_text.number, features.offsets)),
        "channel_gains": c_text.array(map(c_text.number, features.gains)),
        "window": c_text.array(tables.window),
        "twiddles": c_text.array(_pairs(tables.twiddles)),
        "turns": c_text.array(_pairs(tables.turns)),
        "logs": c_text.array(tables.log),
        "lows": c_text.array(np.array(features.lows).T.ravel()),
        "factors": c_text.array(np.array(features.factors).T.ravel()),
        "n_moments": len(steps.MOMENTS),
        "factor_bits": steps.FACTOR_BITS,
        "rms_bits": spectrum.RMS_BITS,
        "power_bits": spectrum.POWER_BITS,
        "square_bits": spectrum.SQUARE_BITS,
        "window_bits": WINDOW_BITS,
        "ln2": LN2_Q16,
    }


def float_values(features: MelFeatures) -> dict[str, Any]:
    """What the templates know of features in floating point."""
    window, filters = features.window(), features.filters()
    phase = -2 * np.pi * np.arange(features.n_fft // 2) / features.n_fft
    roots = zip(map(c_text.number, np.cos(phase)), map(c_text.number, np.sin(phase)), strict=True)
    used = [np.flatnonzero(column) for column in filters.T]
    weights = [filters[at[0] : at[-1] + 1, band] for band, at in enumerate(used)]
    return {
        "f": features,
        "whole": False,
        "noise": None,
        "gains": "",
        "ram_bytes": features_bytes(features),
        "window": c_text.array(map(c_text.number, window / window.sum() / 32768)),
        "roots": c_text.array(f"{{{a}, {b}}}" for a, b in roots),
        "starts": c_text.array(at[0] for at in used),
        "lengths": c_text.array(map(len, weights)),
        "n_weights": sum(map(len, weights)),
        "weights": c_text.array(map(c_text.number, np.concatenate(weights))),
        "floor": c_text.number(10 ** (features.floor_db / 10)),
        "floor_db": c_text.number(features.floor_db),
    }


def check_sound(features: IntLogMel) -> npt.NDArray[np.int16]:
    """The noise of the self-test, `clip` samples: all levels from full scale down to the last bit, and -32768."""
    noise, found = 1, np.empty(features.clip, np.int16)
    for at in range(features.clip):
        noise = (noise * 1664525 + 1013904223) % 2**32
        level = at // features.hop % 17
        sample = (noise >> 16) - 32768
        found[at] = -32768 if noise % 251 == 0 else int(sample / (1 << level))
    return found


def check_hash(features: IntLogMel, levels: Int8s = AS_THEY_ARE) -> int:
    """FNV-1a of the features of that noise, as int8."""
    return _hash_of(levels[features.apply(check_sound(features)[None])])


def check_windows(features: Spectral) -> npt.NDArray[np.int16]:
    """The noise of the self-test (HASH_WINDOWS, window, channels), from full scale down to the last bit."""
    noise, found = 1, np.empty((HASH_WINDOWS, features.window * features.channels), np.int16)
    for number, row in enumerate(found):
        for at in range(len(row)):
            noise = (noise * 1664525 + 1013904223) % 2**32
            row[at] = int(((noise >> 16) - 32768) / (1 << 3 * number))
    return found.reshape(-1, features.window, features.channels)


def spectral_hash(features: Spectral, levels: Int8s = AS_THEY_ARE) -> int:
    """FNV-1a of the features of that noise, as int8."""
    return _hash_of(levels[features.bytes_of(features.values(check_windows(features)))])


def _hash_of(values: Int8s) -> int:
    found = 2166136261
    for byte in values.tobytes():
        found = (found ^ byte) * 16777619 % 2**32
    return found


def _pairs(values: npt.NDArray[np.int16]) -> list[str]:
    return [f"{{{a}, {b}}}" for a, b in values.tolist()]
