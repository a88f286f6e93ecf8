"""Scratch buffers and persistent arrays that TFLM's int8 kernels ask for while they prepare, in bytes.

Each function is one kernel's Prepare, told by its source (TFLM 90b983c2, CMSIS-NN 4ab83cc3). All are free of
guesses: a shape or a weight type that a formula does not cover is an UnsupportedOperatorError.
"""

from tinynas.errors import UnsupportedOperatorError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.graph import Graph, Operator, Tensor, tensor_at
from tinynas.tflite.sliding import is_dilated, paddings, shape_of

Sizes = tuple[int, ...]


def nothing(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """No array at all."""
    return ()


def conv_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Two im2col columns of int16, none for a plain 1x1 (arm_convolve_get_buffer_sizes_s8.c)."""
    if kernels == "reference":
        return ()
    channels = shape_of(graph, operator, 0, 4)[3]
    _, height, width, filter_channels = shape_of(graph, operator, 1, 4)
    is_1x1 = (height, width) == (1, 1) and not is_dilated(operator) and filter_channels == channels
    if is_1x1 and paddings(graph, operator) == (0, 0):
        return ()
    return (4 * -(-height * width * channels // 4) * 4,)


def depthwise_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A window of int16, with DSP instructions only (arm_depthwise_conv_get_buffer_sizes_s8.c)."""
    batch, _, _, channels = shape_of(graph, operator, 0, 4)
    _, height, width, out_channels = shape_of(graph, operator, 1, 4)
    if kernels != "cmsis_nn" or channels != out_channels or batch != 1 or is_dilated(operator):
        return ()
    if (height, width) == (3, 3) and max(paddings(graph, operator)) <= 1:
        return ()
    return (2 * channels * height * width,)


def average_pool_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """One int32 sum a channel, with DSP instructions only (arm_avgpool_get_buffer_sizes_s8.c)."""
    return (4 * shape_of(graph, operator, 0, 4)[3],) if kernels == "cmsis_nn" else ()


def fully_connected_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A table a channel when a 1x1 convolution does the work (kernels/cmsis_nn/fully_connected.cc)."""
    weights, result = _weights(graph, operator), graph.tensors[operator.outputs[0]].shape
    if kernels == "reference" or len(result) <= 2 or weights.shape[-1] % 4 or len(weights.scales) > 1:
        return ()
    return (8 * result[-1],)


def reduce_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """An index and the resolved axes (kernels/reduce_common.cc PrepareMax)."""
    source, axes = tensor_at(graph, operator, 0), tensor_at(graph, operator, 1)
    if source is None or axes is None:
        raise UnsupportedOperatorError(
            f"operator {operator.name} lacks its input or its axes, so its memory is not known; convert the model again"
        )
    return 4 * len(source.shape), 4 * axes.elements


def mean_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A sum an output element, an index, the resolved axes (kernels/reduce_common.cc PrepareMeanOrSum)."""
    return (4 * graph.tensors[operator.outputs[0]].elements, *reduce_scratch(graph, operator, kernels))


def conv_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift of each output channel (kernels/conv_common.cc)."""
    _weights(graph, operator)
    return (4 * shape_of(graph, operator, 1, 4)[0],) * 2


def depthwise_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift of each output channel (kernels/depthwise_conv_common.cc)."""
    _weights(graph, operator)
    return (4 * shape_of(graph, operator, 1, 4)[3],) * 2


def fully_connected_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift a channel, only for weights with several scales (fully_connected_common.cc)."""
    scales = len(_weights(graph, operator).scales)
    return (4 * scales,) * 2 if scales > 1 else ()


def _weights(graph: Graph, operator: Operator) -> Tensor:
    weights = tensor_at(graph, operator, 1)
    if weights is None or weights.dtype != "INT8" or not weights.shape:
        came = "no" if weights is None else f"{weights.dtype} {list(weights.shape)}"
        raise UnsupportedOperatorError(
            f"operator {operator.name} has {came} weights; what it needs of TFLM's arena is known for INT8 "
            "weights only, so quantise the model to int8"
        )
    return weights
