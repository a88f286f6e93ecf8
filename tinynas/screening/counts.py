"""Parameters, multiply-accumulates and FLOPs of an architecture, counted from its shapes."""

from collections.abc import Callable, Mapping, Sequence

from tinynas.architecture import Architecture, Layer, Shape
from tinynas.screening.layers import layers


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
        layer.weights + layer.shape_out[2] * (4 if layer.batch_norm else 1)
        for layer in layers(architecture)
        if layer.weights
    )


def flops_of(walk: Sequence[Layer]) -> int:
    """Return `count_flops` of layers that were walked already."""
    return sum(_FLOPS[layer.operator](layer) for layer in walk)


def macs_of(walk: Sequence[Layer]) -> int:
    """Return `count_macs` of layers that were walked already."""
    return sum(_macs(layer) for layer in walk)


def deployed_params_of(walk: Sequence[Layer]) -> int:
    """Return the weights and biases that the int8 file holds, where a batch norm is folded into a bias."""
    return sum(layer.weights + layer.shape_out[2] for layer in walk if layer.weights)


def values(shape: Shape) -> int:
    """Return the number of values of a map."""
    return shape[0] * shape[1] * shape[2]


def _macs(layer: Layer) -> int:
    """Return the multiply-accumulates: each weight is used at every position of the output."""
    return layer.weights * layer.shape_out[0] * layer.shape_out[1]


def _weighted_flops(layer: Layer) -> int:
    made = values(layer.shape_out)
    finish = 2 * made + 6 * layer.shape_out[2] if layer.batch_norm else made
    return 2 * _macs(layer) + finish


def _pool_flops(layer: Layer) -> int:
    return layer.kernel[0] * layer.kernel[1] * values(layer.shape_out)


_FLOPS: Mapping[str, Callable[[Layer], int]] = {
    "conv": _weighted_flops,
    "depthwise": _weighted_flops,
    "dense": _weighted_flops,
    "add": lambda layer: values(layer.shape_out),
    "max_pool": _pool_flops,
    "average_pool": _pool_flops,
    "flatten": lambda layer: 0,
    "softmax": lambda layer: 5 * values(layer.shape_out),
}
