"""A model's input and output: their types in C and in NumPy, and real values to what they hold and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
_EMPTY = ("", "identity", "statefulpartitionedcall", "partitionedcall", "input", "output")  # names that say nothing


@dataclass(frozen=True)
class End:
    """An input or an output: its tensor's number in the graph, and its name, "" where there is one of each."""

    index: int
    tensor: Tensor
    name: str = ""


@dataclass(frozen=True)
class Ends:
    """All inputs and all outputs of a model; the names of several are told apart, and make a part of a C identifier."""

    inputs: tuple[End, ...]
    outputs: tuple[End, ...]

    @property
    def alone(self) -> bool:
        """Whether there is one of each."""
        return len(self.inputs) == len(self.outputs) == 1


def ends(data: bytes) -> tuple[Tensor, Tensor]:
    """The input and the output of the .tflite `data`; ModelError unless each is one tensor of one sample."""
    found = all_ends(read(data))
    for what, several in (("input", found.inputs), ("output", found.outputs)):
        if len(several) != 1:
            raise ModelError(f"the model has {len(several)} {what}s, wanted one")
    return found.inputs[0].tensor, found.outputs[0].tensor


def all_ends(graph: Graph, names: Sequence[str] | None = None) -> Ends:
    """The inputs and outputs of `graph`, called after its tensors, or after `names` of the tensors by number.

    ModelError for one that is not int8 or uint8 with one scale, or float32, or holds more than one sample.
    """
    called = names if names is not None else [tensor.name for tensor in graph.tensors]
    for what, indices in (("input", graph.inputs), ("output", graph.outputs)):
        if not indices:
            raise ModelError(f"the model has no {what}")
        for index in indices:
            _check(graph.tensors[index], what)
    alone = len(graph.inputs) == len(graph.outputs) == 1
    return Ends(_called(graph, graph.inputs, called, alone), _called(graph, graph.outputs, called, alone))


def _called(graph: Graph, indices: Sequence[int], names: Sequence[str], alone: bool) -> tuple[End, ...]:
    """The ends of one side with their names; numbers where the file's names are none that tell them apart."""
    found = ["" if alone else _as_part(names[index]) for index in indices]
    if not alone and (not all(found) or len({name.upper() for name in found}) < len(found)):
        found = [str(number) for number in range(len(indices))]
    return tuple(End(index, graph.tensors[index], name) for index, name in zip(indices, found, strict=True))


def _as_part(name: str) -> str:
    """The part of a C identifier that a tensor's name makes; "" for one that says nothing."""
    text = re.sub(r":\d+$", "", name.removeprefix("serving_default_").rpartition("/")[2])
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
    return "" if re.sub(r"_?\d+$", "", text) in _EMPTY or text[0].isdigit() else text


def _check(tensor: Tensor, what: str) -> None:
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


def at_random(graph: Graph, index: int, n: int, rng: np.random.Generator) -> Stored:
    """Random values (n, *shape) for the input `index`, over all that it can hold; [0, 1] where that is anything."""
    source = graph.tensors[index]
    shape = (n, *source.shape[1:])
    if source.dtype == "FLOAT32":
        return rng.uniform(*(limits_of(graph, index) or (0.0, 1.0)), shape).astype(np.float32)
    dtype = TYPES[source.dtype].numpy
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape, dtype=dtype)
