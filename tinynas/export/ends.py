"""A model's input and output: their types in C and in NumPy, and real values to what they hold and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import ModelError
from tinynas.tflite import Graph, Tensor, read
from tinynas.tflite.affine import Floats, limits_of, to_integers, to_real

Stored = npt.NDArray[Any]
"""Values as a tensor holds them: int8, uint8 or float32."""


@dataclass(frozen=True)
class CType:
    """How a type is called in C, in the union of a TfLiteTensor, in TfLiteType and in NumPy."""

    c: str
    field: str
    enum: str
    numpy: type[Any]


TYPES: Mapping[str, CType] = {
    "INT8": CType("int8_t", "int8", "kTfLiteInt8", np.int8),
    "UINT8": CType("uint8_t", "uint8", "kTfLiteUInt8", np.uint8),
    "FLOAT32": CType("float", "f", "kTfLiteFloat32", np.float32),
}
"""The types that an input or output may have, by the schema's names."""


def ends(data: bytes) -> tuple[Tensor, Tensor]:
    """The input and the output of the .tflite `data`; ModelError unless each is one tensor of one sample.

    Both are int8 or uint8 with one scale, or float32.
    """
    graph = read(data)
    return _end(graph, graph.inputs, "input"), _end(graph, graph.outputs, "output")


def _end(graph: Graph, indices: tuple[int, ...], what: str) -> Tensor:
    tensors = [graph.tensors[index] for index in indices]
    if len(tensors) != 1:
        raise ModelError(f"the model has {len(tensors)} {what}s, but firmware is made for exactly one")
    (tensor,) = tensors
    if tensor.dtype not in TYPES:
        raise ModelError(f"the model's {what} is {tensor.dtype}; wanted one of {', '.join(TYPES)}")
    scaled = len(tensor.scales) == len(tensor.zero_points) == 1 and tensor.scales[0] > 0
    if tensor.dtype != "FLOAT32" and not scaled:
        raise ModelError(
            f"the model's {what} is {tensor.dtype} with {len(tensor.scales)} scales; wanted one, above 0: convert it "
            f"fully quantised, or give tinynas the Keras model and --data"
        )
    if tensor.shape[:1] != (1,) or not tensor.elements:
        raise ModelError(f"the model's {what} has shape {tensor.shape}; wanted a batch of one sample")
    return tensor


def quantized(x: Floats, source: Tensor) -> Stored:
    """What the input (n, *shape) holds for real values x float32 (n, ...), as the firmware makes it."""
    if source.dtype == "FLOAT32":
        return x.astype(np.float32).reshape(len(x), *source.shape[1:])
    dtype = TYPES[source.dtype].numpy
    return to_integers(x, source.scales[0], source.zero_points[0], dtype).reshape(len(x), *source.shape[1:])


def dequantized(values: Stored, result: Tensor) -> Floats:
    """The real values (n, values) of outputs (n, values), as the firmware makes them."""
    if result.dtype == "FLOAT32":
        return values.astype(np.float32)
    return to_real(values, result.scales[0], result.zero_points[0])


def at_random(graph: Graph, n: int, rng: np.random.Generator) -> Stored:
    """Random values (n, *shape) for the one input, over all that it can hold; over [0, 1] where that is anything."""
    source = graph.tensors[graph.inputs[0]]
    shape = (n, *source.shape[1:])
    if source.dtype == "FLOAT32":
        return rng.uniform(*(limits_of(graph, graph.inputs[0]) or (0.0, 1.0)), shape).astype(np.float32)
    dtype = TYPES[source.dtype].numpy
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape, dtype=dtype)
