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
