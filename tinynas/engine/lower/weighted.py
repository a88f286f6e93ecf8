"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and the pools."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinynas.engine.lower.state import (
    Lowering,
    add,
    clamp_of,
    one_sample,
    same_scale,
    scaling_of,
)
from tinynas.engine.net import (
    Convolution,
    Depthwise,
    Int8s,
    Ints,
    Pool,
    Scaling,
    Window,
)
from tinynas.engine.unary import scale_of
from tinynas.errors import ModelError
from tinynas.tflite.graph import (
    PADDING_SAME,
    Graph,
    Operator,
    Tensor,
    int_option,
    tensor_at,
)
from tinynas.tflite.sliding import check_conv, check_depthwise, check_pool
from tinynas.tflite.window import padding_before

_BIAS_TOLERANCE = 0.02  # of an output step; TFLM: kernel_util.cc, GetQuantizedConvolutionMultipler


def _weights(state: Lowering, operator: Operator) -> tuple[Tensor, Int8s]:
    tensor = tensor_at(state.graph, operator, 1)
    if tensor is None or tensor.dtype != "INT8" or not tensor.is_constant or not tensor.scales:
        came = "no weights" if tensor is None else f"{tensor.dtype} weights"
        raise state.unsupported(operator, f"has {came}; wanted constant INT8 weights with scales")
    return tensor, np.asarray(state.constant(operator, 1, "weights"), np.int8)


def _bias(state: Lowering, operator: Operator, channels: int) -> Ints:
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


class _Filters(NamedTuple):
    """What CONV_2D and DEPTHWISE_CONV_2D have in common."""

    window: Window
    weights: Int8s
    bias: Ints
    zero: int
    scaling: Scaling


def _filters(state: Lowering, operator: Operator, axis: int) -> _Filters:
    """The parts of an operator whose shapes have been checked; its output channels are the filter's `axis`."""
    source, result = state.source(operator), state.result(operator)
    one_sample(state, operator)
    tensor, weights = _weights(state, operator)
    channels = weights.shape[axis]
    reals = _channel_reals(source, tensor, result, channels)
    return _Filters(
        _window(state.graph, operator, (weights.shape[1], weights.shape[2])),
        weights,
        _bias(state, operator, channels),
        source.zero_points[0],
        scaling_of(state, reals, result, clamp_of(operator, result)),
    )


def conv(state: Lowering, operator: Operator) -> None:
    """CONV_2D."""
    check_conv(state.graph, operator)
    found = _filters(state, operator, 0)
    channels, groups = len(found.weights), found.window.channels // found.weights.shape[3]
    if channels % groups:
        raise ModelError(f"CONV_2D has {channels} filters for {groups} groups; convert the model again")
    add(state, operator, Convolution(*found, groups=groups))


def depthwise(state: Lowering, operator: Operator) -> None:
    """DEPTHWISE_CONV_2D."""
    check_depthwise(state.graph, operator)
    found = _filters(state, operator, 3)
    add(state, operator, Depthwise(*found._replace(weights=found.weights[0])))


def dense(state: Lowering, operator: Operator) -> None:
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
    scaling = scaling_of(state, reals, result, clamp_of(operator, result))
    window = Window(1, rows, length, 1, rows, channels)
    filters = weights.reshape(channels, 1, 1, length)
    bias = _bias(state, operator, channels)
    add(state, operator, Convolution(window, filters, bias, source.zero_points[0], scaling))


def _check_bias_scale(bias: Tensor | None, product: float, scale: float) -> None:
    if bias is None or not bias.scales:
        return
    if abs(product - float(np.float32(bias.scales[0]))) / scale > _BIAS_TOLERANCE:
        raise ModelError(
            f"FULLY_CONNECTED has a bias of scale {bias.scales[0]:g}, but input and weights multiply to {product:g}: "
            "TFLM refuses it; convert the model again"
        )


def pool(state: Lowering, operator: Operator) -> None:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    source, result = state.source(operator), state.result(operator)
    check_pool(state.graph, operator)
    one_sample(state, operator)
    average = operator.name == "AVERAGE_POOL_2D"
    if average:
        same_scale(operator, source, result)
    kernel = int_option(operator, "filter_height"), int_option(operator, "filter_width")
    add(state, operator, Pool(_window(state.graph, operator, kernel), average, clamp_of(operator, result)))
