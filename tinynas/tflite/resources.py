"""Resource variables, which outlive an inference: which there are, and the arena that TFLM gives them.

TFLM: micro_resource_variable.cc. The firmware makes room for as many variables as the model has; each gets its bytes
where ASSIGN_VARIABLE first names it, in the order in which TFLM prepares the operators.
"""

from collections.abc import Sequence

from tinynas.errors import UnsupportedOperatorError
from tinynas.tflite.graph import Graph, Operator

Variable = tuple[object, object]
"""A variable's container and shared name."""

_RESOURCES, _RESOURCE = 12, 20  # MicroResourceVariables, MicroResourceVariable


def is_handle(graph: Graph, tensor: int) -> bool:
    """Whether the tensor names a variable: TFLM gives it no place in the arena's head."""
    return graph.tensors[tensor].dtype == "RESOURCE"


def table_sizes(graph: Graph) -> tuple[int, ...]:
    """Bytes of the table of variables that the firmware makes before the interpreter; () without variables."""
    found = {
        _variable(operator) for each in graph.subgraphs for operator in each.operators if operator.name == "VAR_HANDLE"
    }
    return (_RESOURCES, _RESOURCE * len(found)) if found else ()


def assigned_sizes(graph: Graph) -> dict[tuple[int, int], int]:
    """For each ASSIGN_VARIABLE that is the first of its variable, (subgraph, operator): the variable's bytes."""
    sizes: dict[tuple[int, int], int] = {}
    seen: set[Variable] = set()
    for number, each in enumerate(graph.subgraphs):
        handles: dict[int, Variable] = {}
        for index, operator in enumerate(each.operators):
            if operator.name == "VAR_HANDLE":
                handles[operator.outputs[0]] = _variable(operator)
            elif operator.name == "ASSIGN_VARIABLE":
                variable = _named(handles, operator.inputs)
                if variable not in seen:
                    sizes[number, index] = each.tensors[operator.inputs[1]].bytes
                    seen.add(variable)
    return sizes


def _variable(operator: Operator) -> Variable:
    options = operator.options or {}
    return options.get("container", b""), options.get("shared_name", b"")


def _named(handles: dict[int, Variable], inputs: Sequence[int]) -> Variable:
    try:
        return handles[inputs[0]]
    except KeyError:
        raise UnsupportedOperatorError(
            "operator ASSIGN_VARIABLE writes a variable that no VAR_HANDLE before it names; what it needs of TFLM's "
            "arena is not known then: convert the model again"
        ) from None
