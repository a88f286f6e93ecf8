"""CSV with one sample a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.missing import is_missing
from tinynas.data.prepare import WARNING, Source
from tinynas.data.readers.labels import plain_labels, why_no_classes
from tinynas.data.readers.sheets import Sheet, Sheets, csv_meta, marks_in, read_sheets
from tinynas.data.readers.tables import Table
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Floats = npt.NDArray[np.float32]

_UNLIKE = 10.0  # times the usual range: a common normalisation would leave the small columns without a value
_RUN = 10  # rows under one label, one after the other, on average: a recording


def read_rows(path: Path, options: ReadOptions) -> Source:
    """Rows as samples: a series of as many steps as there are columns, or a step with a channel a column.

    The latter when the ranges of the columns are unlike, since a series has one normalisation for all its steps.
    """

    def needs_window(tables: Sequence[Table]) -> None:
        lengths = {len(table) for table in tables}
        such = f"{lengths.pop()}, which makes each file one sample, or 1" if len(lengths) == 1 else "50, or 1"
        raise DataError(
            f"{path}: the class is the folder or the name of a file, which does not say how many rows are a sample: "
            f"give window (--window), such as {such}, which makes each row one sample"
        )

    sheets = read_sheets(path, options, needs_window)
    x, labels, groups = _joined(sheets.train)
    meta, channels = csv_meta(path), tuple[str, ...]()
    shape: tuple[int, ...] = (x.shape[1],)
    if _are_unlike(_spans(x)) and _are_unlike(_spans(np.where(is_missing(x, marks_in(sheets.train)), np.nan, x))):
        shape, channels = (1, 1, x.shape[1]), sheets.channels
        meta = meta.with_layout("series", "the ranges of the columns differ, so each is a channel")
    notes = (*sheets.notes, *_steps_in_time(sheets))
    source = Source(meta, x.reshape(-1, *shape), plain_labels(labels), groups=groups, notes=notes, channels=channels)
    source = replace(source, no_classes=why_no_classes(labels, path))
    if sheets.test is None:
        return source
    x_test, labels_test, groups_test = _joined(sheets.test)
    both = plain_labels([*labels, *labels_test])
    return replace(
        source,
        y=both[: len(labels)],
        x_test=x_test.reshape(-1, *shape),
        y_test=both[len(labels) :],
        groups_test=groups_test,
    )


def _steps_in_time(sheets: Sheets) -> tuple[str, ...]:
    """A warning where the rows look like steps of a recording: a column tells the time, or labels come in runs."""
    labels = [sheet.labels for sheet in sheets.train]
    runs = sum(1 + int((own[1:] != own[:-1]).sum()) for own in labels)
    n, classes = sum(map(len, labels)), len(set().union(*(own.tolist() for own in labels)))
    if sheets.roles.clock is None and not (runs >= 2 * classes and n >= _RUN * runs):
        return ()
    return (
        f"{WARNING}Each row is read as a sample; rows that are steps in time need --window, such as 50 rows or 2s.",
    )


def _are_unlike(spans: Any) -> bool:
    return bool(spans.max() > _UNLIKE * np.median(spans[spans > 0] if spans.any() else spans))


def _spans(x: Floats) -> Any:
    """The range of each column, missing values left out."""
    known = np.isfinite(x)
    spans = np.where(known, x, -np.inf).max(axis=0) - np.where(known, x, np.inf).min(axis=0)
    return np.where(known.any(axis=0), spans, 0.0)


def _joined(sheets: Sequence[Sheet]) -> tuple[Floats, list[str], Any]:
    """Rows, labels and groups of all files; a group bears the same name in each file."""
    for sheet in sheets:
        if not len(sheet.values):
            raise DataError(f"{sheet.path}: holds no rows")
    labels = [str(label) for sheet in sheets for label in sheet.labels]
    groups = [str(group) for sheet in sheets for group in (() if sheet.groups is None else sheet.groups)]
    return np.concatenate([sheet.values for sheet in sheets]), labels, groups or None
