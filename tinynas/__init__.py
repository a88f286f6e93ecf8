"""tinynas: neural architecture search for microcontrollers. The public names, loaded when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinynas.version import __version__

if TYPE_CHECKING:
    from tinynas.architecture import Architecture, Block, Head, Kind, SearchSpace, Stage, register_kind
    from tinynas.data import Dataset
    from tinynas.errors import TinynasError
    from tinynas.export.convert import Converted, convert
    from tinynas.hardware import Footprint, Limits, Target
    from tinynas.report.page import write_report
    from tinynas.runs import Settings
    from tinynas.screening.lower import lower
    from tinynas.screening.screen import screen
    from tinynas.searching import SearchResult, resume, search
    from tinynas.tflite.analyze import Analysis, analyze
    from tinynas.training import quantize

# Public name -> the room it comes from.
_ROOMS = {
    "Analysis": "tflite",
    "Architecture": "architecture",
    "Block": "architecture",
    "Converted": "export",
    "Dataset": "data",
    "Footprint": "hardware",
    "Head": "architecture",
    "Kind": "architecture",
    "Limits": "hardware",
    "SearchResult": "searching",
    "SearchSpace": "architecture",
    "Settings": "runs",
    "Stage": "architecture",
    "Target": "hardware",
    "TinynasError": "errors",
    "analyze": "tflite",
    "convert": "export",
    "lower": "screening",
    "quantize": "training",
    "register_kind": "architecture",
    "resume": "searching",
    "screen": "screening",
    "search": "searching",
    "write_report": "report",
}

__all__ = [
    "Analysis",
    "Architecture",
    "Block",
    "Converted",
    "Dataset",
    "Footprint",
    "Head",
    "Kind",
    "Limits",
    "SearchResult",
    "SearchSpace",
    "Settings",
    "Stage",
    "Target",
    "TinynasError",
    "__version__",
    "analyze",
    "convert",
    "lower",
    "quantize",
    "register_kind",
    "resume",
    "screen",
    "search",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'tinynas' has no attribute {name!r}")
    return getattr(import_module(f"tinynas.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
