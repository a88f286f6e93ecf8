"""Do ideas for the training that tinynas has not taken up pay? A hand-made network, trained with each and without.

    python tools/ablate_training.py --data DIR [--layout series] --networks 4 --epochs 12 --seeds 3 base ema mixup ...

The recipe is a search's (tinynas/training/fit.py), in a loop of its own in which one thing is changed:

    ema        the weights scored are the exponential moving average, over some two epochs
    swa        the rate stays high for the last quarter; scored is the mean of its epochs' weights, with new statistics
    mixup      two samples mixed, their labels too, the share from Beta(0.2, 0.2) (arXiv 1710.09412)
    cutmix     a rectangle of one picture in another, or a stretch of a series, labels by area (arXiv 1905.04899)
    distil     half of the loss is towards a larger start, trained as long before, at temperature 2 (arXiv 1503.02531)
    ensemble   the same towards the mean of two larger starts
    netaug     the network is also trained as part of one twice as wide, whose loss counts as much (arXiv 2110.08890)
    flips      pictures are mirrored in every other epoch, by turns, instead of at random
    late       batches of 256 in the second half instead of 64

A seed is also the fold that is held out. Printed are int8 and float accuracy on it with standard errors, in per cent,
the CPU seconds of the training, that of the teachers apart, in one thread, and the int8 accuracy less that of the first
idea, fold by fold: folds differ by more than ideas do.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from ablate import FOLDS, mean_and_error, opened

from tinynas import Architecture, Dataset, SearchSpace
from tinynas.architecture import walk
from tinynas.architecture.starts import starts
from tinynas.data.splits import representative_rows
from tinynas.training.adamw import AdamW
from tinynas.training.augment import Augmentation, augmentation_for, detail_of
from tinynas.training.build import build
from tinynas.training.convert import quantize
from tinynas.training.evaluate import score_both
from tinynas.training.fit import Recipe, one_cycle, peak_rate_for
from tinynas.training.keras import keras, seed_everything, tf

BATCH, LATE = 64, 256
IDEAS = ("base", "ema", "swa", "mixup", "cutmix", "distil", "ensemble", "netaug", "flips", "late")
SWA_SHARE, SWA_RATE = 0.25, 0.25  # of the epochs; of the highest rate
TEMPERATURE, TAUGHT = 2.0, 0.5
WIDER = 2


def main() -> None:
    options = _options()
    dataset = opened(options)
    for number in map(int, options.networks.split(",")):
        first: list[float] = []
        for idea in options.ideas:
            said, int8 = _tried(dataset, number, idea, options)
            first = first or int8
            more = mean_and_error([one - other for one, other in zip(int8, first, strict=True)])
            print(said if int8 is first else f"{said}  against {options.ideas[0]} {more}", flush=True)


def _tried(dataset: Dataset, number: int, idea: str, options: argparse.Namespace) -> tuple[str, list[float]]:
    """Return what is to be said of an idea, and the int8 accuracy of each seed, in per cent."""
    wanted = {"distil": 1, "ensemble": 2}.get(idea, 0)
    network, *larger = _from(dataset, number, wanted)
    augmentation = augmentation_for(dataset.layout, options.augment.replace("+", ","), detail_of(dataset.x))
    if idea == "flips":
        augmentation = replace(augmentation, flip=False)
    scores, took, taught = [], 0.0, 0.0
    for seed in range(options.seeds):
        fold = dataset.folds(FOLDS, 0)[seed]
        x, y = dataset.x[fold.train], dataset.y[fold.train]
        run = Run(x, y, dataset.n_classes, options.epochs, seed, augmentation)
        start = time.process_time()
        teachers = [run.trained(teacher, "base") for teacher in larger[-wanted:]] if wanted else []
        between = time.process_time()
        model = run.trained(network, idea, teachers)
        took, taught = took + time.process_time() - between, taught + between - start
        file = quantize(model, x[representative_rows(y, 100, seed)])
        scores.append(score_both(model, file, dataset.x[fold.validation], dataset.y[fold.validation]))
    int8, real = ([100 * getattr(each, kind).accuracy for each in scores] for kind in ("int8", "float"))
    times = f"{took / options.seeds:.1f} CPU s" + (f" + {taught / options.seeds:.1f}" if taught > 1 else "")
    return f"network {number} {idea:9s} int8 {mean_and_error(int8)} float {mean_and_error(real)}  {times}", int8


def _from(dataset: Dataset, number: int, teachers: int) -> list[Architecture]:
    """Return the start of this number and all that follow it, which are larger: at least so many."""
    space = SearchSpace.for_input(dataset.input_shape, dataset.n_classes)
    found = [space.assemble(*start) for start in starts(dataset.input_shape)[number:]]
    if len(found) <= teachers:
        raise SystemExit(f"Start {number} has {len(found) - 1} larger ones after it; {teachers} teachers are wanted.")
    return found


class Run:
    """A training of `epochs` on x (n, H, W, C) and y (n,), everything but the network and the idea."""

    def __init__(
        self, x: np.ndarray, y: np.ndarray, classes: int, epochs: int, seed: int, augmentation: Augmentation
    ) -> None:
        self.x, self.y = tf.constant(np.asarray(x)), tf.constant(y.astype(np.int32))
        self.classes, self.epochs, self.seed, self.augmentation = classes, epochs, seed, augmentation

    def trained(self, network: Architecture, idea: str, teachers: Sequence[Any] = ()) -> Any:
        """Return the Keras model of `network`, trained with `idea`."""
        seed_everything(self.seed)
        model = build(network)
        wide = Wide(network, model) if idea == "netaug" else None
        averaged = _Averaged(model, len(self.y) // BATCH) if idea == "ema" else None
        step = self._step_function(model, network, idea, teachers, wide, averaged)
        rng, kept = np.random.default_rng(self.seed), []
        for epoch in range(self.epochs):
            batch = LATE if idea == "late" and epoch >= self.epochs / 2 else BATCH
            batch = min(batch, len(self.y))
            steps = len(self.y) // batch
            order = rng.permutation(len(self.y))[: steps * batch].reshape(steps, batch).astype(np.int32)
            progress, slope = epoch / self.epochs, 1 / (self.epochs * steps)
            step(order, np.float32(progress), np.float32(slope), np.int32(rng.integers(2**31)), np.int32(epoch))
            if idea == "swa" and epoch >= self.epochs * (1 - SWA_SHARE):
                kept.append(model.get_weights())
        if averaged is not None:
            averaged.put()
        if kept:
            model.set_weights([np.mean(same, axis=0) for same in zip(*kept, strict=True)])
            self._new_statistics(model)
        return model

    def _step_function(
        self, model: Any, network: Architecture, idea: str, teachers: Sequence[Any], wide: Any, averaged: Any
    ) -> Any:
        recipe = Recipe(self.epochs)
        variables = [*model.trainable_variables, *(wide.variables if wide else [])]
        optimizer, peak = AdamW(variables, recipe.weight_decay), peak_rate_for(network)

        def gradients_of(rows: Any, seed: Any, epoch: Any) -> Any:
            images, truth = self._samples(rows, seed, epoch, idea)
            targets = tf.one_hot(truth, self.classes)
            if idea in ("mixup", "cutmix"):
                images, targets = _mixed(images, targets, seed, idea)
            targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / self.classes
            with tf.GradientTape() as tape:
                output = model(images, training=True)
                loss = _cross_entropy(targets, output)
                if teachers:
                    soft = tf.add_n([_softened(teacher(images, training=False)) for teacher in teachers])
                    taught = _cross_entropy(soft / len(teachers), _softened(output)) * TEMPERATURE**2
                    loss = (1 - TAUGHT) * loss + TAUGHT * taught
                if wide is not None:
                    loss += _cross_entropy(targets, wide(images))
            return tape.gradient(loss, variables)

        @tf.function(autograph=False, reduce_retracing=True)
        def run_epoch(order: Any, progress: Any, slope: Any, seed: Any, epoch: Any) -> None:
            def train(step: Any) -> Any:
                now = progress + slope * tf.cast(step, tf.float32)
                gradients = gradients_of(order[step], tf.stack([seed, step]), epoch)
                optimizer.apply(gradients, _rate(now, peak, idea))
                if averaged is not None:
                    averaged.add()
                return (step + 1,)

            tf.while_loop(lambda step: step < tf.shape(order)[0], train, (tf.constant(0),))

        return run_epoch

    def _samples(self, rows: Any, seed: Any, epoch: Any, idea: str) -> Any:
        images, truth = tf.gather(self.x, rows), tf.gather(self.y, rows)
        images = self.augmentation(images, seed)
        if idea == "flips":  # each sample has a side of its own to begin with
            mirrored = tf.reshape((rows * 40503 // 64 + epoch) % 2 == 1, (-1, 1, 1, 1))
            images = tf.where(mirrored, tf.reverse(images, axis=[2]), images)
        return images, truth

    def _new_statistics(self, model: Any) -> None:
        """Give the batch norms of `model` the statistics that its present weights have."""
        run = tf.function(lambda rows: model(tf.gather(self.x, rows), training=True), autograph=False)
        batch = min(BATCH, len(self.y))
        batches = min(64, len(self.y) // batch)
        for rows in np.random.default_rng(0).permutation(len(self.y))[: batches * batch].reshape(batches, batch):
            run(tf.constant(rows))


class _Averaged:
    """The moving average of a model's weights: of all at first, then exponential, over some two epochs."""

    def __init__(self, model: Any, steps: int) -> None:
        self.model, self.least = model, 1 / (2 * steps)
        self.means = [tf.Variable(weight) for weight in model.weights]
        self.seen = tf.Variable(1.0, trainable=False)

    def add(self) -> None:
        share = tf.maximum(self.least, 1 / self.seen.assign_add(1.0))
        for mean, weight in zip(self.means, self.model.weights, strict=True):
            mean.assign_add(share * (weight - mean))

    def put(self) -> None:
        self.model.set_weights([mean.numpy() for mean in self.means])


class Wide:
    """A network with `WIDER` times the channels, of which those of `model` are the first."""

    def __init__(self, network: Architecture, model: Any) -> None:
        self.layers, self.model, self.variables = walk(network), model, list[Any]()
        if any(layer.operator in ("add", "flatten") and layer.shape_in[:2] != (1, 1) for layer in self.layers):
            raise SystemExit("netaug knows networks without sums that end in a mean over the map.")
        self.kernels = {}
        for layer in self.layers:
            if layer.operator in ("conv", "depthwise", "dense"):
                self.kernels[layer.name] = self._kernels(layer, model)

    def _kernels(self, layer: Any, model: Any) -> Callable[[], list[Any]]:
        """Return a function that gives the wide kernel and bias, or gamma and beta."""
        names = [layer.name, f"{layer.name}_bn"] if layer.batch_norm else [layer.name]
        weights = [weight for name in names for weight in model.get_layer(name).trainable_weights]
        last = layer.activation == "softmax"
        wholes = []
        for weight in weights:
            shape = list(weight.shape)
            grown = [
                size * WIDER if self._grows(layer, axis, len(shape), last) else size for axis, size in enumerate(shape)
            ]
            pads = [[0, more - size] for size, more in zip(shape, grown, strict=True)]
            if weight.name.split("/")[-1].startswith("gamma"):
                fresh = tf.ones(grown)
            elif len(shape) == 1:
                fresh = tf.zeros(grown)
            else:
                fresh = keras.initializers.GlorotUniform(seed=1)(grown)
            extra = tf.Variable(fresh, name=weight.name.split(":")[0])
            self.variables.append(extra)
            outside = 1.0 - tf.pad(tf.ones(shape), pads)
            wholes.append((weight, pads, extra, outside))
        return lambda: [tf.pad(weight, pads) + extra * outside for weight, pads, extra, outside in wholes]

    @staticmethod
    def _grows(layer: Any, axis: int, rank: int, last: bool) -> bool:
        """Return whether this axis of a layer's weights has more entries in the wide network."""
        if rank == 1:
            return not last
        if layer.operator == "depthwise":
            return axis == rank - 2
        first = layer.block == 0 and layer.operator == "conv" and layer.name.startswith("block0")
        return (axis == rank - 1 and not last) or (axis == rank - 2 and not first)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            if layer.operator in ("max_pool", "average_pool"):
                pool = tf.nn.max_pool2d if layer.operator == "max_pool" else tf.nn.avg_pool2d
                x = pool(x, layer.kernel, layer.strides, layer.padding.upper())
            elif layer.operator == "flatten":
                x = tf.reshape(x, (tf.shape(x)[0], -1))
            else:
                x = self._product(layer, x)
        return x

    def _product(self, layer: Any, x: Any) -> Any:
        kernel, *others = self.kernels[layer.name]()
        if layer.operator == "conv":
            x = tf.nn.conv2d(x, kernel, layer.strides, layer.padding.upper())
        elif layer.operator == "depthwise":
            x = tf.nn.depthwise_conv2d(x, kernel, (1, *layer.strides, 1), layer.padding.upper())
        else:
            x = tf.matmul(x, kernel)
        if layer.batch_norm:
            mean, variance = tf.nn.moments(x, (0, 1, 2))
            x = tf.nn.batch_normalization(x, mean, variance, others[1], others[0], 1e-3)
        else:
            x += others[0]
        after = {"relu": tf.nn.relu, "relu6": tf.nn.relu6, "softmax": tf.nn.softmax, "": tf.identity}
        return after[layer.activation](x)


def _rate(progress: Any, peak: float, idea: str) -> Any:
    """Return the learning rate: the one-cycle's, which for swa stays where it is in the last part."""
    rate = one_cycle(progress, peak)
    return (
        tf.where(progress < 1 - SWA_SHARE, tf.maximum(rate, SWA_RATE * peak), SWA_RATE * peak)
        if idea == "swa"
        else rate
    )


def _mixed(images: Any, targets: Any, seed: Any, idea: str) -> Any:
    """Return the batch mixed with itself in another order."""
    other_images, other_targets = tf.reverse(images, axis=[0]), tf.reverse(targets, axis=[0])
    drawn = tf.random.stateless_uniform((4,), seed + 7)
    if idea == "mixup":
        gammas = tf.random.stateless_gamma((2, tf.shape(images)[0]), seed + 9, alpha=0.2)
        share = gammas[0] / (gammas[0] + gammas[1] + 1e-20)
        own = tf.reshape(share, (-1, 1, 1, 1))
        return own * images + (1 - own) * other_images, share[:, None] * targets + (1 - share)[:, None] * other_targets
    inside, axes = tf.constant(True), [axis for axis in (1, 2) if images.shape[axis] > 1]
    for axis in axes:
        length = float(images.shape[axis])
        size = tf.round(length * tf.pow(1 - drawn[0], 1 / len(axes)))
        first = tf.floor(drawn[axis] * (length - size + 1))
        at = tf.reshape(tf.range(length), [-1 if other == axis else 1 for other in range(4)])
        inside &= (at >= first) & (at < first + size)
    cut = drawn[3] < 0.5
    inside &= cut
    share = 1 - tf.reduce_mean(tf.cast(tf.broadcast_to(inside, (1, *images.shape[1:3], 1)), tf.float32))
    return tf.where(inside, other_images, images), share * targets + (1 - share) * other_targets


def _softened(probabilities: Any) -> Any:
    return tf.nn.softmax(tf.math.log(probabilities + 1e-7) / TEMPERATURE)


def _cross_entropy(targets: Any, output: Any) -> Any:
    return -tf.reduce_mean(tf.reduce_sum(targets * tf.math.log(output + 1e-7), axis=-1))


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ideas", nargs="*", metavar="idea", help=f"of {', '.join(IDEAS)}")
    parser.add_argument("--data", required=True)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--networks", default="0", help="numbers of starts")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--augment", default="auto")
    options = parser.parse_args()
    unknown = set(options.ideas) - set(IDEAS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose of {', '.join(IDEAS)}")
    options.ideas = options.ideas or list(IDEAS)
    return options


if __name__ == "__main__":
    main()
