"""Plans whose first layers run row by row: values between them are rings of few rows, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinynas.engine.net import Convolution, Depthwise, Layer, Net, Pair, Pool, Reduce, Running, Value, Window
from tinynas.engine.parts import parts_of
from tinynas.engine.plan import Plan, Problem, aligned, least_bytes, plan, problem_of, solved
from tinynas.engine.ranges import is_spatial
from tinynas.engine.schedule import Stage, interleaved, stages_of, wanted_stages

_MOST_STAGES = 31  # tn_stream keeps a bit for each
_SUMMED = {"MEAN": "MEAN", "MAX": "MAX", "MIN": "MIN"}


@dataclass(frozen=True, eq=False)
class Prefix:
    """The first `length` layers of `net` made ready to run by rows, and what they take: rows of each ring, and bytes.

    `lead` is how far before the input the one value that is read later may start; None where there are several.
    """

    net: Net
    length: int
    rings: Mapping[int, int]
    boundary: tuple[int, ...]
    lead: int | None
    bytes: int


def plan_streamed(net: Net, keep_input: bool = False) -> tuple[Net, Plan]:
    """The smallest plan found with the first layers by rows, or of whole values, and the net it is for."""
    best_net, best = net, plan(net, keep_input)
    prefixes = (_prefix(net, length, keep_input) for length in range(1, min(len(net.layers), _MOST_STAGES) + 1))
    known = [(_bound(each, keep_input), each) for each in prefixes if each is not None]
    for bound, prefix in sorted(known, key=lambda pair: pair[0]):
        if bound >= best.bytes:
            break
        planned = _planned(prefix, keep_input)
        if planned.bytes < best.bytes:
            best_net, best = prefix.net, planned
    return best_net, best


def _bound(prefix: Prefix, keep_input: bool) -> int:
    """The least bytes that a plan with this prefix may take."""
    return max(prefix.bytes, least_bytes(_rest(prefix, keep_input)))


def _rest(prefix: Prefix, keep_input: bool) -> Problem:
    """The layers behind the prefix; the input is there as well if it is to be kept."""
    given = (*prefix.boundary, prefix.net.input) if keep_input else prefix.boundary
    return problem_of(prefix.net, keep_input, prefix.length, given)


def _prefix(net: Net, length: int, keep_input: bool) -> Prefix | None:
    """The first `length` layers by rows, None where one of them cannot be, or the input is needed afterwards."""
    ready = _ready(net, length)
    if ready is None or any(net.input in layer.inputs for layer in net.layers[length:]) or net.output == net.input:
        return None
    if parts_of(net).keys() & {layer.output for layer in net.layers[:length]}:
        return None  # the bytes of a concatenation are planned as a whole
    stages, wanted = stages_of(ready, length), wanted_stages(ready, length)
    if not _rows_agree(ready, stages):
        return None
    boundary = tuple(layer.output for layer, is_wanted in zip(ready.layers, wanted, strict=False) if is_wanted)
    summed = [isinstance(layer.spec, Running) for layer in ready.layers[:length]]
    if any(summed[source] for stage in stages for source in stage.sources if source >= 0):
        return None
    rings, found = _simulated(ready, stages, wanted)
    lead = None if keep_input or len(boundary) != 1 else found
    input_bytes = aligned(ready.values[ready.input].bytes)
    made = sum(aligned(ready.values[number].bytes) for number in boundary)
    ends = input_bytes + made if lead is None else max(input_bytes + lead, made)
    extra = sum(aligned(rows * _row_bytes(ready, number)) for number, rows in rings.items())
    extra += sum(layer.spec.scratch_bytes for layer in ready.layers[:length] if isinstance(layer.spec, Running))
    return Prefix(ready, length, rings, boundary, lead, ends + extra)


def _rows_agree(net: Net, stages: list[Stage]) -> bool:
    """Whether each stage makes and reads as many rows as its values have: a map of one row is turned, but a window over
    several rows may make it, and one with padding may make several rows of it."""
    for layer, stage in zip(net.layers, stages, strict=False):
        read = {net.values[net.layers[source].output].shape[0] for source in stage.sources if source >= 0}
        made = stage.rows if isinstance(layer.spec, Running) else net.values[layer.output].shape[0]
        if read - {stage.in_rows} or made != stage.rows:
            return False
    return True


def _row_bytes(net: Net, number: int) -> int:
    value = net.values[number]
    return value.bytes // value.shape[0]


def _simulated(net: Net, stages: list[Stage], wanted: list[bool]) -> tuple[dict[int, int], int]:
    """Rows of each ring, and the lead of the last wanted stage's result over the input, by running it all."""
    readers: list[list[int]] = [[] for _ in stages]
    of_input = [index for index, stage in enumerate(stages) if -1 in stage.sources]
    for index, stage in enumerate(stages):
        for source in set(stage.sources) - {-1}:
            readers[source].append(index)
    rings, lead = [1] * len(stages), 0
    for index, done in interleaved(stages, wanted):
        spared = [stages[reader].spares(done[reader]) for reader in readers[index]]
        if spared:
            rings[index] = max(rings[index], done[index] + 1 - min(spared))
        if wanted[index]:
            end = _written(net, net.layers[index], stages[index], done[index])
            left = min((stages[reader].spares(done[reader]) for reader in of_input), default=0)
            rows = stages[of_input[0]].in_rows
            lead = max(lead, end - min(left, rows) * (net.values[net.input].bytes // rows))
    named = {
        net.layers[index].output: min(rows, stages[index].rows)
        for index, rows in enumerate(rings)
        if not wanted[index] and not isinstance(net.layers[index].spec, Running)
    }
    return named, aligned(max(lead, 0))


def _written(net: Net, layer: Layer, stage: Stage, row: int) -> int:
    """Bytes of the layer's result that are written once its row `row` is done."""
    value = net.values[layer.output].bytes
    if not isinstance(layer.spec, Running):
        return (row + 1) * (value // stage.rows)
    return value if not layer.spec.scratch_bytes or row + 1 == stage.rows else 0


def _planned(prefix: Prefix, keep_input: bool) -> Plan:
    """The plan with the prefix's values at the bottom of the memory, or at its top if that is smaller."""
    net = prefix.net
    rest = _rest(prefix, keep_input)
    found = []
    for at_top in (False, True):
        room = prefix.bytes
        while True:
            places = _layout(prefix, room if at_top else None)
            fixed = {number: places[number] for number in rest.first}
            planned = solved(net, rest, room, fixed)
            if planned.bytes <= room or not at_top:
                break
            room = planned.bytes
        scratch = {
            layer: places[_scratch_key(layer)] for layer in range(prefix.length) if _scratch_key(layer) in places
        }
        offsets = {**{number: at for number, at in places.items() if number in net.values}, **planned.offsets}
        size = max(prefix.bytes, planned.bytes)
        found.append(
            replace(planned, bytes=size, offsets=offsets, rings=prefix.rings, scratch=scratch, streamed=prefix.length)
        )
    return min(found, key=lambda each: each.bytes)


def _scratch_key(layer: int) -> int:
    return -1 - layer


def _layout(prefix: Prefix, room: int | None) -> dict[int, int]:
    """Offsets of the prefix's values, and of sums by their key: from 0 on, or so that they end at `room`."""
    net, places, end = prefix.net, {}, 0
    if prefix.lead is None:
        for number in (*prefix.boundary, net.input):
            places[number] = end
            end += aligned(net.values[number].bytes)
    else:
        (number,) = prefix.boundary
        places |= {number: 0, net.input: prefix.lead}
        end = max(prefix.lead + aligned(net.values[net.input].bytes), aligned(net.values[number].bytes))
    shift = 0 if room is None else room - end
    places = {number: at + shift for number, at in places.items()}
    end = end if room is None else 0
    for number, rows in prefix.rings.items():
        places[number] = end
        end += aligned(rows * _row_bytes(net, number))
    for index, layer in enumerate(net.layers[: prefix.length]):
        if isinstance(layer.spec, Running) and layer.spec.scratch_bytes:
            places[_scratch_key(index)] = end
            end += layer.spec.scratch_bytes
    return places


def _ready(net: Net, length: int) -> Net | None:
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
