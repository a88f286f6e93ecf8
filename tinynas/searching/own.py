"""What a caller gives of his own in place of tinynas's: settings.json names it, and a resume needs it again."""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import isclass
from pathlib import Path
from typing import Any

from tinynas.data import Dataset
from tinynas.errors import TinynasError, UsageError
from tinynas.options import SETTINGS
from tinynas.runs import Settings
from tinynas.searching.executor import Executor

MakeExecutor = Callable[[Dataset, Settings], Executor]

OWN = "own"
"""The strategy of a search that was given an object."""


def names_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return "module.Name" of each thing of `given` that is there; of an object that of its class."""
    return {name: _name(value) for name, value in given.items() if value is not None}


def check_strategy(strategy: object) -> None:
    """UsageError unless `strategy` is a name, or an object that can be asked and told."""
    if isinstance(strategy, str) and strategy != OWN:
        return  # Settings knows the names
    if isclass(strategy) or not all(callable(getattr(strategy, verb, None)) for verb in ("ask", "tell")):
        raise UsageError(
            f"strategy is {strategy!r}; wanted {SETTINGS['strategy'].wanted}, or an object that was made for this "
            f"search, with the methods ask(n, rng) and tell(trial)."
        )


def made_executor(make: Callable[[Any, Any], Any], dataset: Any, settings: Settings) -> Executor:
    """Return the executor that `make` gives for the data and the settings; UsageError when it cannot be used."""
    try:
        executor = make(dataset, settings)
    except TinynasError:
        raise
    except Exception as error:  # the caller's own code
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise UsageError(
            f"executor could not be made ({said}): give a function of the data and the settings that returns a "
            f"tinynas.searching.Executor."
        ) from error
    return check_executor(executor)


def check_executor(executor: Any) -> Executor:
    """Return `executor`; UsageError unless it has what the loop calls."""
    for verb in ("evaluate", "final", "close"):
        if not callable(getattr(executor, verb, None)):
            raise UsageError(
                f"executor made {executor!r}, which has no method {verb}: give a function of the data and the settings "
                f"that returns a tinynas.searching.Executor."
            )
    made: Executor = executor
    return made


def check_resume(folder: Path, settings: Settings, given: Mapping[str, Any]) -> None:
    """UsageError unless a resume was given what the search began with: what no file can hold, and nothing else."""
    for name, what in settings.own.items():
        if given[name] is None:
            raise UsageError(
                f"{folder} began with {name}={what}, which its files cannot hold: give it again, "
                f"tinynas.resume({str(folder)!r}, {name}=...)."
            )
    strategy = given["strategy"]
    if strategy is None:
        return
    check_strategy(strategy)
    if settings.strategy != OWN or isinstance(strategy, str):
        raise UsageError(
            f"{folder} goes on with its strategy, {settings.own.get('strategy', settings.strategy)}: a resume takes "
            f"one only where the search began with an object, and then such an object."
        )
    began, now = settings.own["strategy"].rpartition(".")[2], type(strategy).__qualname__.rpartition(".")[2]
    if began != now:
        raise UsageError(f"{folder} began with a strategy of the class {began}, and this is one of {now}.")


def _name(value: Any) -> str:
    while isinstance(value, partial):
        value = value.func
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"
