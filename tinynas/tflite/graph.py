"""A .tflite as values: tensors, operators and the graph they form, free of flatbuffer detail."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tinynas.errors import ModelError

OptionValue = int | float | bool | bytes | tuple[int, ...] | tuple[float, ...]

DTYPE_BYTES: Mapping[str, int] = {
    "FLOAT32": 4,
    "FLOAT16": 2,
    "INT32": 4,
    "UINT8": 1,
    "INT64": 8,
    "BOOL": 1,
    "INT16": 2,
    "COMPLEX64": 8,
    "INT8": 1,
    "FLOAT64": 8,
    "COMPLEX128": 16,
    "UINT64": 8,
    "UINT32": 4,
    "UINT16": 2,
    "INT4": 1,  # a byte each once unpacked in the arena; two a byte in the file
    "BFLOAT16": 2,
}
"""Bytes of one element in the arena (TFLM: memory_helpers.cc, TfLiteTypeSizeOf)."""

PADDING_SAME, PADDING_VALID = 0, 1
ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_RELU_N1_TO_1, ACTIVATION_RELU6 = 0, 1, 2, 3


@dataclass(frozen=True)
class Tensor:
    """One tensor: `data` is the constant's bytes as they lie in the file, None for an activation.

    `shape` is () for a scalar. `scales` and `zero_points` hold one value per tensor or one per slice of
    `quantized_axis`; both are empty for a tensor without quantisation.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: bytes | None = None
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    quantized_axis: int = 0
    is_variable: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the tensor's data, so that it takes no arena."""
        return bool(self.data)

    @property
    def is_quantized(self) -> bool:
        """Whether TFLM makes a TfLiteAffineQuantization of it (scales and zero points, both present)."""
        return bool(self.scales and self.zero_points)

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes the tensor fills in memory, unpadded."""
        return self.elements * element_bytes(self.dtype)


@dataclass(frozen=True)
class Operator:
    """One operator in execution order.

    `name` is the schema's ("CONV_2D"); a custom operator's is "CUSTOM:" and its code ("CUSTOM:MyOp"), and its
    `custom` is its option bytes, None for a builtin. `inputs` and `outputs` index the graph's tensors; -1 is
    an optional input left out. `options` maps the schema's field names in snake case ("stride_h", "padding",
    "fused_activation_function") to values, defaults included; enums stay numbers. None: no option table.
    """

    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, OptionValue] | None = None
    custom: bytes | None = None
    intermediates: tuple[int, ...] = ()


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a model; `operators` stand in execution order.

    `others` are the further subgraphs, which CALL_ONCE runs, IF or WHILE. `offline_plan` is the model's
    OfflineMemoryAllocation: one head offset a tensor, -1 where TFLM plans it.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    n_subgraphs: int = 1
    offline_plan: tuple[int, ...] | None = None
    others: tuple["Graph", ...] = ()

    @property
    def subgraphs(self) -> tuple["Graph", ...]:
        """The first subgraph and the further ones, in the file's order."""
        return (self, *self.others)


def element_bytes(dtype: str) -> int:
    """Bytes of one element of `dtype` in the arena; ModelError for a type that has no fixed size."""
    try:
        return DTYPE_BYTES[dtype]
    except KeyError:
        raise ModelError(
            f"tensor type {dtype} has no fixed element size; a model for a microcontroller uses one of "
            f"{', '.join(sorted(DTYPE_BYTES))}"
        ) from None


def tensor_at(graph: Graph, operator: Operator, position: int) -> Tensor | None:
    """The operator's input at `position`, None where it is left out (-1) or the list is shorter."""
    if position >= len(operator.inputs) or operator.inputs[position] < 0:
        return None
    return graph.tensors[operator.inputs[position]]


def int_option(operator: Operator, name: str, default: int | None = None) -> int:
    """The operator's option `name` as a whole number; ModelError when it is missing, without a default, or is none."""
    value = (operator.options or {}).get(name, default)
    if not isinstance(value, int):
        raise ModelError(
            f"operator {operator.name} has {value!r} as its option '{name}', but a whole number is wanted; "
            "convert the model again"
        )
    return value
