"""Reading against the wheel's own object API, and damaged or hostile files against one clear sentence."""

import struct
import time
import tracemalloc
from dataclasses import fields, replace

import flatbuffers
import numpy as np
import pytest
import tflite
from hypothesis import given
from hypothesis import strategies as st

from tests.every import every
from tests.tflite.models import NAMES, conv_graph, fixture
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite import Graph, analyze, read, tflm, write
from tinynas.tflite.options import option_tables
from tinynas.tflite.schema import DTYPE_NAMES, OPERATOR_CODES, OPERATOR_NAMES

needs_wheel = pytest.mark.skipif(
    not tflm.available(), reason="the object API that reading is held against is in the tflite_micro wheel"
)


def unpacked(data):
    """The model as the objects of the wheel's own schema classes."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(data, 0)


def numbers(values):
    return () if values is None else tuple(np.asarray(values).tolist())


@needs_wheel
@every("name", NAMES)
def test_every_field_is_that_of_the_object_api(name):
    graph, model = read(fixture(name)), unpacked(fixture(name))
    subgraph = model.subgraphs[0]
    assert graph.inputs == numbers(subgraph.inputs)
    assert graph.outputs == numbers(subgraph.outputs)
    assert len(graph.tensors) == len(subgraph.tensors)
    for tensor, wanted in zip(graph.tensors, subgraph.tensors, strict=True):
        assert tensor.name == wanted.name.decode()
        assert tensor.shape == numbers(wanted.shape)
        assert tensor.dtype == DTYPE_NAMES[wanted.type]
        stored = model.buffers[wanted.buffer].data
        assert (tensor.data or b"") == (b"" if stored is None else bytes(stored))
        quantization = wanted.quantization
        assert tensor.scales == numbers(quantization and quantization.scale)
        assert tensor.zero_points == numbers(quantization and quantization.zeroPoint)
        assert tensor.quantized_axis == (quantization.quantizedDimension if quantization else 0)
    for operator, wanted in zip(graph.operators, subgraph.operators, strict=True):
        code = model.operatorCodes[wanted.opcodeIndex]
        assert operator.name == OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        assert operator.version == code.version
        assert operator.inputs == numbers(wanted.inputs)
        assert operator.outputs == numbers(wanted.outputs)
        if wanted.builtinOptions is None:
            assert operator.options is None
        else:
            found = {name.replace("_", "").lower(): value for name, value in operator.options.items()}
            options = {name.lower(): value for name, value in vars(wanted.builtinOptions).items()}
            newer = {name for name, value in options.items() if name not in found and value is None}
            assert found == {name: value for name, value in options.items() if name not in newer}


def small(**changes) -> bytes:
    return write(replace(conv_graph(), **changes))


def one_word(old: bytes, new: bytes, data: bytes) -> bytes:
    assert data.count(old) == 1, "the pattern is not unique"
    return data.replace(old, new)


def outcome(data: bytes) -> Graph | None:
    """The graph, or None when the file is refused in one sentence; any other error fails the test."""
    try:
        return read(data)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None


def vector_of(b: flatbuffers.Builder, start, *tables: int) -> int:
    start(b, len(tables))
    for table in reversed(tables):
        b.PrependUOffsetTRelative(table)
    return b.EndVector()


def code_file(deprecated: int, builtin: int, custom: bytes | None = None, version: int = 3) -> bytes:
    """A file of one operator and its code, by the flatbuffers builder."""
    b = flatbuffers.Builder(256)
    text = b.CreateString(custom) if custom is not None else None
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, deprecated)
    tflite.OperatorCodeAddBuiltinCode(b, builtin)
    if text is not None:
        tflite.OperatorCodeAddCustomCode(b, text)
    code = tflite.OperatorCodeEnd(b)
    tflite.OperatorStart(b)
    operators = vector_of(b, tflite.SubGraphStartOperatorsVector, tflite.OperatorEnd(b))
    tflite.SubGraphStart(b)
    tflite.SubGraphAddOperators(b, operators)
    return finished(b, tflite.SubGraphEnd(b), version, code=code)


def finished(b: flatbuffers.Builder, subgraph: int, version: int = 3, **tables: int) -> bytes:
    """The file of a model with one subgraph and, where given, one operator code or one buffer."""
    subgraphs = vector_of(b, tflite.ModelStartSubgraphsVector, subgraph)
    codes = vector_of(b, tflite.ModelStartOperatorCodesVector, tables["code"]) if "code" in tables else None
    buffers = vector_of(b, tflite.ModelStartBuffersVector, tables["buffer"]) if "buffer" in tables else None
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, version)
    tflite.ModelAddSubgraphs(b, subgraphs)
    if codes is not None:
        tflite.ModelAddOperatorCodes(b, codes)
    if buffers is not None:
        tflite.ModelAddBuffers(b, buffers)
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    return bytes(b.Output())


@pytest.mark.parametrize(
    ("deprecated", "builtin", "name"),
    [(3, 0, "CONV_2D"), (0, 3, "CONV_2D"), (3, 3, "CONV_2D"), (127, 150, "GELU"), (0, 0, "ADD")],
)
def test_the_larger_of_both_codes_counts(deprecated, builtin, name):
    assert read(code_file(deprecated, builtin)).operators[0].name == name


def test_a_custom_operator_cannot_take_a_builtins_name():
    operator = read(code_file(32, 32, b"CONV_2D")).operators[0]
    assert operator.name == "CUSTOM:CONV_2D"
    assert operator.custom == b""


@pytest.mark.parametrize("code", [127, 5000])
def test_an_unknown_code_is_named(code):
    with pytest.raises(UnsupportedOperatorError, match=f"number {code}"):
        read(code_file(0, code))


def test_a_negative_code_does_not_count():
    assert read(code_file(3, -1)).operators[0].name == "CONV_2D"


def test_another_schema_version_is_an_error():
    with pytest.raises(ModelError, match="schema version is 2"):
        read(code_file(3, 3, version=2))


@pytest.mark.parametrize("data", [b"", b"TFL3", bytes(8), b"\x00\x00\x00\x00TFL3", b"\xff\xff\xff\xffTFL3", b"x" * 99])
def test_what_is_no_tflite_is_one_sentence(data):
    with pytest.raises(ModelError) as error:
        read(data)
    assert "\n" not in str(error.value)


def test_every_truncation_is_an_error_or_harmless():
    data = fixture("s_dense16")
    refused = [outcome(data[:length]) is None for length in range(len(data))]
    assert sum(refused) > 0.9 * len(data)


@given(st.lists(st.tuples(st.integers(0, 1911), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_bytes_are_an_error_or_a_graph(changes):
    data = bytearray(fixture("s_dense16"))
    for at, value in changes:
        data[at % len(data)] = value
    outcome(bytes(data))


@pytest.mark.parametrize("word", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x00FFFFFF, 0])
def test_any_word_may_be_anything(word):
    """Each aligned word in turn becomes an extreme: huge lengths, offsets far away, sizes that overflow."""
    data = small()
    start, refused = time.process_time(), 0
    for at in range(0, len(data) - 3, 4):
        changed = data[:at] + struct.pack("<I", word) + data[at + 4 :]
        refused += outcome(changed) is None
    assert refused > len(data) // 40
    assert time.process_time() - start < 10


def shared(n_tensors: int, shape_length: int) -> bytes:
    """A file whose many tensors are one table with one long shape."""
    b = flatbuffers.Builder(1 << 16)
    shape = b.CreateNumpyVector(np.ones(shape_length, np.int32))
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, shape)
    tensor = tflite.TensorEnd(b)
    tflite.BufferStart(b)
    buffer = tflite.BufferEnd(b)
    tensors = vector_of(b, tflite.SubGraphStartTensorsVector, *[tensor] * n_tensors)
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, tensors)
    return finished(b, tflite.SubGraphEnd(b), buffer=buffer)


@pytest.mark.parametrize(("n_tensors", "shape_length"), [(4000, 8), (4000, 100_000), (100_000, 1), (1, 10**6)])
def test_shared_parts_cost_no_more_than_a_plain_file(n_tensors, shape_length):
    data = shared(n_tensors, shape_length)
    tracemalloc.start()
    start = time.process_time()
    found = outcome(data)
    assert found is None or len(found.tensors) == n_tensors <= 4096
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 1.5  # twice as slow under tracemalloc
    assert peak < 64 << 20


def test_a_file_above_64_mib_is_an_error():
    with pytest.raises(ModelError, match="67,108,864"):
        read(b"\x00\x00\x00\x00TFL3" + bytes(64 << 20))


def changed_tensor(index: int, **changes) -> Graph:
    graph = conv_graph()
    tensors = list(graph.tensors)
    tensors[index] = replace(tensors[index], **changes)
    return replace(graph, tensors=tuple(tensors))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (changed_tensor(0, shape=(1, -8, 8, 3)), "none negative"),
        (changed_tensor(0, shape=(1,) * 9), "at most 8 sizes"),
        (changed_tensor(0, shape=(60000, 60000, 1, 1)), "3,600,000,000 bytes"),
        (changed_tensor(0, shape=(2**31 - 1,) * 8), "at most"),
        (changed_tensor(1, data=b"short"), "5 bytes of data"),
        (changed_tensor(0, scales=(float("nan"),)), "scale nan"),
        (changed_tensor(0, scales=(float("inf"),)), "scale inf"),
        (changed_tensor(0, scales=(-0.5,)), "scale -0.5"),
        (changed_tensor(0, zero_points=(2**40,)), "zero point outside 32 bits"),
        (changed_tensor(0, scales=(0.5, 0.5), zero_points=(0, 0)), "2 scales along axis 0"),
        (changed_tensor(1, quantized_axis=7), "along axis 7"),
        (changed_tensor(1, zero_points=(0, 0)), "4 scales but 2 zero points"),
        (changed_tensor(0, scales=()), "0 scales but 1 zero points"),
    ],
)
def test_an_unsound_tensor_is_an_error(graph, message):
    with pytest.raises(ModelError, match=message):
        read(write(graph))


@needs_wheel
@pytest.mark.parametrize("axis", [3, 1, -1])
def test_the_axis_of_a_list_is_of_no_weight(axis):
    """Biases with the quantized_dimension of their filter are in public files; TFLM runs these."""
    odd, plain = changed_tensor(2, quantized_axis=axis), conv_graph()
    data = write(odd)
    assert read(data) == read(write(plain))
    assert data != write(plain)
    assert analyze(data).arena == analyze(write(plain)).arena
    assert tflm.head_bytes(data) == analyze(data, kernels="reference").arena.head
    samples = np.random.default_rng(0).integers(-128, 128, (4, 8, 8, 3), dtype=np.int8)
    np.testing.assert_array_equal(tflm.run(data, samples), tflm.run(write(plain), samples))
    with pytest.raises(ModelError, match=r"4 scales along axis 0 of its shape \[5\]"):
        read(write(changed_tensor(2, shape=(5,), data=bytes(20), quantized_axis=axis)))


def test_indices_out_of_range_are_an_error():
    data = small()
    inputs = struct.pack("<4i", 3, 0, 1, 2)
    for index in (4, -2, 2**31 - 1):
        with pytest.raises(ModelError, match=f"names tensor {index}"):
            read(one_word(inputs, struct.pack("<4i", 3, 0, 1, index), data))


def test_an_optional_input_may_be_left_out_and_an_output_may_not():
    data = small()
    inputs = struct.pack("<4i", 3, 0, 1, 2)
    assert read(one_word(inputs, struct.pack("<4i", 3, 0, 1, -1), data)).operators[0].inputs == (0, 1, -1)


def test_options_of_another_operator_are_refused():
    data = write(conv_graph())
    tables = tflite.Model.GetRootAs(data, 0)
    code = tables.OperatorCodes(0)
    places = [code._tab.Pos + code._tab.Offset(slot) for slot in (4, 10)]  # the old field and the new one
    changed = bytearray(data)
    for at in places:
        changed[at] = OPERATOR_CODES["SOFTMAX"]
    with pytest.raises(UnsupportedOperatorError, match=r"SOFTMAX.*Conv2DOptions.*SoftmaxOptions"):
        read(bytes(changed))


def test_the_offline_plan_is_read():
    assert read(small(offline_plan=(0, -1, -1, 192))).offline_plan == (0, -1, -1, 192)
    assert read(small()).offline_plan is None


def test_an_offline_plan_for_another_model_is_an_error():
    data = small(offline_plan=(0, -1, -1, 192))
    wrong = one_word(struct.pack("<3i", 1, 1, 4), struct.pack("<3i", 1, 1, 5), data)
    with pytest.raises(ModelError, match="for 5 tensors, but the model has 4"):
        read(wrong)


def test_every_option_table_of_the_schema_belongs_to_an_operator():
    tables = {name for name in vars(tflite.BuiltinOptions) if name.endswith("Options")}
    assert set(option_tables().values()) == tables


def test_a_graph_is_frozen():
    graph = conv_graph()
    for value in (graph, graph.tensors[0], graph.operators[0]):
        with pytest.raises(AttributeError):
            setattr(value, fields(value)[0].name, None)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_bytes_like_is_read(kind):
    assert read(kind(small())) == read(small())


@pytest.mark.parametrize("data", [5, "model.tflite", None])
def test_what_is_no_bytes_is_a_type_error(data):
    with pytest.raises(TypeError):
        read(data)
