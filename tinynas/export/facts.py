"""What firmware must know of a model's input besides its bytes: how a raw sample becomes an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinynas.data import Dataset
from tinynas.data.layout import Layout
from tinynas.data.normalize import Normalization
from tinynas.data.values import ValueDataset
from tinynas.errors import DataError, ModelError, UsageError
from tinynas.tflite import Graph, Tensor, read
from tinynas.tflite.affine import Floats, Int8s, to_int8, to_real

UNIT = (0.0, 1.0)
_GREATEST = 1e30  # beyond it, products of float32 overflow


@dataclass(frozen=True)
class Facts:
    """Layout, and the way in: raw -> normalised to [0, 1] -> stretched to `input_range`.

    `channels` is how many channels a raw sample has, one after the other. Without a `normalization` the model takes
    real values as they are.
    """

    layout: Layout
    channels: int
    normalization: Normalization | None = None
    input_range: tuple[float, float] = UNIT

    def __post_init__(self) -> None:
        if self.normalization is not None and len(self.normalization.offset) not in (1, self.channels):
            raise ModelError(
                f"the normalisation has {len(self.normalization.offset)} offsets and scales, but the input has "
                f"{self.channels} channels; wanted one of each, or one a channel"
            )


def facts_of_data(dataset: Dataset | ValueDataset, input_range: tuple[float, float]) -> Facts:
    """The facts of a model that takes the samples of `dataset`, [0, 1] stretched to `input_range`."""
    channels = int(dataset.x.shape[-1])
    return Facts(dataset.layout, channels, dataset.normalization, input_range)


def as_range(low: float, high: float) -> tuple[float, float]:
    """The input range from `low` to `high`; UsageError unless both are finite and in that order."""
    if not (np.abs([low, high]) < _GREATEST).all() or not low < high:
        raise UsageError(f"The input range is {low:g} to {high:g}; wanted two finite numbers, the smaller one first.")
    return float(low), float(high)


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


def ends(data: bytes) -> tuple[Tensor, Tensor]:
    """The input and the output of the .tflite `data`; ModelError unless each is one int8 tensor of one sample."""
    graph = read(data)
    return _int8(graph, graph.inputs, "input"), _int8(graph, graph.outputs, "output")


def _int8(graph: Graph, indices: tuple[int, ...], what: str) -> Tensor:
    tensors = [graph.tensors[index] for index in indices]
    if len(tensors) != 1:
        raise ModelError(f"the model has {len(tensors)} {what}s, but firmware is made for exactly one")
    (tensor,) = tensors
    if tensor.dtype != "INT8" or len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
        scales = f" with {len(tensor.scales)} scales" if tensor.dtype == "INT8" else ""
        raise ModelError(
            f"the model's {what} is {tensor.dtype}{scales}; wanted INT8 with one scale: convert it fully quantised, "
            f"input and output included, or give tinynas the Keras model and --data"
        )
    if tensor.shape[:1] != (1,) or not tensor.elements or not tensor.scales[0] > 0:
        raise ModelError(f"the model's {what} has shape {tensor.shape}; wanted a batch of one sample")
    return tensor


def quantized(x: Floats, source: Tensor) -> Int8s:
    """The int8 inputs (n, *shape) for x float32 (n, ...), as the firmware makes them."""
    return to_int8(x, source.scales[0], source.zero_points[0]).reshape(len(x), *source.shape[1:])


def dequantized(values: Int8s, result: Tensor) -> Floats:
    """The real values (n, values) of int8 outputs (n, values), as the firmware makes them."""
    return to_real(values, result.scales[0], result.zero_points[0])


def plain_facts(source: Tensor) -> Facts:
    """The facts of a file of which nothing is known: it takes real values."""
    long = [size for size in source.shape[1:-1] if size > 1]
    return Facts("image" if len(long) > 1 else "series", source.shape[-1] if len(source.shape) > 2 else 1)
