"""A model in a process of its own: it answers as in this one, and whatever becomes of it is one sentence."""

import numpy as np
import pytest

from tests.export.models import picture, saved
from tests.training import hostile
from tinynas.errors import ConversionError
from tinynas.training.apart import Bounds, apart


def test_it_answers_as_in_this_process_and_what_is_refused_is_told(tensorflow, tmp_path):
    from tinynas.training.convert import quantize_call
    from tinynas.training.keras import keras
    from tinynas.training.load import load

    path = saved(picture(keras), tmp_path / "net.keras")
    x = np.random.default_rng(0).random((9, 8, 8, 1), dtype=np.float32)
    here = load(path)
    with apart(path) as there:
        assert there.input_shape == (8, 8, 1)
        np.testing.assert_allclose(there.predict(x), here.predict(x), atol=1e-6)
        with pytest.raises(ConversionError, match=r"does not run on samples of \(2, 2\)"):
            there.predict(np.zeros((1, 2, 2), np.float32))
        assert there.quantize(x) == quantize_call(here.call, x)  # it is there still
    bad = hostile.keras_file(tmp_path / "bad.keras", hostile.lambda_layer("true"))
    with pytest.raises(ConversionError, match=r"bad.keras is not loaded: it holds a Lambda"), apart(bad):
        pass


def test_a_loop_without_end_is_stopped(tensorflow, tmp_path):
    from tinynas.training.keras import tf

    path = hostile.saved_model(tmp_path / "net", lambda x: tf.while_loop(lambda _: True, lambda y: (y + 1.0,), (x,))[0])
    with apart(path, trust=True) as there:
        there.bounds = Bounds(seconds=2)
        with pytest.raises(ConversionError, match=r"net: the model took more than 2 s to run, and was stopped"):
            there.predict(np.ones((1, 4), np.float32))


def test_memory_has_an_end(tensorflow, tmp_path):
    from tinynas.training.keras import tf

    path = hostile.saved_model(tmp_path / "net", lambda x: x + tf.reduce_sum(tf.fill([1 << 15, 1 << 15], x[0, 0])))
    with (
        pytest.raises(ConversionError, match=r"net: the process .* MiB of memory|does not run"),
        apart(path, bounds=Bounds(memory_bytes=1 << 30)) as there,
    ):
        there.predict(np.ones((1, 4), np.float32))
