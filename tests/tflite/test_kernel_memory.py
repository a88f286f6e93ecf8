"""Scratch buffers, persistent arrays and temporaries of the kernels, by hand and against the wheel."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tflite.models import CONV, POOL, activation, constant, conv_graph, integers, one_operator
from tests.tflite.wheel import smallest_arenas
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.hardware import KERNEL_LIBRARIES
from tinynas.tflite import Graph, Operator, tflm, write
from tinynas.tflite.arena import scratch_requests
from tinynas.tflite.kernel_memory import KERNEL_MEMORY, kernel_memory

MAP = (1, 8, 8, 4)


def scratch(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {kernels: scratch_requests(graph, kernels)[0] for kernels in KERNEL_LIBRARIES}


def depthwise(kernel=(3, 3), channels=4, multiplier=1, stride=1, dilation=1, padding=0, batch=1) -> Graph:
    out = channels * multiplier
    reach = [(k - 1) * dilation + 1 for k in kernel]
    size = [-(-(8 if padding == 0 else 9 - r) // stride) for r in reach]
    options = CONV | {"padding": padding, "stride_h": stride, "stride_w": stride, "depth_multiplier": multiplier}
    options |= {"dilation_h_factor": dilation, "dilation_w_factor": dilation}
    weights = constant((1, *kernel, out), n_scales=out, axis=3)
    source, result = activation((batch, 8, 8, channels)), activation((batch, *size, out))
    return one_operator("DEPTHWISE_CONV_2D", [source, weights, integers(*range(out))], result, options)


def test_convolution_takes_two_columns():
    found = scratch(conv_graph(channels=3))  # 27 columns, padded to 28
    assert found == {"cmsis_nn": (112,), "cmsis_nn_no_dsp": (112,), "reference": ()}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
def test_plain_1x1_takes_none(stride, padding):
    graph = conv_graph(kernel=(1, 1), stride=stride, padding=padding)
    assert set(scratch(graph).values()) == {()}


def test_1x1_with_groups_takes_columns():
    graph = conv_graph(channels=4, filters=4, kernel=(1, 1))
    grouped = replace(graph, tensors=(graph.tensors[0], constant((4, 1, 1, 2), n_scales=4), *graph.tensors[2:]))
    assert scratch(grouped)["cmsis_nn"] == (16,)


@pytest.mark.parametrize("dilation", [2, 3])
def test_dilated_convolution_takes_columns(dilation):
    assert scratch(conv_graph(channels=4, dilation=dilation))["cmsis_nn"] == (144,)


def test_series_convolution_takes_columns():
    assert scratch(conv_graph(size=(32, 1), channels=6, kernel=(5, 1)))["cmsis_nn"] == (128,)


@pytest.mark.parametrize(
    ("graph", "size"),
    [
        (depthwise(kernel=(5, 5)), 200),
        (depthwise(kernel=(3, 1)), 24),
        (depthwise(kernel=(3, 3)), None),
        (depthwise(kernel=(3, 3), padding=1), None),
        (depthwise(kernel=(5, 5), multiplier=2), None),
        (depthwise(kernel=(5, 5), dilation=2, padding=0), None),
        (depthwise(kernel=(5, 5), batch=2), None),
        (depthwise(kernel=(4, 4)), 128),
    ],
    ids=["5x5", "3x1", "3x3 same", "3x3 valid", "multiplier", "dilated", "batch", "4x4"],
)
def test_depthwise_takes_a_window_with_dsp_alone(graph, size):
    wanted = () if size is None else (size,)
    assert scratch(graph) == {"cmsis_nn": wanted, "cmsis_nn_no_dsp": (), "reference": ()}


def test_average_pool_takes_a_sum_a_channel_with_dsp_alone():
    graph = one_operator("AVERAGE_POOL_2D", [activation(MAP)], activation((1, 4, 4, 4)), POOL)
    assert scratch(graph) == {"cmsis_nn": (16,), "cmsis_nn_no_dsp": (), "reference": ()}
    graph = one_operator("MAX_POOL_2D", [activation(MAP)], activation((1, 4, 4, 4)), POOL)
    assert set(scratch(graph).values()) == {()}


@pytest.mark.parametrize(("shape", "n_scales", "size"), [((1, 6), 1, ()), ((1, 5, 6), 1, (48,)), ((1, 5, 6), 6, ())])
def test_dense_of_a_series_takes_a_table_without_scales_a_channel(shape, n_scales, size):
    source = activation((*shape[:-1], 8))
    graph = one_operator("FULLY_CONNECTED", [source, constant((6, 8), n_scales=n_scales)], activation(shape), {})
    assert scratch(graph) == {"cmsis_nn": size, "cmsis_nn_no_dsp": size, "reference": ()}
    arrays = kernel_memory(graph, graph.operators[0]).persistent(graph, graph.operators[0], "cmsis_nn")
    assert arrays == ((24, 24) if n_scales > 1 else ())


def test_mean_takes_three_and_a_maximum_two():
    inputs = [activation(MAP), integers(1, 2)]
    assert scratch(one_operator("MEAN", inputs, activation((1, 4)), {}))["reference"] == (16, 16, 8)
    assert scratch(one_operator("REDUCE_MAX", inputs, activation((1, 4)), {}))["cmsis_nn"] == (16, 8)


@pytest.mark.parametrize("name", ["MEAN", "SUM", "REDUCE_MIN"])
def test_a_reduction_without_axes_is_refused(name):
    with pytest.raises(UnsupportedOperatorError, match="axes"):
        scratch(one_operator(name, [activation(MAP)], activation((1, 4)), {}))


def test_an_unknown_operator_is_named_with_the_known_ones():
    graph = one_operator("GELU", [activation((1, 4))], activation((1, 4)))
    with pytest.raises(UnsupportedOperatorError, match=r"operator GELU: .*CONV_2D.*TRANSPOSE"):
        kernel_memory(graph, graph.operators[0])


@pytest.mark.parametrize("name", ["CONV_2D", "SOFTMAX", "ADD"])
def test_types_that_tflm_does_not_run_are_refused(name):
    wide = replace(activation((1, 4)), dtype="FLOAT64", scales=(), zero_points=())
    graph = one_operator(name, [wide, wide], wide)
    with pytest.raises(UnsupportedOperatorError, match=rf"operator {name} works on FLOAT64; .* known for FLOAT32, INT"):
        kernel_memory(graph, graph.operators[0])


def test_a_result_of_another_type_is_refused():
    graph = one_operator("ADD", [activation(MAP), activation(MAP)], replace(activation(MAP), dtype="INT16"))
    with pytest.raises(UnsupportedOperatorError, match="operator ADD works on INT16 and INT8"):
        kernel_memory(graph, graph.operators[0])


def test_float_data_with_int8_weights_is_refused():
    """A hybrid model: TFLM has no kernels for it."""
    graph = conv_graph()
    floats = [replace(graph.tensors[index], dtype="FLOAT32", scales=(), zero_points=()) for index in (0, 3)]
    mixed = replace(graph, tensors=(floats[0], *graph.tensors[1:3], floats[1]))
    row = kernel_memory(mixed, mixed.operators[0])
    with pytest.raises(UnsupportedOperatorError, match="known for FLOAT32 weights with FLOAT32 data"):
        row.persistent(mixed, mixed.operators[0], "cmsis_nn")


def test_other_weights_are_refused():
    graph = conv_graph()
    halves = replace(graph.tensors[1], dtype="INT4")
    graph = replace(graph, tensors=(graph.tensors[0], halves, *graph.tensors[2:]))
    row = kernel_memory(graph, graph.operators[0])
    with pytest.raises(UnsupportedOperatorError, match="has INT4"):
        row.persistent(graph, graph.operators[0], "cmsis_nn")


@given(
    st.sampled_from(["padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor"]),
    st.sampled_from([-1, 0, 2, 3, 7, 2**31 - 1]),
)
def test_a_convolution_whose_shapes_disagree_is_an_error(name, value):
    graph = conv_graph(size=(16, 16), kernel=(3, 3), padding=1)
    operator = replace(graph.operators[0], options={**(graph.operators[0].options or {}), name: value})
    with pytest.raises(ModelError, match="CONV_2D"):
        kernel_memory(graph, operator)


@pytest.mark.parametrize(("position", "shape"), [(0, (1, 8, 8, 5)), (1, (3, 3, 3, 3)), (3, (2, 8, 8, 4))])
def test_shapes_that_do_not_follow_are_an_error(position, shape):
    graph = conv_graph()
    tensors = list(graph.tensors)
    tensors[position] = replace(tensors[position], shape=shape)
    with pytest.raises(ModelError, match="do not follow"):
        kernel_memory(replace(graph, tensors=tuple(tensors)), graph.operators[0])


def test_pools_and_depthwise_are_checked_too():
    pool = one_operator("MAX_POOL_2D", [activation(MAP)], activation((1, 5, 4, 4)), POOL)
    with pytest.raises(ModelError, match="MAX_POOL_2D"):
        kernel_memory(pool, pool.operators[0])
    graph = depthwise(multiplier=2)
    wrong = replace(graph, tensors=(activation((1, 8, 8, 3)), *graph.tensors[1:]))
    with pytest.raises(ModelError, match="DEPTHWISE_CONV_2D"):
        kernel_memory(wrong, wrong.operators[0])


def wide(tensor, n_scales):
    """The tensor with many scales, which TFLM copies into each of its temporary TfLiteTensors."""
    if not tensor.scales:
        return tensor
    return replace(tensor, scales=(tensor.scales[0],) * n_scales, zero_points=(tensor.zero_points[0],) * n_scales)


def after_a_reshape(graph: Graph, n_scales: int) -> Graph:
    """The operator of `graph` behind a RESHAPE, every tensor but the graph's input with many scales."""
    source = graph.tensors[0]
    tensors = (source, *(wide(tensor, n_scales) for tensor in graph.tensors))
    shifted = replace(
        graph.operators[0],
        inputs=tuple(index + 1 for index in graph.operators[0].inputs),
        outputs=(graph.outputs[0] + 1,),
    )
    return Graph(tensors, (Operator("RESHAPE", 1, (0,), (1,)), shifted), (0,), shifted.outputs)


EQUAL = replace(constant(MAP), scales=activation(MAP).scales)
SIGMOID = activation(MAP, 1 / 256, -128)
TEMPORARIES = {
    "MAX_POOL_2D": one_operator("MAX_POOL_2D", [activation(MAP)], activation((1, 4, 4, 4)), POOL),
    "AVERAGE_POOL_2D": one_operator("AVERAGE_POOL_2D", [activation(MAP)], activation((1, 4, 4, 4)), POOL),
    "SOFTMAX": one_operator("SOFTMAX", [activation((1, 8))], activation((1, 8), 1 / 256, -128), {"beta": 1.0}),
    "MEAN": one_operator("MEAN", [activation(MAP), integers(1, 2, n_scales=1)], activation((1, 4)), {}),
    "REDUCE_MAX": one_operator("REDUCE_MAX", [activation(MAP), integers(1, 2, n_scales=1)], activation((1, 4)), {}),
    "ADD": one_operator("ADD", [activation(MAP), constant(MAP)], activation(MAP), {}),
    "SUB": one_operator("SUB", [activation(MAP), constant(MAP)], activation(MAP), {}),
    "MUL": one_operator("MUL", [activation(MAP), constant(MAP)], activation(MAP), {}),
    "PAD": one_operator(
        "PAD",
        [activation((1, 6, 6, 4)), integers(0, 0, 1, 1, 1, 1, 0, 0, shape=(4, 2), n_scales=1)],
        activation(MAP),
        {},
    ),
    "CONCATENATION": one_operator(
        "CONCATENATION", [activation(MAP), EQUAL, EQUAL], activation((1, 8, 8, 12)), {"axis": 3}
    ),
    "TANH": one_operator("TANH", [activation(MAP)], activation(MAP, 1 / 128)),
    "LOGISTIC": one_operator("LOGISTIC", [activation(MAP)], SIGMOID),
    "LEAKY_RELU": one_operator("LEAKY_RELU", [activation(MAP)], activation(MAP), {"alpha": 0.1}),
    "RELU": one_operator("RELU", [activation(MAP)], activation(MAP)),
    "HARD_SWISH": one_operator("HARD_SWISH", [activation(MAP)], activation(MAP)),
    "PRELU": one_operator("PRELU", [activation(MAP), constant((1, 1, 4))], activation(MAP)),
    "TRANSPOSE": one_operator("TRANSPOSE", [activation(MAP), integers(0, 2, 1, 3, n_scales=1)], activation(MAP), {}),
    "RESHAPE": one_operator("RESHAPE", [activation(MAP)], activation((1, 256))),
    "SQUEEZE": one_operator("SQUEEZE", [activation((1, 4, 4, 1))], activation((4, 4))),
    "EXPAND_DIMS": one_operator(
        "EXPAND_DIMS", [activation((4, 4)), integers(0, shape=(), n_scales=1)], activation((1, 4, 4)), {}
    ),
}


@pytest.mark.slow
@pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")
def test_temporaries_are_as_many_as_the_wheel_allocates():
    """With s scales on each tensor, the smallest arena grows by 4 bytes a scale for each temporary tensor.

    The graph's output keeps one such array for good, and the RESHAPE before it looks at the operator's input.
    """
    models = [write(after_a_reshape(graph, n)) for graph in TEMPORARIES.values() for n in (2000, 4000)]
    arenas = smallest_arenas(models)
    for place, (name, graph) in enumerate(TEMPORARIES.items()):
        small, large = arenas[2 * place], arenas[2 * place + 1]
        assert small is not None
        assert large is not None, name
        looked_at = KERNEL_MEMORY[name].temporary_tensors(graph, graph.operators[0], "reference")
        assert (large - small) / 8000 == max(len(looked_at), 1), name
