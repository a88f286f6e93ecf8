"""CSV with one sample a row."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.files import Meta, read_meta
from tinynas.data.prepare import Source
from tinynas.data.readers.folders import TABLES, files_in, parts
from tinynas.data.readers.tables import Table, plain_labels, read_table, require_same_columns
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Floats = npt.NDArray[np.float32]

_TRAIN, _TEST = ("train", "training"), ("test", "testing")
_UNLIKE = 10.0  # times the usual range: a common normalisation would leave the small columns without a value


def read_rows(path: Path, options: ReadOptions) -> Source:
    """Rows as samples: a series of as many steps as there are columns, or a step with a channel a column.

    The latter when the ranges of the columns are unlike, since a series has one normalisation for all its steps.
    """
    files, files_test, notes = csv_files(path)
    train = [read_table(file, options, True) for file in files]
    test = [read_table(file, options, True) for file in files_test]
    require_same_columns([*train, *test])
    x, labels, groups = _joined(train)
    notes = (*train[0].label_note, *notes)
    y = plain_labels(labels)
    no_classes = None
    if len(set(labels)) > max(20, len(labels) // 2):
        no_classes = (
            f"{path}: the label takes {len(set(labels)):,} values in {len(labels):,} rows, such as {labels[0][:40]!r}, "
            f"which are no classes: name the column of the classes with label (--label)"
        )
    meta = csv_meta(path)
    shape: tuple[int, ...] = (x.shape[1],)
    spans = x.max(axis=0) - x.min(axis=0) if len(x) else np.zeros(1)
    if spans.max() > _UNLIKE * np.median(spans[spans > 0] if spans.any() else spans):
        shape = (1, 1, x.shape[1])
        meta = meta.with_layout("series", "the columns' ranges are unlike, so each is a channel")
    source = Source(meta, x.reshape(-1, *shape), y, groups=groups, notes=notes, no_classes=no_classes)
    if not test:
        return source
    x_test, labels_test, groups_test = _joined(test)
    both = plain_labels([*labels, *labels_test])
    return Source(
        meta,
        source.x,
        both[: len(labels)],
        x_test.reshape(-1, *shape),
        both[len(labels) :],
        groups,
        groups_test,
        notes=notes,
        no_classes=no_classes,
    )


def csv_files(path: Path) -> tuple[list[Path], list[Path], tuple[str, ...]]:
    """(training files, test files, notes) of a CSV file or a folder of them, or of its train and test folders.

    Files called train and test beside each other are the two parts.
    """
    if not os.path.isdir(path):
        return [path], [], ()
    folder, test, notes = parts(path)
    files = files_in(folder, TABLES)
    if test is not None:
        return files, files_in(test, TABLES), notes
    named = {file.stem.lower(): file for file in files}
    train_file = next((named[name] for name in _TRAIN if name in named), None)
    test_file = next((named[name] for name in _TEST if name in named), None)
    if train_file is None or test_file is None:
        return files, [], notes
    left = [file.name for file in files if file not in (train_file, test_file)]
    more = (f"Beside {train_file.name} and {test_file.name} these were left out: {', '.join(left)}.",) if left else ()
    return [train_file], [test_file], (*notes, *more)


def csv_meta(path: Path) -> Meta:
    """What meta.json says beside or in `path`, under the name of the file where it is one."""
    if os.path.isdir(path):
        return read_meta(path)
    beside = read_meta(path.parent)
    return Meta(path.stem, beside.class_names, beside.layout)


def _joined(tables: Sequence[Table]) -> tuple[Floats, list[str], Any]:
    """Rows, labels and groups of all tables; a group bears the same name in each file."""
    for table in tables:
        if not len(table.values):
            raise DataError(f"{table.path}: holds no rows")
    labels = [label for table in tables for label in table.labels or ()]
    groups = [group for table in tables for group in table.groups or ()]
    return np.concatenate([table.values for table in tables]), labels, groups or None
