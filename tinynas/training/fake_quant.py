"""int8's rounding inside a float training graph, gradients passed through: tfmot's wrappers, the converter's scales.

tfmot's own scheme differs from what the converter makes of the same model without it: one scale for all channels of a
depthwise or dense kernel, and an average pool whose output has another scale than its input, which costs an operator.
"""

import warnings
from typing import Any

from tinynas.training.keras import keras, tf
from tinynas.training.quiet import quiet

with quiet(), warnings.catch_warnings():
    warnings.filterwarnings("ignore", "(?i).*distutils", DeprecationWarning)  # the package, and its Version classes
    from tensorflow_model_optimization.quantization import keras as tfmot

_DECAY = 0.99  # of the moving averages: a fine-tuning sees some hundred batches
_LEAST = 1e-7  # half the range where all weights of a channel are zero


def quantize_scope() -> Any:
    """Return a context in which Keras loads networks with tfmot's layers around their own."""
    return tfmot.quantize_scope()


class Range(tfmot.quantizers.Quantizer):  # type: ignore[misc]
    """Rounds a map to 256 steps between two moving averages: those of the least and greatest value of each batch.

    The range holds 0, and starts as that of the first batch seen in training. `of` is a range to share and never to
    move, as the output of TFLite's pools has the scale of the input.
    """

    def __init__(self, of: "Range | None" = None) -> None:
        self._of = of
        self._ends: dict[str, Any] = {}

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Return the variables of both ends, new ones in `layer` unless they are shared."""
        if self._of is not None:
            self._ends = self._of._ends
        else:
            self._ends = {
                end: layer.add_weight(f"{name}_{end}", (), initializer="zeros", trainable=False)
                for end in ("low", "high")
            }
        return self._ends

    def __call__(self, inputs: Any, training: Any, weights: dict[str, Any], **kwargs: Any) -> Any:
        """Return `inputs` rounded; in training the range is moved first."""
        low, high = weights["low"], weights["high"]
        if training and self._of is None:
            share = tf.where(high > low, 1 - _DECAY, 1.0)
            low.assign_add(share * (tf.minimum(tf.reduce_min(inputs), 0.0) - low))
            high.assign_add(share * (tf.maximum(tf.reduce_max(inputs), _LEAST) - high))
        return tf.quantization.fake_quant_with_min_max_vars(inputs, low, high)

    def get_config(self) -> dict[str, Any]:
        """Return nothing: a range lives in one model and is not saved."""
        return {}


class _Channels(tfmot.quantizers.Quantizer):  # type: ignore[misc]
    """Rounds a kernel to 255 steps an output channel, about 0 and up to its greatest magnitude."""

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        self._shape = (-1, tensor_shape[2]) if name == "depthwise_kernel" else (-1, tensor_shape[-1])
        return {}

    def __call__(self, inputs: Any, training: Any, weights: dict[str, Any], **kwargs: Any) -> Any:
        rows = tf.reshape(inputs, self._shape)
        reach = tf.maximum(tf.reduce_max(tf.abs(rows), axis=0), _LEAST)
        rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(rows, -reach, reach, narrow_range=True)
        # TensorFlow's own gradient is 0 where the arithmetic puts the greatest weight just beyond the last step.
        return inputs + tf.stop_gradient(tf.reshape(rounded, inputs.shape) - inputs)

    def get_config(self) -> dict[str, Any]:
        return {}


class _Config(tfmot.QuantizeConfig):  # type: ignore[misc]
    """Rounds the kernel of a layer, if it has one, and its output, if `held` is given."""

    def __init__(self, held: Range | None) -> None:
        self._held = held

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        name = _kernel_name(layer)
        return [(getattr(layer, name), _Channels())] if name else []

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        if quantize_weights:
            setattr(layer, _kernel_name(layer), quantize_weights[0])

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
        pass

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        return [] if self._held is None else [self._held]

    def get_config(self) -> dict[str, Any]:
        return {}


def wrap(layer: Any, held: Range | None) -> Any:
    """Return `layer` with its kernel rounded, and its output to the range `held`; it is called quant_ and its name."""
    return tfmot.QuantizeWrapperV2(layer, _Config(held))


def _kernel_name(layer: Any) -> str:
    """Return the name of the layer's kernel; empty when it has none."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "depthwise_kernel"
    return "kernel" if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense) else ""
