"""Where every value lies in the memory of the engine, and in which order of rows each layer runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tinynas.engine.net import Net


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

    `parts` are values that lie inside a concatenation's output, with their bytes from row to row and from pixel to
    pixel. `backwards` are the layers that make their last row first. `rings` says how many rows the memory holds of a
    value that is made and read row by row.
    """

    bytes: int
    offsets: Mapping[int, int]
    parts: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    backwards: frozenset[int] = frozenset()
    rings: Mapping[int, int] = field(default_factory=dict)
    streamed: int = 0

    def offset(self, number: int) -> int:
        """The first byte of a value."""
        return self.offsets[number]

    def place(self, number: int, rows: int) -> Place:
        """Where a value of `rows` rows lies."""
        return Place(self.offsets[number], self.rings.get(number, rows), *self.parts.get(number, (0, 0)))


def plan_apart(net: Net) -> Plan:
    """Every value beside every other: the plan that cannot be wrong."""
    offsets, end = {}, 0
    for number, value in net.values.items():
        offsets[number] = end
        end += -(-value.bytes // 4) * 4
    return Plan(end, offsets)
