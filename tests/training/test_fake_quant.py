import numpy as np
import pytest

from tinynas.training.fake_quant import Range, wrap
from tinynas.training.keras import keras, tf


def _by_hand(x, low, high):
    """TFLite's int8: 256 steps from low to high, moved so that one of them is 0."""
    scale = (high - low) / 255
    zero = np.round(-low / scale)
    return (np.clip(np.round(x / scale) + zero, 0, 255) - zero) * scale


def _wrapped(layer, shape, held=None):
    inputs = keras.Input(shape)
    return keras.Model(inputs, wrap(layer, held)(inputs))


def _ends(model):
    return {w.name.split("/")[-1].split(":")[0]: float(w) for w in model.weights if "output_" in w.name}


def test_a_range_follows_the_batches(seeded):
    model = _wrapped(keras.layers.ReLU(name="act"), (4,), Range())
    first = np.array([[-3.0, 0.1, 0.5, 2.0]], np.float32)
    model(first, training=True)
    assert _ends(model) == {"output_low": 0.0, "output_high": 2.0}
    model(2 * first, training=True)
    assert _ends(model)["output_high"] == pytest.approx(0.99 * 2 + 0.01 * 4)
    model(100 * first, training=False)
    assert _ends(model)["output_high"] == pytest.approx(2.02)


def test_a_map_is_rounded_as_tflite_rounds_it(seeded):
    model = _wrapped(keras.layers.Activation("linear", name="same"), (50,), Range())
    x = np.random.default_rng(0).uniform(-1.3, 2.1, (20, 50)).astype(np.float32)
    model(x, training=True)
    np.testing.assert_allclose(model(x).numpy(), _by_hand(x, float(x.min()), float(x.max())), atol=1e-5)


def test_a_shared_range_is_only_read(seeded):
    held = Range()
    inputs = keras.Input((4, 4, 1))
    rounded = wrap(keras.layers.ReLU(name="act"), held)(inputs)
    model = keras.Model(inputs, wrap(keras.layers.AveragePooling2D(4, name="pool"), Range(of=held))(rounded))
    x = np.random.default_rng(0).uniform(0, 5, (8, 4, 4, 1)).astype(np.float32)
    pooled = model(x, training=True).numpy()
    assert len(_ends(model)) == 2
    steps = pooled / (x.max() / 255)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert _ends(model)["output_high"] == pytest.approx(x.max())


@pytest.mark.parametrize(
    ("layer", "axis"),
    [
        (keras.layers.Conv2D(3, 2, name="conv"), 3),
        (keras.layers.DepthwiseConv2D(2, name="dw"), 2),
        (keras.layers.Dense(3, name="dense"), 1),
    ],
    ids=["conv", "depthwise", "dense"],
)
def test_a_kernel_is_rounded_channel_by_channel(seeded, layer, axis):
    rng = np.random.default_rng(0)
    shape = (5,) if isinstance(layer, keras.layers.Dense) else (4, 4, 2)
    model = _wrapped(layer, shape)
    kernel = next(w for w in model.trainable_weights if "kernel" in w.name)
    reach = 10.0 ** np.arange(kernel.shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(kernel.shape))])
    values = (rng.uniform(-1, 1, kernel.shape) * reach).astype(np.float32)
    kernel.assign(values)
    step = np.abs(values).max(axis=tuple(a for a in range(values.ndim) if a != axis), keepdims=True) / 127
    plain = type(layer).from_config({**layer.get_config(), "name": "plain"})
    x = rng.random((3, *shape), dtype=np.float32)
    plain.build((None, *shape))
    plain.set_weights([np.round(values / step) * step, np.zeros(plain.get_weights()[1].shape)])
    np.testing.assert_allclose(model(x).numpy(), plain(x).numpy(), rtol=1e-4, atol=1e-4)


def test_gradients_pass_the_rounding_within_the_range(seeded):
    model = _wrapped(keras.layers.Dense(2, use_bias=False, name="dense"), (3,), Range())
    x = np.array([[1.0, 2.0, -0.5]], np.float32)
    for reach, passed in ((2.0, 1.0), (0.1, 0.0)):
        for end, sign in (("low", -1.0), ("high", 1.0)):
            next(w for w in model.weights if f"output_{end}" in w.name).assign(sign * reach)
        model.set_weights([np.array([[0.5, -0.25], [0.5, -0.25], [0.25, -0.5]]), *model.get_weights()[1:]])
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model(x))
        (gradient,) = tape.gradient(total, model.trainable_variables)
        np.testing.assert_allclose(gradient.numpy(), passed * np.repeat(x.T, 2, axis=1), rtol=1e-5)
