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

from tinynas.data.arguments import check_arrays, check_names, check_path, check_seed, check_whole
from tinynas.data.files import Meta
from tinynas.data.groups import Groups, group_folds, most_group_folds
from tinynas.data.layout import Layout
from tinynas.data.normalize import Floats, Normalization
from tinynas.data.prepare import Options, Source, prepare
from tinynas.data.samples import IN_MEMORY_BYTES, parts_of
from tinynas.data.splits import Fold, representative_rows, stratified_folds
from tinynas.errors import DataError, require_utf8
from tinynas.features import Features
from tinynas.options.reading import ReadOptions
from tinynas.words import between

Ints = npt.NDArray[np.int64]
Reshape = Sequence[int] | None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples x (n, H, W, C) float32 in [0, 1], labels y (n,) int64 in 0 .. n_classes - 1, and a test part.

    A series of L steps of C channels is (n, L, 1, C). The arrays are read-only. The test part is for the end. An x or
    x_test that would be larger than `in_memory_bytes` is a `Samples`, which reads like an array but stays on disk.
    `groups` are the samples that belong together, `features` says how sound or steps became samples, and `notes` are
    sentences for the person on what was left out or assumed while reading. `channels` names the channels where the
    files do, and `rate` is the steps a second where it is known.
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
    groups: Groups | None = None
    features: Features | None = None
    notes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    rate: float | None = None

    def __post_init__(self) -> None:
        for what, name in (("The name of the data", self.name), *(("A class", each) for each in self.class_names)):
            require_utf8(DataError, what, name)
        for field in ("x", "y", "x_test", "y_test"):
            if not isinstance(getattr(self, field), np.ndarray):
                continue  # Samples gives out copies
            view = getattr(self, field).view()
            view.flags.writeable = False
            object.__setattr__(self, field, view)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        labels: str | Path | None = None,
        layout: Layout | None = None,
        reshape: Reshape = None,
        test_fraction: float = 0.2,
        seed: int = 0,
        in_memory_bytes: int = IN_MEMORY_BYTES,
        **reading: Any,
    ) -> Dataset:
        """The set at `path`, by the reader that knows what is there: see docs/data.md for every kind.

        IDX files, .npz, .npy, CSV, and folders of pictures or WAVs by class. `labels` is the labels file, when `path`
        is an IDX or .npy file of samples. `reading` are the options of some kinds, as in ReadOptions: label, group,
        columns, window, stride, rate, image_size, colour, sample_rate, features, mels, missing, range. Class names,
        name and layout come from the meta.json in the folder, where there is one. Without a test part a stratified
        test_fraction of the samples, drawn by seed, becomes it. The rest is as in from_arrays. Raises DataError for
        files that are missing, damaged or do not agree, UsageError for options that make no sense or are for another
        kind.
        """
        from tinynas.data.readers import read

        check_path("path", path)
        if labels is not None:
            check_path("labels", labels)
        check_whole("in_memory_bytes", in_memory_bytes)
        chosen = ReadOptions.create(reading)
        source = read(Path(path), None if labels is None else Path(labels), chosen, in_memory_bytes)
        options = Options(
            layout, reshape, test_fraction, seed, None, in_memory_bytes, chosen.missing, chosen.range, chosen.features
        )
        return cls(source.meta.name, *prepare(source, options))

    @classmethod
    def load_pair(cls, images: str | Path, labels: str | Path, **options: Any) -> Dataset:
        """The set of two IDX or .npy files, however they are named; the rest is as in load."""
        return cls.load(images, labels=labels, **options)

    @classmethod
    def from_arrays(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        x_test: npt.ArrayLike | None = None,
        y_test: npt.ArrayLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        groups: npt.ArrayLike | None = None,
        groups_test: npt.ArrayLike | None = None,
        layout: Layout | None = None,
        reshape: Reshape = None,
        test_fraction: float = 0.2,
        seed: int = 0,
        missing: str | None = None,
        range: str | None = None,
        features: str | None = None,
        in_memory_bytes: int = IN_MEMORY_BYTES,
        name: str = "arrays",
    ) -> Dataset:
        """The set of samples x (n, ...) and labels y (n,), with a test part of its own or a stratified share.

        Samples may be H x W, H x W x C, L or L x C; `reshape` lays each one out anew first. `layout` says
        whether two axes are a picture or a series; else a side of 1 makes a series. Labels may be integers,
        strings or one-hot. Samples of one group (a name or number each) are never split between parts or folds.
        `missing` says what becomes of NaN and of marks such as -999: "error", "drop" or "interpolate"; `range` is
        "full" or "robust"; `features` "spectral" makes of a series what Spectral does. Values become [0, 1] by the
        training part: see Normalization. Samples above in_memory_bytes as float32 stay in the array that came, which
        must then not be changed. Raises DataError.
        """
        check_arrays(x=x, y=y)
        check_whole("in_memory_bytes", in_memory_bytes)
        check_names(name, class_names)
        chosen = ReadOptions.create({"missing": missing, "range": range, "features": features})
        meta = Meta(name, None if class_names is None else tuple(class_names))
        source = Source(meta, x, y, x_test, y_test, groups, groups_test)
        options = Options(
            layout, reshape, test_fraction, seed, None, in_memory_bytes, chosen.missing, chosen.range, chosen.features
        )
        return cls(name, *prepare(source, options))

    @classmethod
    def from_tf_data(cls, train: Any, test: Any = None, *, batched: bool | None = None, **options: Any) -> Dataset:
        """The set of a tf.data.Dataset of (sample, label) pairs, and perhaps another of test pairs.

        `batched` says whether an element is a batch of pairs; without it, scalar labels mean that it is none, and
        labels as many as the element's first axis that it is one. The options are those of from_arrays. Raises
        DataError for a dataset that never ends, is empty, or holds something else.
        """
        from tinynas.data.readers.stream import read_pairs

        x, y = read_pairs(train, batched, "the training dataset")
        x_test, y_test = (None, None) if test is None else read_pairs(test, batched, "the test dataset")
        return cls.from_arrays(x, y, x_test, y_test, **{"name": "tf.data", **options})

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
        facts: dict[str, Any] = {
            "classes": self.class_names,
            "normalization": self.normalization.to_dict(),
            "layout": self.layout,
        }
        if self.features is not None:
            facts["features"] = self.features.to_dict()
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        groups = () if self.groups is None else (self.groups.codes,)
        for array in (self.x, self.y, self.x_test, self.y_test, *groups):
            digest.update(repr(array.shape).encode())
            for _, part in parts_of(array):
                little = np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("<"))
                digest.update(little.data.cast("B"))
        return digest.hexdigest()

    def __repr__(self) -> str:
        """Return a line: the name, how many samples there are and of what shape, and how many classes."""
        shape = " x ".join(map(str, self.input_shape))
        return (
            f"Dataset({self.name}: {len(self.x):,} training and {len(self.x_test):,} test samples, "
            f"{self.layout} of {shape}, {self.n_classes} classes)"
        )

    def summary(self) -> str:
        """One line for people: sizes, shape and its reason, classes and their balance."""
        height, width, channels = self.input_shape
        counts = np.bincount(self.y, minlength=self.n_classes)
        shape = f"{height} steps x {channels}" if self.layout == "series" else f"{height} x {width} x {channels}"
        return (
            f"{self.name}: {len(self.x):,} training and {len(self.x_test):,} test samples, "
            f"{self.layout} of {shape} ({self.layout_reason}), "
            f"{self.n_classes} classes with {between(int(counts.min()), int(counts.max()))} samples each"
        )

    @property
    def most_folds(self) -> int:
        """The most folds that the smallest class allows: its training samples, or the groups that hold any."""
        if self.groups is not None:
            return most_group_folds(self.y, self.groups.codes, self.n_classes)[0]
        return int(np.bincount(self.y, minlength=self.n_classes).min())

    def folds(self, k: int, seed: int) -> tuple[Fold, ...]:
        """k stratified folds of the training part, no group taken apart; DataError when k is over `most_folds`."""
        check_whole("k", k)
        check_seed(seed)
        if (k, seed) not in self._folds:
            about = self.class_names, self.name
            self._folds[k, seed] = (
                stratified_folds(self.y, k, seed, *about)
                if self.groups is None
                else group_folds(self.y, self.groups.codes, k, seed, *about)
            )
        return self._folds[k, seed]

    @cached_property
    def _folds(self) -> dict[tuple[int, int], tuple[Fold, ...]]:
        """The folds that were asked for: every trial asks for the same, and groups take their time."""
        return {}

    def split(self, fold: Fold) -> tuple[Floats, Ints, Floats, Ints]:
        """(x_train, y_train, x_validation, y_validation) of a fold."""
        return self.x[fold.train], self.y[fold.train], self.x[fold.validation], self.y[fold.validation]

    def representative(self, n: int, seed: int) -> Floats:
        """n training samples (n, H, W, C), evenly over the classes; all when there are no more than n."""
        check_whole("n", n)
        check_seed(seed)
        return np.asarray(self.x[representative_rows(self.y, n, seed)])
