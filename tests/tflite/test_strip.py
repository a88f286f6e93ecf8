"""Stripping: the same outputs in real TFLM, no byte that TFLM does not read, nothing that matters lost."""

from dataclasses import replace

import numpy as np
import pytest
import tflite
from hypothesis import given

from tests.every import every
from tests.tflite.models import NAMES, activation, conv_graph, fixture, integers, nets, relu_net
from tests.tflite.test_read import code_file
from tests.tflite.wheel import outputs
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite import Operator, plan_arena, prune, read, strip, tflm, write


@pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")
def test_outputs_in_tflm_stay_identical():
    rng = np.random.default_rng(3)
    tasks = []
    for name in NAMES:
        data = fixture(name)
        graph = read(data)
        shape = graph.tensors[graph.inputs[0]].shape[1:]
        inputs = rng.integers(-128, 128, (3, *shape)).astype(np.int8)
        tasks += [(data, inputs), (strip(data), inputs)]
    found = outputs(tasks)
    for place, name in enumerate(NAMES):
        original, stripped = found[2 * place : 2 * place + 2]
        assert np.array_equal(original, stripped), name


@every("name", NAMES)
def test_names_metadata_and_signatures_go(name):
    data = strip(fixture(name))
    model = tflite.Model.GetRootAs(data, 0)
    assert model.Description() is None
    assert model.MetadataIsNone()
    assert model.SignatureDefsIsNone()
    subgraph = model.Subgraphs(0)
    assert subgraph.Name() is None
    assert all(subgraph.Tensors(index).Name() is None for index in range(subgraph.TensorsLength()))
    assert len(data) < len(fixture(name))
    assert strip(data) == data


@every("name", NAMES)
def test_the_arena_does_not_grow(name):
    before, after = plan_arena(read(fixture(name))), plan_arena(read(strip(fixture(name))))
    assert after.minimum <= before.minimum
    assert after.head <= before.head


def test_an_unused_tensor_goes_with_its_tail_bytes():
    graph = conv_graph(size=(4, 4))
    more = replace(graph, tensors=(activation((1, 9)), *graph.tensors[:3], integers(7), graph.tensors[3]))
    operator = replace(graph.operators[0], inputs=(1, 2, 3), outputs=(5,))
    more = replace(more, operators=(operator,), inputs=(1,), outputs=(5,))
    assert prune(more) == graph
    assert plan_arena(more).tail - plan_arena(graph).tail == 32  # 24 bytes, to the kernels' alignment
    assert strip(write(more)) == write(graph)


def test_dead_operators_go_and_their_constants_with_them():
    graph = conv_graph(size=(4, 4))
    dead = Operator("CONV_2D", 1, (3, 4, 2), (5,), graph.operators[0].options)
    weights = replace(graph.tensors[1], shape=(4, 1, 1, 4), data=bytes(range(1, 17)))
    more = replace(graph, tensors=(*graph.tensors, weights, graph.tensors[3]), operators=(*graph.operators, dead))
    assert prune(more) == graph


@pytest.mark.parametrize("name", ["CUSTOM:Logger", "ASSIGN_VARIABLE", "CALL_ONCE"])
def test_an_operator_that_may_do_more_stays(name):
    graph = relu_net([[], [0], [1]], [4, 4, 4])
    custom = b"" if name.startswith("CUSTOM") else None
    more = replace(
        graph,
        tensors=(*graph.tensors, activation((1, 4))),
        operators=(*graph.operators, Operator(name, 1, (1,), (3,), custom=custom)),
    )
    assert prune(more) == more


def test_what_writes_a_variable_stays():
    graph = relu_net([[], [0], [1]], [4, 4, 4])
    state = replace(activation((1, 4)), is_variable=True)
    more = replace(
        graph, tensors=(*graph.tensors, state), operators=(*graph.operators, Operator("RELU", 1, (1,), (3,)))
    )
    assert prune(more) == more


def test_an_unused_input_stays():
    graph = relu_net([[], [], [0]], [4, 8, 4])
    assert prune(graph) == graph


@given(nets())
def test_pruning_leaves_what_the_output_needs(graph):
    pruned = prune(graph)
    used = {index for operator in pruned.operators for index in operator.inputs}
    made = {index for operator in pruned.operators for index in operator.outputs}
    assert made <= used | set(pruned.outputs)
    assert len(pruned.tensors) == len(used | made | {*pruned.inputs, *pruned.outputs})
    assert prune(pruned) == pruned


def test_an_offline_plan_is_kept_and_renumbered():
    graph = conv_graph(size=(4, 4))
    more = replace(graph, tensors=(*graph.tensors, activation((1, 9))), offline_plan=(0, -1, -1, 64, 0))
    assert read(strip(write(more))).offline_plan == (0, -1, -1, 64)


def test_what_cannot_be_read_or_copied_is_an_error():
    with pytest.raises(ModelError):
        strip(b"nothing")
    with pytest.raises(UnsupportedOperatorError, match="number 5000"):
        strip(code_file(0, 5000))
