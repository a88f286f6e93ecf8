"""Where every value lies in the memory of the engine, and which layers run from their last row to their first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tinynas.engine.net import Layer, Net
from tinynas.engine.parts import Part, parts_of
from tinynas.engine.rules import Rule, rule

ALIGNMENT = 4
_MOST_STATES = 20_000
_STEPS_UP = 128  # a plan that does not fit is tried again with so small a part more


class Place(NamedTuple):
    """Where a value lies: its offset, the rows the memory holds, and the bytes from row to row and pixel to pixel.

    0 bytes stand for rows or pixels side by side.
    """

    offset: int
    rows: int
    row_bytes: int = 0
    pixel_bytes: int = 0


@dataclass(frozen=True)
class Plan:
    """Offsets of all values in `bytes` of memory.

    `parts` are values that lie inside a concatenation's output. `backwards` are the layers that make their last row
    first. The first `streamed` layers run row by row: `rings` says how many rows the memory holds of each value between
    them, and `scratch` where a layer keeps what it needs while it runs. `widened` are layers whose weights have 16 bits
    in Flash. `quick`: instructions are saved rather than bytes.
    """

    bytes: int
    offsets: Mapping[int, int]
    parts: Mapping[int, Part] = field(default_factory=dict)
    backwards: frozenset[int] = frozenset()
    rings: Mapping[int, int] = field(default_factory=dict)
    scratch: Mapping[int, int] = field(default_factory=dict)
    streamed: int = 0
    widened: frozenset[int] = frozenset()
    quick: bool = False

    def place(self, number: int, rows: int) -> Place:
        """Where a value of `rows` rows lies."""
        part = self.parts.get(number)
        strides = (0, 0) if part is None else (part.row_bytes, part.pixel_bytes)
        return Place(self.offsets[number], self.rings.get(number, rows), *strides)


def aligned(size: int) -> int:
    """`size` rounded up to a multiple of ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class Step:
    """One layer to the planner: the buffer it makes, the dying buffers that it may lie over, and the bytes of `scratch`
    that it needs beside them while it runs."""

    layer: int
    made: int
    is_new: bool
    rules: Mapping[int, Rule]
    scratch: int = 0


@dataclass(frozen=True)
class Problem:
    """Buffers (values, or concatenations with their parts) and when they die; times are layers."""

    sizes: Mapping[int, int]
    true_sizes: Mapping[int, int]
    last: Mapping[int, int]
    steps: tuple[Step, ...]
    first: tuple[int, ...]


def problem_of(
    net: Net,
    keep_input: bool = False,
    start: int = 0,
    given: Iterable[int] | None = None,
    scratch: Mapping[int, int] | None = None,
) -> Problem:
    """The planner's view of the layers from `start` on; the buffers `given` are there before. `scratch` are the bytes
    that layers need while they run."""
    parts, needed = parts_of(net), scratch or {}

    def buffer(number: int) -> int:
        return parts[number].whole if number in parts else number

    first = tuple(dict.fromkeys(buffer(number) for number in (given if given is not None else (net.input,))))
    last = dict.fromkeys(first, start)
    for index in range(start, len(net.layers)):
        layer = net.layers[index]
        for number in (*layer.inputs, layer.output):
            last[buffer(number)] = index
    last[buffer(net.output)] = len(net.layers)
    if keep_input and net.input in last:
        last[net.input] = len(net.layers)
    known, steps = set(first), []
    for index in range(start, len(net.layers)):
        layer = net.layers[index]
        made = buffer(layer.output)
        rules = _rules(net, layer, index, last, parts) if made == layer.output and made not in known else {}
        steps.append(Step(index, made, made not in known, rules, aligned(needed.get(index, 0))))
        known.add(made)
    true_sizes = {number: net.values[number].bytes for number in known}
    return Problem({n: aligned(size) for n, size in true_sizes.items()}, true_sizes, last, tuple(steps), first)


def _rules(net: Net, layer: Layer, index: int, last: Mapping[int, int], parts: Mapping[int, Part]) -> dict[int, Rule]:
    found = {}
    for position, number in enumerate(layer.inputs):
        if number not in parts and last[number] == index and number not in found:
            lies = rule(net, layer, position)
            if lies is not None:
                found[number] = lies
    return found


def least_bytes(problem: Problem) -> int:
    """A bound from below: at each layer the buffers alive, its result as far over its input as the rules allow."""
    alive = dict.fromkeys(problem.first, 0)
    most = sum(problem.sizes[number] for number in alive)
    for step in problem.steps:
        total = sum(problem.sizes[number] for number in alive)
        if step.is_new:
            total += min([problem.sizes[step.made], *(_growth(problem, step, each) for each in step.rules)])
            alive[step.made] = step.layer
        most = max(most, total + step.scratch)
        alive = {number: 0 for number in alive if problem.last[number] > step.layer}
    return most


def _growth(problem: Problem, step: Step, given: int) -> int:
    """Bytes that the result takes beyond the input `given` when it lies over it as far as it may."""
    size, made = problem.sizes[given], problem.sizes[step.made]
    lies = step.rules[given]
    leads = [lies.forwards, lies.backwards, lies.pixel_forwards, lies.pixel_backwards]
    return min(max(size + aligned(max(lead, 0)), made) - size for lead in leads if lead is not None)


State = tuple[tuple[int, int], ...]  # (buffer, offset), sorted


class _Search:
    """A depth-first search for a plan in `room` bytes; states that failed are not tried again."""

    def __init__(self, problem: Problem, room: int) -> None:
        self.problem, self.room = problem, room
        self.failed: set[tuple[int, State]] = set()
        self.tried = 0

    def run(self, fixed: Mapping[int, int]) -> dict[int, int] | None:
        """Offsets of all buffers, None when none were found; `fixed` are those of the first buffers, if decided."""
        return self._first(0, (), fixed)

    def _first(self, position: int, state: State, fixed: Mapping[int, int]) -> dict[int, int] | None:
        if position == len(self.problem.first):
            return self._step(0, state)
        number = self.problem.first[position]
        size = self.problem.sizes[number]
        offsets = [fixed[number]] if number in fixed else self._places(state, size)
        for offset in offsets:
            if self._free(state, offset, size):
                found = self._first(position + 1, (*state, (number, offset)), fixed)
                if found is not None:
                    return {**found, number: offset}
        return None

    def _step(self, position: int, state: State) -> dict[int, int] | None:
        if position == len(self.problem.steps):
            return {}
        if (position, state) in self.failed or self.tried > _MOST_STATES:
            return None
        self.tried += 1
        step = self.problem.steps[position]
        for offset in self._offsets(step, state):
            placed = state if offset is None else (*state, (step.made, offset))
            if gap(self.problem, step, placed, self.room) is None:
                continue
            after = tuple(sorted(each for each in placed if self.problem.last[each[0]] > step.layer))
            found = self._step(position + 1, after)
            if found is not None:
                return found if offset is None else {**found, step.made: offset}
        self.failed.add((position, state))
        return None

    def _offsets(self, step: Step, state: State) -> list[int | None]:
        if not step.is_new:
            return [None]
        size = self.problem.sizes[step.made]
        wanted = self._places(state, size)
        for number, offset in state:
            if number in step.rules:
                wanted += self._over(step, number, offset)
        return [offset for offset in dict.fromkeys(wanted) if self._is_legal(step, state, offset)]

    def _over(self, step: Step, given: int, offset: int) -> list[int]:
        """Offsets at which the result lies over an input as far as a rule allows."""
        lies, size = step.rules[given], self.problem.true_sizes[step.made]
        end = offset + self.problem.true_sizes[given]
        found = [offset]
        for lead in (lies.forwards, lies.pixel_forwards):
            if lead is not None:
                found += [offset - aligned(max(lead, 0)), offset - max(lead, 0)]
        for tail in (lies.backwards, lies.pixel_backwards):
            if tail is not None:
                found.append(aligned(end + max(tail, 0) - size))
        return found

    def _places(self, state: State, size: int) -> list[int]:
        """The ends of the memory, and the places beside what is there."""
        found = [0, self.room - size]
        for number, offset in state:
            found += [offset + self.problem.sizes[number], offset - size]
        return found

    def _free(self, state: State, offset: int, size: int) -> bool:
        return 0 <= offset <= self.room - size and all(
            offset >= other + self.problem.sizes[number] or other >= offset + size for number, other in state
        )

    def _is_legal(self, step: Step, state: State, offset: int) -> bool:
        """Whether the result may lie there: within the room, aligned, and over nothing that the rules protect."""
        if not 0 <= offset <= self.room - self.problem.sizes[step.made] or offset % ALIGNMENT:
            return False
        return ways(self.problem, step, dict(state), offset) is not None


def ways(problem: Problem, step: Step, placed: Mapping[int, int], offset: int) -> set[str] | None:
    """The directions in which the step may run with its result at `offset`, None when something would be destroyed."""
    size, found = problem.sizes[step.made], {"forwards", "backwards"}
    for number, other in placed.items():
        if offset >= other + problem.sizes[number] or other >= offset + size:
            continue
        lies = step.rules.get(number)
        if lies is None:
            return None
        tail = offset + problem.true_sizes[step.made] - other - problem.true_sizes[number]
        way = lies.direction(other - offset, tail)
        if way is None or way not in found:
            return None
        found = {way}
    return found


def gap(problem: Problem, step: Step, placed: Iterable[tuple[int, int]], room: int) -> int | None:
    """Where the bytes that the step needs beside the buffers `placed` lie, as low as possible; None without room."""
    start = 0
    for number, offset in sorted(placed, key=lambda each: each[1]):
        if offset - start >= step.scratch:
            break
        start = max(start, offset + problem.sizes[number])
    return start if start + step.scratch <= room else None


def plan(net: Net, keep_input: bool = False, scratch: Mapping[int, int] | None = None) -> Plan:
    """The smallest plan that was found for `net`, every value whole.

    `keep_input`: the input still holds what it held when the engine has run. `scratch` are the bytes that layers need
    beside their values while they run.
    """
    planned = solved(net, problem_of(net, keep_input, scratch=scratch))
    return replace(planned, scratch={**dict.fromkeys(scratch or {}, 0), **planned.scratch})


def solved(net: Net, problem: Problem, least: int = 0, fixed: Mapping[int, int] | None = None) -> Plan:
    """A plan of `problem` in at least `least` bytes, some more at a time until one is found."""
    room = max(aligned(least), least_bytes(problem))
    while True:
        found = _Search(problem, room).run(fixed or {})
        if found is not None:
            return _finished(net, problem, found, room)
        room += max(ALIGNMENT, aligned(room // _STEPS_UP))


def _finished(net: Net, problem: Problem, offsets: dict[int, int], room: int) -> Plan:
    parts = parts_of(net)
    alive = {number: offsets[number] for number in problem.first}
    backwards, scratch = set(), {}
    for step in problem.steps:
        if step.is_new:
            found = ways(problem, step, alive, offsets[step.made])
            if found == {"backwards"}:
                backwards.add(step.layer)
            alive[step.made] = offsets[step.made]
        if step.scratch:
            scratch[step.layer] = gap(problem, step, alive.items(), room) or 0
        alive = {number: offset for number, offset in alive.items() if problem.last[number] > step.layer}
    inside = {number: offsets[part.whole] + part.start for number, part in parts.items() if part.whole in offsets}
    ends = [offsets[number] + problem.sizes[number] for number in problem.sizes]
    ends += [scratch[step.layer] + step.scratch for step in problem.steps if step.scratch]
    return Plan(min(room, max(ends, default=0)), {**offsets, **inside}, parts, frozenset(backwards), scratch=scratch)
