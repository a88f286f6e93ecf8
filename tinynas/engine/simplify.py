"""Simplifications of a Net that change no bit of its output, and what each of them gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinynas.engine.dead import with_plain_constants, without_dead_channels
from tinynas.engine.fixed_point import Rounding
from tinynas.engine.net import Clamp, Convolution, Depthwise, Int8s, Layer, Lookup, Net, Pad, Pair, Pool
from tinynas.engine.plan import least_bytes, problem_of


@dataclass(frozen=True)
class Gain:
    """What a net costs once `what` is done: layers, multiply-accumulates, bytes of weights, least bytes of memory."""

    what: str
    layers: int
    macs: int
    weights_bytes: int
    memory_bytes: int


def simplify(net: Net, rounding: Rounding = "double") -> tuple[Net, tuple[Gain, ...]]:
    """The net after every simplification, and its costs as it came and after each one that changed something."""
    gains = [_gain("the file's operators", net)]
    for what, change in _CHANGES.items():
        changed = change(net, rounding)
        if changed is not net:
            gains.append(_gain(what, changed))
        net = changed
    return with_plain_constants(net, rounding), tuple(gains)


def macs_of(layer: Layer) -> int:
    """Multiply-accumulates of one run of a layer, taps beyond the border counted."""
    if isinstance(layer.spec, Convolution | Depthwise):
        return layer.spec.window.out_height * layer.spec.window.out_width * layer.spec.weights.size
    return 0


def weights_bytes(layer: Layer) -> int:
    """Bytes of a layer's weights and biases."""
    if isinstance(layer.spec, Convolution | Depthwise):
        return layer.spec.weights.size + 4 * len(layer.spec.bias)
    return 0


def _gain(what: str, net: Net) -> Gain:
    return Gain(
        what,
        len(net.layers),
        sum(map(macs_of, net.layers)),
        sum(map(weights_bytes, net.layers)),
        least_bytes(problem_of(net)),
    )


def _padding_folded(net: Net, rounding: Rounding) -> Net:
    """A PAD with the zero point becomes the padding of the convolution that alone reads it."""
    layers = list(net.layers)
    for index, layer in enumerate(net.layers):
        if not isinstance(layer.spec, Pad) or layer.output == net.output:
            continue
        readers = [k for k, other in enumerate(layers) if layer.output in other.inputs]
        folded = _folded(layer.spec, layers[readers[0]]) if len(readers) == 1 else None
        if folded is not None:
            operators = (*layer.operators, *folded.operators)
            layers[readers[0]] = replace(folded, inputs=layer.inputs, operators=operators)
            layers[index] = replace(layer, output=-1)
    return _with_layers(net, [layer for layer in layers if layer.output >= 0])


def _folded(pad: Pad, layer: Layer) -> Layer | None:
    """The convolution with the padding in its window, None where it is another, or a window would miss the map."""
    spec = layer.spec
    if not isinstance(spec, Convolution | Depthwise) or pad.fill != spec.zero:
        return None
    if pad.before[2] or pad.shape[2] != pad.out_shape[2] or spec.window[:3] != pad.out_shape:
        return None
    old = spec.window
    window = old._replace(
        height=pad.shape[0],
        width=pad.shape[1],
        pad_top=old.pad_top + pad.before[0],
        pad_left=old.pad_left + pad.before[1],
    )
    meets = (
        window.pad_top < window.reach_h
        and window.pad_left < window.reach_w
        and (window.out_height - 1) * window.stride_h - window.pad_top < window.height
        and (window.out_width - 1) * window.stride_w - window.pad_left < window.width
    )
    return replace(layer, spec=replace(spec, window=window)) if meets else None


def _lookups_joined(net: Net, rounding: Rounding) -> Net:
    """A table after a table becomes one; one that only clamps goes into the layer before."""
    changed, before = net, None
    while changed is not before:
        before, changed = changed, _one_lookup_less(changed)
    return changed


def _one_lookup_less(net: Net) -> Net:
    makers = {layer.output: index for index, layer in enumerate(net.layers)}
    consumers = net.consumers()
    for index, layer in enumerate(net.layers):
        if not isinstance(layer.spec, Lookup):
            continue
        (number,) = layer.inputs
        maker = makers.get(number)
        if maker is None or len(consumers[number]) > 1 or number == net.output:
            continue
        joined = _joined(net.layers[maker], layer.spec.table)
        if joined is not None:
            layers = list(net.layers)
            operators = (*joined.operators, *layer.operators)
            layers[maker] = replace(joined, output=layer.output, operators=operators)
            del layers[index]
            return _with_layers(net, layers)
    return net


def _joined(layer: Layer, table: Int8s) -> Layer | None:
    """The layer with the table behind it done at once, None where it cannot be."""
    spec = layer.spec
    if isinstance(spec, Lookup):
        return replace(layer, spec=Lookup(table[spec.table.astype(np.int64) + 128]))
    every = np.arange(-128, 128)
    low, high = int(table.min()), int(table.max())
    if not (np.clip(every, low, high) == table).all():
        return None
    if isinstance(spec, Convolution | Depthwise):
        return replace(
            layer, spec=replace(spec, scaling=replace(spec.scaling, clamp=_both(spec.scaling.clamp, low, high)))
        )
    if isinstance(spec, Pool | Pair):
        return replace(layer, spec=replace(spec, clamp=_both(spec.clamp, low, high)))
    return None


def _both(clamp: Clamp, low: int, high: int) -> Clamp:
    """One clamp after another, as one."""
    ends = [min(max(end, low), high) for end in clamp]
    return Clamp(*ends)


def _unread_removed(net: Net, rounding: Rounding) -> Net:
    """Layers whose result nobody reads go."""
    wanted, layers = {net.output}, []
    for layer in reversed(net.layers):
        if layer.output in wanted:
            wanted.update(layer.inputs)
            layers.append(layer)
    return _with_layers(net, layers[::-1])


def _with_layers(net: Net, layers: list[Layer]) -> Net:
    """The net with other layers, the same object when they are the same; values that are gone go."""
    if len(layers) == len(net.layers) and all(a is b for a, b in zip(layers, net.layers, strict=True)):
        return net
    used = {net.input, net.output, *(number for layer in layers for number in (*layer.inputs, layer.output))}
    values = {number: value for number, value in net.values.items() if number in used}
    return replace(net, values=values, layers=tuple(layers))


_CHANGES: Mapping[str, Callable[[Net, Rounding], Net]] = {
    "unread results removed": _unread_removed,
    "padding folded into convolutions": _padding_folded,
    "tables of one value joined": _lookups_joined,
    "channels that no input changes removed": without_dead_channels,
}
