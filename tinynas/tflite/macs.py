"""Multiply-accumulates, parameters and weight bytes of a graph.

A multiply-accumulate is one product of an input and a weight in a convolution, a dense layer, a product of matrices or
a recurrent layer; pools, sums and activations count 0.
A parameter is one element of a constant that the network learned: one with a quantisation or of a floating-point type.
Axes, shapes and paddings are constants without either, and are not parameters.
"""

from collections.abc import Callable, Mapping

from tinynas.errors import ModelError
from tinynas.tflite.graph import Graph, Operator, Tensor, tensor_at
from tinynas.tflite.kernel_arrays import require_input
from tinynas.tflite.kernel_memory import kernel_memory
from tinynas.tflite.resources import is_handle

_FLOATS = frozenset({"FLOAT16", "BFLOAT16", "FLOAT32", "FLOAT64"})


def macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one inference of `operator`; UnsupportedOperatorError for an unknown one."""
    kernel_memory(graph, operator)  # an operator that nothing is known of must not count as 0
    count = _MACS.get(operator.name)
    return 0 if count is None else count(graph, operator)


def _weights(graph: Graph, operator: Operator) -> Tensor:
    weights = tensor_at(graph, operator, 1)
    if weights is None or not weights.shape:
        raise ModelError(
            f"operator {operator.name} has no weights as its input 1, so its multiply-accumulates cannot be "
            "counted; convert the model again"
        )
    return weights


def _result(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.outputs[0]]


def _conv(graph: Graph, operator: Operator) -> int:
    """Filter (out, height, width, in / groups): each output element takes one filter."""
    weights = _weights(graph, operator)
    return _result(graph, operator).elements * (weights.elements // max(weights.shape[0], 1))


def _transpose_conv(graph: Graph, operator: Operator) -> int:
    """Filter (out, height, width, in): each input pixel meets the whole filter."""
    weights, source = _weights(graph, operator), require_input(graph, operator, 2)
    return source.elements // max(source.shape[-1] if source.shape else 1, 1) * weights.elements


def _depthwise(graph: Graph, operator: Operator) -> int:
    """Filter (1, height, width, out): each output element takes one window."""
    weights = _weights(graph, operator)
    return _result(graph, operator).elements * (weights.elements // max(weights.shape[-1], 1))


def _dense(graph: Graph, operator: Operator) -> int:
    """Weights (out, in): each output element takes one row."""
    return _result(graph, operator).elements * _weights(graph, operator).shape[-1]


def _batch_matmul(graph: Graph, operator: Operator) -> int:
    """Each output element takes one row of the left operand, one column where that is turned (adj_x)."""
    left = require_input(graph, operator, 0)
    depth = left.shape[-2 if (operator.options or {}).get("adj_x") else -1] if len(left.shape) > 1 else 0
    return _result(graph, operator).elements * depth


def _svdf(graph: Graph, operator: Operator) -> int:
    """Each filter goes once over the input and once over its memory."""
    source, weights, times = (require_input(graph, operator, position) for position in range(3))
    return (source.shape[0] if source.shape else 0) * (weights.elements + times.elements)


def _lstm(graph: Graph, operator: Operator) -> int:
    """Each step takes the weights of four gates, of the input and of the state."""
    source = require_input(graph, operator, 0)
    steps = source.elements // max(source.shape[-1] if source.shape else 1, 1)
    return steps * sum(require_input(graph, operator, position).elements for position in range(1, 9))


_MACS: Mapping[str, Callable[[Graph, Operator], int]] = {
    "CONV_2D": _conv,
    "TRANSPOSE_CONV": _transpose_conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _batch_matmul,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}


def parameters(graph: Graph) -> int:
    """Weights and biases: the elements of all learned constants that an operator uses, each constant once."""
    used = {index for operator in graph.operators for index in operator.inputs if index >= 0}
    return sum(graph.tensors[index].elements for index in used if is_learned(graph.tensors[index]))


def is_learned(tensor: Tensor) -> bool:
    """Whether the tensor is a constant that training set: quantised or floating-point."""
    return tensor.is_constant and (bool(tensor.scales) or tensor.dtype in _FLOATS)


def weights_bytes(graph: Graph, operator: Operator) -> int:
    """Bytes of the constants that `operator` reads, each once, axes and shapes among them."""
    constants = {index for index in operator.inputs if index >= 0 and graph.tensors[index].is_constant}
    return sum(len(graph.tensors[index].data or b"") for index in constants)


def largest_tensor_bytes(graph: Graph) -> int:
    """Bytes of the largest activation, unpadded; 0 for a graph without activations."""
    tensors = enumerate(graph.tensors)
    sizes = (tensor.bytes for index, tensor in tensors if not tensor.is_constant and not is_handle(graph, index))
    return max(sizes, default=0)
