"""What a person names, as a model on its way to firmware: one line for each kind of source."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tinynas.errors import UsageError
from tinynas.export.facts import UNIT
from tinynas.export.foreign import from_float_model, from_tflite, is_float_model
from tinynas.export.output import Kind, Labelled
from tinynas.export.source import Source, from_run
from tinynas.runs import run_and_trial

if TYPE_CHECKING:
    from tinynas.searching import SearchResult


def resolve(
    source: SearchResult | Path | str,
    runs: Path,
    data: Labelled | None,
    input_range: tuple[float, float],
    asked: Kind | None,
    trust: bool = False,
) -> Source:
    """The model that `source` names: a run's best, RUN:TRIAL, a search's result, or a file of any origin."""
    known = partial(_alone, data=data, input_range=input_range, asked=asked)
    if not isinstance(source, str | Path):
        folder = getattr(source, "folder", None)
        if not isinstance(folder, Path):
            raise UsageError(
                f"convert takes a run or RUN:TRIAL, a model file or a search's result; got {type(source).__name__}."
            )
        return from_run(known(folder), getattr(source, "number", None))
    path = Path(source)
    if path.suffix.lower() == ".tflite":
        return from_tflite(path, data, input_range, asked)
    if _is_float_model(path):
        return from_float_model(path, data, input_range, asked, trust)
    folder, trial = run_and_trial(source, runs)
    return from_run(known(folder), trial)


def _is_float_model(path: Path) -> bool:
    try:
        return is_float_model(path)
    except OSError:  # a name that no file can have
        return False


def _alone(folder: Path, data: Labelled | None, input_range: tuple[float, float], asked: Kind | None) -> Path:
    """`folder`; UsageError when something is given that a run knows better."""
    given = {"data": data is not None, "input range": input_range != UNIT, "output": asked is not None}
    for what in (what for what, is_given in given.items() if is_given):
        raise UsageError(f"{folder} is a run, which keeps what firmware needs of its data: leave the {what} out.")
    return folder
