"""The float model in NumPy: weights with batch norm folded in, and the value ranges that samples reach."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinynas.architecture import INPUT, Layer
from tinynas.errors import ArchitectureError

Floats = NDArray[np.float64]
Weights = Mapping[str, Sequence[NDArray[np.floating]]]

BATCH_NORM_EPSILON = 1e-3  # Keras's default


class Folded(NamedTuple):
    """Weights of a layer in the file's order (OHWI, 1HWC, OI) and bias, batch norm folded into both."""

    weights: Floats
    bias: Floats


def fold(layer: Layer, weights: Weights, rng: np.random.Generator) -> Folded:
    """Return the folded weights of `layer` from Keras's arrays; a layer that `weights` leaves out is drawn.

    Keras's arrays are [kernel, bias], or [kernel] with [gamma, beta, mean, variance] under the name of the
    batch norm. Raises ArchitectureError when a shape is not the layer's.
    """
    (kh, kw), channels, made = layer.kernel, layer.shape_in[2], layer.shape_out[2]
    depthwise, dense = layer.operator == "depthwise", layer.operator == "dense"
    taps = (kh, kw, channels)
    shape = (channels, made) if dense else (*taps, 1) if depthwise else (*taps, made)
    wanted: list[tuple[int, ...]] = [shape] if layer.batch_norm else [shape, (made,)]
    kernel, *biases = _arrays(weights, layer.name, wanted, rng)
    bias = biases[0] if biases else np.zeros(made)
    kernel = kernel.T if dense else np.moveaxis(kernel, 3, 0)
    if layer.batch_norm:
        gamma, beta, mean, variance = _arrays(weights, f"{layer.name}_bn", [(made,)] * 4, rng)
        factor = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        kernel = kernel * (factor if depthwise else factor.reshape(-1, 1, 1, 1))
        bias = beta - mean * factor
    return Folded(kernel, bias)


def ranges(
    walk: Sequence[Layer], folded: Mapping[int, Folded], samples: NDArray[np.floating]
) -> list[tuple[float, float]]:
    """Return (least, greatest) of the input and of each layer's output over `samples` (n, H, W, C)."""
    values = np.asarray(samples, dtype=np.float64)
    kept: dict[int, Floats] = {INPUT: values}
    out = [(float(values.min()), float(values.max()))]
    for number, layer in enumerate(walk):
        values = _RUN[layer.operator](layer, values, folded.get(number), kept.get(layer.skip))
        kept[number] = values
        out.append((float(values.min()), float(values.max())))
    return out


def _arrays(weights: Weights, name: str, wanted: Sequence[tuple[int, ...]], rng: np.random.Generator) -> list[Floats]:
    given = weights.get(name)
    if given is None:
        if len(wanted) == 4:  # a batch norm, whose gamma and variance must be positive
            return [rng.uniform(0.5, 1.5, shape) for shape in wanted]
        return [rng.normal(0.0, 1.0, shape) / math.sqrt(math.prod(shape[:-1])) for shape in wanted]
    arrays = [np.asarray(array, dtype=np.float64) for array in given]
    if [array.shape for array in arrays] != list(wanted):
        shapes = [array.shape for array in arrays]
        raise ArchitectureError(f"The weights given for layer {name} have shapes {shapes}; it needs {wanted}.")
    return arrays


def _activate(values: Floats, activation: str) -> Floats:
    if activation:
        values = np.maximum(values, 0.0)
    return np.minimum(values, 6.0) if activation == "relu6" else values


def _windows(layer: Layer, values: Floats) -> Floats:
    """Return (n, out height, out width, channels, kernel height, kernel width); "same" adds zeros."""
    if layer.padding == "same":
        pads = []
        for axis in (0, 1):
            reach = (layer.shape_out[axis] - 1) * layer.strides[axis] + layer.kernel[axis]
            total = max(0, reach - layer.shape_in[axis])
            pads.append((total // 2, total - total // 2))
        values = np.pad(values, ((0, 0), *pads, (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(values, layer.kernel, axis=(1, 2))
    return seen[:, :: layer.strides[0], :: layer.strides[1]]


def _conv(layer: Layer, values: Floats, folded: Folded | None, skip: Floats | None) -> Floats:
    assert folded is not None
    made = np.einsum("nyxchw,ohwc->nyxo", _windows(layer, values), folded.weights, optimize=True)
    return _activate(made + folded.bias, layer.activation)


def _depthwise(layer: Layer, values: Floats, folded: Folded | None, skip: Floats | None) -> Floats:
    assert folded is not None
    made = np.einsum("nyxchw,hwc->nyxc", _windows(layer, values), folded.weights[0], optimize=True)
    return _activate(made + folded.bias, layer.activation)


def _dense(layer: Layer, values: Floats, folded: Folded | None, skip: Floats | None) -> Floats:
    assert folded is not None
    flat = values.reshape(len(values), -1)
    return _activate(flat @ folded.weights.T + folded.bias, layer.activation)


def _add(layer: Layer, values: Floats, folded: Folded | None, skip: Floats | None) -> Floats:
    assert skip is not None
    return _activate(skip + values, layer.activation)


def _softmax(layer: Layer, values: Floats, folded: Folded | None, skip: Floats | None) -> Floats:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


_RUN: Mapping[str, Callable[[Layer, Floats, Folded | None, Floats | None], Floats]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "dense": _dense,
    "add": _add,
    "max_pool": lambda layer, values, folded, skip: _windows(layer, values).max(axis=(4, 5)),
    "average_pool": lambda layer, values, folded, skip: _windows(layer, values).mean(axis=(4, 5)),
    "flatten": lambda layer, values, folded, skip: values.reshape(len(values), -1),
    "softmax": _softmax,
}
