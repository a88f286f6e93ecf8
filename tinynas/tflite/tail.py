"""What TFLM keeps in the arena besides the head, on a 32-bit core, and what loading needs for a while.

The arena's end is 16-byte aligned and its size a multiple of 16; persistent structures grow down from
there, in the order in which `tail_of` pushes them. Preparing an operator and planning the head need memory
of their own (TFLM: micro_allocator.cc, micro_interpreter.cc,
arena_allocator/single_arena_buffer_allocator.cc; sizes by arm-none-eabi-gcc).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tinynas.errors import UnsupportedOperatorError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.graph import Graph, Operator, Tensor
from tinynas.tflite.kernel_memory import KernelMemory, kernel_memory
from tinynas.tflite.planner import align_up
from tinynas.tflite.resources import assigned_sizes, table_sizes

_ALLOCATORS = (36, 44, 36)  # SingleArenaBufferAllocator, GreedyMemoryPlanner, MicroAllocator
_BUILTIN_DATA_ALLOCATOR, _SUBGRAPH_ALLOCATIONS = 8, 8
_EVAL_TENSOR, _NODE_AND_REGISTRATION = 12, 32
_TENSOR, _AFFINE_QUANTIZATION, _INT_ARRAY = 32, 12, 4
_POINTER, _SCRATCH_HANDLE = 4, 4
_SCRATCH_REQUEST, _MAX_SCRATCH_PER_OPERATOR = 12, 12
_ALLOCATION_INFO, _PLANNER_PER_BUFFER = 24, 40
_KERNEL_ALIGNMENT = 16  # MicroAllocator::AllocatePersistentBuffer


@dataclass(frozen=True)
class Tail:
    """Bytes of the persistent structures, and the arena that preparing and planning take while they last."""

    bytes: int
    preparing: int
    planning: int


class _Stack:
    """The tail while it grows: how many bytes below the arena's end are taken."""

    def __init__(self) -> None:
        self.bytes = 0

    def push(self, size: int, alignment: int) -> None:
        """Take `size` bytes so that they start at a multiple of `alignment`."""
        self.bytes = align_up(self.bytes + size, alignment)


def tail_of(graph: Graph, kernels: KernelLibrary, scratch: Sequence[Sequence[int]], n_buffers: int) -> Tail:
    """The tail of `graph`, given what scratch each operator requests and how many buffers the head has.

    UnsupportedOperatorError names an operator that is not known, or a model of several subgraphs.
    """
    _require_no_branches(graph)
    kernels_of = [_Kernel(each, operator, kernel_memory(each, operator)) for each, operator in _operators(graph)]
    stack = _Stack()
    _push_model(stack, graph)
    _push_operators(stack, kernels_of, kernels)
    preparing = _prepare(stack, graph, kernels_of, kernels, scratch)
    n_requests = sum(map(len, scratch))
    if n_requests:
        stack.push(_SCRATCH_HANDLE * n_requests, 4)
    for each in graph.subgraphs:
        for tensor in each.tensors:
            if tensor.is_variable:
                stack.push(tensor.bytes, 16)
    planning = _planning_bytes(graph, n_requests, n_buffers) + align_up(stack.bytes)
    for indices in (graph.inputs, graph.outputs):
        _push_ends(stack, graph, indices)
    return Tail(stack.bytes, preparing, planning)


class _Kernel(NamedTuple):
    """An operator, the subgraph that it stands in, and its row."""

    graph: Graph
    operator: Operator
    row: KernelMemory


def _operators(graph: Graph) -> list[tuple[Graph, Operator]]:
    return [(each, operator) for each in graph.subgraphs for operator in each.operators]


def _require_no_branches(graph: Graph) -> None:
    """UnsupportedOperatorError for subgraphs that anything but CALL_ONCE runs."""
    called = sum(operator.name == "CALL_ONCE" for _, operator in _operators(graph))
    if graph.n_subgraphs > 1 and (called != graph.n_subgraphs - 1 or len(graph.others) != called):
        raise UnsupportedOperatorError(
            f"the model has {graph.n_subgraphs} subgraphs (control flow); its arena is known for one "
            "subgraph, and those that CALL_ONCE runs, only, so convert the model without loops and branches"
        )


def _push_model(stack: _Stack, graph: Graph) -> None:
    for size in _ALLOCATORS:
        stack.push(size, 4)
    for size in table_sizes(graph):
        stack.push(size, _KERNEL_ALIGNMENT)
    stack.push(_BUILTIN_DATA_ALLOCATOR, 4)
    stack.push(_SUBGRAPH_ALLOCATIONS * graph.n_subgraphs, 4)
    for each in graph.subgraphs:
        stack.push(_EVAL_TENSOR * len(each.tensors), 4)
    for each in graph.subgraphs:
        stack.push(_NODE_AND_REGISTRATION * len(each.operators), 4)


def _push_operators(stack: _Stack, kernels_of: Sequence[_Kernel], kernels: KernelLibrary) -> None:
    """Builtin parameters of all operators, then what Init of each allocates."""
    for kernel in kernels_of:
        size, alignment = kernel.row.params
        if size:
            stack.push(size, alignment)
    for graph, operator, row in kernels_of:
        if row.op_data_bytes(kernels):
            stack.push(row.op_data_bytes(kernels), _KERNEL_ALIGNMENT)
        for size in row.init(graph, operator, kernels):
            stack.push(size, _KERNEL_ALIGNMENT)


def _prepare(
    stack: _Stack,
    graph: Graph,
    kernels_of: Sequence[_Kernel],
    kernels: KernelLibrary,
    scratch: Sequence[Sequence[int]],
) -> int:
    """Push what each Prepare allocates; the most bytes that are in use at the end of one of them."""
    most, n_requests = 0, 0
    assigned = assigned_sizes(graph)
    places = [(number, index) for number, each in enumerate(graph.subgraphs) for index in range(len(each.operators))]
    for (each, operator, row), place, requests in zip(kernels_of, places, scratch, strict=True):
        for size in (*row.persistent(each, operator, kernels), *([assigned[place]] if place in assigned else ())):
            stack.push(size, _KERNEL_ALIGNMENT)
        room = _SCRATCH_REQUEST * (n_requests + _MAX_SCRATCH_PER_OPERATOR)
        looked_at = (each.tensors[index] for index in row.temporary_tensors(each, operator, kernels))
        temporary = sum(_TENSOR + _quantization_bytes(tensor) for tensor in looked_at)
        most = max(most, room + temporary + stack.bytes)
        n_requests += len(requests)
    return most


def _quantization_bytes(tensor: Tensor) -> int:
    return _AFFINE_QUANTIZATION + _INT_ARRAY + 4 * len(tensor.scales) if tensor.is_quantized else 0


def _planning_bytes(graph: Graph, n_requests: int, n_buffers: int) -> int:
    """micro_allocator.cc CommitStaticMemoryPlan and micro_allocation_info.cc CreateAllocationInfo."""
    requests = _SCRATCH_REQUEST * (n_requests + _MAX_SCRATCH_PER_OPERATOR)
    n_tensors = sum(len(each.tensors) for each in graph.subgraphs)
    infos = _ALLOCATION_INFO * (n_tensors + n_requests)
    return align_up(requests + 4 * graph.n_subgraphs + infos) + _PLANNER_PER_BUFFER * n_buffers


def _push_ends(stack: _Stack, graph: Graph, indices: Sequence[int]) -> None:
    """The pointers to the inputs (or outputs) and a whole TfLiteTensor for each."""
    stack.push(_POINTER * len(indices), 16)
    for index in indices:
        stack.push(_TENSOR, 4)
        if graph.tensors[index].is_quantized:
            stack.push(_AFFINE_QUANTIZATION, 4)
            stack.push(_INT_ARRAY + 4 * len(graph.tensors[index].scales), 4)
