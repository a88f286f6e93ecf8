"""What a board adds to a model's own figures: TFLM's code, RAM beside the arena, time and energy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinynas.hardware import old_runtime
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.footprint import Arena, ArenaStatus, Flash, Footprint
from tinynas.hardware.kernels import TargetKernels
from tinynas.hardware.latency import energy, latency
from tinynas.hardware.old_figures import FIGURES, OLD_BUILD
from tinynas.hardware.runtime import DEFAULT_BUILD, Build, ram_outside_arena, runtime_flash_bytes
from tinynas.hardware.work import Work

if TYPE_CHECKING:
    from tinynas.hardware.target import Target


@dataclass(frozen=True)
class Costs:
    """What follows from a model's operators and instructions on a board, each estimate with its error.

    `latency` and `energy` are None without a board, or where its core's speed or its power is not known.
    """

    runtime: Estimate
    ram_outside_bytes: int
    latency: Estimate | None
    energy: Estimate | None
    arena_status: ArenaStatus

    def footprint(
        self,
        *,
        params: int,
        flops: int | None,
        macs: int,
        largest_tensor_bytes: int,
        live_bytes_peak: int,
        instructions: int | None,
        model_bytes: int,
        arena: Arena,
    ) -> Footprint:
        """The footprint of a model whose own figures are these."""
        time, work = self.latency, self.energy
        return Footprint(
            params=params,
            flops=flops,
            macs=macs,
            largest_tensor_bytes=largest_tensor_bytes,
            flash=Flash(model=model_bytes, runtime=round(self.runtime.value)),
            arena=arena,
            ram_outside_bytes=self.ram_outside_bytes,
            live_bytes_peak=live_bytes_peak,
            instructions=instructions,
            latency_ms=None if time is None else time.value,
            energy_mj=None if work is None else work.value,
            arena_status=self.arena_status,
            latency_error=None if time is None else time.error,
            energy_error=None if work is None else work.error,
        )


def usual_build(target: "Target | None") -> Build:
    """The build of TFLM that figures are for where none is named."""
    return OLD_BUILD if target is not None and target.figures < FIGURES else DEFAULT_BUILD


def costs(
    kinds: Iterable[str],
    work: Work | None,
    target: "Target | None",
    kernels: TargetKernels,
    build: Build | None = None,
) -> Costs:
    """The costs of a model with operators of `kinds` and that work, with `kernels` on `target`.

    Where the work of an operator is not known (None) there is no time and no energy.
    The errors are those of runtime_flash_bytes and latency. The arena is exact where the formulas for `kernels` are
    those of the library itself and the board, if there is one, has no other.
    """
    names = frozenset(kinds)
    is_old = target is not None and target.figures < FIGURES
    code = old_runtime.runtime_flash_bytes if is_old else runtime_flash_bytes
    time = None if target is None or work is None else latency(work, target, kernels)
    return Costs(
        runtime=code(names, build or usual_build(target), kernels),
        ram_outside_bytes=ram_outside_arena(len(names)),
        latency=time,
        energy=None if target is None else energy(time, target),
        arena_status="exact"
        if target is None or (target.arena_is_exact and target.kernels == kernels)
        else "estimated",
    )
