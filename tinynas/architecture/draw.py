"""Random blocks and heads as an engineer might try them: filters that grow with depth, halving early."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinynas.architecture.architecture import Head
from tinynas.architecture.block import Block
from tinynas.architecture.kinds import KINDS
from tinynas.architecture.walk import Shape

if TYPE_CHECKING:
    from tinynas.architecture.space import SearchSpace

T = TypeVar("T")

# How often a random block takes the value that is mostly right, where the space allows it.
_BATCH_NORM_SHARE = 0.9
_SAME_PADDING_SHARE = 0.8
_POOL_AMONG_HALVINGS = 0.7
_RESIDUAL_SHARE = 0.4
_GAP_SHARE = 0.8
_NO_HIDDEN_SHARE = 0.7

_MOST_FLATTENED = 1024  # values into the first Dense layer: more is mostly wasted flash
_MOST_EXPANDED = 32 * 1024  # values of an expanded map: what most boards have room for beside its input
_FIRST_CHANNELS = 4  # up to here a map is raw data, and a convolution per channel finds little in it


def choose(rng: np.random.Generator, choices: Sequence[T], favourite: Any = None, share: float = 0.0) -> T:
    """Return the favourite with probability `share` where it is a choice, else any choice."""
    if share > 0.0 and favourite in choices and rng.random() < share:
        return choices[choices.index(favourite)]
    return choices[int(rng.integers(len(choices)))]


def draw_block(space: "SearchSpace", rng: np.random.Generator, shape: Shape) -> Block:
    """Return a random block for a map of `shape`; it may still need the space's repair to fit."""
    channels, longest = shape[2], max(shape[:2])
    raw = channels <= _FIRST_CHANNELS
    kinds = tuple(k for k in space.kinds if KINDS[k].on_raw or not raw) or space.kinds
    kind = choose(rng, kinds, "conv", 0.7 if raw else 0.15)
    stride, pool = 1, None
    if rng.random() < _halving_share(longest, space.smallest_map):
        pools = tuple(p for p in space.pools if p is not None)
        strides = tuple(s for s in space.strides if s > 1)
        if pools and (not strides or rng.random() < _POOL_AMONG_HALVINGS):
            pool = choose(rng, pools, "max", 0.5)
        elif strides:
            stride = choose(rng, strides)
    mixes = KINDS[kind].strided.convolution == "conv"
    return Block(
        kind,
        choose(rng, _filters_for(space.filters, channels)),
        choose(rng, _kernels_for(space.kernel_sizes, stride, mixes and not raw)),
        stride,
        choose(rng, space.paddings, "same", _SAME_PADDING_SHARE),
        choose(rng, space.activations),
        choose(rng, space.batch_norm, True, _BATCH_NORM_SHARE),
        pool,
        choose(rng, space.pool_sizes),
        True in space.residual and rng.random() < _RESIDUAL_SHARE,
        choose(rng, _expansions_for(space.expansions, shape)) if KINDS[kind].expands else Block.expansion,
    )


def draw_head(space: "SearchSpace", rng: np.random.Generator, shape: Shape) -> Head:
    """Return a random head for a map of `shape`: mostly the average over the map, and no hidden layer."""
    gap_share = 1.0 if shape[0] * shape[1] * shape[2] > _MOST_FLATTENED else _GAP_SHARE
    pooling = choose(rng, space.head_poolings, "gap", gap_share)
    return Head(pooling, choose(rng, space.hidden_units, 0, _NO_HIDDEN_SHARE))


def _halving_share(longest: int, smallest_map: int) -> float:
    """Return how likely a block makes its map smaller: large maps cost most and say least per value."""
    if longest >= 16:
        return 0.8 if longest >= 48 else 0.65
    return 0.4 if longest >= 2 * smallest_map else 0.0


def _filters_for(choices: Sequence[int], channels: int) -> Sequence[int]:
    """Return the filters that follow `channels`: as many to twice as many; 8 to 24 on raw data."""
    least, most = (8, 24) if channels <= _FIRST_CHANNELS else (channels, 2 * channels)
    return tuple(f for f in choices if least <= f <= most) or choices


def _kernels_for(choices: Sequence[int], stride: int, one_is_fine: bool) -> Sequence[int]:
    """Return the kernels that see every value at this stride and, where 1 mixes nothing, more than one."""
    return tuple(k for k in choices if k >= stride and (k > 1 or one_is_fine)) or choices


def _expansions_for(choices: Sequence[int], shape: Shape) -> Sequence[int]:
    """Return the expansions that a small board has room for on a map of `shape`, the least if it has for none."""
    values = shape[0] * shape[1] * shape[2]
    return tuple(e for e in choices if e * values <= _MOST_EXPANDED) or (min(choices),)
