"""Saved models: best/, models/NUMBER/ and trained/NUMBER/ of a run folder, each whole or not there at all."""

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.data.readers.arrays import open_array
from tinynas.errors import DataError, RunError, door

# What architecture.json must say: convert and the firmware need it.
_ABOUT = ("sha256", "stage", "class_names", "layout", "normalization", "footprint")


def write_model(
    folder: Path,
    about: Mapping[str, Any],
    keras: bytes,
    tflite: bytes,
    samples: np.ndarray,
    summary: Mapping[str, Any] | None = None,
) -> None:
    """Put a model into `folder`, in place of what is there: a kill leaves the old one, the new one or "folder.old".

    `about` goes into architecture.json; `samples` are held-out int8 inputs (n, H, W, C), for the check that
    `convert` makes in TFLM; `summary`, where there is one, goes into a summary.json of its own. RunError when the disk
    refuses; what is there stays as it was.
    """

    def fill(fresh: Path) -> None:
        fresh.mkdir(parents=True)
        (fresh / "model.keras").write_bytes(keras)
        (fresh / "model.tflite").write_bytes(tflite)
        np.save(fresh / "samples.npy", samples)
        described = {**about, "sha256": hashlib.sha256(tflite).hexdigest()}
        (fresh / "architecture.json").write_text(json.dumps(described, indent=1))
        if summary is not None:
            (fresh / "summary.json").write_text(json.dumps(summary, indent=1))

    _replace(folder, fill)


def copy_model(source: Path, folder: Path, summary: Mapping[str, Any] | None = None) -> None:
    """Put a copy of the saved model in `source` into `folder`, with `summary`, as `write_model` would."""

    def fill(fresh: Path) -> None:
        shutil.copytree(source, fresh)
        if summary is not None:
            (fresh / "summary.json").write_text(json.dumps(summary, indent=1))

    _replace(folder, fill)


def _replace(folder: Path, fill: Callable[[Path], Any]) -> None:
    """Let `fill` make a folder, and put it in the place of `folder`."""
    fresh, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    try:
        finish_rename(folder)
        fill(fresh)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RunError(
            f"{folder} cannot be written ({error.strerror or error}): make room there, and go on with --resume."
        ) from error
    shutil.rmtree(old, ignore_errors=True)


def finish_rename(folder: Path) -> None:
    """Put back the model that a kill left as "folder.old", and remove what else it left beside `folder`."""
    fresh, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)


def renamed(folder: Path) -> tuple[Path, ...]:
    """Return the places, of best/ and of trials, whose models were being replaced at a kill of the run in `folder`."""
    found = [folder / "best"]
    for models in (folder / "models", folder / "trained"):
        paths = models.iterdir() if models.is_dir() else ()
        found += {path.with_suffix("") for path in paths if path.suffix in (".old", ".new") and path.stem.isdecimal()}
    return tuple(sorted(found))


def standing(place: Path) -> Path | None:
    """Return where the model of `place` is read: there, or where a writer that was killed left it; None: nowhere."""
    before = place.with_name(f"{place.name}.old")
    return next((path for path in (place, before) if path.exists()), None)


def number_of(place: Path) -> int | None:
    """Return the number of the trial whose saved model is in `place`; None where none can be read."""
    try:
        number = json.loads((place / "architecture.json").read_text())["trial"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return number if isinstance(number, int) else None


@door
def kept(folder: Path | str) -> tuple[int, ...]:
    """Return the numbers of the trials whose models the run in `folder` keeps, in their order."""
    return _numbers(Path(folder) / "models")


def trained(folder: Path) -> tuple[int, ...]:
    """Return the numbers of the trials that were given a final training beside the best's, in their order."""
    return _numbers(folder / "trained")


def _numbers(models: Path) -> tuple[int, ...]:
    names = [path.name.removesuffix(".old") for path in models.iterdir()] if models.is_dir() else []
    return tuple(sorted({int(name) for name in names if name.isdecimal()}))


def trial_folder(folder: Path, number: int) -> Path:
    """Return where the run in `folder` keeps, or would keep, the model of trial `number`."""
    return folder / "models" / str(number)


def start_of(folder: Path, number: int) -> Path | None:
    """Return the file that another training may start from, of trial `number` of the run in `folder`, or None.

    It has seen no validation sample of fold 0: what the search kept of the weights, or a model of the front.
    """
    weights = folder / "weights"
    places = (weights / f"{number}.npz", weights / f"{number}.keras", trial_folder(folder, number) / "model.keras")
    return next((path for path in places if path.exists()), None)


def trained_folder(folder: Path, number: int) -> Path:
    """Return where the run in `folder` keeps, or would keep, what a final training of trial `number` made."""
    return folder / "trained" / str(number)


def prune(folder: Path, numbers: Collection[int]) -> None:
    """Remove the models of all trials but `numbers`, and what a kill left of a model that was being written."""
    models = folder / "models"
    for path in models.iterdir() if models.is_dir() else ():
        if not (path.name.isdecimal() and int(path.name) in numbers):
            shutil.rmtree(path)


class Best:
    """A saved model, read back: `about` (architecture.json), `tflite` bytes, `samples` int8 (n, H, W, C)."""

    @door
    def __init__(self, folder: Path | str, number: int | None = None) -> None:
        """Read best/ of the run in `folder`, or the model of trial `number`: that of its final training if it had one.

        `place` is where it was read. RunError when there is none, naming those that there are, or a file is not the
        one written.
        """
        folder = Path(folder)
        places = [folder / "best"]
        if number is not None:
            places = [trained_folder(folder, number), trial_folder(folder, number)]
        place = next(filter(None, map(standing, places)), None)
        if place is None:
            raise RunError(_missing(folder, number))
        self.place = place
        try:
            self.about: dict[str, Any] = json.loads((place / "architecture.json").read_text())
            self.tflite = (place / "model.tflite").read_bytes()
            self.samples: np.ndarray = np.array(open_array(place / "samples.npy"))
            missing = [key for key in _ABOUT if key not in self.about]
        except (OSError, ValueError, EOFError, TypeError, RecursionError, DataError) as error:
            raise RunError(f"{place} cannot be read ({error}); {_remedy(number)}.") from error
        if missing or not self.samples.ndim or not len(self.samples):
            what = f"architecture.json lacks {missing[0]!r}" if missing else "samples.npy holds no samples"
            raise RunError(f"{place} is damaged ({what}); {_remedy(number)}.")
        if hashlib.sha256(self.tflite).hexdigest() != self.about.get("sha256"):
            raise RunError(f"{place}/model.tflite is not the file that the search wrote (its digest differs).")


def _remedy(number: int | None) -> str:
    return "resume the search to write it again" if number is None else "take another trial of tinynas pareto"


def _missing(folder: Path, number: int | None) -> str:
    if number is None:
        return f"{folder} has no best model yet: let the search run, or resume it with --resume {folder}."
    numbers = sorted({*kept(folder), *trained(folder)})
    there = f": it keeps those of trials {', '.join(map(str, numbers))}" if numbers else ", nor of any other"
    return (
        f"{folder} keeps no model of trial {number}{there}; tinynas train {folder}:{number} gives this one its final "
        f"training."
    )
