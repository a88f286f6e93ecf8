"""A run folder: settings.json, journal.sqlite, search.log, models, summary.json; only this room writes them."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from tinynas.errors import RunError, door, require_utf8
from tinynas.runs.journal import Journal
from tinynas.runs.models import (
    Best,
    copy_model,
    finish_rename,
    kept,
    number_of,
    prune,
    renamed,
    standing,
    trained_folder,
    trial_folder,
    write_model,
)
from tinynas.runs.names import require_outside_models
from tinynas.runs.settings import Extension, Settings
from tinynas.runs.summary import SUMMARY, read_summary
from tinynas.runs.trial import Trial
from tinynas.runs.weights import write_weights
from tinynas.runs.writing import write_atomically, writing

_FRESH = ".journal.sqlite"  # until the settings are there, with which a folder is a run
_SETTINGS, _JOURNAL, _LOG = "settings.json", "journal.sqlite", "search.log"
_WEIGHTS, _BEST, _SCRATCH = "weights", "best", ".scratch"
_AGAIN = "Tried again:"
_TIME = r"[\d-]+ [\d:]+ "
_TRIAL_LINE = re.compile(rf"{_TIME}generation \d+: #(\d+) ")
_AGAIN_LINE = re.compile(rf"{_TIME}{_AGAIN}(.*)")
# Facts of a new search: what an earlier version began goes on without. `ahead`, `ahead_least`: when a generation is
# proposed, one in so many of those before it, the newest, need not be told, and so many at least
# (tinynas/searching/ahead.py). `size_in_macs`: what the size of a network is (tinynas/searching/equal_length.py).
# `few_groups`: few groups are few samples (tinynas/training/schedule.py).
# `proven_stay`: a hand-made finalist stays unless it is surely beaten (tinynas/searching/course.py). `cut_finals`: a
# long final training is no longer than is of use, and there are more finalists (tinynas/searching/clock.py).
# `ends_plain`: a training on pictures ends with them as they are (tinynas/training/augment.py).
SINCE = {
    "small_sets": True,
    "long_finals": True,
    "ahead": 4,
    "ahead_least": 2,
    "size_in_macs": True,
    "few_groups": True,
    "proven_stay": True,
    "cut_finals": True,
    "ends_plain": True,
}


def _prepare_journal(folder: Path) -> None:
    """Write the facts of a new search before its settings: a run without them is one that an earlier version began."""
    for left in folder.glob(f"{_FRESH}*"):
        left.unlink()
    journal = Journal(folder / _FRESH)
    try:
        journal.begin(SINCE)
        journal.checkpoint()
    finally:
        journal.close()


class Run:
    """A run folder that this process has open for writing; other processes are kept out until `close`."""

    def __init__(self, folder: Path, settings: Settings, lock: IO[str]) -> None:
        """Use `create` or `open`: they take the lock."""
        self.folder = folder
        self.settings = settings
        self._lock = lock
        try:
            fresh = folder / _FRESH
            if fresh.exists() and not (folder / _JOURNAL).exists():
                with writing(folder / _JOURNAL):
                    fresh.rename(folder / _JOURNAL)
            self.journal = Journal(folder / _JOURNAL)
        except RunError:
            lock.close()
            raise

    @classmethod
    def create(cls, folder: Path, settings: Settings) -> "Run":
        """Make `folder` for a new search; RunError when it holds something already or cannot be made."""
        try:
            folder = _followed(folder)
            require_utf8(RunError, "The run folder", str(folder))
            require_outside_models(folder)
            folder.mkdir(parents=True, exist_ok=True)
            if any(not entry.name.startswith(".") for entry in folder.iterdir()):
                raise RunError(f"{folder} is not empty: choose another --out, or go on with --resume {folder}.")
            lock = _lock(folder)
            try:
                _prepare_journal(folder)
                write_atomically(folder / _SETTINGS, settings.model_dump_json(indent=1).encode())
            except BaseException:
                lock.close()
                raise
        except OSError as error:
            raise RunError(
                f"The run folder {folder} cannot be written ({error.strerror}); choose another --out."
            ) from error
        return cls(folder, settings, lock)

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open the run in `folder` to go on with it; RunError when it is none, or another process has it."""
        folder = _followed(folder)
        settings = read_settings(folder)
        try:
            lock = _lock(folder)
        except OSError as error:
            raise RunError(f"The run folder {folder} cannot be written: {error.strerror}.") from error
        return cls(folder, settings, lock)

    def discard(self) -> None:
        """Remove the folder of a search that found nothing to train, so that its name is free again."""
        self.close()
        shutil.rmtree(self.folder)

    def log(self, line: str) -> None:
        """Append one line with the time to search.log."""
        with writing(self.folder / _LOG), (self.folder / _LOG).open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}\n")

    def log_trial(self, trial: Trial) -> None:
        """Append a trial to search.log; `logged` finds it there."""
        self.log(f"generation {trial.generation}: {trial}")

    def log_again(self, numbers: Sequence[int]) -> None:
        """Append to search.log that trials run again, which `logged` counts no longer."""
        self.log(f"{_AGAIN} #{', #'.join(map(str, numbers))}")

    def logged(self) -> set[int]:
        """Return the numbers of the trials that search.log tells of, which the journal had before."""
        try:
            text = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return set()
        numbers: set[int] = set()
        for line in text.splitlines():
            if found := _TRIAL_LINE.match(line):
                numbers.add(int(found[1]))
            elif found := _AGAIN_LINE.match(line):
                numbers -= {int(number) for number in re.findall(r"#(\d+)", found[1])}
        return numbers

    def save_best(self, about: Mapping[str, Any], keras: bytes, tflite: bytes, samples: np.ndarray) -> None:
        """Replace best/ by a new model, whole or not at all.

        `about` goes into architecture.json; `samples` are held-out int8 inputs (n, H, W, C), for the check that
        `convert` makes in TFLM.
        """
        write_model(self.folder / _BEST, about, keras, tflite, samples)
        _point_latest(self.folder)

    def weights_path(self, number: int) -> Path:
        """Return where `save_weights` keeps the weights of trial `number`."""
        return self.folder / _WEIGHTS / f"{number}.npz"

    def start_path(self, number: int) -> Path | None:
        """Return the file with the weights of trial `number` that its children start from; None where there is none."""
        path = self.weights_path(number)
        return next((each for each in (path, path.with_suffix(".keras")) if each.exists()), None)

    def keep_starts(self, trials: Iterable[Trial]) -> None:
        """Let the models of models/ be started from too, for those of `trials` of which no weights are kept.

        A model is of fold 0, as weights are; one of a finalist is for all trials of its network. They are copied, since
        a search that goes on may remove them from models/, and after a kill would go on otherwise than without.
        """
        trials, numbers = tuple(trials), kept(self.folder)
        models = {trial.architecture.key: trial.number for trial in trials if trial.number in numbers}
        for trial in trials:
            is_proxy = trial.evaluation.fidelity == "proxy" and bool(trial.evaluation.folds)
            if is_proxy and trial.architecture.key in models and self.start_path(trial.number) is None:
                model = trial_folder(self.folder, models[trial.architecture.key]) / "model.keras"
                path = self.weights_path(trial.number).with_suffix(".keras")
                path.parent.mkdir(exist_ok=True)
                write_atomically(path, model.read_bytes())

    def save_weights(self, number: int, weights: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Keep the weights of a trial, by layer name, for those that will start from them."""
        path = self.weights_path(number)
        with writing(path):
            path.parent.mkdir(exist_ok=True)
            write_weights(path, weights)

    def save_trial(
        self, number: int, about: Mapping[str, Any], keras: bytes, tflite: bytes, samples: np.ndarray
    ) -> None:
        """Keep the model of trial `number` in models/, whole or not at all; the arguments are those of save_best."""
        write_model(trial_folder(self.folder, number), about, keras, tflite, samples)

    def save_trained(
        self,
        number: int,
        about: Mapping[str, Any],
        keras: bytes,
        tflite: bytes,
        samples: np.ndarray,
        summary: Mapping[str, Any],
    ) -> None:
        """Keep what a final training of trial `number` made in trained/, with its summary, whole or not at all."""
        write_model(trained_folder(self.folder, number), about, keras, tflite, samples, summary)

    def prune(self, numbers: Collection[int]) -> None:
        """Remove the kept models of all trials but `numbers`."""
        prune(self.folder, numbers)

    def prune_weights(self, numbers: Collection[int]) -> None:
        """Remove the weights that `save_weights` kept of all trials but `numbers`."""
        weights = self.folder / _WEIGHTS
        for path in weights.iterdir() if weights.is_dir() else ():
            if not (path.stem.isdecimal() and int(path.stem) in numbers):
                path.unlink()

    @property
    def scratch(self) -> Path:
        """Where processes of this search put what nobody needs after it; `sweep` removes it."""
        return self.folder / _SCRATCH

    def sweep(self) -> None:
        """Remove what a kill left of files that were being written, and of what processes shared."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        names = "|".join(map(re.escape, (_SETTINGS, SUMMARY, "report.html")))
        for path in self.folder.iterdir():
            if re.fullmatch(rf"\.({names})\.\d+", path.name):
                path.unlink(missing_ok=True)

    def finish_renames(self) -> None:
        """Bring to its end what a kill left of a model that was being put in another's place."""
        for place in renamed(self.folder):
            finish_rename(place)

    def best_trial(self) -> int | None:
        """Return the number of the trial whose model is in best/, None where there is none to be read."""
        return number_of(self.folder / _BEST)

    def copy_to_best(self, number: int) -> None:
        """Put the kept model of trial `number` into best/, whole or not at all."""
        copy_model(trial_folder(self.folder, number), self.folder / _BEST)

    def copy_best(self, number: int, summary: Mapping[str, Any]) -> None:
        """Keep a copy of best/ as a final training of trial `number`, with its summary, whole or not at all."""
        copy_model(self.folder / _BEST, trained_folder(self.folder, number), summary)

    def drop_copy(self, number: int) -> None:
        """Remove what `copy_best` kept of trial `number`, if it still is what best/ holds."""
        copy = trained_folder(self.folder, number)
        if standing(copy) is not None and Best(self.folder, number).tflite == Best(self.folder).tflite:
            shutil.rmtree(copy)

    def extend(self, extension: Extension) -> None:
        """Let the search, which has ended, go on: the settings say so, and the summary makes room for another."""
        self.settings = self.settings.model_copy(update={"extensions": (*self.settings.extensions, extension)})
        write_atomically(self.folder / _SETTINGS, self.settings.model_dump_json(indent=1).encode())
        self.set_summary_aside()

    def set_summary_aside(self) -> None:
        """Rename a summary that is older than the newest extension, as `extend` does, which a kill may have stopped."""
        extensions, summary = self.settings.extensions, self.summary()
        if extensions and summary is not None and summary["seconds"] <= extensions[-1].age_s:
            os.replace(self.folder / SUMMARY, self._summary_before(len(extensions)))

    def summary_before(self, part: int) -> dict[str, Any] | None:
        """Return what summary.json said before the search went on for the time `part`, counted from 1."""
        return read_summary(self.folder, self._summary_before(part).name)

    def _summary_before(self, part: int) -> Path:
        return self.folder / f"summary_{part}.json"

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json, whole or not at all."""
        with writing(self.folder / SUMMARY):
            write_atomically(self.folder / SUMMARY, json.dumps(summary, indent=1).encode())

    def remove_summary(self) -> None:
        """Take the search for one that has not ended: its end runs again."""
        with writing(self.folder / SUMMARY):
            (self.folder / SUMMARY).unlink(missing_ok=True)

    def summary(self) -> dict[str, Any] | None:
        """Return summary.json, or None while the search has not ended."""
        return read_summary(self.folder)

    def close(self) -> None:
        """Close the journal and let other processes in."""
        self.journal.close()
        self._lock.close()


@door
def read_settings(folder: Path | str) -> Settings:
    """Return the settings of the run in `folder`; RunError when it is no run folder."""
    path = Path(folder) / _SETTINGS
    try:
        return Settings.read(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{folder} is not a run folder: it has no readable {_SETTINGS}.") from error


def _followed(folder: Path) -> Path:
    """Return the folder that a link such as runs/latest points to: the link itself is replaced by a later run."""
    return folder.resolve() if folder.is_symlink() else folder


def _lock(folder: Path) -> IO[str]:
    lock = (folder / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise RunError(
            f"{folder} is in use by another tinynas; wait for it to end, or choose another --out."
        ) from error
    return lock


def _point_latest(folder: Path) -> None:
    """Let `latest` beside the run folder point to it; a file or folder of that name that is no link stays."""
    link = folder.parent / "latest"
    if link.exists() and not link.is_symlink():
        return
    beside = folder.parent / f".latest.{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder.name)
    os.replace(beside, link)
