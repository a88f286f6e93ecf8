"""Parameters, multiply-accumulates and FLOPs of an architecture, counted from its shapes."""

from collections.abc import Callable, Mapping, Sequence

from tinynas.architecture import Architecture, Shape
from tinynas.screening.layers import Layer, layers


def count_flops(architecture: Architecture) -> int:
    """Return the FLOPs of one inference of the float model, as keras-flops 0.1.2 counts them.

    A multiply-add counts 2. The formulas are those that TensorFlow registers for its profiler
    (tensorflow/python/profiler/internal/flops_registry.py) and keras-flops adds (flops_registory.py): a
    batch norm is 2 a value and 6 a channel, softmax 5 a class; relu, relu6, reshape and dropout are 0.
    """
    return flops_of(layers(architecture))


def count_macs(architecture: Architecture) -> int:
    """Return the multiply-accumulates of one inference of the int8 file: convolutions and dense layers."""
    return macs_of(layers(architecture))


def count_params(architecture: Architecture) -> int:
    """Return what Keras's `count_params()` says: a batch norm has 4 a channel, and replaces the bias."""
    return sum(
        _kernel_values(layer) + layer.shape_out[2] * (4 if layer.batch_norm else 1)
        for layer in layers(architecture)
        if layer.name
    )


def flops_of(walk: Sequence[Layer]) -> int:
    """Return `count_flops` of layers that were walked already."""
    return sum(_FLOPS[layer.operator](layer) for layer in walk)


def macs_of(walk: Sequence[Layer]) -> int:
    """Return `count_macs` of layers that were walked already."""
    return sum(_positions(layer) * _kernel_values(layer) for layer in walk if layer.name)


def deployed_params_of(walk: Sequence[Layer]) -> int:
    """Return the weights and biases that the int8 file holds, where a batch norm is folded into a bias."""
    return sum(_kernel_values(layer) + layer.shape_out[2] for layer in walk if layer.name)


def values(shape: Shape) -> int:
    """Return the number of values of a map."""
    return shape[0] * shape[1] * shape[2]


def _kernel_values(layer: Layer) -> int:
    """Return the number of weights, biases left out."""
    taps = layer.kernel[0] * layer.kernel[1] * layer.shape_in[2]
    return taps if layer.operator == "DEPTHWISE_CONV_2D" else taps * layer.shape_out[2]


def _positions(layer: Layer) -> int:
    """Return how often each weight is used."""
    return layer.shape_out[0] * layer.shape_out[1]


def _weighted_flops(layer: Layer) -> int:
    made = values(layer.shape_out)
    finish = 2 * made + 6 * layer.shape_out[2] if layer.batch_norm else made
    return 2 * _positions(layer) * _kernel_values(layer) + finish


def _pool_flops(layer: Layer) -> int:
    return layer.kernel[0] * layer.kernel[1] * values(layer.shape_out)


_FLOPS: Mapping[str, Callable[[Layer], int]] = {
    "CONV_2D": _weighted_flops,
    "DEPTHWISE_CONV_2D": _weighted_flops,
    "FULLY_CONNECTED": _weighted_flops,
    "ADD": lambda layer: values(layer.shape_out),
    "MAX_POOL_2D": _pool_flops,
    "AVERAGE_POOL_2D": _pool_flops,
    "RESHAPE": lambda layer: 0,
    "SOFTMAX": lambda layer: 5 * values(layer.shape_out),
}
