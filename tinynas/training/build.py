"""Architecture to Keras model: the layers of each block, in the order the genome defines."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinynas.architecture import Architecture, Block
from tinynas.errors import ArchitectureError
from tinynas.training.keras import keras
from tinynas.training.precision import Precision

# A short training sees some hundred batches: with Keras's default of 0.99 the statistics would not have
# settled when the model is scored, and the score would be noise.
BATCH_NORM_MOMENTUM = 0.9

Weights = Mapping[str, Sequence[np.ndarray]]


def build(architecture: Architecture, weights: Weights | None = None, precision: Precision = "float32") -> Any:
    """Return the tf_keras model of `architecture`: input (batch, H, W, C) in [0, 1], output (batch, n_classes) softmax.

    The last layer of block i is called `block{i}`, so that shapes can be read off the model. `weights` maps layer
    names to arrays (see `layer_weights`); layers that are not named keep their fresh initial weights. Raises
    ArchitectureError when an array's shape is not the layer's. With `precision` "bfloat16" the layers compute in that
    format; the weights, their names and the output are float32 as ever, so that they fit the float32 model, which is
    the one to quantise.
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
    inputs = keras.Input(shape=architecture.input_shape, name="input")
    x, shape = inputs, architecture.input_shape
    rates = architecture.dropout_rates
    for number, (block, rate) in enumerate(zip(architecture.blocks, rates, strict=False)):
        x = _block(x, block, shape, f"block{number}", rate)
        shape = block.output_shape(shape)
    outputs = _head(x, architecture, shape, rates[-1])
    return keras.Model(inputs, outputs, name="tinynas")


def _block(x: Any, block: Block, shape: tuple[int, int, int], name: str, dropout: float) -> Any:
    """Return the tensor after `block`; the identity at the end only carries the block's name."""
    layers = keras.layers
    kernel, strides = block.kernel(shape), block.strides(shape)
    common = {"padding": block.padding, "use_bias": not block.batch_norm}
    skip = x
    if block.kind == "conv":
        x = layers.Conv2D(block.filters, kernel, strides, name=f"{name}_conv", **common)(x)
        x = _batch_norm(x, block, f"{name}_conv_bn")
    else:
        x = layers.DepthwiseConv2D(kernel, strides, name=f"{name}_depthwise", **common)(x)
        x = _batch_norm(x, block, f"{name}_depthwise_bn")
    if block.kind == "separable":
        x = _activation(x, block, f"{name}_depthwise_act")
        x = layers.Conv2D(block.filters, 1, use_bias=not block.batch_norm, name=f"{name}_pointwise")(x)
        x = _batch_norm(x, block, f"{name}_pointwise_bn")
    if block.residual:
        x = layers.Add(name=f"{name}_add")([skip, x])
    x = _activation(x, block, f"{name}_act")
    if block.pool is not None:
        window = block.pool_window(block.conv_shape(shape))
        pool = layers.MaxPooling2D if block.pool == "max" else layers.AveragePooling2D
        x = pool(window, window, padding="valid", name=f"{name}_pool")(x)
    return layers.Dropout(dropout, name=name)(x)


def _batch_norm(x: Any, block: Block, name: str) -> Any:
    if not block.batch_norm:
        return x
    return keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=name)(x)


def _activation(x: Any, block: Block, name: str) -> Any:
    return keras.layers.ReLU(max_value=6.0 if block.activation == "relu6" else None, name=name)(x)


def _head(x: Any, architecture: Architecture, shape: tuple[int, int, int], dropout: float) -> Any:
    """Return the class probabilities; the average over the whole map is a pool, since TFLM's MEAN is slow."""
    layers, head = keras.layers, architecture.head
    if head.pooling == "gap" and shape[:2] != (1, 1):
        x = layers.AveragePooling2D(shape[:2], shape[:2], padding="valid", name="head_pool")(x)
    x = layers.Flatten(name="head_flatten")(x)
    if head.hidden_units:
        x = layers.Dense(head.hidden_units, activation="relu", name="head_hidden")(x)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    return layers.Dense(architecture.n_classes, activation="softmax", dtype="float32", name="head_classes")(x)


def set_weights(model: Any, weights: Weights) -> None:
    """Give the layers that `weights` names its arrays; ArchitectureError when an array's shape is not the layer's."""
    for name, arrays in weights.items():
        layer = model.get_layer(name)
        want = [tuple(weight.shape) for weight in layer.weights]
        got = [np.shape(array) for array in arrays]
        if want != got:
            raise ArchitectureError(f"The weights given for layer {name} have shapes {got}; it needs {want}.")
        layer.set_weights(list(arrays))
