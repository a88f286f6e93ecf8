"""What search() and resume() were called with, looked at before anything is done."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tinynas.architecture import SearchSpace
from tinynas.data import Dataset
from tinynas.errors import RunError, UsageError, check_kind
from tinynas.hardware import MEASURES, Limits
from tinynas.options import SETTINGS, one_of
from tinynas.options.reading import LOADING, READING
from tinynas.runs import DataSource, Run, Settings
from tinynas.words import known

_FOLLOWS = {"version", "data", "target", "space", "limits", "final_threads", "own", "figures", "extensions"}
_OF_DATASET = {"test_fraction", "class_names", "groups", "x_test", "y_test"}
# Argument -> what it must be, where it is given, and in words.
_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "folder": ((str, Path), "the path of a run folder"),
    "out": ((str, Path), "the path of a new run folder"),
    "limits": (Limits, "a tinynas.Limits, such as Limits(ram_bytes=20_000)"),
    "space": (SearchSpace, "a tinynas.SearchSpace, such as SearchSpace.for_input((28, 28, 1), n_classes=10)"),
    "warm_start": ((str, Path), "the name or the path of a run folder"),
    "source": (DataSource, "a DataSource"),
}


def check_arguments(**arguments: Any) -> None:
    """UsageError for an argument of another kind than search() takes; None is one that is not given."""
    for name, value in arguments.items():
        if value is None:
            continue
        if name in _KINDS:
            check_kind(name, value, *_KINDS[name])
        elif not callable(value) and not (name == "executor" and isinstance(value, str)):
            raise UsageError(f"{name} must be a function, got {value!r}.")


def check_dataset(dataset: object) -> None:
    """UsageError for something else than a data set."""
    if not isinstance(dataset, Dataset):
        raise UsageError(
            f"search needs a Dataset as dataset, got {type(dataset).__name__}: make one with Dataset.from_arrays(x, y)."
        )


def check_same(run: Run, dataset: Dataset) -> None:
    """RunError unless `dataset` is what the run began with."""
    if run.settings.data.digest != dataset.digest:
        raise RunError(
            f"{run.folder} began with other data ({run.settings.data.summary}); these are {dataset.summary()}, "
            f"and their digest differs: resume with the same files; if these are they, this version of tinynas reads "
            f"them otherwise (CHANGELOG.md), and the search has to begin anew."
        )


def check_settings(settings: Mapping[str, Any]) -> None:
    """UsageError for a keyword that is no setting, or that follows from the other arguments."""
    given = _FOLLOWS & set(settings)
    if given:
        raise UsageError(f"search takes no setting {min(given)!r}: it follows from the other arguments.")
    for name in sorted(set(settings) - set(Settings.model_fields)):
        raise UsageError(f"search takes no setting {name!r}{_hint(name)}.")
    check_kind("objectives", settings.get("objectives", ()), (tuple, list), 'a tuple of names, such as ("accuracy",)')


def _hint(name: str) -> str:
    """Return where a keyword belongs that search() does not take, or the nearest that it takes."""
    option = f"--{name.replace('_', '-')}"
    if name in _OF_DATASET or name in READING or name in LOADING:
        return ": it belongs to the data, so give it to Dataset.load or Dataset.from_arrays"
    for limit, measure in MEASURES.items():
        if name == limit or option == measure.option.option:
            return f": it is a limit, so give limits=tinynas.Limits({limit}=...)"
    if name in SearchSpace.__dataclass_fields__:
        return f": it belongs to the space, so give space=tinynas.SearchSpace.for_input(..., {name}=...)"
    for setting, row in SETTINGS.items():
        if option == row.option:
            return f" (did you mean {setting}?)"
    return f" ({known(name, SETTINGS)})"


def unheeded(given: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """Return a sentence for each setting of those `given` that nothing heeds, by the strategy or by the fidelity."""
    found = []
    for name in given:
        for chosen, heed in (("strategy", SETTINGS[name].strategies), ("fidelity", SETTINGS[name].fidelities)):
            value = getattr(settings, chosen)
            if heed and value not in heed:
                found.append(f"{name} changes nothing here: it is for {chosen} {one_of(heed)}, and this is {value}.")
    return tuple(found)
