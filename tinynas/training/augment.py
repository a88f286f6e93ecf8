"""Augmentation inside the training graph: shift, flip, noise, scale and erase, each batch drawn anew from a seed.

TensorFlow is imported where it runs, so that a choice can be checked before any process is started.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynas.errors import UsageError
from tinynas.features import Features
from tinynas.options.search import AUGMENTATIONS

_BY_HEART = 30  # parameters times epochs for each sample: below it a shift costs accuracy (docs/benchmarks.md)
_LOOKED_AT = 500  # samples
_PLAIN = 0.2  # of a training: in its last fifth pictures are as they are (docs/benchmarks.md)
_NOISE = 0.1  # of the detail
_WARPED = 0x5A17  # another stream of chance than that of the other augmentations, which keep theirs
_LEVELLED = 0x1E7E


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a sample without changing its class.

    shift: the largest move along each axis longer than 1, as a share of its length (zeros come in at the border).
    flip: mirror left to right.  noise: standard deviation of added noise, in units of the [0, 1] input range.
    scale: the largest relative change of a sample's contrast about its mean.  erase: the most of
    each axis, as a share, that a rectangle takes which is replaced by one random value, in half the samples (random
    erasing, Zhong et al. 2017).  warp: the largest relative change of a series' speed, about a moment of its own.
    level: the most that is added to all values of a sample or taken from them, as louder or softer sound adds to its
    logarithms; a value of 0, which is silence, stays.
    """

    shift: float = 0.0
    flip: bool = False
    noise: float = 0.0
    scale: float = 0.0
    erase: float = 0.0
    warp: float = 0.0
    level: float = 0.0

    def __call__(self, x: Any, seed: Any) -> Any:
        """Return the batch `x` (n, H, W, C) with each sample changed at random; `seed` is an int32 pair."""
        from tinynas.training.keras import tf

        seeds = tf.random.experimental.stateless_split(seed, 6)
        if self.warp:
            x = _warp(x, self.warp, tf.stack([seed[0], seed[1] ^ _WARPED]))
        if self.level:
            apart = tf.stack([seed[0], seed[1] ^ _LEVELLED])
            more = tf.random.stateless_uniform((tf.shape(x)[0], 1, 1, 1), apart, -self.level, self.level)
            x = tf.where(x > 0, tf.clip_by_value(x + more, 0.0, 1.0), x)
        if self.flip:
            mirrored = tf.random.stateless_uniform((tf.shape(x)[0], 1, 1, 1), seeds[0]) < 0.5
            x = tf.where(mirrored, tf.reverse(x, axis=[2]), x)
        if self.shift:
            for axis in (1, 2):
                x = _shift(x, axis, self.shift, seeds[axis])
        if self.scale:
            factor = tf.random.stateless_uniform(
                (tf.shape(x)[0], 1, 1, 1), seeds[3], 1.0 - self.scale, 1.0 + self.scale
            )
            mean = tf.reduce_mean(x, axis=(1, 2), keepdims=True)
            x = tf.clip_by_value(mean + (x - mean) * factor, 0.0, 1.0)
        if self.erase:
            x = _erase(x, self.erase, seeds[5])
        if self.noise:
            x = tf.clip_by_value(x + tf.random.stateless_normal(tf.shape(x), seeds[4]) * self.noise, 0.0, 1.0)
        return x


def _shift(x: Any, axis: int, share: float, seed: Any) -> Any:
    """Return `x` with each sample moved along `axis` by up to `share` of its length."""
    from tinynas.training.keras import tf

    length = x.shape[axis]
    reach = round(length * share)
    if reach == 0:
        return x
    pads = [[0, 0]] * 4
    pads[axis] = [reach, reach]
    start = tf.random.stateless_uniform((tf.shape(x)[0], 1), seed, 0, 2 * reach + 1, dtype=tf.int32)
    index = start + tf.range(length)[None]
    padded = tf.pad(x, pads)
    if axis == 1:
        return tf.ensure_shape(tf.gather(padded, index, axis=1, batch_dims=1), x.shape)
    turned = tf.transpose(padded, (0, 2, 1, 3))  # gather with batch_dims wants the axis right behind the batch
    return tf.ensure_shape(tf.transpose(tf.gather(turned, index, axis=1, batch_dims=1), (0, 2, 1, 3)), x.shape)


def _warp(x: Any, share: float, seed: Any) -> Any:
    """Return the series `x` (n, L, 1, C), each faster or slower by up to `share` about a moment of its own.

    Steps are left out or come twice, and what comes in at an end is the last value there. Values between two steps
    would be those of no series where it goes up and down from each step to the next.
    """
    from tinynas.training.keras import tf

    n, length = tf.shape(x)[0], x.shape[1]
    drawn = tf.random.stateless_uniform((2, n, 1), seed)
    speed, centre = 1.0 + share * (2.0 * drawn[0] - 1.0), drawn[1] * (length - 1.0)
    at = centre + (tf.range(length, dtype=tf.float32)[None] - centre) * speed
    index = tf.clip_by_value(tf.cast(tf.round(at), tf.int32), 0, length - 1)
    return tf.ensure_shape(tf.gather(x, index, axis=1, batch_dims=1), x.shape)


def _erase(x: Any, share: float, seed: Any) -> Any:
    """Return `x` with a rectangle of half the samples replaced by one value, of at most `share` of each axis."""
    from tinynas.training.keras import tf

    drawn = tf.random.stateless_uniform((6, tf.shape(x)[0], 1, 1, 1), seed)
    erased = drawn[0] < 0.5
    for axis in (1, 2):
        length = float(x.shape[axis])
        size = tf.maximum(1.0, drawn[axis] * share * length) if length > 1 else tf.ones_like(drawn[axis])
        first = tf.floor(drawn[axis + 2] * (length - size + 1))
        at = tf.reshape(tf.range(length), [-1 if other == axis else 1 for other in range(4)])
        erased &= (at >= first) & (at < first + size)
    return tf.where(erased, drawn[5], x)


def detail_of(x: np.ndarray) -> float:
    """Return how far the values of a sample of `x` (n, H, W, C) lie from their median: the median of the medians.

    The [0, 1] range of a set may be that of a few peaks, and what tells its classes apart a hundredth of it.
    """
    few = np.asarray(x[np.arange(0, len(x), max(1, len(x) // _LOOKED_AT))], np.float32)
    values = few.reshape(len(few), -1, few.shape[-1])
    return float(np.median(np.median(np.abs(values - np.median(values, axis=1, keepdims=True)), axis=1)))


def varied_from(layout: str, samples: int, params: int) -> int:
    """Return the epochs of a training from which on `auto` varies its pictures, for a network of so many parameters.

    Before that it has too little time, or is too small, to learn so many samples by heart: it learns less from samples
    that look different each time. A series is always varied, by so little that it costs nothing.
    """
    return math.ceil(_BY_HEART * samples / params) if layout == "image" else 0


def plain_end(layout: str, features: Features | None = None) -> float:
    """Return the share of a training, at its end, in which the samples are as they are, for data of `layout`.

    A picture that is shifted or partly erased is none that will be met: at the end the weights, and the statistics of
    the batch norms, are those of pictures as they come. A sound, which has `features`, is met earlier or later in its
    window and louder or softer than it was recorded, and is varied to the end; the variations of a series are so slight
    that it does not matter.
    """
    return _PLAIN if layout == "image" and features is None else 0.0


def augmentation_for(layout: str, chosen: str = "auto", detail: float | None = None) -> Augmentation:
    """Return the augmentation named by `chosen`: "auto", "none" or a comma list of AUGMENTATIONS.

    "auto" shifts images by up to 7 %, in trainings that are long enough (`varied_from`), and adds slight noise and
    scale to series; it never flips (a mirrored digit is another digit) and never shifts a series (in a packet the
    position of a byte is its meaning). Its noise is at most a tenth of `detail` (see `detail_of`; None: it is not
    known), so that it drowns nothing.
    """
    strength = {"shift": 0.07, "flip": True, "noise": 0.02, "scale": 0.1, "erase": 0.5, "warp": 0.1}
    if chosen == "auto" and detail is not None:
        strength["noise"] = min(strength["noise"], _NOISE * detail)
    if chosen == "auto":
        names = ["shift"] if layout == "image" else ["noise", "scale"]
    else:
        names = [] if chosen == "none" else [name.strip() for name in chosen.split(",")]
    for name in names:
        if name not in strength:
            raise UsageError(
                f"Unknown augmentation {name!r}: choose auto, none or a list of {', '.join(AUGMENTATIONS)}."
            )
    return Augmentation(**{name: strength[name] for name in names})  # type: ignore[arg-type]
