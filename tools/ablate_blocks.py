"""Do blocks that the search space has not got pay? Hand-made networks with them and without, of about as many bytes.

    python tools/ablate_blocks.py --data /usr/share/datasets/fashion-mnist --set tight --epochs 12
    python tools/ablate_blocks.py --data /usr/share/datasets/fashion-mnist --set large --epochs 4 --seeds 2
    python tools/ablate_blocks.py --data mnist1d --layout series --set series --epochs 40

`sep` is a depthwise and a pointwise convolution; `split` two convolutions side by side, one of kernel k and one of k+2,
each with half of the channels, which are joined; `s2` a stride, `m2` a max pool of 2; `r` a sum with the block's input,
which a mean pool and a 1x1 convolution bring to its shape where it has another one. Each convolution has batch norm and
ReLU. The recipe is a search's. A seed is also the fold that is held out. Printed are the bytes of the int8 file and of
its arena, the multiply-accumulates, int8 and float accuracy with standard errors in per cent, and CPU seconds of a
training in one thread.
"""

import argparse
import os
import re
import time
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from ablate import FOLDS, mean_and_error, opened

from tinynas import Dataset, Target
from tinynas.data.splits import representative_rows
from tinynas.tflite import analyze
from tinynas.training.augment import augmentation_for, detail_of
from tinynas.training.build import BATCH_NORM_MOMENTUM
from tinynas.training.convert import quantize
from tinynas.training.evaluate import score_both
from tinynas.training.fit import Recipe, fit
from tinynas.training.keras import keras, seed_everything

RATE = 1.6e-2
BLOCK = re.compile(r"(conv|sep|split)(\d+)k(\d+)(s2)?(m2)?(r)?")

NETWORKS = {
    "tight": {  # of 16,384 B, and 8,192 B of arena, which separable ones exceed: their kernels need buffers there
        "lean": "conv8k3s2 conv16k3 conv24k3s2 conv32k3",
        "wide first": "conv16k3s2 conv24k3s2 conv34k3",
        "first of 5": "conv8k5s2 conv16k3 conv24k3s2 conv32k3",
        "separable": "conv8k3s2 conv16k3s2 sep64k3 sep72k3",
        "separable of 5": "conv8k3s2 conv16k3s2 sep56k5 sep64k5",
        "separable of 7": "conv8k3s2 conv16k3s2 sep48k7 sep56k7",
        "branches": "conv8k3s2 split12k3 conv24k3s2 split40k1",
        "strided sums": "conv8k3s2 conv14k3 conv20k3s2r conv32k3r",
    },
    "large": {  # of 64,000 B
        "large": "conv32k3m2 conv32k3 sep64k3m2 sep96k3 sep112k3 sep128k3",
        "separable of 5": "conv32k3m2 conv32k3 sep64k5m2 sep96k5 sep104k5 sep104k5",
        "separable of 7": "conv32k3m2 conv32k3 sep64k7m2 sep88k7 sep88k7 sep96k7",
        "branches": "conv32k3m2 split40k1 sep64k3m2 sep96k3 sep112k3 sep128k3",
        "strided sums": "conv32k3m2 conv32k3r sep64k3m2r sep80k3r sep80k3r sep80k3r",
    },
    "series": {  # of 6,144 B, and 4,096 B of arena
        "convolutions": "conv12k5m2 conv16k5m2 conv16k3",
        "wider": "conv12k5m2 conv20k5m2 conv20k3",
        "separable": "conv12k5m2 sep24k5m2 sep28k5",
        "branches": "conv12k5m2 split20k3m2 split20k1",
        "strided sums": "conv12k5m2 conv14k5m2r conv14k3r",
    },
}


def main() -> None:
    options = _options()
    dataset = opened(options)
    for name, text in NETWORKS[options.set].items():
        if not options.networks or name in options.networks.split(","):
            print(_tried(dataset, name, text, options), flush=True)


def _tried(dataset: Dataset, name: str, text: str, options: argparse.Namespace) -> str:
    augmentation = augmentation_for(dataset.layout, options.augment.replace("+", ","), detail_of(dataset.x))
    recipe = Recipe(options.epochs, peak_rate=RATE, augmentation=augmentation)
    scores, took = [], 0.0
    for seed in range(options.seeds):
        fold = dataset.folds(FOLDS, 0)[seed]
        x, y = dataset.x[fold.train], dataset.y[fold.train]
        seed_everything(seed)
        model = network(text, dataset.input_shape, dataset.n_classes)
        start = time.process_time()
        fit(model, x, y, recipe, seed)
        took += time.process_time() - start
        file = quantize(model, x[representative_rows(y, 100, seed)])
        scores.append(score_both(model, file, dataset.x[fold.validation], dataset.y[fold.validation]))
    found = analyze(file, Target.load("nucleo_f401")).footprint
    int8, real = ([100 * getattr(each, kind).accuracy for each in scores] for kind in ("int8", "float"))
    size = f"{found.flash_bytes:,} B, arena {found.arena_bytes:,} B, {found.macs:,} MACs"
    return (
        f"{name:15s} int8 {mean_and_error(int8)} float {mean_and_error(real)}  {size}, {took / options.seeds:.1f} CPU s"
    )


def network(text: str, shape: tuple[int, int, int], classes: int) -> Any:
    """Return the Keras model of a line of NETWORKS."""
    x = inputs = keras.Input(shape=shape)
    for block in text.split():
        kind, filters, kernel, stride, pool, summed = BLOCK.fullmatch(block).groups()
        x = _block(x, kind, int(filters), int(kernel), 2 if stride else 1, bool(summed))
        if pool:
            x = keras.layers.MaxPooling2D(_axes(x, 2))(x)
    x = keras.layers.AveragePooling2D(x.shape[1:3])(x)
    x = keras.layers.Dense(classes, activation="softmax")(keras.layers.Flatten()(x))
    return keras.Model(inputs, x)


def _block(x: Any, kind: str, filters: int, kernel: int, stride: int, summed: bool) -> Any:
    relu, before = keras.layers.ReLU, x
    if kind == "split":
        parts = [relu()(_conv(x, filters // 2, size, stride)) for size in (kernel, kernel + 2)]
        return keras.layers.Concatenate()(parts)
    if kind == "sep":
        x = relu()(_normed(keras.layers.DepthwiseConv2D(_axes(x, kernel), stride, "same", use_bias=False)(x)))
        x = _conv(x, filters, 1, 1)
    else:
        x = _conv(x, filters, kernel, stride)
    if summed:
        if stride > 1:
            before = keras.layers.AveragePooling2D(_axes(before, stride))(before)
        if before.shape[-1] != filters:
            before = _conv(before, filters, 1, 1)
        x = keras.layers.Add()([before, x])
    return relu()(x)


def _conv(x: Any, filters: int, kernel: int, stride: int) -> Any:
    return _normed(keras.layers.Conv2D(filters, _axes(x, kernel), _axes(x, stride), padding="same", use_bias=False)(x))


def _normed(x: Any) -> Any:
    return keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)


def _axes(x: Any, size: int) -> tuple[int, int]:
    """Return `size` on the axes that are longer than 1."""
    return tuple(size if length > 1 else 1 for length in x.shape[1:3])


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--set", choices=tuple(NETWORKS), required=True)
    parser.add_argument("--networks", default="", help="some of the set, by a comma")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--augment", default="none")
    return parser.parse_args()


if __name__ == "__main__":
    main()
