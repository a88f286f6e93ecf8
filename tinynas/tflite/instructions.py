"""Instructions that a Cortex-M executes for each operator of an int8 graph under TFLM.

An operator's kernel is a nest of loops. loops.py counts how often each loop runs for the operator's shapes, and
loop_costs.py holds the instructions of one iteration, fitted to whole-kernel counts by tools/fit_instructions.py,
which also prints the cross-validated errors. Instructions are not cycles: hardware/latency.py turns them into time.
"""

from collections.abc import Callable, Mapping
from math import prod
from operator import mul

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.hardware.old_figures import FIGURES
from tinynas.tflite import loops
from tinynas.tflite.graph import Graph, Operator, Tensor, int_option, tensor_at
from tinynas.tflite.loop_costs import COSTS, M0PLUS_COSTS, SIZE_COSTS, Costs
from tinynas.tflite.loops import Counts
from tinynas.tflite.old_loop_costs import OLD_COSTS
from tinynas.tflite.window import Window, nhwc, window

Work = tuple[str, Counts]


SIZE_FACTOR = 1.25  # of the instructions with -Os to those with -O2, where the kernels were counted with -O2 only
M0PLUS, M0PLUS_FACTOR = "Cortex-M0+", 2.2  # and of an M0+'s to an M3's, where they were counted on an M3 only


def instructions(
    graph: Graph,
    operator: Operator,
    kernels: KernelLibrary = "cmsis_nn",
    for_size: bool = False,
    core: str | None = None,
    figures: int = FIGURES,
) -> int:
    """Instructions of one inference of `operator`; a whole net is the sum over its operators.

    They are those of a Cortex-M4, or without DSP of a Cortex-M3, unless `core` is an M0+. The kernels are built with
    -O2, or, `for_size`, with -Os. `figures`: see hardware/old_figures.py. UnsupportedOperatorError names an operator,
    or a type of it, that has no cost.
    """
    kernel, counts = loop_counts(graph, operator, kernels)
    try:
        costs, factor = _costs(kernels, for_size, core, figures)
        cost = costs[kernel]
    except KeyError:
        raise UnsupportedOperatorError(
            f"operator {operator.name}: the instructions of its kernel '{kernel}' are not known for {kernels} "
            f"kernels (libraries: {', '.join(COSTS)})"
        ) from None
    return round(factor * sum(map(mul, counts, cost), start=0.0))


def _costs(kernels: KernelLibrary, for_size: bool, core: str | None, figures: int) -> tuple[Costs, float]:
    """The costs that were counted nearest to what is asked for, and what to multiply them with."""
    if figures < FIGURES:
        return OLD_COSTS[kernels], 1.0
    if for_size and kernels == "cmsis_nn":
        return SIZE_COSTS, 1.0
    factor = SIZE_FACTOR if for_size else 1.0
    if core == M0PLUS and kernels == "cmsis_nn_no_dsp":
        return M0PLUS_COSTS, factor
    return COSTS[kernels], factor * (M0PLUS_FACTOR if core == M0PLUS else 1.0)


def loop_counts(graph: Graph, operator: Operator, kernels: KernelLibrary = "cmsis_nn") -> Work:
    """The kernel that TFLM runs for `operator` and how often each of its loops runs (in the order of its costs)."""
    try:
        work = _WORK[operator.name]
    except KeyError:
        raise UnsupportedOperatorError(
            f"operator {operator.name}: how long it takes under TFLM is not known (known: {', '.join(sorted(_WORK))})"
        ) from None
    return work(graph, operator, kernels)


def _source(graph: Graph, operator: Operator, int8: bool = True) -> Tensor:
    tensor = tensor_at(graph, operator, 0)
    if tensor is None:
        raise ModelError(f"operator {operator.name} has no first input, so its work cannot be counted")
    if int8 and tensor.dtype != "INT8":
        raise UnsupportedOperatorError(
            f"operator {operator.name} on {tensor.dtype}: instructions are known for INT8 only; quantise the model"
        )
    return tensor


def _weights(graph: Graph, operator: Operator) -> tuple[int, ...]:
    tensor = tensor_at(graph, operator, 1)
    rank = 2 if operator.name == "FULLY_CONNECTED" else 4
    if tensor is None or len(tensor.shape) != rank:
        found = "no weights" if tensor is None else f"weights of shape {tensor.shape}"
        raise ModelError(f"operator {operator.name} has {found}; {rank} axes were wanted")
    return tensor.shape


def _result(graph: Graph, operator: Operator) -> tuple[int, ...]:
    return graph.tensors[operator.outputs[0]].shape


def _conv(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    shape, weights = _source(graph, operator).shape, _weights(graph, operator)
    out_channels, height, width, channels = weights
    seen = window(shape, _result(graph, operator), (height, width), operator)
    groups = max(seen.channels // channels, 1)
    seen = seen._replace(channels=channels)
    name, counts = _conv_kernel(seen, out_channels // groups, kernels)
    return name, counts if groups == 1 else tuple(groups * count for count in counts)


def _conv_kernel(seen: Window, out_channels: int, kernels: KernelLibrary) -> Work:
    if kernels == "reference":
        return "conv reference", loops.conv_reference(seen, out_channels)
    scalar = kernels == "cmsis_nn_no_dsp"
    if seen.kernel == (1, 1) and seen.pad == (0, 0) and not seen.dilated:
        once = seen.stride == (1, 1)
        lines, pixels = (1, seen.pixels) if once else (seen.batch * seen.out_height, seen.out_width)
        if scalar:
            return "conv 1x1 scalar", loops.conv_1x1_scalar(lines, pixels, seen.channels, out_channels)
        return "conv 1x1", loops.conv_1x1(lines, pixels, seen.channels, out_channels)
    if scalar:
        return "conv scalar", loops.conv_scalar(seen, out_channels)
    return "conv", loops.conv(seen, out_channels)


def _depthwise(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    """The choice of arm_depthwise_conv_wrapper_s8.c."""
    shape, weights = _source(graph, operator).shape, _weights(graph, operator)
    _, height, width, out_channels = weights
    seen = window(shape, _result(graph, operator), (height, width), operator)
    if kernels == "reference":
        return "depthwise reference", loops.depthwise_reference(seen, out_channels)
    if seen.dilated:
        return "depthwise dilated", loops.depthwise_generic(seen, out_channels)
    if out_channels == seen.channels:
        if seen.kernel == (3, 3) and max(seen.pad) <= 1:
            return "depthwise 3x3", loops.depthwise_3x3(seen)
        if kernels == "cmsis_nn":
            return "depthwise columns", loops.depthwise_columns(seen)
    if out_channels // seen.channels % 4 == 0:
        return "depthwise by 4", loops.depthwise_by_4(seen, out_channels)
    return "depthwise generic", loops.depthwise_generic(seen, out_channels)


def _fully_connected(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    _source(graph, operator)
    (rows, columns), result = _weights(graph, operator), _result(graph, operator)
    batch = prod(result) // rows
    if kernels == "reference":
        return "fully connected reference", loops.fully_connected_reference(batch, columns, rows)
    if len(result) > 2 and columns % 4 == 0:  # fully_connected.cc hands these to the 1x1 convolution
        if kernels == "cmsis_nn":
            return "conv 1x1", loops.conv_1x1(1, batch, columns, rows)
        return "conv 1x1 scalar", loops.conv_1x1_scalar(1, batch, columns, rows)
    weights = tensor_at(graph, operator, 1)
    by_tensor = " by tensor" if weights is not None and len(weights.scales) == 1 else ""
    if kernels == "cmsis_nn":
        return f"fully connected{by_tensor}", loops.fully_connected(batch, columns, rows)
    return f"fully connected scalar{by_tensor}", loops.fully_connected_scalar(batch, columns, rows)


def _pool(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    shape = _source(graph, operator).shape
    kernel = (int_option(operator, "filter_height"), int_option(operator, "filter_width"))
    seen = window(shape, _result(graph, operator), kernel, operator)
    if operator.name == "MAX_POOL_2D":
        if kernels == "reference":
            return "max pool reference", loops.pool_reference(seen)
        return "max pool", loops.max_pool(seen)
    if kernels == "cmsis_nn":
        return "average pool", loops.average_pool(seen)
    return "average pool reference", loops.pool_reference(seen)


def _reduce(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    shape = _source(graph, operator).shape
    name = "reduce mean" if operator.name in ("MEAN", "SUM") else "reduce max"
    return name, loops.reduce(shape, prod(_result(graph, operator)))


def _elements(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    _source(graph, operator)
    return operator.name, (1, prod(_result(graph, operator)))


def _pairs(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    """Two tensors, element by element; a broadcast keeps an index per axis and costs more, also for each pixel."""
    first, second, result = _source(graph, operator), tensor_at(graph, operator, 1), _result(graph, operator)
    if second is not None and first.shape == second.shape:
        return operator.name, (1, prod(result))
    return f"{operator.name} broadcast", (1, prod(result), prod(nhwc(result)[:3]))


def _quantize(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    """Integers are requantised, from and to float32 there is a division an element, and uint8 is int8 but for one bit.

    TFLM: reference/requantize.h flips that bit where the scales are equal and the zero points 128 apart.
    """
    source, result = _source(graph, operator, int8=False), graph.tensors[operator.outputs[0]]
    name = "QUANTIZE float" if source.dtype == "FLOAT32" else operator.name
    if {source.dtype, result.dtype} == {"INT8", "UINT8"} and source.scales == result.scales:
        signed, unsigned = (source, result) if source.dtype == "INT8" else (result, source)
        if [zero + 128 for zero in signed.zero_points] == list(unsigned.zero_points):
            name = "QUANTIZE flip"
    return name, (1, prod(result.shape))


def _bytes(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    return "copy", loops.block_copy(graph.tensors[operator.outputs[0]].bytes)


def _fixed(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    return operator.name, (1, prod(_result(graph, operator)))


def _concatenation(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    """Each input is copied once for every index before the axis."""
    _source(graph, operator)
    result = _result(graph, operator)
    before = prod(result[: int_option(operator, "axis", -1) % max(len(result), 1)])
    return operator.name, (1, before * len(operator.inputs), prod(result))


def _pad(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Work:
    """Line by line; pixel by pixel where channels are padded (arm_pad_s8)."""
    source, result = nhwc(_source(graph, operator).shape), _result(graph, operator)
    pixels = prod(source[:3]) if source[3] != nhwc(result)[3] else 0
    return "PAD", (1, prod(source[:2]), prod(result), pixels)


_WORK: Mapping[str, Callable[[Graph, Operator, KernelLibrary], Work]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    **dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D"), _pool),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), _pairs),
    **dict.fromkeys(
        ("SOFTMAX", "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "PRELU", "RELU", "RELU6", "TRANSPOSE"),
        _elements,
    ),
    **dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _quantize),
    **dict.fromkeys(("RESHAPE", "SQUEEZE"), _bytes),
    **dict.fromkeys(("EXPAND_DIMS", "SHAPE", "STRIDED_SLICE", "PACK"), _fixed),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "CONCATENATION": _concatenation,
}
