"""The one place where TensorFlow and its Keras (tf_keras) are set up and imported."""

import gc
import os
import zipfile
from pathlib import Path
from typing import Any

from tinynas.errors import ConversionError
from tinynas.training.quiet import quiet

# Keras 3 breaks tensorflow-model-optimization and keras-flops; every user of tf.keras must see tf_keras.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # the same journal with and without a GPU

with quiet():
    import tensorflow as tf
    import tf_keras as keras

__all__ = ["configure", "keras", "layer_weights", "saved_weights", "seed_everything", "tf"]


def configure(threads: int = 1) -> None:
    """Make this process deterministic and give it `threads` threads; call it before any TensorFlow op runs.

    Each operation takes one thread, and so many run side by side: an operation on a small model is too short to share.
    What has been imported by now stays, so the garbage collections to come, one a child or more, pass over it.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    tf.get_logger().setLevel("ERROR")
    gc.freeze()


def seed_everything(seed: int) -> None:
    """Start a fresh Keras session whose initial weights and dropout masks follow from `seed` alone."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed % 2**31)


def layer_weights(model: Any) -> dict[str, tuple[Any, ...]]:
    """Return the weights of `model` by layer name, as NumPy arrays; layers without weights are left out."""
    return {layer.name: tuple(layer.get_weights()) for layer in model.layers if layer.weights}


def saved_weights(path: Path) -> dict[str, tuple[Any, ...]]:
    """Return the `layer_weights` of a model that tinynas wrote; ConversionError when it cannot be read."""
    try:
        return layer_weights(keras.models.load_model(path, compile=False))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        said = " ".join(str(error).split())[:200]
        raise ConversionError(f"{path}, a model that a search kept, cannot be read ({said}).") from error
