"""How often each loop of a TFLM kernel runs: the counts that instruction costs are multiplied with.

Every function returns a tuple of counts in the order of `LOOPS[kernel]`; the costs of one iteration stand in
loop_costs.py. The loops are those of CMSIS-NN (Source/ConvolutionFunctions, PoolingFunctions, NNSupportFunctions) and
of TFLM's reference kernels (tensorflow/lite/kernels/internal/reference/integer_ops).
"""

from collections.abc import Mapping
from math import prod

from tinynas.tflite.window import Window

Counts = tuple[int, ...]

_COPY = ("copy", "copy 64 bytes", "copy 16 bytes", "copy 4 bytes", "copy unaligned", "copy short byte")
_CONV_WINDOWS = ("call", "pixel", "window row", *_COPY, "tap outside", "channel outside")
_PER_PIXEL = ("pixel", "window row", "tap inside")

LOOPS: Mapping[str, tuple[str, ...]] = {
    "conv": (*_CONV_WINDOWS, "widen 4", "widen 1", "pair", "row pair", "row pair 4", "row pair 1", "odd row",
             "odd row 4", "odd row 1", "odd pixel", "odd pixel 4", "odd pixel 1"),
    "conv scalar": (*_CONV_WINDOWS, "widen 1", "pair", "row pair", "row pair 1", "odd row", "odd row 1", "odd pixel",
                    "odd pixel 1"),
    "conv 1x1": ("call", "line", "row pair", "weight sum", "pair", "pair 16", "pair 4", "pair 1", "odd pixel",
                 "odd pixel 16", "odd pixel 4", "odd pixel 1", "odd row", "odd row 1"),
    "conv 1x1 scalar": ("call", "line", "row pair", "weight sum", "pair", "pair 1", "odd pixel", "odd pixel 1",
                        "odd row", "odd row 1"),
    "conv reference": ("call", "pixel", "output", "window row", "tap", "tap inside", "mac"),
    "depthwise 3x3": ("call", "line", "pixel", "4 outputs", "4 rows", "4 taps", "output", "row", "tap"),
    "depthwise columns": ("call", *_PER_PIXEL, "widen 4", "widen 1", "tap outside", "channel outside",
                          "padded line", "padded channel", "4 outputs", "4 outputs 2", "4 outputs 1", "output",
                          "output tap"),
    "depthwise by 4": ("call", "pixel", "channel", "4 outputs", "4 rows", "4 taps"),
    "depthwise generic": ("call", "pixel", "channel", "output", "row", "tap"),
    "depthwise dilated": ("call", "pixel", "channel", "output", "row", "tap"),
    "depthwise reference": ("call", "pixel", "output", "window row", "tap", "tap inside"),
    "fully connected": ("call", "batch", "row pair", "row pair 4", "row pair 1", "odd row", "odd row 4", "odd row 1"),
    "fully connected scalar": ("call", "batch", "row triple", "row triple 1", "row", "row 1"),
    "fully connected reference": ("call", "output", "mac"),
    "max pool": ("call", "line", *_PER_PIXEL[:2], *_COPY, "compare", "compare 4", "compare 1", "clamp 4", "clamp 1"),
    "average pool": ("call", *_PER_PIXEL, "first", "add"),
    "pool reference": ("call", "pixel", "output", "window row", "tap"),
    "reduce": ("call", "output", "input", "input axis", "carry"),
    "elements": ("call", "element"),
    "bytes": ("call", "64 bytes", "16 bytes", "4 bytes"),
    "lines": ("call", "copy", "element"),
    "PAD": ("call", "line", "element", "pixel"),
}  # fmt: skip


def copies(times: int, length: int) -> Counts:
    """`times` calls of newlib's memcpy-armv7m.S with `length` bytes: blocks of 64, 16 and 4, then what is left."""
    ragged = length & 3 != 0
    return (
        times,
        times * (length >> 6),
        times * ((length & 63) >> 4),
        times * ((length & 15) >> 2),
        times * ragged,
        times * length * (ragged and length < 8),
    )


def _conv_windows(w: Window) -> Counts:
    outside = w.pixels * w.kernel[0] * w.kernel[1] - w.taps
    return (1, w.pixels, w.pixels * w.kernel[0], *copies(w.taps, w.channels), outside, outside * w.channels)


def conv(w: Window, out_channels: int) -> Counts:
    """arm_convolve_s8 with DSP: im2col, two columns widened, then 2 x 2 outputs at a time, four products a step."""
    columns = w.kernel[0] * w.kernel[1] * w.channels
    by_4, by_1, pixels = columns >> 2, columns & 3, w.pixels
    pairs, odd = pixels >> 1, (pixels & 1) * out_channels
    rows, odd_rows = pairs * (out_channels >> 1), pairs * (out_channels & 1)
    return (
        *_conv_windows(w), pixels * by_4, pixels * by_1, pairs, rows, rows * by_4, rows * by_1,
        odd_rows, odd_rows * by_4, odd_rows * by_1, odd, odd * by_4, odd * by_1,
    )  # fmt: skip


def conv_scalar(w: Window, out_channels: int) -> Counts:
    """arm_convolve_s8 without DSP: the same, one product a step."""
    columns, pixels = w.kernel[0] * w.kernel[1] * w.channels, w.pixels
    pairs, odd = pixels >> 1, (pixels & 1) * out_channels
    rows, odd_rows = pairs * (out_channels >> 1), pairs * (out_channels & 1)
    return (
        *_conv_windows(w), pixels * columns, pairs, rows, rows * columns, odd_rows, odd_rows * columns,
        odd, odd * columns,
    )  # fmt: skip


def conv_1x1(lines: int, pixels: int, channels: int, out_channels: int) -> Counts:
    """arm_nn_mat_mult_nt_t_s8 with DSP, called for `lines` lines of `pixels` pixels each."""
    rows, odd_row = lines * (out_channels >> 1), lines * pixels * (out_channels & 1)
    pairs, odd = rows * (pixels >> 1), rows * (pixels & 1)
    by_16, by_4, by_1 = channels >> 4, (channels & 15) >> 2, channels & 3
    return (
        1, lines, rows, rows * channels, pairs, pairs * by_16, pairs * by_4, pairs * by_1,
        odd, odd * by_16, odd * by_4, odd * by_1, odd_row, odd_row * channels,
    )  # fmt: skip


def conv_1x1_scalar(lines: int, pixels: int, channels: int, out_channels: int) -> Counts:
    """arm_nn_mat_mult_nt_t_s8 without DSP."""
    rows, odd_row = lines * (out_channels >> 1), lines * pixels * (out_channels & 1)
    pairs, odd = rows * (pixels >> 1), rows * (pixels & 1)
    return (
        1,
        lines,
        rows,
        rows * channels,
        pairs,
        pairs * channels,
        odd,
        odd * channels,
        odd_row,
        odd_row * channels,
    )


def conv_reference(w: Window, out_channels: int) -> Counts:
    """reference_integer_ops::ConvPerChannel."""
    outputs = w.pixels * out_channels
    rows, inside = outputs * w.kernel[0], w.taps * out_channels
    return (1, w.pixels, outputs, rows, rows * w.kernel[1], inside, inside * w.channels)


def depthwise_3x3(w: Window) -> Counts:
    """arm_depthwise_conv_3x3_s8: four channels at a time, what is left over one by one."""
    by_4, by_1, pixels = w.channels >> 2, w.channels & 3, w.pixels
    return (
        1, w.batch * w.out_height, pixels, pixels * by_4, w.rows * by_4, w.taps * by_4,
        pixels * by_1, w.rows * by_1, w.taps * by_1,
    )  # fmt: skip


def depthwise_columns(w: Window) -> Counts:
    """arm_depthwise_conv_s8_opt with DSP: a window is widened to int16, then four channels and two taps a step."""
    by_4, by_1, pixels, taps = w.channels >> 2, w.channels & 3, w.pixels, w.kernel[0] * w.kernel[1]
    beside = w.rows * w.kernel[1] - w.taps
    above = pixels * taps - w.rows * w.kernel[1]
    return (
        1, pixels, w.rows, w.taps, w.taps * by_4, w.taps * by_1, beside, beside * w.channels,
        pixels * w.edge, above * w.channels, pixels * by_4, pixels * by_4 * (taps >> 1), pixels * by_4 * (taps & 1),
        pixels * by_1, pixels * by_1 * taps,
    )  # fmt: skip


def depthwise_by_4(w: Window, out_channels: int) -> Counts:
    """depthwise_conv_s8_mult_4: a depth multiplier that four divides."""
    by_4 = out_channels >> 2
    return (1, w.pixels, w.pixels * w.channels, w.pixels * by_4, w.rows * by_4, w.taps * by_4)


def depthwise_generic(w: Window, out_channels: int) -> Counts:
    """depthwise_conv_s8_generic: any depth multiplier, any dilation, one output at a time."""
    return (
        1,
        w.pixels,
        w.pixels * w.channels,
        w.pixels * out_channels,
        w.rows * out_channels,
        w.taps * out_channels,
    )


def depthwise_reference(w: Window, out_channels: int) -> Counts:
    """reference_integer_ops::DepthwiseConvPerChannel."""
    outputs = w.pixels * out_channels
    rows = outputs * w.kernel[0]
    return (1, w.pixels, outputs, rows, rows * w.kernel[1], w.taps * out_channels)


def fully_connected(batch: int, columns: int, rows: int) -> Counts:
    """arm_nn_vec_mat_mult_t_s8 and _per_ch_s8 with DSP: two rows and four products a step."""
    pairs, odd = batch * (rows >> 1), batch * (rows & 1)
    by_4, by_1 = columns >> 2, columns & 3
    return (1, batch, pairs, pairs * by_4, pairs * by_1, odd, odd * by_4, odd * by_1)


def fully_connected_scalar(batch: int, columns: int, rows: int) -> Counts:
    """The same without DSP: three rows and one product a step, then row by row."""
    triples, single = batch * (rows // 3), batch * (rows % 3)
    return (1, batch, triples, triples * columns, single, single * columns)


def fully_connected_reference(batch: int, columns: int, rows: int) -> Counts:
    """reference_integer_ops::FullyConnected."""
    return (1, batch * rows, batch * rows * columns)


def max_pool(w: Window) -> Counts:
    """arm_max_pool_s8: copy the first pixel, compare with the others, clamp at the end."""
    pixels, more = w.pixels, w.taps - w.pixels
    elements = pixels * w.channels
    return (
        1, w.batch * w.out_height, pixels, w.rows, *copies(pixels, w.channels),
        more, more * (w.channels >> 2), more * (w.channels & 3), elements >> 2, elements & 3,
    )  # fmt: skip


def average_pool(w: Window) -> Counts:
    """arm_avgpool_s8 with DSP: sums of all channels in a row of int32, then one division a channel."""
    first = w.pixels * w.channels
    return (1, w.pixels, w.rows, w.taps, first, w.taps * w.channels - first)


def pool_reference(w: Window) -> Counts:
    """reference_integer_ops::MaxPool and AveragePool; arm_avgpool_s8 without DSP has the same loops."""
    return (1, w.pixels, w.pixels * w.channels, w.rows * w.channels, w.taps * w.channels)


def reduce(shape: tuple[int, ...], outputs: int) -> Counts:
    """reference_ops::ReduceGeneric (MEAN, SUM, REDUCE_MAX): an index is kept per axis for every input element, and an
    axis that ends carries into the one before it."""
    elements = prod(shape)
    return (1, outputs, elements, elements * (len(shape) - 1), sum(prod(shape[:axis]) for axis in range(1, len(shape))))


def block_copy(length: int) -> Counts:
    """One memcpy of `length` bytes."""
    return (1, length >> 6, (length & 63) >> 4, (length & 15) >> 2)
