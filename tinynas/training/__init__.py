"""The only room with TensorFlow in it: build, measure, train, quantise and score a Keras model."""

from typing import Any

import numpy as np


def quantize(model: Any, representative: np.ndarray) -> bytes:
    """Return `model` as the full-integer int8 .tflite that ships; see tinynas.training.convert.quantize."""
    from tinynas.training.convert import quantize as convert

    return convert(model, representative)
