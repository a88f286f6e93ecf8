"""An offline memory plan: a smaller head than TFLM's greedy planner finds, written where TFLM looks for one.

Two things win bytes back. An operator that only copies (RESHAPE, EXPAND_DIMS, SQUEEZE) may leave its
result where its input lies, so the two take one place. And a search over orders of placement finds plans
that the greedy order misses. Scratch buffers are in no offline plan: TFLM places them around it, and every
candidate is judged by the head that results.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.arena import arena_of, plan_head
from tinynas.tflite.graph import Graph
from tinynas.tflite.lifetimes import Buffer, in_place_pairs
from tinynas.tflite.planner import ONLINE
from tinynas.tflite.read import read
from tinynas.tflite.search_plan import DEFAULT_BUDGET, smallest_plan
from tinynas.tflite.write import write


def add_offline_plan(data: bytes, kernels: KernelLibrary = "cmsis_nn", budget: int = DEFAULT_BUDGET) -> bytes:
    """The .tflite in `data` with an offline memory plan, or `data` itself when none makes its arena smaller.

    The plan is made for `kernels`; under others the file works as well, with the arena that `analyze`
    tells for them. The file is written anew (see write.py). Raises as `analyze` does.
    """
    graph = read(data)
    planned = with_offline_plan(graph, kernels, budget)
    return data if planned is graph else write(planned)


def with_offline_plan(graph: Graph, kernels: KernelLibrary, budget: int = DEFAULT_BUDGET) -> Graph:
    """The graph with the plan that needs the smallest arena; the graph itself when no plan needs a smaller one."""
    best, least = graph, _minimum(graph, kernels)
    online = replace(graph, offline_plan=None)
    buffers = plan_head(online, kernels).buffers
    for in_place in (in_place_pairs(graph), {}):
        groups = _group(buffers, in_place)
        offsets = smallest_plan([group.buffer for group in groups], budget)
        candidate = replace(online, offline_plan=_offsets_of_tensors(graph, groups, offsets))
        minimum = _minimum(candidate, kernels)
        if minimum < least:
            best, least = candidate, minimum
    return best


def _minimum(graph: Graph, kernels: KernelLibrary) -> int:
    return arena_of(graph, plan_head(graph, kernels), kernels).minimum


@dataclass(frozen=True)
class _Group:
    """Tensors that lie in one place one after the other, as one buffer; none for a scratch buffer."""

    buffer: Buffer
    tensors: tuple[int, ...]


def _group(buffers: Sequence[Buffer], in_place: Mapping[int, int]) -> list[_Group]:
    """The buffers, each tensor that lies upon another joined to it."""
    groups: dict[int, _Group] = {}
    scratch = []
    for buffer in sorted(buffers, key=lambda buffer: buffer.first):
        if buffer.tensor is None:
            scratch.append(_Group(buffer, ()))
            continue
        below = buffer.tensor
        while below in in_place:
            below = in_place[below]
        known = groups.get(below)
        if known is None:
            groups[below] = _Group(buffer, (buffer.tensor,))
        else:
            joined = replace(known.buffer, last=max(known.buffer.last, buffer.last))
            groups[below] = _Group(joined, (*known.tensors, buffer.tensor))
    return [*groups.values(), *scratch]


def _offsets_of_tensors(graph: Graph, groups: Sequence[_Group], offsets: Sequence[int]) -> tuple[int, ...]:
    """One offset a tensor, ONLINE for those that the head does not hold."""
    found = [ONLINE] * len(graph.tensors)
    for group, offset in zip(groups, offsets, strict=True):
        for tensor in group.tensors:
            found[tensor] = offset
    return tuple(found)
