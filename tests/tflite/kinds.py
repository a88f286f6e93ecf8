"""A small graph of one operator for each kind and type that TFLM runs beyond those of the fixtures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flatbuffers import flexbuffers

from tests.tflite.models import CONV, POOL, activation, constant, integers
from tinynas.tflite import Graph, Operator, Tensor

MAP = (1, 8, 8, 4)
WIDTHS = {"INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "FLOAT32": "<f4", "BOOL": "?", "UINT32": "<u4"}
SCALED = ("INT8", "INT16")


def tensor(shape: tuple[int, ...], dtype: str = "INT8", scale: float = 0.5, zero_point: int = 0) -> Tensor:
    """An activation of a type, quantised where that is usual."""
    if dtype in SCALED:
        return replace(activation(shape, scale, zero_point), dtype=dtype)
    return Tensor("", shape, dtype)


def fixed(shape: tuple[int, ...], dtype: str = "INT8", scale: float = 0.02, n_scales: int = 1) -> Tensor:
    """A constant of a type, of random values above 0."""
    if dtype == "INT8":
        return replace(constant(shape, n_scales=n_scales), scales=(scale,) * n_scales)
    values = np.random.default_rng(0).integers(1, 9, int(np.prod(shape))).astype(WIDTHS[dtype])
    return replace(tensor(shape, dtype, scale), data=values.tobytes())


def graph_of(
    name: str,
    inputs: Sequence[Tensor | None],
    outputs: Sequence[Tensor],
    options: Mapping[str, Any] | None = None,
    custom: bytes | None = None,
) -> Graph:
    """A graph of one operator; its inputs without data are the graph's own, None one that is left out."""
    tensors = [each for each in inputs if each is not None]
    places = iter(range(len(tensors)))
    given = tuple(-1 if each is None else next(places) for each in inputs)
    made = tuple(range(len(tensors), len(tensors) + len(outputs)))
    operator = Operator(name, 1, given, made, None if options is None else dict(options), custom)
    fed = tuple(index for index, each in enumerate(tensors) if not each.is_constant and not each.is_variable)
    return Graph((*tensors, *outputs), (operator,), fed, made)


def signal(name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor], **options: int | bool) -> Graph:
    """A graph of one SIGNAL operator, its options a flexbuffer map."""
    fbb = flexbuffers.Builder()
    with fbb.Map():
        for key, value in sorted(options.items()):
            fbb.Bool(key, value) if isinstance(value, bool) else fbb.Int(key, value)
    return graph_of(f"CUSTOM:Signal{name}", inputs, outputs, custom=bytes(fbb.Finish()))


def unary(name: str, dtype: str, options: Mapping[str, Any] | None = None, result: Tensor | None = None) -> Graph:
    """A graph of one operator with one input."""
    return graph_of(name, [tensor(MAP, dtype)], [tensor(MAP, dtype) if result is None else result], options)


def pair(name: str, dtype: str, result: str | None = None, options: Mapping[str, Any] | None = None) -> Graph:
    """A graph of one operator with two inputs."""
    return graph_of(name, [tensor(MAP, dtype), tensor(MAP, dtype)], [tensor(MAP, result or dtype)], options)


def bias_of(dtype: str, channels: int) -> Tensor:
    """A bias as the kernels for `dtype` want it."""
    if dtype == "FLOAT32":
        return fixed((channels,), dtype)
    wide = {"INT8": "INT32", "INT16": "INT64"}[dtype]
    return replace(fixed((channels,), wide), scales=(0.01,) * channels, zero_points=(0,) * channels)


def convolution(name: str, dtype: str) -> Graph:
    """CONV_2D or DEPTHWISE_CONV_2D on a map."""
    weights = "FLOAT32" if dtype == "FLOAT32" else "INT8"
    depthwise = name != "CONV_2D"
    kernel = replace(fixed((1, 5, 5, 4) if depthwise else (4, 3, 3, 4), weights), quantized_axis=0)
    if dtype != "FLOAT32":
        kernel = replace(kernel, scales=(0.02,) * 4, zero_points=(0,) * 4, quantized_axis=3 if depthwise else 0)
    options = CONV | ({"depth_multiplier": 1} if depthwise else {})
    return graph_of(name, [tensor(MAP, dtype), kernel, bias_of(dtype, 4)], [tensor(MAP, dtype)], options)


def transposed(dtype: str, channels: int = 4, stride: int = 2) -> Graph:
    """TRANSPOSE_CONV of a 4x4 map with two output channels."""
    kernel = fixed((2, 3, 3, channels), "FLOAT32" if dtype == "FLOAT32" else "INT8")
    if dtype != "FLOAT32":
        kernel = replace(kernel, scales=(0.02,) * 2, zero_points=(0,) * 2)
    side = 4 * stride
    shape = integers(1, side, side, 2)
    options = {"padding": 0, "stride_w": stride, "stride_h": stride}
    inputs = [shape, kernel, tensor((1, 4, 4, channels), dtype), bias_of(dtype, 2)]
    return graph_of("TRANSPOSE_CONV", inputs, [tensor((1, side, side, 2), dtype)], options)


def dense(dtype: str) -> Graph:
    """FULLY_CONNECTED of 16 values to 4."""
    weights = fixed((4, 16), "FLOAT32" if dtype == "FLOAT32" else "INT8")
    bias = bias_of(dtype, 4)
    bias = bias if dtype == "FLOAT32" else replace(bias, scales=(0.01,), zero_points=(0,))
    return graph_of("FULLY_CONNECTED", [tensor((1, 16), dtype), weights, bias], [tensor((1, 4), dtype)], {})


def product(dtype: str, adj_x: bool = False, adj_y: bool = False) -> Graph:
    """BATCH_MATMUL of 2 x 3 by 3 x 5 in two batches."""
    left, right = (1, 2, 3, 2) if adj_x else (1, 2, 2, 3), (1, 2, 5, 3) if adj_y else (1, 2, 3, 5)
    options = {"adj_x": adj_x, "adj_y": adj_y}
    inputs = [tensor(left, dtype), tensor(right, dtype)]
    return graph_of("BATCH_MATMUL", inputs, [tensor((1, 2, 2, 5), dtype)], options)


def svdf(dtype: str) -> Graph:
    """SVDF: 8 inputs, 6 filters of rank 2, a memory of 5."""
    if dtype == "FLOAT32":
        weights, times, bias = fixed((6, 8), dtype), fixed((6, 5), dtype), fixed((3,), dtype)
        state = replace(tensor((1, 30), dtype), is_variable=True)
    else:
        weights, times = fixed((6, 8), scale=0.02), fixed((6, 5), "INT16", scale=0.02)
        state = replace(tensor((1, 30), "INT16", 0.5), is_variable=True)
        bias = replace(integers(1, 2, 3), scales=(0.5 * 0.02,), zero_points=(0,))
    inputs = [tensor((1, 8), dtype), weights, times, bias, state]
    return graph_of("SVDF", inputs, [tensor((1, 3), dtype)], {"rank": 2, "fused_activation_function": 1})


def lstm(dtype: str, time_major: bool = False) -> Graph:
    """An LSTM of 6 units over 4 steps of 5 values."""
    is_float = dtype == "FLOAT32"
    weights = "FLOAT32" if is_float else "INT8"
    bias = "FLOAT32" if is_float else {"INT8": "INT32", "INT16": "INT64"}[dtype]
    inputs: list[Tensor | None] = [tensor((4, 1, 5) if time_major else (1, 4, 5), dtype, 2**-7)]
    inputs += [fixed((6, 5), weights, 2**-8) for _ in range(4)] + [fixed((6, 6), weights, 2**-8) for _ in range(4)]
    inputs += [None] * 3 + [fixed((6,), bias) for _ in range(4)] + [None] * 2
    inputs += [replace(tensor((1, 6), dtype, 2**-7), is_variable=True)]
    inputs += [replace(tensor((1, 6), "FLOAT32" if is_float else "INT16", 2**-11), is_variable=True)] + [None] * 4
    result = tensor((4, 1, 6) if time_major else (1, 4, 6), dtype, 2**-7)
    options = {"fused_activation_function": 4, "time_major": time_major}
    return graph_of("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [result], options)


def reduction(name: str, dtype: str) -> Graph:
    """A reduction over both sides of a map."""
    return graph_of(name, [tensor(MAP, dtype), integers(1, 2)], [tensor((1, 4), dtype)], {})


def resize(name: str, dtype: str) -> Graph:
    """A map of 8 x 8 to one of 12 x 16."""
    return graph_of(name, [tensor(MAP, dtype), integers(12, 16)], [tensor((1, 12, 16, 4), dtype)], {})


def blocks(name: str, dtype: str) -> Graph:
    """SPACE_TO_BATCH_ND or back, blocks of 2 x 2."""
    large, small = tensor((1, 8, 8, 3), dtype), tensor((4, 4, 4, 3), dtype)
    source, result = (large, small) if name.startswith("SPACE") else (small, large)
    return graph_of(name, [source, integers(2, 2), integers(0, 0, 0, 0, shape=(2, 2))], [result], {})


def split(name: str, dtype: str) -> Graph:
    """A map into two of half the channels."""
    parts = [tensor((1, 8, 8, 2), dtype)] * 2
    axis = integers(3, shape=())
    if name == "SPLIT":
        return graph_of(name, [axis, tensor(MAP, dtype)], parts, {"num_splits": 2})
    return graph_of(name, [tensor(MAP, dtype), integers(2, 2), axis], parts, {"num_splits": 2})


def shuffled(name: str) -> Graph:
    """SPACE_TO_DEPTH or back."""
    large, small = tensor(MAP), tensor((1, 4, 4, 16))
    source, result = (large, small) if name.startswith("SPACE") else (small, large)
    return graph_of(name, [source], [result], {"block_size": 2})


def _each(make: Any, names: Sequence[str], dtypes: Sequence[str], *rest: Any) -> dict[str, Graph]:
    return {f"{name} {dtype}": make(name, dtype, *rest) for name in names for dtype in dtypes}


ALL, SMALL = ("FLOAT32", "INT8", "INT16"), ("FLOAT32", "INT8")
PROBABILITIES = {"FLOAT32": tensor((1, 8), "FLOAT32"), "INT8": tensor((1, 8), "INT8", 1 / 256, -128)}
PROBABILITIES["INT16"] = tensor((1, 8), "INT16", 1 / 32768)
SIGNED = {"FLOAT32": tensor(MAP, "FLOAT32"), "INT8": tensor(MAP, "INT8", 1 / 256, -128)}
SIGNED["INT16"] = tensor(MAP, "INT16", 1 / 32768)
FRAME, SPECTRUM = tensor((1, 480), "INT16"), Tensor("", (1, 514), "INT16")
PLAIN16 = [Tensor("", (n,), "INT16") for n in (0, 480, 512, 514)]
CHANNELS, BINS = Tensor("", (40,), "UINT32"), Tensor("", (257,), "UINT32")


def _table(size: int) -> Tensor:
    return replace(fixed((size,), "INT16"), scales=(), zero_points=())


KINDS: Mapping[str, Graph] = {
    **_each(convolution, ("CONV_2D", "DEPTHWISE_CONV_2D"), ("FLOAT32", "INT16")),
    **{f"TRANSPOSE_CONV {dtype}": transposed(dtype) for dtype in ALL},
    "TRANSPOSE_CONV INT8 deep": transposed("INT8", 20),
    "TRANSPOSE_CONV INT8 far": transposed("INT8", 20, 3),
    **{f"FULLY_CONNECTED {dtype}": dense(dtype) for dtype in ("FLOAT32", "INT16")},
    **{f"BATCH_MATMUL {dtype}": product(dtype) for dtype in ALL},
    "BATCH_MATMUL INT8 turned": product("INT8", True, True),
    "BATCH_MATMUL INT8 left": product("INT8", True, False),
    **{f"SVDF {dtype}": svdf(dtype) for dtype in SMALL},
    **{f"LSTM {dtype}": lstm(dtype) for dtype in ALL},
    "LSTM INT8 time major": lstm("INT8", True),
    **_each(reduction, ("MEAN", "SUM"), ("FLOAT32", "INT16")),
    **_each(reduction, ("REDUCE_MAX", "REDUCE_MIN"), ("FLOAT32",)),
    **{
        f"{name} {dtype}": graph_of(name, [tensor(MAP, dtype)], [tensor((1, 4, 4, 4), dtype)], POOL)
        for name in ("MAX_POOL_2D", "AVERAGE_POOL_2D")
        for dtype in ("FLOAT32", "INT16")
    },
    "L2_POOL_2D FLOAT32": graph_of("L2_POOL_2D", [tensor(MAP, "FLOAT32")], [tensor((1, 4, 4, 4), "FLOAT32")], POOL),
    **{
        f"SOFTMAX {dtype}": graph_of("SOFTMAX", [tensor((1, 8), dtype)], [PROBABILITIES[dtype]], {"beta": 1.0})
        for dtype in ALL
    },
    "LOG_SOFTMAX INT8": graph_of("LOG_SOFTMAX", [tensor((1, 8))], [tensor((1, 8), scale=16 / 256, zero_point=127)], {}),
    "LOG_SOFTMAX FLOAT32": graph_of("LOG_SOFTMAX", [tensor((1, 8), "FLOAT32")], [tensor((1, 8), "FLOAT32")], {}),
    **_each(unary, ("L2_NORMALIZATION",), SMALL, {}),
    **_each(resize, ("RESIZE_BILINEAR",), SMALL),
    **_each(resize, ("RESIZE_NEAREST_NEIGHBOR",), ALL),
    **_each(blocks, ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), SMALL),
    **_each(split, ("SPLIT", "SPLIT_V"), ALL),
    **{
        f"UNPACK {dtype}": graph_of("UNPACK", [tensor((2, 6), dtype)], [tensor((6,), dtype)] * 2, {"num": 2, "axis": 0})
        for dtype in ALL
    },
    **{
        f"PACK {dtype}": graph_of(
            "PACK", [tensor((6,), dtype)] * 2, [tensor((2, 6), dtype)], {"values_count": 2, "axis": 0}
        )
        for dtype in ALL
    },
    **_each(unary, ("ABS",), ALL, {}),
    **_each(unary, ("NEG",), SMALL, {}),
    **_each(unary, ("RSQRT",), SMALL),
    **_each(unary, ("SQUARE", "SQRT", "EXP", "LOG", "SIN", "COS", "FLOOR", "CEIL", "ROUND"), ("FLOAT32",)),
    **_each(unary, ("RELU", "RELU6", "LEAKY_RELU"), ("FLOAT32", "INT16")),
    **_each(unary, ("HARD_SWISH", "ELU"), ("FLOAT32",)),
    "ELU INT8": unary("ELU", "INT8"),
    **{f"LOGISTIC {dtype}": unary("LOGISTIC", dtype, None, SIGNED[dtype]) for dtype in ("FLOAT32", "INT16")},
    **{
        f"TANH {dtype}": graph_of("TANH", [tensor(MAP, dtype, 2**-12)], [tensor(MAP, dtype, 2**-15)])
        for dtype in ("FLOAT32", "INT16")
    },
    **_each(pair, ("ADD", "SUB", "MUL"), ("FLOAT32", "INT16"), None, {}),
    **_each(pair, ("DIV",), SMALL, None, {}),
    **_each(pair, ("SQUARED_DIFFERENCE", "MAXIMUM", "MINIMUM"), ALL),
    **_each(pair, ("FLOOR_DIV", "FLOOR_MOD"), ("FLOAT32",)),
    **_each(pair, ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL"), SMALL, "BOOL"),
    **_each(pair, ("LOGICAL_AND", "LOGICAL_OR"), ("BOOL",)),
    "LOGICAL_NOT BOOL": unary("LOGICAL_NOT", "BOOL"),
    **{
        f"SELECT_V2 {dtype}": graph_of(
            "SELECT_V2", [tensor(MAP, "BOOL"), tensor(MAP, dtype), tensor(MAP, dtype)], [tensor(MAP, dtype)]
        )
        for dtype in ALL
    },
    **{
        f"{name} {dtype}": graph_of(name, [tensor((1, 8), dtype), integers(1, shape=())], [tensor((1,), "INT32")], {})
        for name in ("ARG_MAX", "ARG_MIN")
        for dtype in SMALL
    },
    **{
        f"CUMSUM {dtype}": graph_of(
            "CUMSUM", [tensor((1, 8), dtype), integers(1, shape=())], [tensor((1, 8), dtype)], {}
        )
        for dtype in SMALL
    },
    "CAST": graph_of("CAST", [tensor(MAP, "FLOAT32")], [tensor(MAP, "INT32")], {}),
    **{
        f"PAD {dtype}": graph_of(
            "PAD",
            [tensor((1, 6, 6, 4), dtype), integers(0, 0, 1, 1, 1, 1, 0, 0, shape=(4, 2))],
            [tensor(MAP, dtype)],
            {},
        )
        for dtype in ("FLOAT32", "INT16")
    },
    "MIRROR_PAD INT8": graph_of(
        "MIRROR_PAD", [tensor((1, 6, 6, 4)), integers(0, 0, 1, 1, 1, 1, 0, 0, shape=(4, 2))], [tensor(MAP)], {"mode": 0}
    ),
    "CONCATENATION FLOAT32": graph_of(
        "CONCATENATION", [tensor(MAP, "FLOAT32")] * 2, [tensor((1, 8, 8, 8), "FLOAT32")], {"axis": 3}
    ),
    **{
        f"TRANSPOSE {dtype}": graph_of(
            "TRANSPOSE", [tensor(MAP, dtype), integers(0, 2, 1, 3)], [tensor(MAP, dtype)], {}
        )
        for dtype in ("FLOAT32", "INT16")
    },
    "SLICE INT8": graph_of(
        "SLICE", [tensor(MAP), integers(0, 2, 2, 0), integers(1, 4, 4, 4)], [tensor((1, 4, 4, 4))], {}
    ),
    "GATHER INT8": graph_of("GATHER", [tensor((8, 4)), integers(1, 3)], [tensor((2, 4))], {"axis": 0}),
    "GATHER_ND INT8": graph_of("GATHER_ND", [tensor((8, 4)), integers(1, 3, shape=(2, 1))], [tensor((2, 4))], {}),
    "REVERSE_V2 INT8": graph_of("REVERSE_V2", [tensor(MAP), integers(1)], [tensor(MAP)], {}),
    "ZEROS_LIKE INT8": unary("ZEROS_LIKE", "INT8", {}),
    "BROADCAST_TO INT8": graph_of("BROADCAST_TO", [tensor((1, 1, 1, 4)), integers(*MAP)], [tensor(MAP)], {}),
    "FILL FLOAT32": graph_of("FILL", [integers(2, 3), Tensor("", (), "FLOAT32")], [tensor((2, 3), "FLOAT32")], {}),
    "SPACE_TO_DEPTH INT8": shuffled("SPACE_TO_DEPTH"),
    "DEPTH_TO_SPACE INT8": shuffled("DEPTH_TO_SPACE"),
    "Window": signal("Window", [PLAIN16[1], _table(480)], [PLAIN16[1]], shift=12),
    "FftAutoScale": signal("FftAutoScale", [PLAIN16[1]], [PLAIN16[1], Tensor("", (), "INT32")]),
    "Rfft INT16": signal("Rfft", [PLAIN16[1]], [PLAIN16[3]], T=7, fft_length=512),
    "Rfft INT32": signal("Rfft", [Tensor("", (60,), "INT32")], [Tensor("", (66,), "INT32")], T=2, fft_length=64),
    "Rfft FLOAT32": signal("Rfft", [Tensor("", (60,), "FLOAT32")], [Tensor("", (66,), "FLOAT32")], T=0, fft_length=64),
    "Irfft INT16": signal("Irfft", [PLAIN16[3]], [PLAIN16[2]], T=7, fft_length=512),
    "Irfft FLOAT32": signal(
        "Irfft", [Tensor("", (66,), "FLOAT32")], [Tensor("", (64,), "FLOAT32")], T=0, fft_length=64
    ),
    "Energy": signal("Energy", [PLAIN16[3]], [BINS], start_index=4, end_index=240),
    "FilterBank": signal(
        "FilterBank",
        [BINS, _table(460), _table(460), _table(41), _table(41), _table(41)],
        [Tensor("", (40,), "UINT64")],
        num_channels=40,
    ),
    "FilterBankSquareRoot": signal(
        "FilterBankSquareRoot", [Tensor("", (40,), "UINT64"), Tensor("", (), "INT32")], [CHANNELS]
    ),
    "FilterBankSpectralSubtraction": signal(
        "FilterBankSpectralSubtraction",
        [CHANNELS],
        [CHANNELS, CHANNELS],
        **dict.fromkeys(("alternate_one_minus_smoothing", "alternate_smoothing", "min_signal_remaining"), 0),
        **dict.fromkeys(("one_minus_smoothing", "smoothing", "smoothing_bits", "spectral_subtraction_bits"), 10),
        clamping=False,
        num_channels=40,
    ),
    "PCAN": signal("PCAN", [CHANNELS, CHANNELS, _table(125)], [CHANNELS], snr_shift=6),
    "FilterBankLog": signal(
        "FilterBankLog", [CHANNELS], [Tensor("", (40,), "INT16")], input_correction_bits=3, output_scale=1600
    ),
    "Framer": signal(
        "Framer",
        [Tensor("", (1, 320), "INT16")],
        [Tensor("", (1, 2, 400), "INT16"), Tensor("", (), "BOOL")],
        frame_size=400,
        frame_step=160,
        prefill=True,
    ),
    "Stacker": signal(
        "Stacker",
        [Tensor("", (10,), "INT16")],
        [Tensor("", (40,), "INT16"), Tensor("", (), "BOOL")],
        num_channels=10,
        stacker_left_context=2,
        stacker_right_context=1,
        stacker_step=2,
    ),
    "Delay": signal("Delay", [Tensor("", (2, 30), "INT16")], [Tensor("", (2, 30), "INT16")], delay_length=7),
    "OverlapAdd INT16": signal(
        "OverlapAdd", [Tensor("", (2, 30), "INT16")], [Tensor("", (20,), "INT16")], T=7, frame_step=10
    ),
    "OverlapAdd FLOAT32": signal(
        "OverlapAdd", [Tensor("", (2, 30), "FLOAT32")], [Tensor("", (20,), "FLOAT32")], T=0, frame_step=10
    ),
    "CIRCULAR_BUFFER": graph_of("CUSTOM:CIRCULAR_BUFFER", [tensor((1, 1, 1, 8))], [tensor((1, 5, 1, 8))]),
}
