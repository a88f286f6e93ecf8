"""Plans whose first layers run row by row: values between them are rings of few rows, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from tinynas.engine.net import Layer, Net, Running
from tinynas.engine.parts import parts_of
from tinynas.engine.plan import Plan, Problem, aligned, least_bytes, plan, problem_of, solved
from tinynas.engine.ready import ready
from tinynas.engine.schedule import Stage, interleaved, stages_of, wanted_stages

_MOST_STAGES = 31  # tn_stream keeps a bit for each


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


@dataclass(frozen=True, eq=False)
class Draft:
    """A prefix before its rings are known: its stages, those that make what is read later (the values `boundary`),
    whether its one result may lie over the input, and the `least` bytes that it may take."""

    net: Net
    length: int
    stages: list[Stage]
    wanted: list[bool]
    boundary: tuple[int, ...]
    may_overlap: bool
    least: int = 0


def plan_streamed(net: Net, keep_input: bool = False) -> tuple[Net, Plan]:
    """The smallest plan found with the first layers by rows, or of whole values, and the net it is for."""
    best_net, best = net, plan(net, keep_input)
    drafts = (draft_of(net, length, keep_input) for length in range(1, min(len(net.layers), _MOST_STAGES) + 1))
    # By the least bytes that each may take; what a draft takes is worked out once it is the first.
    waiting: list[tuple[int, int, Draft | Prefix]] = [(each.least, each.length, each) for each in drafts if each]
    heapify(waiting)
    while waiting and waiting[0][0] < best.bytes:
        _, length, first = heappop(waiting)
        if isinstance(first, Draft):
            prefix = prefix_of(first)
            heappush(waiting, (_bound(prefix, keep_input), length, prefix))
            continue
        planned = plan_of(first, keep_input)
        if planned.bytes < best.bytes:
            best_net, best = first.net, planned
    return best_net, best


def _bound(prefix: Prefix, keep_input: bool) -> int:
    """The least bytes that a plan with this prefix may take."""
    return max(prefix.bytes, least_bytes(_rest(prefix, keep_input)))


def _rest(prefix: Prefix, keep_input: bool) -> Problem:
    """The layers behind the prefix; the input is there as well if it is to be kept."""
    given = (*prefix.boundary, prefix.net.input) if keep_input else prefix.boundary
    return problem_of(prefix.net, keep_input, prefix.length, given)


def draft_of(net: Net, length: int, keep_input: bool) -> Draft | None:
    """The first `length` layers by rows, None where one of them cannot be, or the input is needed afterwards."""
    turned = ready(net, length)
    if turned is None or any(net.input in layer.inputs for layer in net.layers[length:]) or net.output == net.input:
        return None
    if parts_of(net).keys() & {layer.output for layer in net.layers[:length]}:
        return None  # the bytes of a concatenation are planned as a whole
    stages, wanted = stages_of(turned, length), wanted_stages(turned, length)
    if not _rows_agree(turned, stages):
        return None
    boundary = tuple(layer.output for layer, is_wanted in zip(turned.layers, wanted, strict=False) if is_wanted)
    summed = [isinstance(layer.spec, Running) for layer in turned.layers[:length]]
    if any(summed[source] for stage in stages for source in stage.sources if source >= 0):
        return None
    input_bytes = aligned(turned.values[turned.input].bytes)
    made = sum(aligned(turned.values[number].bytes) for number in boundary)
    draft = Draft(turned, length, stages, wanted, boundary, not keep_input and len(boundary) == 1)
    ends = max(input_bytes, made) if draft.may_overlap else input_bytes + made
    return replace(draft, least=ends + _extra(turned, length, _named(draft, _least_rings(stages, wanted))))


def prefix_of(draft: Draft) -> Prefix:
    """The draft with the rows of its rings, and the bytes that it takes."""
    net = draft.net
    rows, found = _simulated(net, draft.stages, draft.wanted)
    rings, lead = _named(draft, rows), found if draft.may_overlap else None
    input_bytes = aligned(net.values[net.input].bytes)
    made = sum(aligned(net.values[number].bytes) for number in draft.boundary)
    ends = input_bytes + made if lead is None else max(input_bytes + lead, made)
    return Prefix(net, draft.length, rings, draft.boundary, lead, ends + _extra(net, draft.length, rings))


def _extra(net: Net, length: int, rings: Mapping[int, int]) -> int:
    """Bytes of rings and sums."""
    scratch = (layer.spec.scratch_bytes for layer in net.layers[:length] if isinstance(layer.spec, Running))
    return sum(aligned(rows * _row_bytes(net, number)) for number, rows in rings.items()) + sum(scratch)


def _named(draft: Draft, rings: list[int]) -> dict[int, int]:
    """The rows of each value between the stages, by its number."""
    return {
        layer.output: min(rows, stage.rows)
        for layer, stage, is_wanted, rows in zip(draft.net.layers, draft.stages, draft.wanted, rings, strict=False)
        if not is_wanted and not isinstance(layer.spec, Running)
    }


def _readers(stages: list[Stage]) -> list[list[int]]:
    """The stages that read each stage's rows."""
    found: list[list[int]] = [[] for _ in stages]
    for index, stage in enumerate(stages):
        for source in set(stage.sources) - {-1}:
            found[source].append(index)
    return found


def _least_rings(stages: list[Stage], wanted: list[bool]) -> list[int]:
    """Rows that each ring has at least: those that one row of a reader needs. In a chain of stages they are all."""
    readers, made, rings = _readers(stages), [0] * len(stages), [1] * len(stages)
    for index in reversed(range(len(stages))):
        if wanted[index]:
            made[index] = stages[index].rows
        for each in readers[index]:
            reader, last = stages[each], made[each] - 1
            if last < 0:
                continue
            made[index] = max(made[index], reader.needs(last))
            inside = reader.pad // reader.stride  # the last row that may reach above the map; the next is all inside
            for row in (min(inside, last), min(inside + 1, last)):
                rings[index] = max(rings[index], reader.needs(row) - reader.spares(row))
    return rings


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


def _simulated(net: Net, stages: list[Stage], wanted: list[bool]) -> tuple[list[int], int]:
    """Rows of each ring, and the lead of the last wanted stage's result over the input, by running it all."""
    readers, spared = _readers(stages), [stage.spares(0) for stage in stages]
    of_input = [index for index, stage in enumerate(stages) if -1 in stage.sources]
    in_rows = stages[of_input[0]].in_rows
    row_bytes = net.values[net.input].bytes // in_rows
    rings, lead = [1] * len(stages), 0
    for index, done in interleaved(stages, wanted):
        if readers[index]:
            rows = done[index] + 1 - min([spared[reader] for reader in readers[index]])
            if rows > rings[index]:
                rings[index] = rows
        if wanted[index]:
            end = _written(net, net.layers[index], stages[index], done[index])
            left = min([spared[reader] for reader in of_input])
            lead = max(lead, end - min(left, in_rows) * row_bytes)
        spared[index] = stages[index].spares(done[index] + 1)
    return rings, aligned(max(lead, 0))


def _written(net: Net, layer: Layer, stage: Stage, row: int) -> int:
    """Bytes of the layer's result that are written once its row `row` is done."""
    value = net.values[layer.output].bytes
    if not isinstance(layer.spec, Running):
        return (row + 1) * (value // stage.rows)
    return value if not layer.spec.scratch_bytes or row + 1 == stage.rows else 0


def plan_of(prefix: Prefix, keep_input: bool) -> Plan:
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
