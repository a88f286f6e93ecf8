"""Offline plans: smaller where they are kept, as TFLM reads them, with the same outputs."""

import struct
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import tflite
from hypothesis import given

from tests.every import every
from tests.tflite.models import NAMES, fixture, nets, relu_net
from tests.tflite.wheel import outputs
from tinynas.tflite import add_offline_plan, plan_arena, plan_head, read, tflm, with_offline_plan
from tinynas.tflite.planner import lower_bound

GAINERS = ["c1d_1024_ecg", "c1d_dw_b1", "f_06", "mn_dense_only_b1", "mn_res6", "ci_sep5_valid"]
needs_wheel = pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")


@every("name, kernels", product(NAMES, ["cmsis_nn", "reference"]))
def test_a_plan_is_kept_only_if_the_arena_is_smaller(name, kernels):
    data = fixture(name)
    planned = add_offline_plan(data, kernels)
    before, after = plan_arena(read(data), kernels), plan_arena(read(planned), kernels)
    if planned == data:
        assert read(planned).offline_plan is None
    else:
        assert after.minimum < before.minimum
        assert after.head < before.head


@pytest.mark.parametrize(
    ("name", "head"),
    [("c1d_1024_ecg", 3776), ("f_06", 40080), ("mn_res6", 3776), ("ci_sep5_valid", 5728), ("c1d_dw_b1", 3168)],
)
def test_what_is_won_stays_won(name, head):
    assert plan_head(read(add_offline_plan(fixture(name))), "cmsis_nn").head <= head


@needs_wheel
@pytest.mark.parametrize("name", GAINERS)
def test_tflm_takes_the_plan(name):
    planned = add_offline_plan(fixture(name), "reference")
    assert planned != fixture(name)
    assert tflm.head_bytes(planned) == plan_head(read(planned), "reference").head


@needs_wheel
def test_outputs_in_tflm_stay_identical():
    rng = np.random.default_rng(4)
    tasks, names = [], []
    for name in NAMES:
        for kernels in ("cmsis_nn", "reference"):
            data = fixture(name)
            planned = add_offline_plan(data, kernels)
            if planned == data:
                continue
            graph = read(data)
            inputs = rng.integers(-128, 128, (4, *graph.tensors[graph.inputs[0]].shape[1:])).astype(np.int8)
            tasks += [(data, inputs), (planned, inputs)]
            names.append(name)
    found = outputs(tasks)
    assert len(names) > 20
    for place, name in enumerate(names):
        assert np.array_equal(found[2 * place], found[2 * place + 1]), name


def test_the_metadata_is_in_tflms_format():
    data = add_offline_plan(fixture("mn_res6"))
    model = tflite.Model.GetRootAs(data, 0)
    assert model.MetadataLength() == 1
    assert model.Metadata(0).Name() == b"OfflineMemoryAllocation"
    raw = model.Buffers(model.Metadata(0).Buffer()).DataAsNumpy().tobytes()
    words = struct.unpack(f"<{len(raw) // 4}i", raw)
    graph = read(data)
    assert words[1:3] == (1, len(graph.tensors))
    assert words[3:] == graph.offline_plan
    for tensor, offset in zip(graph.tensors, words[3:], strict=True):
        assert offset == -1 if tensor.is_constant else offset % 16 == 0


def test_a_planned_file_is_not_planned_again():
    data = add_offline_plan(fixture("mn_res6"))
    assert add_offline_plan(data) == data


def test_a_bad_plan_is_replaced():
    graph = read(fixture("mn_res6"))
    wasteful = replace(
        graph, offline_plan=tuple(-1 if t.is_constant else 8192 * k for k, t in enumerate(graph.tensors))
    )
    better = with_offline_plan(wasteful, "cmsis_nn")
    assert plan_head(better, "cmsis_nn").head <= 3776


@given(nets(most=10))
def test_the_head_is_never_larger_and_the_plan_is_sound(graph):
    planned = with_offline_plan(graph, "reference", budget=2000)
    plan = plan_head(planned, "reference")  # verifies that nothing overlaps
    assert plan.head <= plan_head(graph, "reference").head
    assert plan.head >= lower_bound(plan.buffers)


def test_nothing_to_win_leaves_the_graph_alone():
    graph = relu_net([[], [0], [1]], [100, 100, 100])
    assert with_offline_plan(graph, "cmsis_nn") is graph
