"""A whole network as a value: the input's shape, the blocks, the head; everything else is derived."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from tinynas.architecture import checks
from tinynas.architecture.block import Block
from tinynas.architecture.walk import Shape
from tinynas.errors import ArchitectureError

HeadPooling = Literal["gap", "flatten"]
HEAD_POOLINGS: tuple[HeadPooling, ...] = get_args(HeadPooling)


@dataclass(frozen=True)
class Head:
    """What follows the last block. Raises ArchitectureError for a value that no head may have.

    "gap" is an average pool over the whole map (left out on a 1x1 map), then Flatten; "flatten" is Flatten
    alone. Then, if `hidden_units`, Dense with relu; then dropout and Dense with softmax over the classes.
    """

    pooling: HeadPooling = "gap"
    hidden_units: int = 0

    def __post_init__(self) -> None:
        checks.one_of(self.pooling, HEAD_POOLINGS, "The head's pooling")
        checks.whole(self.hidden_units, 0, "The head's hidden_units")

    def to_dict(self) -> dict[str, Any]:
        """Return the genes as plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> "Head":
        """Return the head that `to_dict` gave; ArchitectureError on an unknown key or a bad value."""
        return cls(**checks.mapping(cls, data, "The head"))

    def __str__(self) -> str:
        return self.pooling + (f" > dense{self.hidden_units}" if self.hidden_units else "")


@dataclass(frozen=True)
class Architecture:
    """A legal network: construction raises ArchitectureError that names the block where it is not one.

    `input_shape` is (H, W, C), (L, 1, C) for a series. `dropout` holds the rate after the first block and the
    rate in the head; those between lie on the line from one to the other.
    """

    input_shape: Shape
    blocks: tuple[Block, ...]
    head: Head
    n_classes: int
    dropout: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        shape = checks.input_shape(self.input_shape, "the input's shape")
        blocks = checks.sequence(self.blocks, "The architecture's blocks")
        dropout = checks.dropout_range(self.dropout, "The architecture's dropout")
        checks.whole(self.n_classes, 2, "The architecture's n_classes")
        if not blocks:
            raise ArchitectureError("The architecture has no blocks; it needs at least one.")
        for number, block in enumerate(blocks):
            if not isinstance(block, Block):
                raise ArchitectureError(f"Block {number} is {block!r:.60}; a tinynas.Block was wanted.")
        for name, value in (("input_shape", shape), ("blocks", blocks), ("dropout", dropout)):
            object.__setattr__(self, name, value)  # JSON's lists become tuples, and 0 becomes 0.0: one key for both
        for number, (block, incoming) in enumerate(zip(blocks, self.shapes, strict=False)):
            fault = block.fault(incoming)
            if fault is not None:
                raise ArchitectureError(f"Block {number} ({block}) is not legal: {fault}.")

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The input's shape, then the shape after each block: len(blocks) + 1 times (H, W, C)."""
        shapes = [self.input_shape]
        for block in self.blocks:
            shapes.append(block.output_shape(shapes[-1]))
        return tuple(shapes)

    @property
    def dropout_rates(self) -> tuple[float, ...]:
        """The dropout rate after each block, then the head's: len(blocks) + 1 values, evenly spaced."""
        first, last = self.dropout
        steps = len(self.blocks)
        return tuple(round(first + (last - first) * step / steps, 9) for step in range(steps + 1))

    @cached_property
    def key(self) -> str:
        """The identity of this network: 16 hexadecimal digits of the SHA-256 of its canonical JSON."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return the genes as plain values that JSON can hold."""
        return {
            "input_shape": list(self.input_shape),
            "blocks": [block.to_dict() for block in self.blocks],
            "head": self.head.to_dict(),
            "n_classes": self.n_classes,
            "dropout": list(self.dropout),
        }

    @classmethod
    def from_dict(cls, data: Any) -> "Architecture":
        """Return the network that `to_dict` gave; ArchitectureError on an unknown key or a bad value."""
        genes = checks.mapping(cls, data, "The architecture")
        blocks = checks.sequence(genes["blocks"], "The architecture's blocks")
        genes["blocks"] = tuple(Block.from_dict(b, f"Block {number}") for number, b in enumerate(blocks))
        genes["head"] = Head.from_dict(genes["head"])
        return cls(**genes)

    def __str__(self) -> str:
        rate = self.dropout_rates[-1]
        words = [*map(str, self.blocks), str(self.head)] + ([f"drop{rate:g}"] if rate else [])
        return " > ".join([*words, f"dense{self.n_classes}"])
