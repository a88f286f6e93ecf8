"""The window of a convolution or pool sliding over a map: its padding, and how much of it lies inside the map.

Shapes are NHWC; a shape with fewer than four axes is taken with ones in front.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

from tinynas.tflite.graph import PADDING_SAME, Operator, int_option


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


def padding_before(size: int, out: int, kernel: int, stride: int, dilation: int) -> int:
    """Padding above (or on the left) of a map with padding SAME: half of what is missing, rounded down.

    TFLM: lite/kernels/padding.h, ComputePaddingWithOffset.
    """
    return max((out - 1) * stride + (kernel - 1) * dilation + 1 - size, 0) // 2


@lru_cache(maxsize=4096)
def axis_taps(size: int, out: int, kernel: int, stride: int, dilation: int, same: bool) -> tuple[int, int]:
    """(padding before, window positions inside the map summed over the outputs) along one axis."""
    pad = padding_before(size, out, kernel, stride, dilation) if same else 0
    inside = 0
    for start in range(-pad, out * stride - pad, stride):
        first = -(start // dilation) if start < 0 else 0
        last = min(kernel, (size - 1 - start) // dilation + 1)
        inside += max(last - first, 0)
    return pad, inside


def window(shape: tuple[int, ...], out_shape: tuple[int, ...], kernel: tuple[int, int], operator: Operator) -> Window:
    """The window of a convolution or pool from its map, its result and the operator's options."""
    batch, height, width, channels = nhwc(shape)
    _, out_height, out_width, _ = nhwc(out_shape)
    stride = int_option(operator, "stride_h"), int_option(operator, "stride_w")
    dilation = int_option(operator, "dilation_h_factor", 1), int_option(operator, "dilation_w_factor", 1)
    same = int_option(operator, "padding") == PADDING_SAME
    pad_h, taps_h = axis_taps(height, out_height, kernel[0], stride[0], dilation[0], same)
    pad_w, taps_w = axis_taps(width, out_width, kernel[1], stride[1], dilation[1], same)
    return Window(
        batch, height, width, channels, out_height, out_width, kernel, (pad_h, pad_w), stride, dilation != (1, 1),
        batch * taps_h * taps_w, batch * taps_h * out_width, taps_h < out_height * kernel[0],
    )  # fmt: skip
