"""Scores of an untrained network from one batch: what can be said of an architecture in a fraction of a second.

Greater is meant to be better, for each of them. `tools/proxy_tau.py` measures how far that holds.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinynas.architecture import Architecture
from tinynas.hardware import Footprint
from tinynas.training.build import build
from tinynas.training.fold import copied, fold, rebuild
from tinynas.training.keras import keras, seed_everything, tf

_RIDGE = 1e-6  # on the diagonal of NASWOT's kernel: samples of one code then score low, not minus infinity
_JACOBIAN_RIDGE = 1e-5  # the k of the published formula


@dataclass(frozen=True)
class ZeroCost:
    """The scores of one untrained network; see the function of each one's name."""

    gradient_norm: float
    naswot: float
    synflow: float
    jacobian_covariance: float


def zero_cost(architecture: Architecture, x: np.ndarray, y: np.ndarray, seed: int) -> ZeroCost:
    """Return the scores of `architecture` with the initial weights that follow from `seed`.

    x float32 (n, H, W, C) in [0, 1] and y int (n,) are one batch; 64 samples do.
    """
    model = untrained(architecture, seed)
    return ZeroCost(gradient_norm(model, x, y), naswot(model, x), synflow(model), jacobian_covariance(model, x))


def capacity(footprint: Footprint) -> dict[str, float]:
    """Return the scores that a footprint holds already: parameters, MACs, and the sum of their logarithms."""
    params, macs = float(footprint.params), float(footprint.macs)
    return {"params": params, "macs": macs, "log_params_macs": float(np.log(params) + np.log(macs))}


def untrained(architecture: Architecture, seed: int) -> Any:
    """Return the model of `architecture` with the initial weights of `seed`, without dropout."""
    seed_everything(seed)
    return build(replace(architecture, dropout=(0.0, 0.0)))


def gradient_norm(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Return the sum over kernels of the Euclidean norm of the batch's mean cross-entropy's gradient.

    "grad_norm" of Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021. Batch norms use the batch's
    own statistics, as in the first step of a training.
    """
    kernels = [weight for weight in model.trainable_weights if "kernel" in weight.name]
    with _unchanged(model), tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
        gradients = tape.gradient(loss, kernels)
    return float(sum(np.linalg.norm(gradient.numpy()) for gradient in gradients))


def naswot(model: Any, x: np.ndarray) -> float:
    """Return log |det K|, K[i, j] the number of ReLU units that are on, or off, for both of the samples i and j.

    Mellor et al., Neural Architecture Search without Training, ICML 2021. Batch norms use the batch's own statistics.
    """
    codes_of = keras.Model(model.input, [layer.output for layer in model.layers if _is_relu(layer)])
    with _unchanged(model):
        outputs = codes_of(x, training=True)
    kernel = _RIDGE * np.eye(len(x))
    for output in outputs if isinstance(outputs, list) else [outputs]:
        codes = (output.numpy().reshape(len(x), -1) > 0).astype(np.float32)
        kernel += codes @ codes.T + (1 - codes) @ (1 - codes).T
    return float(np.linalg.slogdet(kernel)[1])


def synflow(model: Any) -> float:
    """Return the logarithm of the sum of |w * dR/dw| over all kernels.

    R is the sum of the logits for an input of ones, with every weight made positive and no activation in the way; the
    batch norms are folded with their statistics as they are. Tanaka et al., Pruning Neural Networks without any Data by
    Iteratively Conserving Synaptic Flow, NeurIPS 2020, eq. 1 and Theorem 2.
    """

    def step(layer: Any, inputs: list[Any]) -> Any:
        if isinstance(layer, keras.layers.ReLU):  # all is positive; and relu6 would saturate
            return inputs[0]
        same = copied(layer, **({"activation": None} if isinstance(layer, keras.layers.Dense) else {}))
        output = same(inputs if len(inputs) > 1 else inputs[0])
        same.set_weights([np.abs(array) for array in layer.get_weights()])
        return output

    positive = rebuild(fold(model), step)
    kernels = [weight for weight in positive.trainable_weights if "kernel" in weight.name]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(positive(tf.ones((1, *model.input_shape[1:])), training=False))
    gradients = tape.gradient(total, kernels)
    flow = sum(
        float(np.abs(kernel.numpy().astype(np.float64) * gradient.numpy()).sum())
        for kernel, gradient in zip(kernels, gradients, strict=True)
    )
    return float(np.log(max(flow, np.finfo(np.float64).tiny)))


def jacobian_covariance(model: Any, x: np.ndarray) -> float:
    """Return -sum(log(v + k) + 1 / (v + k)), k = 1e-5, over the eigenvalues v of the correlations between gradients.

    Each sample's gradient is that of the sum of the logits by its input. "jacob_cov" of Abdelfattah et al. (see
    `gradient_norm`), from the first version of Mellor et al. (see `naswot`). Batch norms use the batch's statistics.
    """
    last = model.layers[-1]
    before = keras.Model(model.input, last.input)
    inputs = tf.constant(x)
    with _unchanged(model), tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = tf.matmul(before(inputs, training=True), last.kernel) + last.bias
        total = tf.reduce_sum(logits)
    jacobian = tape.gradient(total, inputs).numpy().reshape(len(x), -1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # a sample without gradient correlates with none
        correlations = np.nan_to_num(np.corrcoef(jacobian))
    values = np.maximum(np.linalg.eigvalsh(correlations), 0.0) + _JACOBIAN_RIDGE
    return float(-(np.log(values) + 1 / values).sum())


def _is_relu(layer: Any) -> bool:
    dense = isinstance(layer, keras.layers.Dense) and layer.activation is keras.activations.relu
    return dense or isinstance(layer, keras.layers.ReLU)


@contextlib.contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """Give the model its weights back afterwards: a pass in training mode moves the batch norms' statistics."""
    weights = model.get_weights()
    try:
        yield
    finally:
        model.set_weights(weights)
