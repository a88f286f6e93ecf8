"""Dataset: labelled samples in [0, 1], a training and a test part, ready for a search."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.arguments import check_arrays, check_names, check_path, check_whole
from tinynas.data.files import Meta, find_files, read_meta
from tinynas.data.idx import read_idx
from tinynas.data.layout import Layout
from tinynas.data.normalize import Floats, Normalization
from tinynas.data.prepare import Options, Source, prepare
from tinynas.data.splits import Fold, representative_rows, stratified_folds

Ints = npt.NDArray[np.int64]
Reshape = Sequence[int] | None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples x (n, H, W, C) float32 in [0, 1], labels y (n,) int64 in 0 .. n_classes - 1, and a test part.

    A series of L steps of C channels is (n, L, 1, C). The arrays are read-only. The test part is for the end.
    """

    name: str
    x: Floats
    y: Ints
    x_test: Floats
    y_test: Ints
    class_names: tuple[str, ...]
    layout: Layout
    layout_reason: str
    normalization: Normalization

    def __post_init__(self) -> None:
        for field in ("x", "y", "x_test", "y_test"):
            view = getattr(self, field).view()
            view.flags.writeable = False
            object.__setattr__(self, field, view)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        layout: Layout | None = None,
        reshape: Reshape = None,
        test_fraction: float = 0.2,
        seed: int = 0,
    ) -> Dataset:
        """The set in a folder of IDX files, or of an images file with its labels beside it.

        Class names, name and layout come from the meta.json in the folder, where there is one. Without test
        files a stratified test_fraction of the samples, drawn by seed, becomes the test part. The rest is as
        in from_arrays. Raises DataError for files that are missing, damaged or do not agree.
        """
        check_path("path", path)
        files = find_files(Path(path))
        x, y = (read_idx(p) for p in files.train)
        x_test, y_test = (None, None) if files.test is None else (read_idx(p) for p in files.test)
        source = Source(files.meta, x, y, x_test, y_test)
        return cls(files.meta.name, *prepare(source, Options(layout, reshape, test_fraction, seed)))

    @classmethod
    def load_pair(
        cls,
        images: str | Path,
        labels: str | Path,
        *,
        layout: Layout | None = None,
        reshape: Reshape = None,
        test_fraction: float = 0.2,
        seed: int = 0,
    ) -> Dataset:
        """The set of two IDX files, however they are named; the rest is as in load."""
        check_path("images", images)
        check_path("labels", labels)
        meta = read_meta(Path(images).parent)
        x, y = read_idx(images), read_idx(labels)
        return cls(meta.name, *prepare(Source(meta, x, y), Options(layout, reshape, test_fraction, seed)))

    @classmethod
    def from_arrays(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        x_test: npt.ArrayLike | None = None,
        y_test: npt.ArrayLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        layout: Layout | None = None,
        reshape: Reshape = None,
        test_fraction: float = 0.2,
        seed: int = 0,
        name: str = "arrays",
    ) -> Dataset:
        """The set of samples x (n, ...) and labels y (n,), with a test part of its own or a stratified share.

        Samples may be H x W, H x W x C, L or L x C; `reshape` lays each one out anew first. `layout` says
        whether two axes are a picture or a series; else a side of 1 makes a series. Labels may be integers,
        strings or one-hot. Values become [0, 1] by the training part: see Normalization. Raises DataError.
        """
        check_arrays(x=x, y=y)
        check_names(name, class_names)
        meta = Meta(name, None if class_names is None else tuple(class_names))
        source = Source(meta, x, y, x_test, y_test)
        return cls(name, *prepare(source, Options(layout, reshape, test_fraction, seed)))

    @classmethod
    def digits(cls, seed: int = 0) -> Dataset:
        """The 1,797 handwritten digits of 8 x 8 in scikit-learn, a stratified 20 % of them for the test."""
        from sklearn.datasets import load_digits

        bunch: Any = load_digits()
        meta = Meta("digits", tuple(map(str, range(10))))
        sixteenth = Normalization((0.0,), (1 / 16,), "uint8")
        source = Source(meta, bunch.images.astype(np.uint8), bunch.target)
        return cls(meta.name, *prepare(source, Options(seed=seed, normalization=sixteenth)))

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of a sample; (L, 1, C) for a series."""
        _, height, width, channels = self.x.shape
        return height, width, channels

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @cached_property
    def digest(self) -> str:
        """sha256 in hex of samples, labels, class names and normalisation: other data has another digest."""
        facts = {
            "classes": self.class_names,
            "normalization": self.normalization.to_dict(),
            "layout": self.layout,
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        for array in (self.x, self.y, self.x_test, self.y_test):
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest.update(repr(array.shape).encode())
            digest.update(little.data.cast("B"))
        return digest.hexdigest()

    def summary(self) -> str:
        """One line for people: sizes, shape and its reason, classes and their balance."""
        height, width, channels = self.input_shape
        counts = np.bincount(self.y, minlength=self.n_classes)
        shape = f"{height} steps x {channels}" if self.layout == "series" else f"{height} x {width} x {channels}"
        return (
            f"{self.name}: {len(self.x):,} training and {len(self.x_test):,} test samples, "
            f"{self.layout} of {shape} ({self.layout_reason}), "
            f"{self.n_classes} classes of {counts.min():,} to {counts.max():,} samples"
        )

    def folds(self, k: int, seed: int) -> tuple[Fold, ...]:
        """k stratified folds of the training part; DataError when k is larger than the smallest class."""
        check_whole("k", k)
        check_whole("seed", seed)
        return stratified_folds(self.y, k, seed, self.class_names, self.name)

    def split(self, fold: Fold) -> tuple[Floats, Ints, Floats, Ints]:
        """(x_train, y_train, x_validation, y_validation) of a fold."""
        return self.x[fold.train], self.y[fold.train], self.x[fold.validation], self.y[fold.validation]

    def representative(self, n: int, seed: int) -> Floats:
        """n training samples (n, H, W, C), evenly over the classes; all when there are no more than n."""
        check_whole("n", n)
        check_whole("seed", seed)
        return self.x[representative_rows(self.y, n, seed)]
