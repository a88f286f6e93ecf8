"""What can be wrong with a data set before anything is trained on it: counts, duplicates, constants, leaks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.dataset import Dataset
from tinynas.data.prepare import WARNING
from tinynas.data.ranges import STEPS, bulk_steps
from tinynas.data.samples import parts_of

Ints = npt.NDArray[np.int64]

_UNBALANCED = 10.0
_FEW_SAMPLES = 20
FEW_STEPS = 16
"""Of int8's 256: a channel whose values span fewer is coarse."""


@dataclass(frozen=True)
class Check:
    """What `check` found. `classes` is (name, training samples, test samples) a class.

    duplicates: training samples that equal an earlier one.  leaked: test samples that equal a training sample.
    contradictions: training samples that equal one of another class.  constant: values of a sample that are the same in
    every training sample, of `values`.  range: the raw values that become 0 and 1, one pair or one a channel.
    shared_groups: groups with samples in both parts.  steps: how many of the 256 steps of int8 the middle 98 % of each
    channel's values span.
    """

    name: str
    shape: tuple[int, int, int]
    layout: str
    layout_reason: str
    source_dtype: str
    classes: tuple[tuple[str, int, int], ...]
    imbalance: float
    duplicates: int
    leaked: int
    contradictions: int
    constant: int
    values: int
    range: tuple[tuple[float, float], ...]
    steps: tuple[float, ...]
    n_groups: int | None
    shared_groups: tuple[str, ...]
    channels: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The form that scripts read."""
        values = dict(self.__dict__)
        values["classes"] = [{"name": n, "train": train, "test": test} for n, train, test in self.classes]
        return values


def check(dataset: Dataset) -> Check:
    """Look through all samples of `dataset`, a part at a time, and say what a person should know.

    Samples count as equal when they are the same after normalisation, to the bit.
    """
    keys, constant = _hashes(dataset.x), _constant(dataset.x)
    keys_test = _hashes(dataset.x_test)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    lowest, highest = (np.full(len(first), fill) for fill in (dataset.n_classes, -1))
    np.minimum.at(lowest, inverse, dataset.y)
    np.maximum.at(highest, inverse, dataset.y)
    counts, counts_test = (np.bincount(y, minlength=dataset.n_classes) for y in (dataset.y, dataset.y_test))
    height, width, channels = dataset.input_shape
    found = Check(
        name=dataset.name,
        shape=dataset.input_shape,
        layout=dataset.layout,
        layout_reason=dataset.layout_reason,
        source_dtype=dataset.normalization.source_dtype,
        classes=tuple(zip(dataset.class_names, counts.tolist(), counts_test.tolist(), strict=True)),
        imbalance=round(float(counts.max() / counts.min()), 3),
        duplicates=len(keys) - len(first),
        leaked=int(np.isin(keys_test, keys).sum()),
        contradictions=int((lowest != highest)[inverse].sum()),
        constant=constant,
        values=height * width * channels,
        range=_range(dataset),
        steps=bulk_steps(dataset.x),
        n_groups=None if dataset.groups is None else len(np.unique(dataset.groups.codes)),
        shared_groups=() if dataset.groups is None else dataset.groups.shared(),
        channels=dataset.channels,
        notes=dataset.notes,
        warnings=(),
    )
    return Check(**{**found.__dict__, "warnings": tuple(_warnings(found))})


def _warnings(found: Check) -> list[str]:
    """The sentences on what is likely to mislead a search or its scores."""
    n, n_test = (sum(counts) for counts in zip(*(c[1:] for c in found.classes), strict=True))
    said = []
    if found.leaked:
        said.append(
            f"The split leaks: {found.leaked:,} of {n_test:,} test samples equal a training sample, so the test score "
            f"will flatter; drop the duplicates before splitting."
        )
    if found.shared_groups:
        said.append(
            f"The split leaks: {len(found.shared_groups):,} groups ({', '.join(found.shared_groups[:3])}"
            f"{', …' if len(found.shared_groups) > 3 else ''}) are in the training and in the test part."
        )
    if found.contradictions:
        said.append(
            f"{found.contradictions:,} of {n:,} training samples equal one of another class: one label is wrong."
        )
    if found.duplicates:
        said.append(
            f"{found.duplicates:,} of {n:,} training samples equal an earlier one; folds will share them, so "
            f"validation scores flatter."
        )
    said += [note.removeprefix(WARNING) for note in found.notes if note.startswith(WARNING)]
    few = [number for number, steps in enumerate(found.steps) if 0 < steps < FEW_STEPS]
    if few:
        named = ", ".join(found.channels[number] if found.channels else str(number + 1) for number in few[:4])
        said.append(
            f"Of {len(few):,} channels ({named}{', …' if len(few) > 4 else ''}) the middle 98 % of the values span "
            f"fewer than {FEW_STEPS} of the {STEPS} steps of int8: --range robust gives them more."
        )
    said += [f"Class {name!r} has no test sample, so it is not tested." for name, _, test in found.classes if not test]
    if found.imbalance > _UNBALANCED:
        said.append(
            f"The largest class has {found.imbalance:.3g} times the samples of the smallest: search with --balance "
            f"and --metric f1."
        )
    smallest = min(found.classes, key=lambda one: one[1])
    if smallest[1] < _FEW_SAMPLES:
        said.append(f"Class {smallest[0]!r} has {smallest[1]} training samples, which is little to learn from.")
    return said


def _hashes(x: Any) -> npt.NDArray[np.bytes_]:
    """A digest of 16 bytes a sample; nul bytes at its end would be lost, so they are not let be there."""
    parts = [
        np.array([hashlib.blake2b(sample.tobytes(), digest_size=15).digest() + b"." for sample in part], dtype="S16")
        for _, part in parts_of(x)
    ]
    return np.concatenate(parts)


def _constant(x: Any) -> int:
    """How many values of a sample are the same in all samples."""
    first, same = None, None
    for _, part in parts_of(x):
        first = part[0] if first is None else first
        held = (part == first).all(axis=0)
        same = held if same is None else same & held
    return 0 if same is None else int(same.sum())


def _range(dataset: Dataset) -> tuple[tuple[float, float], ...]:
    fitted = dataset.normalization
    return tuple(
        (low, low if scale == 0 else low + 1 / scale) for low, scale in zip(fitted.offset, fitted.scale, strict=True)
    )
