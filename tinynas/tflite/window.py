"""The window of a convolution or pool sliding over a map: its geometry, and how much of it lies inside the map.

Shapes are NHWC; a shape with fewer than four axes is taken with ones in front.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import prod
from typing import NamedTuple

from tinynas.errors import ModelError
from tinynas.tflite.graph import PADDING_SAME, OptionValue


class Window(NamedTuple):
    """A window that slides over a map: sizes of map, window and result, and what falls inside.

    `taps` counts (output pixel, window position) pairs that lie inside the map, `rows` those of (output pixel, window
    row); `pad` is the padding above and on the left.
    """

    batch: int
    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel: tuple[int, int]
    pad: tuple[int, int]
    stride: tuple[int, int]
    dilated: bool
    taps: int
    rows: int
    edge: bool

    @property
    def pixels(self) -> int:
        """Output positions, all batches."""
        return self.batch * self.out_height * self.out_width


def nhwc(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """`shape` with ones in front up to four axes (leading axes beyond four are folded into the batch)."""
    height, width, channels = (1, 1, 1, *shape)[-3:]
    return prod(shape[:-3]), height, width, channels


@lru_cache(maxsize=4096)
def axis_taps(size: int, out: int, kernel: int, stride: int, dilation: int, same: bool) -> tuple[int, int]:
    """(padding before, window positions inside the map summed over the outputs) along one axis.

    Padding as in lite/kernels/padding.h: half of what is missing, rounded down.
    """
    missing = (out - 1) * stride + (kernel - 1) * dilation + 1 - size
    pad = max(missing, 0) // 2 if same else 0
    inside = 0
    for start in range(-pad, out * stride - pad, stride):
        first = -(start // dilation) if start < 0 else 0
        last = min(kernel, (size - 1 - start) // dilation + 1)
        inside += max(last - first, 0)
    return pad, inside


def window(
    shape: tuple[int, ...], out_shape: tuple[int, ...], kernel: tuple[int, int], options: Mapping[str, OptionValue]
) -> Window:
    """The window of a convolution or pool from its map, its result and its options (the schema's names)."""
    batch, height, width, channels = nhwc(shape)
    _, out_height, out_width, _ = nhwc(out_shape)
    stride = option(options, "stride_h"), option(options, "stride_w")
    dilation = option(options, "dilation_h_factor", 1), option(options, "dilation_w_factor", 1)
    same = option(options, "padding") == PADDING_SAME
    pad_h, taps_h = axis_taps(height, out_height, kernel[0], stride[0], dilation[0], same)
    pad_w, taps_w = axis_taps(width, out_width, kernel[1], stride[1], dilation[1], same)
    return Window(
        batch, height, width, channels, out_height, out_width, kernel, (pad_h, pad_w), stride, dilation != (1, 1),
        batch * taps_h * taps_w, batch * taps_h * out_width, taps_h < out_height * kernel[0],
    )  # fmt: skip


def option(options: Mapping[str, OptionValue], name: str, default: int | None = None) -> int:
    """The option of that name as a whole number; ModelError when it is missing or something else."""
    value = options.get(name, default)
    if not isinstance(value, int):
        raise ModelError(
            f"an operator's option {name!r} is {value!r}; a whole number was wanted, convert the model again"
        )
    return value
