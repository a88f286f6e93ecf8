"""What a Dataset is made from, looked at before anything is done: the kind of each argument, not yet its values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.errors import UsageError, check_kind

_MOST_SEED = 2**32 - 1


def check_path(name: str, value: object) -> None:
    """UsageError for what is no path."""
    check_kind(name, value, (str, Path), "a str or Path of a file or folder")


def check_arrays(**arrays: Any) -> None:
    """UsageError for a single string, number or nothing where an array of samples or labels must be."""
    for name, value in arrays.items():
        if value is None or isinstance(value, str | bytes | int | float | dict | set):
            raise UsageError(
                f"{name} must be an array with one entry for each sample, got {_short(value)}; Dataset.load "
                "reads files."
            )


def check_names(name: object, class_names: object) -> None:
    """UsageError for a name that is no string, or class names that are a single value."""
    check_kind("name", name, str, "a string")
    if class_names is not None and (isinstance(class_names, str) or not isinstance(class_names, Iterable)):
        raise UsageError(f"class_names must be a list with one name for each class, got {_short(class_names)}.")


def check_options(reshape: object, test_fraction: object, seed: object) -> None:
    """UsageError for axes that are not whole numbers, a share that is none, or a seed that is no whole number."""
    if reshape is not None and not (isinstance(reshape, Iterable) and all(map(_is_whole, reshape))):
        raise UsageError(f"reshape must be a tuple of axes such as (8, 8), got {_short(reshape)}.")
    if not isinstance(test_fraction, int | float):
        raise UsageError(f"test_fraction must be a share between 0 and 1, got {_short(test_fraction)}.")
    check_seed(seed)


def check_seed(value: object) -> None:
    """UsageError for what no generator of random numbers begins with: a whole number from 0 to 2**32 - 1 does."""
    check_whole("seed", value)
    if int(value) > _MOST_SEED:  # type: ignore[call-overload]
        raise UsageError(f"seed must be at most {_MOST_SEED:,}, got {_short(value)}.")


def check_whole(name: str, value: object) -> None:
    """UsageError for what is no whole number, NumPy's included, or below 0."""
    if not _is_whole(value) or int(value) < 0:  # type: ignore[call-overload]
        raise UsageError(f"{name} must be a whole number of at least 0, got {_short(value)}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
