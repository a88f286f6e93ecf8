"""Keras model to full-integer int8 .tflite: int8 in and out, batch 1."""

import gc
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinynas.errors import ConversionError, door
from tinynas.tflite.strip import strip
from tinynas.training.keras import keras, tf
from tinynas.training.quiet import quiet

_NO_OPERATOR = re.compile(r"'tf\.(\w+)' op is neither")
_CONTROL_FLOW = frozenset(("While", "StatelessWhile", "If", "StatelessIf", "Switch", "Merge", "LoopCond"))


@door
def quantize(model: Any, representative: np.ndarray) -> bytes:
    """Return the file that ships for `model`: full-integer int8, stripped of all that TFLM does not read.

    `representative` is float32 (n, H, W, C), samples of the training data in [0, 1]; they fix the activations'
    ranges. The model is traced at batch 1, since a dynamic batch costs four operators and 5-14 kB of code on the
    board. Raises ConversionError when the converter refuses or leaves a float operator.
    """
    samples = np.ascontiguousarray(representative, dtype=np.float32)
    shape = (1, *model.input_shape[1:])
    if samples.ndim != 4 or samples.shape[1:] != shape[1:] or not len(samples):
        raise ConversionError(
            f"The representative samples have shape {samples.shape}; the model needs (n, {shape[1:]}), n >= 1."
        )
    return quantize_call(lambda x: model(x, training=False), samples)


def quantize_call(call: Callable[[Any], Any], representative: np.ndarray) -> bytes:
    """The same for any function `call` of a tensor (1, ...) that TensorFlow can trace, such as a loaded signature.

    `representative` is float32 (n, ...) with the shape of the function's input.
    """
    samples = np.ascontiguousarray(representative, dtype=np.float32)
    try:
        with quiet():
            function = tf.function(call)
            concrete = function.get_concrete_function(tf.TensorSpec((1, *samples.shape[1:]), tf.float32, name="input"))
            _refuse_loops(concrete.graph.as_graph_def())
            data = _convert(concrete, samples)
    except ConversionError:
        raise
    except Exception as error:  # the converter raises half a dozen types, all with the reason in the text
        unknown = sorted(set(_NO_OPERATOR.findall(str(error))))
        if unknown:
            raise ConversionError(
                f"TensorFlow Lite has no operator for {', '.join(unknown)}: build the model from layers that it knows."
            ) from error
        raise ConversionError(f"TensorFlow's converter refused the model: {first_line(error)}.") from error
    return strip(data)


def _refuse_loops(graph: Any) -> None:
    """ConversionError for a graph with a loop or a branch: the converter may end the process over such a one."""
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    found = sorted({node.op for node in nodes} & _CONTROL_FLOW)
    if found:
        raise ConversionError(
            f"The model has a loop or a branch ({found[0]}), as recurrent layers do, which is not supported; build "
            f"it from convolutions, poolings and dense layers."
        )


def first_line(error: Exception, most: int = 200) -> str:
    """Return the first line of an error's text, without its full stop, and not endless."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return (text if len(text) <= most else text[:most] + "…").rstrip(".")


def _convert(concrete: Any, samples: np.ndarray) -> bytes:
    """Return the converter's file. Without the model as `trackable_obj` it takes the graph as it is.

    With it, a SavedModel would be written and read again for the same bytes, which takes twenty times as long.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with warnings.catch_warnings():  # it asks for ranges although calibration finds them
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected", UserWarning)
        data: bytes = converter.convert()
    return data


def fill_untrained(model: Any, rng: np.random.Generator) -> None:
    """Give every bias and batch-norm statistic of a fresh `model` non-zero values, in place.

    The converter drops or shares zero biases, so that the file of an untrained child would be up to 1.54x too small.
    """
    for layer in model.layers:
        names = [weight.name.rsplit("/", 1)[-1].split(":")[0] for weight in layer.weights]
        if not names:
            continue
        filled = []
        for name, value in zip(names, layer.get_weights(), strict=True):
            if name in ("bias", "beta", "moving_mean"):
                value = rng.normal(0.0, 0.1, value.shape)
            elif name in ("gamma", "moving_variance"):
                value = rng.uniform(0.5, 1.5, value.shape)
            filled.append(value)
        layer.set_weights(filled)


def clear() -> None:
    """Drop what Keras and the training graphs keep of earlier models and their data.

    Graph functions hold their data in cycles, which only the garbage collector undoes; without this a worker grows by
    tens of megabytes a child.
    """
    keras.backend.clear_session()
    gc.collect()
