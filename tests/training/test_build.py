import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.architecture import Architecture, Block, Head, SearchSpace, mutate
from tinynas.errors import ArchitectureError
from tinynas.training.build import BATCH_NORM_MOMENTUM, build, set_weights
from tinynas.training.convert import fill_untrained
from tinynas.training.keras import keras, layer_weights, seed_everything

INPUTS = [
    (8, 8, 1),
    (28, 28, 1),
    (32, 32, 3),
    (784, 1, 1),
    (100, 1, 6),
    (40, 1, 1),
    (10, 1, 3),
    (5, 7, 2),
    (1, 1, 4),
]


def _draw(shape, seed):
    """A random network; two of three are mutated too, up to the full depth."""
    space, rng = SearchSpace.for_input(shape, 5), np.random.default_rng(seed)
    architecture = space.random_architecture(rng)
    for _ in range(seed % 3 * 10):
        architecture = mutate(architecture, space, rng)
    return architecture


@settings(max_examples=20)
@given(shape=st.sampled_from(INPUTS), seed=st.integers(0, 2**31))
def test_keras_has_the_shapes_of_the_genome(tensorflow, shape, seed):
    seed_everything(seed)
    architecture = _draw(shape, seed)
    model = build(architecture)
    assert tuple(model.input_shape) == (None, *shape)
    for number, expected in enumerate(architecture.shapes[1:]):
        assert tuple(model.get_layer(f"block{number}").output_shape) == (None, *expected)
    assert tuple(model.output_shape) == (None, 5)
    output = model(np.random.default_rng(seed).random((2, *shape), dtype=np.float32)).numpy()
    np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
@settings(max_examples=400)
@given(shape=st.sampled_from(INPUTS), seed=st.integers(0, 2**31))
def test_keras_has_the_shapes_of_the_genome_at_length(tensorflow, shape, seed):
    test_keras_has_the_shapes_of_the_genome.hypothesis.inner_test(tensorflow, shape, seed)


def _by_hand(x, name, filters, kernel, strides, expansion, residual):
    """MBConv as MobileNetV2 has it, written without the genome: Keras layers under the names that the genome gives."""
    layers = keras.layers
    start = x
    x = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, name=f"{name}_expand")(x)
    x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_expand_bn")(x))
    x = layers.DepthwiseConv2D(kernel, strides, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_depthwise_bn")(x))
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(name=f"{name}_project_bn")(x)
    return start + x if residual else x


def test_an_inverted_block_is_the_one_written_by_hand(seeded):
    blocks = (
        Block("inverted", 8, 3, expansion=2, residual=True),
        Block("inverted", 12, 5, 2, expansion=6, pool="max"),
    )
    architecture = Architecture((12, 12, 8), blocks, Head(), 3)
    model = build(architecture)
    fill_untrained(model, np.random.default_rng(0))
    inputs = keras.Input((12, 12, 8))
    x = _by_hand(inputs, "block0", 8, 3, 1, 2, residual=True)
    x = _by_hand(x, "block1", 12, 5, 2, 6, residual=False)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.MaxPooling2D(2)(x))
    twin = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="head_classes")(x))
    set_weights(twin, layer_weights(model))
    samples = np.random.default_rng(1).random((5, 12, 12, 8), dtype=np.float32)
    np.testing.assert_allclose(model.predict(samples, verbose=0), twin.predict(samples, verbose=0), atol=1e-5)
    assert model.count_params() == twin.count_params()


def test_batch_norm_settles_in_a_short_training(seeded):
    model = build(Architecture((8, 8, 1), (Block("separable", 4, 3),), Head(), 3))
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.momentum for layer in norms] == [BATCH_NORM_MOMENTUM] * 2
    assert BATCH_NORM_MOMENTUM <= 0.9


def test_weights_can_be_given_by_layer(seeded):
    architecture = Architecture((8, 8, 1), (Block("conv", 4, 3),), Head(hidden_units=16), 3)
    weights = layer_weights(build(architecture))
    seed_everything(7)
    again = build(architecture, weights)
    x = np.random.default_rng(0).random((4, 8, 8, 1), dtype=np.float32)
    seed_everything(9)
    other = build(architecture)
    assert not np.allclose(other(x), again(x))
    other = build(architecture, layer_weights(again))
    np.testing.assert_array_equal(other(x).numpy(), again(x).numpy())


def test_weights_of_another_shape_are_refused(seeded):
    architecture = Architecture((8, 8, 1), (Block("conv", 4, 3, batch_norm=False),), Head(), 3)
    with pytest.raises(ArchitectureError, match=r"block0_conv.*\(3, 3, 1, 4\)"):
        build(architecture, {"block0_conv": [np.zeros((3, 3, 1, 5)), np.zeros(5)]})


def test_dropout_rates_come_from_the_depth(seeded):
    blocks = (Block("conv", 4, 3), Block("conv", 4, 3))
    model = build(Architecture((8, 8, 1), blocks, Head(), 3, dropout=(0.1, 0.3)))
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == pytest.approx([0.1, 0.2, 0.3])
