"""The one walk over an architecture: the operators of its int8 file, and what size and cost follow from."""

from typing import NamedTuple

from tinynas.architecture import Architecture, Block, Shape

INPUT = -1  # stands for the model's input where a layer's number is asked for


class Layer(NamedTuple):
    """One operator of the int8 file, in execution order.

    `operator` is TFLite's name. `shape_in` and `shape_out` are (H, W, C) without the batch. `kernel`,
    `strides` and `padding` say what they say for the convolutions and pools. `activation` is the fused one,
    "" for none. `name` is the Keras layer with the weights, and `batch_norm` says whether one is folded
    into them. `skip` is the number of the layer whose output an ADD takes as its first input (INPUT for the
    model's input).
    """

    operator: str
    shape_in: Shape
    shape_out: Shape
    name: str = ""
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: str = "valid"
    activation: str = ""
    batch_norm: bool = False
    skip: int = INPUT


def layers(architecture: Architecture) -> tuple[Layer, ...]:
    """Return the operators of the int8 file, in execution order.

    Batch norm, biases and the activations are part of the convolution or sum before them; dropout is gone;
    the Flatten after a 1x1 map is gone too, since a dense layer takes the map as it is.
    """
    out: list[Layer] = []
    for number, (block, shape) in enumerate(zip(architecture.blocks, architecture.shapes, strict=False)):
        _add_block(out, block, shape, f"block{number}")
    _add_head(out, architecture)
    return tuple(out)


def _add_block(out: list[Layer], block: Block, shape: Shape, name: str) -> None:
    skip = len(out) - 1
    conv = block.conv_shape(shape)
    kernel, strides, padding = block.kernel(shape), block.strides(shape), block.padding
    norm, last = block.batch_norm, "" if block.residual else block.activation
    if block.kind == "conv":
        out.append(Layer("CONV_2D", shape, conv, f"{name}_conv", kernel, strides, padding, last, norm))
    else:
        between, separable = (conv[0], conv[1], shape[2]), block.kind == "separable"
        first = block.activation if separable else last
        depthwise = f"{name}_depthwise"
        out.append(Layer("DEPTHWISE_CONV_2D", shape, between, depthwise, kernel, strides, padding, first, norm))
        if separable:
            pointwise = f"{name}_pointwise"
            out.append(Layer("CONV_2D", between, conv, pointwise, activation=last, batch_norm=norm))
    if block.residual:
        out.append(Layer("ADD", conv, conv, activation=block.activation, skip=skip))
    if block.pool is not None:
        window = block.pool_window(conv)
        operator = "MAX_POOL_2D" if block.pool == "max" else "AVERAGE_POOL_2D"
        out.append(Layer(operator, conv, block.output_shape(shape), kernel=window, strides=window))


def _add_head(out: list[Layer], architecture: Architecture) -> None:
    height, width, channels = shape = architecture.shapes[-1]
    head = architecture.head
    if head.pooling == "gap" and (height, width) != (1, 1):
        shape = (1, 1, channels)
        window = (height, width)
        out.append(Layer("AVERAGE_POOL_2D", (height, width, channels), shape, kernel=window, strides=window))
    features = shape[0] * shape[1] * shape[2]
    if shape[:2] != (1, 1):
        out.append(Layer("RESHAPE", shape, (1, 1, features)))
    shape = (1, 1, features)
    if head.hidden_units:
        hidden = (1, 1, head.hidden_units)
        out.append(Layer("FULLY_CONNECTED", shape, hidden, "head_hidden", activation="relu"))
        shape = hidden
    classes = (1, 1, architecture.n_classes)
    out.append(Layer("FULLY_CONNECTED", shape, classes, "head_classes"))
    out.append(Layer("SOFTMAX", classes, classes))
