"""A search for the smallest head: where to put buffers so that those alive together do not share a byte.

First-fit placement in a good order reaches the best plan: drop the buffers of any plan as low as they go, in
order of their offsets, and no offset grows. So orders are searched. A few sorted orders come first; if none
reaches the lower bound, a depth-first search places buffers in order of offset and cuts off every branch in
which some buffer no longer fits below the best head so far. It is exact where its budget lasts.
"""

from collections.abc import Callable, Sequence

from tinynas.tflite.lifetimes import Buffer
from tinynas.tflite.planner import align_up, greedy_plan, head_bytes, lower_bound, place_in_order

DEFAULT_BUDGET = 2_000_000
"""How many pairs of buffers the depth-first search may look at; about half a second."""
MOST_SEARCHED = 200
"""The most buffers that are searched depth-first; more are placed in the sorted orders alone."""

_Key = Callable[[Buffer], tuple[int, ...]]
_ORDERS: tuple[_Key, ...] = (
    lambda b: (-b.bytes, b.first),
    lambda b: (-b.bytes * (b.last - b.first + 1),),
    lambda b: (b.first - b.last, -b.bytes),
    lambda b: (b.first, -b.bytes),
    lambda b: (-b.last, -b.bytes),
)


def smallest_plan(buffers: Sequence[Buffer], budget: int = DEFAULT_BUDGET) -> tuple[int, ...]:
    """An offset for each buffer, a multiple of 16; the head is never larger than TFLM's greedy one.

    `budget` bounds the partial plans that are looked at, so that the time is bounded and the plan always
    the same.
    """
    bound = lower_bound(buffers)
    best = greedy_plan(buffers)
    for key in _ORDERS:
        if head_bytes(buffers, best) == bound:
            return best
        order = sorted(range(len(buffers)), key=lambda index: key(buffers[index]))
        best = min(best, place_in_order(buffers, order), key=lambda plan: head_bytes(buffers, plan))
    if head_bytes(buffers, best) == bound or len(buffers) > MOST_SEARCHED:
        return best
    search = _Search(buffers, head_bytes(buffers, best), bound, budget)
    search.descend([], list(range(len(buffers))))
    return search.best or best


class _Search:
    """A depth-first search with the best head that it has found, and the pairs that it may still look at."""

    def __init__(self, buffers: Sequence[Buffer], head: int, bound: int, budget: int) -> None:
        self.best: tuple[int, ...] | None = None
        self._buffers = buffers
        self._sizes = [align_up(buffer.bytes) for buffer in buffers]
        self._conflicts = [[one is not other and one.alive_with(other) for other in buffers] for one in buffers]
        self._head, self._bound, self._left = head, bound, budget

    def descend(self, placed: list[tuple[int, int]], rest: list[int]) -> bool:
        """Place the buffers in `rest` upon `placed` (offset, buffer); False when the search is over."""
        self._left -= (len(placed) + 1) * len(rest)
        if self._left < 0:
            return False
        if not rest:
            self._record(placed)
            return self._head > self._bound
        floor = placed[-1][0] if placed else 0
        places = sorted((self._lowest(placed, index), -self._sizes[index], index) for index in rest)
        if any(max(offset, floor) - size >= self._head for offset, size, _ in places):
            return True
        for offset, _, index in places:
            if offset < floor or offset + self._sizes[index] >= self._head:
                continue
            if not self.descend([*placed, (offset, index)], [other for other in rest if other != index]):
                return False
        return True

    def _lowest(self, placed: Sequence[tuple[int, int]], index: int) -> int:
        """The lowest offset with room for the buffer above or between those `placed`, which are in offset order."""
        conflicts, size, candidate = self._conflicts[index], self._sizes[index], 0
        for offset, other in placed:
            if conflicts[other]:
                if offset - candidate >= size:
                    break
                candidate = max(candidate, offset + self._sizes[other])
        return candidate

    def _record(self, placed: Sequence[tuple[int, int]]) -> None:
        offsets = {index: offset for offset, index in placed}
        self.best = tuple(offsets[index] for index in range(len(self._buffers)))
        self._head = head_bytes(self._buffers, self.best)
