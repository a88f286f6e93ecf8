"""How far a layer's result may lie over an input that nothing needs afterwards: one function a kind of layer.

A layer that runs forwards writes its result from the first byte to the last. Let f(p) be the first byte of the input
that the pixels after p, and p itself unless its window is read before it is written, still read. A result that starts
`lead` bytes before the input destroys nothing if lead >= (p + 1) * channels - f(p) for every p; backwards it is the
same, mirrored, with the distance between the ends (Blacker et al. 2020, arXiv 2010.01668, have the same idea).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from tinynas.engine.net import Convolution, Depthwise, Gather, Layer, Net, Pad, Pair, Pool, Window


class Rule(NamedTuple):
    """The least distances, in bytes, at which a result may lie over an input; None where it may not.

    `forwards` is from the result's start to the input's, `backwards` from the input's end to the result's. The pixel
    ones hold for distances that `pixel` divides, where each channel is read before it is written and by itself.
    """

    forwards: int | None
    backwards: int | None = None
    pixel_forwards: int | None = None
    pixel_backwards: int | None = None
    pixel: int = 1

    def direction(self, lead: int, tail: int) -> str | None:
        """ "forwards" or "backwards", whichever is safe for a result that starts `lead` bytes before the input and
        ends `tail` bytes behind it; None when neither is."""
        for least, distance, way in (
            (self.forwards, lead, "forwards"),
            (self.backwards, tail, "backwards"),
        ):
            if least is not None and distance >= least:
                return way
        for least, distance, way in (
            (self.pixel_forwards, lead, "forwards"),
            (self.pixel_backwards, tail, "backwards"),
        ):
            if least is not None and distance >= least and distance % self.pixel == 0:
                return way
        return None


IN_PLACE = Rule(0)


def rule(net: Net, layer: Layer, position: int) -> Rule | None:
    """Where the layer's result may lie over its input at `position`, None when it must lie beside it."""
    row = _RULES.get(layer.kind)
    if row is None or layer.foreign or (layer.inputs.count(layer.inputs[position]) > 1 and layer.kind != "pair"):
        return None
    return row(net, layer, position)


@lru_cache(maxsize=4096)
def _least_lead(w: Window, own: bool) -> int:
    """The least distance for a map whose windows start at (row * stride - pad, column * stride - pad).

    `own`: the pixel's own window is still needed while it is written.
    """
    rows = np.maximum(np.arange(w.out_height) * w.stride_h - w.pad_top, 0) * w.width
    columns = np.maximum(np.arange(w.out_width) * w.stride_w - w.pad_left, 0)
    first = (rows[:, None] + columns).reshape(-1) * w.channels
    needed = np.minimum.accumulate(first[::-1])[::-1]
    if not own:
        needed = np.append(needed[1:], w.height * w.width * w.channels)
    written = (np.arange(len(first)) + 1) * w.out_channels
    return int((written - needed).max())


def _mirrored(w: Window) -> Window:
    """The same window seen from the map's last byte; its padding is what the windows reach beyond the far edge."""
    below = (w.out_height - 1) * w.stride_h + w.reach_h - w.pad_top - w.height
    right = (w.out_width - 1) * w.stride_w + w.reach_w - w.pad_left - w.width
    return w._replace(pad_top=below, pad_left=right)


def _window_rule(w: Window, by_channel: bool) -> Rule:
    mirrored = _mirrored(w)
    if not by_channel:
        return Rule(_least_lead(w, True), _least_lead(mirrored, True))
    return Rule(
        _least_lead(w, True),
        _least_lead(mirrored, True),
        _least_lead(w, False),
        _least_lead(mirrored, False),
        w.channels,
    )


def _convolution(net: Net, layer: Layer, position: int) -> Rule | None:
    spec: Convolution = layer.spec  # type: ignore[assignment]
    return _window_rule(spec.window, False)


def _by_channel(net: Net, layer: Layer, position: int) -> Rule | None:
    spec: Depthwise | Pool = layer.spec  # type: ignore[assignment]
    return _window_rule(spec.window, spec.window.channels == spec.window.out_channels)


def _pair(net: Net, layer: Layer, position: int) -> Rule | None:
    spec: Pair = layer.spec  # type: ignore[assignment]
    shapes = [shape for shape, constant in zip(spec.shapes, spec.constants, strict=True) if constant is None]
    return IN_PLACE if shapes[position] == spec.shape else None


def _in_order(net: Net, layer: Layer, position: int) -> Rule | None:
    """Layers that read no byte before the one they are about to write."""
    return IN_PLACE


def _gather(net: Net, layer: Layer, position: int) -> Rule | None:
    """In place where the positions only grow: element k then comes from byte k or a later one."""
    spec: Gather = layer.spec  # type: ignore[assignment]
    reach = 0
    for size, stride in zip(reversed(spec.sizes), reversed(spec.strides), strict=True):
        if size > 1 and stride <= reach:
            return None
        reach += max(size - 1, 0) * stride
    return IN_PLACE


def _pad(net: Net, layer: Layer, position: int) -> Rule | None:
    """The last element moves farthest."""
    spec: Pad = layer.spec  # type: ignore[assignment]
    last = [before + size - 1 for before, size in zip(spec.before, spec.shape, strict=True)]
    place = (last[0] * spec.out_shape[1] + last[1]) * spec.out_shape[2] + last[2]
    return Rule(place - (prod(spec.shape) - 1))


_RULES: Mapping[str, Callable[[Net, Layer, int], Rule | None]] = {
    "convolution": _convolution,
    "depthwise": _by_channel,
    "pool": _by_channel,
    "pair": _pair,
    "lookup": _in_order,
    "softmax": _in_order,
    "reduce": _in_order,
    "gather": _gather,
    "pad": _pad,
}
