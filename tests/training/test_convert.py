import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.errors import ConversionError
from tinynas.tflite.read import read
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained, quantize
from tinynas.training.fit import Recipe, fit, predict
from tinynas.training.int8 import Int8Model
from tinynas.training.keras import keras, seed_everything, tf

NET = Architecture((8, 8, 1), (Block("conv", 8, 3, pool="max"), Block("separable", 8, 3)), Head(), 3)


def _filled(architecture, seed=0):
    seed_everything(seed)
    model = build(architecture)
    fill_untrained(model, np.random.default_rng(seed))
    return model


def _samples(shape, n=8):
    return np.random.default_rng(1).random((n, *shape), dtype=np.float32)


def test_the_file_is_int8_throughout_with_batch_1(tensorflow):
    data = quantize(_filled(NET), _samples((8, 8, 1)))
    graph = read(data)
    kinds = {tensor.dtype for tensor in graph.tensors}
    assert kinds == {"INT8", "INT32"}  # int32: biases and the shape of a reshape
    inputs, outputs = (tuple(graph.tensors[i] for i in ids) for ids in (graph.inputs, graph.outputs))
    assert [(tensor.shape, tensor.dtype) for tensor in inputs] == [((1, 8, 8, 1), "INT8")]
    assert [(tensor.shape, tensor.dtype) for tensor in outputs] == [((1, 3), "INT8")]
    assert not any(tensor.name for tensor in graph.tensors)
    names = [operator.name for operator in graph.operators]
    assert "SHAPE" not in names  # a dynamic batch would bring SHAPE, STRIDED_SLICE and PACK
    assert "MEAN" not in names


def test_int8_does_what_float_does(tensorflow, stripes):
    seed_everything(1)
    model = build(NET)
    fit(model, stripes.x, stripes.y, Recipe(60, batch_size=16), 1)
    int8 = Int8Model(quantize(model, stripes.x))
    agreement = (int8.predict(stripes.x_test) == predict(model, stripes.x_test).argmax(axis=1)).mean()
    assert agreement >= 0.9
    outputs = int8.run(int8.quantize_input(stripes.x_test)).astype(float) / 256 + 0.5
    assert np.abs(outputs - predict(model, stripes.x_test)).max() < 0.15


@pytest.mark.parametrize("seed", range(4))
def test_an_untrained_child_has_the_size_of_a_trained_one(tensorflow, stripes, seed):
    architecture = SearchSpace.for_input((8, 8, 1), 3).random_architecture(np.random.default_rng(seed))
    untrained = quantize(_filled(architecture), stripes.x[:4])
    seed_everything(seed)
    model = build(architecture)
    fit(model, stripes.x, stripes.y, Recipe(2, batch_size=8), 1)
    assert len(quantize(model, stripes.x[:4])) == len(untrained)


def test_zero_biases_would_make_the_file_too_small(tensorflow):
    """The trap that fill_untrained is there for."""
    seed_everything(0)
    architecture = Architecture((8, 8, 1), (Block("conv", 16, 3, batch_norm=False),), Head(hidden_units=32), 3)
    fresh = build(architecture)
    assert len(quantize(fresh, _samples((8, 8, 1)))) < len(quantize(_filled(architecture), _samples((8, 8, 1))))


def test_every_bias_and_statistic_is_filled(tensorflow):
    model = _filled(
        Architecture((8, 8, 1), (Block("separable", 8, 3), Block("conv", 8, 3, batch_norm=False)), Head(), 3)
    )
    for layer in model.layers:
        for weight in layer.weights:
            name = weight.name.rsplit("/", 1)[-1].split(":")[0]
            if name in ("bias", "beta", "moving_mean"):
                assert np.all(weight.numpy() != 0), weight.name
            if name in ("gamma", "moving_variance"):
                assert np.all(weight.numpy() > 0), weight.name
                assert np.all(weight.numpy() != 1), weight.name


def test_samples_of_another_shape_are_refused(tensorflow):
    with pytest.raises(ConversionError, match=r"shape \(8, 7, 8, 1\).*\(8, 8, 1\)"):
        quantize(_filled(NET), _samples((7, 8, 1)))


def test_a_model_that_does_not_convert_is_an_error(tensorflow):
    seed_everything(0)
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Lambda(lambda x: tf.signal.fft(tf.cast(x[..., 0], tf.complex64)))(inputs)
    model = keras.Model(inputs, keras.layers.Flatten()(tf.math.real(outputs)))
    with pytest.raises(ConversionError, match="refused the model"):
        quantize(model, _samples((8, 8, 1)))


def test_input_quantisation_rounds_and_clips(tensorflow):
    int8 = Int8Model(quantize(_filled(NET), _samples((8, 8, 1), 100)))
    scale, zero_point = int8._input["quantization"]
    x = np.array([0.0, 0.25, 0.5, 1.0, 9.0], np.float32)
    expected = np.clip([round(v / scale) + zero_point for v in x], -128, 127)
    np.testing.assert_array_equal(int8.quantize_input(x), expected)


def test_a_float_model_is_refused(tensorflow):
    model = _filled(NET)
    data = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    with pytest.raises(ConversionError, match=r"input is float32.*quantise it"):
        Int8Model(data)


def test_batches_give_what_single_samples_give(tensorflow):
    int8 = Int8Model(quantize(_filled(NET), _samples((8, 8, 1))))
    x = int8.quantize_input(_samples((8, 8, 1), 7))
    whole = int8.run(x, batch_size=3)
    np.testing.assert_array_equal(whole, np.concatenate([int8.run(sample[None]) for sample in x]))


def test_an_operator_that_tflite_has_not_is_named(tensorflow):
    from tinynas.training.convert import quantize_call

    with pytest.raises(
        ConversionError, match=r"^TensorFlow Lite has no operator for Digamma, Erf: build the model from"
    ):
        quantize_call(lambda x: tensorflow.math.digamma(tensorflow.math.erf(x)), np.ones((4, 3), np.float32))
