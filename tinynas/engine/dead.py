"""Channels that need not be computed: they hold one number whatever the input, or nobody reads what they hold.

A convolution takes a constant channel into its bias, where no padding meets it or the number stands for 0. A layer
that works on each channel by itself drops the channels that its result drops. Exact to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.engine.fixed_point import Rounding
from tinynas.engine.net import Axes, Convolution, Depthwise, Layer, Lookup, Net, Pool, Reduce, Scaling, Spec
from tinynas.engine.ranges import Range, is_spatial, ranges, repeated

Mask = npt.NDArray[np.bool_]


def without_dead_channels(net: Net, rounding: Rounding = "double") -> Net:
    """The net without the channels that need not be computed; one channel of each value always stays."""
    known = ranges(net, rounding)
    kept = _kept(net, known)
    if all(mask.all() for mask in kept.values()):
        return net
    values = {
        number: replace(value, shape=(*value.shape[:-1], int(kept[number].sum())))
        for number, value in net.values.items()
    }
    return replace(net, values=values, layers=tuple(_thinned(layer, kept, known) for layer in net.layers))


def _kept(net: Net, known: Mapping[int, Range]) -> dict[int, Mask]:
    """Which channels of each value stay: all, until what reads and what makes them agree that they need not."""
    makers = {layer.output: layer for layer in net.layers}
    dropped = {
        number: np.full(value.shape[-1], number in makers and _can_drop(net, makers[number]))
        for number, value in net.values.items()
    }
    dropped[net.output][:] = False
    changed = True
    while changed:
        before = {number: int(mask.sum()) for number, mask in dropped.items()}
        for layer in net.layers:
            for position, number in enumerate(layer.inputs):
                dropped[number] &= _spared(net, layer, position, dropped, known)
            if _is_by_channel(net, layer):
                dropped[layer.output] &= dropped[layer.inputs[0]]
        for mask in dropped.values():
            if mask.all():
                mask[0] = False
        changed = before != {number: int(mask.sum()) for number, mask in dropped.items()}
    return {number: ~mask for number, mask in dropped.items()}


def _can_drop(net: Net, layer: Layer) -> bool:
    """Whether the layer can leave channels of its result away."""
    if isinstance(layer.spec, Convolution):
        return layer.spec.groups == 1 and layer.spec.window.out_channels == net.values[layer.output].shape[-1]
    return _is_by_channel(net, layer)


def _is_by_channel(net: Net, layer: Layer) -> bool:
    """Whether each channel of the result is made of the same channel of the input alone."""
    channels = net.values[layer.inputs[0]].shape[-1]
    if net.values[layer.output].shape[-1] != channels:
        return False
    spec = layer.spec
    if isinstance(spec, Depthwise | Pool):
        return spec.window.channels == spec.window.out_channels == channels
    return isinstance(spec, Lookup) or (isinstance(spec, Reduce) and is_spatial(spec, channels))


def _spared(net: Net, layer: Layer, position: int, dropped: dict[int, Mask], known: Mapping[int, Range]) -> Mask:
    """Which channels of an input the layer can do without."""
    number, spec = layer.inputs[position], layer.spec
    if _is_by_channel(net, layer):
        return dropped[layer.output]
    channels = net.values[number].shape[-1]
    times = repeated(channels, spec.window.channels) if isinstance(spec, Convolution) else 0
    if not isinstance(spec, Convolution) or spec.groups != 1 or not times:
        return np.zeros(channels, bool)
    if times > 1 and spec.window.kernel_h * spec.window.kernel_w > 1:
        return np.zeros(channels, bool)
    given = known[number]
    foldable = given.is_constant & ((given.low == spec.zero) | (not spec.window.touches_border))
    unread = (spec.weights == 0).all((0, 1, 2)).reshape(times, channels).all(0)
    found: Mask = foldable | unread
    return found


def _thinned(layer: Layer, kept: dict[int, Mask], known: Mapping[int, Range]) -> Layer:
    """The layer without the dropped channels of its inputs and its result."""
    if isinstance(layer.spec, Convolution):
        return replace(layer, spec=_convolution(layer.spec, layer, kept, known))
    if isinstance(layer.spec, Depthwise | Pool | Reduce):
        return replace(layer, spec=_by_channel(layer.spec, kept[layer.output]))
    return layer


def _convolution(spec: Convolution, layer: Layer, kept: dict[int, Mask], known: Mapping[int, Range]) -> Convolution:
    given = kept[layer.inputs[0]]
    times = repeated(len(given), spec.window.channels)
    if spec.groups > 1 or not times:
        return spec
    made = kept[layer.output] if len(kept[layer.output]) == len(spec.weights) else np.ones(len(spec.weights), bool)
    inside = np.tile(given, times)
    constants = np.tile(known[layer.inputs[0]].low - spec.zero, times)
    gone = (spec.weights.astype(np.int64) * np.where(inside, 0, constants)).sum((1, 2, 3))
    bias = spec.bias + (0 if spec.window.touches_border else gone)
    return replace(
        spec,
        window=spec.window._replace(channels=int(inside.sum()), out_channels=int(made.sum())),
        weights=np.ascontiguousarray(spec.weights[made][..., inside]),
        bias=bias[made],
        scaling=_scaling(spec.scaling, made),
    )


def _scaling(scaling: Scaling, made: Mask) -> Scaling:
    return replace(scaling, multipliers=scaling.multipliers[made], shifts=scaling.shifts[made])


def _by_channel(spec: Depthwise | Pool | Reduce, made: Mask) -> Spec:
    n_kept = int(made.sum())
    if n_kept == len(made):
        return spec
    if isinstance(spec, Reduce):
        strides: Any = tuple(stride // len(made) * n_kept for stride in spec.reduced.strides)
        return replace(spec, kept=Axes((1, n_kept), spec.kept.strides), reduced=Axes(spec.reduced.sizes, strides))
    window = spec.window._replace(channels=n_kept, out_channels=n_kept)
    if isinstance(spec, Pool):
        return replace(spec, window=window)
    weights = np.ascontiguousarray(spec.weights[..., made])
    return replace(spec, window=window, weights=weights, bias=spec.bias[made], scaling=_scaling(spec.scaling, made))


def with_plain_constants(net: Net, rounding: Rounding = "double") -> Net:
    """The net whose channels that hold one number, but have to stay, make it of small biases and no weights: those of
    the file may be as great as int32, and kernels are shorter for sums that are not."""
    known, layers = ranges(net, rounding), []
    for layer in net.layers:
        spec, result = layer.spec, known[layer.output]
        if isinstance(spec, Convolution | Depthwise) and len(result.low) == len(spec.bias) and result.is_constant.any():
            layers.append(replace(layer, spec=_plain(spec, result)))
        else:
            layers.append(layer)
    is_same = all(a is b for a, b in zip(layers, net.layers, strict=True))
    return net if is_same else replace(net, layers=tuple(layers))


def _plain(spec: Convolution | Depthwise, result: Range) -> Convolution | Depthwise:
    """A fourth of the bias is what the channel holds, since the factor is 1/2 and the shift 1."""
    once, scaling = result.is_constant, spec.scaling
    by_channel = once if isinstance(spec, Depthwise) else once[:, None, None, None]
    return replace(
        spec,
        weights=np.where(by_channel, 0, spec.weights).astype(spec.weights.dtype),
        bias=np.where(once, 4 * (result.low - scaling.zero), spec.bias),
        scaling=replace(
            scaling,
            multipliers=np.where(once, 2**30, scaling.multipliers),
            shifts=np.where(once, -1, scaling.shifts),
        ),
    )
