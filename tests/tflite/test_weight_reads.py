"""Bytes of weights that kernels fetch from Flash, by hand."""

import pytest

from tests.tflite.test_instructions import graph_of
from tinynas.tflite.weight_reads import weight_reads


def reads(graph, cache=0):
    return weight_reads(graph, graph.operators[0], cache)


def test_a_convolution_goes_through_its_weights_for_every_two_pixels():
    graph = graph_of("CONV_2D", (1, 5, 5, 4), (1, 5, 5, 8), (8, 3, 3, 4), padding=0)
    assert reads(graph) == 13 * 8 * 3 * 3 * 4  # 25 pixels: twelve pairs and one
    assert reads(graph, 288) == 288
    assert reads(graph, 287) == 13 * 288


def test_a_1x1_convolution_keeps_two_rows():
    graph = graph_of("CONV_2D", (1, 4, 4, 64), (1, 4, 4, 8), (8, 1, 1, 64), padding=0)
    assert reads(graph, 128) == 8 * 64
    assert reads(graph, 127) == 8 * 8 * 64


def test_depthwise_goes_through_them_for_every_pixel():
    graph = graph_of("DEPTHWISE_CONV_2D", (1, 4, 4, 8), (1, 4, 4, 8), (1, 3, 3, 8), padding=0)
    assert reads(graph) == 16 * 72
    assert reads(graph, 72) == 72


@pytest.mark.parametrize("cache", [0, 10**6])
def test_a_dense_layer_reads_each_weight_once(cache):
    assert reads(graph_of("FULLY_CONNECTED", (1, 20), (1, 10), (10, 20)), cache) == 200
    assert reads(graph_of("FULLY_CONNECTED", (3, 20), (3, 10), (10, 20)), cache) == 600


def test_others_have_no_weights():
    assert reads(graph_of("ADD", (1, 4, 4, 8), (1, 4, 4, 8), (1, 4, 4, 8))) == 0
