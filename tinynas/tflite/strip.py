"""Strip a .tflite of what TFLM does not need: names, metadata, signatures, dead operators, unused tensors."""

from dataclasses import replace

from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.kernel_memory import KERNEL_MEMORY
from tinynas.tflite.read import read
from tinynas.tflite.write import write


def strip(data: bytes) -> bytes:
    """The .tflite in `data` with the same outputs in fewer bytes; an offline memory plan is kept.

    Raises ModelError for a file that cannot be read, UnsupportedOperatorError for one that cannot be copied faithfully.
    """
    return write(prune(read(data)))


def prune(graph: Graph) -> Graph:
    """The graph without operators whose results nothing reads, and without tensors that nothing names.

    Each tensor that goes takes 12 bytes of the arena's tail with it. Operators that may do more than make
    their outputs (those with a state, and all whose kernels are not known here) stay.
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


def _living_operators(graph: Graph) -> list[Operator]:
    """The operators whose outputs are read, in order; a stateful or unknown one always counts as read."""
    needed = set(graph.outputs)
    living = []
    for operator in reversed(graph.operators):
        row = KERNEL_MEMORY.get(operator.name)
        is_pure = row is not None and not row.stateful
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
