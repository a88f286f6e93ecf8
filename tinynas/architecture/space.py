"""The ranges that the genes may take, and the way back into them for any list of blocks."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tinynas.architecture import checks
from tinynas.architecture.architecture import HEAD_POOLINGS, Architecture, Head, HeadPooling
from tinynas.architecture.block import (
    ACTIVATIONS,
    PADDINGS,
    POOLS,
    Activation,
    Block,
    Padding,
    Pool,
)
from tinynas.architecture.draw import draw_block, draw_head
from tinynas.architecture.kinds import KINDS, register_kind, require_kind
from tinynas.architecture.starts import starts
from tinynas.architecture.walk import Shape
from tinynas.errors import ArchitectureError, door
from tinynas.options import SPACE
from tinynas.words import known

_MOST_BLOCKS = 100  # as `most` below: no board has room for more, and a slip of the pen must not hang a search
_FILTERS = (4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192)


def _size(value: Any, where: str, least: int = 1, most: int = 4096) -> None:
    """Raise ArchitectureError unless `value` is a whole number from `least` to `most`."""
    if checks.whole(value, least, where) > most:
        raise ArchitectureError(f"{where} must be at most {most}, got {value}.")


# Each field that is a tuple of choices, and what raises ArchitectureError for a value that none may be.
_CHOICES: dict[str, Callable[..., object]] = {
    "kinds": require_kind,
    "filters": _size,
    "kernel_sizes": _size,
    "strides": _size,
    "paddings": partial(checks.one_of, choices=PADDINGS),
    "activations": partial(checks.one_of, choices=ACTIVATIONS),
    "batch_norm": partial(checks.one_of, choices=(True, False)),
    "pools": partial(checks.one_of, choices=POOLS),
    "pool_sizes": partial(_size, least=2),
    "residual": partial(checks.one_of, choices=(True, False)),
    "head_poolings": partial(checks.one_of, choices=HEAD_POOLINGS),
    "hidden_units": partial(_size, least=0),
    "expansions": partial(_size, most=32),
}


@dataclass(frozen=True)
class SearchSpace:
    """What a search may try for one input shape and number of classes.

    Each field in the plural is the tuple of values that a gene may take; the first is the one that a gene
    without effect gets (of an expansion: a block's default). Stride 1, padding "same", no pool and no residual
    are always allowed, since not every map has room for more. No block takes an axis below `smallest_map`.
    `dropout` goes unchanged to every network: none by default, since networks that fit a microcontroller have too
    few weights to learn samples by heart, and with it a training step takes a third longer (docs/benchmarks.md).
    Random ones start with at most `initial_depth` blocks; none ever has more than `max_depth`.
    """

    input_shape: Shape
    n_classes: int
    kinds: tuple[str, ...] = tuple(KINDS)
    filters: tuple[int, ...] = _FILTERS
    kernel_sizes: tuple[int, ...] = (3, 1, 5)
    strides: tuple[int, ...] = (1, 2)
    paddings: tuple[Padding, ...] = PADDINGS
    activations: tuple[Activation, ...] = ACTIVATIONS
    batch_norm: tuple[bool, ...] = (True, False)
    pools: tuple[Pool | None, ...] = POOLS
    pool_sizes: tuple[int, ...] = (2,)
    residual: tuple[bool, ...] = (False, True)
    head_poolings: tuple[HeadPooling, ...] = HEAD_POOLINGS
    hidden_units: tuple[int, ...] = (0, 16, 32, 64)
    initial_depth: int = SPACE["initial_depth"].default
    max_depth: int = SPACE["max_depth"].default
    dropout: tuple[float, float] = (0.0, 0.0)
    smallest_map: int = 2
    expansions: tuple[int, ...] = (2, 3, 4, 6)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_shape", checks.input_shape(self.input_shape, "the space's input_shape"))
        object.__setattr__(self, "dropout", checks.dropout_range(self.dropout, "The space's dropout"))
        checks.whole(self.n_classes, 2, "The space's n_classes")
        checks.whole(self.smallest_map, 1, "The space's smallest_map")
        checks.whole(self.max_depth, 1, "The space's max_depth")
        checks.whole(self.initial_depth, 1, "The space's initial_depth")
        if self.max_depth > _MOST_BLOCKS:
            raise ArchitectureError(f"The space's max_depth is {self.max_depth}; it can be at most {_MOST_BLOCKS}.")
        if self.initial_depth > self.max_depth:
            raise ArchitectureError(
                f"The space's initial_depth {self.initial_depth} is more than its max_depth {self.max_depth}."
            )
        for name, check in _CHOICES.items():
            choices = checks.sequence(getattr(self, name), f"The space's {name}")
            if not choices:
                raise ArchitectureError(f"The space's {name} is empty; it needs at least one value.")
            for value in choices:
                check(value, where=f"Each of the space's {name}")
            object.__setattr__(self, name, choices)

    @classmethod
    def for_input(cls, shape: Shape, n_classes: int, **overrides: Any) -> "SearchSpace":
        """Return ranges that suit the input: a long series gets long kernels, strides and pools.

        A `max_depth` that is less than the usual initial depth lowers that too.
        """
        height, width, _ = shape = checks.input_shape(shape, "the input's shape")
        length = max(height, width)
        ranges: dict[str, Any] = {}
        if min(height, width) == 1:
            reach = 15 if length >= 256 else 11 if length >= 64 else 7 if length >= 16 else 5
            ranges["kernel_sizes"] = tuple(k for k in (3, 5, 7, 9, 11, 15) if k <= reach)
            if length >= 64:
                ranges.update(strides=(1, 2, 4), pool_sizes=(2, 3, 4))
        elif min(height, width) < 5:
            ranges["kernel_sizes"] = (3, 1)
        if isinstance(most := overrides.get("max_depth"), int):
            ranges["initial_depth"] = min(cls.initial_depth, most)
        ranges_known = {*_CHOICES, "initial_depth", "max_depth", "dropout", "smallest_map"}
        for name in overrides:
            if name not in ranges_known:
                raise ArchitectureError(f"The search space has no range {name!r} ({known(name, ranges_known)}).")
        return cls(shape, n_classes, **{**ranges, **overrides})

    def repair(self, architecture: Architecture) -> Architecture:
        """Return the nearest network of this space; a network that lies in it comes back equal."""
        return self.assemble(architecture.blocks, architecture.head)

    def contains(self, architecture: Architecture) -> bool:
        """Return whether `architecture` lies in this space."""
        return self.repair(architecture) == architecture

    def assemble(self, blocks: Sequence[Block], head: Head) -> Architecture:
        """Return a legal network of this space from any list of blocks.

        The list is cut at max_depth; genes go to the nearest choice; what does not fit its map is dropped
        ("valid" becomes "same", then the stride and the pool shrink, then the residual goes); genes without
        effect get one fixed value (`filters` of a depthwise block: its input's channels), so that different
        keys are different networks.
        """
        legal: list[Block] = []
        shape = self.input_shape
        for block in blocks[: self.max_depth] or (self._default_block(),):
            legal.append(self._fit(self._snap(block, shape), shape))
            shape = legal[-1].output_shape(shape)
        pooling = head.pooling if head.pooling in self.head_poolings else self.head_poolings[0]
        if shape[:2] == (1, 1) and "gap" in self.head_poolings:
            pooling = "gap"  # on a 1x1 map both poolings are the same network
        head = Head(pooling, _nearest(head.hidden_units, self.hidden_units))
        return Architecture(self.input_shape, tuple(legal), head, self.n_classes, self.dropout)

    def random_block(self, rng: np.random.Generator, shape: Shape) -> Block:
        """Return a block for a map of `shape` as an engineer might try it; it fits the map and the space."""
        return self._fit(self._snap(draw_block(self, rng, shape), shape), shape)

    @door
    def random_architecture(self, rng: np.random.Generator) -> Architecture:
        """Return a network of 1 to initial_depth random blocks and a random head."""
        blocks: list[Block] = []
        shape = self.input_shape
        for _ in range(int(rng.integers(1, self.initial_depth + 1, 2).max())):  # rather deep than shallow
            blocks.append(self.random_block(rng, shape))
            shape = blocks[-1].output_shape(shape)
        return self.assemble(blocks, draw_head(self, rng, shape))

    def handmade(self) -> tuple[Architecture, ...]:
        """Return 3 to 7 sound hand-made networks for this input, small to large, brought into the space."""
        return tuple({a.key: a for a in (self.assemble(*start) for start in starts(self.input_shape))}.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the ranges as plain values that JSON can hold."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Any) -> "SearchSpace":
        """Return the space that `to_dict` gave; ArchitectureError on an unknown key or a bad value."""
        return cls(**checks.mapping(cls, data, "The search space"))

    def __getstate__(self) -> dict[str, Any]:
        """Take the rows of all kinds along: a worker process knows none but those that ship with tinynas."""
        return {**self.__dict__, "rows": tuple(KINDS.values())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for row in state.pop("rows"):
            register_kind(row)
        self.__dict__.update(state)

    def _default_block(self) -> Block:
        return Block("conv", self.filters[len(self.filters) // 2], self.kernel_sizes[0])

    def _snap(self, block: Block, shape: Shape) -> Block:
        """Return `block` with each gene on a choice of the space."""
        kind = block.kind if block.kind in self.kinds else self.kinds[0]
        return Block(
            kind,
            _nearest(block.filters, self.filters) if KINDS[kind].has_filters else shape[2],
            _nearest(block.kernel_size, self.kernel_sizes),
            _nearest(block.stride, (1, *self.strides)),
            block.padding if block.padding in self.paddings else "same",
            block.activation if block.activation in self.activations else self.activations[0],
            block.batch_norm if block.batch_norm in self.batch_norm else self.batch_norm[0],
            block.pool if block.pool in self.pools else None,
            _nearest(block.pool_size, self.pool_sizes),
            block.residual and True in self.residual,
            _nearest(block.expansion, self.expansions) if KINDS[kind].expands else Block.expansion,
        )

    def _fit(self, block: Block, shape: Shape) -> Block:
        """Return `block`, already on the space's choices, with what its map has no room for taken back."""
        if shape[:2] == (1, 1):
            block = replace(block, kernel_size=self.kernel_sizes[0], stride=1)
        if block.kernel(shape) == (1, 1) or not self._has_room(replace(block, pool=None), shape):
            block = replace(block, padding="same")
        for stride in sorted({1, *(s for s in self.strides if s < block.stride)}, reverse=True):
            if self._has_room(replace(block, pool=None), shape):
                break
            block = replace(block, stride=stride)
        for size in sorted({s for s in self.pool_sizes if s < block.pool_size}, reverse=True):
            if block.pool is None or self._has_room(block, shape):
                break
            block = replace(block, pool_size=size)
        if block.pool is None or not self._has_room(block, shape):
            block = replace(block, pool=None, pool_size=self.pool_sizes[0])
        return replace(block, residual=block.residual and block.conv_shape(shape) == shape)

    def _has_room(self, block: Block, shape: Shape) -> bool:
        """Return whether `block`, its residual aside, is legal and leaves each axis long enough."""
        if replace(block, residual=False).fault(shape) is not None:
            return False
        return all(
            after >= min(before, self.smallest_map)
            for before, after in zip(shape[:2], block.output_shape(shape)[:2], strict=True)
        )


def _nearest(value: int, choices: Sequence[int]) -> int:
    """Return the choice nearest to `value`; of two equally near ones the smaller."""
    return min(choices, key=lambda choice: (abs(choice - value), choice))
