"""AdamW over all variables at once: one vector for the moments, so that a step is a few operations and traces fast."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynas.training.keras import tf

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Keras's


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2); biases and batch norm do not decay.

    A step gives what Keras's AdamW gives; that one makes a dozen operations for each variable, which on networks as
    small as these is a good part of the time, and most of the tracing.
    """

    def __init__(self, variables: Sequence[Any], weight_decay: float) -> None:
        """Start with zero moments for `variables`, which `apply` changes in place."""
        self._variables = tuple(variables)
        self._sizes = [int(np.prod(variable.shape)) for variable in self._variables]
        decays = [
            float(not variable.name.split("/")[-1].startswith(("bias", "gamma", "beta"))) for variable in variables
        ]
        self._decay = tf.constant(np.repeat(decays, self._sizes) * weight_decay, tf.float32)
        self._first, self._second = (tf.Variable(tf.zeros(sum(self._sizes)), trainable=False) for _ in range(2))
        self._step = tf.Variable(0.0, trainable=False)

    def apply(self, gradients: Sequence[Any], rate: Any) -> None:
        """Take one step at the learning rate `rate`; to be called inside a tf.function."""
        gradient, weights = _flat(gradients), _flat(self._variables)
        step = self._step.assign_add(1.0)
        first = self._first.assign(_BETA_1 * self._first + (1 - _BETA_1) * gradient)
        second = self._second.assign(_BETA_2 * self._second + (1 - _BETA_2) * tf.square(gradient))
        scale = tf.sqrt(1 - tf.pow(_BETA_2, step)) / (1 - tf.pow(_BETA_1, step))
        change = rate * (scale * first / (tf.sqrt(second) + _EPSILON) + self._decay * weights)
        for variable, part in zip(self._variables, tf.split(change, self._sizes), strict=True):
            variable.assign_sub(tf.reshape(part, variable.shape))


def _flat(tensors: Sequence[Any]) -> Any:
    return tf.concat([tf.reshape(tensor, (-1,)) for tensor in tensors], axis=0)
