"""Architecture to Keras model: the layers of its walk, in their order."""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from tinynas.architecture import CONVOLUTIONS, INPUT, Architecture, Layer, walk
from tinynas.errors import ArchitectureError
from tinynas.training.keras import keras
from tinynas.training.precision import Precision, fast_in_bfloat16

# A short training sees some hundred batches: with Keras's default of 0.99 the statistics would not have
# settled when the model is scored, and the score would be noise.
BATCH_NORM_MOMENTUM = 0.9

Weights = Mapping[str, Sequence[np.ndarray]]

_FLOAT32 = {"dtype": "float32"}  # a layer's own format, whatever the model's


def build(architecture: Architecture, weights: Weights | None = None, precision: Precision = "float32") -> Any:
    """Return the tf_keras model of `architecture`: input (batch, H, W, C) in [0, 1], output (batch, n_classes) softmax.

    The last layer of block i is called `block{i}`, so that shapes can be read off the model. `weights` maps layer
    names to arrays (see `layer_weights`); layers that are not named keep their fresh initial weights. Raises
    ArchitectureError when an array's shape is not the layer's. With `precision` "bfloat16" the layers compute in that
    format, but for those that it makes slower (see `fast_in_bfloat16`); the weights, their names and the output are
    float32 as ever, so that they fit the float32 model, which is the one to quantise.
    """
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        model = _model(architecture)
    finally:
        keras.mixed_precision.set_global_policy(before)
    if weights is not None:
        set_weights(model, weights)
    return model


def _model(architecture: Architecture) -> Any:
    """Return the walk over `architecture` as a Keras model, with the dropout that the walk leaves out."""
    layers, rates = walk(architecture), architecture.dropout_rates
    x = inputs = keras.Input(shape=architecture.input_shape, name="input")
    made = {INPUT: inputs}
    for number, (layer, after) in enumerate(zip_longest(layers, layers[1:])):
        if after is None:
            x = keras.layers.Dropout(rates[-1], name="head_dropout")(x)
        x = _LAYERS[layer.operator](layer)([made[layer.skip], x] if layer.operator == "add" else x)
        exact = {} if fast_in_bfloat16(layer, "batch_norm") else _FLOAT32  # both alike, so that TensorFlow fuses them
        if layer.batch_norm:
            x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{layer.name}_bn", **exact)(x)
        if layer.activation and layer.operator != "dense":
            limit = 6.0 if layer.activation == "relu6" else None
            x = keras.layers.ReLU(max_value=limit, name=_activation_name(layer, after), **exact)(x)
        if layer.block is not None and after.block != layer.block:
            x = keras.layers.Dropout(rates[layer.block], name=f"block{layer.block}")(x)
        made[number] = x
    return keras.Model(inputs, x, name="tinynas")


def _activation_name(layer: Layer, after: Layer) -> str:
    """Return the name of the activation behind `layer`: the block's own behind its last convolution or its sum."""
    inside = after.block == layer.block and after.operator in CONVOLUTIONS
    return f"{layer.name}_act" if inside else f"block{layer.block}_act"


def _convolved(layer: Layer) -> dict[str, Any]:
    """Return the arguments that both kinds of convolution have."""
    return {
        "kernel_size": layer.kernel,
        "strides": layer.strides,
        "padding": layer.padding,
        "use_bias": not layer.batch_norm,
        "name": layer.name,
    }


def _depthwise(layer: Layer) -> Any:
    exact = {} if fast_in_bfloat16(layer, "depthwise") else _FLOAT32
    return keras.layers.DepthwiseConv2D(**_convolved(layer), **exact)


def _dense(layer: Layer) -> Any:
    exact = _FLOAT32 if layer.activation == "softmax" else {}
    return keras.layers.Dense(layer.shape_out[2], activation=layer.activation, name=layer.name, **exact)


# The Keras layer for each operator of the walk; batch norm and the activation of a convolution are layers behind it.
_LAYERS: Mapping[str, Callable[[Layer], Any]] = {
    "conv": lambda layer: keras.layers.Conv2D(layer.shape_out[2], **_convolved(layer)),
    "depthwise": _depthwise,
    "add": lambda layer: keras.layers.Add(name=layer.name),
    "max_pool": lambda layer: keras.layers.MaxPooling2D(layer.kernel, layer.strides, layer.padding, name=layer.name),
    "average_pool": lambda layer: keras.layers.AveragePooling2D(
        layer.kernel, layer.strides, layer.padding, name=layer.name
    ),
    "flatten": lambda layer: keras.layers.Flatten(name=layer.name),
    "dense": _dense,
}


def set_weights(model: Any, weights: Weights) -> None:
    """Give the layers that `weights` names its arrays; ArchitectureError when an array's shape is not the layer's."""
    for name, arrays in weights.items():
        layer = model.get_layer(name)
        want = [tuple(weight.shape) for weight in layer.weights]
        got = [np.shape(array) for array in arrays]
        if want != got:
            raise ArchitectureError(f"The weights given for layer {name} have shapes {got}; it needs {want}.")
        layer.set_weights(list(arrays))
