"""lower without TensorFlow: sound bytes that TFLM runs, and the float network's outputs for given weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from tests.architecture.strategies import architectures
from tests.screening.real import draw
from tinynas.architecture import Architecture, Block, Head
from tinynas.errors import ArchitectureError
from tinynas.screening import lower, lower_graph
from tinynas.screening.forward import fold
from tinynas.screening.layers import layers
from tinynas.tflite import read, size_of
from tinynas.tflite.tflm import available, run

needs_tflm = pytest.mark.skipif(not available(), reason="the tflite_micro wheel is for Linux on x86-64 alone")

NETWORK = Architecture(
    (12, 12, 2),
    (Block("conv", 8, 3, pool="max"), Block("separable", 8, 3, batch_norm=False, residual=True)),
    Head("gap", 16),
    5,
)


def keras_weights(architecture: Architecture, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Random arrays by layer name, in Keras's order and shapes."""
    weights = {}
    for layer in layers(architecture):
        (kh, kw), channels, made = layer.kernel, layer.shape_in[2], layer.shape_out[2]
        if not layer.weights:
            continue
        shape = {
            "conv": (kh, kw, channels, made),
            "depthwise": (kh, kw, channels, 1),
            "dense": (channels, made),
        }[layer.operator]
        taps = kh * kw * (1 if layer.operator == "depthwise" else channels)
        arrays = [rng.normal(0, 1 / math.sqrt(taps), shape)]
        if layer.batch_norm:
            norm = [rng.uniform(0.5, 1.5, made), rng.normal(0, 0.1, made), rng.normal(0, 0.1, made)]
            weights[f"{layer.name}_bn"] = [*norm, rng.uniform(0.5, 1.5, made)]
        else:
            arrays.append(rng.normal(0, 0.1, made))
        weights[layer.name] = arrays
    return weights


def direct(architecture: Architecture, weights: dict[str, list[np.ndarray]], image: np.ndarray) -> np.ndarray:
    """The float network as loops over positions and taps: slow, and independent of forward.py."""
    made, values = [], image
    for layer in layers(architecture):
        kh, kw = layer.kernel
        sh, sw = layer.strides
        height, width, channels = layer.shape_out
        if layer.weights:
            kernel, *bias = weights[layer.name]
        if layer.operator in ("conv", "depthwise", "max_pool", "average_pool"):
            top = max((height - 1) * sh + kh - values.shape[0], 0) // 2 if layer.padding == "same" else 0
            left = max((width - 1) * sw + kw - values.shape[1], 0) // 2 if layer.padding == "same" else 0
            out = np.zeros((height, width, channels))
            for y in range(height):
                for x in range(width):
                    taps = [
                        (i, j, values[y * sh + i - top, x * sw + j - left])
                        for i in range(kh)
                        for j in range(kw)
                        if 0 <= y * sh + i - top < values.shape[0] and 0 <= x * sw + j - left < values.shape[1]
                    ]
                    if layer.operator == "conv":
                        out[y, x] = sum(value @ kernel[i, j] for i, j, value in taps)
                    elif layer.operator == "depthwise":
                        out[y, x] = sum(value * kernel[i, j, :, 0] for i, j, value in taps)
                    else:
                        seen = np.array([value for _, _, value in taps])
                        out[y, x] = seen.max(0) if layer.operator == "max_pool" else seen.mean(0)
        elif layer.operator == "dense":
            out = values.reshape(-1) @ kernel
        elif layer.operator == "add":
            out = values + (image if layer.skip < 0 else made[layer.skip])
        elif layer.operator == "flatten":
            out = values.reshape(-1)
        else:
            out = np.exp(values - values.max()) / np.exp(values - values.max()).sum()
        if layer.weights and layer.batch_norm:
            gamma, beta, mean, variance = weights[f"{layer.name}_bn"]
            out = (out - mean) / np.sqrt(variance + 1e-3) * gamma + beta
        elif layer.weights:
            out = out + bias[0]
        if layer.activation:
            out = np.clip(out, 0, 6 if layer.activation == "relu6" else np.inf)
        made.append(out)
        values = out
    return values


@given(architectures())
@settings(max_examples=40)
def test_the_bytes_read_back_as_the_graph(drawn) -> None:
    architecture, _ = drawn
    graph, data = lower_graph(architecture), lower(architecture)
    assert size_of(graph) == len(data)
    again = read(data)
    assert [t.shape for t in again.tensors] == [t.shape for t in graph.tensors]
    assert [t.data for t in again.tensors] == [t.data for t in graph.tensors]
    assert again.operators == graph.operators


def test_the_same_generator_gives_the_same_bytes() -> None:
    assert lower(NETWORK) == lower(NETWORK)
    assert lower(NETWORK, rng=np.random.default_rng(5)) == lower(NETWORK, rng=np.random.default_rng(5))
    assert lower(NETWORK, rng=np.random.default_rng(5)) != lower(NETWORK, rng=np.random.default_rng(6))
    assert len(lower(NETWORK, rng=np.random.default_rng(5))) == len(lower(NETWORK))


@needs_tflm
@pytest.mark.parametrize("number", range(10))
def test_random_files_run_in_tflm_and_their_outputs_vary(number: int) -> None:
    rng = np.random.default_rng(number)
    architecture = draw(rng, number, odd=number >= 5)
    inputs = rng.integers(-128, 128, (3, *architecture.input_shape), dtype=np.int8)
    outputs = run(lower(architecture, rng=rng), inputs)
    assert outputs.shape == (3, architecture.n_classes)
    probabilities = (outputs.astype(float) + 128) / 256
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=architecture.n_classes / 256)
    assert outputs.std() > 0


@needs_tflm
@pytest.mark.parametrize("number", range(6))
def test_given_weights_give_the_outputs_of_the_float_network(number: int) -> None:
    rng = np.random.default_rng(100 + number)
    architecture = NETWORK if number == 0 else draw(rng, 2 * (number % 5) + 2, odd=True)
    weights = keras_weights(architecture, rng)
    samples = rng.random((20, *architecture.input_shape))
    data = lower(architecture, weights, samples=samples)
    images = samples[:4]
    scale, zero = (read(data).tensors[0].scales[0], read(data).tensors[0].zero_points[0])
    outputs = run(data, np.clip(np.rint(images / scale) + zero, -128, 127).astype(np.int8))
    wanted = np.array([direct(architecture, weights, image) for image in images])
    np.testing.assert_allclose((outputs.astype(float) + 128) / 256, wanted, atol=0.03)


@pytest.mark.parametrize(("least", "greatest"), [(0.0, 1.0), (-0.5, 1.5), (0.25, 0.75), (-1.0, -0.5)])
def test_the_range_of_the_samples_and_zero_lie_on_256_steps(least: float, greatest: float) -> None:
    samples = np.linspace(least, greatest, 2 * 12 * 12 * 2).reshape(2, 12, 12, 2)
    weights = keras_weights(NETWORK, np.random.default_rng(0))
    given = lower_graph(NETWORK, weights, samples=samples).tensors[0]
    ends = [(step - given.zero_points[0]) * given.scales[0] for step in (-128, 127)]
    assert ends == pytest.approx([min(least, 0.0), max(greatest, 0.0)], abs=0.51 * given.scales[0])


def test_layers_without_given_weights_are_drawn() -> None:
    weights = keras_weights(NETWORK, np.random.default_rng(0))
    samples = np.random.default_rng(3).random((4, *NETWORK.input_shape))
    given_all = lower_graph(NETWORK, weights, samples=samples)
    del weights["head_classes"]
    given_part = lower_graph(NETWORK, weights, np.random.default_rng(1), samples)
    same = [a.data == b.data for a, b in zip(given_all.tensors, given_part.tensors, strict=True) if a.data]
    assert same.count(False) == 2


def test_weights_and_samples_of_another_shape_are_refused() -> None:
    weights = keras_weights(NETWORK, np.random.default_rng(0))
    with pytest.raises(ArchitectureError, match=r"layer block0_conv have shapes \[\(3, 3, 2, 9\)\]"):
        lower(NETWORK, {**weights, "block0_conv": [np.zeros((3, 3, 2, 9))]})
    with pytest.raises(ArchitectureError, match=r"samples have shape \(4, 12, 12, 1\)"):
        lower(NETWORK, weights, samples=np.zeros((4, 12, 12, 1)))
    with pytest.raises(ArchitectureError, match="samples have shape"):
        lower(NETWORK, weights, samples=np.zeros((0, 12, 12, 2)))


@needs_tflm
def test_a_channel_of_zeros_and_a_dead_range_still_have_scales() -> None:
    weights = keras_weights(NETWORK, np.random.default_rng(0))
    weights["head_hidden"] = [np.zeros((8, 16)), np.zeros(16)]
    graph = lower_graph(NETWORK, weights)
    assert all(scale > 0 for tensor in graph.tensors for scale in tensor.scales)
    assert run(lower(NETWORK, weights), np.zeros((1, 12, 12, 2), dtype=np.int8)).shape == (1, 5)


def test_batch_norm_is_folded_with_kerass_epsilon() -> None:
    weights = keras_weights(NETWORK, np.random.default_rng(2))
    layer = layers(NETWORK)[0]
    folded = fold(layer, weights, np.random.default_rng(0))
    gamma, beta, mean, variance = weights["block0_conv_bn"]
    factor = gamma / np.sqrt(variance + 0.001)
    np.testing.assert_allclose(folded.weights[3], weights["block0_conv"][0][..., 3] * factor[3])
    np.testing.assert_allclose(folded.bias, beta - mean * factor)
