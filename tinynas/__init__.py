"""tinynas: neural architecture search for microcontrollers. The public names, loaded when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinynas.version import __version__

if TYPE_CHECKING:
    from tinynas.architecture import Architecture, Block, Head, Kind, SearchSpace, Stage, register_kind
    from tinynas.data import Dataset, FoldScores, Scores
    from tinynas.errors import TinynasError
    from tinynas.export.convert import Converted, convert
    from tinynas.hardware import Footprint, Limits, Target
    from tinynas.report.page import write_report
    from tinynas.runs import Evaluation, Settings, State, Trial
    from tinynas.screening.lower import lower
    from tinynas.screening.screen import screen
    from tinynas.searching import Executor, Job, Outcome, Proposal, SearchResult, Strategy, resume, search, train
    from tinynas.tflite.analyze import Analysis, analyze
    from tinynas.training import quantize

# Public name -> the room it comes from.
_ROOMS = {
    "Analysis": "tflite",
    "Architecture": "architecture",
    "Block": "architecture",
    "Converted": "export",
    "Dataset": "data",
    "Evaluation": "runs",
    "Executor": "searching",
    "FoldScores": "data",
    "Footprint": "hardware",
    "Head": "architecture",
    "Job": "searching",
    "Kind": "architecture",
    "Limits": "hardware",
    "Outcome": "searching",
    "Proposal": "searching",
    "Scores": "data",
    "SearchResult": "searching",
    "SearchSpace": "architecture",
    "Settings": "runs",
    "Stage": "architecture",
    "State": "runs",
    "Strategy": "searching",
    "Target": "hardware",
    "TinynasError": "errors",
    "Trial": "runs",
    "analyze": "tflite",
    "convert": "export",
    "lower": "screening",
    "quantize": "training",
    "register_kind": "architecture",
    "resume": "searching",
    "screen": "screening",
    "search": "searching",
    "train": "searching",
    "write_report": "report",
}

__all__ = [
    "Analysis",
    "Architecture",
    "Block",
    "Converted",
    "Dataset",
    "Evaluation",
    "Executor",
    "FoldScores",
    "Footprint",
    "Head",
    "Job",
    "Kind",
    "Limits",
    "Outcome",
    "Proposal",
    "Scores",
    "SearchResult",
    "SearchSpace",
    "Settings",
    "Stage",
    "State",
    "Strategy",
    "Target",
    "TinynasError",
    "Trial",
    "__version__",
    "analyze",
    "convert",
    "lower",
    "quantize",
    "register_kind",
    "resume",
    "screen",
    "search",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'tinynas' has no attribute {name!r}")
    return getattr(import_module(f"tinynas.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
