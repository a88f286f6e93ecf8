"""The real TFLM: heads against recorded ones, outputs against arithmetic, failures that stay sentences."""

import json
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest

from tinynas.errors import ConversionError, ModelError, UnsupportedOperatorError
from tinynas.tflite import tflm

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"
MEASURED = {row["model"]: row for row in json.loads((ARENA / "measured.json").read_text())}
SOME = ["s_dense16", "mn_tiny_c4_b1", "f_04", "s_se_mul"]

FULLY_CONNECTED, RELU = 9, 1  # schema.fbs: BuiltinOperator, ActivationFunctionType

needs_wheel = pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")


def fixture(name: str) -> bytes:
    return (ARENA / f"{name}.tflite").read_bytes()


def unpacked(data: bytes) -> Any:
    """The model as the objects of the wheel's own schema classes."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))


def with_operator(name: str, code: int, custom: bytes | None = None) -> bytes:
    """A fixture whose last operator code is another one."""
    model = unpacked(fixture(name))
    model.operatorCodes[-1].builtinCode = code
    model.operatorCodes[-1].deprecatedBuiltinCode = min(code, 127)
    model.operatorCodes[-1].customCode = custom
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@needs_wheel
@pytest.mark.parametrize("name", SOME)
def test_head_is_the_recorded_one(name: str) -> None:
    assert tflm.head_bytes(fixture(name)) == MEASURED[name]["x86_wheel"]["head"]


@needs_wheel
def test_heads_of_many_come_in_their_order() -> None:
    recorded = tuple(MEASURED[name]["x86_wheel"]["head"] for name in SOME)
    assert tflm.heads_bytes([fixture(name) for name in SOME]) == recorded
    assert len(set(recorded)) > 1


@needs_wheel
def test_one_bad_model_among_many_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"^TFLM"):
        tflm.heads_bytes([fixture("s_dense16"), b"no model at all"])
    with pytest.raises(UnsupportedOperatorError, match=r"^TFLM has no operator GELU;"):
        tflm.heads_bytes([fixture("s_dense16"), with_operator("s_dense16", 150)])


def dense_by_hand(model: Any, x: np.ndarray) -> np.ndarray:
    """The float value of a chain of FULLY_CONNECTED and SOFTMAX, each result rounded to its int8 tensor."""
    graph = model.subgraphs[0]

    def scale_of(index: int) -> tuple[np.ndarray, int]:
        quantization = graph.tensors[index].quantization
        return np.asarray(quantization.scale, dtype=np.float64), int(quantization.zeroPoint[0])

    def constant(index: int, dtype: str) -> np.ndarray:
        raw = np.asarray(model.buffers[graph.tensors[index].buffer].data, dtype=np.uint8)
        return raw.view(dtype).reshape(graph.tensors[index].shape)

    for operator in graph.operators:
        source, target = operator.inputs[0], operator.outputs[0]
        (scale,), zero = scale_of(source)
        real = (x.astype(np.float64) - zero) * scale
        if model.operatorCodes[operator.opcodeIndex].builtinCode == FULLY_CONNECTED:
            weight_scale, _ = scale_of(operator.inputs[1])
            real = real @ (constant(operator.inputs[1], "<i1").T * weight_scale)
            if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
                real = real + constant(operator.inputs[2], "<i4") * weight_scale * scale
            if operator.builtinOptions.fusedActivationFunction == RELU:
                real = np.maximum(real, 0)
        else:
            real = np.exp(real - real.max(axis=1, keepdims=True))
            real = real / real.sum(axis=1, keepdims=True)
        (scale,), zero = scale_of(target)
        x = np.clip(np.round(real / scale) + zero, -128, 127)
    return x


@needs_wheel
def test_outputs_are_those_of_the_arithmetic() -> None:
    data = fixture("s_dense16")
    x = np.random.default_rng(0).integers(-128, 128, (50, 16), dtype=np.int8)
    model = unpacked(data)
    outputs = tflm.run(data, x)
    expected = dense_by_hand(model, x)
    assert outputs.shape == expected.shape
    assert outputs.dtype == np.int8
    assert np.ptp(outputs.astype(int)) > 20
    assert np.abs(outputs - expected).max() <= 2


@needs_wheel
def test_samples_do_not_depend_on_one_another() -> None:
    data = fixture("mn_tiny_c4_b1")
    x = np.random.default_rng(1).integers(-128, 128, (6, 28, 28), dtype=np.int8)
    together = tflm.run(data, x)
    assert len({row.tobytes() for row in together}) > 1
    np.testing.assert_array_equal(together, np.concatenate([tflm.run(data, x[i : i + 1]) for i in range(6)]))


@needs_wheel
def test_an_arena_of_the_recorded_size_is_enough_and_a_small_one_is_told() -> None:
    name = "mn_tiny_c4_b1"
    x = np.zeros((1, 28, 28, 1), np.int8)
    enough = MEASURED[name]["x86_wheel"]["total"] + 256
    assert tflm.run(fixture(name), x, arena_bytes=enough).shape == (1, 10)
    for too_small in (100, 500, 2000):
        with pytest.raises(ModelError, match=rf"{too_small:,} bytes") as caught:
            tflm.run(fixture(name), x, arena_bytes=too_small)
        assert "\n" not in str(caught.value)


@needs_wheel
@pytest.mark.parametrize(
    ("code", "custom", "named"),
    [(150, None, "GELU"), (125, None, "SEGMENT_SUM"), (32, b"MyOp", "CUSTOM")],
)
def test_an_operator_that_tflm_lacks_is_named(code: int, custom: bytes | None, named: str) -> None:
    with pytest.raises(UnsupportedOperatorError, match=rf"^TFLM has no operator {named};"):
        tflm.head_bytes(with_operator("s_dense16", code, custom))


@needs_wheel
def test_an_operator_that_refuses_says_why() -> None:
    with pytest.raises(ModelError, match=r"Node SIN \(number 2\) failed to invoke") as caught:
        tflm.run(with_operator("s_dense16", 66), np.zeros((1, 16), np.int8))
    assert "\n" not in str(caught.value)


@needs_wheel
@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"no model at all", fixture("s_dense16")[:900]])
def test_what_is_no_model_is_a_model_error(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"^TFLM"):
        tflm.run(data, np.zeros((1, 16), np.int8))


@needs_wheel
@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (np.zeros((1, 16), np.float32), r"the model's input is int8, the samples are float32"),
        (np.zeros((1, 16)), r"inputs have type float64 and shape \(1, 16\), wanted int8, uint8 or float32"),
        (np.zeros(16, np.int8), r"shape \(16,\), wanted int8, uint8 or float32 \(n, ...\)"),
        (np.zeros((0, 16), np.int8), r"shape \(0, 16\), wanted int8"),
        (np.zeros((3, 15), np.int8), r"samples of shape \(15,\) do not fit the model's input \(1, 16\)"),
    ],
)
def test_inputs_that_do_not_fit(inputs: np.ndarray, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        tflm.run(fixture("s_dense16"), inputs)


@needs_wheel
def test_nothing_is_said_on_our_own_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    tflm.head_bytes(fixture("s_dense16"))
    with pytest.raises(ModelError):
        tflm.head_bytes(b"")
    assert capfd.readouterr() == ("", "")


def test_without_the_wheel_the_platform_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflm, "available", lambda: False)
    monkeypatch.setattr(tflm.platform, "machine", lambda: "arm64")
    with pytest.raises(ModelError, match=r"not installed here \(\w+ arm64\): .* Linux on x86-64 alone"):
        tflm.head_bytes(b"")


@needs_wheel
@pytest.mark.parametrize("name", SOME)
def test_the_head_is_the_one_that_tinynas_plans(name):
    tflm.require_same_head(fixture(name))


def test_a_head_that_tflm_plans_otherwise_is_an_error(monkeypatch):
    monkeypatch.setattr(tflm, "available", lambda: True)
    monkeypatch.setattr(tflm, "head_bytes", lambda data: 5)
    with pytest.raises(
        ConversionError, match=r"head of 5 B .* plans [\d,]+ B \(operators: FULLY_CONNECTED.*report the"
    ):
        tflm.require_same_head(fixture("s_dense16"))


def test_without_the_wheel_nothing_is_said_of_the_head(monkeypatch):
    monkeypatch.setattr(tflm, "available", lambda: False)
    monkeypatch.setattr(tflm, "head_bytes", lambda data: 5)
    tflm.require_same_head(fixture("s_dense16"))
