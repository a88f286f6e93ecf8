"""What every way to a Dataset goes through: check, lay out, label, split, normalise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from tinynas.data.arguments import check_options
from tinynas.data.clean import clean, marks_of
from tinynas.data.features import MelFeatures
from tinynas.data.files import Meta
from tinynas.data.groups import Groups, encode_groups, split_off_groups
from tinynas.data.labels import encode_labels, flat_labels
from tinynas.data.layout import Layout, arrange, as_layout, choose_layout, reshape_samples
from tinynas.data.normalize import Floats, Normalization, check_values, fit_normalization
from tinynas.data.ranges import find_ranges
from tinynas.data.samples import IN_MEMORY_BYTES, normalized
from tinynas.data.splits import split_off
from tinynas.errors import DataError

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Source:
    """Samples and labels as they came, and what is known of them; without a test part all `_test` are None.

    groups: a name or number a sample; samples of one group are never split.  features: how the samples were made from
    sound.  notes: sentences for the person, on what was left out or assumed.  channels: their names, where the files
    give them.  is_clean: missing values were treated by the reader.
    """

    meta: Meta
    x: npt.ArrayLike
    y: npt.ArrayLike
    x_test: npt.ArrayLike | None = None
    y_test: npt.ArrayLike | None = None
    groups: npt.ArrayLike | None = None
    groups_test: npt.ArrayLike | None = None
    features: MelFeatures | None = None
    notes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    is_clean: bool = False


@dataclass(frozen=True)
class Options:
    """What the caller asked for: see Dataset.from_arrays. `normalization` None means fitted."""

    layout: Layout | None = None
    reshape: Sequence[int] | None = None
    test_fraction: float = 0.2
    seed: int = 0
    normalization: Normalization | None = None
    in_memory_bytes: int = IN_MEMORY_BYTES
    missing: str | None = None
    range: str | None = None


class Prepared(NamedTuple):
    """The fields of a Dataset after its name, in order."""

    x: Floats
    y: Ints
    x_test: Floats
    y_test: Ints
    class_names: tuple[str, ...]
    layout: Layout
    layout_reason: str
    normalization: Normalization
    groups: Groups | None
    features: MelFeatures | None
    notes: tuple[str, ...]
    channels: tuple[str, ...]


def prepare(source: Source, options: Options) -> Prepared:
    """The checked, laid out, split and normalised samples of `source`; DataError for what cannot be used."""
    check_options(options.reshape, options.test_fraction, options.seed)
    where = source.meta.name
    raw, labels = _part(source.x, source.y, options, f"{where}, training part")
    raw_test, labels_test = _test_part(source, options, raw)
    # meta.json speaks of the samples as they lie in the file, so a reshape overrules it.
    hint = source.meta.layout if options.reshape is None else None
    given = None if options.layout is None else as_layout(options.layout, where)
    layout, reason = choose_layout(raw.shape[1:], given, hint, source.meta.layout_reason)
    is_exact = options.reshape is None and source.meta.layout_reason is not None  # the reader knows the axes
    raw = arrange(raw, layout, where, is_exact)
    raw_test = None if raw_test is None else arrange(raw_test, layout, where, is_exact)
    notes = source.notes
    if options.missing is not None and not source.is_clean:
        marks = marks_of(raw)
        raw, kept, told = clean(raw, marks, options.missing, layout, where)
        labels, source = labels[kept], replace(source, groups=_rows_of(source.groups, kept))
        notes += told
        if raw_test is not None and labels_test is not None:
            raw_test, kept, told = clean(raw_test, marks, options.missing, layout, f"{where}, test part")
            labels_test, source = labels_test[kept], replace(source, groups_test=_rows_of(source.groups_test, kept))
            notes += told
    y, y_test, names = encode_labels(labels, labels_test, source.meta.class_names, where)
    groups = _groups(source, len(y), None if y_test is None else len(y_test))
    if raw_test is None or y_test is None:
        split = options.test_fraction, options.seed, names, where
        fold = split_off(y, *split) if groups is None else split_off_groups(y, groups.codes, *split)
        raw_test, rows, rows_test = raw, fold.train, fold.validation
        y, y_test = y[rows], y[rows_test]
        groups = None if groups is None else groups.divided(fold)
    else:
        rows, rows_test = None, None
    fitted = options.normalization
    if fitted is None:
        ranges = find_ranges(raw, rows, y, options.range, source.channels)
        fitted, notes = fit_normalization(raw, rows, where, (ranges.low, ranges.high)), notes + ranges.notes
    x, x_test = (
        # Samples read like an array of float32, and callers treat them as one.
        cast(Floats, normalized(part, part_rows, fitted, options.in_memory_bytes))
        for part, part_rows in ((raw, rows), (raw_test, rows_test))
    )
    return Prepared(
        x, y, x_test, y_test, names, layout, reason, fitted, groups, source.features, notes, source.channels
    )


def _rows_of(groups: npt.ArrayLike | None, kept: npt.NDArray[np.bool_]) -> npt.ArrayLike | None:
    return groups if groups is None or kept.all() else np.asarray(groups)[kept]


def _part(x: npt.ArrayLike, y: npt.ArrayLike, options: Options, where: str) -> tuple[Array, Array]:
    """Samples (n, ...) and labels (n,) of one part, checked against each other."""
    try:
        raw = x if isinstance(x, np.memmap) else np.asarray(x)  # a mapped file stays one
    except ValueError as error:
        raise DataError(f"{where}: samples differ in shape, wanted one array ({error})") from error
    if raw.ndim < 2 or raw.size == 0:
        raise DataError(f"{where}: samples have shape {raw.shape}, wanted (n, ...) with at least one value each")
    labels = flat_labels(y, where)
    if len(labels) != len(raw):
        raise DataError(f"{where}: {len(raw):,} samples but {len(labels):,} labels, wanted one a sample")
    check_values(raw, where, may_miss=options.missing is not None)
    return raw if options.reshape is None else reshape_samples(raw, tuple(options.reshape), where), labels


def _test_part(source: Source, options: Options, raw: Array) -> tuple[Array | None, Array | None]:
    """The test samples and labels, checked against the training samples `raw`; (None, None) without any."""
    where = source.meta.name
    if source.x_test is None and source.y_test is None:
        return None, None
    if source.x_test is None or source.y_test is None:
        raise DataError(f"{where}: a test part needs both samples and labels, or neither")
    test, labels = _part(source.x_test, source.y_test, options, f"{where}, test part")
    if raw.shape[1:] != test.shape[1:]:
        raise DataError(f"{where}: training samples have shape {raw.shape[1:]}, test samples {test.shape[1:]}")
    if (raw.dtype.kind, raw.dtype == np.uint8) != (test.dtype.kind, test.dtype == np.uint8):
        raise DataError(f"{where}: training samples are {raw.dtype}, test samples {test.dtype}: scale alike")
    return test, labels


def _groups(source: Source, n: int, n_test: int | None) -> Groups | None:
    where = source.meta.name
    if source.groups is None:
        if source.groups_test is not None:
            raise DataError(f"{where}: the test part has groups and the training part has none: give both or neither")
        return None
    return encode_groups(source.groups, source.groups_test, n, n_test, where)
