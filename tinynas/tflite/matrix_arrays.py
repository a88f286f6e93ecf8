"""Scratch buffers and persistent arrays of matrix products, transposed convolutions, SVDF and LSTM, in bytes.

As in kernel_arrays.py, each function is one kernel's Prepare (TFLM 90b983c2, CMSIS-NN 4ab83cc3).
"""

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.graph import Graph, Operator, element_bytes, int_option, tensor_at
from tinynas.tflite.kernel_arrays import Sizes, array_of_ints, data_type, require_input
from tinynas.tflite.sliding import shape_of

_EVAL_TENSOR, _QUANTIZATION = 12, 28  # TfLiteEvalTensor, QuantizationOpDataBatchMatmul
_EFFICIENT_CHANNELS = 16  # REVERSE_TCOL_EFFICIENT_THRESHOLD
_CELL_STATE, _HIDDEN_STATE, _LSTM_INPUTS = 19, 18, 24


def batch_matmul_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Quantisation, a transposed copy of each operand that does not lie as the kernel wants it, the result's shape.

    The right operand is wanted transposed (adj_y), the left one is not (kernels/batch_matmul.cc).
    """
    left, right = require_input(graph, operator, 0), require_input(graph, operator, 1)
    options = operator.options or {}
    turned = ([left] if options.get("adj_x") else []) + ([] if options.get("adj_y") else [right])
    copies = [size for tensor in turned for size in (_EVAL_TENSOR, array_of_ints(tensor.shape), tensor.bytes)]
    quantization = (_QUANTIZATION,) if left.dtype in ("INT8", "INT16") else ()
    return (*quantization, *copies, array_of_ints(graph.tensors[operator.outputs[0]].shape))


def transpose_conv_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Multiplier and shift of each output channel, of any type (kernels/transpose_conv.cc)."""
    return (4 * shape_of(graph, operator, 1, 4)[0],) * 2


def transpose_conv_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """int8: sums in int32, or in CMSIS-NN a turned filter and im2col columns; int16: sums in int64."""
    dtype, bias = data_type(graph, operator, 2), tensor_at(graph, operator, 3)
    elements = graph.tensors[operator.outputs[0]].elements
    if dtype == "FLOAT32":
        return ()
    if dtype == "INT16":
        wide_bias = (8 * bias.elements,) if bias is not None and bias.dtype == "INT16" else ()
        return (8 * elements, *wide_bias)
    if kernels == "reference":
        return (4 * elements,)
    _, _, width, channels = shape_of(graph, operator, 2, 4)
    out_channels, kernel_height, kernel_width, _ = shape_of(graph, operator, 1, 4)
    stride_h, stride_w = int_option(operator, "stride_h"), int_option(operator, "stride_w")
    columns = kernel_height * kernel_width * channels
    if max(stride_h, stride_w) <= 2 and channels > _EFFICIENT_CHANNELS:  # arm_transpose_conv_get_buffer_sizes_s8.c
        return 4 * -(-columns // 4) * 4, columns * out_channels
    row = ((width - 1) * stride_w + max(kernel_width, stride_h)) * out_channels
    return 4 * row * max(kernel_height, stride_h), 0


def svdf_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A value a filter, and for int8 a sum a unit (kernels/svdf_common.cc)."""
    batch, _ = shape_of(graph, operator, 0, 2)
    filters, _ = shape_of(graph, operator, 1, 2)
    rank = int_option(operator, "rank")
    if rank < 1:
        raise ModelError(f"operator SVDF has the rank {rank}; wanted 1 or more: convert the model again")
    values = (4 * batch * filters,)
    return values if data_type(graph, operator, 0) == "FLOAT32" else (*values, 4 * batch * (filters // rank))


def lstm_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """In CMSIS-NN, int8 and int16: sums of the weights of four gates, of input and state each."""
    dtype = data_type(graph, operator, 0)
    if kernels == "reference" or dtype == "FLOAT32":
        return ()
    _, units = _state(graph, operator)
    return ((4 if dtype == "INT8" else 8) * units,) * 8


def lstm_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A buffer of the cell's type and size for each gate; CMSIS-NN does with one less."""
    batch, units = _state(graph, operator)
    cell = require_input(graph, operator, _CELL_STATE)
    few = kernels != "reference" and data_type(graph, operator, 0) != "FLOAT32"
    return (batch * units * element_bytes(cell.dtype),) * (3 if few else 4)


def _state(graph: Graph, operator: Operator) -> tuple[int, int]:
    """(batch, units) of an LSTM (kernels/lstm_eval_common.cc CreateLstmSizeInfo)."""
    if len(operator.inputs) != _LSTM_INPUTS:
        raise UnsupportedOperatorError(
            f"operator {operator.name} has {len(operator.inputs)} inputs, and TFLM's kernel takes {_LSTM_INPUTS}; "
            "convert the model with TensorFlow 2.4 or newer"
        )
    source = shape_of(graph, operator, 0, 3)
    _, units = shape_of(graph, operator, _HIDDEN_STATE, 2)
    return source[1 if (operator.options or {}).get("time_major") else 0], units
