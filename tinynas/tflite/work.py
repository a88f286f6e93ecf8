"""The work of an operator on a board: the instructions of its kernel, and the weights that it fetches from Flash."""

from typing import TYPE_CHECKING

from tinynas.hardware.costs import usual_build
from tinynas.hardware.kernels import KernelLibrary
from tinynas.hardware.old_figures import FIGURES
from tinynas.hardware.runtime import Build
from tinynas.hardware.work import Work
from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.instructions import instructions
from tinynas.tflite.weight_reads import weight_reads

if TYPE_CHECKING:
    from tinynas.hardware.target import Target


def work(
    graph: Graph,
    operator: Operator,
    library: KernelLibrary,
    target: "Target | None" = None,
    build: Build | None = None,
) -> Work:
    """The work of one inference of `operator` with the kernels of `library`, in TFLM's `build` (the usual one if None).

    Without a board no cache keeps weights. Version 0.1.0 counted every build's instructions as those of -O2.
    """
    figures = FIGURES if target is None else target.figures
    for_size = figures == FIGURES and "-Os" in (build or usual_build(target))
    cache = 0 if target is None else target.flash_cache_bytes
    core = None if target is None else target.core
    return Work(instructions(graph, operator, library, for_size, core, figures), weight_reads(graph, operator, cache))
