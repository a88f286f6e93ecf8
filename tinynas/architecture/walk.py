"""The walk: a network as layers, in the order of the computation. Shapes, costs, files and models follow from it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tinynas.architecture.kinds import KINDS

if TYPE_CHECKING:
    from tinynas.architecture.architecture import Architecture
    from tinynas.architecture.block import Block

Shape = tuple[int, int, int]

INPUT = -1  # stands for the network's input where a layer's number is asked for


class Layer(NamedTuple):
    """One layer, named as its Keras layer is.

    `operator` is conv, depthwise, add, max_pool, average_pool, flatten or dense. `block` is the number of its block,
    None in the head. `shape_in` and `shape_out` are (H, W, C) without the batch. `kernel`, `strides` and `padding` say
    what they say for the convolutions and pools. After the convolution, sum or dense layer come its `batch_norm` and
    its `activation`, "" for none; the last dense layer's is "softmax". `skip` is the number of the layer whose output
    an add takes as its first input (INPUT for the network's input).
    """

    operator: str
    name: str
    block: int | None
    shape_in: Shape
    shape_out: Shape
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: str = "valid"
    activation: str = ""
    batch_norm: bool = False
    skip: int = INPUT

    @property
    def weights(self) -> int:
        """The number of weights, biases and batch norm left out; 0 for a layer that has none."""
        (kh, kw), channels, made = self.kernel, self.shape_in[2], self.shape_out[2]
        if self.operator == "depthwise":
            return kh * kw * channels
        return kh * kw * channels * made if self.operator in ("conv", "dense") else 0


def walk(architecture: "Architecture") -> tuple[Layer, ...]:
    """Return the layers of `architecture`; dropout, which is there in training alone, is left out."""
    layers: list[Layer] = []
    for number, (block, shape) in enumerate(zip(architecture.blocks, architecture.shapes, strict=False)):
        layers += _block(block, shape, number, skip=len(layers) - 1)
    return (*layers, *_head(architecture))


def convolutions(block: "Block", shape: Shape, number: int = 0) -> list[Layer]:
    """Return the convolutions of `block` on a map of `shape`; "valid" may give maps with an axis below 1."""
    layers: list[Layer] = []
    kind, expanded = KINDS[block.kind], block.expansion * shape[2]
    for stage in kind.stages:
        kernel, strides, padding = (1, 1), (1, 1), "valid"
        if stage.spatial:
            kernel, padding = effective(block.kernel_size, shape), block.padding
        if stage is kind.strided:
            strides = _strides(block.stride, shape, stage.convolution)
        wide = block.filters if stage.width == "filters" else expanded
        channels = wide if stage.convolution == "conv" else shape[2]
        after = (*_positions(shape, kernel, strides, padding), channels)
        summed = block.residual and stage is kind.stages[-1]  # then the activation comes after the sum
        activation = "" if stage.linear or summed else block.activation
        name = f"block{number}_{stage.name}"
        layers.append(
            Layer(stage.convolution, name, number, shape, after, kernel, strides, padding, activation, block.batch_norm)
        )
        shape = after
    return layers


def effective(size: int, shape: Shape) -> tuple[int, int]:
    """Return `size` on each axis of the map that is longer than 1, and 1 on the others: the axis rule."""
    return (size if shape[0] > 1 else 1), (size if shape[1] > 1 else 1)


def _strides(stride: int, shape: Shape, convolution: str) -> tuple[int, int]:
    """Return the effective strides.

    TensorFlow's depthwise convolution takes equal strides only. On a map with one axis of length 1 it therefore has
    the stride on both: along the short axis that changes neither shape nor values.
    """
    height, width = effective(stride, shape)
    if convolution == "depthwise" and height != width:
        return stride, stride
    return height, width


def _positions(shape: Shape, kernel: tuple[int, int], strides: tuple[int, int], padding: str) -> tuple[int, int]:
    """Return the height and width of what a convolution makes of a map."""
    (height, width, _), (kh, kw), (sh, sw) = shape, kernel, strides
    if padding == "same":
        return -(-height // sh), -(-width // sw)
    return (height - kh) // sh + 1, (width - kw) // sw + 1


def _block(block: "Block", shape: Shape, number: int, skip: int) -> Iterator[Layer]:
    """Yield the layers of `block`; `skip` is the number of the layer before it."""
    layers = convolutions(block, shape, number)
    yield from layers
    made = layers[-1].shape_out
    if block.residual:
        activation = "" if KINDS[block.kind].stages[-1].linear else block.activation
        yield Layer("add", f"block{number}_add", number, made, made, activation=activation, skip=skip)
    if block.pool is not None:
        window = block.pool_window(made)
        operator = "max_pool" if block.pool == "max" else "average_pool"
        yield Layer(operator, f"block{number}_pool", number, made, block.pooled(made), window, window)


def _head(architecture: "Architecture") -> Iterator[Layer]:
    """Yield the layers of the head; the average over the whole map is a pool, since TFLM's MEAN is slow."""
    head, shape = architecture.head, architecture.shapes[-1]
    if head.pooling == "gap" and shape[:2] != (1, 1):
        window, after = shape[:2], (1, 1, shape[2])
        yield Layer("average_pool", "head_pool", None, shape, after, window, window)
        shape = after
    flat = (1, 1, shape[0] * shape[1] * shape[2])
    yield Layer("flatten", "head_flatten", None, shape, flat)
    if head.hidden_units:
        hidden = (1, 1, head.hidden_units)
        yield Layer("dense", "head_hidden", None, flat, hidden, activation="relu")
        flat = hidden
    yield Layer("dense", "head_classes", None, flat, (1, 1, architecture.n_classes), activation="softmax")
