"""The time's figures of version 0.1.0, with which a search goes on that began with them.

A limit on the latency, or the latency as an objective, decides what a search proposes next: another figure halfway
would leave a journal that no version could go on with. `Target.figures` says which hold; `FIGURES` are today's.
"""

from collections.abc import Mapping
from typing import Final

from tinynas.hardware.kernels import TargetKernels
from tinynas.hardware.pace import Pace
from tinynas.hardware.runtime import Build

FIGURES: Final = 2
"""1: version 0.1.0. 2: Flash's wait states count, the pace is fitted to published times, kernels are built with -O2,
and TFLM's code is the sum of its parts (runtime.py; before: old_runtime.py)."""

OLD_NO_DSP = 0.2  # the error of the instructions without DSP
OLD_BUILD: Build = "release -Os i8"


def _all(names: tuple[TargetKernels, ...], cycles: float, error: float) -> Mapping[TargetKernels, Pace]:
    return dict.fromkeys(names, Pace(cycles, error))


_SCALAR: tuple[TargetKernels, ...] = ("cmsis_nn_no_dsp", "reference")
_DSP: tuple[TargetKernels, ...] = ("cmsis_nn", *_SCALAR)

OLD_PACE: Mapping[str, Mapping[TargetKernels, Pace]] = {
    "Cortex-M0+": _all(_SCALAR, 2.8, 0.45),
    "Cortex-M3": _all(_SCALAR, 1.25, 0.4),
    "Cortex-M4": _all(_DSP, 1.2, 0.35),
    "Cortex-M4F": _all(_DSP, 1.2, 0.35),
    "Cortex-M7": _all(_DSP, 0.85, 0.35),
    "Cortex-M33": _all(_DSP, 1.05, 0.4),
    "Xtensa LX6": {"esp_nn": Pace(3.9, 0.5), "reference": Pace(10.0, 0.5)},
    "Xtensa LX7": {"esp_nn": Pace(0.7, 0.5), "reference": Pace(5.7, 0.5)},
}
"""Cycles an instruction, by core and kernels, and the error that was stated."""
