"""From the graph of a .tflite to a Net: every factor becomes a whole number, as TFLM's Prepare makes it.

One function an operator. Operators that only name or reshape a value make no layer, and whole numbers that follow from
shapes (SHAPE, STRIDED_SLICE, PACK) are worked out here. What TFLM refuses is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from tinynas.engine.fixed_point import Rounding, check_rounding, half_away, quantize_multiplier
from tinynas.engine.net import (
    EVERY,
    Axes,
    Clamp,
    Concatenation,
    Convolution,
    Depthwise,
    Gather,
    Int8s,
    Ints,
    Layer,
    Lookup,
    Net,
    Pad,
    Pair,
    Pairing,
    Pool,
    Reduce,
    Reduction,
    Scaling,
    Softmax,
    Spec,
    Value,
    Window,
)
from tinynas.engine.unary import UNARY, exps_of, float32_option, scale_of, table_of
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.graph import (
    ACTIVATION_NONE,
    ACTIVATION_RELU,
    ACTIVATION_RELU6,
    ACTIVATION_RELU_N1_TO_1,
    PADDING_SAME,
    Graph,
    Operator,
    Tensor,
    int_option,
    tensor_at,
)
from tinynas.tflite.sliding import check_conv, check_depthwise, check_pool
from tinynas.tflite.window import padding_before

_INTS = {"INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "<u1"}
_MOST_CONCATENATED = 10  # TFLM: concatenation.cc
_BIAS_TOLERANCE = 0.02  # of an output step; TFLM: kernel_util.cc, GetQuantizedConvolutionMultipler


@dataclass
class _Lowering:
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


def lower(graph: Graph, rounding: Rounding = "double") -> Net:
    """The layers of an int8 `graph` with one input and one output, in the file's order.

    Raises UnsupportedOperatorError, naming the operator, for what the engine has no code for; ModelError for what TFLM
    itself refuses.
    """
    check_rounding(rounding)
    for ends, what in ((graph.inputs, "input"), (graph.outputs, "output")):
        if len(ends) != 1:
            raise UnsupportedOperatorError(f"the model has {len(ends)} {what}s, and the engine takes models of one")
    state = _Lowering(graph, rounding)
    for number, tensor in enumerate(graph.tensors):
        if tensor.is_constant and tensor.dtype in _INTS:
            state.constants[number] = _whole_numbers(tensor)
    (given,) = graph.inputs
    _check_end(graph.tensors[given], "input")
    _check_end(graph.tensors[graph.outputs[0]], "output")
    _make_value(state, given)
    for index, operator in enumerate(graph.operators):
        state.index = index
        row = _LOWER.get(operator.name)
        if row is None:
            raise UnsupportedOperatorError(
                f"the engine has no code for operator {index} ({operator.name}); it has for {', '.join(sorted(_LOWER))}"
            )
        row(state, operator)
    answer = state.roots.get(graph.outputs[0])
    if answer is None:
        raise ModelError("the model's output is not made of its input; convert the model again")
    names = tuple(operator.name for operator in graph.operators)
    return Net(state.values, tuple(state.layers), state.roots[given], answer, names)


def _check_end(tensor: Tensor, what: str) -> None:
    if tensor.dtype != "INT8" or len(tensor.scales) != 1:
        raise UnsupportedOperatorError(
            f"the model's {what} is {tensor.dtype} with {len(tensor.scales)} scales; the engine works on INT8 with one"
        )
    if tensor.shape[:1] != (1,) or not tensor.elements:
        raise UnsupportedOperatorError(f"the model's {what} has shape {list(tensor.shape)}; wanted one sample")


def _whole_numbers(tensor: Tensor) -> Ints:
    data = np.frombuffer(tensor.data or b"", dtype=_INTS[tensor.dtype])
    if data.size != tensor.elements:
        raise ModelError(f"a constant of shape {list(tensor.shape)} has {data.size} values; convert the model again")
    numbers: Ints = data.astype(np.int64).reshape(tensor.shape)
    return numbers


def _make_value(state: _Lowering, number: int) -> int:
    tensor = state.graph.tensors[number]
    shape = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    state.values[number] = Value(shape or (1,), tensor.zero_points[0])
    state.roots[number] = number
    return number


def _add(state: _Lowering, operator: Operator, spec: Spec, positions: tuple[int, ...] = (0,)) -> None:
    """Append a layer of `spec` that reads the operator's inputs at `positions`."""
    inputs = []
    for position in positions:
        number = operator.inputs[position]
        if number not in state.roots:
            raise state.unsupported(operator, f"reads input {position} that nothing made")
        inputs.append(state.roots[number])
    output = _make_value(state, operator.outputs[0])
    state.layers.append(Layer(spec, tuple(inputs), output, (state.index,)))


def _clamp(operator: Operator, result: Tensor) -> Clamp:
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


def _scaling(state: _Lowering, reals: list[float], result: Tensor, clamp: Clamp) -> Scaling:
    factors = [quantize_multiplier(real, state.rounding) for real in reals]
    return Scaling(
        np.array([factor.multiplier for factor in factors], np.int64),
        np.array([factor.shift for factor in factors], np.int64),
        result.zero_points[0],
        clamp,
    )


def _weights(state: _Lowering, operator: Operator) -> tuple[Tensor, Int8s]:
    tensor = tensor_at(state.graph, operator, 1)
    if tensor is None or tensor.dtype != "INT8" or not tensor.is_constant or not tensor.scales:
        came = "no weights" if tensor is None else f"{tensor.dtype} weights"
        raise state.unsupported(operator, f"has {came}; wanted constant INT8 weights with scales")
    return tensor, np.asarray(state.constant(operator, 1, "weights"), np.int8)


def _bias(state: _Lowering, operator: Operator, channels: int) -> Ints:
    tensor = tensor_at(state.graph, operator, 2)
    if tensor is None:
        return np.zeros(channels, np.int64)
    if tensor.dtype != "INT32" or tensor.elements != channels:
        raise state.unsupported(operator, f"has a bias of {tensor.dtype} {list(tensor.shape)}; wanted {channels} INT32")
    return state.constant(operator, 2, "biases").reshape(-1)


def _channel_reals(source: Tensor, weights: Tensor, result: Tensor, channels: int) -> list[float]:
    """The real factor of each channel, in doubles (TFLM: kernel_util.cc, PopulateConvolutionQuantizationParams)."""
    scales = weights.scales if len(weights.scales) > 1 else weights.scales * channels
    if len(scales) != channels:
        raise ModelError(f"{channels} channels have {len(scales)} scales of weights; convert the model again")
    given, made = float(scale_of(source)), float(scale_of(result))
    return [given * float(np.float32(scale)) / made for scale in scales]


def _window(graph: Graph, operator: Operator, kernel: tuple[int, int]) -> Window:
    """The window of an operator whose shapes have been checked."""
    source, result = graph.tensors[operator.inputs[0]].shape, graph.tensors[operator.outputs[0]].shape
    stride = int_option(operator, "stride_h"), int_option(operator, "stride_w")
    dilation = int_option(operator, "dilation_h_factor", 1), int_option(operator, "dilation_w_factor", 1)
    pads = (0, 0)
    if int_option(operator, "padding") == PADDING_SAME:
        top, left = (
            padding_before(source[axis + 1], result[axis + 1], kernel[axis], stride[axis], dilation[axis])
            for axis in (0, 1)
        )
        pads = top, left
    (height, width, channels), (out_height, out_width, out_channels) = source[1:], result[1:]
    return Window(
        height, width, channels, out_height, out_width, out_channels, *kernel, *stride, *dilation, *pads
    )  # fmt: skip


def _one_sample(state: _Lowering, operator: Operator) -> None:
    shape = state.graph.tensors[operator.inputs[0]].shape
    if shape[0] != 1:
        raise state.unsupported(operator, f"works on {shape[0]} samples at once, and the engine on one")


def _conv(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    check_conv(state.graph, operator)
    _one_sample(state, operator)
    tensor, weights = _weights(state, operator)
    channels = weights.shape[0]
    window = _window(state.graph, operator, (weights.shape[1], weights.shape[2]))
    scaling = _scaling(state, _channel_reals(source, tensor, result, channels), result, _clamp(operator, result))
    groups = window.channels // weights.shape[3]
    if channels % groups:
        raise ModelError(f"CONV_2D has {channels} filters for {groups} groups; convert the model again")
    bias = _bias(state, operator, channels)
    _add(state, operator, Convolution(window, weights, bias, source.zero_points[0], scaling, groups))


def _depthwise(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    check_depthwise(state.graph, operator)
    _one_sample(state, operator)
    tensor, weights = _weights(state, operator)
    channels = weights.shape[3]
    window = _window(state.graph, operator, (weights.shape[1], weights.shape[2]))
    scaling = _scaling(state, _channel_reals(source, tensor, result, channels), result, _clamp(operator, result))
    bias = _bias(state, operator, channels)
    _add(state, operator, Depthwise(window, weights[0], bias, source.zero_points[0], scaling))


def _dense(state: _Lowering, operator: Operator) -> None:
    """One scale is multiplied in float32, several in doubles (TFLM: fully_connected_common.cc)."""
    source, result = state.source(operator), state.result(operator)
    tensor, weights = _weights(state, operator)
    if weights.ndim != 2 or weights.shape[1] == 0 or source.elements % weights.shape[1]:
        raise state.unsupported(operator, f"has weights {list(weights.shape)} for an input {list(source.shape)}")
    channels, length = weights.shape
    rows = source.elements // length
    if result.elements != rows * channels:
        raise state.unsupported(operator, f"makes {list(result.shape)} of {list(source.shape)}")
    if len(tensor.scales) > 1:
        reals = _channel_reals(source, tensor, result, channels)
    else:
        product = scale_of(source) * np.float32(tensor.scales[0])
        _check_bias_scale(tensor_at(state.graph, operator, 2), float(product), float(scale_of(result)))
        reals = [float(product) / float(scale_of(result))] * channels
    scaling = _scaling(state, reals, result, _clamp(operator, result))
    window = Window(1, rows, length, 1, rows, channels)
    filters = weights.reshape(channels, 1, 1, length)
    bias = _bias(state, operator, channels)
    _add(state, operator, Convolution(window, filters, bias, source.zero_points[0], scaling))


def _check_bias_scale(bias: Tensor | None, product: float, scale: float) -> None:
    if bias is None or not bias.scales:
        return
    if abs(product - float(np.float32(bias.scales[0]))) / scale > _BIAS_TOLERANCE:
        raise ModelError(
            f"FULLY_CONNECTED has a bias of scale {bias.scales[0]:g}, but input and weights multiply to {product:g}: "
            "TFLM refuses it; convert the model again"
        )


def _pool(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    check_pool(state.graph, operator)
    _one_sample(state, operator)
    average = operator.name == "AVERAGE_POOL_2D"
    if average:
        _same_scale(operator, source, result)
    kernel = int_option(operator, "filter_height"), int_option(operator, "filter_width")
    _add(state, operator, Pool(_window(state.graph, operator, kernel), average, _clamp(operator, result)))


def _same_scale(operator: Operator, source: Tensor, result: Tensor) -> None:
    if source.zero_points[0] != result.zero_points[0] or abs(source.scales[0] - result.scales[0]) > 1e-6:
        raise ModelError(
            f"{operator.name} has an input of scale {source.scales[0]:g} and zero point {source.zero_points[0]}, "
            f"and an output of {result.scales[0]:g} and {result.zero_points[0]}; wanted the same: convert it again"
        )


def _sum_factors(state: _Lowering, name: str, one: Tensor, two: Tensor, result: Tensor) -> tuple[tuple[int, int], ...]:
    """ADD's factors are worked out in doubles, SUB's in float32 (TFLM: add_common.cc, sub_common.cc)."""
    kind = np.float64 if name == "ADD" else np.float32
    a, b, made = (kind(scale_of(tensor)) for tensor in (one, two, result))
    twice = kind(2) * max(a, b)
    reals = a / twice, b / twice, twice / (kind(1 << 20) * made)
    if not reals[2] < 1:
        raise ModelError(
            f"{name} makes an output of scale {float(made):g} from inputs of {float(a):g} and {float(b):g}, which TFLM "
            "refuses: its factor must be below 1; convert the model again"
        )
    return tuple(quantize_multiplier(float(real), state.rounding) for real in reals)


def _pair_factors(state: _Lowering, name: str, one: Tensor, two: Tensor, result: Tensor) -> tuple[tuple[int, int], ...]:
    a, b, made = (float(scale_of(tensor)) for tensor in (one, two, result))
    product = quantize_multiplier(a * b / made, state.rounding)
    if name in ("ADD", "SUB"):
        return _sum_factors(state, name, one, two, result)
    if name == "MUL":
        return (product,)
    return () if name != "PRELU" else (quantize_multiplier(a / made, state.rounding), product)


def _pair(state: _Lowering, operator: Operator) -> None:
    name: Pairing = operator.name  # type: ignore[assignment]
    tensors = state.source(operator, 0), state.source(operator, 1)
    result = state.result(operator)
    shape = _padded(result.shape)
    shapes = _padded(tensors[0].shape), _padded(tensors[1].shape)
    if len(shape) != 4 or np.broadcast_shapes(*shapes) != shape:
        raise state.unsupported(operator, f"makes {list(result.shape)} of {[list(each.shape) for each in tensors]}")
    constants = tuple(
        np.asarray(state.constants[number], np.int8).reshape(-1) if number in state.constants else None
        for number in operator.inputs[:2]
    )
    clamp = _clamp(operator, result) if operator.options else EVERY
    spec = Pair(
        name,
        shape,
        shapes,
        (constants[0], constants[1]),
        (tensors[0].zero_points[0], tensors[1].zero_points[0]),
        result.zero_points[0],
        _pair_factors(state, name, *tensors, result),
        clamp if name not in ("MAXIMUM", "MINIMUM", "PRELU") else EVERY,
    )
    positions = tuple(position for position in (0, 1) if constants[position] is None)
    if not positions:
        raise state.unsupported(operator, "has two constant operands; convert the model again")
    _add(state, operator, spec, positions)


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (4 - len(shape)) + shape


def _unary(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    _add(state, operator, Lookup(table_of(operator, source, result, state.rounding)))


def _softmax(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    if result.zero_points[0] != -128 or abs(result.scales[0] * 256 - 1) > 1e-3:
        raise ModelError(
            f"SOFTMAX has an output of scale {result.scales[0]:g} and zero point {result.zero_points[0]}, which TFLM "
            "refuses: wanted 1/256 and -128; convert the model again"
        )
    beta = float(float32_option(operator, "beta", 1.0))
    classes = source.shape[-1] if source.shape else 1
    exps = exps_of(beta, scale_of(source), state.rounding)
    _add(state, operator, Softmax(source.elements // classes, classes, exps))


def _alias(state: _Lowering, operator: Operator) -> None:
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


def _shape(state: _Lowering, operator: Operator) -> None:
    state.constants[operator.outputs[0]] = np.array(state.graph.tensors[operator.inputs[0]].shape, np.int64)


def _pack(state: _Lowering, operator: Operator) -> None:
    axis = int_option(operator, "axis", 0)
    parts = [state.constant(operator, position, "parts") for position in range(len(operator.inputs))]
    state.constants[operator.outputs[0]] = np.stack(parts, axis)


def _slices(state: _Lowering, operator: Operator, shape: tuple[int, ...]) -> tuple[slice, ...]:
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


def _strided_slice(state: _Lowering, operator: Operator) -> None:
    number, output = operator.inputs[0], operator.outputs[0]
    tensor = state.graph.tensors[number]
    slices = _slices(state, operator, tensor.shape)
    if number in state.constants:
        state.constants[output] = state.constants[number][slices].reshape(state.graph.tensors[output].shape)
        return
    state.source(operator), state.result(operator)
    _add(state, operator, _gathered(state, operator, _positions(tensor.shape)[slices]))


def _transpose(state: _Lowering, operator: Operator) -> None:
    source = state.source(operator)
    state.result(operator)
    axes = [int(axis) for axis in state.constant(operator, 1, "axes").reshape(-1)]
    _add(state, operator, _gathered(state, operator, _positions(source.shape).transpose(axes)))


def _positions(shape: tuple[int, ...]) -> Ints:
    return np.arange(prod(shape), dtype=np.int64).reshape(shape)


def _gathered(state: _Lowering, operator: Operator, positions: Ints) -> Gather:
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


def _pad(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    amounts = state.constant(operator, 1, "paddings").reshape(-1, 2)
    shape, before = _padded(source.shape), (0,) * (4 - len(amounts)) + tuple(int(each) for each in amounts[:, 0])
    out = _padded(result.shape)
    if len(shape) != 4 or shape[0] != 1 or out[0] != 1:
        raise state.unsupported(operator, f"makes {list(result.shape)} of {list(source.shape)}")
    fill = result.zero_points[0]
    if operator.name == "PADV2":
        fill = int(state.constant(operator, 2, "values").reshape(-1)[0])
    spec = Pad((shape[1], shape[2], shape[3]), (before[1], before[2], before[3]), (out[1], out[2], out[3]), fill)
    _add(state, operator, spec)


def _concatenation(state: _Lowering, operator: Operator) -> None:
    result = state.result(operator)
    tensors = [state.source(operator, position) for position in range(len(operator.inputs))]
    if len(tensors) > _MOST_CONCATENATED:
        raise ModelError(f"CONCATENATION has {len(tensors)} inputs, and TFLM takes {_MOST_CONCATENATED}")
    for tensor in tensors:
        _same_scale(operator, tensor, result)
    axis = int_option(operator, "axis") % len(result.shape)
    parts = tuple(prod(tensor.shape[axis:]) for tensor in tensors)
    spec = Concatenation(prod(result.shape[:axis]), parts)
    _add(state, operator, spec, tuple(range(len(tensors))))


def _reduce(state: _Lowering, operator: Operator) -> None:
    source, result = state.source(operator), state.result(operator)
    reduction: Reduction = operator.name.removeprefix("REDUCE_")  # type: ignore[assignment]
    rank = len(source.shape)
    axes = {int(axis) % rank for axis in state.constant(operator, 1, "axes").reshape(-1)}
    kept, reduced = (
        _groups(state, operator, source.shape, axes, False),
        _groups(state, operator, source.shape, axes, True),
    )
    if reduction in ("MAX", "MIN"):
        _same_scale(operator, source, result)
        _add(state, operator, Reduce(reduction, kept, reduced))
        return
    multiplier, shift = quantize_multiplier(float(scale_of(source)) / float(scale_of(result)), state.rounding)
    if reduction == "MEAN":
        count = prod(reduced.sizes)
        bits = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << bits) // count, shift - bits
    scaling = Scaling(np.array([multiplier]), np.array([shift]), result.zero_points[0])
    _add(state, operator, Reduce(reduction, kept, reduced, source.zero_points[0], scaling))


def _groups(state: _Lowering, operator: Operator, shape: tuple[int, ...], axes: set[int], reduced: bool) -> Axes:
    """The axes of `shape` in `axes` (or not in them), neighbours joined, as at most two of a size and a stride."""
    groups: list[tuple[int, int, int]] = []  # size, stride, last axis
    stride = prod(shape)
    for axis, size in enumerate(shape):
        stride //= size
        if (axis in axes) != reduced or size == 1:
            continue
        if groups and all(shape[between] == 1 for between in range(groups[-1][2] + 1, axis)):
            groups[-1] = groups[-1][0] * size, stride, axis
        else:
            groups.append((size, stride, axis))
    if len(groups) > 2:
        raise state.unsupported(operator, f"reduces axes {sorted(axes)} of {list(shape)}, too scattered for the engine")
    filled = [(1, 0, 0)] * (2 - len(groups)) + groups
    return Axes((filled[0][0], filled[1][0]), (filled[0][1], filled[1][1]))


_LOWER: Mapping[str, Callable[[_Lowering, Operator], None]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), _pool),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"), _pair),
    **dict.fromkeys(UNARY, _unary),
    "SOFTMAX": _softmax,
    **dict.fromkeys(("RESHAPE", "EXPAND_DIMS", "SQUEEZE"), _alias),
    "SHAPE": _shape,
    "PACK": _pack,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "CONCATENATION": _concatenation,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
}
