"""What every way to a Dataset goes through: check, lay out, label, split, normalise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from tinynas.data.arguments import check_options
from tinynas.data.clean import clean, marks_of
from tinynas.data.files import Meta
from tinynas.data.groups import Groups, encode_groups, overlapping_groups, split_off_groups
from tinynas.data.labels import encode_labels, flat_labels
from tinynas.data.layout import Layout, arrange, as_layout, choose_layout, reshape_samples, turned
from tinynas.data.normalize import Floats, Normalization, check_values, chunks, fit_normalization
from tinynas.data.ranges import find_ranges
from tinynas.data.samples import IN_MEMORY_BYTES, allocate, normalized
from tinynas.data.spectra import as_spectra
from tinynas.data.splits import split_off
from tinynas.errors import DataError, UsageError
from tinynas.features import Features, IntLogMel, Spectral

WARNING = "Warning: "  # begins a note on what is doubtful

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Source:
    """Samples and labels as they came, and what is known of them; without a test part all `_test` are None.

    groups: a name or number a sample; samples of one group are never split.  features: how the samples were made from
    sound; those of an IntLogMel are its logarithms, of which bytes are made by the range of the training part.
    notes: sentences for the person, on what was left out or assumed.  channels: their names, where the files give
    them.  rate: steps a second.  is_clean: missing values were treated by the reader.  no_classes: a sentence that
    says why the labels cannot be classes, for those who need such.
    """

    meta: Meta
    x: npt.ArrayLike
    y: npt.ArrayLike
    x_test: npt.ArrayLike | None = None
    y_test: npt.ArrayLike | None = None
    groups: npt.ArrayLike | None = None
    groups_test: npt.ArrayLike | None = None
    features: Features | None = None
    notes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    rate: float | None = None
    is_clean: bool = False
    no_classes: str | None = None


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
    features: str | None = None


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
    features: Features | None
    notes: tuple[str, ...]
    channels: tuple[str, ...]
    rate: float | None


@dataclass(frozen=True, eq=False)
class _Part:
    """Samples x (n, ...) as they came, labels (n,), and groups (n,) where there are any."""

    x: Array
    labels: Array
    groups: npt.ArrayLike | None

    def of(self, kept: npt.NDArray[np.bool_], x: Array) -> _Part:
        """The part with the samples x, which are those that were kept."""
        groups = self.groups if self.groups is None or kept.all() else np.asarray(self.groups)[kept]
        return _Part(x, self.labels[kept], groups)


def prepare(source: Source, options: Options) -> Prepared:
    """The checked, laid out, split and normalised samples of `source`; DataError for what cannot be used."""
    check_options(options.reshape, options.test_fraction, options.seed)
    _check_features(options.features, source)
    if source.no_classes is not None:
        raise DataError(source.no_classes)
    where = source.meta.name
    train = _part(source.x, source.y, source.groups, options, f"{where}, training part")
    test = _test_part(source, options, train.x)
    layout, reason, notes, train, test = _laid_out(source, options, train, test)
    if options.missing is not None and not source.is_clean:
        train, test, told = _cleaned(train, test, options.missing, layout, where)
        notes += told
    y, y_test, names = encode_labels(
        train.labels, None if test is None else test.labels, source.meta.class_names, where
    )
    split = options.test_fraction, options.seed, names, where
    groups, fold = _groups(train, test, where), None
    if train.groups is None and layout == "series" and source.features is None:
        parts = (train.x,) if test is None else (train.x, test.x)
        groups, fold, note = overlapping_groups(parts, y, y_test, *split)
        notes += (note if groups is not None else f"{WARNING}{note}",) if note else ()
    raw, rows, rows_test = train.x, None, None
    if test is None or y_test is None:
        if fold is None:
            fold = split_off(y, *split) if groups is None else split_off_groups(y, groups.codes, *split)
            groups = None if groups is None else groups.divided(fold)
        raw_test, rows, rows_test = raw, fold.train, fold.validation
        y, y_test = y[rows], y[rows_test]
    else:
        raw_test = test.x
    fitted, features = options.normalization, source.features
    if options.features == Spectral.KIND:
        ranges = find_ranges(raw, rows, y, options.range, source.channels)
        features, raw, raw_test = as_spectra(raw, raw_test, rows, ranges, layout, where)
        notes = (*notes, *ranges.notes, features.words(source.rate))
        fitted = fit_normalization(raw, rows, where)
    elif isinstance(features, IntLogMel):
        ranges = find_ranges(raw, rows, y, options.range, source.channels)
        notes = (*notes, *ranges.notes)
        features, raw, raw_test = _as_bytes(features, raw, raw_test, (float(ranges.low[0]), float(ranges.high[0])))
        fitted = fit_normalization(raw, rows, where)
    elif fitted is None:
        ranges = find_ranges(raw, rows, y, options.range, source.channels)
        fitted = fit_normalization(raw, rows, where, (ranges.low, ranges.high), options.range == "robust")
        notes = (*notes, *ranges.notes)
    x, x_test = (
        # Samples read like an array of float32, and callers treat them as one.
        cast(Floats, normalized(part, part_rows, fitted, options.in_memory_bytes))
        for part, part_rows in ((raw, rows), (raw_test, rows_test))
    )
    about = layout, reason, fitted, groups, features, notes, source.channels, source.rate
    return Prepared(x, y, x_test, y_test, names, *about)


def _check_features(asked: str | None, source: Source) -> None:
    """UsageError for features of sound where there is none, or of a series where there is sound."""
    if asked is not None and (asked == Spectral.KIND) == (source.features is not None):
        of_what = "series of steps" if asked == Spectral.KIND else "WAV files"
        raise UsageError(f"features {asked} are those of {of_what}, and {source.meta.name} holds others.")


def _as_bytes(
    features: IntLogMel, raw: Array, raw_test: Array, ends: tuple[float, float]
) -> tuple[IntLogMel, Array, Array]:
    """The features whose bytes span `ends`, and the bytes of the logarithms of both parts."""
    if ends[0] == ends[1]:
        raise DataError("every training clip has the same features, so nothing can be learned: are all of them silent?")
    fitted = features.fitted(*ends)
    is_one = raw_test is raw
    made = []
    for part in (raw,) if is_one else (raw, raw_test):
        out = allocate(part.shape, np.uint8)
        for start, rows in chunks(part, None, np.int64):
            out[start : start + len(rows)] = fitted.bytes_of(rows)
        made.append(out)
    return fitted, made[0], made[-1]


def _laid_out(
    source: Source, options: Options, train: _Part, test: _Part | None
) -> tuple[Layout, str, tuple[str, ...], _Part, _Part | None]:
    """(layout, its reason, notes, both parts with samples of (H, W, C))."""
    where = source.meta.name
    # meta.json and the reader speak of the samples as they lie in the file, so a reshape overrules them.
    is_fixed = options.reshape is not None
    hint, why = (None, None) if is_fixed else (source.meta.layout, source.meta.layout_reason)
    given = None if options.layout is None else as_layout(options.layout, where)
    layout, reason, order, doubt = choose_layout(train.x.shape[1:], given, hint, why, is_fixed)

    def laid(part: _Part) -> _Part:
        return replace(part, x=arrange(turned(part.x, order), layout, where, why is not None))

    notes = source.notes if doubt is None else (*source.notes, f"{WARNING}{doubt}")
    return layout, reason, notes, laid(train), None if test is None else laid(test)


def _cleaned(
    train: _Part, test: _Part | None, policy: str, layout: Layout, where: str
) -> tuple[_Part, _Part | None, tuple[str, ...]]:
    """Both parts without missing values, and sentences on what became of them."""
    marks = marks_of(train.x)
    x, kept, notes = clean(train.x, marks, policy, layout, where)
    train = train.of(kept, x)
    if test is None:
        return train, None, notes
    x, kept, more = clean(test.x, marks, policy, layout, f"{where}, test part")
    return train, test.of(kept, x), (*notes, *more)


def _part(x: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None, options: Options, where: str) -> _Part:
    """Samples (n, ...) and labels (n,) of one part, checked against each other."""
    try:
        raw = x if isinstance(x, np.memmap) else np.asarray(x)  # a mapped file stays one
    except ValueError as error:
        raise DataError(f"{where}: samples differ in shape, wanted one array ({error})") from error
    if raw.ndim < 2 or raw.size == 0:
        raise DataError(f"{where}: samples have shape {raw.shape}, wanted (n, ...) with at least one value each")
    labels = flat_labels(y, where)
    if len(labels) != len(raw):
        raise DataError(f"{where}: {len(raw):,} samples but {len(labels):,} labels, wanted one for each sample")
    check_values(raw, where, may_miss=options.missing is not None)
    raw = raw if options.reshape is None else reshape_samples(raw, tuple(options.reshape), where)
    return _Part(raw, labels, groups)


def _test_part(source: Source, options: Options, raw: Array) -> _Part | None:
    """The test samples and labels, checked against the training samples `raw`; None without any."""
    where = source.meta.name
    if source.x_test is None and source.y_test is None:
        if source.groups_test is not None:
            raise DataError(f"{where}: groups of a test part came, but no test part")
        return None
    if source.x_test is None or source.y_test is None:
        raise DataError(f"{where}: a test part needs both samples and labels, or neither")
    test = _part(source.x_test, source.y_test, source.groups_test, options, f"{where}, test part")
    if raw.shape[1:] != test.x.shape[1:]:
        raise DataError(f"{where}: training samples have shape {raw.shape[1:]}, test samples {test.x.shape[1:]}")
    if (raw.dtype.kind, raw.dtype == np.uint8) != (test.x.dtype.kind, test.x.dtype == np.uint8):
        raise DataError(f"{where}: training samples are {raw.dtype}, test samples {test.x.dtype}: scale alike")
    return test


def _groups(train: _Part, test: _Part | None, where: str) -> Groups | None:
    groups_test, n_test = (None, None) if test is None else (test.groups, len(test.labels))
    if train.groups is None:
        if groups_test is not None:
            raise DataError(f"{where}: the test part has groups and the training part has none: give both or neither")
        return None
    return encode_groups(train.groups, groups_test, len(train.labels), n_test, where)
