"""The C in `kernels/`: its functions by name, the files that make up each of them, and what a call consists of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

Array = tuple[str, npt.NDArray[np.int64]]  # C type and values
Fields = list[object]


@dataclass(frozen=True, eq=False)
class Call:
    """One call of generated code: `function` over the rows of a layer, with its struct and constants.

    `fields` is the struct's initialiser in order; an `Array` in it stands for a pointer to constants. `more` are
    sources that this layer needs beside its kernel's.
    """

    function: str
    struct: str
    fields: Fields
    rows: int
    layer: int
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kernel:
    """The C of one class of layers: its function, its struct, and the sources in `kernels/` that make it up."""

    function: str
    struct: str
    sources: tuple[str, ...]


FOREIGN = "foreign.h"
"""The file that says how another library gets to know a layer; NAME_engine.h has it as well."""

_SUMMED = ("base.h", "clamp.h", "high_product.h", "requantize.h")
_POOLED = ("base.h", "clamp.h", "pairs.h", "limits.h", "window.h", "slide.h", "pool.h")
_FAST = ("base.h", "clamp.h", "high_product.h", "pairs.h", "limits.h", "result.h")
_FAST_WINDOW = (*_FAST, "window.h", "limit_rows.h")
KERNELS: Mapping[str, Kernel] = {
    "convolution": Kernel(
        "tn_convolution",
        "tn_convolution_layer",
        (*_SUMMED, "window.h", "slide.h", "scale.h", "pairs.h", "quads.h", "convolution.c"),
    ),
    "blocked": Kernel("tn_blocked", "tn_blocked_layer", (*_FAST_WINDOW, "widen.h", "blocked.h", "blocked.c")),
    "dense": Kernel("tn_dense", "tn_dense_layer", (*_FAST, "dense.c")),
    "depthwise": Kernel(
        "tn_depthwise", "tn_depthwise_layer", (*_SUMMED, "window.h", "slide.h", "scale.h", "pairs.h", "depthwise.c")
    ),
    "depthwise_rows": Kernel(
        "tn_depthwise_rows", "tn_depthwise_rows_layer", (*_FAST_WINDOW, "taps.h", "depthwise_rows.c")
    ),
    "average_pool": Kernel("tn_average_pool", "tn_window", (*_POOLED, "average_pool.c")),
    "max_pool": Kernel("tn_max_pool", "tn_window", (*_POOLED, "max_pool.c")),
    "sum": Kernel("tn_sum", "tn_pair_layer", (*_SUMMED, "pairs.h", "limits.h", "pair.h", "sum.c")),
    "product": Kernel("tn_product", "tn_pair_layer", (*_SUMMED, "pair.h", "product.c")),
    "extreme": Kernel("tn_extreme", "tn_pair_layer", ("base.h", "pairs.h", "pair.h", "extreme.c")),
    "prelu": Kernel("tn_prelu", "tn_pair_layer", (*_SUMMED, "pair.h", "prelu.c")),
    "lookup": Kernel("tn_lookup", "tn_lookup_layer", ("base.h", "lookup.c")),
    "softmax": Kernel("tn_softmax", "tn_softmax_layer", ("base.h", "high_product.h", "softmax.c")),
    "mean": Kernel("tn_mean", "tn_reduce_layer", (*_SUMMED, "reduce.h", "mean.c")),
    "reduce_extreme": Kernel(
        "tn_reduce_extreme", "tn_reduce_layer", ("base.h", "clamp.h", "reduce.h", "reduce_extreme.c")
    ),
    "running_mean": Kernel(
        "tn_running_mean", "tn_running_layer", (*_SUMMED, "running.h", "running_sums.h", "running_mean.c")
    ),
    "running_average": Kernel(
        "tn_running_average",
        "tn_running_layer",
        ("base.h", "clamp.h", "running.h", "running_sums.h", "running_average.c"),
    ),
    "running_extreme": Kernel(
        "tn_running_extreme", "tn_running_layer", ("base.h", "clamp.h", "running.h", "running_extreme.c")
    ),
    "gather": Kernel("tn_gather", "tn_gather_layer", ("base.h", "gather.c")),
    "pad": Kernel("tn_pad", "tn_pad_layer", ("base.h", "pad.c")),
    "copy": Kernel("tn_copy", "tn_copy_layer", ("base.h", "copy.c")),
    "foreign": Kernel("tn_foreign", "tn_foreign_layer", ("base.h", FOREIGN, "foreign.c")),
}
"""Every C function that runs a layer, by name."""

STREAM = "stream.c"
"""The file that runs layers row by row."""

_SHARED = (
    "base.h",
    "clamp.h",
    "high_product.h",
    "requantize.h",
    "pairs.h",
    "limits.h",
    "result.h",
    "window.h",
    "slide.h",
    "pool.h",
    "scale.h",
    "limit_rows.h",
    "quads.h",
    "stretches.h",
    "widen.h",
    "blocked.h",
    "wide_channels.h",
    "exp.h",
    "pair.h",
    "reduce.h",
    "running.h",
    "running_sums.h",
)
_ORDER = tuple(dict.fromkeys((*_SHARED, *(source for kernel in KERNELS.values() for source in kernel.sources))))


@cache
def source(name: str) -> str:
    """The text of one file in `kernels/`."""
    return (files("tinynas.engine") / "kernels" / name).read_text(encoding="utf-8")


def sources(calls: Iterable[Call], streamed: bool) -> list[str]:
    """The files that these calls need, each once, in an order in which C can read them."""
    by_function = {kernel.function: kernel for kernel in KERNELS.values()}
    wanted = {name for call in calls for name in (*by_function[call.function].sources, *call.more)}
    return [name for name in _ORDER if name in wanted] + [STREAM] * streamed
