"""An architecture to the int8 .tflite that TensorFlow's converter would make of it, without TensorFlow."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinynas.architecture import Architecture, Layer
from tinynas.errors import ArchitectureError, check_kind, door
from tinynas.screening.forward import Folded, Weights, fold, ranges
from tinynas.screening.graph import Constants, Quantization, assemble, weight_shape
from tinynas.screening.layers import layers
from tinynas.tflite import Graph, write

_SEED = 0
_SHORT = 8  # bytes of a constant up to which two random ones are equal now and then
_N_SAMPLES = 8  # random inputs that fix the ranges when none are given

# What a random file gets: scales of the size that trained networks have, so that outputs are not all alike.
_INPUT = Quantization(1 / 255, -128)
_HIDDEN = Quantization(0.02, -128)
_SIGNED = Quantization(0.04, 0)
_SOFTMAX = Quantization(1 / 256, -128)  # fixed by TFLite (lite/kernels/activations.cc)
_SAME_SCALE = ("max_pool", "average_pool", "flatten")  # these only move or mean values


@door
def lower(
    architecture: Architecture,
    weights: Weights | None = None,
    rng: np.random.Generator | None = None,
    samples: NDArray[np.floating] | None = None,
) -> bytes:
    """Return the .tflite of `architecture`: the file that the converter makes at batch 1, stripped.

    Operators, versions, tensors and their order, options and the number of quantisation parameters are
    those of TensorFlow 2.21, and so is the size. Without `weights` all constants are random, from `rng` or
    a fixed seed. `weights` maps Keras layer names to arrays (kernel and bias; gamma, beta, mean and
    variance under the batch norm's name): the file then computes what the Keras model does, with ranges
    from `samples` (n, H, W, C) or from random inputs in [0, 1]. Raises ArchitectureError for weights or
    samples of the wrong shape.

    The converter shares one buffer between constants that are equal by chance; its file is then smaller
    than this.
    """
    return write(lower_graph(architecture, weights, rng, samples))


def lower_graph(
    architecture: Architecture,
    weights: Weights | None = None,
    rng: np.random.Generator | None = None,
    samples: NDArray[np.floating] | None = None,
) -> Graph:
    """Return the Graph that `lower` writes; the arguments and errors are the same."""
    check_kind("architecture", architecture, Architecture, "an Architecture")
    walk = layers(architecture)
    rng = np.random.default_rng(_SEED) if rng is None else rng
    if weights is None:
        seen: set[bytes] = set()
        constants = [_random_constants(layer, rng, seen) if layer.weights else None for layer in walk]
        return assemble(walk, constants, _random_activations(walk))
    if samples is None:
        samples = rng.random((_N_SAMPLES, *architecture.input_shape))
    if samples.ndim != 4 or samples.shape[1:] != architecture.input_shape or not len(samples):
        raise ArchitectureError(
            f"The samples have shape {samples.shape}; n >= 1 samples of {architecture.input_shape} were wanted."
        )
    folded = {number: fold(layer, weights, rng) for number, layer in enumerate(walk) if layer.weights}
    activations = _activations(walk, ranges(walk, folded, samples))
    quantized = [
        _quantize(layer, folded[number], activations[number].scale) if layer.weights else None
        for number, layer in enumerate(walk)
    ]
    return assemble(walk, quantized, activations)


def _random_constants(layer: Layer, rng: np.random.Generator, seen: set[bytes]) -> Constants:
    """Return random weights and non-zero biases, as every trained layer has; no two constants are equal."""
    made = layer.shape_out[2]
    count = math.prod(weight_shape(layer))
    scale = 1.0 / (64.0 * math.sqrt(count // made))
    weights = _distinct(lambda: rng.integers(-127, 128, count, dtype=np.int8).tobytes(), seen)
    bias = _distinct(lambda: rng.integers(1, 500, made, dtype=np.int32).tobytes(), seen)
    return Constants(weights, (scale,) * made, bias, (scale * _HIDDEN.scale,) * made)


def _distinct(draw: Callable[[], bytes], seen: set[bytes]) -> bytes:
    """Return what `draw` gives, again and again while it was there before: only short constants can be."""
    data = draw()
    while len(data) <= _SHORT and data in seen:
        data = draw()
    if len(data) <= _SHORT:
        seen.add(data)
    return data


def _random_activations(walk: tuple[Layer, ...]) -> list[Quantization]:
    out = [_INPUT]
    for layer in walk:
        if layer.operator in _SAME_SCALE:
            out.append(out[-1])
        elif layer.operator == "softmax":
            out.append(_SOFTMAX)
        else:
            out.append(_HIDDEN if layer.activation else _SIGNED)
    return out


def _activations(walk: tuple[Layer, ...], seen: list[tuple[float, float]]) -> list[Quantization]:
    """Return the quantisation of the input and of each output: the range seen, and 0, on 256 steps."""
    out = [_quantization(*seen[0])]
    for layer, (least, greatest) in zip(walk, seen[1:], strict=True):
        if layer.operator in _SAME_SCALE:
            out.append(out[-1])
        elif layer.operator == "softmax":
            out.append(_SOFTMAX)
        else:
            out.append(_quantization(least, greatest))
    return out


def _quantization(least: float, greatest: float) -> Quantization:
    least, greatest = min(least, 0.0), max(greatest, 0.0)
    scale = float(np.float32((greatest - least) / 255 or 1.0))
    return Quantization(scale, max(-128, min(127, round(-128 - least / scale))))


def _quantize(layer: Layer, folded: Folded, input_scale: float) -> Constants:
    """Return symmetric int8 weights with a scale a channel, and int32 biases on the product of the scales."""
    depthwise = layer.operator == "depthwise"
    other_axes = (0, 1, 2) if depthwise else tuple(range(1, folded.weights.ndim))
    largest = np.abs(folded.weights).max(axis=other_axes)
    scales = np.where(largest > 0.0, largest, 1.0).astype(np.float32).astype(np.float64) / 127
    spread = scales if depthwise else scales.reshape(-1, *(1 for _ in other_axes))
    weights = np.clip(np.rint(folded.weights / spread), -127, 127).astype(np.int8)
    bias_scales = scales * input_scale
    bias = np.clip(np.rint(folded.bias / bias_scales), -(2**31), 2**31 - 1).astype("<i4")
    return Constants(weights.tobytes(), tuple(scales.tolist()), bias.tobytes(), tuple(bias_scales.tolist()))
