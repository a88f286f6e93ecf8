"""From the walk over a network to the operators of its int8 file, in execution order."""

from collections.abc import Mapping

from tinynas.architecture import Architecture, Layer, walk

TFLITE: Mapping[str, str] = {
    "conv": "CONV_2D",
    "depthwise": "DEPTHWISE_CONV_2D",
    "add": "ADD",
    "max_pool": "MAX_POOL_2D",
    "average_pool": "AVERAGE_POOL_2D",
    "flatten": "RESHAPE",
    "dense": "FULLY_CONNECTED",
    "softmax": "SOFTMAX",
}
"""The name that TFLite has for a layer's operator."""


def layers(architecture: Architecture) -> tuple[Layer, ...]:
    """Return the layers that are operators of the int8 file.

    Batch norm, biases and activations are part of the convolution, sum or dense layer before them, but softmax is an
    operator. The flatten after a 1x1 map is none, since a dense layer takes the map as it is.
    """
    out = [layer for layer in walk(architecture) if layer.operator != "flatten" or layer.shape_in[:2] != (1, 1)]
    classes = out[-1].shape_out
    out[-1] = out[-1]._replace(activation="")
    return (*out, Layer("softmax", "softmax", None, classes, classes))
