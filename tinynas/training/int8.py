"""Run a .tflite in the TFLite interpreter: an int8 one on real samples, or any on what its tensors hold."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynas.data.samples import parts_of
from tinynas.errors import ConversionError
from tinynas.tflite.affine import to_int8, to_real
from tinynas.training.keras import tf

_MOST_TEXT = 200


class Int8Model:
    """An int8 .tflite with one input and one output, ready to be run on float samples.

    `reference=True` takes the reference kernels, whose results are TFLM's; otherwise TFLite's optimised kernels
    without delegates, which are faster and at most a rounding step apart (XNNPACK, the default, is not: it can be
    plainly different for even kernel sizes).
    """

    def __init__(self, data: bytes, reference: bool = False) -> None:
        """Read the model from `data`; ConversionError when it is not int8 in and out, or TFLite does not take it."""
        self._interpreter = _interpreter(data, reference)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        for name, tensor in (("input", self._input), ("output", self._output)):
            if tensor["dtype"] is not np.int8:
                raise ConversionError(
                    f"The model's {name} is {np.dtype(tensor['dtype']).name}; an int8 model was expected: quantise it."
                )
        self._batch = 0

    def quantize_input(self, x: np.ndarray) -> np.ndarray:
        """Return x float32 (n, H, W, C) in [0, 1] as the int8 values that the device feeds the model."""
        scale, zero_point = self._input["quantization"]
        return to_int8(x, scale, zero_point)

    def run(self, x: np.ndarray, batch_size: int = 250) -> np.ndarray:
        """Return the int8 outputs (n, n_classes) for int8 inputs (n, H, W, C)."""
        parts = [self._run_batch(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return np.concatenate(parts)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs (n, n_classes) as real values, for x float32 (n, H, W, C) in [0, 1]."""
        scale, zero_point = self._output["quantization"]
        return to_real(self.run(self.quantize_input(x)), scale, zero_point)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the predicted class (n,) of x float32 (n, H, W, C) in [0, 1]; ties go to the lower class."""
        parts = (part for _, part in parts_of(x))  # x may be Samples, larger than memory
        return np.concatenate([self.run(self.quantize_input(part)).argmax(axis=1) for part in parts])

    def _run_batch(self, x: np.ndarray) -> Any:
        with _in_one_sentence():
            if len(x) != self._batch:
                self._interpreter.resize_tensor_input(self._input["index"], x.shape)
                self._interpreter.allocate_tensors()
                self._batch = len(x)
            self._interpreter.set_tensor(self._input["index"], x)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output["index"]).copy()


def run_reference(data: bytes, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return the outputs (n, values) of each output for `inputs` (n, ...) of each input, by the reference kernels.

    The types are those of the model's tensors, whatever they are. ConversionError when TFLite does not take it.
    """
    interpreter = _interpreter(data, reference=True)
    with _in_one_sentence():
        interpreter.allocate_tensors()
        given, found = interpreter.get_input_details(), interpreter.get_output_details()
        rows = []
        for sample in zip(*inputs, strict=True):
            for tensor, value in zip(given, sample, strict=True):
                interpreter.set_tensor(tensor["index"], value.reshape(tensor["shape"]))
            interpreter.invoke()
            rows.append([interpreter.get_tensor(tensor["index"]).reshape(1, -1) for tensor in found])
    return tuple(np.concatenate(each) for each in zip(*rows, strict=True))


def _interpreter(data: bytes, reference: bool) -> Any:
    resolver = tf.lite.experimental.OpResolverType
    chosen = resolver.BUILTIN_REF if reference else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with warnings.catch_warnings():  # TensorFlow names its successor, which needs Python packages of its own
        warnings.filterwarnings("ignore", "(?s).*tf.lite.Interpreter is deprecated", UserWarning)
        with _in_one_sentence():
            return tf.lite.Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=chosen)


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """Raise what TFLite's interpreter raises as a ConversionError that says it in one line, with an end."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())
        text = text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
        raise ConversionError(f"TensorFlow Lite's interpreter does not run the model: {text}") from error
