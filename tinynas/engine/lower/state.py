"""A graph on its way to a Net, and what all operators need of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinynas.engine.fixed_point import Rounding, half_away, quantize_multiplier
from tinynas.engine.net import (
    Clamp,
    Ints,
    Layer,
    Scaling,
    Spec,
    Value,
)
from tinynas.engine.unary import scale_of
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.graph import (
    ACTIVATION_NONE,
    ACTIVATION_RELU,
    ACTIVATION_RELU6,
    ACTIVATION_RELU_N1_TO_1,
    Graph,
    Operator,
    Tensor,
    int_option,
    tensor_at,
)

DTYPES = {"INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "<u1"}
"""The types of constants that are whole numbers, as numpy calls them."""


@dataclass
class Lowering:
    """A graph on its way: which value or constant each tensor is, and the layers so far."""

    graph: Graph
    rounding: Rounding
    roots: dict[int, int] = field(default_factory=dict)
    constants: dict[int, Ints] = field(default_factory=dict)
    values: dict[int, Value] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    index: int = 0

    def constant(self, operator: Operator, position: int, what: str) -> Ints:
        """The whole numbers of an input that must be known; UnsupportedOperatorError when it is not."""
        number = operator.inputs[position] if position < len(operator.inputs) else -1
        if number not in self.constants:
            raise self.unsupported(operator, f"has {what} that are not constant")
        return self.constants[number]

    def unsupported(self, operator: Operator, why: str) -> UnsupportedOperatorError:
        """The error that says why the engine has no code for this operator."""
        return UnsupportedOperatorError(f"the engine cannot take operator {self.index}: {operator.name} {why}")

    def source(self, operator: Operator, position: int = 0) -> Tensor:
        """An input's tensor, int8 with one scale."""
        tensor = tensor_at(self.graph, operator, position)
        if tensor is None:
            raise self.unsupported(operator, f"lacks its input {position}")
        return self.int8(operator, tensor)

    def result(self, operator: Operator) -> Tensor:
        """The one output's tensor, int8 with one scale."""
        if len(operator.outputs) != 1:
            raise self.unsupported(operator, f"has {len(operator.outputs)} outputs, and one is wanted")
        return self.int8(operator, self.graph.tensors[operator.outputs[0]])

    def int8(self, operator: Operator, tensor: Tensor) -> Tensor:
        """The tensor; UnsupportedOperatorError unless it is int8 with one scale and one sample."""
        if tensor.dtype != "INT8" or len(tensor.scales) != 1 or not tensor.scales[0] > 0:
            kind = tensor.dtype if tensor.dtype != "INT8" else f"INT8 with {len(tensor.scales)} scales"
            raise self.unsupported(operator, f"works on {kind}; wanted INT8 with one scale")
        return tensor


def whole_numbers(tensor: Tensor) -> Ints:
    """A constant's values, in its shape."""
    data = np.frombuffer(tensor.data or b"", dtype=DTYPES[tensor.dtype])
    if data.size != tensor.elements:
        raise ModelError(f"a constant of shape {list(tensor.shape)} has {data.size} values; convert the model again")
    numbers: Ints = data.astype(np.int64).reshape(tensor.shape)
    return numbers


def make_value(state: Lowering, number: int) -> int:
    """Let the tensor be a value of its own; its number."""
    tensor = state.graph.tensors[number]
    shape = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    state.values[number] = Value(shape or (1,), tensor.zero_points[0])
    state.roots[number] = number
    return number


def add(state: Lowering, operator: Operator, spec: Spec, positions: tuple[int, ...] = (0,)) -> None:
    """Append a layer of `spec` that reads the operator's inputs at `positions`."""
    inputs = []
    for position in positions:
        number = operator.inputs[position]
        if number not in state.roots:
            raise state.unsupported(operator, f"reads input {position} that nothing made")
        inputs.append(state.roots[number])
    output = make_value(state, operator.outputs[0])
    state.layers.append(Layer(spec, tuple(inputs), output, (state.index,)))


def clamp_of(operator: Operator, result: Tensor) -> Clamp:
    """What the fused activation leaves of int8 (TFLM: kernel_util.cc, CalculateActivationRangeQuantized)."""
    activation = int_option(operator, "fused_activation_function", ACTIVATION_NONE)

    def step(real: float) -> int:
        return result.zero_points[0] + half_away(float(np.float32(real) / scale_of(result)))

    ranges = {
        ACTIVATION_NONE: (-128, 127),
        ACTIVATION_RELU: (step(0), 127),
        ACTIVATION_RELU6: (step(0), step(6)),
        ACTIVATION_RELU_N1_TO_1: (step(-1), step(1)),
    }
    if activation not in ranges:
        raise UnsupportedOperatorError(
            f"operator {operator.name} has the fused activation number {activation}, which no int8 kernel of TFLM has"
        )
    low, high = ranges[activation]
    return Clamp(max(-128, low), min(127, high))


def scaling_of(state: Lowering, reals: list[float], result: Tensor, clamp: Clamp) -> Scaling:
    """The factors of the channels, and what becomes of a sum."""
    factors = [quantize_multiplier(real, state.rounding) for real in reals]
    return Scaling(
        np.array([factor.multiplier for factor in factors], np.int64),
        np.array([factor.shift for factor in factors], np.int64),
        result.zero_points[0],
        clamp,
    )


def one_sample(state: Lowering, operator: Operator) -> None:
    """UnsupportedOperatorError unless the operator works on one sample."""
    shape = state.graph.tensors[operator.inputs[0]].shape
    if shape[0] != 1:
        raise state.unsupported(operator, f"works on {shape[0]} samples at once, and the engine on one")


def same_scale(operator: Operator, source: Tensor, result: Tensor) -> None:
    """ModelError unless both tensors have one scale and one zero point."""
    if source.zero_points[0] != result.zero_points[0] or abs(source.scales[0] - result.scales[0]) > 1e-6:
        raise ModelError(
            f"{operator.name} has an input of scale {source.scales[0]:g} and zero point {source.zero_points[0]}, "
            f"and an output of {result.scales[0]:g} and {result.zero_points[0]}; wanted the same: convert it again"
        )


def padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with ones in front, up to four axes."""
    return (1,) * (4 - len(shape)) + shape
