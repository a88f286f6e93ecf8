"""Writing against reading back, the wheel's object API, TFLM's needs, and the arithmetic of the size."""

import struct
import time
from dataclasses import replace

import pytest
import tflite
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.every import every
from tests.tflite.models import (
    NAMES,
    activation,
    constant,
    conv_graph,
    fixture,
    integers,
    nets,
    one_operator,
    without_names,
)
from tests.tflite.test_read import needs_wheel, numbers, unpacked
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite import Graph, Operator, Tensor, read, size_of, write
from tinynas.tflite.layout import present_fields
from tinynas.tflite.options import option_tables
from tinynas.tflite.schema import DTYPE_NAMES, OPERATOR_CODES, fields_of


@every("name", NAMES)
def test_what_is_written_is_read_back(name):
    graph = read(fixture(name))
    data = write(graph)
    assert read(data) == without_names(graph)
    assert write(read(data)) == data
    assert len(data) < len(fixture(name))


@every("name", NAMES)
def test_the_size_is_known_without_writing(name):
    graph = read(fixture(name))
    assert size_of(graph) == len(write(graph))


@needs_wheel
@pytest.mark.parametrize("name", ["mn_concat", "c1d_1024_ecg", "vw_mobilenetish_b1", "o_prelu"])
def test_the_object_api_reads_the_same(name):
    graph = read(fixture(name))
    model = unpacked(write(graph))
    subgraph = model.subgraphs[0]
    assert (model.version, model.description, model.metadata, model.signatureDefs) == (3, None, None, None)
    assert subgraph.name is None
    for tensor, found in zip(graph.tensors, subgraph.tensors, strict=True):
        assert found.name is None
        assert found.shapeSignature is None
        assert numbers(found.shape) == tensor.shape
        assert DTYPE_NAMES[found.type] == tensor.dtype
        assert numbers(found.quantization and found.quantization.zeroPoint) == tensor.zero_points
        stored = model.buffers[found.buffer].data
        assert (b"" if stored is None else bytes(stored)) == (tensor.data or b"")
    for code in model.operatorCodes:
        assert code.builtinCode == code.deprecatedBuiltinCode
    assert len(model.operatorCodes) == len({(o.name, o.version) for o in graph.operators})


@every("name", NAMES)
def test_constants_lie_at_multiples_of_16(name):
    data = write(read(fixture(name)))
    model = tflite.Model.GetRootAs(data, 0)
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if buffer.DataLength():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            assert start % 16 == 0


def test_zero_points_lie_at_multiples_of_8():
    data = write(read(fixture("vw_mobilenetish_b1")))
    subgraph = tflite.Model.GetRootAs(data, 0).Subgraphs(0)
    for index in range(subgraph.TensorsLength()):
        quantization = subgraph.Tensors(index).Quantization()
        if quantization is not None and quantization.ZeroPointLength():
            field = quantization._tab.Offset(4 + 2 * 3)
            assert quantization._tab.Vector(field) % 8 == 0


def test_equal_constants_share_a_buffer():
    graph = conv_graph()
    twice = replace(graph, tensors=(*graph.tensors, graph.tensors[1]))
    assert tflite.Model.GetRootAs(write(twice), 0).BuffersLength() == 3
    assert len(write(twice)) - len(write(graph)) < 112  # a tensor and its scales, not its 108 bytes again


@given(st.randoms(use_true_random=False), st.sampled_from(["vw_mobilenetish_b1", "c1d_dw_b1", "s_dw_mult2", "o_quant"]))
def test_the_order_of_the_tensors_does_not_change_the_size(random, name):
    graph = read(fixture(name))
    order = list(range(len(graph.tensors)))
    random.shuffle(order)
    place = {old: new for new, old in enumerate(order)} | {-1: -1}
    shuffled = replace(
        graph,
        tensors=tuple(graph.tensors[old] for old in order),
        operators=tuple(
            replace(o, inputs=tuple(place[i] for i in o.inputs), outputs=tuple(place[i] for i in o.outputs))
            for o in graph.operators
        ),
        inputs=tuple(place[i] for i in graph.inputs),
        outputs=tuple(place[i] for i in graph.outputs),
    )
    assert size_of(shuffled) == len(write(shuffled)) == size_of(graph)


@given(st.floats(0.125, 9, width=32), st.integers(-128, 127), st.integers(1, 9))
def test_values_do_not_change_the_size(scale, zero_point, seed):
    graph = conv_graph()
    source = replace(graph.tensors[0], scales=(scale,), zero_points=(zero_point,))
    weights = constant((4, 3, 3, 3), seed=seed, n_scales=4)
    changed = replace(graph, tensors=(source, weights, *graph.tensors[2:]))
    assert len(write(changed)) == len(write(graph))


def values_of(table):
    """Random values for the fields of an option table; None where a string or a vector is left empty."""
    numbers_by_kind = {
        "Bool": st.booleans(),
        "Int8": st.integers(-128, 127),
        "Uint8": st.integers(0, 255),
        "Int32": st.integers(-(2**31), 2**31 - 1),
        "Uint32": st.integers(0, 2**32 - 1),
        "Int64": st.integers(-(2**63), 2**63 - 1),
        "Float32": st.floats(-1e6, 1e6, width=32),
        "string": st.integers(0, 9).flatmap(lambda length: st.binary(min_size=length, max_size=length)),
    }
    strategies = {}
    for field in fields_of(table)[0]:
        floats = field.name == "boundaries"
        items = st.floats(-9, 9, width=32) if floats else st.integers(-(2**31), 2**31 - 1)
        vectors = st.lists(items, max_size=5).map(tuple)
        strategies[field.name] = vectors if field.kind == "vector" else numbers_by_kind[field.kind]
    return st.fixed_dictionaries(strategies)


def signed_zeros_away(options):
    """-0.0 equals the default 0.0 and is left out; nothing that TFLM reads tells them apart."""
    return {name: value + 0.0 if isinstance(value, float) else value for name, value in options.items()}


@every("name", sorted(option_tables()))
@settings(max_examples=20)
@given(data=st.data())
def test_the_options_of_every_operator_survive(name, data):
    options = data.draw(values_of(option_tables()[name]))
    graph = one_operator(name, [activation((1, 4))], activation((1, 4)), options)
    file = write(graph)
    assert size_of(graph) == len(file)
    assert signed_zeros_away(read(file).operators[0].options) == signed_zeros_away(options)


@st.composite
def graphs(draw):
    """Graphs of all that a file can hold: types, scales, custom operators, intermediates, a plan."""
    net = draw(nets(most=8))
    dtypes = st.sampled_from(["INT8", "INT32", "FLOAT32", "INT16", "UINT8", "INT64", "BOOL"])
    tensors = []
    for tensor in net.tensors:
        channels = tensor.shape[-1]
        n = draw(st.sampled_from([0, 1, channels]))
        axis = 1 if n > 1 else draw(st.integers(0, 3))
        given_data = draw(st.binary(min_size=channels, max_size=channels)) if draw(st.booleans()) else None
        tensors.append(
            replace(
                tensor,
                dtype="INT8" if given_data else draw(dtypes),
                data=given_data,
                scales=(0.5,) * n,
                zero_points=(draw(st.integers(-128, 127)),) * n if draw(st.booleans()) else (),
                quantized_axis=axis if n else 0,
                is_variable=draw(st.booleans()),
            )
        )
    operators = [
        replace(o, name=f"CUSTOM:{draw(st.text(max_size=6))}", custom=draw(st.binary(max_size=9)), options=None)
        if draw(st.booleans())
        else replace(o, version=draw(st.integers(1, 3)), intermediates=(0,) if draw(st.booleans()) else ())
        for o in net.operators
    ]
    plan = tuple(16 * k for k in range(len(tensors))) if draw(st.booleans()) else None
    return replace(net, tensors=tuple(tensors), operators=tuple(operators), offline_plan=plan)


@given(graphs())
def test_any_graph_survives_and_its_size_is_known(graph):
    data = write(graph)
    assert len(data) % 16 == 0
    assert size_of(graph) == len(data)
    assert read(data) == graph


def test_options_may_leave_defaults_out():
    short = one_operator("ADD", [activation((1, 4))] * 2, activation((1, 4)), {})
    assert read(write(short)).operators[0].options == {"fused_activation_function": 0, "pot_scale_int16": True}
    none = one_operator("ADD", [activation((1, 4))] * 2, activation((1, 4)), None)
    assert read(write(none)).operators[0].options is None


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (Operator("ADD", 1, (0,), (1,), {"colour": 3}), "colour"),
        (Operator("RELU", 1, (0,), (1,), {"alpha": 0.1}), "no table"),
        (Operator("NO_SUCH", 1, (0,), (1,)), "NO_SUCH is not in the schema"),
    ],
)
def test_what_no_file_can_hold_is_named(operator, message):
    graph = replace(one_operator("ADD", [activation((1, 4))], activation((1, 4))), operators=(operator,))
    with pytest.raises(UnsupportedOperatorError, match=message):
        write(graph)


def test_a_graph_that_does_not_hold_together_is_an_error():
    graph = conv_graph()
    with pytest.raises(ModelError, match="names tensor 9"):
        write(replace(graph, outputs=(9,)))
    with pytest.raises(ModelError, match="1 offsets for 4 tensors"):
        write(replace(graph, offline_plan=(0,)))
    with pytest.raises(UnsupportedOperatorError, match="3 subgraphs"):
        write(replace(graph, n_subgraphs=3))
    with pytest.raises(ModelError, match="INT99"):
        write(replace(graph, tensors=(replace(graph.tensors[0], dtype="INT99"), *graph.tensors[1:])))
    with pytest.raises(ModelError, match="no field 'sizes'"):
        present_fields("Tensor", {"sizes": 1})


def test_codes_above_127_are_written_in_the_new_field():
    assert OPERATOR_CODES["GELU"] > 127
    graph = one_operator("GELU", [activation((1, 4))], activation((1, 4)), {"approximate": True})
    assert read(write(graph)).operators[0].name == "GELU"


def test_a_plan_whose_bytes_are_a_constants_finds_its_buffer():
    same = integers(1, 1, 2, 0, 16)
    other = integers(3)
    graph = Graph((same, other), (), (0,), (1,), offline_plan=(0, 16))
    assert read(write(graph)) == graph
    assert size_of(graph) == len(write(graph))


def test_an_empty_graph_is_a_file():
    empty = Graph((), (), (), ())
    assert read(write(empty)) == empty
    assert size_of(empty) == len(write(empty))


def test_a_scalar_keeps_its_empty_shape():
    graph = Graph((Tensor("", (), "INT32", struct.pack("<i", 7)), integers(1, 2)), (), (0,), (1,))
    assert read(write(graph)) == graph


def test_writing_and_counting_are_fast():
    """A CNN of 38 tensors: 1-2 ms to write and 0.2 ms to count on an idle core, with room for a busy one."""
    graph = read(fixture("ci_invres"))

    def best(work):
        times = []
        for _ in range(20):
            start = time.perf_counter()
            work(graph)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(write) < 0.004
    assert best(size_of) < 0.001
