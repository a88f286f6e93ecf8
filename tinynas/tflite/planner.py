"""Where each buffer lies in the arena's head: TFLM's greedy plan, repeated exactly, and the check of a plan.

Placement (TFLM: memory_planner/greedy_memory_planner.cc): buffers with an offline offset first, as they
are; then the others, the largest first and, among equals, the one told of last first. Each goes to the
lowest offset with a gap among the placed buffers that are alive at the same time. Sizes are rounded up to
16 bytes (micro_allocator.cc CreatePlan).
"""

from bisect import insort
from collections.abc import Mapping, Sequence

from tinynas.errors import ModelError
from tinynas.tflite.lifetimes import Buffer

ALIGNMENT = 16
"""MicroArenaBufferAlignment: every buffer in the head starts and ends at a multiple of it."""
ONLINE = -1
"""The offset of a buffer that has no place in an offline plan (kOnlinePlannedBuffer)."""

_Placed = tuple[int, int, int, int, int]  # offset, place in line, end, first, last


def align_up(n_bytes: int, alignment: int = ALIGNMENT) -> int:
    """`n_bytes` rounded up to a multiple of `alignment`."""
    return -(-n_bytes // alignment) * alignment


def greedy_plan(buffers: Sequence[Buffer], offline: Sequence[int] | None = None) -> tuple[int, ...]:
    """The offset of each buffer in bytes; `offline` fixes those that are not ONLINE."""
    fixed = offline or [ONLINE] * len(buffers)
    online = [index for index in reversed(range(len(buffers))) if fixed[index] == ONLINE]
    online.sort(key=lambda index: -align_up(buffers[index].bytes))
    order = [index for index in range(len(buffers)) if fixed[index] != ONLINE] + online
    return place_in_order(buffers, order, fixed)


def place_in_order(
    buffers: Sequence[Buffer], order: Sequence[int], fixed: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Offsets when the buffers are placed one by one in `order`, each as low as the ones before it allow."""
    offsets = [ONLINE] * len(buffers)
    placed: list[_Placed] = []
    for place, index in enumerate(order):
        buffer, size = buffers[index], align_up(buffers[index].bytes)
        offset = fixed[index] if fixed is not None and fixed[index] != ONLINE else _lowest(placed, buffer, size)
        offsets[index] = offset
        insort(placed, (offset, place, offset + size, buffer.first, buffer.last))
    return tuple(offsets)


def _lowest(placed: Sequence[_Placed], buffer: Buffer, size: int) -> int:
    """The lowest offset with room for `size` bytes; `placed` is in order of offset, then of placement."""
    first, last = buffer.first, buffer.last
    candidate = 0
    for offset, _, end, other_first, other_last in placed:
        if other_first <= last and first <= other_last:
            if offset - candidate >= size:
                return candidate
            candidate = max(candidate, end)
    return candidate


def head_bytes(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    """Bytes of the head: the end of the highest buffer, 0 without any."""
    return max((offset + align_up(buffer.bytes) for buffer, offset in zip(buffers, offsets, strict=True)), default=0)


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """No plan has a smaller head: the most bytes, in whole units of 16, that are alive at one time."""
    change: dict[int, int] = {}
    for buffer in buffers:
        size = align_up(buffer.bytes)
        change[buffer.first] = change.get(buffer.first, 0) + size
        change[buffer.last + 1] = change.get(buffer.last + 1, 0) - size
    alive = peak = 0
    for time in sorted(change):
        alive += change[time]
        peak = max(peak, alive)
    return peak


def verify_no_overlap(
    buffers: Sequence[Buffer], offsets: Sequence[int], in_place: Mapping[int, int] | None = None
) -> None:
    """ModelError, naming both, when two buffers that are alive at the same time share a byte of the head.

    `in_place` names tensors that may lie exactly upon another: the result of a copying operator upon its
    input.
    """
    by_offset = sorted(range(len(buffers)), key=lambda index: offsets[index])
    for place, index in enumerate(by_offset):
        low, end = buffers[index], offsets[index] + buffers[index].bytes
        for other in by_offset[place + 1 :]:
            if offsets[other] >= end:
                break
            high = buffers[other]
            if not low.alive_with(high) or not high.bytes:
                continue
            if offsets[index] == offsets[other] and _is_pair(low, high, in_place or {}):
                continue
            raise ModelError(
                f"{low.label} (bytes {offsets[index]:,} to {end:,}) and {high.label} (bytes "
                f"{offsets[other]:,} to {offsets[other] + high.bytes:,}) are alive at the same time but "
                "share a part of the arena; remove the model's offline memory plan or make it again"
            )


def _is_pair(one: Buffer, other: Buffer, in_place: Mapping[int, int]) -> bool:
    if one.tensor is None or other.tensor is None:
        return False
    return in_place.get(one.tensor) == other.tensor or in_place.get(other.tensor) == one.tensor
