"""A .tflite as bytes: read it, write it, strip it, and say to the byte what it needs under TFLM.

c_files is loaded on first use, since it needs the board profiles and with them pydantic.
"""

from typing import TYPE_CHECKING, Any

from tinynas.tflite.analyze import Analysis, OperatorFigures, analyze
from tinynas.tflite.arena import Plan, plan_arena, plan_head
from tinynas.tflite.graph import Graph, Operator, Tensor
from tinynas.tflite.instructions import instructions
from tinynas.tflite.lifetimes import Buffer, live_bytes
from tinynas.tflite.macs import macs, parameters
from tinynas.tflite.offline import add_offline_plan, with_offline_plan
from tinynas.tflite.read import read
from tinynas.tflite.size import size_of
from tinynas.tflite.strip import prune, strip
from tinynas.tflite.write import write

if TYPE_CHECKING:
    from tinynas.tflite.c_source import c_files

__all__ = [
    "Analysis",
    "Buffer",
    "Graph",
    "Operator",
    "OperatorFigures",
    "Plan",
    "Tensor",
    "add_offline_plan",
    "analyze",
    "c_files",
    "instructions",
    "live_bytes",
    "macs",
    "parameters",
    "plan_arena",
    "plan_head",
    "prune",
    "read",
    "size_of",
    "strip",
    "with_offline_plan",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "c_files":
        from tinynas.tflite.c_source import c_files

        return c_files
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
