"""The board: what it has, what a model needs of it, and whether that fits.

Target is loaded on first use, since it needs pydantic; everything else is plain Python.
"""

from typing import TYPE_CHECKING, Any

from tinynas.hardware.cores import CORES, WITHOUT_FPU, Core
from tinynas.hardware.costs import Costs, costs, usual_build
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.footprint import Arena, Flash, Footprint
from tinynas.hardware.front_end import FrontEnd, front_end
from tinynas.hardware.kernels import KERNEL_LIBRARIES, KernelLibrary, nearest_library
from tinynas.hardware.latency import average_power, energy, latency
from tinynas.hardware.limits import MEASURES, Limits, Violation
from tinynas.hardware.old_figures import FIGURES
from tinynas.hardware.runtime import BUILDS, DEFAULT_BUILD, Build, ram_outside_arena, runtime_flash_bytes
from tinynas.hardware.work import Work, total

if TYPE_CHECKING:
    from tinynas.hardware.target import Target

__all__ = [
    "BUILDS",
    "CORES",
    "DEFAULT_BUILD",
    "FIGURES",
    "KERNEL_LIBRARIES",
    "MEASURES",
    "WITHOUT_FPU",
    "Arena",
    "Build",
    "Core",
    "Costs",
    "Estimate",
    "Flash",
    "Footprint",
    "FrontEnd",
    "KernelLibrary",
    "Limits",
    "Target",
    "Violation",
    "Work",
    "average_power",
    "costs",
    "energy",
    "front_end",
    "latency",
    "nearest_library",
    "ram_outside_arena",
    "runtime_flash_bytes",
    "total",
    "usual_build",
]


def __getattr__(name: str) -> Any:
    if name == "Target":
        from tinynas.hardware.target import Target

        return Target
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
