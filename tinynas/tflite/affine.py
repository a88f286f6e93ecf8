"""Real values to integers and back, by TFLite's affine rule: real = (integer - zero point) * scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.tflite.graph import Graph, Tensor

Floats = npt.NDArray[np.float32]
Int8s = npt.NDArray[np.int8]
_INTEGERS: Mapping[str, type[Any]] = {"INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16}


def to_int8(x: npt.NDArray[np.floating], scale: float, zero_point: int) -> Int8s:
    """Real values x as int8, clipped at the ends: as a device is fed. Steps are float32, rounded half to even."""
    return to_integers(x, scale, zero_point, np.int8)


def to_integers(x: npt.NDArray[np.floating], scale: float, zero_point: int, dtype: type[Any]) -> npt.NDArray[Any]:
    """The same as integers of any NumPy `dtype`, such as uint8."""
    ends = np.iinfo(dtype)
    steps: npt.NDArray[Any] = np.clip(np.round(x / np.float32(scale)) + zero_point, ends.min, ends.max).astype(dtype)
    return steps


def to_real(x: npt.NDArray[np.integer], scale: float, zero_point: int) -> Floats:
    """The real values float32 that integers x stand for."""
    values: Floats = (x.astype(np.float32) - zero_point) * np.float32(scale)
    return values


def limits_of(graph: Graph, index: int) -> tuple[float, float] | None:
    """The least and the greatest real value that tensor `index` holds, or that QUANTIZE leaves of a float one.

    None where there is no such limit.
    """
    tensor = graph.tensors[index]
    if tensor.dtype == "FLOAT32":
        into = [each.outputs[0] for each in graph.operators if each.name == "QUANTIZE" and index in each.inputs]
        tensor = graph.tensors[into[0]] if into else tensor
    if not _has_one_scale(tensor):
        return None
    ends = np.iinfo(_INTEGERS[tensor.dtype])
    low, high = to_real(np.array([ends.min, ends.max]), tensor.scales[0], tensor.zero_points[0])
    return float(low), float(high)


def step_of(graph: Graph, index: int) -> float | None:
    """The difference of neighbouring real values of tensor `index`: its scale, or that of what DEQUANTIZE made it of.

    None where real values have no steps.
    """
    tensor = graph.tensors[index]
    if tensor.dtype == "FLOAT32":
        of = [each.inputs[0] for each in graph.operators if each.name == "DEQUANTIZE" and index in each.outputs]
        tensor = graph.tensors[of[0]] if of else tensor
    return tensor.scales[0] if _has_one_scale(tensor) else None


def _has_one_scale(tensor: Tensor) -> bool:
    return tensor.dtype in _INTEGERS and len(tensor.scales) == len(tensor.zero_points) == 1
