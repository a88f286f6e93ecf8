"""Layers made ready to run row by row: maps of one row turned, so that their rows are many, and means running sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinynas.engine.net import Convolution, Depthwise, Layer, Net, Pair, Pool, Reduce, Running, Value, Window
from tinynas.engine.ranges import is_spatial

_SUMMED = {"MEAN": "MEAN", "MAX": "MAX", "MIN": "MIN"}


def ready(net: Net, length: int) -> Net | None:
    """The net with its first layers turned so that their rows are long, and their means running; None if one cannot."""
    values, layers = dict(net.values), list(net.layers)
    for index in range(length):
        layer = layers[index]
        row = None if layer.foreign else _READY.get(layer.kind)
        changed = None if row is None else row(net, layer)
        if changed is None:
            return None
        layers[index] = changed
        if not isinstance(changed.spec, Running):
            values[layer.output] = replace(values[layer.output], shape=_turned(values[layer.output]))
    return replace(net, values=values, layers=tuple(layers))


def _turned(value: Value) -> tuple[int, ...]:
    """The shape with the rows first: a map of one row becomes one of one column."""
    height, width, channels = (1, 1, *value.shape)[-3:]
    return (width, 1, channels) if height == 1 else (height, width, channels)


def _turned_window(w: Window) -> Window:
    return Window(
        w.width, w.height, w.channels, w.out_width, w.out_height, w.out_channels, w.kernel_w, w.kernel_h,
        w.stride_w, w.stride_h, w.dilation_w, w.dilation_h, w.pad_left, w.pad_top,
    )  # fmt: skip


def _is_one_row(w: Window) -> bool:
    return w.height == 1 and w.out_height == 1


def _ready_weighted(net: Net, layer: Layer) -> Layer | None:
    spec: Convolution | Depthwise = layer.spec  # type: ignore[assignment]
    w = spec.window
    if not _is_map_of(net, layer.inputs[0], w):
        return None
    if not _is_one_row(spec.window):
        return layer
    swapped = spec.weights.swapaxes(0, 1) if isinstance(spec, Depthwise) else spec.weights.swapaxes(1, 2)
    weights = np.ascontiguousarray(swapped)
    return replace(layer, spec=replace(spec, window=_turned_window(spec.window), weights=weights))


def _is_map_of(net: Net, number: int, w: Window) -> bool:
    """Whether a window slides over the value as the map that its maker wrote; the net's input may be read as any."""
    maps = ((w.height, w.width, w.channels), (w.width, w.height, w.channels))
    return number == net.input or net.values[number].shape in maps


def _ready_pool(net: Net, layer: Layer) -> Layer | None:
    spec: Pool = layer.spec  # type: ignore[assignment]
    w = spec.window
    if not _is_map_of(net, layer.inputs[0], w):
        return None
    w = _turned_window(w) if _is_one_row(w) else w
    is_whole = (w.out_height, w.out_width) == (1, 1) and (w.kernel_h, w.kernel_w) == (w.height, w.width)
    if is_whole and not w.pad_top and not w.pad_left:
        kind: Any = "AVERAGE" if spec.average else "MAX"
        return replace(layer, spec=Running(kind, w.height, w.width, w.channels, clamp=spec.clamp))
    return replace(layer, spec=replace(spec, window=w))


def _ready_reduce(net: Net, layer: Layer) -> Layer | None:
    """A reduction of all pixels of a map, channel by channel."""
    spec: Reduce = layer.spec  # type: ignore[assignment]
    value = net.values[layer.inputs[0]]
    height, width, channels = (1, 1, *value.shape)[-3:]
    count = spec.reduced.sizes[0] * spec.reduced.sizes[1]
    if len(value.shape) > 3 or not is_spatial(spec, channels) or count * channels != value.bytes:
        return None
    if spec.reduction not in _SUMMED:
        return None
    rows, columns = (width, 1) if height == 1 else (height, width)
    kind: Any = _SUMMED[spec.reduction]
    return replace(layer, spec=Running(kind, rows, columns, channels, spec.zero, spec.scaling))


def _ready_pair(net: Net, layer: Layer) -> Layer | None:
    """Two maps of one shape, or one and a constant."""
    spec: Pair = layer.spec  # type: ignore[assignment]
    batch, height, width, channels = spec.shape
    if batch != 1 or any(
        shape != spec.shape for shape, constant in zip(spec.shapes, spec.constants, strict=True) if constant is None
    ):
        return None
    if height > 1:
        return layer
    one, two = ((shape[0], shape[2], shape[1], shape[3]) for shape in spec.shapes)
    return replace(layer, spec=replace(spec, shape=(1, width, 1, channels), shapes=(one, two)))


def _ready_lookup(net: Net, layer: Layer) -> Layer | None:
    return layer


_READY: Mapping[str, Callable[[Net, Layer], Layer | None]] = {
    "convolution": _ready_weighted,
    "depthwise": _ready_weighted,
    "pool": _ready_pool,
    "reduce": _ready_reduce,
    "pair": _ready_pair,
    "lookup": _ready_lookup,
}
