"""Instructions, against counts of an emulated Cortex-M4, against a walk through the loops, and against the tool."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.hardware import KERNEL_LIBRARIES
from tinynas.tflite import loop_costs
from tinynas.tflite.graph import Graph, Operator, Tensor
from tinynas.tflite.instructions import instructions, loop_counts
from tinynas.tflite.loop_costs import COSTS
from tinynas.tflite.loops import LOOPS
from tinynas.tflite.read import read
from tinynas.tflite.window import axis_taps, nhwc

ROOT = Path(__file__).parents[2]
ARENA = ROOT / "tests" / "fixtures" / "arena"


@pytest.fixture(scope="module")
def nets():
    measured = json.loads((ARENA / "measured.json").read_text())
    return [(read((ARENA / f"{net['model']}.tflite").read_bytes()), net) for net in measured]


@pytest.fixture(scope="module")
def tool():
    sys.path.insert(0, str(ROOT / "tools"))
    import fit_instructions

    yield fit_instructions
    sys.path.remove(str(ROOT / "tools"))


def graph_of(name, source, result, weights=(), dtype="INT8", **options) -> Graph:
    """A graph of one operator; the second input is the weights."""
    tensors = (Tensor("x", source, dtype), Tensor("w", weights, "INT8", b""), Tensor("y", result, dtype))
    values = {"padding": 1, "stride_h": 1, "stride_w": 1, "filter_height": 1, "filter_width": 1, **options}
    return Graph(tensors, (Operator(name, 1, (0, 1), (2,), values),), (0,), (2,))


def count(graph: Graph, kernels="cmsis_nn") -> int:
    return sum(instructions(graph, operator, kernels) for operator in graph.operators)


@pytest.mark.parametrize(("kernels", "build"), [("cmsis_nn", "m4_cmsis_nn"), ("reference", "m4_reference")])
def test_whole_nets_match_the_emulated_core(nets, kernels, build):
    errors = [abs(count(graph, kernels) / net[build]["instructions"] - 1) for graph, net in nets]
    assert np.median(errors) < 0.005
    assert np.percentile(errors, 90) < 0.015
    assert max(errors) < 0.06


def test_nets_that_the_fit_has_not_seen_match_too(tool, nets):
    """The bar: 5 % median, 15 % at the ninetieth percentile; on either half, fitted on the other."""
    halves = nets[::2], nets[1::2]
    for train, test in (halves, halves[::-1]):
        with_dsp = tool.fit_with_dsp(train)
        for kernels, costs in (("cmsis_nn", with_dsp), ("reference", tool.fit_reference(train, with_dsp))):
            errors = np.abs(tool.net_errors(test, kernels, costs))
            assert np.median(errors) < 0.05
            assert np.percentile(errors, 90) < 0.15


def test_the_costs_in_the_code_are_those_that_the_tool_fits(tool):
    for kernels, costs in tool.fit_all().items():
        assert set(costs) <= set(COSTS[kernels])
        for kernel, cost in costs.items():
            assert COSTS[kernels][kernel] == pytest.approx(cost, rel=0.01, abs=0.01), kernel
    for name, costs in tool.fit_more(tool.fit_with_dsp(tool.nets())).items():
        assert getattr(loop_costs, name) == {
            kernel: pytest.approx(c, rel=0.01, abs=0.01) for kernel, c in costs.items()
        }


def test_every_operator_of_the_fixtures_has_a_count_for_every_library(nets):
    for graph, net in nets:
        assert [operator.name for operator in graph.operators] == net["ops"]
        for kernels in KERNEL_LIBRARIES:
            assert all(instructions(graph, operator, kernels) > 0 for operator in graph.operators)


def test_loops_and_costs_have_the_same_order_and_length(nets):
    seen = set()
    for graph, _ in nets:
        for operator in graph.operators:
            for kernels in KERNEL_LIBRARIES:
                kernel, counts = loop_counts(graph, operator, kernels)
                assert len(counts) == len(COSTS[kernels][kernel])
                if kernel in LOOPS:
                    seen.add(kernel)
                    assert len(counts) == len(LOOPS[kernel])
    assert seen >= {"conv", "conv 1x1", "depthwise 3x3", "depthwise columns", "fully connected", "max pool"}


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_taps_inside_the_map_by_walking_through_them(size, kernel, stride, dilation, same):
    span = (kernel - 1) * dilation + 1
    out = -(-size // stride) if same else (size - span) // stride + 1
    if out < 1:
        return
    pad = max((out - 1) * stride + span - size, 0) // 2 if same else 0
    inside = sum(0 <= x * stride - pad + k * dilation < size for x in range(out) for k in range(kernel))
    assert axis_taps(size, out, kernel, stride, dilation, same) == (pad, inside)


@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 5]),
    st.integers(1, 3),
)  # fmt: skip
def test_macs_of_a_convolution_are_all_among_its_loops(height, width, channels, filters, kernel, stride):
    result = (1, -(-height // stride), -(-width // stride), filters)
    graph = graph_of(
        "CONV_2D", (1, height, width, channels), result, (filters, kernel, kernel, channels),
        padding=0, stride_h=stride, stride_w=stride,
    )  # fmt: skip
    name, counts = loop_counts(graph, graph.operators[0], "cmsis_nn")
    loops = dict(zip(LOOPS[name], counts, strict=True))
    macs = result[1] * result[2] * filters * kernel * kernel * channels
    if name == "conv":
        steps = {"row pair 4": 16, "row pair 1": 4, "odd row 4": 8, "odd row 1": 2, "odd pixel 4": 4, "odd pixel 1": 1}
    else:
        steps = {
            "pair 16": 64, "pair 4": 16, "pair 1": 4, "odd pixel 16": 32, "odd pixel 4": 8, "odd pixel 1": 2,
            "odd row 1": 1,
        }  # fmt: skip
    assert sum(loops[loop] * each for loop, each in steps.items()) == macs


@given(st.sampled_from(KERNEL_LIBRARIES), st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3, 5]))
def test_more_filters_are_never_fewer_instructions(kernels, channels, filters, kernel):
    def of(n):
        weights = (n, kernel, kernel, channels)
        return count(graph_of("CONV_2D", (1, 8, 8, channels), (1, 8, 8, n), weights, padding=0), kernels)

    # Two rows share their loads, so an even number can cost less than the odd one before it.
    assert of(filters + 2) > of(filters)


def test_published_series_net_has_about_two_instructions_a_mac():
    """784 x 1 with four convolutions: what latency's test takes for the published net."""
    total = macs = 0
    length, channels = 784, 1
    for filters, kernel in ((32, 7), (32, 7), (64, 5), (64, 5)):
        weights = (filters, 1, kernel, channels)
        total += count(graph_of("CONV_2D", (1, 1, length, channels), (1, 1, length, filters), weights, padding=0))
        macs += length * filters * kernel * channels
        length, channels = length // 2, filters
    assert 2.0 < total / macs < 2.3


@pytest.mark.parametrize(
    ("channels", "of_a_group", "alone"), [(8, 8, 129_160), (8, 4, 130_080), (16, 16, 344_480), (16, 4, 259_840)]
)
def test_groups_are_counted_one_by_one(channels, of_a_group, alone):
    """CMSIS-NN's function alone, on an emulated Cortex-M4: groups of few channels save little, or nothing."""
    graph = graph_of("CONV_2D", (1, 8, 8, channels), (1, 8, 8, channels), (channels, 3, 3, of_a_group), padding=0)
    assert count(graph) == pytest.approx(alone + 200, rel=0.01)


def test_libraries_rank_as_they_must():
    graph = graph_of("CONV_2D", (1, 16, 16, 16), (1, 16, 16, 16), (16, 3, 3, 16), padding=0)
    with_dsp, without, reference = (count(graph, kernels) for kernels in KERNEL_LIBRARIES)
    assert with_dsp < without < reference


def test_a_global_average_as_a_pool_is_cheaper_than_as_a_mean():
    pool = graph_of("AVERAGE_POOL_2D", (1, 8, 8, 32), (1, 1, 1, 32), filter_height=8, filter_width=8, stride_h=8)
    mean = graph_of("MEAN", (1, 8, 8, 32), (1, 32))
    assert count(pool) * 10 < count(mean)


@pytest.mark.parametrize("name", ["TANH", "SUM", "REDUCE_MIN", "MINIMUM", "SQUEEZE", "PADV2", "SUB", "MUL", "MAXIMUM"])
def test_operators_that_no_fixture_holds_have_a_count(name):
    assert count(graph_of(name, (1, 4, 4, 8), (1, 4, 4, 8))) > 100


def test_broadcasts_cost_more():
    alike = graph_of("ADD", (1, 4, 4, 8), (1, 4, 4, 8), (1, 4, 4, 8))
    broadcast = graph_of("ADD", (1, 4, 4, 8), (1, 4, 4, 8), (1, 1, 1, 8))
    assert count(broadcast) > count(alike)


def test_what_is_not_known_is_an_error():
    with pytest.raises(UnsupportedOperatorError, match=r"operator SVDF: how long it takes under TFLM is not known"):
        count(graph_of("SVDF", (1, 8), (1, 8)))
    with pytest.raises(UnsupportedOperatorError, match=r"operator CONV_2D on FLOAT32: instructions are known for INT8"):
        count(graph_of("CONV_2D", (1, 8, 8, 1), (1, 8, 8, 1), (1, 3, 3, 1), dtype="FLOAT32"))
    with pytest.raises(UnsupportedOperatorError, match=r"are not known for esp_nn kernels \(libraries: cmsis_nn"):
        count(graph_of("SOFTMAX", (1, 8), (1, 8)), "esp_nn")
    with pytest.raises(ModelError, match=r"MAX_POOL_2D has None as its option 'stride_h'"):
        count(graph_of("MAX_POOL_2D", (1, 8, 8, 1), (1, 4, 4, 1), stride_h=None))
    with pytest.raises(ModelError, match=r"CONV_2D has weights of shape \(3, 3\); 4 axes were wanted"):
        count(graph_of("CONV_2D", (1, 8, 8, 1), (1, 8, 8, 1), (3, 3)))


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((), (1, 1, 1, 1)), ((7,), (1, 1, 1, 7)), ((2, 3, 4, 5), (2, 3, 4, 5)), ((2, 2, 3, 4, 5), (4, 3, 4, 5))],
)
def test_shapes_with_ones_in_front(shape, wanted):
    assert nhwc(shape) == wanted


HOW = {
    "o2": {},
    "os": {"for_size": True},
    "cortex_m3": {"kernels": "cmsis_nn_no_dsp"},
    "cortex_m0plus": {"kernels": "cmsis_nn_no_dsp", "core": "Cortex-M0+"},
}


@pytest.mark.parametrize("column", HOW)
def test_small_and_odd_layers_match_cmsis_nns_own_functions(tool, column):
    """Channels of 1 to 12, odd windows, tiny dense layers, padded channels: counted alone on an emulated Cortex-M."""
    errors = []
    for layer in tool.odd_layers():
        whole = tool.whole_call(layer, column)
        if whole is not None:
            graph = tool.shape_graph(layer)
            errors.append(abs(instructions(graph, graph.operators[0], **HOW[column]) / whole - 1))
    assert len(errors) >= 160
    assert np.median(errors) < 0.015
    assert np.percentile(errors, 90) < 0.05


@pytest.mark.parametrize("column", ["cortex_m3", "cortex_m0plus"])
def test_whole_nets_without_dsp_match_cmsis_nns_own_functions(tool, nets, column):
    errors = []
    for graph, net in nets:
        counted = json.loads((ARENA / "scalar.json").read_text())[net["model"]][column]
        pairs = [
            (instructions(graph, operator, **HOW[column]), alone + tool.call(loop_counts(graph, operator)[0], column))
            for operator, alone in zip(graph.operators, counted, strict=True)
            if alone is not None
        ]
        errors += [abs(sum(told for told, _ in pairs) / sum(whole for _, whole in pairs) - 1)] if pairs else []
    assert len(errors) > 70
    assert np.median(errors) < 0.005
    assert np.percentile(errors, 90) < 0.02


def test_an_m0plus_takes_more_instructions_by_what_it_lacks():
    """28.9 million of its instructions for keyword spotting, 10.5 of an M3's: 3x3 depthwise suffers most."""
    depthwise = graph_of("DEPTHWISE_CONV_2D", (1, 16, 16, 32), (1, 16, 16, 32), (1, 3, 3, 32), padding=0)
    dense = graph_of("FULLY_CONNECTED", (1, 128), (1, 128), (128, 128))
    for graph, least, most in ((depthwise, 3.5, 4.2), (dense, 1.6, 2.4)):
        (operator,) = graph.operators
        ratio = instructions(graph, operator, **HOW["cortex_m0plus"]) / instructions(
            graph, operator, **HOW["cortex_m3"]
        )
        assert least < ratio < most
    other = instructions(dense, dense.operators[0], "reference", core="Cortex-M0+")
    assert other == pytest.approx(2.2 * instructions(dense, dense.operators[0], "reference"), rel=1e-3)


def test_uint8_to_int8_is_one_bit_where_the_scales_are_equal():
    def graph(zero_point, scale=0.5):
        tensors = (
            Tensor("x", (1, 1000), "UINT8", None, (0.5,), (128,)),
            Tensor("y", (1, 1000), "INT8", None, (scale,), (zero_point,)),
        )
        return Graph(tensors, (Operator("QUANTIZE", 1, (0,), (1,), {}),), (0,), (1,))

    assert 5_000 <= count(graph(0)) <= 5_500
    assert count(graph(1)) == count(graph(0, 0.25)) > 40_000


def test_padded_channels_are_copied_pixel_by_pixel():
    """9,884 instructions for the function alone, where lines would be 1,500."""
    assert count(graph_of("PAD", (1, 10, 10, 2), (1, 10, 10, 8))) == pytest.approx(9_884 + 390, rel=0.05)
    assert count(graph_of("PAD", (1, 8, 8, 16), (1, 10, 10, 16))) == pytest.approx(1_808 + 390, rel=0.05)


def test_size_costs_more_than_speed_for_every_kernel_that_was_counted(nets):
    for graph, _ in nets:
        pairs = [(instructions(graph, o), instructions(graph, o, for_size=True)) for o in graph.operators]
        assert sum(small for _, small in pairs) > 0.9 * sum(fast for fast, _ in pairs)
    graph = graph_of("CONV_2D", (1, 8, 8, 8), (1, 8, 8, 8), (8, 3, 3, 8), padding=0)
    assert 1.2 < instructions(graph, graph.operators[0], for_size=True) / instructions(graph, graph.operators[0]) < 1.5
    one = instructions(graph, graph.operators[0], "reference", for_size=True)
    assert one == pytest.approx(1.25 * instructions(graph, graph.operators[0], "reference"), rel=1e-3)
