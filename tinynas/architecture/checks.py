"""Checks of values that come in from people and from JSON: each returns the value or raises one sentence."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from tinynas.errors import ArchitectureError


def whole(value: Any, least: int, where: str) -> int:
    """Return `value` when it is an int (no bool, no float) of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ArchitectureError(f"{where} must be a whole number of at least {least}, got {value!r}.")
    return value


def one_of(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    """Return `value` when it equals one of `choices` and has its type (True is not 1)."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        known = ", ".join(repr(choice) for choice in choices)
        raise ArchitectureError(f"{where} must be one of {known}, got {value!r}.")
    return value


def word(value: Any, where: str) -> str:
    """Return `value` when it is a text of lower-case letters a to z alone."""
    if not isinstance(value, str) or re.fullmatch("[a-z]+", value) is None:
        raise ArchitectureError(f"{where} must be lower-case letters alone, got {value!r}.")
    return value


def dropout_range(value: Any, where: str) -> tuple[float, float]:
    """Return `value` as two floats in [0, 1): the rate after the first block and the rate in the head."""
    pair = sequence(value, where)
    numbers = [n for n in pair if isinstance(n, (int, float)) and not isinstance(n, bool) and 0.0 <= n < 1.0]
    if len(pair) != 2 or len(numbers) != 2:
        raise ArchitectureError(f"{where} must be two rates of at least 0 and less than 1, got {value!r}.")
    return float(pair[0]), float(pair[1])


def input_shape(value: Any, where: str) -> tuple[int, int, int]:
    """Return `value` as (H, W, C), all of at least 1."""
    shape = sequence(value, where)
    if len(shape) != 3:
        raise ArchitectureError(f"{where} must be height, width and channels, got {value!r}.")
    height, width, channels = (whole(n, 1, f"each number of {where}") for n in shape)
    return height, width, channels


def sequence(value: Any, where: str) -> tuple[Any, ...]:
    """Return a list or tuple as a tuple."""
    if not isinstance(value, (list, tuple)):
        raise ArchitectureError(f"{where} must be a list, got {value!r}.")
    return tuple(value)


def mapping(cls: type, value: Any, where: str) -> dict[str, Any]:
    """Return `value` as keyword arguments for the dataclass `cls`: no key unknown, none missing."""
    if not isinstance(value, Mapping):
        raise ArchitectureError(f"{where} must be an object with keys, got {value!r}.")
    known, needed = _names(cls)
    unknown, missing = set(value) - known, needed - set(value)
    if unknown:
        raise ArchitectureError(f"{where}: unknown key {_listed(unknown)} (known: {', '.join(sorted(known))}).")
    if missing:
        raise ArchitectureError(f"{where}: key {_listed(missing)} is missing.")
    return dict(value)


@cache
def _names(cls: type) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the fields of the dataclass `cls`, and of those without a default."""
    known = fields(cls)
    needed = (f.name for f in known if f.default is MISSING and f.default_factory is MISSING)
    return frozenset(field.name for field in known), frozenset(needed)


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(repr(name) for name in names))
