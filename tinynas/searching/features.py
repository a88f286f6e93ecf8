"""An architecture and its footprint as numbers that a regressor can learn from. Knows no training."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from tinynas.architecture import Architecture, Block, Shape
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
        sees += (block.kernel_size - 1) * jump
        jump *= block.stride
        if block.pool is not None:
            sees += (block.pool_size - 1) * jump
            jump *= block.pool_size
    return sees


# Name -> how it is read. Sizes are logarithms to the base 2: a doubling is a step, whatever the size.
_FEATURES: Mapping[str, Callable[[_View], float]] = {
    "log_params": lambda v: _log(v.footprint.params),
    "log_macs": lambda v: _log(v.footprint.macs),
    "log_flash": lambda v: _log(v.footprint.flash_bytes),
    "log_arena": lambda v: _log(v.footprint.arena_bytes),
    "log_largest_tensor": lambda v: _log(v.footprint.largest_tensor_bytes),
    "log_instructions": lambda v: _log(v.footprint.instructions),
    "depth": lambda v: len(v.blocks),
    "conv": lambda v: sum(block.kind == "conv" for block in v.blocks),
    "separable": lambda v: sum(block.kind == "separable" for block in v.blocks),
    "depthwise": lambda v: sum(block.kind == "depthwise" for block in v.blocks),
    "first_depthwise": lambda v: v.blocks[0].kind == "depthwise",
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
FEATURES = tuple(_FEATURES)


def features(architecture: Architecture, footprint: Footprint) -> np.ndarray:
    """Return the features in the order of FEATURES: float64 (len(FEATURES),), all finite."""
    view = _View(architecture, footprint)
    return np.array([float(read(view)) for read in _FEATURES.values()])
