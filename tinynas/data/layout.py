"""How a sample lies: a picture (H, W, C), or a series of L steps of C channels, kept as (L, 1, C)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.options.reading import LAYOUTS as LAYOUTS
from tinynas.options.reading import Layout as Layout

Array = npt.NDArray[Any]


def as_layout(value: object, where: str) -> Layout:
    """`value` when it names a layout; DataError says where it came from otherwise."""
    for layout in LAYOUTS:
        if value == layout:
            return layout
    raise DataError(f'{where}: layout is {value!r}, wanted "image" or "series"')


def choose_layout(
    shape: tuple[int, ...], given: Layout | None = None, hint: Layout | None = None, why: str | None = None
) -> tuple[Layout, str]:
    """The layout of samples of `shape` (without the sample axis) and the reason for it, in words.

    given: what the caller asked for.  hint: what the set's meta.json, or else its kind of file, says when nothing was
    asked for; why: the reason for the hint, None for meta.json.
    """
    text = " x ".join(map(str, shape))
    if given is not None:
        return given, f'layout "{given}" was asked for'
    if hint is not None:
        return hint, why or f'meta.json says layout "{hint}"'
    if len(shape) == 1:
        return "series", f"a sample has one axis of {text}"
    if 1 in shape[:2]:
        return "series", f"a side of the {text} sample is 1"
    return "image", f"both sides of the {text} sample are longer than 1"


def reshape_samples(x: Array, shape: tuple[int, ...], where: str) -> Array:
    """x (n, ...) with each sample laid out anew as `shape`; the number of values must agree."""
    size = math.prod(x.shape[1:])
    if not shape or min(shape) < 1 or math.prod(shape) != size:
        wanted = " x ".join(map(str, shape)) or "nothing"
        have = " x ".join(map(str, x.shape[1:]))
        raise DataError(f"{where}: samples of {have} ({size} values) cannot be reshaped to {wanted}")
    return x.reshape(len(x), *shape)


def arrange(x: Array, layout: Layout, where: str, is_exact: bool = False) -> Array:
    """x (n, ...) as (n, H, W, C) for pictures and (n, L, 1, C) for series; a view, nothing is copied.

    A series may come as L, L x C, L x 1 x C or 1 x L x C; where L x C has a side of 1, the other one is L, unless
    `is_exact` says that two axes are steps and channels as they stand.
    """
    if is_exact and layout == "series" and x.ndim == 3:
        return np.reshape(x, (len(x), x.shape[1], 1, x.shape[2]))
    text = " x ".join(map(str, x.shape[1:]))
    shapes = _image_shapes(x.shape[1:]) if layout == "image" else _series_shapes(x.shape[1:])
    if shapes is None:
        wanted = "H x W or H x W x C" if layout == "image" else "L or L x C"
        raise DataError(
            f'{where}: a sample of {text} cannot be laid out as "{layout}", wanted {wanted}: '
            f'give reshape, or layout "{"series" if layout == "image" else "image"}"'
        )
    return np.reshape(x, (len(x), *shapes))


def _image_shapes(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    return {2: (*shape, 1), 3: shape}.get(len(shape))


def _series_shapes(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    if len(shape) == 3 and shape[2] == 1:
        shape = shape[:2]
    if len(shape) == 3 and 1 in shape[:2]:
        return (max(shape[:2]), 1, shape[2])
    if len(shape) == 2 and shape[0] == 1:
        return (shape[1], 1, 1)
    return {1: (*shape, 1, 1), 2: (shape[0], 1, shape[-1])}.get(len(shape))
