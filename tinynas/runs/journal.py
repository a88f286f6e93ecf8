"""The journal of a search: every trial in one SQLite file, one transaction each, so that a kill loses nothing.

The newest transactions lie in "journal.sqlite-wal" until `checkpoint` and `close` move them into the file.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tinynas.architecture import Architecture
from tinynas.errors import RunError, TinynasError, check_fields, door
from tinynas.runs.trial import Evaluation, Trial

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trials (
    number INTEGER PRIMARY KEY, generation INTEGER NOT NULL, parent INTEGER, key TEXT NOT NULL,
    state TEXT NOT NULL, architecture TEXT NOT NULL, evaluation TEXT NOT NULL, elapsed_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# The text of an error may hold bytes of the file, which need not be UTF-8.
_SQLITE_ERRORS = (sqlite3.Error, UnicodeError)


class Journal:
    """A table of trials, which are written once, and a small table of facts (seconds so far, stage reached)."""

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, making it when it is new; RunError when the file is not a journal."""
        self.path = path
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            raise _unopened(path, error) from error
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except _SQLITE_ERRORS as error:
            self._connection.close()
            raise _unopened(path, error) from error

    def append(self, trial: Trial) -> None:
        """Write one trial; RunError when its number is taken or the disk refuses."""
        row = (
            trial.number,
            trial.generation,
            trial.parent,
            trial.architecture.key,
            trial.evaluation.state.value,
            json.dumps(trial.architecture.to_dict()),
            json.dumps(trial.evaluation.to_dict()),
            trial.elapsed_s,
        )
        self._run("INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def remove(self, numbers: Collection[int]) -> None:
        """Take out trials that are to run again, all at once."""
        self._run(f"DELETE FROM trials WHERE number IN ({', '.join(str(int(number)) for number in numbers)})")

    def checkpoint(self) -> None:
        """Move everything into the one file: a copy of it alone is whole then."""
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    def trials(self) -> tuple[Trial, ...]:
        """Return every trial, in the order of their numbers."""
        rows = self._run(
            "SELECT number, generation, parent, architecture, evaluation, elapsed_s FROM trials ORDER BY number"
        )
        try:
            return tuple(_trial(*row) for row in rows)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, TinynasError) as error:
            raise RunError(f"The journal {self.path} is damaged: a trial in it cannot be read ({error}).") from error

    def set_fact(self, name: str, value: Any) -> None:
        """Remember `value` (anything JSON holds) under `name`, in place of an earlier one."""
        self._run("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Remember `facts`, all or none of them, unless the journal holds anything already."""
        values = [each for name, value in facts.items() for each in (name, json.dumps(value))]
        rows = ", ".join(["(?, ?)"] * len(facts))
        if not self._run("SELECT 1 FROM facts UNION SELECT 1 FROM trials"):
            self._run(f"INSERT INTO facts VALUES {rows}", tuple(values))

    def fact(self, name: str, default: Any = None) -> Any:
        """Return what was remembered under `name`, or `default` when nothing was."""
        rows = self._run("SELECT value FROM facts WHERE name = ?", (name,))
        try:
            value = json.loads(rows[0][0]) if rows else default
            if isinstance(default, float) and not isinstance(value, int | float):
                raise TypeError("it is no number")
            return value
        except (ValueError, TypeError, RecursionError) as error:
            raise RunError(f"The journal {self.path} is damaged: its fact {name!r} cannot be read.") from error

    def close(self) -> None:
        """Close the file; the journal cannot be used afterwards."""
        self._connection.close()

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            with closing(self._connection.execute(statement, values)) as cursor:
                return cursor.fetchall()
        except _SQLITE_ERRORS as error:
            full = "disk" in str(error)  # "database or disk is full", "disk I/O error"
            hint = ": make room on the disk, and go on with --resume" if full else ""
            raise RunError(f"The journal {self.path} could not be used ({error}){hint}.") from error


def _unopened(path: Path, error: Exception) -> RunError:
    return RunError(f"{path} cannot be opened as a journal ({error}); is this a run folder?")


def _trial(
    number: int, generation: int, parent: int | None, architecture: str, evaluation: str, elapsed_s: float
) -> Trial:
    trial = Trial(
        number,
        generation,
        parent,
        Architecture.from_dict(json.loads(architecture)),
        Evaluation.from_dict(json.loads(evaluation)),
        elapsed_s,
    )
    scores = [each for fold in trial.evaluation.folds for each in (fold.float, fold.int8)]
    for value in (trial, trial.evaluation, trial.evaluation.footprint, *scores):
        if value is not None:
            check_fields(value)
    if any(not isinstance(text, str) for text in trial.evaluation.violations):
        raise TypeError("a violation is no text")
    return trial


@door
def read_trials(path: Path | str) -> Iterator[Trial]:
    """Yield the trials of the journal at `path` without keeping it open."""
    journal = Journal(Path(path))
    try:
        yield from journal.trials()
    finally:
        journal.close()
