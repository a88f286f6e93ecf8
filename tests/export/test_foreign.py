"""Models that tinynas did not make: every kind of file through the whole export, and what is refused."""

import shutil

import numpy as np
import pytest

from tests.export.firmware import ARENA, fixture, needs_compiler, program, run, table
from tests.export.models import depthwise, picture, residual, saved, series
from tests.export.test_convert import FILES, constants, golden, shape_of
from tests.tflite import wheel
from tinynas import Dataset, convert
from tinynas.errors import ConversionError, DataError, ModelError, TinynasError, UsageError
from tinynas.export import check
from tinynas.export.ends import ends
from tinynas.export.facts import in_shape, stretched
from tinynas.tflite import read, tflm


@pytest.fixture(scope="module")
def keras3(tensorflow):
    import keras

    return keras


@pytest.fixture(scope="module")
def model_file(keras3, tmp_path_factory):
    return saved(picture(keras3), tmp_path_factory.mktemp("keras") / "my-net.keras")


def _settings(folder, name):
    return constants((folder / f"{name}_settings.h").read_text())


def test_a_keras_file_is_quantised_and_compared(model_file, stripes, tmp_path, keras3):
    converted = convert(model_file, data=stripes, out=tmp_path / "fw", target="nucleo_f401")
    assert [path.name for path in converted.files] == [name.format("my_net") for name in FILES]
    assert converted.stage is None
    assert converted.analysis.fits
    model = keras3.models.load_model(model_file)
    right = (np.asarray(model(stripes.x_test)).argmax(axis=1) == stripes.y_test).mean()
    assert converted.accuracy.samples == len(stripes.x_test)
    assert converted.accuracy.float32 == pytest.approx(right)
    assert abs(converted.accuracy.int8 - right) <= 2 / len(stripes.x_test)
    inputs, outputs = golden(tmp_path / "fw", "my_net")
    data = (tmp_path / "fw" / "my_net.tflite").read_bytes()
    np.testing.assert_array_equal(tflm.run(data, inputs), outputs)
    assert {operator.name for operator in read(data).operators} == {
        "CONV_2D",
        "MAX_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
    }
    assert _settings(tmp_path / "fw", "my_net")["MY_NET_CLASSES"] == "3"


def _program_passes(folder, name, tmp_path):
    """Build the folder with a stand-in for TFLM that answers as the wheel does, and run it."""
    shutil.copytree(folder, tmp_path / "build")
    inputs, _ = golden(folder, name)
    samples = inputs.reshape(len(inputs), *shape_of(folder, name))
    (answers,) = wheel.outputs([((folder / f"{name}.tflite").read_bytes(), samples)])
    table(tmp_path / "build", inputs, answers, 0)
    assert ": PASS\n" in run([program(tmp_path / "build", name)], tmp_path / "build")


@needs_compiler
@pytest.mark.parametrize("model", ["h1_128x6_har_b1", "c1d_dw_b1", "ci_res16_avg_b1"])  # 1-D, depthwise, residual
def test_a_tflite_of_any_origin_through_the_whole_export(tmp_path, model):
    converted = convert(ARENA / f"{model}.tflite", out=tmp_path / "fw", name="net")
    assert [path.name for path in converted.files] == [name.format("net") for name in FILES]
    assert not converted.offline_plan
    settings = _settings(tmp_path / "fw", "net")
    assert settings["NET_KERNELS"] == '"any"'
    assert settings["NET_NORMALIZATION_PAIRS"] == "0"
    assert converted.accuracy is None
    _program_passes(tmp_path / "fw", "net", tmp_path)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("build", [series, depthwise, residual])
@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_float_models_through_the_whole_export(keras3, stripes, tmp_path, build, library):
    from tinynas.training.keras import keras as tf_keras

    path = saved(build(keras3 if library == "keras" else tf_keras), tmp_path / "net.keras")
    long = Dataset.from_arrays(stripes.x.reshape(-1, 64), stripes.y, stripes.x_test.reshape(-1, 64), stripes.y_test)
    converted = convert(path, data=long if build is series else stripes, out=tmp_path / "fw", target="nucleo_f401")
    assert converted.tflm_largest_step in (0, 1)
    assert abs(converted.accuracy.float32 - converted.accuracy.int8) <= 0.2
    _program_passes(tmp_path / "fw", "net", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("model", sorted(path.stem for path in ARENA.glob("*.tflite")))
def test_every_fixture_is_exported(tmp_path, model):
    converted = convert(ARENA / f"{model}.tflite", out=tmp_path / "fw", name="net")
    inputs, outputs = golden(tmp_path / "fw", "net")
    samples = inputs.reshape(len(inputs), *shape_of(tmp_path / "fw", "net"))
    (answers,) = wheel.outputs([(fixture(model), samples)])
    np.testing.assert_array_equal(answers.reshape(outputs.shape), outputs)
    assert len(converted.files) == len(FILES)


def test_a_tflite_with_data_has_classes_and_an_accuracy(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    data = Dataset.from_arrays(x, np.arange(40) % 10, class_names=[f"n{i}" for i in range(10)], test_fraction=0.5)
    path = ARENA / "mn_tiny_c4_b1.tflite"
    given, _ = ends(path.read_bytes())
    low, high = ((step - given.zero_points[0]) * given.scales[0] for step in (-128, 127))
    converted = convert(
        path, data=data, out=tmp_path, name="net", formats=("settings", "test"), input_range=(low, high)
    )
    answers = tflm.run(path.read_bytes(), (data.x_test * 255 - 128).round().astype(np.int8)).argmax(axis=1)
    assert converted.accuracy.int8 == pytest.approx((answers == data.y_test).mean(), abs=0.051)
    assert converted.accuracy.float32 is None
    assert converted.notes == ()
    settings = _settings(tmp_path, "net")
    assert settings["NET_NORMALIZATION_PAIRS"] == "1"
    assert '"n0", "n1"' in (tmp_path / "net_settings.h").read_text()
    stretched = convert(path, data=data, out=tmp_path, name="net", formats=("settings",), input_range=(0, 255))
    assert f"holds {low:.3g} to {high:.3g}, but the data are given as 0 to 255" in stretched.notes[0]
    assert _settings(tmp_path, "net")["NET_INPUT_HIGH"] == "255.0f"


def shaped(*shape):
    rng = np.random.default_rng(0)
    return Dataset.from_arrays(rng.random((20, *shape)), np.arange(20) % 2)


@pytest.mark.parametrize(
    ("have", "wanted", "found"),
    [
        ((8, 8), (8, 8, 1), (8, 8, 1)),
        ((8, 8), (8, 8), (8, 8)),
        ((8, 8), (64,), (64,)),
        ((8, 8), (None,), (64,)),
        ((8, 8), (None, None, 1), (8, 8, 1)),
        ((20,), (20, 1), (20, 1)),
        ((20,), (1, 20, 1), (1, 20, 1)),
        ((20,), (20, 1, 1), (20, 1, 1)),
        ((8, 8, 3), (8, 8, 3), (8, 8, 3)),
    ],
)
def test_samples_take_the_shape_of_the_model(have, wanted, found):
    data = shaped(*have)
    test = in_shape(wanted, stretched(data.x_test, (-1.0, 3.0)), data.name)
    assert test.shape == (len(data.x_test), *found)
    np.testing.assert_allclose(test.ravel(), data.x_test.ravel() * 4 - 1, atol=1e-6)


@pytest.mark.parametrize("wanted", [(8, 9, 1), (8, 8, 3), (65,), (4, 16), (8, 8, 1, 2), (None, 9, 1)])
def test_samples_that_do_not_fit_are_refused(wanted):
    with pytest.raises(DataError, match=r"samples of 8 x 8 x 1 do not fit the model, which takes .*--reshape$"):
        in_shape(wanted, shaped(8, 8).x, "arrays")


def refused(sentence, kind, *arguments, **options):
    with pytest.raises(kind, match=sentence) as error:
        convert(*arguments, **options)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, TinynasError)


def test_what_is_no_model_of_ours_is_refused_in_one_sentence(model_file, stripes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("give --data", UsageError, model_file)
    refused("needs --data", UsageError, ARENA / "mn_tiny_c4_b1.tflite", input_range=(0, 255))
    refused("the smaller one first", UsageError, model_file, data=stripes, input_range=(1, 0))
    refused("the smaller one first", UsageError, model_file, data=stripes, input_range=(0, float("inf")))
    refused("no.tflite: it cannot be read", ConversionError, "no.tflite")
    (tmp_path / "bad.tflite").write_bytes(b"rubbish")
    refused("bad.tflite: ", ModelError, "bad.tflite")
    (tmp_path / "dir.tflite").mkdir()
    refused("dir.tflite: it is not a file", ConversionError, "dir.tflite")
    refused("no.keras does not exist", ConversionError, "no.keras", data=stripes)
    ten = Dataset.from_arrays(np.random.default_rng(0).random((60, 8, 8)), np.arange(60) % 10)
    refused("my-net.keras: .* has 10 classes, but the model has 3 outputs", DataError, model_file, data=ten)
    refused("do not fit the model, which takes 8 x 8 x 1", DataError, model_file, data=shaped(9, 9))
    refused("give --target", UsageError, ARENA / "mn_tiny_c4_b1.tflite", check_fit=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tflite", "dir.tflite"]


def test_a_model_is_not_written_over(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(fixture("mn_tiny_c4_b1"))
    refused("net.tflite would be written over", ConversionError, path, out=tmp_path)
    assert path.read_bytes() == fixture("mn_tiny_c4_b1")
    assert list(tmp_path.iterdir()) == [path]
    assert convert(path, out=tmp_path, name="other", formats=("tflite",)).files == (tmp_path / "other.tflite",)


def test_a_model_that_the_converter_would_crash_over_is_one_sentence(keras3, stripes, tmp_path):
    layers = keras3.layers
    parts = [keras3.Input((8, 8, 1)), layers.Reshape((8, 8)), layers.LSTM(4), layers.Dense(3)]
    path = saved(keras3.Sequential(parts), tmp_path / "recurrent.keras")
    refused("recurrent.keras: The model has a loop", ConversionError, path, data=stripes, out=tmp_path / "fw")
    assert not (tmp_path / "fw").exists()


STRANGE = {
    "GELU": lambda tf, x: tf.nn.gelu(x),
    "POW": lambda tf, x: tf.pow(tf.abs(x) + 0.5, 1.7),
    "LOCAL_RESPONSE_NORMALIZATION": lambda tf, x: tf.nn.lrn(x, 1),
}


@pytest.mark.parametrize("operator", STRANGE)
def test_an_operator_that_is_not_known_is_named_before_anything_is_run(tensorflow, stripes, tmp_path, operator):
    """As a SavedModel with data, and as the .tflite that the converter makes of it, with data and without."""
    tf, name = tensorflow, operator
    module = tf.Module()
    kernel = np.random.default_rng(0).normal(0, 0.1, (64, 3)).astype(np.float32)
    module.weights = tf.Variable(kernel)
    signature = [tf.TensorSpec((None, 8, 8, 1), tf.float32, "x")]
    module.run = tf.function(
        lambda x: tf.nn.softmax(tf.reshape(STRANGE[name](tf, x), (-1, len(kernel))) @ module.weights), signature
    )
    tf.saved_model.save(module, str(tmp_path / "net"), signatures={"serving_default": module.run})
    refused(f"net: operator {operator}: ", ModelError, tmp_path / "net", data=stripes, out=tmp_path / "fw")
    from tinynas.training.convert import quantize_call

    (tmp_path / "net.tflite").write_bytes(quantize_call(module.run, stripes.x))
    for data in (None, stripes):
        refused(
            f"net.tflite: operator {operator}: ", ModelError, tmp_path / "net.tflite", data=data, out=tmp_path / "fw"
        )
    assert not (tmp_path / "fw").exists()


def test_what_tflm_runs_and_tflite_does_not_is_exported(tmp_path, monkeypatch):
    """The answers are then TFLM's, and a note says why there was nothing to hold them against."""
    from tinynas.training import int8

    def refuse(*_, **__):
        raise ValueError("Tensor 33 is\n odd")

    def unknown(data):
        raise ModelError("no code for it as plain C either")

    monkeypatch.setattr(int8.tf.lite, "Interpreter", refuse)
    path = ARENA / "mn_tiny_c4_b1.tflite"
    converted = convert(path, out=tmp_path / "fw", name="net")
    assert (converted.tflm_largest_step, converted.golden_maker) == (None, "TFLM")
    assert converted.notes == (
        "TFLM alone runs the file: TensorFlow Lite's interpreter does not run the model: Tensor 33 is odd",
    )
    inputs, outputs = golden(tmp_path / "fw", "net")
    np.testing.assert_array_equal(tflm.run(fixture("mn_tiny_c4_b1"), inputs), outputs)
    monkeypatch.setattr(tflm, "available", lambda: False)
    monkeypatch.setattr(check, "build", unknown)
    refused("TensorFlow Lite's interpreter does not run the model: Tensor 33 is odd", ConversionError, path)


def test_a_float_tflite_is_taken_as_it_is_and_a_strange_operator_refused(tensorflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tf = tensorflow

    def converted(function, name):
        concrete = tf.function(function).get_concrete_function(tf.TensorSpec((1, 4), tf.float32))
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        from tinynas.training.quiet import quiet

        with quiet():
            (tmp_path / name).write_bytes(converter.convert())

    converted(lambda x: tf.nn.softmax(x * 2.0), "float.tflite")
    made = convert("float.tflite", out="firmware")
    assert [operator.name for operator in made.analysis.operators] == ["MUL", "SOFTMAX"]
    assert made.analysis.untimed == ("MUL", "SOFTMAX")
    converted(tf.nn.gelu, "strange.tflite")
    refused("strange.tflite: operator GELU", ModelError, "strange.tflite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["firmware", "float.tflite", "strange.tflite"]
