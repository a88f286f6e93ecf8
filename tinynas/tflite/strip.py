"""Strip a .tflite of what TFLM does not need: names, metadata, signatures, dead operators, unused tensors."""

from dataclasses import replace

from tinynas.tflite.graph import Graph, Operator, Tensor, tensor_at
from tinynas.tflite.kernel_memory import KERNEL_MEMORY
from tinynas.tflite.read import read
from tinynas.tflite.write import write

_WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})


def strip(data: bytes, tflm_only: bool = False) -> bytes:
    """The .tflite in `data` with the same outputs in fewer bytes; an offline memory plan is kept.

    With `tflm_only` the quantisation that TFLM never looks at goes as well (see `slim`): for firmware
    alone, since TFLite on a computer refuses such a file. Raises ModelError for a file that cannot be
    read, UnsupportedOperatorError for one that cannot be copied faithfully.
    """
    graph = prune(read(data))
    return write(slim(graph) if tflm_only else graph)


def prune(graph: Graph) -> Graph:
    """The graph without operators whose results nothing reads, and without tensors that nothing names.

    Each tensor that goes takes 12 bytes of the arena's tail with it. Operators that may do more than make
    their outputs (custom ones, and all whose kernels are not known here) stay.
    """
    operators = _living_operators(graph)
    used = {*graph.inputs, *graph.outputs}
    for operator in operators:
        used.update(operator.inputs, operator.outputs, operator.intermediates)
    kept = sorted(used - {-1})
    number = {old: new for new, old in enumerate(kept)} | {-1: -1}
    plan = graph.offline_plan
    return replace(
        graph,
        tensors=tuple(graph.tensors[index] for index in kept),
        operators=tuple(_renumber(operator, number) for operator in operators),
        inputs=tuple(number[index] for index in graph.inputs),
        outputs=tuple(number[index] for index in graph.outputs),
        offline_plan=None if plan is None else tuple(plan[index] for index in kept),
    )


def slim(graph: Graph) -> Graph:
    """The graph without the quantisation that TFLM's convolutions and dense layers never look at.

    Zero points of weights, all 0, become one (micro_allocator.cc spreads it again). Biases of weights with a
    scale a channel lose theirs: it is the product of the input's and the weights' (conv_common.cc,
    fully_connected_common.cc).
    """
    biases = set()
    for operator in graph.operators:
        weights, bias = tensor_at(graph, operator, 1), tensor_at(graph, operator, 2)
        if operator.name in _WEIGHTED and weights is not None and bias is not None and len(weights.scales) > 1:
            biases.add(operator.inputs[2])
    kept = {
        index
        for operator in graph.operators
        for position, index in enumerate(operator.inputs)
        if operator.name not in _WEIGHTED or position != 2
    }
    bare = biases - kept - {*graph.inputs, *graph.outputs}
    return replace(graph, tensors=tuple(_slim_tensor(t, index in bare) for index, t in enumerate(graph.tensors)))


def _slim_tensor(tensor: Tensor, without_quantization: bool) -> Tensor:
    if not tensor.is_constant:
        return tensor
    if without_quantization:
        return replace(tensor, scales=(), zero_points=(), quantized_axis=0)
    return tensor if any(tensor.zero_points) else replace(tensor, zero_points=tensor.zero_points[:1])


def _living_operators(graph: Graph) -> list[Operator]:
    """The operators whose outputs are read, in order; a stateful or unknown one always counts as read."""
    needed = set(graph.outputs)
    living = []
    for operator in reversed(graph.operators):
        is_pure = operator.name in KERNEL_MEMORY
        writes_variable = any(graph.tensors[index].is_variable for index in operator.outputs)
        if not is_pure or writes_variable or needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            living.append(operator)
    return living[::-1]


def _renumber(operator: Operator, number: dict[int, int]) -> Operator:
    return replace(
        operator,
        inputs=tuple(number[index] for index in operator.inputs),
        outputs=tuple(number[index] for index in operator.outputs),
        intermediates=tuple(number[index] for index in operator.intermediates),
    )
