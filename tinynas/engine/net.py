"""A model as the engine sees it: values that layers make of one another, all whole numbers, no .tflite left.

A value has a shape without the batch (of one sample) and an int8 zero point. A layer is a `Spec` of its kind, frozen,
with every factor already a fixed-point multiplier; `evaluate` says what it computes, `rules` where its result may lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.engine.fixed_point import Multiplier

Int8s = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]
Pairing = Literal["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"]
Reduction = Literal["MEAN", "SUM", "MAX", "MIN"]


class Window(NamedTuple):
    """A window sliding over a map (height, width, channels): its taps, steps, and the padding above and on the left."""

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    out_channels: int
    kernel_h: int = 1
    kernel_w: int = 1
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 0
    pad_left: int = 0

    @property
    def reach_h(self) -> int:
        """Rows from the window's first to its last, both counted."""
        return (self.kernel_h - 1) * self.dilation_h + 1

    @property
    def reach_w(self) -> int:
        """Columns from the window's first to its last, both counted."""
        return (self.kernel_w - 1) * self.dilation_w + 1

    @property
    def touches_border(self) -> bool:
        """Whether any tap of any window lies outside the map."""
        last_row = (self.out_height - 1) * self.stride_h - self.pad_top + self.reach_h
        last_column = (self.out_width - 1) * self.stride_w - self.pad_left + self.reach_w
        return bool(self.pad_top or self.pad_left) or last_row > self.height or last_column > self.width


class Clamp(NamedTuple):
    """The range of results that the activation leaves."""

    low: int = -128
    high: int = 127


EVERY = Clamp()
"""All of int8."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """From int32 sums to int8: one multiplier and shift a channel, then the zero point, then the clamp."""

    multipliers: Ints
    shifts: Ints
    zero: int
    clamp: Clamp = EVERY


@dataclass(frozen=True, eq=False)
class Convolution:
    """CONV_2D and FULLY_CONNECTED: weights (out, height, width, in / groups), bias int32 (out) without the zero point.

    A dense layer is a window of 1 x 1 over a map of 1 x rows.
    """

    window: Window
    weights: Int8s
    bias: Ints
    zero: int
    scaling: Scaling
    groups: int = 1

    @cached_property
    def tap_sums(self) -> tuple[Ints, Ints]:
        """Over all taps, the sums of the weights below 0 and of those above, each (out, in / groups)."""
        return _tap_sums(self.weights, (1, 2))


@dataclass(frozen=True, eq=False)
class Depthwise:
    """DEPTHWISE_CONV_2D: weights (height, width, out); output channel c reads input channel c // multiplier."""

    window: Window
    weights: Int8s
    bias: Ints
    zero: int
    scaling: Scaling

    @cached_property
    def tap_sums(self) -> tuple[Ints, Ints]:
        """Over all taps, the sums of the weights below 0 and of those above, each (out)."""
        return _tap_sums(self.weights, (0, 1))


def _tap_sums(weights: Int8s, axes: tuple[int, int]) -> tuple[Ints, Ints]:
    above: Ints = np.maximum(weights, 0).sum(axes, dtype=np.int64)
    return weights.sum(axes, dtype=np.int64) - above, above


@dataclass(frozen=True, eq=False)
class Pool:
    """AVERAGE_POOL_2D (halves away from zero, over the taps inside the map) or MAX_POOL_2D, then the clamp."""

    window: Window
    average: bool
    clamp: Clamp = EVERY


@dataclass(frozen=True, eq=False)
class Pair:
    """Two operands, element by element, each of `shape` or broadcast to it; a constant operand is its values.

    `zeros` are those of the operands; `factors` (multiplier, shift): ADD and SUB have one for each operand and one for
    the sum, MUL one for the product, PRELU one for values and one for values times alpha.
    """

    pairing: Pairing
    shape: tuple[int, ...]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    constants: tuple[Int8s | None, Int8s | None]
    zeros: tuple[int, int]
    zero: int
    factors: tuple[tuple[int, int], ...]
    clamp: Clamp = EVERY


@dataclass(frozen=True, eq=False)
class Lookup:
    """Any function of one int8: `table[x + 128]`."""

    table: Int8s


@dataclass(frozen=True, eq=False)
class Softmax:
    """SOFTMAX over rows of `classes` values: `exps[k]` is exp of k steps below the greatest, Q0.31; beyond it 0.
    A `step` is that factor in Q5.26."""

    rows: int
    classes: int
    exps: Ints
    step: Multiplier


class Axes(NamedTuple):
    """A (outer, inner) pair of sizes and of strides in bytes; sizes of 1 fill it up."""

    sizes: tuple[int, int]
    strides: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Reduce:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN: for each of `kept`, over all of `reduced`."""

    reduction: Reduction
    kept: Axes
    reduced: Axes
    zero: int = 0
    scaling: Scaling | None = None


@dataclass(frozen=True, eq=False)
class Running:
    """MEAN, a maximum, a minimum or the AVERAGE of a whole map (rows, width, channels) that comes row by row.

    `scaling` is MEAN's; AVERAGE is the pool's, rounded halves away from zero.
    """

    running: Literal["MEAN", "AVERAGE", "MAX", "MIN"]
    rows: int
    width: int
    channels: int
    zero: int = 0
    scaling: Scaling | None = None
    clamp: Clamp = EVERY

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the sums, int32 a channel."""
        return 4 * self.channels if self.running in ("MEAN", "AVERAGE") else 0


@dataclass(frozen=True, eq=False)
class Gather:
    """TRANSPOSE and STRIDED_SLICE: the result in order, each element from `start` plus its indices times `strides`."""

    sizes: tuple[int, int, int, int]
    strides: tuple[int, int, int, int]
    start: int = 0


@dataclass(frozen=True, eq=False)
class Pad:
    """PAD and PADV2: the map (height, width, channels) inside a greater one filled with `fill`."""

    shape: tuple[int, int, int]
    before: tuple[int, int, int]
    out_shape: tuple[int, int, int]
    fill: int


@dataclass(frozen=True, eq=False)
class Concatenation:
    """CONCATENATION: `outer` times, so many bytes (`parts`) of each input."""

    outer: int
    parts: tuple[int, ...]


Spec = Convolution | Depthwise | Pool | Pair | Lookup | Softmax | Reduce | Running | Gather | Pad | Concatenation


@dataclass(frozen=True)
class Value:
    """What the input or a layer holds: its shape without the batch, and the int8 that stands for 0."""

    shape: tuple[int, ...]
    zero: int

    @property
    def bytes(self) -> int:
        """Bytes of the value."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Layer:
    """One step: `spec` of the values `inputs` makes the value `output`; `operators` are those of the file.
    `foreign`: another library runs it, which wants the result beside its input and all at once."""

    spec: Spec
    inputs: tuple[int, ...]
    output: int
    operators: tuple[int, ...] = ()
    foreign: bool = False

    @property
    def kind(self) -> str:
        """The spec's class in lower case: the key of every table of layers."""
        return type(self.spec).__name__.lower()


@dataclass(frozen=True, eq=False)
class Net:
    """The layers in order, from the value `input` to the value `output`; `names` are the file's operators."""

    values: Mapping[int, Value]
    layers: tuple[Layer, ...]
    input: int
    output: int
    names: tuple[str, ...] = field(default=())

    def consumers(self) -> dict[int, list[int]]:
        """The numbers of the layers that read each value."""
        found: dict[int, list[int]] = {number: [] for number in self.values}
        for index, layer in enumerate(self.layers):
            for number in dict.fromkeys(layer.inputs):
                found[number].append(index)
        return found
