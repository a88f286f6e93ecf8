"""Every operator and type beyond the fixtures': the head that TFLM plans, and what Cortex-M4 code takes besides."""

import json
from pathlib import Path

import pytest

from tests.every import every
from tests.tflite.kinds import KINDS
from tests.tflite.models import activation, constant, integers, one_operator
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.export.operators import registrations
from tinynas.tflite import analyze, macs, plan_arena, plan_head, prune, read, tflm, write
from tinynas.tflite.kernel_memory import KERNEL_MEMORY
from tinynas.tflite.signal_arrays import signal_option


@pytest.fixture(scope="module")
def wheel_heads():
    """The head of every kind as the wheel plans it, all from one process."""
    return dict(zip(KINDS, tflm.heads_bytes([write(graph) for graph in KINDS.values()]), strict=True))


@pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")
@every("name", KINDS)
def test_head_is_what_the_wheel_plans(name, wheel_heads):
    assert plan_head(KINDS[name], "reference").head == wheel_heads[name]


M4 = json.loads((Path(__file__).parents[1] / "fixtures" / "kinds_m4.json").read_text())
"""What arena_used_bytes() said of each kind on an emulated Cortex-M4F, TFLM 90b983c2 with CMSIS-NN."""


@every("name", KINDS)
def test_the_arena_is_what_a_cortex_m4_used(name):
    assert plan_arena(KINDS[name], "cmsis_nn").used == M4[name]


def test_every_operator_has_a_kind_and_a_method():
    """What analyze knows, the fixtures and the kinds hold; and a resolver of TFLM takes it."""
    fixtures = json.loads((Path(__file__).parents[1] / "fixtures" / "arena" / "measured.json").read_text())
    seen = {operator.name for graph in KINDS.values() for operator in graph.operators}
    seen |= {name for row in fixtures for name in row["ops"]}
    assert set(KERNEL_MEMORY) - seen == {
        *("DEQUANTIZE", "PADV2", "SQUEEZE"),  # in test_ends, test_kernel_memory and test_temporaries
        *("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"),  # below
    }
    for graph in KINDS.values():
        (found,) = registrations(graph)
        assert found.method.startswith("Add")


@pytest.mark.parametrize(
    ("name", "persistent", "scratch"),
    [
        ("TRANSPOSE_CONV INT8", (8, 8), (4 * (3 * 2 + 3) * 2 * 3, 0)),  # rows of 9 pixels, 2 channels, 3 rows, int32
        ("TRANSPOSE_CONV INT8 deep", (8, 8), (4 * 180, 180 * 2)),  # two columns of int16, and the filter turned
        ("BATCH_MATMUL INT8", (28, 12, 20, 2 * 3 * 5, 20), ()),  # quantisation, tensor, sides and data; the result's
        ("BATCH_MATMUL FLOAT32", (12, 20, 4 * 2 * 3 * 5, 20), ()),
        ("SVDF INT8", (), (4 * 6, 4 * 3)),
        ("SVDF FLOAT32", (), (4 * 6,)),
        ("LSTM INT8", (4 * 6,) * 8, (2 * 6,) * 3),
        ("LSTM INT16", (8 * 6,) * 8, (2 * 6,) * 3),
        ("LSTM FLOAT32", (), (4 * 6,) * 4),
        ("SOFTMAX INT16", (1026, 1026), ()),
        ("Framer", (4, 4, 24 + 4 * 480), ()),
        ("Delay", (8, 8, 24 + 4 * 37, 24 + 4 * 37), ()),
    ],
)
def test_arrays_of_cmsis_nn_by_hand(name, persistent, scratch):
    graph = KINDS[name]
    row = KERNEL_MEMORY[graph.operators[0].name]
    assert row.persistent(graph, graph.operators[0], "cmsis_nn") == persistent
    assert row.scratch(graph, graph.operators[0], "cmsis_nn") == scratch


def test_a_fourier_transform_keeps_the_state_of_kissfft():
    """256 complex values in 12 + 264 bytes, the twiddles, and half as many once more."""
    graph = KINDS["Rfft INT16"]
    row = KERNEL_MEMORY["CUSTOM:SignalRfft"]
    assert row.init(graph, graph.operators[0], "cmsis_nn") == (12 + 264 + 4 * 256 + 4 * 384,)
    assert row.scratch(graph, graph.operators[0], "cmsis_nn") == (2 * 512,)


@pytest.mark.parametrize("custom", [b"", b"\0", b"nonsense of some length", None])
def test_options_of_a_signal_operator_that_cannot_be_read_are_an_error(custom):
    from dataclasses import replace

    graph = KINDS["Rfft INT16"]
    with pytest.raises(ModelError, match="SignalRfft"):
        signal_option(replace(graph.operators[0], custom=custom), "fft_length")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("TRANSPOSE_CONV INT8", 16 * 2 * 3 * 3 * 4),
        ("BATCH_MATMUL INT8 turned", 2 * 2 * 5 * 3),
        ("SVDF INT8", 6 * 8 + 6 * 5),
        ("LSTM INT8", 4 * 4 * 6 * (5 + 6)),
        ("SPLIT INT8", 0),
    ],
)
def test_multiply_accumulates_by_hand(name, count):
    assert macs(KINDS[name], KINDS[name].operators[0]) == count


def test_an_operator_whose_time_is_not_known_leaves_the_model_without_one():
    analysis = analyze(write(KINDS["SVDF INT8"]))
    assert analysis.untimed == ("SVDF",)
    assert analysis.footprint.instructions is None
    assert analysis.latency is None
    assert analysis.to_dict()["untimed"] == ["SVDF"]
    assert analysis.arena == plan_arena(KINDS["SVDF INT8"])


def test_a_state_is_never_pruned():
    graph = KINDS["SVDF INT8"]
    kept = prune(read(write(graph)))
    assert [operator.name for operator in kept.operators] == ["SVDF"]
    assert sum(tensor.is_variable for tensor in kept.tensors) == 1


def test_an_lstm_of_another_kind_is_refused():
    graph = one_operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [activation((1, 4, 5)), constant((6, 5)), integers(1)],
        activation((1, 4, 6)),
        {},
    )
    with pytest.raises(UnsupportedOperatorError, match="has 3 inputs, and TFLM's kernel takes 24"):
        plan_arena(graph)


def streaming() -> bytes:
    """A model with a variable of 3 rows, which a second subgraph fills: each call shifts one row in.

    The schema's own classes make it, since tinynas writes models of one subgraph alone.
    """
    import flatbuffers
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    def tensor_of(shape, kind, buffer=0):
        made = schema.TensorT()
        made.shape, made.type, made.buffer, made.name = list(shape), kind, buffer, b""
        return made

    def operator_of(code, inputs, outputs, kind=0, options=None):
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
        made.builtinOptionsType, made.builtinOptions = kind, options
        return made

    int8, resource = schema.TensorType.INT8, schema.TensorType.RESOURCE
    once, handle = schema.CallOnceOptionsT(), schema.VarHandleOptionsT()
    once.initSubgraphIndex, handle.container, handle.sharedName = 1, b"", b"rows"
    concatenation = schema.ConcatenationOptionsT()
    concatenation.axis = 0
    options = schema.BuiltinOptions
    main, start = schema.SubGraphT(), schema.SubGraphT()
    main.tensors = [tensor_of((1, 4), int8), tensor_of((), resource), tensor_of((3, 4), int8), tensor_of((4, 4), int8)]
    main.inputs, main.outputs = [0], [3]
    main.operators = [
        operator_of(0, [], [], options.CallOnceOptions, once),
        operator_of(1, [], [1], options.VarHandleOptions, handle),
        operator_of(2, [1], [2], options.ReadVariableOptions, schema.ReadVariableOptionsT()),
        operator_of(4, [0, 2], [3], options.ConcatenationOptions, concatenation),
        operator_of(3, [1, 2], [], options.AssignVariableOptions, schema.AssignVariableOptionsT()),
    ]
    start.tensors = [tensor_of((), resource), tensor_of((3, 4), int8, 1)]
    start.inputs, start.outputs = [], []
    start.operators = [
        operator_of(1, [], [0], options.VarHandleOptions, handle),
        operator_of(3, [0, 1], [], options.AssignVariableOptions, schema.AssignVariableOptionsT()),
    ]
    model = schema.ModelT()
    model.version, model.subgraphs = 3, [main, start]
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = bytes(range(12))
    model.operatorCodes = []
    for code in (129, 142, 143, 144, 2):  # CALL_ONCE, VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, CONCATENATION
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), 1
        model.operatorCodes.append(made)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")
def test_variables_and_the_subgraph_that_fills_them():
    data = streaming()
    graph = read(data)
    assert [operator.name for operator in graph.operators] == [
        "CALL_ONCE",
        "VAR_HANDLE",
        "READ_VARIABLE",
        "CONCATENATION",
        "ASSIGN_VARIABLE",
    ]
    assert len(graph.others) == 1
    assert plan_head(graph, "reference").head == tflm.head_bytes(data)
    arena = plan_arena(graph)
    tail = -(-(116 + 12) // 16) * 16 + 32  # the allocators, MicroResourceVariables, one variable of 20 bytes
    tail += 8 + 16 + 12 * 6 + 32 * 7  # builtin data, two subgraphs, six tensors, seven operators
    tail += 8 + 8 + 4 + 8  # parameters of CONCATENATION, of two handles and of CALL_ONCE
    tail = -(-(tail + 8) // 16) * 16 + 16 + 32 + 16  # what Init makes: CALL_ONCE, a handle, CONCATENATION, a handle
    tail += 16  # the variable's 12 bytes
    tail = -(-(tail + 4) // 16) * 16 + 32  # pointer and tensor of the input, then of the output
    tail = -(-(tail + 4) // 16) * 16 + 32
    assert arena.tail == tail
    assert analyze(data).untimed == ("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")
