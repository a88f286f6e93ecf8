"""ValueDataset: samples whose labels are real values, or no classes: what a regression or an autoencoder is held to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.arguments import check_path
from tinynas.data.dataset import Dataset
from tinynas.data.files import Meta
from tinynas.data.layout import Layout
from tinynas.data.normalize import Floats, Normalization
from tinynas.data.prepare import Options, Source, prepare
from tinynas.data.samples import IN_MEMORY_BYTES
from tinynas.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ValueDataset:
    """Samples x (n, H, W, C) float32 in [0, 1] and what belongs to each, y float32 (n, values); and a test part.

    y and y_test are None where the labels are no numbers. `why` says why the labels were not taken for classes.
    """

    name: str
    x: Floats
    x_test: Floats
    y: Floats | None
    y_test: Floats | None
    layout: Layout
    layout_reason: str
    normalization: Normalization
    notes: tuple[str, ...] = ()
    why: str = "the labels are real values"

    @property
    def width(self) -> int | None:
        """How many values belong to a sample; None where labels are no numbers."""
        return None if self.y is None else self.y.shape[1]

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        labels: str | Path | None = None,
        layout: Layout | None = None,
        reshape: Sequence[int] | None = None,
        test_fraction: float = 0.2,
        seed: int = 0,
        in_memory_bytes: int = IN_MEMORY_BYTES,
        **reading: Any,
    ) -> ValueDataset:
        """The set at `path`, as Dataset.load reads it, but for the labels, which may be any numbers, or one word."""
        from tinynas.data.readers import ReadOptions, read

        check_path("path", path)
        options = ReadOptions.create(reading)
        source = read(Path(path), None if labels is None else Path(labels), options, in_memory_bytes)
        return cls._of(source, Options(layout, reshape, test_fraction, seed, in_memory_bytes=in_memory_bytes))

    @classmethod
    def from_arrays(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike | None,
        x_test: npt.ArrayLike | None = None,
        y_test: npt.ArrayLike | None = None,
        *,
        layout: Layout | None = None,
        reshape: Sequence[int] | None = None,
        test_fraction: float = 0.2,
        seed: int = 0,
        name: str = "arrays",
    ) -> ValueDataset:
        """The set of samples x (n, ...) and values y (n,) or (n, values), None without any; else as Dataset's."""
        source = Source(Meta(name), x, y, x_test, y_test)  # type: ignore[arg-type]
        return cls._of(source, Options(layout, reshape, test_fraction, seed))

    @classmethod
    def _of(cls, source: Source, options: Options) -> ValueDataset:
        where = source.meta.name
        values, values_test = _numbers(source.y, where), _numbers(source.y_test, f"{where}, test part")
        x = source.x if isinstance(source.x, np.memmap) else np.asarray(source.x)
        x_test = source.x_test
        if values is not None and len(values) != len(x):
            raise DataError(f"{where}: {len(x):,} samples but {len(values):,} labels, wanted one for each sample")
        if x_test is None:
            rows, rows_test = _split(x, source.groups, options, where)
            x, x_test = x[rows], x[rows_test]
            values, values_test = (None, None) if values is None else (values[rows], values[rows_test])
        stand_in = (np.arange(len(part)) % 2 for part in (x, np.asarray(x_test)))  # `prepare` wants classes
        meta = replace(source.meta, class_names=None)
        bare = replace(source, meta=meta, x=x, x_test=x_test, groups=None, groups_test=None, no_classes=None)
        made = prepare(replace(bare, y=next(stand_in), y_test=next(stand_in)), options)
        if values is None or values_test is None or values.shape[1] != values_test.shape[1]:
            values = values_test = None
        about = made.layout, made.layout_reason, made.normalization, made.notes
        return cls(where, made.x, made.x_test, values, values_test, *about)


def values_of(data: Dataset | ValueDataset) -> tuple[Floats, Floats] | None:
    """The values (n, k) of the training and of the test samples; those of classes that are called by numbers too.

    None where the labels are no numbers.
    """
    if isinstance(data, ValueDataset):
        return None if data.y is None or data.y_test is None else (data.y, data.y_test)
    numbers = _numbers(data.class_names, data.name)
    return None if numbers is None else (numbers[data.y], numbers[data.y_test])


def _numbers(labels: Any, where: str) -> Floats | None:
    """Labels (n,) or (n, k) as float32 (n, k); None where they are words. DataError for what is not finite."""
    if labels is None:
        return None
    try:
        found = np.asarray(labels)
        found = found.astype(np.float64)
    except (TypeError, ValueError):
        return None  # words, or lists of several lengths
    if found.ndim not in (1, 2) or not found.size:
        raise DataError(f"{where}: labels have shape {found.shape}, wanted (n,) or (n, values)")
    if not np.isfinite(found).all() or np.abs(found).max() > np.finfo(np.float32).max:
        raise DataError(f"{where}: a label is no finite number; clean or drop such samples")
    return found.reshape(len(found), -1).astype(np.float32)


def _split(x: Array, groups: Any, options: Options, where: str) -> tuple[Array, Array]:
    """Rows for training and for the test, drawn by the seed; a group stays whole."""
    codes = np.arange(len(x)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    names = np.unique(codes)
    wanted = max(1, math.ceil(options.test_fraction * len(names)))
    if wanted >= len(names):
        raise DataError(f"{where}: {len(names)} samples or groups are too few to set some apart for the test")
    chosen = np.random.default_rng(options.seed).permutation(names)[:wanted]
    held = np.isin(codes, chosen)
    return np.flatnonzero(~held), np.flatnonzero(held)
