"""Cycles that a core takes for one instruction that tflite/instructions.py counts, by family of boards.

Fitted to published times by tools/fit_latency.py, which prints how far a board is off that the fit has not seen.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Pace(NamedTuple):
    """Cycles per instruction, and the relative error nine of ten nets should stay within."""

    cycles: float
    error: float


# Written by tools/fit_latency.py --write.
FITTED: Mapping[str, Pace] = {
    "Cortex-M4 and M33": Pace(1.33, 0.19),
    "Cortex-M7": Pace(0.84, 0.15),
    "Xtensa LX7": Pace(0.61, 0.36),
    "Xtensa LX6": Pace(4.51, 0.36),
}
