"""Concatenations that cost nothing: their inputs are written to where they belong, inside the output."""

from __future__ import annotations

from typing import NamedTuple

from tinynas.engine.net import Concatenation, Layer, Net

_STRIDED = frozenset({"convolution", "depthwise", "pool", "pair", "lookup"})


class Part(NamedTuple):
    """A value inside another: the bytes before it, and those from row to row and pixel to pixel (0: side by side)."""

    whole: int
    start: int
    row_bytes: int = 0
    pixel_bytes: int = 0


def parts_of(net: Net) -> dict[int, Part]:
    """The values that are written into a concatenation's output at once, by value."""
    found: dict[int, Part] = {}
    if not any(isinstance(layer.spec, Concatenation) for layer in net.layers):
        return found
    makers = {layer.output: layer for layer in net.layers}
    consumers = net.consumers()
    for layer in net.layers:
        if isinstance(layer.spec, Concatenation) and len(set(layer.inputs)) == len(layer.inputs):
            start = 0
            for number, size in zip(layer.inputs, layer.spec.parts, strict=True):
                part = _part(net, layer, layer.spec, number, start, makers.get(number))
                if part is not None and len(consumers[number]) == 1 and number != net.output:
                    found[number] = part
                start += size
    return found


def _part(net: Net, layer: Layer, spec: Concatenation, number: int, start: int, maker: Layer | None) -> Part | None:
    """How the value lies in the concatenation, None when its maker cannot write it there."""
    if maker is None or maker.foreign or maker.kind == "concatenation":
        return None
    if spec.outer == 1:
        return Part(layer.output, start)
    if maker.kind not in _STRIDED:
        return None
    shape, whole = net.values[number].shape, sum(spec.parts)
    size = net.values[number].bytes // spec.outer
    if size == shape[-1]:
        return Part(layer.output, start, 0, whole)
    if len(shape) == 3 and size == shape[1] * shape[2]:
        return Part(layer.output, start, whole, 0)
    return None
