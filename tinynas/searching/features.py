"""An architecture and its footprint as numbers that a regressor can learn from. Knows no training."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from statistics import mean

import numpy as np

from tinynas.architecture import KINDS, Architecture, Block, Shape
from tinynas.hardware import Footprint


@dataclass(frozen=True)
class _View:
    """What the features are read off: the blocks with the shapes before them, and the footprint."""

    architecture: Architecture
    footprint: Footprint

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.architecture.blocks

    @property
    def last(self) -> Shape:
        return self.architecture.shapes[-1]

    def share(self, holds: Callable[[Block], bool]) -> float:
        return mean(holds(block) for block in self.blocks)

    def log_channels(self) -> list[float]:
        return [math.log2(shape[2]) for shape in self.architecture.shapes[1:]]


def _log(value: float) -> float:
    return math.log2(max(1.0, value))


def _area(shape: Shape) -> float:
    return _log(shape[0] * shape[1])


def _receptive(blocks: Sequence[Block]) -> float:
    """Return how many steps of the input's longer axis the last map's value sees."""
    sees = jump = 1
    for block in blocks:
        for stage in KINDS[block.kind].stages:
            sees += (block.kernel_size - 1) * jump * stage.spatial
            jump *= block.stride if stage is KINDS[block.kind].strided else 1
        if block.pool is not None:
            sees += (block.pool_size - 1) * jump
            jump *= block.pool_size
    return sees


_Features = Mapping[str, Callable[[_View], float]]

# Name -> how it is read. Sizes are logarithms to the base 2: a doubling is a step, whatever the size.
_SIZES: _Features = {
    "log_params": lambda v: _log(v.footprint.params),
    "log_macs": lambda v: _log(v.footprint.macs),
    "log_flash": lambda v: _log(v.footprint.flash_bytes),
    "log_arena": lambda v: _log(v.footprint.arena_bytes),
    "log_largest_tensor": lambda v: _log(v.footprint.largest_tensor_bytes),
    "log_instructions": lambda v: _log(v.footprint.instructions or 1),
    "depth": lambda v: len(v.blocks),
}
_GENES: _Features = {
    "first_channels": lambda v: v.log_channels()[0],
    "mean_channels": lambda v: mean(v.log_channels()),
    "most_channels": lambda v: max(v.log_channels()),
    "least_channels": lambda v: min(v.log_channels()),
    "last_channels": lambda v: v.log_channels()[-1],
    "first_kernel": lambda v: v.blocks[0].kernel_size,
    "mean_kernel": lambda v: mean(block.kernel_size for block in v.blocks),
    "largest_kernel": lambda v: max(block.kernel_size for block in v.blocks),
    "receptive_field": lambda v: _log(_receptive(v.blocks)),
    "strides": lambda v: sum(_log(block.stride) for block in v.blocks),
    "max_pools": lambda v: sum(block.pool == "max" for block in v.blocks),
    "avg_pools": lambda v: sum(block.pool == "avg" for block in v.blocks),
    "residuals": lambda v: sum(block.residual for block in v.blocks),
    "batch_norm": lambda v: v.share(lambda block: block.batch_norm),
    "relu6": lambda v: v.share(lambda block: block.activation == "relu6"),
    "valid": lambda v: v.share(lambda block: block.padding == "valid"),
    "area_after_first": lambda v: _area(v.architecture.shapes[1]),
    "mean_area": lambda v: mean(_area(shape) for shape in v.architecture.shapes[1:]),
    "last_area": lambda v: _area(v.last),
    "flatten": lambda v: v.architecture.head.pooling == "flatten",
    "into_head": lambda v: _log(math.prod(v.last) if v.architecture.head.pooling == "flatten" else v.last[2]),
    "hidden_units": lambda v: _log(v.architecture.head.hidden_units),
}
# Counted in every space: a run that began when there were no others ranks by the same columns when it goes on.
_ALWAYS = ("conv", "depthwise", "separable")


@cache
def _features(kinds: tuple[str, ...]) -> _Features:
    """Return the features for a space of `kinds`: sizes, how many blocks of each kind there are, the other genes."""
    counted = [kind for name, kind in KINDS.items() if name in (*_ALWAYS, *kinds)]
    counted.sort(key=lambda kind: not kind.has_filters)
    counts = {kind.name: partial(_count, kind.name) for kind in counted}
    first = {f"first_{kind.name}": partial(_is_first, kind.name) for kind in counted if not kind.has_filters}
    expansion: _Features = {"mean_expansion": _mean_expansion} if any(kind.expands for kind in counted) else {}
    return {**_SIZES, **counts, **first, **_GENES, **expansion}


def _count(kind: str, v: _View) -> int:
    return sum(block.kind == kind for block in v.blocks)


def _mean_expansion(v: _View) -> float:
    """Return the mean of the logarithms; a block that does not expand counts as one of expansion 1."""
    return mean(_log(block.expansion) if KINDS[block.kind].expands else 0.0 for block in v.blocks)


def _is_first(kind: str, v: _View) -> bool:
    return v.blocks[0].kind == kind


def feature_names(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the features in a space of `kinds`."""
    return tuple(_features(kinds))


def features(architecture: Architecture, footprint: Footprint, kinds: tuple[str, ...]) -> np.ndarray:
    """Return the features of an architecture from a space of `kinds`, by `feature_names`: float64 (n,), all finite."""
    view = _View(architecture, footprint)
    return np.array([float(read(view)) for read in _features(kinds).values()])
