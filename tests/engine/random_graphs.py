"""Graphs of one operator (and what it needs to have two operands), as different as a file may hold them."""

from collections.abc import Callable

import numpy as np

from tinynas.tflite import Graph, Operator, Tensor

Rng = np.random.Generator


def _float32(value: float) -> float:
    return float(np.float32(value))


def _scale(rng: Rng, low: float = 0.003, high: float = 0.3) -> float:
    """A scale, every third one a power of two or its neighbour: there the multipliers are at their ends."""
    value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if rng.random() < 0.33:
        exact = np.float32(2.0 ** round(np.log2(value)))
        value = float(np.nextafter(exact, np.float32(rng.choice([0, 1]) * 2))) if rng.random() < 0.5 else float(exact)
    return _float32(value)


def _zero(rng: Rng) -> int:
    return int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))


def _activation(rng: Rng, shape: tuple[int, ...], scale: float | None = None, zero: int | None = None) -> Tensor:
    return Tensor(
        "", shape, "INT8", None, (_scale(rng) if scale is None else scale,), (_zero(rng) if zero is None else zero,)
    )


def _weights(rng: Rng, shape: tuple[int, ...], axis: int, per_channel: bool) -> Tensor:
    values = rng.integers(-127, 128, shape).astype(np.int8)
    if rng.random() < 0.2:
        values[(*(slice(None),) * axis, 0)] = 0
    scales = tuple(_scale(rng, 0.0005, 0.1) for _ in range(shape[axis] if per_channel else 1))
    return Tensor("", shape, "INT8", values.tobytes(), scales, (0,) * len(scales), axis if per_channel else 0)


def _bias(rng: Rng, given: Tensor, weights: Tensor, channels: int) -> Tensor:
    scales = tuple(_float32(np.float32(given.scales[0]) * np.float32(scale)) for scale in weights.scales)
    reach = int(rng.choice([1, 9_000, 2_000_000, 90_000_000]))
    values = rng.integers(-reach, reach + 1, channels).astype("<i4")
    return Tensor("", (channels,), "INT32", values.tobytes(), scales, (0,) * len(scales))


def _ints(values: object) -> Tensor:
    array = np.array(values, "<i4")
    return Tensor("", array.shape, "INT32", array.tobytes())


def _graph(name: str, tensors: list[Tensor], options: dict[str, object] | None) -> Graph:
    inputs = tuple(range(len(tensors) - 1))
    operator = Operator(name, 3, inputs, (len(tensors) - 1,), options)
    return Graph(tuple(tensors), (operator,), (0,), (len(tensors) - 1,))


def _window(rng: Rng, dilated: bool) -> tuple[dict[str, int], tuple[int, ...], tuple[int, int], tuple[int, int]]:
    """(options, (height, width), kernel, (out height, out width)) that follow from one another."""
    height, width = (int(size) for size in rng.integers(1, 10, 2))
    kernel = tuple(int(size) for size in rng.integers(1, 5, 2))
    stride = tuple(int(size) for size in rng.integers(1, 4, 2))
    dilation = (1, 1)
    if dilated and rng.random() < 0.25:
        dilation, stride = tuple(int(size) for size in rng.integers(1, 3, 2)), (1, 1)
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    padding = int(rng.integers(0, 2))
    if reach[0] > height or reach[1] > width:
        padding = 0
    rooms = (height, width) if padding == 0 else (height - reach[0] + 1, width - reach[1] + 1)
    out = tuple(-(-room // step) for room, step in zip(rooms, stride, strict=True))
    options = {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "fused_activation_function": int(rng.choice([0, 1, 2, 3])),
    }
    if dilated:
        options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    return options, (height, width), kernel, out  # type: ignore[return-value]


def _made_scale(rng: Rng, given: Tensor, weights: Tensor, taps: int) -> float:
    """An output scale around that of the sums, at times so small that the factor is above 1."""
    least = 0.0005 if rng.random() < 0.1 else 0.2
    spread = float(np.exp(rng.uniform(np.log(least), np.log(3))))
    return _float32(spread * given.scales[0] * max(weights.scales) * np.sqrt(taps) * 30)


def conv(rng: Rng) -> Graph:
    options, size, kernel, out = _window(rng, True)
    groups = int(rng.integers(1, 4)) if rng.random() < 0.2 else 1
    per_in, channels = int(rng.integers(1, 10)), groups * int(rng.integers(1, 10 // groups + 1))
    given = _activation(rng, (1, *size, per_in * groups))
    weights = _weights(rng, (channels, *kernel, per_in), 0, rng.random() < 0.8)
    made = _activation(rng, (1, *out, channels), _made_scale(rng, given, weights, per_in * kernel[0] * kernel[1]))
    bias = [] if rng.random() < 0.15 else [_bias(rng, given, weights, channels)]
    return _graph("CONV_2D", [given, weights, *bias, made], options)


def depthwise(rng: Rng) -> Graph:
    options, size, kernel, out = _window(rng, True)
    channels, multiplier = int(rng.integers(1, 10)), int(rng.choice([1, 1, 2, 3]))
    given = _activation(rng, (1, *size, channels))
    weights = _weights(rng, (1, *kernel, channels * multiplier), 3, rng.random() < 0.8)
    made = _activation(rng, (1, *out, channels * multiplier), _made_scale(rng, given, weights, kernel[0] * kernel[1]))
    tensors = [given, weights, _bias(rng, given, weights, channels * multiplier), made]
    return _graph("DEPTHWISE_CONV_2D", tensors, {**options, "depth_multiplier": multiplier})


def dense(rng: Rng) -> Graph:
    rows, length, channels = int(rng.choice([1, 1, 3])), int(rng.integers(1, 41)), int(rng.integers(1, 13))
    given = _activation(rng, (1, rows, length) if rows > 1 else (1, length))
    weights = _weights(rng, (channels, length), 0, rng.random() < 0.5)
    made = _activation(rng, (*given.shape[:-1], channels), _made_scale(rng, given, weights, length))
    options = {
        "fused_activation_function": int(rng.choice([0, 1, 2, 3])),
        "weights_format": 0,
        "keep_num_dims": rows > 1,
        "asymmetric_quantize_inputs": False,
    }
    bias = [] if rng.random() < 0.3 else [_bias(rng, given, weights, channels)]
    graph = _graph("FULLY_CONNECTED", [given, weights, *bias, made], options)
    if bias:
        return graph
    operator = Operator("FULLY_CONNECTED", 3, (0, 1, -1), (2,), options)
    return Graph(graph.tensors, (operator,), (0,), (2,))


def pool(rng: Rng) -> Graph:
    options, size, kernel, out = _window(rng, False)
    given = _activation(rng, (1, *size, int(rng.integers(1, 10))))
    made = _activation(rng, (1, *out, given.shape[3]), given.scales[0], given.zero_points[0])
    name = str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    return _graph(name, [given, made], {**options, "filter_height": kernel[0], "filter_width": kernel[1]})


def _sides(rng: Rng) -> tuple[int, ...]:
    return (1, *(int(size) for size in rng.integers(1, 7, 3)))


def pair(rng: Rng) -> Graph:
    """Two operands: the input, and its copy in another scale or a constant, of its shape or broadcast."""
    name = str(rng.choice(["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"]))
    shape = _sides(rng)
    given = _activation(rng, shape)
    same = name in ("MAXIMUM", "MINIMUM")
    scale, zero = (given.scales[0], given.zero_points[0]) if same else (_scale(rng), _zero(rng))
    grain = max(scale, given.scales[0]) if name in ("ADD", "SUB") else scale * given.scales[0] * 30
    made_scale = _float32(grain * float(rng.uniform(0.3, 4)))
    made = _activation(rng, shape, *((scale, zero) if same else (made_scale, None)))
    options = (
        None if name in ("MAXIMUM", "MINIMUM", "PRELU") else {"fused_activation_function": int(rng.integers(0, 4))}
    )
    if name != "PRELU" and rng.random() < 0.5:
        other = _activation(rng, shape, scale, zero)
        copy = Operator("QUANTIZE", 1, (0,), (1,), None)
        inputs = (0, 1) if rng.random() < 0.5 else (1, 0)
        return Graph((given, other, made), (copy, Operator(name, 1, inputs, (2,), options)), (0,), (2,))
    sides = shape if rng.random() < 0.4 else (1, 1, 1, shape[3]) if rng.random() < 0.7 else (1, shape[1], 1, 1)
    if name == "PRELU":
        sides = (1, 1, shape[3])
    values = rng.integers(-128, 128, sides).astype(np.int8)
    other = Tensor("", sides, "INT8", values.tobytes(), (scale,), (zero,))
    return _graph(name, [given, other, made], options)


def unary(rng: Rng) -> Graph:
    name = str(rng.choice(["QUANTIZE", "RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH"]))
    given = _activation(rng, _sides(rng))
    scale, zero = _float32(given.scales[0] * rng.uniform(0.2, 4)), _zero(rng)
    scale, zero = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(name, (scale, zero))
    if name == "RELU6":
        scale, zero = given.scales[0], given.zero_points[0]
    options = {"alpha": _float32(rng.uniform(-0.5, 1.5))} if name == "LEAKY_RELU" else None
    return _graph(name, [given, _activation(rng, given.shape, scale, zero)], options)


def softmax(rng: Rng) -> Graph:
    shape = (
        (1, int(rng.integers(1, 40))) if rng.random() < 0.7 else (1, int(rng.integers(1, 5)), int(rng.integers(1, 9)))
    )
    beta = 1.0 if rng.random() < 0.8 else _float32(rng.uniform(0.1, 3))
    return _graph("SOFTMAX", [_activation(rng, shape), _activation(rng, shape, 1 / 256, -128)], {"beta": beta})


def reduction(rng: Rng) -> Graph:
    name = str(rng.choice(["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"]))
    shape = _sides(rng)
    given = _activation(rng, shape)
    axes = [(1, 2), (1,), (2,), (3,), (1, 2, 3), (2, 3)][int(rng.integers(0, 6))]
    made = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    scale = _float32(given.scales[0] * rng.uniform(0.5, 3) * (30 if name == "SUM" else 1))
    zero = _zero(rng)
    if name.startswith("REDUCE"):
        scale, zero = given.scales[0], given.zero_points[0]
    return _graph(name, [given, _ints(axes), _activation(rng, made, scale, zero)], {"keep_dims": True})


def move(rng: Rng) -> Graph:
    name = str(rng.choice(["PAD", "PADV2", "TRANSPOSE", "STRIDED_SLICE", "CONCATENATION"]))
    given = _activation(rng, _sides(rng))
    scale, zero, shape = given.scales[0], given.zero_points[0], given.shape
    if name in ("PAD", "PADV2"):
        amounts = [(0, 0), *((int(a), int(b)) for a, b in rng.integers(0, 4, (3, 2)))]
        made = tuple(size + sum(each) for size, each in zip(shape, amounts, strict=True))
        fill = Tensor("", (1,), "INT8", bytes([int(rng.integers(0, 256))]), (scale,), (zero,))
        tensors = [given, _ints(amounts), *([fill] if name == "PADV2" else []), _activation(rng, made, scale, zero)]
        return _graph(name, tensors, None)
    if name == "TRANSPOSE":
        order = [0, *(1 + rng.permutation(3))]
        made = tuple(shape[axis] for axis in order)
        return _graph(name, [given, _ints(order), _activation(rng, made, scale, zero)], None)
    if name == "STRIDED_SLICE":
        begin = [0, *(int(rng.integers(0, size)) for size in shape[1:])]
        end = [1, *(int(rng.integers(first + 1, size + 1)) for first, size in zip(begin[1:], shape[1:], strict=True))]
        step = [1, *(int(each) for each in rng.integers(1, 3, 3))]
        made = tuple(-(-(b - a) // s) for a, b, s in zip(begin, end, step, strict=True))
        masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
        tensors = [given, _ints(begin), _ints(end), _ints(step), _activation(rng, made, scale, zero)]
        return _graph(name, tensors, masks)
    axis = int(rng.integers(1, 4))
    other = _activation(rng, shape, scale, zero)
    third = Tensor("", shape, "INT8", None, (scale,), (zero,))
    made = tuple(size * (3 if k == axis else 1) for k, size in enumerate(shape))
    result = _activation(rng, made, scale, zero)
    copies = (Operator("RELU", 1, (0,), (1,), None), Operator("LEAKY_RELU", 1, (0,), (2,), {"alpha": 0.5}))
    joined = Operator(name, 1, (0, 1, 2), (3,), {"axis": axis, "fused_activation_function": 0})
    return Graph((given, other, third, result), (*copies, joined), (0,), (3,))


KINDS: tuple[Callable[[Rng], Graph], ...] = (conv, depthwise, dense, pool, pair, unary, softmax, reduction, move, conv)


def random_graph(number: int) -> Graph:
    """The graph of this number: its kind goes round, the rest is drawn."""
    return KINDS[number % len(KINDS)](np.random.default_rng(number))


class _Builder:
    """A net that grows: tensors and operators, and which maps are there to go on from."""

    def __init__(self, rng: Rng) -> None:
        self.rng, self.tensors, self.operators = rng, [], []  # type: ignore[var-annotated]
        self.maps: list[int] = []

    def add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def grow(self, name: str, inputs: list[int], made: Tensor, options: dict[str, object] | None) -> int:
        output = self.add(made)
        self.operators.append(Operator(name, 3, tuple(inputs), (output,), options))
        self.maps.append(output)
        return output

    def map_like(self, shape: tuple[int, ...]) -> list[int]:
        """The maps of this shape."""
        return [number for number in self.maps if self.tensors[number].shape == shape]

    def pick(self) -> int:
        """A map, of the last ones more often."""
        return self.maps[-1 - min(int(self.rng.exponential(1.0)), len(self.maps) - 1)]


def _windowed(net: _Builder) -> None:
    rng, source = net.rng, net.pick()
    given = net.tensors[source]
    _, height, width, channels = given.shape
    kernel = int(rng.choice([1, 3, 3, 5]))
    stride = int(rng.choice([1, 1, 2]))
    out = (-(-height // stride), -(-width // stride))
    options = {
        "padding": 0,
        "stride_h": stride,
        "stride_w": stride,
        "fused_activation_function": int(rng.integers(0, 2)),
    }
    kind = str(rng.choice(["CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D"], p=[0.5, 0.25, 0.15, 0.1]))
    if kind.endswith("POOL_2D"):
        made = _activation(rng, (1, *out, channels), given.scales[0], given.zero_points[0])
        net.grow(kind, [source], made, {**options, "filter_height": kernel, "filter_width": kernel})
        return
    options |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
    is_conv = kind == "CONV_2D"
    filters = int(rng.integers(1, 13)) if is_conv else channels
    shape = (filters, kernel, kernel, channels) if is_conv else (1, kernel, kernel, channels)
    weights = _weights(rng, shape, 0 if is_conv else 3, True)
    bias = _bias(rng, given, weights, filters)
    made = _activation(rng, (1, *out, filters), _made_scale(rng, given, weights, kernel * kernel))
    extra = {} if is_conv else {"depth_multiplier": 1}
    net.grow(kind, [source, net.add(weights), net.add(bias)], made, {**options, **extra})


def _joined(net: _Builder) -> None:
    """ADD or CONCATENATION of maps of one shape, rescaled where the operator wants one scale."""
    rng, first = net.rng, net.pick()
    given = net.tensors[first]
    others = [number for number in net.map_like(given.shape) if number != first]
    second = int(rng.choice(others)) if others else first
    if rng.random() < 0.6:
        grain = max(given.scales[0], net.tensors[second].scales[0])
        made = _activation(rng, given.shape, _float32(grain * float(rng.uniform(0.5, 3))))
        net.grow("ADD", [first, second], made, {"fused_activation_function": int(rng.integers(0, 2))})
        return
    scale, zero = given.scales[0], given.zero_points[0]
    like = net.grow("QUANTIZE", [second], _activation(rng, given.shape, scale, zero), None)
    axis = int(rng.integers(1, 4))
    shape = tuple(size * (2 if k == axis else 1) for k, size in enumerate(given.shape))
    made = _activation(rng, shape, scale, zero)
    net.grow("CONCATENATION", [first, like], made, {"axis": axis, "fused_activation_function": 0})


def _shaken(net: _Builder) -> None:
    """A table, or a padding."""
    rng, source = net.rng, net.pick()
    given = net.tensors[source]
    if rng.random() < 0.7:
        net.grow("LEAKY_RELU", [source], _activation(rng, given.shape), {"alpha": 0.25})
        return
    amounts = [(0, 0), (1, 1), (1, 0), (0, 0)]
    shape = tuple(size + sum(each) for size, each in zip(given.shape, amounts, strict=True))
    made = _activation(rng, shape, given.scales[0], given.zero_points[0])
    net.grow("PAD", [source, net.add(_ints(amounts))], made, None)


def random_net(number: int) -> Graph:
    """A net of up to a dozen operators with branches, from one input to one output."""
    rng = np.random.default_rng(100_000 + number)
    net = _Builder(rng)
    sides = (
        (1, int(rng.integers(1, 13)), int(rng.integers(1, 13)))
        if rng.random() < 0.8
        else (1, 1, int(rng.integers(4, 40)))
    )
    net.maps.append(net.add(_activation(rng, (*sides, int(rng.integers(1, 7))))))
    for _ in range(int(rng.integers(2, 13))):
        _GROWTH[int(rng.choice(len(_GROWTH), p=[0.6, 0.25, 0.15]))](net)
    last = net.maps[-1]
    if rng.random() < 0.5:
        shape = net.tensors[last].shape
        made = _activation(rng, (1, 1, 1, shape[3]))
        last = net.grow("MEAN", [last, net.add(_ints((1, 2)))], made, {"keep_dims": True})
    return Graph(tuple(net.tensors), tuple(net.operators), (0,), (last,))


_GROWTH = (_windowed, _joined, _shaken)
