"""Operators that slide a window over a map (NHWC): their shapes, their padding, and whether these agree.

TFLM takes padding and loop counts from the shapes in the file without comparing them, so a file whose
shapes do not follow from one another would have it read and write beside its tensors.
"""

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.graph import PADDING_SAME, PADDING_VALID, Graph, Operator, int_option, tensor_at
from tinynas.tflite.window import padding_before

OUTPUT = -1
"""Stands for the operator's output where an input's position could stand."""

MAX_STEPS = 2**16
"""The longest map, window or stride along one axis that is taken for a model of a microcontroller."""

_AXES = ((1, "h", "height"), (2, "w", "width"))


def shape_of(graph: Graph, operator: Operator, position: int, rank: int) -> tuple[int, ...]:
    """The shape of input `position` or of OUTPUT; UnsupportedOperatorError unless it has `rank` sizes."""
    if position == OUTPUT:
        tensor = graph.tensors[operator.outputs[0]] if operator.outputs else None
    else:
        tensor = tensor_at(graph, operator, position)
    if tensor is None or len(tensor.shape) != rank:
        came = "no" if tensor is None else f"a {list(tensor.shape)}"
        what = "output" if position == OUTPUT else f"input {position}"
        raise UnsupportedOperatorError(
            f"operator {operator.name} has {came} {what}; what it needs of TFLM's arena is known for "
            f"{rank} sizes only, so build the model on shapes (1, height, width, channels)"
        )
    return tensor.shape


def paddings(graph: Graph, operator: Operator) -> tuple[int, int]:
    """Padding above and on the left of a convolution's map (lite/kernels/padding.h)."""
    if int_option(operator, "padding") != PADDING_SAME:
        return 0, 0
    source, kernel = shape_of(graph, operator, 0, 4), shape_of(graph, operator, 1, 4)
    result = shape_of(graph, operator, OUTPUT, 4)

    def before(axis: int, letter: str) -> int:
        stride, dilation = int_option(operator, f"stride_{letter}"), int_option(operator, f"dilation_{letter}_factor")
        return padding_before(source[axis], result[axis], kernel[axis], stride, dilation)

    return before(1, "h"), before(2, "w")


def is_dilated(operator: Operator) -> bool:
    """Whether the window has gaps along either axis."""
    return (int_option(operator, "dilation_h_factor"), int_option(operator, "dilation_w_factor")) != (1, 1)


def check_conv(graph: Graph, operator: Operator) -> None:
    """ModelError unless a CONV_2D's shapes follow from one another."""
    source, kernel = shape_of(graph, operator, 0, 4), shape_of(graph, operator, 1, 4)
    result = shape_of(graph, operator, OUTPUT, 4)
    _check_steps(operator, source, result, kernel, dilated=True)
    whole_groups = kernel[3] > 0 and source[3] % kernel[3] == 0
    if not whole_groups or kernel[0] != result[3] or source[0] != result[0]:
        raise _disagreement(operator, source, kernel, result)


def check_depthwise(graph: Graph, operator: Operator) -> None:
    """ModelError unless a DEPTHWISE_CONV_2D's shapes follow from one another."""
    source, kernel = shape_of(graph, operator, 0, 4), shape_of(graph, operator, 1, 4)
    result = shape_of(graph, operator, OUTPUT, 4)
    _check_steps(operator, source, result, kernel, dilated=True)
    whole_multiplier = source[3] > 0 and result[3] % source[3] == 0
    if not whole_multiplier or kernel[0] != 1 or kernel[3] != result[3] or source[0] != result[0]:
        raise _disagreement(operator, source, kernel, result)


def check_pool(graph: Graph, operator: Operator) -> None:
    """ModelError unless a pool's shapes follow from one another."""
    source, result = shape_of(graph, operator, 0, 4), shape_of(graph, operator, OUTPUT, 4)
    kernel = (1, int_option(operator, "filter_height"), int_option(operator, "filter_width"), 1)
    _check_steps(operator, source, result, kernel, dilated=False)
    if source[3] != result[3] or source[0] != result[0]:
        raise _disagreement(operator, source, kernel, result)


def _check_steps(
    operator: Operator,
    source: tuple[int, ...],
    result: tuple[int, ...],
    kernel: tuple[int, ...],
    dilated: bool,
) -> None:
    """ModelError unless the result has the height and width that padding, window and stride give."""
    for axis, letter, word in _AXES:
        stride = int_option(operator, f"stride_{letter}")
        dilation = int_option(operator, f"dilation_{letter}_factor") if dilated else 1
        for size in (source[axis], kernel[axis], stride, dilation):
            if not 1 <= size <= MAX_STEPS:
                raise ModelError(
                    f"operator {operator.name} has a map of {source[axis]:,}, a window of "
                    f"{kernel[axis]:,}, a stride of {stride:,} and a dilation of {dilation:,} along its "
                    f"{word}; each should be 1 to {MAX_STEPS:,}"
                )
        reach = (kernel[axis] - 1) * dilation + 1
        padding = int_option(operator, "padding")
        room = source[axis] if padding == PADDING_SAME else source[axis] - reach + 1
        if padding not in (PADDING_SAME, PADDING_VALID) or result[axis] != -(-room // stride) or room < 1:
            raise _disagreement(operator, source, kernel, result)


def _disagreement(
    operator: Operator, source: tuple[int, ...], kernel: tuple[int, ...], result: tuple[int, ...]
) -> ModelError:
    return ModelError(
        f"operator {operator.name} makes {list(result)} of {list(source)} with a window {list(kernel)}, "
        "but these shapes do not follow from one another with its options; convert or copy the model again"
    )
