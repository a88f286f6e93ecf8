"""Scratch buffers and persistent arrays that TFLM's kernels ask for while they prepare, in bytes.

Each function is one kernel's Prepare, told by its source (TFLM 90b983c2, CMSIS-NN 4ab83cc3). All are free of
guesses: a shape or a weight type that a formula does not cover is an UnsupportedOperatorError.
"""

from collections.abc import Callable, Sequence

from tinynas.errors import UnsupportedOperatorError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.graph import Graph, Operator, Tensor, tensor_at
from tinynas.tflite.sliding import is_dilated, paddings, shape_of

Sizes = tuple[int, ...]
Ask = Callable[[Graph, Operator, KernelLibrary], Sizes]
_INT16_TABLE = 2 * 513  # LUTSize<int16_t>() values


def nothing(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """No array at all."""
    return ()


def data_type(graph: Graph, operator: Operator, position: int) -> str:
    """The type of the operator's input `position`, "" where it is left out."""
    tensor = tensor_at(graph, operator, position)
    return "" if tensor is None else tensor.dtype


def require_input(graph: Graph, operator: Operator, position: int) -> Tensor:
    """The operator's input `position`; UnsupportedOperatorError where it is left out."""
    tensor = tensor_at(graph, operator, position)
    if tensor is None:
        raise UnsupportedOperatorError(
            f"operator {operator.name} lacks its input {position}, so its memory is not known; convert the model again"
        )
    return tensor


def array_of_ints(values: Sequence[int]) -> int:
    """Bytes of a TfLiteIntArray of that many values."""
    return 4 + 4 * len(values)


def only_int8(size: int) -> Ask:
    """`size` bytes, allocated for int8 data alone."""

    def ask(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
        return (size,) if data_type(graph, operator, 0) == "INT8" else ()

    return ask


def own_shape(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A copy of the result's shape, which Prepare writes to (kernel_util.cc CreateWritableTensorDimsWithCopy)."""
    return (array_of_ints(graph.tensors[operator.outputs[0]].shape),)


def softmax_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Two tables of int16 data (kernels/softmax_common.cc InitializeLutForInt16)."""
    return (_INT16_TABLE,) * 2 if data_type(graph, operator, 0) == "INT16" else ()


def mirror_pad_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Sizes of input and output, an int a side each (kernels/mirror_pad.cc)."""
    return (4 * len(require_input(graph, operator, 0).shape),) * 2


def conv_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Two im2col columns of int16, none for a plain 1x1 of int8 (arm_convolve_get_buffer_sizes_s8.c and _s16.c)."""
    dtype = data_type(graph, operator, 0)
    if kernels == "reference" or dtype == "FLOAT32":
        return ()
    channels = shape_of(graph, operator, 0, 4)[3]
    _, height, width, filter_channels = shape_of(graph, operator, 1, 4)
    if dtype == "INT16":  # a bias of 32 bits goes to the reference kernel
        return (4 * height * width * channels,) if data_type(graph, operator, 2) in ("", "INT64") else ()
    is_1x1 = (height, width) == (1, 1) and not is_dilated(operator) and filter_channels == channels
    if is_1x1 and paddings(graph, operator) == (0, 0):
        return ()
    return (4 * -(-height * width * channels // 4) * 4,)


def depthwise_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A window of int16, with DSP instructions only (arm_depthwise_conv_get_buffer_sizes_s8.c)."""
    batch, _, _, channels = shape_of(graph, operator, 0, 4)
    _, height, width, out_channels = shape_of(graph, operator, 1, 4)
    if kernels != "cmsis_nn" or data_type(graph, operator, 0) != "INT8":
        return ()
    if channels != out_channels or batch != 1 or is_dilated(operator):
        return ()
    if (height, width) == (3, 3) and max(paddings(graph, operator)) <= 1:
        return ()
    return (2 * channels * height * width,)


def average_pool_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """One int32 sum a channel, with DSP instructions only (arm_avgpool_get_buffer_sizes_s8.c)."""
    if kernels != "cmsis_nn" or data_type(graph, operator, 0) == "FLOAT32":
        return ()
    return (4 * shape_of(graph, operator, 0, 4)[3],)


def fully_connected_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A table a channel when a 1x1 convolution does the work (kernels/cmsis_nn/fully_connected.cc)."""
    weights, result = _weights(graph, operator), graph.tensors[operator.outputs[0]].shape
    if kernels == "reference" or data_type(graph, operator, 0) != "INT8":
        return ()
    if len(result) <= 2 or weights.shape[-1] % 4 or len(weights.scales) > 1:
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
    """A sum an output element of integers, an index, the resolved axes (kernels/reduce_common.cc PrepareMeanOrSum)."""
    sums = () if data_type(graph, operator, 0) == "FLOAT32" else (4 * graph.tensors[operator.outputs[0]].elements,)
    return (*sums, *reduce_scratch(graph, operator, kernels))


def conv_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift of each output channel (kernels/conv_common.cc)."""
    _weights(graph, operator)
    return () if data_type(graph, operator, 0) == "FLOAT32" else (4 * shape_of(graph, operator, 1, 4)[0],) * 2


def depthwise_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift of each output channel (kernels/depthwise_conv_common.cc)."""
    _weights(graph, operator)
    return () if data_type(graph, operator, 0) == "FLOAT32" else (4 * shape_of(graph, operator, 1, 4)[3],) * 2


def fully_connected_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift a channel, only for weights with several scales (fully_connected_common.cc)."""
    scales = len(_weights(graph, operator).scales)
    return (4 * scales,) * 2 if scales > 1 and data_type(graph, operator, 0) != "FLOAT32" else ()


def _weights(graph: Graph, operator: Operator) -> Tensor:
    """The weights: int8, or float32 with float32 data."""
    weights = tensor_at(graph, operator, 1)
    wanted = "FLOAT32" if data_type(graph, operator, 0) == "FLOAT32" else "INT8"
    if weights is None or weights.dtype != wanted or not weights.shape:
        came = "no" if weights is None else f"{weights.dtype} {list(weights.shape)}"
        raise UnsupportedOperatorError(
            f"operator {operator.name} has {came} weights; what it needs of TFLM's arena is known for {wanted} "
            f"weights with {data_type(graph, operator, 0)} data only, so quantise the model to int8"
        )
    return weights
