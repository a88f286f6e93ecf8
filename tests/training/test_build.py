import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.architecture import Architecture, Block, Head, SearchSpace, mutate
from tinynas.errors import ArchitectureError
from tinynas.training.build import BATCH_NORM_MOMENTUM, build
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
