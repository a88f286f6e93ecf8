"""Small float models that tinynas did not make, by either Keras, with weights that are not zero."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np


def picture(keras: Any) -> Any:
    """8 x 8 x 1 to 3 classes, as a beginner builds it: open batch, batch norm, Flatten, dropout."""
    layers = keras.layers
    parts = [
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(3, activation="softmax"),
    ]
    return filled(keras.Sequential(parts))


def series(keras: Any) -> Any:
    """64 steps of 1 channel to 3 classes, with Conv1D."""
    layers = keras.layers
    parts = [
        keras.Input((64, 1)),
        layers.Conv1D(4, 5, activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(6, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(3, activation="softmax"),
    ]
    return filled(keras.Sequential(parts))


def depthwise(keras: Any) -> Any:
    """8 x 8 x 1 to 3 classes by depthwise-separable convolutions."""
    layers = keras.layers
    parts = [
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.Conv2D(8, 1, activation="relu"),
        layers.SeparableConv2D(8, 3, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]
    return filled(keras.Sequential(parts))


def residual(keras: Any) -> Any:
    """8 x 8 x 1 to 3 classes with a sum of two ways, and without softmax at the end."""
    layers = keras.layers
    start = keras.Input((8, 8, 1))
    first = layers.Conv2D(4, 3, padding="same", activation="relu")(start)
    second = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(first))
    joined = layers.ReLU()(layers.Add()([first, second]))
    return filled(keras.Model(start, layers.Dense(3)(layers.Flatten()(layers.MaxPooling2D(2)(joined)))))


def filled(model: Any) -> Any:
    """`model` with weights and statistics as a training leaves them."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        positive = "variance" in weight.name
        weight.assign(rng.uniform(0.5, 1.5, weight.shape) if positive else rng.normal(0, 0.4, weight.shape))
    return model


def saved(model: Any, path: Path) -> Path:
    """`path`, with the model in it: a SavedModel where the path has no suffix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras calls .h5 a legacy format, and NumPy calls Keras one
        if path.suffix:
            model.save(path)
        elif hasattr(model, "export"):
            model.export(str(path))
        else:
            model.save(path, save_format="tf")
    return path
