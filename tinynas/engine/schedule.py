"""In which order the layers run, and over which rows: one after the other, or row by row where values are rings."""

from __future__ import annotations

from typing import NamedTuple

from tinynas.engine.net import Layer, Lookup, Net, Pair
from tinynas.engine.plan import Plan


class Run(NamedTuple):
    """One call: the output rows first .. end - 1 of a layer, of so many bytes each."""

    layer: int
    first: int
    end: int
    row_bytes: int


def rows_of(net: Net, layer: Layer) -> int:
    """Output rows that the layer's kernel counts."""
    window = getattr(layer.spec, "window", None)
    if window is not None:
        return int(window.out_height)
    if isinstance(layer.spec, Pair):
        return layer.spec.shape[1]
    shape = net.values[layer.output].shape
    return shape[0] if isinstance(layer.spec, Lookup) and len(shape) == 3 else 1


def schedule(net: Net, plan: Plan) -> list[Run]:
    """Every call, in order."""
    return [_whole(net, plan, index) for index in range(len(net.layers))]


def _whole(net: Net, plan: Plan, index: int) -> Run:
    layer = net.layers[index]
    rows = rows_of(net, layer)
    return Run(index, 0, rows, net.values[layer.output].bytes // rows)
