"""Quantisation-aware fine-tuning: the weights learn the rounding that int8 does to them and to the maps."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinynas.data import score
from tinynas.training.convert import quantize
from tinynas.training.fake_quant import Range, wrap
from tinynas.training.fit import RATE_PLAIN, Progress, Recipe, fit
from tinynas.training.fold import copied, fold, followers, rebuild
from tinynas.training.int8 import Int8Model
from tinynas.training.keras import keras

_RATE_SHARE = 0.1  # of the recipe's peak rate: the weights are good already, and are only to move by some steps
_Layers = keras.layers
_ROUNDED = (_Layers.Conv2D, _Layers.DepthwiseConv2D, _Layers.Dense, _Layers.Add, _Layers.ReLU)


def quantize_aware(
    model: Any,
    x: np.ndarray,
    y: np.ndarray,
    recipe: Recipe,
    seed: int,
    representative: np.ndarray,
    report: Callable[[Progress], None] | None = None,
) -> bytes:
    """Return the int8 file of `model` after quantisation-aware fine-tuning; `model` itself stays as it is.

    `model` is a trained one of `training.build`. x float32 (n, H, W, C) and y int (n,) are its training data,
    `representative` float32 (m, H, W, C) some of them, which fix the ranges. The file is made by
    `training.convert.quantize`, so its operators, size and arena are those of the plain file of `model`.
    Raises ConversionError as `fit` and `quantize` do.
    """
    return quantize(fine_tune(model, x, y, recipe, seed, representative, report), representative)


def fine_tune(
    model: Any,
    x: np.ndarray,
    y: np.ndarray,
    recipe: Recipe,
    seed: int,
    representative: np.ndarray,
    report: Callable[[Progress], None] | None = None,
) -> Any:
    """Return the float model, batch norms folded, whose weights were trained under int8's rounding.

    It is trained for `recipe.epochs` (or its time budget) with a tenth of its peak rate, or of the peak rate of
    networks without batch norms where that is less, and without weight decay.
    The batch norms are folded first: then the weights that are rounded in training are those of the file, and no short
    training disturbs the statistics.
    """
    plain = fold(model)
    rounded = with_rounding(plain)
    rounded(np.asarray(representative, dtype=np.float32), training=True)  # gives the ranges their first values
    rate = min(recipe.peak_rate, RATE_PLAIN) * _RATE_SHARE  # the batch norms that higher rates need are folded
    fit(rounded, x, y, replace(recipe, peak_rate=rate, weight_decay=0.0), seed, report)
    for layer in plain.layers:
        if layer.weights:
            _set(layer, {_short(weight): weight.numpy() for weight in rounded.get_layer(f"quant_{layer.name}").weights})
    return plain


def with_rounding(model: Any) -> Any:
    """Return a copy of the folded `model` that rounds kernels and maps where its int8 file does.

    That is the input, and each output of a convolution, dense layer or sum with the activation that is fused into it;
    a pool's output is rounded to the scale of its input. The softmax is left in float.
    """
    ranges: dict[int, Range | None] = {}  # of the maps, by the new tensor's id

    def enter(inputs: Any) -> Any:
        held = Range()
        output = wrap(_Layers.Activation("linear", name="input"), held)(inputs)
        ranges[id(output)] = held
        return output

    def step(layer: Any, inputs: list[Any]) -> Any:
        softmax = isinstance(layer, _Layers.Dense) and layer.activation is keras.activations.softmax
        same, held = copied(layer, **({"activation": None} if softmax else {})), ranges[id(inputs[0])]
        if isinstance(layer, _ROUNDED):
            fused = any(isinstance(after, _Layers.ReLU) for after in followers(layer))
            held = None if fused else Range()
            same = wrap(same, held)
        elif isinstance(layer, _Layers.AveragePooling2D):
            same = wrap(same, Range(of=held))
        output = same(inputs if len(inputs) > 1 else inputs[0])
        if layer.weights:
            _set(same, dict(zip(map(_short, layer.weights), layer.get_weights(), strict=True)))
        output = _Layers.Softmax(name="softmax", dtype="float32")(output) if softmax else output
        ranges[id(output)] = held
        return output

    return rebuild(model, step, enter)


def score_files(
    candidates: Mapping[str, bytes], x: np.ndarray, y: np.ndarray, n_classes: int, metric: str = "accuracy"
) -> dict[str, float]:
    """Return the score of each int8 file on x float32 (n, H, W, C), y (n,); `metric` is a field of Scores."""
    return {
        name: float(getattr(score(y, Int8Model(data).predict(x), n_classes), metric))
        for name, data in candidates.items()
    }


def _set(layer: Any, values: Mapping[str, np.ndarray]) -> None:
    """Give each weight of `layer` that `values` names its value."""
    for weight in layer.weights:
        if _short(weight) in values:
            weight.assign(values[_short(weight)])


def _short(weight: Any) -> str:
    """Return the weight's own name, such as "kernel"."""
    return str(weight.name.rsplit("/", 1)[-1].split(":")[0])
