"""Run a .tflite in the TFLite interpreter: quantise the input, give back the output as its tensor holds it."""

import warnings
from collections.abc import Collection, Iterator
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

    def __init__(self, data: bytes, reference: bool = False, types: Collection[type] = (np.int8,)) -> None:
        """Read the model from `data`; ConversionError when TFLite does not take it.

        The same when its input or output is of none of `types`; methods beside `run` are for int8 alone.
        """
        resolver = tf.lite.experimental.OpResolverType
        chosen = resolver.BUILTIN_REF if reference else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with warnings.catch_warnings():  # TensorFlow names its successor, which needs Python packages of its own
            warnings.filterwarnings("ignore", "(?s).*tf.lite.Interpreter is deprecated", UserWarning)
            with _in_one_sentence():
                self._interpreter = tf.lite.Interpreter(
                    model_content=data, num_threads=1, experimental_op_resolver_type=chosen
                )
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        for name, tensor in (("input", self._input), ("output", self._output)):
            if tensor["dtype"] not in types:
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


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """Raise what TFLite's interpreter raises as a ConversionError that says it in one line, with an end."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())
        text = text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
        raise ConversionError(f"TensorFlow Lite's interpreter does not run the model: {text}") from error
