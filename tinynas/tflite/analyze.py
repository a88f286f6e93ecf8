"""What a .tflite needs of a board: arena to the byte, Flash, work, and the verdict against limits."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tinynas.hardware.estimate import Estimate
from tinynas.hardware.footprint import Arena, ArenaStatus, Flash, Footprint
from tinynas.hardware.kernels import KernelLibrary
from tinynas.hardware.latency import energy, latency
from tinynas.hardware.limits import Limits, Violation
from tinynas.hardware.runtime import ram_outside_arena, runtime_flash_bytes
from tinynas.tflite.arena import Plan, arena_of, plan_head
from tinynas.tflite.graph import Graph
from tinynas.tflite.instructions import instructions
from tinynas.tflite.lifetimes import live_bytes
from tinynas.tflite.macs import largest_tensor_bytes, macs, parameters, weights_bytes
from tinynas.tflite.read import read

if TYPE_CHECKING:
    from tinynas.hardware.target import Target

DEFAULT_KERNELS: KernelLibrary = "cmsis_nn"


@dataclass(frozen=True)
class OperatorFigures:
    """One operator, in execution order: `live_bytes` are the activations alive while it runs."""

    name: str
    macs: int
    live_bytes: int
    weights_bytes: int
    instructions: int
    output_shape: tuple[int, ...]


@dataclass(frozen=True)
class Analysis:
    """All that is known of a .tflite on a board, or on none.

    `fits` is None when neither a board nor limits were given; `latency` and `energy` are None where the
    board, its core's speed or its power is not known. `plan` is the arena's head, buffer by buffer.
    """

    footprint: Footprint
    operators: tuple[OperatorFigures, ...]
    plan: Plan
    runtime: Estimate
    latency: Estimate | None
    energy: Estimate | None
    target: str | None
    kernels: KernelLibrary
    fits: bool | None
    violations: tuple[Violation, ...]

    @property
    def arena(self) -> Arena:
        """TFLM's arena, in bytes."""
        return self.footprint.arena

    @property
    def arena_status(self) -> ArenaStatus:
        """ "exact", or "estimated" where the board's kernels are computed by another library's formulas."""
        return self.footprint.arena_status

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; errors are relative (0.1 is 10 %)."""
        footprint = self.footprint
        return {
            "file_bytes": footprint.flash.model,
            "params": footprint.params,
            "macs": footprint.macs,
            "arena": asdict(footprint.arena),
            "arena_status": footprint.arena_status,
            "live_bytes_peak": footprint.live_bytes_peak,
            "largest_tensor_bytes": footprint.largest_tensor_bytes,
            "operators": [
                {**asdict(operator), "output_shape": list(operator.output_shape)} for operator in self.operators
            ],
            "flash": {**asdict(footprint.flash), "total": footprint.flash.total},
            "runtime_error": self.runtime.error,
            "ram_outside_bytes": footprint.ram_outside_bytes,
            "instructions": footprint.instructions,
            "latency_ms": footprint.latency_ms,
            "latency_error": None if self.latency is None else self.latency.error,
            "energy_mj": footprint.energy_mj,
            "energy_error": None if self.energy is None else self.energy.error,
            "target": self.target,
            "kernels": self.kernels,
            "fits": self.fits,
            "violations": [{**asdict(violation), "message": str(violation)} for violation in self.violations],
        }


def analyze(
    data: bytes,
    target: "Target | None" = None,
    limits: Limits | None = None,
    kernels: KernelLibrary | None = None,
) -> Analysis:
    """Every figure of the .tflite `data`, and whether it fits `target` and `limits`.

    `kernels` is the library that the arena and the instructions are computed for: the target's own by
    default, and CMSIS-NN without a target. Raises ModelError for a file that cannot be read or planned,
    UnsupportedOperatorError, naming it, for an operator that is not known: nothing fits by silence.
    """
    graph = read(data)
    library = kernels or (target.kernel_library if target is not None else DEFAULT_KERNELS)
    plan = plan_head(graph, library)
    operators = _operator_figures(graph, library)
    runtime = runtime_flash_bytes({operator.name for operator in operators})
    time = None if target is None else latency(sum(each.instructions for each in operators), target)
    work = None if target is None else energy(time, target)
    footprint = replace(
        _footprint(graph, plan, operators, library),
        flash=Flash(model=len(data), runtime=round(runtime.value)),
        latency_ms=None if time is None else time.value,
        energy_mj=None if work is None else work.value,
        arena_status=_arena_status(target, library),
    )
    all_limits = [each for each in (limits, None if target is None else target.limits) if each is not None]
    violations = _violations(all_limits, footprint)
    return Analysis(
        footprint=footprint,
        operators=operators,
        plan=plan,
        runtime=runtime,
        latency=time,
        energy=work,
        target=None if target is None else target.name,
        kernels=library,
        fits=not violations if all_limits else None,
        violations=violations,
    )


def _footprint(graph: Graph, plan: Plan, operators: tuple[OperatorFigures, ...], kernels: KernelLibrary) -> Footprint:
    """What follows from the graph alone: all but Flash, time and energy."""
    return Footprint(
        params=parameters(graph),
        flops=None,
        macs=sum(operator.macs for operator in operators),
        largest_tensor_bytes=largest_tensor_bytes(graph),
        flash=Flash(model=0, runtime=0),
        arena=arena_of(graph, plan, kernels),
        ram_outside_bytes=ram_outside_arena(len({operator.name for operator in operators})),
        live_bytes_peak=max((operator.live_bytes for operator in operators), default=0),
        instructions=sum(operator.instructions for operator in operators),
    )


def _operator_figures(graph: Graph, kernels: KernelLibrary) -> tuple[OperatorFigures, ...]:
    return tuple(
        OperatorFigures(
            name=operator.name,
            macs=macs(graph, operator),
            live_bytes=alive,
            weights_bytes=weights_bytes(graph, operator),
            instructions=instructions(graph, operator, kernels),
            output_shape=graph.tensors[operator.outputs[0]].shape,
        )
        for operator, alive in zip(graph.operators, live_bytes(graph), strict=True)
    )


def _arena_status(target: "Target | None", kernels: KernelLibrary) -> ArenaStatus:
    return "exact" if target is None or target.kernels == kernels else "estimated"


def _violations(limits: list[Limits], footprint: Footprint) -> tuple[Violation, ...]:
    """What is broken of all limits; of two on the same figure the tighter one."""
    tightest: dict[str, Violation] = {}
    for each in limits:
        for violation in each.violations(footprint):
            known = tightest.get(violation.limit)
            if known is None or violation.allowed < known.allowed:
                tightest[violation.limit] = violation
    return tuple(tightest.values())
