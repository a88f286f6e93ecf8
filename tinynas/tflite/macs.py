"""Multiply-accumulates, parameters and weight bytes of a graph.

A multiply-accumulate is one product of an input and a weight in a convolution or a dense layer; pools,
sums and activations count 0. A parameter is one element of a constant that the network learned: one with a
quantisation or of a floating-point type. Axes, shapes and paddings are constants without either, and are
not parameters.
"""

from collections.abc import Callable, Mapping

from tinynas.errors import ModelError
from tinynas.tflite.graph import Graph, Operator, Tensor, tensor_at
from tinynas.tflite.kernel_memory import kernel_memory

_FLOATS = frozenset({"FLOAT16", "BFLOAT16", "FLOAT32", "FLOAT64"})


def macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one inference of `operator`; UnsupportedOperatorError for an unknown one."""
    kernel_memory(graph, operator)  # an operator that nothing is known of must not count as 0
    count = _MACS.get(operator.name)
    return 0 if count is None else count(_filter(graph, operator), graph.tensors[operator.outputs[0]])


def _filter(graph: Graph, operator: Operator) -> Tensor:
    weights = tensor_at(graph, operator, 1)
    if weights is None or not weights.shape:
        raise ModelError(
            f"operator {operator.name} has no weights as its input 1, so its multiply-accumulates cannot be "
            "counted; convert the model again"
        )
    return weights


def _conv(weights: Tensor, result: Tensor) -> int:
    """Filter (out, height, width, in / groups): each output element takes one filter."""
    return result.elements * (weights.elements // max(weights.shape[0], 1))


def _depthwise(weights: Tensor, result: Tensor) -> int:
    """Filter (1, height, width, out): each output element takes one window."""
    return result.elements * (weights.elements // max(weights.shape[-1], 1))


def _dense(weights: Tensor, result: Tensor) -> int:
    """Weights (out, in): each output element takes one row."""
    return result.elements * weights.shape[-1]


_MACS: Mapping[str, Callable[[Tensor, Tensor], int]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
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
    return max((tensor.bytes for tensor in graph.tensors if not tensor.is_constant), default=0)
