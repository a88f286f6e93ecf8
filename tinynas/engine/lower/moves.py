"""Operators that move bytes or only name them, and whole numbers that follow from shapes."""

from __future__ import annotations

from math import prod

import numpy as np

from tinynas.engine.lower.state import (
    Lowering,
    add,
    padded,
    same_scale,
)
from tinynas.engine.net import (
    Concatenation,
    Gather,
    Ints,
    Pad,
)
from tinynas.errors import ModelError
from tinynas.tflite.graph import (
    Operator,
    int_option,
)

_MOST_CONCATENATED = 10  # TFLM: concatenation.cc


def alias(state: Lowering, operator: Operator) -> None:
    """An operator that leaves the bytes as they are."""
    number, output = operator.inputs[0], operator.outputs[0]
    if number in state.constants:
        state.constants[output] = state.constants[number].reshape(state.graph.tensors[output].shape)
    elif number in state.roots:
        if state.graph.tensors[number].bytes != state.graph.tensors[output].bytes:
            raise state.unsupported(operator, "changes the number of elements")
        state.roots[output] = state.roots[number]
    else:
        raise state.unsupported(operator, "reads what nothing made")


def shape(state: Lowering, operator: Operator) -> None:
    """SHAPE: always known."""
    state.constants[operator.outputs[0]] = np.array(state.graph.tensors[operator.inputs[0]].shape, np.int64)


def pack(state: Lowering, operator: Operator) -> None:
    """PACK of known numbers."""
    axis = int_option(operator, "axis", 0)
    parts = [state.constant(operator, position, "parts") for position in range(len(operator.inputs))]
    state.constants[operator.outputs[0]] = np.stack(parts, axis)


def _slices(state: Lowering, operator: Operator, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The slice of each axis; a masked end is open, a shrunk axis keeps one index (TFLM: strided_slice_common.cc)."""
    begin, end, step = (state.constant(operator, position, "bounds").reshape(-1) for position in (1, 2, 3))
    masks = {name: int_option(operator, f"{name}_mask", 0) for name in ("begin", "end", "shrink_axis")}
    if int_option(operator, "ellipsis_mask", 0) or int_option(operator, "new_axis_mask", 0) or len(begin) > len(shape):
        raise state.unsupported(operator, "has an ellipsis or a new axis")
    found = []
    for axis in range(len(begin)):
        first = int(begin[axis])
        if masks["shrink_axis"] >> axis & 1:
            found.append(slice(first, first + 1 or None))
            continue
        start = None if masks["begin"] >> axis & 1 else first
        stop = None if masks["end"] >> axis & 1 else int(end[axis])
        found.append(slice(start, stop, int(step[axis])))
    return tuple(found)


def strided_slice(state: Lowering, operator: Operator) -> None:
    """STRIDED_SLICE of known numbers or of a value."""
    number, output = operator.inputs[0], operator.outputs[0]
    tensor = state.graph.tensors[number]
    slices = _slices(state, operator, tensor.shape)
    if number in state.constants:
        state.constants[output] = state.constants[number][slices].reshape(state.graph.tensors[output].shape)
        return
    state.source(operator), state.result(operator)
    add(state, operator, _gathered(state, operator, _positions(tensor.shape)[slices]))


def transpose(state: Lowering, operator: Operator) -> None:
    """TRANSPOSE."""
    source = state.source(operator)
    state.result(operator)
    axes = [int(axis) for axis in state.constant(operator, 1, "axes").reshape(-1)]
    add(state, operator, _gathered(state, operator, _positions(source.shape).transpose(axes)))


def _positions(shape: tuple[int, ...]) -> Ints:
    return np.arange(prod(shape), dtype=np.int64).reshape(shape)


def _gathered(state: Lowering, operator: Operator, positions: Ints) -> Gather:
    """The Gather of an array of input positions that is a view of the input: its own sizes and strides tell all."""
    if positions.size != state.graph.tensors[operator.outputs[0]].elements:
        raise state.unsupported(operator, "makes another number of elements than its output has")
    sizes: list[int] = []
    strides: list[int] = []
    for size, stride in zip(
        positions.shape, (stride // positions.itemsize for stride in positions.strides), strict=True
    ):
        if size == 1:
            continue
        if sizes and strides[-1] == stride * size:
            sizes[-1], strides[-1] = sizes[-1] * size, stride
        else:
            sizes.append(size)
            strides.append(stride)
    if len(sizes) > 4:
        raise state.unsupported(operator, f"moves {len(sizes)} axes, and the engine 4")
    fill = 4 - len(sizes)
    a, b, c, d = (1,) * fill + tuple(sizes)
    s, t, u, v = (0,) * fill + tuple(strides)
    return Gather((a, b, c, d), (s, t, u, v), int(positions.reshape(-1)[0]))


def pad(state: Lowering, operator: Operator) -> None:
    """PAD and PADV2."""
    source, result = state.source(operator), state.result(operator)
    amounts = state.constant(operator, 1, "paddings").reshape(-1, 2)
    shape, before = padded(source.shape), (0,) * (4 - len(amounts)) + tuple(int(each) for each in amounts[:, 0])
    out = padded(result.shape)
    if len(shape) != 4 or shape[0] != 1 or out[0] != 1:
        raise state.unsupported(operator, f"makes {list(result.shape)} of {list(source.shape)}")
    fill = result.zero_points[0]
    if operator.name == "PADV2":
        fill = int(state.constant(operator, 2, "values").reshape(-1)[0])
    spec = Pad((shape[1], shape[2], shape[3]), (before[1], before[2], before[3]), (out[1], out[2], out[3]), fill)
    add(state, operator, spec)


def concatenation(state: Lowering, operator: Operator) -> None:
    """CONCATENATION of values in one scale."""
    result = state.result(operator)
    tensors = [state.source(operator, position) for position in range(len(operator.inputs))]
    if len(tensors) > _MOST_CONCATENATED:
        raise ModelError(f"CONCATENATION has {len(tensors)} inputs, and TFLM takes {_MOST_CONCATENATED}")
    for tensor in tensors:
        same_scale(operator, tensor, result)
    axis = int_option(operator, "axis") % len(result.shape)
    parts = tuple(prod(tensor.shape[axis:]) for tensor in tensors)
    spec = Concatenation(prod(result.shape[:axis]), parts)
    add(state, operator, spec, tuple(range(len(tensors))))
