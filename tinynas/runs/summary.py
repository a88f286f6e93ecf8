"""summary.json, what a search came to, as it is read: checked, since people may hand it on."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from tinynas.architecture import Architecture
from tinynas.data import Scores
from tinynas.errors import RunError, TinynasError, check_fields, door
from tinynas.hardware import Footprint
from tinynas.options.search import METRICS
from tinynas.runs.models import standing, trained_folder

SUMMARY = "summary.json"


@door
def read_summary(folder: Path | str, name: str = SUMMARY) -> dict[str, Any] | None:
    """Return summary.json of the run in `folder`, None while the search has not ended; RunError when it is damaged."""
    path = Path(folder) / name
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _check_summary(summary)
        return summary
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, TinynasError) as error:
        said = f"{type(error).__name__}: {error}"
        raise RunError(
            f"{path} is not the summary of a search ({said}); remove it and resume, and it is written again."
        ) from error


def read_trained(folder: Path, number: int) -> dict[str, Any] | None:
    """Return the summary of the final training that trial `number` was given; None where it was given none.

    It says what summary.json says, of this trial as the best. RunError when it is damaged.
    """
    place = standing(trained_folder(folder, number))
    return None if place is None else read_summary(place)


def chosen_words(summary: Mapping[str, Any] | None) -> str | None:
    """Return the sentence on why the best is the best where another trial scores higher; None where there is none."""
    best = None if summary is None else summary["best"]
    chosen = None if best is None else best.get("chosen")
    return None if best is None or chosen is None else f"The best is #{best['trial']}, {chosen}."


# What a summary holds since the first version, and of what kind; what came later may be missing.
_OF_SUMMARY: Mapping[str, type | UnionType] = {
    "target": str,
    "data": str,
    "seed": int,
    "trials": dict,
    "best": dict | None,
    "seconds": int | float,
}
_OF_BEST: Mapping[str, type | UnionType] = {
    "trial": int,
    "architecture": dict,
    "description": str,
    "params": int,
    "macs": int,
    "flops": int | None,
    "flash_bytes": int,
    "arena_bytes": int,
    "largest_tensor_bytes": int,
    "footprint": dict,
    "validation": dict,
    "test": dict | None,
    "epochs": int | None,
    "fits": bool,
}


def _check_summary(summary: Any) -> None:
    """KeyError or TypeError unless `summary` has what `_OF_SUMMARY` and `_OF_BEST` say."""
    tables = (
        [(summary, _OF_SUMMARY)] if summary["best"] is None else [(summary, _OF_SUMMARY), (summary["best"], _OF_BEST)]
    )
    for values, kinds in tables:
        for name, kind in kinds.items():
            if not isinstance(values[name], kind):
                raise TypeError(f"its {name} is {values[name]!r:.60}")
    if summary["best"] is not None:
        best = summary["best"]
        Architecture.from_dict(best["architecture"])
        check_fields(Footprint.from_dict(best["footprint"]))
        for scores in (best["validation"], best["validation"]["float"]):
            for metric in METRICS:
                for value in scores[metric].values():
                    if not (isinstance(value, int | float) or (value is None and best["validation"]["folds"] == 0)):
                        raise TypeError(f"its {metric} is {value!r:.60}")
        for name in ("float", "int8") if best["test"] else ():
            check_fields(Scores.from_dict(best["test"][name]))
