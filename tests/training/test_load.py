"""Models of either Keras and SavedModels, loaded, against what the model itself answers."""

from pathlib import Path

import numpy as np
import pytest

from tests.export.models import picture, saved, series
from tinynas.errors import ConversionError


@pytest.fixture(scope="module")
def kerases(tensorflow):
    import keras

    from tinynas.training.keras import keras as tf_keras

    return {"keras": keras, "tf_keras": tf_keras}


@pytest.fixture(scope="module")
def files(kerases, tmp_path_factory):
    """Paths by format, and the outputs for `x` of the model that each holds."""
    folder = tmp_path_factory.mktemp("models")
    x = np.random.default_rng(1).random((70, 8, 8, 1), dtype=np.float32)
    found = {}
    for name, library in kerases.items():
        model = picture(library)
        expected = np.asarray(model(x, training=False))
        for kind in (".keras", ".h5", "_saved"):
            found[f"{name}{kind}"] = (saved(model, folder / f"{name}{kind}"), expected)
    return x, found


FORMATS = [f"{library}{kind}" for library in ("keras", "tf_keras") for kind in (".keras", ".h5", "_saved")]


@pytest.mark.parametrize("name", FORMATS)
def test_it_answers_as_the_model_that_was_saved(files, name):
    from tinynas.training.load import load

    x, found = files
    path, expected = found[name]
    loaded = load(path)
    assert loaded.input_shape == (8, 8, 1)
    assert loaded.batch is None
    np.testing.assert_allclose(loaded.predict(x), expected, atol=1e-5)


def test_a_batch_that_the_model_insists_on(kerases, tmp_path):
    from tinynas.training.keras import tf
    from tinynas.training.load import load

    model = series(kerases["tf_keras"])
    module = tf.Module()
    module.model = model
    signature = tf.function(lambda x: {"y": model(x)}, input_signature=[tf.TensorSpec((1, 64, 1), tf.float32, "x")])
    tf.saved_model.save(module, str(tmp_path / "one"), signatures={"run": signature.get_concrete_function()})
    loaded = load(tmp_path / "one")
    assert loaded.batch == 1
    x = np.random.default_rng(0).random((3, 64, 1), dtype=np.float32)
    np.testing.assert_allclose(loaded.predict(x), np.asarray(model(x)), atol=1e-5)
    with pytest.raises(ConversionError, match=r"does not run on samples of \(2, 1\)"):
        load(tmp_path / "one").predict(np.zeros((1, 2, 1), np.float32))


def _one_sentence(error) -> bool:
    text = str(error.value)
    return "\n" not in text and len(text) < 500


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_rubbish_is_one_sentence(tensorflow, tmp_path: Path, name: str):
    from tinynas.training.load import load

    (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ConversionError, match=name) as error:
        load(tmp_path / name)
    assert _one_sentence(error)


def test_a_folder_that_only_looks_like_a_saved_model(tensorflow, tmp_path: Path):
    from tinynas.training.load import load

    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ConversionError, match="is no SavedModel") as error:
        load(tmp_path)
    assert _one_sentence(error)


def test_two_inputs_are_too_many(kerases, tmp_path: Path):
    from tinynas.training.load import load

    library = kerases["keras"]
    ends = [library.Input((4,)), library.Input((4,))]
    model = library.Model(ends, library.layers.Dense(2)(library.layers.Add()(ends)))
    saved(model, tmp_path / "two.keras")
    with pytest.raises(ConversionError, match="one input and one output") as error:
        load(tmp_path / "two.keras")
    assert _one_sentence(error)
    saved(model, tmp_path / "two")
    with pytest.raises(ConversionError, match="2 inputs and 1 outputs"):
        load(tmp_path / "two")


@pytest.fixture
def aware(kerases, seeded):
    """A network that was trained under int8's rounding by tensorflow-model-optimization, and samples."""
    from tinynas.training import fake_quant  # which imports tfmot without its warnings

    model = fake_quant.tfmot.quantize_model(picture(kerases["tf_keras"]))
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).random((64, 8, 8, 1), dtype=np.float32)
    model.fit(x, np.arange(64) % 3, epochs=1, verbose=0)
    return model, x


def test_a_network_of_quantisation_aware_training_loads_and_becomes_int8(aware, tmp_path: Path):
    from tinynas.tflite import read
    from tinynas.training.convert import quantize_call
    from tinynas.training.int8 import Int8Model
    from tinynas.training.load import load

    model, x = aware
    loaded = load(saved(model, tmp_path / "aware.h5"))
    expected = np.asarray(model(x, training=False))
    np.testing.assert_allclose(loaded.predict(x), expected, atol=1e-5)
    data = quantize_call(loaded.call, x)
    names = [operator.name for operator in read(data).operators]
    assert names == ["CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    assert np.abs(Int8Model(data, reference=True).probabilities(x) - expected).max() < 0.02


def test_what_its_own_keras_cannot_load_is_told_in_its_words(aware, tmp_path: Path):
    from tinynas.training.load import load

    model, _ = aware
    with pytest.raises(ConversionError, match=r"aware.keras cannot be loaded .*export a SavedModel instead") as error:
        load(saved(model, tmp_path / "aware.keras"))
    assert "variables" in str(error.value)  # and not that Keras 3 knows no class of tf_keras
    assert _one_sentence(error)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "saved/saved_model.pb", "saved/variables/variables.index"])
def test_a_git_lfs_pointer_is_called_one(tensorflow, tmp_path: Path, name: str):
    from tinynas.training.load import load

    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "saved_model.pb").write_bytes(b"")
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132735\n")
    with pytest.raises(ConversionError, match=rf"{path.name} is a git-LFS pointer, .*: run git lfs pull") as error:
        load(tmp_path / name.split("/")[0])
    assert _one_sentence(error)
