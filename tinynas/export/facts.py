"""What firmware must know of a model's input besides its bytes: how a raw sample becomes an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from tinynas.data import Dataset
from tinynas.data.layout import Layout
from tinynas.data.normalize import Normalization
from tinynas.data.values import ValueDataset
from tinynas.errors import DataError, ModelError, UsageError
from tinynas.features.threshold import Tuned
from tinynas.tflite import Tensor
from tinynas.tflite.affine import Floats

UNIT = (0.0, 1.0)
_GREATEST = 1e30  # beyond it, products of float32 overflow


@dataclass(frozen=True)
class Facts:
    """Layout, and the way in: raw -> normalised to [0, 1] -> stretched to `input_range`.

    `channels` is how many channels a raw sample has, one after the other. Without a `normalization` the model takes
    real values as they are. `names` are the channels' where the data give them, `rate` is the steps a second. `tuned`
    is what recordings say of the model's stream, where it was trained with some to say it.
    """

    layout: Layout
    channels: int
    normalization: Normalization | None = None
    input_range: tuple[float, float] = UNIT
    names: tuple[str, ...] = ()
    rate: float | None = None
    tuned: Tuned | None = None

    def __post_init__(self) -> None:
        if self.normalization is not None and len(self.normalization.offset) not in (1, self.channels):
            raise ModelError(
                f"the normalisation has {len(self.normalization.offset)} offsets and scales, but the input has "
                f"{self.channels} channels; wanted one of each, or one for each channel"
            )


def facts_of_data(dataset: Dataset | ValueDataset, input_range: tuple[float, float]) -> Facts:
    """The facts of a model that takes the samples of `dataset`, [0, 1] stretched to `input_range`."""
    channels = int(dataset.x.shape[-1])
    if isinstance(dataset, Dataset):
        return Facts(dataset.layout, channels, dataset.normalization, input_range, dataset.channels, dataset.rate)
    return Facts(dataset.layout, channels, dataset.normalization, input_range)


def as_range(given: Sequence[float]) -> tuple[float, float]:
    """The input range (low, high) that is given; UsageError unless both are finite numbers and in that order."""
    if len(given) != 2 or not all(isinstance(each, Real) and not isinstance(each, bool) for each in given):
        raise UsageError(f"The input range is {given!r:.80}; wanted two numbers, such as (-1, 1).")
    low, high = map(float, given)
    if not (np.abs([low, high]) < _GREATEST).all() or not low < high:
        raise UsageError(f"The input range is {low:g} to {high:g}; wanted two finite numbers, the smaller one first.")
    return low, high


def stretched(x: Floats, input_range: tuple[float, float]) -> Floats:
    """Samples in [0, 1] stretched to `input_range`."""
    low, high = input_range
    found: Floats = np.float32(low) + x * np.float32(high - low)
    return found


def in_shape(shape: Sequence[int | None], x: Floats, where: str) -> Floats:
    """Samples x (n, H, W, C) in the model's input `shape`, whose sizes of None are left open; `where` names the data.

    Sides of 1 may come and go, and a model of one axis takes a sample's values in a row; anything else is a DataError.
    """
    have, wanted = x.shape[1:], tuple(shape)
    if len(wanted) == len(have):
        wanted = tuple(b if a is None else a for a, b in zip(wanted, have, strict=True))
    if wanted == (None,):
        wanted = (int(np.prod(have)),)
    if None in wanted or (_long_sides(wanted) != _long_sides(have) and wanted != (int(np.prod(have)),)):
        raise DataError(
            f"{where}: samples of {_text(have)} do not fit the model, which takes {_text(wanted)}; "
            f"give the data that it was trained on, or lay them out with --reshape"
        )
    return x.reshape(len(x), *(int(size or 1) for size in wanted))


def _long_sides(shape: Sequence[int | None]) -> list[int | None]:
    return [size for size in shape if size != 1]


def _text(shape: Sequence[int | None]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape) or "one value"


def plain_facts(source: Tensor) -> Facts:
    """The facts of a file of which nothing is known: it takes real values."""
    long = [size for size in source.shape[1:-1] if size > 1]
    return Facts("image" if len(long) > 1 else "series", source.shape[-1] if len(source.shape) > 2 else 1)
