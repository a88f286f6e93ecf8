"""A Keras model without its batch norms: each is folded into the convolution before it, as the converter does."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynas.errors import ConversionError
from tinynas.training.keras import keras

Step = Callable[[Any, list[Any]], Any]


def fold(model: Any) -> Any:
    """Return a float32 model that computes what `model` does at inference, batch norms folded into convolutions.

    Layers keep their names; convolutions before a batch norm gain a bias. Raises ConversionError for a batch norm that
    does not stand directly behind a convolution.
    """

    def step(layer: Any, inputs: list[Any]) -> Any:
        if isinstance(layer, keras.layers.BatchNormalization):
            if not isinstance(_producer(layer), keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
                raise ConversionError(
                    f"Batch norm {layer.name} follows {_producer(layer).name}; only one behind a convolution folds."
                )
            return inputs[0]
        norms = [after for after in followers(layer) if isinstance(after, keras.layers.BatchNormalization)]
        same = copied(layer, **({"use_bias": True} if norms else {}))
        output = same(inputs if len(inputs) > 1 else inputs[0])
        same.set_weights(_folded(layer, norms[0]) if norms else layer.get_weights())
        return output

    return rebuild(model, step)


def rebuild(model: Any, step: Step, enter: Callable[[Any], Any] = lambda inputs: inputs) -> Any:
    """Return a functional model over new tensors; `step` gives a layer's new output from the layer and its new inputs.

    The layers come in the order of the computation; `enter` is applied to the model's input.
    """
    inputs = keras.Input(model.input_shape[1:], name="input")
    tensors = {id(model.input): enter(inputs)}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        tensors[id(layer.output)] = step(layer, [tensors[id(tensor)] for tensor in given])
    return keras.Model(inputs, tensors[id(model.output)], name=model.name)


def copied(layer: Any, **changes: Any) -> Any:
    """Return a fresh layer with the configuration of `layer` and `changes`, in float32."""
    return type(layer).from_config({**layer.get_config(), "dtype": "float32", **changes})


def followers(layer: Any) -> list[Any]:
    """Return the layers that take the output of `layer`."""
    return [node.outbound_layer for node in layer.outbound_nodes]


def _producer(layer: Any) -> Any:
    return layer.inbound_nodes[0].inbound_layers


def _folded(layer: Any, norm: Any) -> list[np.ndarray]:
    """Return kernel and bias of a convolution with the batch norm `norm` behind it in them, computed in float64."""
    kernel, *rest = (array.astype(np.float64) for array in layer.get_weights())
    gamma, beta, mean, variance = (array.astype(np.float64) for array in norm.get_weights())
    scale = gamma / np.sqrt(variance + norm.epsilon)
    bias = (rest[0] if rest else 0.0) - mean
    per_channel = scale[:, None] if isinstance(layer, keras.layers.DepthwiseConv2D) else scale
    return [(kernel * per_channel).astype(np.float32), (beta + bias * scale).astype(np.float32)]
