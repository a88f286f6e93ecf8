"""The arena against what real TFLM needed on an emulated Cortex-M4: no byte of error on any fixture."""

from dataclasses import replace
from itertools import product

import pytest

from tests.every import every
from tests.tflite.models import MEASURED, NAMES, conv_graph, fixture
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.hardware import KERNEL_LIBRARIES
from tinynas.tflite import Operator, live_bytes, plan_arena, plan_head, read, tflm
from tinynas.tflite.planner import lower_bound


@every("name, kernels", product(NAMES, KERNEL_LIBRARIES))
def test_arena_is_exact(name, kernels):
    measured = MEASURED[name][f"m4_{kernels}"]
    arena = plan_arena(read(fixture(name)), kernels)
    assert arena.head == measured["head"]
    assert arena.tail == measured["tail"]
    assert arena.used == measured["arena_used"]
    assert arena.minimum == measured["min_arena"]


@every("name", NAMES)
def test_live_bytes_peak_is_the_measured_one(name):
    assert max(live_bytes(read(fixture(name)))) == MEASURED[name]["live_bytes_peak"]


@every("name", NAMES)
def test_reference_head_is_the_one_that_the_wheel_reported(name):
    assert plan_head(read(fixture(name)), "reference").head == MEASURED[name]["x86_wheel"]["head"]


@pytest.fixture(scope="module")
def wheel_heads():
    """The head of every fixture as the wheel plans it now, all from one process."""
    return dict(zip(NAMES, tflm.heads_bytes([fixture(name) for name in NAMES]), strict=True))


@pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")
@every("name", NAMES)
def test_reference_head_is_what_the_wheel_reports_now(name, wheel_heads):
    assert plan_head(read(fixture(name)), "reference").head == wheel_heads[name]


@every("name", NAMES)
def test_head_is_above_the_bound_and_minimum_above_used(name):
    graph = read(fixture(name))
    plan, arena = plan_head(graph, "cmsis_nn"), plan_arena(graph, "cmsis_nn")
    assert lower_bound(plan.buffers) <= plan.head == arena.head
    assert arena.used <= arena.minimum
    assert arena.minimum % 16 == 0


def test_one_convolution_by_hand():
    """A 1x1 convolution without scratch: each term of the tail is written out here."""
    graph = conv_graph(size=(4, 4), channels=3, filters=4, kernel=(1, 1))
    arena = plan_arena(graph, "reference")
    assert arena.head == 48 + 64  # 4*4*3 and 4*4*4, both alive
    tail = 36 + 44 + 36 + 8 + 8 + 12 * 4 + 32 + 28  # objects, eval tensors, node, parameters: 240
    tail = -(-(tail + 56) // 16) * 16 + 16 + 16  # OpData, multipliers, shifts, each at a multiple of 16
    for _ in ("input", "output"):
        tail = -(-(tail + 4) // 16) * 16 + 32 + 12 + 8
    assert arena.tail == tail


def test_offline_plan_is_honoured():
    graph = conv_graph(size=(4, 4), channels=3, filters=4, kernel=(3, 3))
    buffers = plan_head(graph, "reference").buffers
    assert [buffer.tensor for buffer in buffers] == [0, 3]
    moved = plan_head(replace(graph, offline_plan=(1024, -1, -1, 64)), "reference")
    assert moved.offsets == (1024, 64)
    assert moved.head == 1024 + 48
    partly = plan_head(replace(graph, offline_plan=(-1, -1, -1, 0)), "reference")
    assert partly.offsets == (64, 0)


def test_scratch_is_planned_around_an_offline_plan():
    graph = replace(conv_graph(size=(4, 4), channels=3, filters=4), offline_plan=(0, -1, -1, 256))
    plan = plan_head(graph, "cmsis_nn")
    assert plan.offsets == (0, 256, 48)  # im2col: 4 * 28 bytes, in the gap between the two
    assert plan.head == 256 + 64


@pytest.mark.parametrize("plan", [(0, -1, -1, 32), (-2, -1, -1, 64), (2**31 - 1, -1, -1, 0)])
def test_an_unsound_offline_plan_is_an_error(plan):
    graph = replace(conv_graph(size=(4, 4), channels=3, filters=4), offline_plan=plan)
    with pytest.raises(ModelError, match="offline memory plan"):
        plan_arena(graph, "reference")


def test_an_unknown_operator_is_named():
    graph = conv_graph()
    unknown = replace(graph, operators=(replace(graph.operators[0], name="CUSTOM:MyOp"),))
    with pytest.raises(UnsupportedOperatorError, match="CUSTOM:MyOp"):
        plan_arena(unknown)


def test_several_subgraphs_are_an_error():
    with pytest.raises(UnsupportedOperatorError, match="2 subgraphs"):
        plan_arena(replace(conv_graph(), n_subgraphs=2))


def test_an_unused_tensor_costs_its_eval_tensor_and_its_place():
    graph = conv_graph(size=(4, 4), kernel=(1, 1))
    unused = replace(graph.tensors[0], shape=(1, 1, 1, 4000))
    more = replace(graph, tensors=(*graph.tensors, unused))
    before, after = plan_arena(graph), plan_arena(more)
    assert 0 < after.tail - before.tail <= 16
    assert after.head == 4000  # TFLM plans it, alive at no time that any other is


def test_operators_of_nothing_are_refused():
    graph = conv_graph()
    with pytest.raises(UnsupportedOperatorError, match="0 inputs"):
        plan_arena(replace(graph, operators=(Operator("RELU", 1, (), (3,)),)))
