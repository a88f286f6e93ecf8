"""Multiply-accumulates, parameters and sizes against what was counted for the fixtures, and by hand."""

from dataclasses import replace

import pytest

from tests.every import every
from tests.tflite.models import MEASURED, NAMES, activation, constant, conv_graph, fixture, one_operator
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite import macs, parameters, read
from tinynas.tflite.macs import largest_tensor_bytes, weights_bytes


@every("name", NAMES)
def test_macs_are_the_measured_ones(name):
    graph = read(fixture(name))
    found = [macs(graph, operator) for operator in graph.operators]
    assert found == [operator["macs"] for operator in MEASURED[name]["per_op"]]
    assert sum(found) == MEASURED[name]["macs"]


def test_convolution_by_hand():
    graph = conv_graph(size=(8, 8), channels=3, filters=4, kernel=(3, 3))
    assert macs(graph, graph.operators[0]) == 8 * 8 * 4 * 3 * 3 * 3
    assert parameters(graph) == 4 * 3 * 3 * 3 + 4
    assert weights_bytes(graph, graph.operators[0]) == 4 * 27 + 4 * 4
    assert largest_tensor_bytes(graph) == 8 * 8 * 4


def test_groups_divide_the_work():
    graph = conv_graph(channels=4, filters=4)
    grouped = replace(graph, tensors=(graph.tensors[0], constant((4, 3, 3, 2), n_scales=4), *graph.tensors[2:]))
    assert macs(grouped, grouped.operators[0]) * 2 == macs(graph, graph.operators[0])


def test_axes_and_shapes_are_no_parameters():
    graph = read(fixture("mn_zeropad"))  # paddings, slices and shapes beside two convolutions and a dense layer
    weights = sum(
        tensor.elements for tensor in graph.tensors if tensor.is_constant and (tensor.dtype == "INT8" or tensor.scales)
    )
    assert parameters(graph) == weights
    assert parameters(graph) < sum(tensor.elements for tensor in graph.tensors if tensor.is_constant)


def test_a_constant_that_two_operators_use_counts_once():
    graph = conv_graph(channels=4, filters=4)
    twice = replace(
        graph,
        tensors=(*graph.tensors, graph.tensors[3]),
        operators=(*graph.operators, replace(graph.operators[0], inputs=(3, 1, 2), outputs=(4,))),
        outputs=(4,),
    )
    assert parameters(twice) == parameters(graph)


def test_an_unknown_operator_does_not_count_as_nothing():
    graph = one_operator("GELU", [activation((1, 4)), activation((4, 4))], activation((1, 4)))
    with pytest.raises(UnsupportedOperatorError, match="GELU"):
        macs(graph, graph.operators[0])


def test_a_dense_layer_without_weights_is_an_error():
    graph = one_operator("FULLY_CONNECTED", [activation((1, 4))], activation((1, 4)), {})
    with pytest.raises(ModelError, match="no weights"):
        macs(graph, graph.operators[0])
