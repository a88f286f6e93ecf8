"""What a .tflite needs of a board: arena to the byte, Flash, work, and the verdict against limits."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tinynas.errors import UnsupportedOperatorError, UsageError, door
from tinynas.hardware.costs import costs, usual_build
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.footprint import Arena, ArenaStatus, Footprint
from tinynas.hardware.front_end import FrontEnd
from tinynas.hardware.kernels import KERNEL_LIBRARIES, KernelLibrary, TargetKernels, nearest_library
from tinynas.hardware.latency import energy, latency
from tinynas.hardware.limits import Limits, Violation
from tinynas.hardware.runtime import Build
from tinynas.hardware.work import Work, total
from tinynas.tflite.arena import Plan, arena_of, plan_head
from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.lifetimes import live_bytes
from tinynas.tflite.macs import largest_tensor_bytes, macs, parameters, weights_bytes
from tinynas.tflite.read import read
from tinynas.tflite.work import work

if TYPE_CHECKING:
    from tinynas.hardware.target import Target

DEFAULT_KERNELS: KernelLibrary = "cmsis_nn"


@dataclass(frozen=True)
class OperatorFigures:
    """One operator, in execution order: `live_bytes` are the activations alive while it runs.

    `instructions` is None where it is not known how long TFLM takes for it. `latency_ms` and `energy_mj` are its part
    of the whole's estimate, with the same relative error; None where it has none.
    """

    name: str
    macs: int
    live_bytes: int
    weights_bytes: int
    instructions: int | None
    output_shape: tuple[int, ...]
    latency_ms: float | None = None
    energy_mj: float | None = None


@dataclass(frozen=True)
class Analysis:
    """All that is known of a .tflite on a board, or on none.

    `fits` is None when neither a board nor limits were given; `latency` and `energy` are None where the
    board, its core's speed or its power is not known. `plan` is the arena's head, buffer by buffer. `build` is the
    build of TFLM that `runtime`, its code in bytes, is for. `untimed` names the operators whose time under TFLM is not
    known: then the whole has no instructions, latency or energy. `front_end` is what makes the input of samples, None
    where there is none or nothing is known of it: Flash and RAM in all include it, the latency of an inference does
    not.
    """

    footprint: Footprint
    operators: tuple[OperatorFigures, ...]
    plan: Plan
    runtime: Estimate
    latency: Estimate | None
    energy: Estimate | None
    target: str | None
    kernels: KernelLibrary
    build: Build
    fits: bool | None
    violations: tuple[Violation, ...]
    front_end: FrontEnd | None = None

    @property
    def untimed(self) -> tuple[str, ...]:
        """The kinds of operators without instructions, in order of first use."""
        return tuple(dict.fromkeys(each.name for each in self.operators if each.instructions is None))

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
            "runtime_build": self.build,
            "runtime_error": self.runtime.error,
            "ram_outside_bytes": footprint.ram_outside_bytes,
            "instructions": footprint.instructions,
            "untimed": list(self.untimed),
            "latency_ms": footprint.latency_ms,
            "latency_error": footprint.latency_error,
            "energy_mj": footprint.energy_mj,
            "energy_error": footprint.energy_error,
            "target": self.target,
            "kernels": self.kernels,
            "fits": self.fits,
            "front_end": None if self.front_end is None else self.front_end.figures(footprint.latency_ms),
            "violations": [{**asdict(violation), "message": str(violation)} for violation in self.violations],
        }


@door
def analyze(
    data: bytes,
    target: "Target | None" = None,
    limits: Limits | None = None,
    kernels: KernelLibrary | None = None,
    build: Build | None = None,
    front_end: FrontEnd | None = None,
) -> Analysis:
    """Every figure of the .tflite `data`, and whether it fits `target` and `limits`.

    `kernels` is the library that TFLM is built with, for the arena, the code, the instructions and the time: the
    target's own by default, and CMSIS-NN without a target. There is no time for kernels that the target's core cannot
    run. `build` is the build of TFLM (one of hardware.BUILDS) that code and time are for. `front_end` is what stands
    before the network (hardware.front_end). Raises UsageError for an
    unknown library or build, ModelError for a file that cannot be read or planned, UnsupportedOperatorError, naming
    it, for an operator whose memory or code is not known: nothing fits by silence. One whose time alone is not known
    leaves the model without one (`Analysis.untimed`).
    """
    if kernels is not None and kernels not in KERNEL_LIBRARIES:
        raise UsageError(f"The kernels are {kernels!r}; wanted one of {', '.join(KERNEL_LIBRARIES)}, or None.")
    graph = read(bytes(data))
    used: TargetKernels = kernels or (DEFAULT_KERNELS if target is None else target.kernels)
    library = nearest_library(used)
    plan = plan_head(graph, library)
    used_build = build or usual_build(target)
    works = [_known_work(graph, operator, library, target, used_build) for operator in graph.operators]
    operators = _operator_figures(graph, works, target, used)
    known = [done for done in works if done is not None]
    whole = total(known) if len(known) == len(works) else None
    kinds = {operator.name for each in graph.subgraphs for operator in each.operators}
    cost = costs(kinds, whole, target, used, used_build)
    footprint = cost.footprint(
        params=parameters(graph),
        flops=None,
        macs=sum(operator.macs for operator in operators),
        largest_tensor_bytes=largest_tensor_bytes(graph),
        live_bytes_peak=max((operator.live_bytes for operator in operators), default=0),
        instructions=None if whole is None else whole.instructions,
        model_bytes=len(data),
        arena=arena_of(graph, plan, library),
    ).with_front_end(front_end)
    all_limits = [each for each in (limits, None if target is None else target.limits) if each is not None]
    violations = _violations(all_limits, footprint)
    return Analysis(
        footprint=footprint,
        operators=operators,
        plan=plan,
        runtime=cost.runtime,
        latency=cost.latency,
        energy=cost.energy,
        target=None if target is None else target.name,
        kernels=library,
        build=used_build,
        fits=not violations if all_limits else None,
        violations=violations,
        front_end=front_end,
    )


def _operator_figures(
    graph: Graph, works: list[Work | None], target: "Target | None", kernels: TargetKernels
) -> tuple[OperatorFigures, ...]:
    return tuple(
        _timed(
            OperatorFigures(
                name=operator.name,
                macs=macs(graph, operator),
                live_bytes=alive,
                weights_bytes=weights_bytes(graph, operator),
                instructions=None if done is None else done.instructions,
                output_shape=graph.tensors[operator.outputs[0]].shape if operator.outputs else (),
            ),
            done,
            target,
            kernels,
        )
        for operator, done, alive in zip(graph.operators, works, live_bytes(graph), strict=True)
    )


def _known_work(
    graph: Graph, operator: Operator, library: KernelLibrary, target: "Target | None", build: Build
) -> Work | None:
    """The operator's work; None for one that TFLM runs and whose instructions nobody has counted."""
    try:
        return work(graph, operator, library, target, build)
    except UnsupportedOperatorError:
        return None


def _timed(
    figures: OperatorFigures, done: Work | None, target: "Target | None", kernels: TargetKernels
) -> OperatorFigures:
    """The figures with the operator's share of the board's time and energy, where these are known."""
    time = None if target is None or done is None else latency(done, target, kernels)
    if target is None or time is None:
        return figures
    work = energy(time, target)
    return replace(figures, latency_ms=time.value, energy_mj=None if work is None else work.value)


def _violations(limits: list[Limits], footprint: Footprint) -> tuple[Violation, ...]:
    """What is broken of all limits; of two on the same figure the tighter one."""
    tightest: dict[str, Violation] = {}
    for each in limits:
        for violation in each.violations(footprint):
            known = tightest.get(violation.limit)
            if known is None or violation.allowed < known.allowed:
                tightest[violation.limit] = violation
    return tuple(tightest.values())
