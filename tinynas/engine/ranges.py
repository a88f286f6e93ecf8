"""What each channel can hold, whatever the input: interval arithmetic with the exact scaling, one function a kind.

A channel is an index of a value's last axis. What is not known is taken for all of int8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tinynas.engine.fixed_point import Rounding, requantize, wrap
from tinynas.engine.net import Clamp, Convolution, Depthwise, Ints, Layer, Lookup, Net, Pool, Reduce, Scaling


class Range(NamedTuple):
    """The least and the greatest of each channel."""

    low: Ints
    high: Ints

    @property
    def is_constant(self) -> Any:
        """Which channels hold one number only."""
        return self.low == self.high


def full(channels: int) -> Range:
    """All of int8."""
    return Range(np.full(channels, -128), np.full(channels, 127))


@lru_cache(maxsize=8)
def ranges(net: Net, rounding: Rounding = "double") -> Mapping[int, Range]:
    """The range of each channel of each value."""
    found = {net.input: full(net.values[net.input].shape[-1])}
    for layer in net.layers:
        channels = net.values[layer.output].shape[-1]
        row = _RANGES.get(layer.kind)
        known = None if row is None else row(layer.spec, found[layer.inputs[0]], rounding)
        found[layer.output] = full(channels) if known is None or len(known.low) != channels else known
    return found


def repeated(channels: int, wanted: int) -> int:
    """How often a value's channels stand in a pixel of `wanted` channels (a flattened map); 0 when they do not."""
    return wanted // channels if wanted % channels == 0 else 0


def _tiled(given: Range, channels: int) -> Range:
    times = repeated(len(given.low), channels)
    return Range(np.tile(given.low, times), np.tile(given.high, times)) if times else full(channels)


def _scaled(low: Ints, high: Ints, scaling: Scaling, rounding: Rounding) -> Range:
    """Scaling keeps the order, unless a sum leaves int32."""
    if low.min(initial=0) < -(2**31) or high.max(initial=0) >= 2**31:
        return full(len(low))
    scaled = requantize(wrap(np.stack([low, high])), scaling.multipliers, scaling.shifts, rounding)
    ends = np.clip(scaled + scaling.zero, scaling.clamp.low, scaling.clamp.high)
    if np.any((np.maximum(abs(low), abs(high)) << np.maximum(scaling.shifts, 0)) >= 2**31):
        return full(len(low))
    return Range(ends[0], ends[1])


def sums(spec: Convolution | Depthwise, given: Range) -> tuple[Ints, Ints]:
    """The least and the greatest sum of each output channel, before it is scaled."""
    window = spec.window
    known = _tiled(given, window.channels)
    low, high = known.low - spec.zero, known.high - spec.zero
    if window.touches_border:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    below, above = spec.tap_sums
    if isinstance(spec, Depthwise):
        times = window.out_channels // window.channels
        low, high = np.repeat(low, times), np.repeat(high, times)
        return above * low + below * high + spec.bias, above * high + below * low + spec.bias
    by_group = (spec.groups, -1, below.shape[1])
    below, above = below.reshape(by_group), above.reshape(by_group)
    low, high = low.reshape(spec.groups, -1, 1), high.reshape(spec.groups, -1, 1)
    ends = above @ low + below @ high, above @ high + below @ low
    return ends[0].reshape(-1) + spec.bias, ends[1].reshape(-1) + spec.bias


def _weighted(spec: Convolution | Depthwise, given: Range, rounding: Rounding) -> Range:
    return _scaled(*sums(spec, given), spec.scaling, rounding)


def _clamped(given: Range, clamp: Clamp) -> Range:
    return Range(np.clip(given.low, clamp.low, clamp.high), np.clip(given.high, clamp.low, clamp.high))


def _pool(spec: Pool, given: Range, rounding: Rounding) -> Range:
    """A mean or a maximum lies between the ends."""
    return _clamped(given, spec.clamp)


def _lookup(spec: Lookup, given: Range, rounding: Rounding) -> Range:
    ends = [spec.table[low + 128 : high + 129] for low, high in zip(given.low, given.high, strict=True)]
    low, high = ([int(pick(part)) for part in ends] for pick in (np.min, np.max))
    return Range(np.array(low, np.int64), np.array(high, np.int64))


def is_spatial(spec: Reduce, channels: int) -> bool:
    """Whether the channels of a map (…, channels) are reduced each by itself."""
    strides = [stride for stride, size in zip(spec.reduced.strides, spec.reduced.sizes, strict=True) if size > 1]
    return spec.kept.sizes == (1, channels) and spec.kept.strides[1] == 1 and not any(s % channels for s in strides)


def _reduce(spec: Reduce, given: Range, rounding: Rounding) -> Range | None:
    if not is_spatial(spec, len(given.low)):
        return None
    if spec.scaling is None:
        return given
    count = spec.reduced.sizes[0] * spec.reduced.sizes[1]
    return _scaled((given.low - spec.zero) * count, (given.high - spec.zero) * count, spec.scaling, rounding)


_RANGES: Mapping[str, Callable[[Any, Range, Rounding], Range | None]] = {
    "convolution": _weighted,
    "depthwise": _weighted,
    "pool": _pool,
    "lookup": _lookup,
    "reduce": _reduce,
}


def has_wide_sums(net: Net, rounding: Rounding = "double") -> bool:
    """Whether a sum may reach 2^30, beyond which the short scaling of the kernels would overflow."""
    known = ranges(net, rounding)
    for layer in net.layers:
        spec = layer.spec
        if isinstance(spec, Convolution | Depthwise):
            low, high = sums(spec, known[layer.inputs[0]])
            if max(-int(low.min()), int(high.max())) >= 2**30:
                return True
    return False


def has_left_shifts(net: Net) -> bool:
    """Whether a factor is 1/2 or more, so that its shift goes left or nowhere."""
    return any(_shifts_left(layer) for layer in net.layers)


def _shifts_left(layer: Layer) -> bool:
    scaling = getattr(layer.spec, "scaling", None)
    if scaling is not None:
        return bool(((scaling.multipliers != 0) & (scaling.shifts >= 0)).any())
    return any(multiplier and shift >= 0 for multiplier, shift in getattr(layer.spec, "factors", ()))
