"""Time and energy of one inference, estimated from its work, the board's core and its Flash, or from measurements."""

from collections.abc import Mapping
from math import hypot
from typing import TYPE_CHECKING

from tinynas.hardware.cores import CORES
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.kernels import KernelLibrary, TargetKernels, nearest_library
from tinynas.hardware.old_figures import FIGURES, OLD_NO_DSP, OLD_PACE
from tinynas.hardware.work import Work

if TYPE_CHECKING:
    from tinynas.hardware.target import Target

INSTRUCTION_ERRORS: Mapping[KernelLibrary, float] = {"cmsis_nn": 0.02, "reference": 0.03, "cmsis_nn_no_dsp": 0.03}
"""Relative error of the instructions by kernel library: nine of ten nets that the fit had not seen stay below it
(tools/fit_instructions.py). Version 0.1.0 stated 20 % without DSP, where it had no function of CMSIS-NN itself."""

XIP_STALL, XIP_ERROR = 4.0, 0.85
"""Cycles a byte beyond which Flash is no part of the chip but executed in place, and the error then: of the four times
that were published (an RP2350), three lie within 17 %, but how far a cache helps the fourth is not known."""

POWER_ERROR = 0.25  # a datasheet's run mode is CoreMark-like code, and a board draws more than its chip


def latency(work: Work, target: "Target", kernels: TargetKernels | None = None) -> Estimate | None:
    """ms of one inference on `target`: (instructions x cycles an instruction + what Flash makes it wait) / clock.

    `kernels` are those that TFLM is built with, the board's own by default, and the instructions of `work` those that
    tflite.instructions counts for the library nearest to them. None for a core of which no time with these kernels was
    published, or that cannot run them; a limit on the latency is then an error, never a pass. Where the board was
    measured, the time is that many times the estimate, with the error and the source of the measurement.
    """
    used = kernels or target.kernels
    old = target.figures < FIGURES
    pace = (OLD_PACE.get(target.core, {}) if old else CORES[target.core].pace).get(used)
    if pace is None:
        return None
    library = nearest_library(used)
    counted = OLD_NO_DSP if old and library == "cmsis_nn_no_dsp" else INSTRUCTION_ERRORS[library]
    error = hypot(pace.error, counted)
    source = f"{pace.cycles:g} cycles an instruction on a {target.core} with {used} kernels"
    cycles = work.instructions * pace.cycles
    if target.flash_stall and not old:
        cycles += work.weight_bytes * target.flash_stall
        error = max(error, XIP_ERROR) if target.flash_stall > XIP_STALL else error
        source += f", {target.flash_stall:.3g} more for a byte of weights from Flash"
    time = cycles / target.clock_hz * 1000
    found = target.measured
    if found is not None and not old and used == found.kernels:
        return Estimate(time * found.ratio, found.error, found.source)
    return Estimate(time, error, source)


def energy(time: Estimate | None, target: "Target") -> Estimate | None:
    """mJ of one inference that takes `time` (ms): the board's active power times it; None where either is not known."""
    if time is None or target.active_power_mw is None:
        return None
    error = hypot(time.error, POWER_ERROR)
    power = f"{target.active_power_mw:g} mW, the power of the {target.power_scope}"
    return Estimate(time.value * target.active_power_mw / 1000, error, f"{time.source}; {power}")


def average_power(time: Estimate | None, target: "Target", period_s: float) -> Estimate | None:
    """mW on the average where an inference that takes `time` (ms) begins every `period_s` seconds and the board sleeps
    in between; all the time active where it takes longer. None where the time or either power is not known."""
    spent = energy(time, target)
    if time is None or spent is None or target.idle_power_mw is None or period_s <= 0:
        return None
    asleep = max(1 - time.value / 1000 / period_s, 0.0) * target.idle_power_mw
    active = spent.value / max(period_s, time.value / 1000)
    return Estimate(active + asleep, spent.error, f"{spent.source}; {target.idle_power_mw:g} mW asleep")
