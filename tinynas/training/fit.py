"""Train a Keras model: AdamW, one-cycle rate, label smoothing, one TensorFlow call an epoch."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from tinynas.architecture import Architecture
from tinynas.errors import ConversionError
from tinynas.training.adamw import AdamW
from tinynas.training.augment import Augmentation
from tinynas.training.falling import Falling
from tinynas.training.feed import Feed
from tinynas.training.keras import tf
from tinynas.training.schedule import batching

# The highest learning rate. A batch norm behind each convolution takes the scale out of its weights, so that far larger
# steps are safe, and trainings as short as these need them; without batch norms a deep network diverges at twice the
# lower rate (`tools/ablate.py`, docs/benchmarks.md).
_RATE_NORMED, RATE_PLAIN = 1.6e-2, 4e-3

_WARM_UP = 0.25  # the share of the training in which the rate rises
_COOL_DOWN = 0.1  # of the plan: in so many epochs the rate falls when the held-out loss no longer does
_NEWEST = 5  # epochs by which the time of the next ones is told
_MOST_HELD = 500  # samples of those held out, for that loss


@dataclass(frozen=True)
class Recipe:
    """How to train: everything that `fit` needs beside the model, the data and the seed.

    epochs: passes over the data.  time_budget_s: fit the number of epochs to this many wall seconds instead, `epochs`
    then being the most, and `least_epochs` the fewest.  replicas: batches of `batch_size` that are computed side by
    side for each step, one a thread (a small model does not fill two threads, two batches do).  augment_from: the
    samples are varied in a training of at least so many epochs only.  plain: the share of the training, at its end, in
    which they are as they are.  class_weights: a factor a class, for the loss of each of its samples (None: all alike).
    """

    epochs: int
    batch_size: int = 64
    peak_rate: float = RATE_PLAIN
    weight_decay: float = 1e-3
    label_smoothing: float = 0.05
    augmentation: Augmentation = field(default_factory=Augmentation)
    time_budget_s: float | None = None
    least_epochs: int = 1
    replicas: int = 1
    augment_from: int = 0
    plain: float = 0.0
    class_weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Progress:
    """What `fit` reports after an epoch: epochs done and planned, mean training loss, seconds so far.

    `training` says which one it is where a final training has several; each counts its epochs and seconds from 0.
    """

    epoch: int
    epochs: int
    loss: float
    seconds: float
    training: str = ""


def peak_rate_for(architecture: Architecture) -> float:
    """Return the highest learning rate that suits a network: a higher one where all blocks have batch norm."""
    return _RATE_NORMED if all(block.batch_norm for block in architecture.blocks) else RATE_PLAIN


def one_cycle(progress: Any, peak: float) -> Any:
    """Return the learning rate at `progress` in [0, 1]: up from peak/25 by a cosine, then down to nearly 0."""
    up = peak * (0.04 + 0.96 * (0.5 - 0.5 * tf.cos(math.pi * progress / _WARM_UP)))
    down = peak * (0.001 + 0.999 * (0.5 + 0.5 * tf.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP))))
    return tf.where(progress < _WARM_UP, up, down)


def fit(
    model: Any,
    x: np.ndarray,
    y: np.ndarray,
    recipe: Recipe,
    seed: int,
    report: Callable[[Progress], None] | None = None,
    held: tuple[np.ndarray, np.ndarray] | None = None,
) -> int:
    """Train `model` in place on x float32 (n, H, W, C), an array or Samples, and y int (n,); return the epochs done.

    The order of the samples and their augmentation follow from `seed`. With `held`, samples (x, y) that are not trained
    on, it ends from the middle on when their loss no longer falls (see `Falling`), after a last tenth in which the rate
    falls. Raises ConversionError when the loss is no longer a number: such a model cannot be quantised.
    """
    rng = np.random.default_rng(seed)
    replicas, batch, steps = batching(len(x), recipe.batch_size, recipe.replicas)
    feed = Feed(x, y, batch)
    run_epoch = _epoch_function(model, feed, recipe)
    falling = None if held is None else Falling(recipe.epochs)
    held_loss = None if held is None else _loss_function(model, *held)
    most = recipe.epochs
    start = time.perf_counter()
    ends: list[float] = []  # seconds at the end of the tracing and of each epoch
    progress, epoch, planned = 0.0, 0, recipe.epochs
    while epoch < planned:
        order = rng.permutation(len(x))[: steps * batch].reshape(steps, replicas, -1)
        slope = (1.0 - progress) / ((planned - epoch) * steps)
        done, total, chance = 0, 0.0, int(rng.integers(2**31))
        known = epoch > 0 or recipe.time_budget_s is None  # how many epochs there is time for
        varied = known and planned >= recipe.augment_from
        for part in feed.parts(order):
            now = np.float32(progress + slope * done)
            arguments = part, now, np.float32(slope), np.int32((chance + done) % 2**31), np.bool_(varied)
            if not ends:
                run_epoch.get_concrete_function(*arguments)  # traced apart, so that it is not taken for an epoch's time
                ends.append(time.perf_counter() - start)
            total += len(part) * float(run_epoch(*arguments))
            done += len(part)
        loss = total / steps
        progress, epoch = progress + slope * steps, epoch + 1
        if not math.isfinite(loss):
            raise ConversionError(f"The training loss became {loss} in epoch {epoch}; try a smaller learning rate.")
        seconds = time.perf_counter() - start
        ends.append(seconds)
        if falling is not None and held_loss is not None and falling.is_due(epoch):
            falling.tell(epoch, held_loss())
            if falling.is_over:
                most, falling = min(most, epoch + math.ceil(recipe.epochs * _COOL_DOWN)), None
        planned = min(most, _replan(recipe, ends))
        if report is not None:
            report(Progress(epoch, planned, loss, seconds))
    return epoch


def _replan(recipe: Recipe, ends: Sequence[float]) -> int:
    """Return the number of epochs that the time budget allows, by how long the newest took.

    `ends` are the seconds at the end of the tracing and of each epoch. On small data the first epochs, in which the
    graph is made, take longer than a hundred others: by the mean of all, the rate would have fallen before anything was
    learned. A last epoch is run when at least half of it fits: a training cut before the rate has fallen is worth
    little.
    """
    if recipe.time_budget_s is None:
        return recipe.epochs
    epoch, newest = len(ends) - 1, ends[-_NEWEST - 1 :]
    took = median(end - begin for begin, end in pairwise(newest))
    more = (recipe.time_budget_s - ends[-1]) / max(took, 1e-6)
    return min(recipe.epochs, max(recipe.least_epochs, epoch + max(0, round(more))))


def _epoch_function(model: Any, feed: Feed, recipe: Recipe) -> Any:
    """Return a graph function that trains one epoch and gives its mean loss; no Python runs between batches.

    Its `order` is int32 (steps, replicas, batch). The replicas of a step share the weights and average their gradients;
    each normalises its own batch.
    """
    variables = model.trainable_variables
    optimizer = AdamW(variables, recipe.weight_decay)
    gradients_of = _gradient_function(model, feed, recipe)

    # Without AutoGraph, which takes time to read this and all layers, and which Python 3.13 has not.
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run_epoch(order: Any, progress: Any, slope: Any, seed: Any, varied: Any) -> Any:
        steps, replicas = tf.shape(order)[0], order.shape[1]

        def train(step: Any, total: Any) -> tuple[Any, Any]:
            now = progress + slope * tf.cast(step, tf.float32)
            is_varied = varied & (now < 1.0 - recipe.plain)
            parts = [
                gradients_of(order[step, at], tf.stack([seed, step * replicas + at]), is_varied)
                for at in range(replicas)
            ]
            rate = one_cycle(now, recipe.peak_rate)
            optimizer.apply([tf.add_n(same) / replicas for same in zip(*(g for g, _ in parts), strict=True)], rate)
            return step + 1, total + tf.add_n([loss for _, loss in parts]) / replicas

        _, total = tf.while_loop(lambda step, _: step < steps, train, (tf.constant(0), tf.constant(0.0)))
        return total / tf.cast(steps, tf.float32)

    return run_epoch


def _gradient_function(model: Any, feed: Feed, recipe: Recipe) -> Any:
    """Return a function from the rows of a batch, a seed and whether they are varied to (gradients, loss)."""
    classes, smoothing = model.output_shape[-1], recipe.label_smoothing
    weights = tf.constant(recipe.class_weights or (1.0,) * classes)

    def gradients_of(rows: Any, seed: Any, varied: Any) -> Any:
        images = tf.gather(feed.data, rows)
        if recipe.augmentation == Augmentation():
            pass
        elif recipe.augment_from or recipe.plain:
            images = tf.cond(varied, partial(recipe.augmentation, images, seed), lambda: images)
        else:
            images = recipe.augmentation(images, seed)
        truth = tf.gather(feed.labels, rows)
        targets = tf.one_hot(truth, classes) * (1 - smoothing) + smoothing / classes
        with tf.GradientTape() as tape:
            output = model(images, training=True)
            losses = -tf.reduce_sum(targets * tf.math.log(output + 1e-7), axis=-1)
            loss = tf.reduce_mean(losses * tf.gather(weights, truth))
        return tape.gradient(loss, model.trainable_variables), loss

    return gradients_of


def _loss_function(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """Return a function that gives the mean cross-entropy of the model, as it is then, on these samples."""
    x, y = np.asarray(x[:_MOST_HELD], np.float32), np.asarray(y[:_MOST_HELD])
    run = tf.function(lambda batch: model(batch, training=False), autograph=False)

    def loss() -> float:
        probabilities = run(tf.constant(x)).numpy()
        return float(-np.log(probabilities[np.arange(len(y)), y] + 1e-7).mean())

    return loss


def predict(model: Any, x: np.ndarray, batch_size: int = 512) -> np.ndarray:
    """Return the class probabilities (n, n_classes) of x float32 (n, H, W, C)."""
    run = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True, autograph=False)
    parts = [run(tf.constant(np.asarray(x[i : i + batch_size]))).numpy() for i in range(0, len(x), batch_size)]
    return np.concatenate(parts)
