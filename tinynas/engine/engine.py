"""A .tflite to an engine: lowered, simplified, planned, the plan proven, and its figures."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from tinynas.engine.emit import calls
from tinynas.engine.evaluate import evaluate
from tinynas.engine.fast import scratch_of, widened
from tinynas.engine.figures import Figures, figures
from tinynas.engine.fixed_point import Rounding
from tinynas.engine.instructions import instructions
from tinynas.engine.library import Call
from tinynas.engine.lower import lower
from tinynas.engine.net import Convolution, Depthwise, Int8s, Net
from tinynas.engine.plan import Plan, plan
from tinynas.engine.proof import prove
from tinynas.engine.ranges import has_left_shifts, has_wide_sums
from tinynas.engine.schedule import Stage, stages_of, wanted_stages
from tinynas.engine.simplify import Gain, macs_of, simplify
from tinynas.engine.stream import plan_streamed
from tinynas.engine.text import About, Switches, code_text, header_text, weights_text
from tinynas.engine.weights import has_wide_biases
from tinynas.errors import UsageError
from tinynas.options import FLASH_BUDGET, PRESETS, Preset
from tinynas.tflite import Graph, read
from tinynas.version import __version__


def check_preset(optimize: str, flash_budget: int) -> None:
    """UsageError unless these are one of PRESETS and a number of bytes."""
    if optimize not in PRESETS:
        raise UsageError(f"The engine is to be optimised for {optimize!r}; wanted one of {', '.join(PRESETS)}.")
    if flash_budget < 0:
        raise UsageError(f"The budget of Flash is {flash_budget}; wanted a number of bytes, 0 or more.")


@dataclass(frozen=True, eq=False)
class Engine:
    """A model as plain C on its way: the simplified `net` in its `plan`, and what each simplification gained."""

    net: Net
    plan: Plan
    gains: tuple[Gain, ...]
    switches: Switches
    rounding: Rounding
    keeps_input: bool
    sha256: str = ""

    @cached_property
    def calls(self) -> list[Call]:
        """The calls of generated code, in order."""
        return calls(self.net, self.plan)

    @cached_property
    def stages(self) -> list[Stage]:
        """The layers that run row by row, in order."""
        return stages_of(self.net, self.plan.streamed)

    @property
    def memory_bytes(self) -> int:
        """All the memory of a run besides the stack: what NAME_ENGINE_BYTES says."""
        return self.plan.bytes

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, taps beyond a border counted."""
        return sum(map(macs_of, self.net.layers))

    @cached_property
    def figures(self) -> Figures:
        """What the engine takes of a board."""
        return figures(
            self.calls,
            self.stages,
            list(self.net.layers),
            self.memory_bytes,
            self.macs,
            instructions(self.net, self.plan),
        )

    def run(self, samples: Int8s) -> Int8s:
        """The outputs (n, values) of int8 `samples` (n, ...), by the reference in numpy."""
        return evaluate(self.net, samples, self.rounding)

    def files(self, name: str) -> dict[str, bytes]:
        """NAME_engine.h, NAME_engine.c and NAME_weights.c; `name` is a C identifier."""
        given, made = self.net.input, self.net.output
        about = About(
            name=name,
            version=__version__,
            sha256=self.sha256,
            rounding=self.rounding,
            bytes=self.plan.bytes,
            input_offset=self.plan.offsets[given],
            input_bytes=self.net.values[given].bytes,
            output_offset=self.plan.offsets[made],
            output_bytes=self.net.values[made].bytes,
            keeps_input=self.keeps_input,
            foreign=tuple(index for index, layer in enumerate(self.net.layers) if layer.foreign),
        )
        texts = {
            f"{name}_engine.h": header_text(about, len(self.calls)),
            f"{name}_engine.c": code_text(
                about, self.calls, self.switches, self.stages, wanted_stages(self.net, self.plan.streamed)
            ),
            f"{name}_weights.c": weights_text(about, self.calls),
        }
        return {file: text.encode() for file, text in texts.items()}


def build(
    data: bytes,
    *,
    optimize: Preset = "memory",
    flash_budget: int = FLASH_BUDGET,
    by_rows: bool = True,
    keep_input: bool = False,
    rounding: Rounding = "double",
    foreign: Collection[int] = (),
) -> Engine:
    """The engine of the int8 .tflite `data`, its plan proven byte by byte.

    `optimize` for "memory" computes each window where it lies; for "speed" windows are widened to 16 bits first, beside
    the values, and up to `flash_budget` bytes of Flash go into weights of 16 bits. Both give the same outputs.
    `by_rows`: the first layers may run row by row, where that needs less memory. `keep_input`: the input is still there
    after a run. `rounding` is "double" as TFLM is built, or "single" for a TFLM with TFLITE_SINGLE_ROUNDING.
    `foreign` are convolutions, by their number in `analyze --engine`, that functions of another library are to run:
    NAME_engine.h declares them. Raises UsageError where one of these is no convolution, UnsupportedOperatorError,
    naming the operator, for what there is no code for, and ModelError for a file that cannot be read or that TFLM
    itself refuses.
    """
    engine = _planned(read(data), optimize, flash_budget, by_rows, keep_input, rounding, foreign)
    prove(engine.net, engine.plan, keep_input)
    return replace(engine, sha256=hashlib.sha256(data).hexdigest())


def estimate(
    graph: Graph,
    *,
    optimize: Preset = "memory",
    flash_budget: int = FLASH_BUDGET,
    by_rows: bool = True,
    keep_input: bool = False,
    rounding: Rounding = "double",
) -> Figures:
    """The figures of the engine that build would make of the file of `graph`, within milliseconds: nothing is proven,
    and no C is written. For whoever compares many graphs; options and errors are build's."""
    check_preset(optimize, flash_budget)
    return _planned(graph, optimize, flash_budget, by_rows, keep_input, rounding, ()).figures


def _planned(
    graph: Graph,
    optimize: Preset,
    flash_budget: int,
    by_rows: bool,
    keep_input: bool,
    rounding: Rounding,
    foreign: Collection[int],
) -> Engine:
    net, gains = simplify(lower(graph, rounding), rounding)
    net = _with_foreign(net, foreign)
    if optimize == "speed":
        scratch = scratch_of(net, rounding)
        planned = replace(plan(net, keep_input, scratch), widened=widened(net, scratch, flash_budget), quick=True)
    else:
        net, planned = plan_streamed(net, keep_input) if by_rows else (net, plan(net, keep_input))
    wide_taps = any(net.layers[index].kind == "depthwise" for index in planned.widened)
    switches = Switches(
        left_shifts=has_left_shifts(net),
        wide_sums=has_wide_sums(net, rounding),
        single_rounding=rounding == "single",
        wide_taps=wide_taps,
        wide_biases=has_wide_biases(net),
    )
    return Engine(net, planned, gains, switches, rounding, keep_input)


def _with_foreign(net: Net, foreign: Collection[int]) -> Net:
    if not foreign:
        return net
    able = [index for index, layer in enumerate(net.layers) if isinstance(layer.spec, Convolution | Depthwise)]
    unable = sorted(set(foreign) - set(able))
    if unable:
        raise UsageError(
            f"Layer {unable[0]} cannot be another library's: the convolutions of this model are the layers "
            f"{', '.join(map(str, able)) or '(none)'}."
        )
    layers = tuple(replace(layer, foreign=index in foreign) for index, layer in enumerate(net.layers))
    return replace(net, layers=layers)
