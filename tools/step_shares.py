"""Where a training step's time goes: the share of each operation, by TensorFlow's profiler, and what a format costs.

    python tools/step_shares.py [--networks strong,large,lean] [--dropout 0.1] [--precision bfloat16]
    python tools/step_shares.py --operations

First form: the hand-made starts of pictures (`architecture/starts.py`) on 28 x 28 x 1, batch 64, one thread, with the
augmentation that pictures get. CPU milliseconds a step, and the share of each operation. Second form: what single
layers take, forward and backward, in float32 and in bfloat16, by channels: what `training/precision.py` rests on.
"""

import argparse
import glob
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from tinynas.architecture import SearchSpace
from tinynas.architecture.starts import starts
from tinynas.training.augment import augmentation_for
from tinynas.training.build import build
from tinynas.training.feed import Feed
from tinynas.training.fit import Recipe, _epoch_function
from tinynas.training.keras import configure, seed_everything, tf

SHAPE, CLASSES, BATCH, STEPS = (28, 28, 1), 10, 64, 40
NAMES = ("small", "flat", "stack", "shortcuts", "lean", "strong", "large")  # of the starts, in their order
SHOWN = 0.004  # of a step: less is summed up as "the rest"
_FRAMES = ("Run", "Process")  # of the profiler, around operations


def main() -> None:
    options = _options()
    configure(1)
    if options.operations:
        _operations()
        return
    for name in options.networks.split(","):
        _network(name, options.dropout, options.precision)


def _network(name: str, dropout: float, precision: Any) -> None:
    """Print the step of one start."""
    space = SearchSpace.for_input(SHAPE, CLASSES, dropout=(0.0, dropout))
    architecture = space.assemble(*starts(SHAPE)[NAMES.index(name)])
    seed_everything(1)
    rng = np.random.default_rng(0)
    x = rng.random((BATCH * STEPS, *SHAPE), dtype=np.float32)
    feed = Feed(x, rng.integers(0, CLASSES, len(x)), BATCH)
    recipe = Recipe(epochs=1, augmentation=augmentation_for("image"))
    run = _epoch_function(build(architecture, precision=precision), feed, recipe)
    order = np.arange(len(x), dtype=np.int32).reshape(STEPS, 1, BATCH)
    arguments = order, np.float32(0.1), np.float32(0.001), np.int32(3), np.bool_(True)
    run(*arguments)
    milliseconds = min(_cpu_ms(lambda: run(*arguments)) for _ in range(3)) / STEPS
    print(f"\n{name}, {precision}, dropout {dropout:g}: {milliseconds:.1f} CPU ms a step   {architecture}")
    spent = _profile(lambda: run(*arguments))
    total = sum(spent.values())
    for operation, picoseconds in spent.most_common():
        if picoseconds >= SHOWN * total:
            print(f"  {operation:44s} {100 * picoseconds / total:5.1f} %  {picoseconds / 1e9 / STEPS:7.3f} ms")
    rest = sum(picoseconds for picoseconds in spent.values() if picoseconds < SHOWN * total)
    print(f"  {'the rest':44s} {100 * rest / total:5.1f} %  {rest / 1e9 / STEPS:7.3f} ms")


def _profile(call: Callable[[], Any]) -> Counter[str]:
    """Return the picoseconds of each kind of operation while `call` ran."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        call()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        for path in glob.glob(f"{folder}/**/*.xplane.pb", recursive=True):
            with open(path, "rb") as file:
                space.ParseFromString(file.read())
    spent: Counter[str] = Counter()
    for plane in space.planes:
        names = {number: each.name for number, each in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            node, _, operation = names[event.metadata_id].rpartition(":")
            if node and operation not in _FRAMES and "CPU" in plane.name and "run_epoch" not in operation:
                spent[operation] += event.duration_ps
    return spent


def _operations() -> None:
    """Print CPU milliseconds of single layers, forward and backward, batch 64."""
    tf.random.set_seed(1)
    print(f"{'map':>14s} {'layer':24s} {'float32':>8s} {'bfloat16':>8s}")
    for size, channels in ((28, 8), (28, 12), (28, 16), (28, 24), (28, 32), (14, 32), (14, 48), (14, 64), (14, 96)):
        for name, make in _layers(channels).items():
            took = []
            for kind in (tf.float32, tf.bfloat16):
                x = tf.cast(tf.random.normal((BATCH, size, size, channels)), kind)
                call = partial(_with_gradient(make(kind)), x)
                call()
                took.append(min(_cpu_ms(call) for _ in range(5)))
            print(f"{size:4d} x {size} x {channels:2d} {name:24s} {took[0]:8.2f} {took[1]:8.2f}", flush=True)


def _layers(channels: int) -> dict[str, Callable[[Any], Callable[[Any], Any]]]:
    """Return by name what makes a layer for a format."""

    def convolution(kernel: int, stride: int) -> Callable[[Any], Callable[[Any], Any]]:
        def make(kind: Any) -> Callable[[Any], Any]:
            weights = tf.cast(tf.random.normal((kernel, kernel, channels, channels)), kind)
            return lambda x: tf.nn.conv2d(x, weights, stride, "SAME")

        return make

    def depthwise(kernel: int, stride: int) -> Callable[[Any], Callable[[Any], Any]]:
        def make(kind: Any) -> Callable[[Any], Any]:
            weights = tf.cast(tf.random.normal((kernel, kernel, channels, 1)), kind)
            return lambda x: tf.nn.depthwise_conv2d(x, weights, (1, stride, stride, 1), "SAME")

        return make

    def norm(_: Any) -> Callable[[Any], Any]:
        one, zero = tf.ones(channels), tf.zeros(channels)
        return lambda x: tf.nn.relu(tf.compat.v1.nn.fused_batch_norm(x, one, zero, is_training=True)[0])

    return {
        "batch norm and ReLU": norm,
        "conv 3x3": convolution(3, 1),
        "conv 1x1": convolution(1, 1),
        "depthwise 3x3": depthwise(3, 1),
        "depthwise 5x5": depthwise(5, 1),
        "depthwise 3x3, stride 2": depthwise(3, 2),
    }


def _with_gradient(layer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @tf.function
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.cast(layer(x)[:, 0, 0], tf.float32))
        return tape.gradient(loss, x)

    return run


def _cpu_ms(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return 1000 * (time.process_time() - start)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="lean,strong,large", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--operations", action="store_true", help="single layers in both formats")
    return parser.parse_args()


if __name__ == "__main__":
    main()
