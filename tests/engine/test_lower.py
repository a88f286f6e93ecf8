"""From a file to layers: every operator that analyze knows, and what is refused in one sentence."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tflite.models import activation, constant, fixture, integers, one_operator
from tinynas.engine import build
from tinynas.engine.lower import OPERATORS, lower
from tinynas.errors import ModelError, UnsupportedOperatorError, UsageError
from tinynas.tflite import Graph, Operator, Tensor, read, write
from tinynas.tflite.kernel_memory import KERNEL_MEMORY

ROOT = Path(__file__).parents[2]


def test_analyze_knows_every_operator() -> None:
    """What the engine has code for, analyze knows: its figures stand beside TFLM's."""
    assert set(OPERATORS) < set(KERNEL_MEMORY)


def test_the_docs_list_the_operators() -> None:
    text = (ROOT / "docs" / "engine.md").read_text()
    listed = re.search(r"## Operators\n\n(.*?);", text, re.DOTALL)
    assert listed is not None
    assert re.findall(r"[A-Z_0-9]+", listed[1]) == sorted(OPERATORS)


def test_names_and_shapes_make_no_layer() -> None:
    """SHAPE, STRIDED_SLICE, PACK and RESHAPE are worked out."""
    graph = read(fixture("c1d_1024_ecg"))
    net = lower(graph)
    assert {"SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE", "EXPAND_DIMS"} <= {each.name for each in graph.operators}
    assert [layer.kind for layer in net.layers] == [
        "convolution",
        "pool",
        "convolution",
        "pool",
        "convolution",
        "softmax",
    ]


def refused(graph: Graph, error: type[ModelError], match: str) -> None:
    with pytest.raises(error, match=match):
        build(write(graph))


def test_an_unknown_operator_is_named() -> None:
    graph = one_operator("SPACE_TO_DEPTH", [activation((1, 4, 4, 1))], activation((1, 2, 2, 4)), {"block_size": 2})
    refused(graph, UnsupportedOperatorError, r"no code for operator 0 \(SPACE_TO_DEPTH\); it has for ADD, AVERAGE_POOL")


def test_several_inputs_are_refused() -> None:
    graph = one_operator(
        "ADD", [activation((1, 4)), activation((1, 4))], activation((1, 4)), {"pot_scale_int16": False}
    )
    refused(graph, UnsupportedOperatorError, "the model has 2 inputs, and the engine takes models of one")


def test_what_is_not_int8_is_refused() -> None:
    graph = one_operator("RELU", [Tensor("", (1, 4), "INT16", None, (0.1,), (0,))], activation((1, 4)))
    refused(graph, UnsupportedOperatorError, "the model's input is INT16")


def test_two_samples_at_once_are_refused() -> None:
    refused(
        one_operator("RELU", [activation((2, 4))], activation((2, 4))), UnsupportedOperatorError, "wanted one sample"
    )


def test_weights_that_are_not_constant_are_refused() -> None:
    """The weights are the input, reshaped."""
    shape = integers(4, 4)
    tensors = (activation((1, 16)), shape, activation((4, 4)), activation((1, 4)), constant((1, 4)))
    operators = (
        Operator("RESHAPE", 1, (0, 1), (2,), {"new_shape": (4, 4)}),
        Operator("FULLY_CONNECTED", 1, (4, 2), (3,), {"fused_activation_function": 0}),
    )
    refused(
        Graph(tensors, operators, (0,), (3,)), UnsupportedOperatorError, "operator 1: FULLY_CONNECTED has INT8 weights"
    )


# What TFLM's Prepare refuses.
def test_softmax_wants_its_own_scale() -> None:
    graph = one_operator("SOFTMAX", [activation((1, 4))], activation((1, 4)), {"beta": 1.0})
    refused(graph, ModelError, "SOFTMAX has an output of scale 0.5 and zero point 0, which TFLM refuses")


def test_logistic_wants_its_own_zero_point() -> None:
    graph = one_operator("LOGISTIC", [activation((1, 4))], activation((1, 4), 1 / 256))
    refused(graph, ModelError, "LOGISTIC has an output of zero point 0")


def test_a_mean_of_a_pool_keeps_its_scale() -> None:
    options = {"padding": 1, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
    graph = one_operator("AVERAGE_POOL_2D", [activation((1, 4, 4, 1), 0.5)], activation((1, 2, 2, 1), 0.25), options)
    refused(graph, ModelError, "AVERAGE_POOL_2D has an input of scale 0.5 .* wanted the same")


def test_a_dense_layer_s_bias_has_its_scale() -> None:
    bias = replace(integers(1, 2, n_scales=1), scales=(5.0,))
    graph = one_operator(
        "FULLY_CONNECTED", [activation((1, 4)), constant((2, 4), n_scales=1), bias], activation((1, 2))
    )
    refused(graph, ModelError, "FULLY_CONNECTED has a bias of scale 5, but input and weights multiply to 0.005")


def test_an_unknown_rounding_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="rounding"):
        build(fixture("s_dense16"), rounding="thrice")  # type: ignore[arg-type]


def test_single_rounding_is_another_engine() -> None:
    """Fewer outputs differ than half; those that do by a step or a few."""
    import numpy as np

    from tests.engine.host import samples

    data = fixture("mn_lenet_valid_b1")
    double, single = build(data), build(data, rounding="single")
    inputs = samples(double.net, 40)
    apart = np.abs(double.run(inputs).astype(int) - single.run(inputs))
    assert 0 < (apart > 0).mean() < 0.5
    assert b"#define TN_SINGLE_ROUNDING 1" in single.files("net")["net_engine.c"]
