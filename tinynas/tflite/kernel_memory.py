"""What an operator's TFLM kernel asks of the arena on a 32-bit core: its row, or why there is none.

An operator without a row is an UnsupportedOperatorError: nothing is guessed.
"""

from collections.abc import Sequence

from tinynas.errors import UnsupportedOperatorError
from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.kernel_row import KernelMemory
from tinynas.tflite.kernel_rows import KERNEL_MEMORY, WITHOUT_RESULT, WITHOUT_SOURCE

__all__ = ["KERNEL_MEMORY", "KernelMemory", "has_state", "kernel_memory"]


def kernel_memory(graph: Graph, operator: Operator) -> KernelMemory:
    """The operator's row; UnsupportedOperatorError when there is none, or none for its types."""
    row = KERNEL_MEMORY.get(operator.name)
    if row is None:
        raise UnsupportedOperatorError(
            f"operator {operator.name}: what it needs of TFLM's arena is not known; the operators that are "
            f"known are {', '.join(sorted(KERNEL_MEMORY))}"
        )
    lacks_inputs = len(operator.inputs) <= row.data and operator.name not in WITHOUT_SOURCE
    if lacks_inputs or (not operator.outputs and operator.name not in WITHOUT_RESULT):
        raise UnsupportedOperatorError(
            f"operator {operator.name} has {len(operator.inputs)} inputs and {len(operator.outputs)} "
            f"outputs, and at least {row.data + 1} and one are wanted; convert the model again"
        )
    _check_types(graph, operator, row)
    row.check(graph, operator)
    return row


def _check_types(graph: Graph, operator: Operator, row: KernelMemory) -> None:
    """UnsupportedOperatorError unless the kernel takes data and makes results of the operator's types."""
    given = _types(graph, operator.inputs[row.data : row.data + 1])
    made = _types(graph, operator.outputs)
    wrong = given if row.types and not row.types.issuperset(given) else frozenset()
    if row.results is None:
        wrong |= made - given if row.types else frozenset()
    elif row.results:
        wrong |= made - row.results
    if wrong:
        known = row.types | (row.results or frozenset())
        raise UnsupportedOperatorError(
            f"operator {operator.name} works on {' and '.join(sorted(given | made))}; what it needs of TFLM's arena "
            f"is known for {', '.join(sorted(known))}, so quantise the model to int8"
        )


def _types(graph: Graph, indices: Sequence[int]) -> frozenset[str]:
    return frozenset(graph.tensors[index].dtype for index in indices if index >= 0)


def has_state(graph: Graph) -> bool:
    """Whether what the model answers depends on what it was given before."""
    rows = (KERNEL_MEMORY.get(operator.name) for operator in graph.operators)
    return any(row is not None and row.stateful for row in rows)
