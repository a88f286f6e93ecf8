"""Cores: which kernels they run, and the cycles they take for one instruction of the model in tflite/instructions.py.

The instructions are a Cortex-M4's (a Cortex-M3's for kernels without DSP), so a figure here also holds what another
instruction set needs more or less of them. How each was found is in docs/targets.md; in short:
  Cortex-M7    129 ms at 216 MHz for MobileNetV2 0.30 at 80 x 80 with TFLM and CMSIS-NN (Plumerai, 2021), for which
               the model gives 34.3 M instructions: 0.81
  Cortex-M4    1.42 times the M7, the ratio of the published 1.92 and 1.35 cycles/MAC (F401, F746): 1.15; with a
               little for slower Flash
  Cortex-M3, M33   from the M4 by CoreMark/MHz (3.34 and 4.02 against 3.42)
  Cortex-M0+   1.25 cycles an instruction, and 2.2 instructions for one of a Cortex-M3 (kernels compiled for both)
  Xtensa       54 ms (LX7, ESP32-S3) and 380 ms (LX6, ESP32) at 240 MHz for person detection with ESP-NN, 2300 ms and
               4084 ms with reference kernels (esp-tflite-micro's README), and ESP-NN's table of kernels
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from tinynas.hardware.kernels import TargetKernels

CoreName = Literal[
    "Cortex-M0+", "Cortex-M3", "Cortex-M4", "Cortex-M4F", "Cortex-M7", "Cortex-M33", "Cortex-M55", "Cortex-M85",
    "Xtensa LX6", "Xtensa LX7", "other",
]  # fmt: skip


class Pace(NamedTuple):
    """Cycles per instruction, and the relative error nine of ten nets should stay within."""

    cycles: float
    error: float


class Core(NamedTuple):
    """The kernels that a core can run, each with its pace; None where nothing was published to derive it from."""

    pace: Mapping[TargetKernels, Pace | None]

    @property
    def kernels(self) -> tuple[TargetKernels, ...]:
        """The kernels this core can run."""
        return tuple(self.pace)


def _scalar(pace: Pace) -> Core:
    return Core({"cmsis_nn_no_dsp": pace, "reference": pace})


def _dsp(pace: Pace) -> Core:
    return Core({"cmsis_nn": pace, "cmsis_nn_no_dsp": pace, "reference": pace})


_MVE = Core({"cmsis_nn_mve": None, "cmsis_nn": None, "cmsis_nn_no_dsp": None, "reference": None})
_M4 = _dsp(Pace(1.2, 0.35))

CORES: Mapping[str, Core] = {
    "Cortex-M0+": _scalar(Pace(2.8, 0.45)),
    "Cortex-M3": _scalar(Pace(1.25, 0.4)),
    "Cortex-M4": _M4,
    "Cortex-M4F": _M4,
    "Cortex-M7": _dsp(Pace(0.85, 0.35)),
    "Cortex-M33": _dsp(Pace(1.05, 0.4)),
    "Cortex-M55": _MVE,
    "Cortex-M85": _MVE,
    "Xtensa LX6": Core({"esp_nn": Pace(3.9, 0.5), "reference": Pace(10.0, 0.5)}),
    "Xtensa LX7": Core({"esp_nn": Pace(0.7, 0.5), "reference": Pace(5.7, 0.5)}),
    "other": Core({"reference": None}),
}
