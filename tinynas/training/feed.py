"""Where a training's samples are while an epoch runs: all of them in one tensor, or a part at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinynas.data import Samples
from tinynas.training.keras import tf

_PART_BYTES = 256 << 20


class Feed:
    """Tensors `data` (n, H, W, C) and `labels` (n,) for a graph function; refilled where x is too large for memory."""

    def __init__(self, x: Any, y: np.ndarray, batch: int) -> None:
        """Take x float32 (n, H, W, C), an array or Samples, and y int (n,); a step of `order` has `batch` rows."""
        self._x, self._y = x, y.astype(np.int32)
        with tf.device("/cpu:0"):
            if not isinstance(x, Samples):
                self.data, self.labels = tf.constant(x), tf.constant(self._y)
                return
            room = min(_PART_BYTES, x.in_memory_bytes) // x.sample_bytes
            rows = min(max(1, room // batch), max(1, len(x) // batch)) * batch
            self._batches = rows // batch
            self.data = tf.Variable(tf.zeros((rows, *x.shape[1:])), trainable=False)
            self.labels = tf.Variable(tf.zeros(rows, tf.int32), trainable=False)

    def parts(self, order: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the rows of `data`, int32 (k, ...), that stand for the next k steps of `order` (steps, ...)."""
        if not isinstance(self._x, Samples):
            yield order.astype(np.int32)
            return
        for start in range(0, len(order), self._batches):
            rows = order[start : start + self._batches].ravel()
            ascending = np.argsort(rows)  # a file is read from front to back
            self.data.scatter_nd_update(ascending[:, None], np.asarray(self._x[rows[ascending]]))
            self.labels.scatter_nd_update(np.arange(len(rows))[:, None], self._y[rows])
            yield np.arange(len(rows), dtype=np.int32).reshape(-1, *order.shape[1:])
