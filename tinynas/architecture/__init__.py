"""The genome: blocks, architectures, the space they live in, and the ways to change them."""

from tinynas.architecture.architecture import Architecture, Head
from tinynas.architecture.block import Block, Shape
from tinynas.architecture.crossover import crossover
from tinynas.architecture.mutation import (
    GENES,
    add_block,
    change_block,
    change_head,
    mutate,
    remove_block,
)
from tinynas.architecture.shrink import shrink
from tinynas.architecture.space import SearchSpace

__all__ = [
    "GENES",
    "Architecture",
    "Block",
    "Head",
    "SearchSpace",
    "Shape",
    "add_block",
    "change_block",
    "change_head",
    "crossover",
    "mutate",
    "remove_block",
    "shrink",
]
