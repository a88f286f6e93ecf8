import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.test_build import INPUTS, _draw
from tinynas.errors import ConversionError
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained
from tinynas.training.fit import predict
from tinynas.training.fold import fold
from tinynas.training.keras import keras, seed_everything


@settings(max_examples=10)
@given(shape=st.sampled_from(INPUTS), seed=st.integers(0, 2**31))
def test_the_folded_model_computes_the_same(tensorflow, shape, seed):
    seed_everything(seed)
    model = build(_draw(shape, seed))
    fill_untrained(model, np.random.default_rng(seed))
    folded = fold(model)
    x = np.random.default_rng(seed).random((6, *shape), dtype=np.float32)
    np.testing.assert_allclose(predict(folded, x), predict(model, x), atol=2e-5)
    names = [layer.name for layer in model.layers if not isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.name for layer in folded.layers] == names


def test_folding_is_the_textbook_s(seeded):
    inputs = keras.Input((3, 3, 1))
    x = keras.layers.Conv2D(2, 1, name="conv")(inputs)
    model = keras.Model(inputs, keras.layers.BatchNormalization(epsilon=0.0, name="norm")(x))
    model.get_layer("conv").set_weights([np.array([[[[1.0, 2.0]]]]), np.array([3.0, 4.0])])
    gamma, beta, mean, variance = [2.0, 3.0], [0.5, 0.25], [1.0, -1.0], [4.0, 0.25]
    model.get_layer("norm").set_weights([np.array(v) for v in (gamma, beta, mean, variance)])
    kernel, bias = fold(model).get_layer("conv").get_weights()
    np.testing.assert_allclose(kernel.ravel(), [1.0, 12.0])  # gamma / deviation: 1 and 6
    np.testing.assert_allclose(bias, [0.5 + (3 - 1) * 1, 0.25 + (4 + 1) * 6])


def test_a_batch_norm_elsewhere_is_refused(seeded):
    inputs = keras.Input((4, 4, 1), name="picture")
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(inputs))
    with pytest.raises(ConversionError, match="norm follows picture"):
        fold(model)
