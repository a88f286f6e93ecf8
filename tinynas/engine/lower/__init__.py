"""From the graph of a .tflite to a Net: every factor becomes a whole number, as TFLM's Prepare makes it.

One function an operator. Operators that only name or reshape a value make no layer, and whole numbers that follow from
shapes (SHAPE, STRIDED_SLICE, PACK) are worked out here. What TFLM refuses is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinynas.engine.fixed_point import Rounding, check_rounding
from tinynas.engine.lower.elements import pair, reduce, softmax, unary
from tinynas.engine.lower.moves import alias, concatenation, pack, pad, shape, strided_slice, transpose
from tinynas.engine.lower.state import DTYPES, Lowering, make_value, whole_numbers
from tinynas.engine.lower.weighted import conv, dense, depthwise, pool
from tinynas.engine.net import Net
from tinynas.engine.unary import UNARY
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.graph import Graph, Operator, Tensor

__all__ = ["OPERATORS", "lower"]


def lower(graph: Graph, rounding: Rounding = "double") -> Net:
    """The layers of an int8 `graph` with one input and one output, in the file's order.

    Raises UnsupportedOperatorError, naming the operator, for what the engine has no code for; ModelError for what TFLM
    itself refuses.
    """
    check_rounding(rounding)
    for ends, what in ((graph.inputs, "input"), (graph.outputs, "output")):
        if len(ends) != 1:
            raise UnsupportedOperatorError(f"the model has {len(ends)} {what}s, and the engine takes models of one")
    state = Lowering(graph, rounding)
    for number, tensor in enumerate(graph.tensors):
        if tensor.is_constant and tensor.dtype in DTYPES:
            state.constants[number] = whole_numbers(tensor)
    (given,) = graph.inputs
    _check_end(graph.tensors[given], "input")
    _check_end(graph.tensors[graph.outputs[0]], "output")
    make_value(state, given)
    for index, operator in enumerate(graph.operators):
        state.index = index
        row = OPERATORS.get(operator.name)
        if row is None:
            raise UnsupportedOperatorError(
                f"the engine has no code for operator {index} ({operator.name}); it has for "
                f"{', '.join(sorted(OPERATORS))}"
            )
        row(state, operator)
    answer = state.roots.get(graph.outputs[0])
    if answer is None:
        raise ModelError("the model's output is not made of its input; convert the model again")
    names = tuple(operator.name for operator in graph.operators)
    return Net(state.values, tuple(state.layers), state.roots[given], answer, names)


def _check_end(tensor: Tensor, what: str) -> None:
    if tensor.dtype != "INT8" or len(tensor.scales) != 1:
        raise UnsupportedOperatorError(
            f"the model's {what} is {tensor.dtype} with {len(tensor.scales)} scales; the engine works on INT8 with one"
        )
    if tensor.shape[:1] != (1,) or not tensor.elements:
        raise UnsupportedOperatorError(f"the model's {what} has shape {list(tensor.shape)}; wanted one sample")


OPERATORS: Mapping[str, Callable[[Lowering, Operator], None]] = {
    "CONV_2D": conv,
    "DEPTHWISE_CONV_2D": depthwise,
    "FULLY_CONNECTED": dense,
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), pool),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"), pair),
    **dict.fromkeys(UNARY, unary),
    "SOFTMAX": softmax,
    **dict.fromkeys(("RESHAPE", "EXPAND_DIMS", "SQUEEZE"), alias),
    "SHAPE": shape,
    "PACK": pack,
    "STRIDED_SLICE": strided_slice,
    "TRANSPOSE": transpose,
    **dict.fromkeys(("PAD", "PADV2"), pad),
    "CONCATENATION": concatenation,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), reduce),
}
"""What becomes of each operator; one that is not here is refused by its name."""
