"""Real values to int8 and back, by TFLite's affine rule: real = (int8 - zero point) * scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Int8s = npt.NDArray[np.int8]


def to_int8(x: npt.NDArray[np.floating], scale: float, zero_point: int) -> Int8s:
    """Real values x as int8, clipped at the ends: as a device is fed. Steps are float32, rounded half to even."""
    steps: Int8s = np.clip(np.round(x / np.float32(scale)) + zero_point, -128, 127).astype(np.int8)
    return steps


def to_real(x: Int8s, scale: float, zero_point: int) -> Floats:
    """The real values float32 that int8 values x stand for."""
    values: Floats = (x.astype(np.float32) - zero_point) * np.float32(scale)
    return values
