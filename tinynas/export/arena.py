"""The arena that the firmware is told to reserve: the exact minimum and a margin on top of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinynas.hardware import KERNEL_LIBRARIES, Target
from tinynas.tflite import Analysis, plan_arena, read

ALIGNMENT = 16
_MARGIN_BYTES, _MARGIN_OPERATOR_BYTES = 256, 32
_MARGIN_SHARE = 0.1  # where the board's kernels have not been measured


@dataclass(frozen=True)
class ArenaSize:
    """Bytes of a 16-byte aligned buffer: the smallest in which the model loads, and what is given on top.

    `minima` is the smallest by kernel library; `kernels` names the ones that `minimum` holds for.
    """

    minimum: int
    margin: int
    minima: Mapping[str, int]
    kernels: str

    @property
    def total(self) -> int:
        """What the firmware reserves."""
        return self.minimum + self.margin


def arena_size(data: bytes, analysis: Analysis, target: Target | None) -> ArenaSize:
    """The arena of the .tflite `data` on `target`; without one, the largest that any kernel library needs.

    The margin is for what is not the model's: enums and pointers of another compiler, structures of a later TFLM. It
    is 256 bytes and 32 for each operator; 10 % more where the arena is an estimate; never more than the board has left.
    """
    graph = read(data)
    minima = {str(kernels): plan_arena(graph, kernels).minimum for kernels in KERNEL_LIBRARIES}
    minimum = max(minima.values()) if target is None else analysis.arena.minimum
    margin = _MARGIN_BYTES + _MARGIN_OPERATOR_BYTES * len(graph.operators)
    if analysis.arena_status != "exact":
        margin += int(_MARGIN_SHARE * minimum)
    if target is not None and target.limits.board_ram_bytes is not None:
        left = target.limits.board_ram_bytes - analysis.footprint.ram_bytes
        margin = min(margin, max(0, left))
    return ArenaSize(minimum, margin // ALIGNMENT * ALIGNMENT, minima, "any" if target is None else target.kernels)
