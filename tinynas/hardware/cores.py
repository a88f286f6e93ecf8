"""Cores: which kernels they run, and the cycles they take for one instruction of the model in tflite/instructions.py.

The instructions are a Cortex-M4's (a Cortex-M3's for kernels without DSP, an M0+'s on an M0+), so a figure for a Xtensa
also holds what another instruction set needs more or less of them. pace.py holds those that were fitted to published
times with CMSIS-NN or ESP-NN. Those that no time was published for:
  Cortex-M3    the M4 by CoreMark/MHz (3.34 against 3.42)
  Cortex-M0+   1.25 cycles an instruction: a load and a branch that is taken take two, the others one; of eight times
               of another engine on an STM32G0B1 seven lie within 25 % (docs/published.md)
  Xtensa, reference kernels   person detection in 2300 ms (LX7) and 4084 ms (LX6) at 240 MHz (esp-tflite-micro)
"""

from collections.abc import Mapping
from math import hypot
from typing import Literal, NamedTuple

from tinynas.hardware.kernels import TargetKernels
from tinynas.hardware.pace import FITTED, Pace

CoreName = Literal[
    "Cortex-M0+", "Cortex-M3", "Cortex-M4", "Cortex-M4F", "Cortex-M7", "Cortex-M33", "Cortex-M55", "Cortex-M85",
    "Xtensa LX6", "Xtensa LX7", "other",
]  # fmt: skip


class Core(NamedTuple):
    """The kernels that a core can run, each with its pace; None where nothing was published to derive it from."""

    pace: Mapping[TargetKernels, Pace | None]

    @property
    def kernels(self) -> tuple[TargetKernels, ...]:
        """The kernels this core can run."""
        return tuple(self.pace)


def _scalar(pace: Pace) -> Core:
    return Core({"cmsis_nn_no_dsp": pace, "reference": pace})


_UNTIMED = 0.25  # more error for kernels of which no time was published on a core


def _dsp(pace: Pace) -> Core:
    other = Pace(pace.cycles, round(hypot(pace.error, _UNTIMED), 2))
    return Core({"cmsis_nn": pace, "cmsis_nn_no_dsp": other, "reference": other})


_MVE = Core({"cmsis_nn_mve": None, "cmsis_nn": None, "cmsis_nn_no_dsp": None, "reference": None})
_M4 = FITTED["Cortex-M4 and M33"]

CORES: Mapping[str, Core] = {
    "Cortex-M0+": _scalar(Pace(1.25, 0.4)),
    "Cortex-M3": _scalar(Pace(round(_M4.cycles * 3.42 / 3.34, 2), 0.4)),
    "Cortex-M4": _dsp(_M4),
    "Cortex-M4F": _dsp(_M4),
    "Cortex-M7": _dsp(FITTED["Cortex-M7"]),
    "Cortex-M33": _dsp(_M4),
    "Cortex-M55": _MVE,
    "Cortex-M85": _MVE,
    "Xtensa LX6": Core({"esp_nn": FITTED["Xtensa LX6"], "reference": Pace(10.0, 0.5)}),
    "Xtensa LX7": Core({"esp_nn": FITTED["Xtensa LX7"], "reference": Pace(5.7, 0.5)}),
    "other": Core({"reference": None}),
}

WITHOUT_FPU = frozenset(("Cortex-M0+", "Cortex-M3", "Cortex-M4"))
"""The cores on which floating point is the compiler's library."""
