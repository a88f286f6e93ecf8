"""How a sample lies: a picture (H, W, C), or a series of L steps of C channels, kept as (L, 1, C)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError
from tinynas.options.reading import LAYOUTS as LAYOUTS
from tinynas.options.reading import Layout as Layout

Array = npt.NDArray[Any]

_THIN = 5  # times as long as wide, which a picture seldom is
_FEW_CHANNELS = 3  # a side that a picture hardly has
_MOST_CHANNELS = 64
_LONG = 3  # times as long as wide, from where on a picture is doubtful


def as_layout(value: object, where: str) -> Layout:
    """`value` when it names a layout; DataError says where it came from otherwise."""
    for layout in LAYOUTS:
        if isinstance(value, str) and value == layout:
            return layout
    raise DataError(f'{where}: layout is {value!r}, wanted "image" or "series"')


class Choice(NamedTuple):
    """A layout, the reason for it, the order in which the axes are to be taken (None: as they lie), and what makes it
    doubtful, in a sentence.
    """

    layout: Layout
    reason: str
    order: tuple[int, ...] | None = None
    doubt: str | None = None


def choose_layout(
    shape: tuple[int, ...],
    given: Layout | None = None,
    hint: Layout | None = None,
    why: str | None = None,
    is_fixed: bool = False,
) -> Choice:
    """The layout of samples of `shape` (without the sample axis).

    given: what the caller asked for.  hint: what the set's meta.json, or else its kind of file, says when nothing was
    asked for; why: the reason for the hint, None for meta.json. Else what is five times as long as wide, or three wide
    at most, is a series, and what is left a picture. Pictures and thin samples whose first axis can only be channels
    are turned, unless `is_fixed` says that the axes are in the order that is meant.
    """
    text = " x ".join(map(str, shape))
    asked = given or hint
    said = f'layout "{given}" was asked for' if given else why or f'meta.json says layout "{hint}"'
    channels_first = not is_fixed and why is None and _has_channels_first(shape)
    if asked is not None and (asked == "series" or not channels_first):
        return Choice(asked, said)
    if channels_first:
        return _turned(shape, said if asked else None)
    if len(shape) == 1:
        return Choice("series", f"a sample has one axis of {text}")
    if len(shape) == 2 and _is_thin(*shape) and not (is_fixed and shape[0] < shape[1]):
        steps, channels = max(shape), min(shape)
        reason = f"a {text} sample is too thin for a picture"
        if shape[0] == steps:
            doubt = f"it is read as {steps} steps of {channels} channels; a picture of that shape needs --layout image."
            return Choice("series", reason, None, f"A sample is {text}: {doubt}")
        doubt = (
            f"it is read as {steps} steps of {channels} channels, the first axis last, which the device has to do too"
        )
        return Choice("series", reason, (1, 0), f"A sample is {text}: {doubt} (--layout overrides this).")
    if 1 in shape[:2]:
        return Choice("series", f"a side of the {text} sample is 1")
    long, short = max(shape[:2]), min(shape[:2])
    doubtful: str | None = None
    if long >= _LONG * short and shape[2:] in ((), (1,)):
        say = "--layout series" if len(shape) == 2 else f"--reshape {shape[0]},{shape[1]} --layout series"
        doubtful = (
            f"A sample of {text} is taken for a picture; if it is {shape[0]} steps of {shape[1]} channels, say {say}."
        )
    return Choice("image", f"both sides of the {text} sample are longer than 1", None, doubtful)


def _is_thin(height: int, width: int) -> bool:
    """Whether H x W values are more likely steps and channels than a picture."""
    long, short = max(height, width), min(height, width)
    return short > 1 and (long >= _THIN * short or (short <= _FEW_CHANNELS and long >= 2 * short))


def _has_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether the first of three axes can only be channels, as PyTorch has them: C x H x W, C x 1 x L, 1 x C x L."""
    if len(shape) != 3:
        return False
    first, second, third = shape
    if second == 1:
        return 1 < first <= _MOST_CHANNELS and _is_thin(first, third) and first < third
    if first == 1:
        return min(second, third) > 1 and (second < third if _is_thin(second, third) else min(second, third) > 4)
    return first <= 4 < min(second, third)


def _turned(shape: tuple[int, ...], said: str | None) -> Choice:
    """The choice for a sample that `_has_channels_first`."""
    text = " x ".join(map(str, shape))
    long, short = max(shape), min(size for size in shape if size > 1)
    if 1 in shape and _is_thin(long, short):
        order = (2, 1, 0) if shape[1] == 1 else (2, 0, 1)
        made = f"{long} steps of {short} channels"
        layout: Layout = "series"
    else:
        order, layout = (1, 2, 0), "image"
        made = f"a picture of {shape[1]} x {shape[2]} with {shape[0]} channel{'s' if shape[0] > 1 else ''}"
    turn = (
        "" if shape[0] == 1 and layout == "image" else ", the channels last, in which order the device has to give them"
    )
    reason = said or f"the channels of a {text} sample come first"
    return Choice(
        layout,
        reason,
        order,
        f"A sample is {text}: it is read as {made}{turn} (--reshape {','.join(map(str, shape))} takes it as it lies).",
    )


def turned(x: Array, order: tuple[int, ...] | None) -> Array:
    """x (n, ...) with the axes of its samples in another order; a view."""
    return x if order is None else np.transpose(x, (0, *(axis + 1 for axis in order)))


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
