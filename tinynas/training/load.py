"""Models that tinynas did not make: a Keras file of either Keras, or a SavedModel, as a function of a tensor."""

import contextlib
import importlib
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.errors import ConversionError
from tinynas.tflite.disguise import is_lfs_pointer
from tinynas.training.convert import first_line
from tinynas.training.guard import require_harmless
from tinynas.training.keras import keras, tf
from tinynas.training.quiet import quiet

_BATCH = 64
_QUANTIZED = b"QuantizeWrapper"  # in the configuration of a network that tfmot's quantize_model made


@dataclass(frozen=True)
class Loaded:
    """A float model of one input and one output: `call` takes a tensor (n, *input_shape) and gives (n, ...).

    A size in `input_shape` that the model leaves open is None. `batch` is the batch it insists on, None for any.
    """

    call: Callable[[Any], Any]
    input_shape: tuple[int | None, ...]
    batch: int | None

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs (n, values) for x float32 (n, ...); ConversionError when the model does not run."""
        step = self.batch or _BATCH
        try:
            with _in_silence():
                parts = [np.asarray(self.call(tf.constant(x[i : i + step]))) for i in range(0, len(x), step)]
        except Exception as error:  # whatever TensorFlow raises, the reason is in its text
            raise ConversionError(
                f"The model does not run on samples of {x.shape[1:]}: {first_line(error)}."
            ) from error
        return np.concatenate(parts).reshape(len(x), -1)


@contextlib.contextmanager
def _in_silence() -> Iterator[None]:
    """Keep the warnings and lines of two Keras and of TensorFlow off the terminal while the block runs."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def load(path: Path, trust: bool = False) -> Loaded:
    """Return the float model in `path`; ConversionError, in one sentence, when it cannot be read or has two inputs.

    So is one that could run code that came with it, unless there is `trust`. `apart` loads it in a process of its own.
    """
    pointers = [
        file for file in ((path, *sorted(path.rglob("*"))) if path.is_dir() else (path,)) if is_lfs_pointer(file)
    ]
    if pointers:
        raise ConversionError(
            f"{pointers[0]} is a git-LFS pointer, which stands for a file that was not fetched: run git lfs pull."
        )
    if not trust:
        require_harmless(path)
    return _load_saved_model(path) if path.is_dir() else _load_keras(path, trust)


def _load_keras(path: Path, trust: bool) -> Loaded:
    """Read a Keras file by the Keras that wrote it: tf_keras is tried first, then Keras 3.

    The layers that tensorflow-model-optimization puts around others for quantisation-aware training are known.
    """
    if path.suffix.lower() == ".keras" and not zipfile.is_zipfile(path):
        raise ConversionError(f"{path} is not a .keras file: it is no zip archive; save the model again.")
    config, reasons = _config(path), []
    for library in (keras, importlib.import_module("keras")):
        try:
            with _in_silence(), _quantize_scope(config):
                model = library.models.load_model(path, compile=False, safe_mode=not trust)
        except Exception as error:  # each Keras raises its own, and so does h5py
            reasons.append(error)
            continue
        return _of_keras(model, path)
    of_tf_keras = b"tf_keras" in config or _QUANTIZED in config
    reason = first_line(reasons[0 if of_tf_keras else -1])
    raise ConversionError(f"{path} cannot be loaded by tf_keras or Keras 3: {reason}; export a SavedModel instead.")


def _config(path: Path) -> bytes:
    """Return the part of a Keras file that describes the network: all of an .h5; b"" where nothing can be read."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.read("config.json")
        return path.read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile):
        return b""


@contextlib.contextmanager
def _quantize_scope(config: bytes) -> Iterator[None]:
    """Make the layers of quantisation-aware training known, where the network in `config` has some."""
    if _QUANTIZED not in config:
        yield
        return
    from tinynas.training.fake_quant import quantize_scope

    with quantize_scope():
        yield


def _of_keras(model: Any, path: Path) -> Loaded:
    shapes = getattr(model, "input_shape", None)
    if not isinstance(shapes, tuple) or isinstance(getattr(model, "output_shape", None), list | dict):
        raise ConversionError(f"{path}: the model must have one input and one output, of shapes that are known.")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ConversionError(
            f"{path}: the model has {len(model.inputs)} inputs and {len(model.outputs)} outputs; wanted one of each."
        )
    return Loaded(lambda x: model(x, training=False), tuple(shapes[1:]), shapes[0])


def _load_saved_model(path: Path) -> Loaded:
    """Read a SavedModel's function "serving_default" (or its first), as Keras, tf.saved_model and export write it."""
    try:
        with _in_silence():
            model = tf.saved_model.load(str(path))
    except Exception as error:
        raise ConversionError(f"{path} is no SavedModel that TensorFlow can load: {first_line(error)}.") from error
    signatures = dict(model.signatures)
    name = "serving_default" if "serving_default" in signatures else next(iter(signatures), None)
    if name is None:
        raise ConversionError(f"{path} has no signature to convert: save the model with one (serving_default).")
    function = signatures[name]
    inputs, outputs = function.structured_input_signature[1], function.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise ConversionError(
            f"{path}: its signature {name!r} has {len(inputs)} inputs and {len(outputs)} outputs; wanted one of each."
        )
    ((argument, spec),) = inputs.items()
    if spec.dtype != tf.float32:
        raise ConversionError(f"{path}: the model's input is {spec.dtype.name}; wanted float32.")
    if spec.shape.rank is None:
        raise ConversionError(f"{path}: the shape of the model's input is not known; save it with one.")
    # the model itself is kept alive by the function that uses its variables
    return Loaded(lambda x: _only(function(**{argument: x}), model), tuple(spec.shape[1:]), spec.shape[0])


def _only(outputs: Any, _owner: Any) -> Any:
    (value,) = outputs.values()
    return value
