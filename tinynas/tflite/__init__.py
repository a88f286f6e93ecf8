"""A .tflite as bytes: read it, write it, strip it, and say to the byte what it needs under TFLM."""

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
