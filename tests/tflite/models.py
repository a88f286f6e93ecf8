"""What the tests of the .tflite room share: the fixtures, what was measured of them, and small graphs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinynas.tflite import Graph, Operator, Tensor

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"
MEASURED: dict[str, dict[str, Any]] = {row["model"]: row for row in json.loads((ARENA / "measured.json").read_text())}
NAMES = sorted(MEASURED)


def fixture(name: str) -> bytes:
    """The bytes of a fixture."""
    return (ARENA / f"{name}.tflite").read_bytes()


def without_names(graph: Graph) -> Graph:
    """The graph as a canonical file holds it."""
    return replace(graph, tensors=tuple(replace(tensor, name="") for tensor in graph.tensors))


def activation(shape: tuple[int, ...], scale: float = 0.5, zero_point: int = 0, n_scales: int = 1) -> Tensor:
    """An int8 activation, quantised by `n_scales` equal scales."""
    return Tensor("", shape, "INT8", None, (scale,) * n_scales, (zero_point,) * n_scales)


def constant(shape: tuple[int, ...], seed: int = 0, n_scales: int = 1, axis: int = 0) -> Tensor:
    """An int8 constant of random values."""
    values = np.random.default_rng(seed).integers(1, 100, int(np.prod(shape))).astype(np.int8)
    scales = tuple(0.01 * (k + 1) for k in range(n_scales))
    return Tensor("", shape, "INT8", values.tobytes(), scales, (0,) * n_scales, axis if n_scales > 1 else 0)


def integers(*values: int, shape: tuple[int, ...] | None = None, n_scales: int = 0) -> Tensor:
    """An int32 constant: a bias, axes, a shape."""
    data = np.array(values, "<i4").tobytes()
    size = (len(values),) if shape is None else shape
    return Tensor("", size, "INT32", data, (0.25,) * n_scales, (0,) * n_scales)


CONV = {"padding": 0, "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}
POOL = {"padding": 1, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}


def one_operator(name: str, inputs: list[Tensor], result: Tensor, options: dict[str, Any] | None = None) -> Graph:
    """A graph of one operator; the inputs without data are the graph's inputs."""
    n_inputs = len(inputs)
    given = tuple(index for index, tensor in enumerate(inputs) if not tensor.is_constant)
    operator = Operator(name, 1, tuple(range(n_inputs)), (n_inputs,), options)
    return Graph((*inputs, result), (operator,), given, (n_inputs,))


def conv_graph(
    size: tuple[int, int] = (8, 8),
    channels: int = 3,
    filters: int = 4,
    kernel: tuple[int, int] = (3, 3),
    stride: int = 1,
    dilation: int = 1,
    padding: int = 0,
) -> Graph:
    """A graph of one CONV_2D with a bias, per-channel scales."""
    reach = [(k - 1) * dilation + 1 for k in kernel]
    out = [-(-(s if padding == 0 else s - r + 1) // stride) for s, r in zip(size, reach, strict=True)]
    weights = constant((filters, *kernel, channels), n_scales=filters)
    bias = integers(*range(1, filters + 1), n_scales=filters)
    options = {"padding": padding, "stride_w": stride, "stride_h": stride}
    options |= {"dilation_w_factor": dilation, "dilation_h_factor": dilation}
    return one_operator(
        "CONV_2D", [activation((1, *size, channels)), weights, bias], activation((1, *out, filters)), options
    )


def relu_net(graph_edges: list[list[int]], widths: list[int]) -> Graph:
    """A graph of ADD and RELU on vectors: node k reads the nodes in `graph_edges[k]` (one or two, all before k)."""
    tensors = [activation((1, width)) for width in widths]
    operators = tuple(
        Operator("RELU" if len(sources) == 1 else "ADD", 1, tuple(sources), (index,), None)
        for index, sources in enumerate(graph_edges)
        if sources
    )
    given = tuple(index for index, sources in enumerate(graph_edges) if not sources)
    return Graph(tuple(tensors), operators, given, (len(tensors) - 1,))


@st.composite
def nets(draw: st.DrawFn, most: int = 12) -> Graph:
    """Random graphs with branches, as the planner sees them: sizes and lifetimes of all kinds."""
    n_tensors = draw(st.integers(2, most))
    widths = draw(st.lists(st.integers(1, 200), min_size=n_tensors, max_size=n_tensors))
    edges = [draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=2)) for k in range(1, n_tensors)]
    return relu_net([[], *edges], widths)


def dense_net(n_inputs: int, n_outputs: int, last: str | None = None, shape: tuple[int, ...] | None = None) -> Graph:
    """A graph of one FULLY_CONNECTED and, if asked for, LOGISTIC, TANH or SOFTMAX, then a RESHAPE to `shape`."""
    weights = replace(constant((n_outputs, n_inputs)), scales=(0.02,), zero_points=(0,))
    bias = replace(integers(*range(n_outputs)), scales=(0.02 / 32,), zero_points=(0,))
    tensors = [activation((1, n_inputs), 1 / 32), weights, bias, activation((1, n_outputs), 0.125, 3)]
    operators = [Operator("FULLY_CONNECTED", 1, (0, 1, 2), (3,), {"keep_num_dims": False})]
    if last is not None:
        tensors.append(activation((1, n_outputs), *((1 / 128, 0) if last == "TANH" else (1 / 256, -128))))
        options = {"beta": 1.0} if last == "SOFTMAX" else None
        operators.append(Operator(last, 1, (3,), (4,), options))
    if shape is not None:
        before = len(tensors) - 1
        tensors += [integers(*shape), replace(tensors[before], shape=shape)]
        operators.append(Operator("RESHAPE", 1, (before, before + 1), (before + 2,), None))
    return Graph(tuple(tensors), tuple(operators), (0,), (len(tensors) - 1,))


def with_ends(graph: Graph, given: str, found: str) -> Graph:
    """The int8 `graph` with an input of type `given` and an output of type `found`, by QUANTIZE and DEQUANTIZE."""
    tensors, operators = list(graph.tensors), list(graph.operators)
    (first,), (last,) = graph.inputs, graph.outputs
    if given != "INT8":
        tensors.append(_as(graph.tensors[first], given))
        operators.insert(0, Operator("QUANTIZE", 2, (len(tensors) - 1,), (first,), None))
        first = len(tensors) - 1
    if found != "INT8":
        tensors.append(_as(graph.tensors[last], found))
        name = "DEQUANTIZE" if found == "FLOAT32" else "QUANTIZE"
        operators.append(Operator(name, 2, (last,), (len(tensors) - 1,), None))
        last = len(tensors) - 1
    return replace(graph, tensors=tuple(tensors), operators=tuple(operators), inputs=(first,), outputs=(last,))


def _as(tensor: Tensor, dtype: str) -> Tensor:
    """The int8 `tensor` as another type: uint8 with the zero point 128 higher, or float without any."""
    if dtype == "FLOAT32":
        return replace(tensor, dtype=dtype, scales=(), zero_points=())
    return replace(tensor, dtype=dtype, zero_points=(tensor.zero_points[0] + 128,))


def several_net(names: tuple[str, str, str, str] = ("left", "right", "sum", "score")) -> Graph:
    """A graph of two int8 inputs (1, 4), an output that is their sum, and one of a dense layer and LOGISTIC on it."""
    left, right, total, score = names
    dense = dense_net(4, 1, "LOGISTIC")
    ends = [
        activation((1, 4), 1 / 32),
        replace(activation((1, 4), 1 / 16, 5), name=right),
        activation((1, 4), 0.125, 2),
    ]
    tensors = [replace(ends[0], name=left), ends[1], replace(ends[2], name=total), *dense.tensors[1:]]
    tensors[-1] = replace(tensors[-1], name=score)
    moved = [
        replace(each, inputs=tuple(i + 2 for i in each.inputs), outputs=tuple(i + 2 for i in each.outputs))
        for each in dense.operators
    ]
    add = Operator("ADD", 1, (0, 1), (2,), {"fused_activation_function": 0, "pot_scale_int16": True})
    return Graph(tuple(tensors), (add, *moved), (0, 1), (2, len(tensors) - 1))
