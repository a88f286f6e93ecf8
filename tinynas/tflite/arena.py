"""The arena that TFLM asks for: head, tail, what it uses and the smallest in which a model loads."""

from dataclasses import dataclass

from tinynas.errors import ModelError
from tinynas.hardware.footprint import Arena
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.graph import Graph
from tinynas.tflite.kernel_memory import kernel_memory
from tinynas.tflite.lifetimes import Buffer, head_buffers, in_place_pairs
from tinynas.tflite.planner import ONLINE, align_up, greedy_plan, head_bytes, verify_no_overlap
from tinynas.tflite.tail import tail_of

MAX_OFFSET = 2**30
"""The furthest place in the head that an offline plan may name: far beyond any microcontroller's RAM."""


@dataclass(frozen=True)
class Plan:
    """Every buffer of the head and its offset in bytes."""

    buffers: tuple[Buffer, ...]
    offsets: tuple[int, ...]

    @property
    def head(self) -> int:
        """Bytes of the head."""
        return head_bytes(self.buffers, self.offsets)


def scratch_requests(graph: Graph, kernels: KernelLibrary) -> tuple[tuple[int, ...], ...]:
    """The bytes of each scratch buffer that each operator requests, in execution order, subgraph by subgraph."""
    return tuple(
        kernel_memory(each, operator).scratch(each, operator, kernels)
        for each in graph.subgraphs
        for operator in each.operators
    )


def plan_head(graph: Graph, kernels: KernelLibrary) -> Plan:
    """The head as TFLM lays it out, the graph's offline plan honoured; no two live buffers overlap in it."""
    buffers = head_buffers(graph, scratch_requests(graph, kernels))
    plan = Plan(buffers, greedy_plan(buffers, offline_offsets(graph, buffers)))
    verify_no_overlap(plan.buffers, plan.offsets, in_place_pairs(graph) if graph.offline_plan else None)
    return plan


def offline_offsets(graph: Graph, buffers: tuple[Buffer, ...]) -> tuple[int, ...] | None:
    """The offset of each buffer by the graph's offline plan, ONLINE for scratch; None without a plan."""
    if graph.offline_plan is None:
        return None
    offsets = tuple(ONLINE if buffer.tensor is None else graph.offline_plan[buffer.tensor] for buffer in buffers)
    for buffer, offset in zip(buffers, offsets, strict=True):
        if offset < ONLINE or offset > MAX_OFFSET:
            raise ModelError(
                f"the model's offline memory plan puts {buffer.label} at byte {offset:,}; wanted 0 to "
                f"{MAX_OFFSET:,}, or -1 where TFLM is to choose"
            )
    return offsets


def plan_arena(graph: Graph, kernels: KernelLibrary = "cmsis_nn") -> Arena:
    """The arena of `graph` under `kernels` on a 32-bit core, in bytes.

    Raises UnsupportedOperatorError, naming an operator whose memory is not known, and ModelError for a graph
    that cannot be planned.
    """
    return arena_of(graph, plan_head(graph, kernels), kernels)


def arena_of(graph: Graph, plan: Plan, kernels: KernelLibrary) -> Arena:
    """The arena with the head of `plan`, in bytes."""
    tail = tail_of(graph, kernels, scratch_requests(graph, kernels), len(plan.buffers))
    used = plan.head + tail.bytes
    minimum = align_up(max(used, tail.preparing, tail.planning))
    return Arena(head=plan.head, tail=tail.bytes, used=used, minimum=minimum)
