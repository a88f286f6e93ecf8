"""A .tflite as plain C: no interpreter, no heap, no float, no library, and TFLM's results to the last bit."""

from tinynas.engine.engine import Engine, build, check_preset, estimate
from tinynas.engine.figures import Figures
from tinynas.engine.simplify import Gain

__all__ = ["Engine", "Figures", "Gain", "build", "check_preset", "estimate"]
