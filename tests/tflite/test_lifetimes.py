"""When tensors are alive, by hand and against a scan of every moment."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.tflite.models import activation, constant, conv_graph, fixture, nets, one_operator, relu_net
from tinynas.errors import ModelError
from tinynas.tflite import Operator, live_bytes, read
from tinynas.tflite.lifetimes import UNUSED, head_buffers, in_place_pairs, tensor_lifetimes


def test_a_chain_by_hand():
    graph = relu_net([[], [0], [1], [2]], [10, 20, 30, 40])
    assert tensor_lifetimes(graph) == ((0, 1), (1, 2), (2, 3), (3, 3))
    assert live_bytes(graph) == (30, 50, 70)


def test_a_residual_lives_until_it_is_added():
    graph = relu_net([[], [0], [1], [0, 2]], [10, 10, 10, 10])
    assert tensor_lifetimes(graph)[0] == (0, 3)
    assert live_bytes(graph) == (20, 30, 30)


def test_an_output_lives_to_the_end():
    graph = replace(relu_net([[], [0], [1], [2]], [10, 20, 30, 40]), outputs=(1, 3))
    assert tensor_lifetimes(graph)[1] == (1, 3)


def test_an_unused_tensor_has_no_time():
    graph = relu_net([[], [0], [1]], [10, 20, 30])
    graph = replace(graph, tensors=(*graph.tensors, activation((1, 7))))
    assert tensor_lifetimes(graph)[3] == (UNUSED, UNUSED)
    assert [buffer.first for buffer in head_buffers(graph, [(), ()])] == [0, 1, 2, UNUSED]


def test_scratch_lives_with_its_operator_and_comes_last():
    graph = relu_net([[], [0], [1]], [10, 20, 30])
    buffers = head_buffers(graph, [(8,), (4, 12)])
    assert [(b.bytes, b.first, b.last, b.operator) for b in buffers[3:]] == [
        (8, 1, 1, 0),
        (4, 2, 2, 1),
        (12, 2, 2, 1),
    ]


@given(nets())
def test_live_bytes_are_those_of_a_scan(graph):
    lifetimes = tensor_lifetimes(graph)
    scanned = tuple(
        sum(t.bytes for t, (first, last) in zip(graph.tensors, lifetimes, strict=True) if first <= time <= last)
        for time in range(1, len(graph.operators) + 1)
    )
    assert live_bytes(graph) == scanned


def test_reading_what_nothing_made_is_an_error():
    graph = relu_net([[], [0], [1]], [10, 20, 30])
    backwards = replace(graph, operators=graph.operators[::-1])
    with pytest.raises(ModelError, match=r"operator 0 \(RELU\) reads tensor 1"):
        tensor_lifetimes(backwards)


def test_making_a_tensor_twice_is_an_error():
    graph = relu_net([[], [0], [1]], [10, 10, 10])
    twice = replace(graph, operators=(*graph.operators, Operator("RELU", 1, (0,), (2,))))
    with pytest.raises(ModelError, match="writes tensor 2, which operator 1 has made"):
        tensor_lifetimes(twice)
    with pytest.raises(ModelError, match="the graph's input"):
        tensor_lifetimes(replace(graph, operators=(Operator("RELU", 1, (1,), (0,)),), inputs=(0, 1)))


def test_constants_and_variables_take_no_head():
    graph = conv_graph()
    assert [buffer.tensor for buffer in head_buffers(graph, [()])] == [0, 3]
    variable = replace(graph.tensors[0], is_variable=True)
    graph = replace(graph, tensors=(variable, *graph.tensors[1:]), inputs=())
    assert [buffer.tensor for buffer in head_buffers(graph, [()])] == [3]


def test_a_copy_may_take_its_inputs_place_when_nothing_else_needs_it():
    reshape = one_operator("RESHAPE", [activation((1, 4, 4, 2))], activation((1, 32)))
    assert in_place_pairs(reshape) == {1: 0}
    assert in_place_pairs(replace(reshape, outputs=(0, 1))) == {}
    later = replace(
        reshape,
        tensors=(*reshape.tensors, activation((1, 4, 4, 2))),
        operators=(*reshape.operators, Operator("RELU", 1, (0,), (2,))),
        outputs=(1, 2),
    )
    assert in_place_pairs(later) == {}
    assert in_place_pairs(one_operator("RELU", [activation((1, 32))], activation((1, 32)))) == {}
    of_constant = one_operator("RESHAPE", [constant((1, 4, 4, 2))], activation((1, 32)))
    assert in_place_pairs(of_constant) == {}


def test_conv1d_nets_copy_in_place():
    graph = read(fixture("c1d_1024_ecg"))
    copies = [o for o in graph.operators if o.name in ("RESHAPE", "EXPAND_DIMS")]
    assert len(in_place_pairs(graph)) == len(copies) - 1  # SHAPE reads the last pool's map once more
