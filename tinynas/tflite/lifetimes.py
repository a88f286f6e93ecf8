"""When each buffer of the arena's head is alive, and how many bytes of activations are alive at once.

Time 0 is before the first operator; operator k runs at time k + 1. An interval is closed: an operator's
inputs, outputs and scratch buffers are all alive while it runs (TFLM: micro_allocation_info.cc
MarkAllocationLifetimes).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinynas.errors import ModelError
from tinynas.tflite.graph import Graph, int_option
from tinynas.tflite.resources import is_handle

UNUSED = -1
"""The first and last time of a tensor that no operator, input or output names; TFLM plans it all the same."""


@dataclass(frozen=True)
class Buffer:
    """A stretch of the arena's head, alive from time `first` to `last`, both included.

    `tensor` is the tensor it holds, None for a scratch buffer; `operator` is the scratch buffer's operator.
    """

    label: str
    bytes: int
    first: int
    last: int
    tensor: int | None = None
    operator: int | None = None

    def alive_with(self, other: "Buffer") -> bool:
        """Whether both are needed at some time, so that they must not share bytes."""
        return self.first <= other.last and other.first <= self.last


def tensor_lifetimes(graph: Graph) -> tuple[tuple[int, int], ...]:
    """First and last time of each tensor, (UNUSED, UNUSED) where nothing names it; constants included.

    Raises ModelError when an operator reads what nothing has made yet, or two operators make one tensor.
    """
    first = [UNUSED] * len(graph.tensors)
    last = [UNUSED] * len(graph.tensors)
    makers: dict[int, int] = {}
    for tensor in (*graph.inputs, *graph.outputs):
        first[tensor] = last[tensor] = 0
    known = set(graph.inputs)
    for index, operator in enumerate(graph.operators):
        for tensor in operator.inputs:
            if tensor >= 0:
                _check_made(graph, tensor, index, known)
                last[tensor] = index + 1
        for tensor in operator.outputs:
            if tensor in known:
                by = f"operator {makers[tensor]}" if tensor in makers else "the graph's input"
                raise ModelError(
                    f"operator {index} ({operator.name}) writes tensor {tensor}, which {by} has made "
                    "already; a plan needs each tensor made once, so convert the model again"
                )
            known.add(tensor)
            makers[tensor] = index
            first[tensor] = last[tensor] = index + 1
    for tensor in graph.outputs:
        last[tensor] = len(graph.operators)
    return tuple(zip(first, last, strict=True))


def _check_made(graph: Graph, index: int, operator: int, known: set[int]) -> None:
    tensor = graph.tensors[index]
    if (
        index in known
        or tensor.is_constant
        or tensor.is_variable
        or (not is_handle(graph, index) and tensor.bytes == 0)
    ):
        return
    raise ModelError(
        f"operator {operator} ({graph.operators[operator].name}) reads tensor {index}, which is neither a "
        "constant nor made before it; convert the model again"
    )


def is_planned(graph: Graph, index: int) -> bool:
    """Whether the tensor takes space in the arena's head."""
    tensor = graph.tensors[index]
    return not tensor.is_constant and not tensor.is_variable and not is_handle(graph, index) and tensor.bytes > 0


def head_buffers(graph: Graph, scratch: Sequence[Sequence[int]]) -> tuple[Buffer, ...]:
    """Every buffer that TFLM's planner places, in the order in which it hears of them: tensors, then scratch.

    `scratch` holds the bytes that each operator requests, in the operators' order, subgraph by subgraph.
    """
    times = _times(graph)
    tensors = [
        Buffer(f"{prefix}tensor {index}", each.tensors[index].bytes, *times.tensors[number][index], tensor=index)
        for number, each, prefix in _numbered(graph)
        for index in range(len(each.tensors))
        if is_planned(each, index)
    ]
    places = [
        (number, index, prefix) for number, each, prefix in _numbered(graph) for index in range(len(each.operators))
    ]
    requests = [
        Buffer(
            f"scratch {count} of {prefix}operator {index}",
            size,
            *times.operators[number][index],
            operator=index,
        )
        for (number, index, prefix), sizes in zip(places, scratch, strict=True)
        for count, size in enumerate(sizes)
    ]
    return (*tensors, *requests)


def _numbered(graph: Graph) -> list[tuple[int, Graph, str]]:
    """The subgraphs with their numbers, and what stands before the names of the further ones' parts."""
    return [(number, each, f"subgraph {number}'s " if number else "") for number, each in enumerate(graph.subgraphs)]


@dataclass
class _Times:
    """First and last time of each tensor and of each operator's scratch, by subgraph."""

    tensors: list[tuple[tuple[int, int], ...]]
    operators: list[tuple[tuple[int, int], ...]]


def _times(graph: Graph) -> _Times:
    """When everything is alive, subgraphs that CALL_ONCE runs within the operator that does."""
    if not graph.others:
        return _Times(
            [tensor_lifetimes(graph)], [tuple((index + 1, index + 1) for index in range(len(graph.operators)))]
        )
    for each in graph.subgraphs:
        tensor_lifetimes(each)  # raises where a subgraph is not sound
    times = _Times([((UNUSED, UNUSED),) * len(each.tensors) for each in graph.subgraphs], [()] * len(graph.subgraphs))
    _mark(graph, 0, 0, times, ())
    return times


def _mark(graph: Graph, number: int, now: int, times: _Times, within: tuple[int, ...]) -> int:
    """Write the times of subgraph `number`, entered at time `now`; the time when it is done."""
    if number in within or not 0 <= number < len(graph.subgraphs):
        raise ModelError(
            f"the model calls subgraph {number} where it has subgraphs 0 to {len(graph.subgraphs) - 1}, none within "
            "itself; convert the model again"
        )
    each = graph.subgraphs[number]
    first, last = [UNUSED] * len(each.tensors), [UNUSED] * len(each.tensors)
    for tensor in each.inputs:
        first[tensor] = last[tensor] = now
    spans = []
    for operator in each.operators:
        now += 1
        for tensor in operator.outputs:
            first[tensor] = now if first[tensor] == UNUSED else first[tensor]
        began = now
        if operator.name == "CALL_ONCE":
            now = _mark(graph, int_option(operator, "init_subgraph_index", 0), now + 1, times, (*within, number))
        for tensor in (*operator.inputs, *operator.outputs):
            if tensor >= 0:
                last[tensor] = now
        spans.append((began, now))
    for tensor in each.outputs:
        first[tensor], last[tensor] = now if first[tensor] == UNUSED else first[tensor], now
    times.tensors[number], times.operators[number] = tuple(zip(first, last, strict=True)), tuple(spans)
    return now


def live_bytes(graph: Graph) -> tuple[int, ...]:
    """Bytes of activations alive while each operator runs: unpadded; no scratch, weights or variables."""
    change = [0] * (len(graph.operators) + 2)
    for index, (first, last) in enumerate(tensor_lifetimes(graph)):
        if is_planned(graph, index) and first != UNUSED:
            change[first] += graph.tensors[index].bytes
            change[last + 1] -= graph.tensors[index].bytes
    alive, at = change[0], []
    for step in change[1 : len(graph.operators) + 1]:
        alive += step
        at.append(alive)
    return tuple(at)


COPIES = frozenset({"RESHAPE", "EXPAND_DIMS", "SQUEEZE"})
"""Operators that copy their input byte by byte, so that input and result may lie in the same place (TFLM: reshape.cc
does nothing then; expand_dims.cc and squeeze.cc copy each byte onto itself)."""


def in_place_pairs(graph: Graph) -> dict[int, int]:
    """For the result of each operator in COPIES whose input nothing needs later: the tensor it may lie upon."""
    lifetimes = tensor_lifetimes(graph)
    pairs = {}
    for index, operator in enumerate(graph.operators):
        if operator.name not in COPIES or not operator.inputs or len(operator.outputs) != 1:
            continue
        source, result = operator.inputs[0], operator.outputs[0]
        if source < 0 or not (is_planned(graph, source) and is_planned(graph, result)):
            continue
        same_bytes = graph.tensors[source].bytes == graph.tensors[result].bytes
        if same_bytes and source not in graph.outputs and lifetimes[source][1] == index + 1:
            pairs[result] = source
    return pairs
