"""The genome: blocks, architectures, the space they live in, and the ways to change them."""

from tinynas.architecture.architecture import Architecture, Head
from tinynas.architecture.block import Block
from tinynas.architecture.crossover import crossover
from tinynas.architecture.kinds import CONVOLUTIONS, KINDS, Kind, Stage, register_kind
from tinynas.architecture.mutation import (
    GENES,
    add_block,
    change_block,
    change_head,
    genes_of,
    mutate,
    remove_block,
)
from tinynas.architecture.shrink import shrink
from tinynas.architecture.space import SearchSpace
from tinynas.architecture.walk import INPUT, Layer, Shape, walk

__all__ = [
    "CONVOLUTIONS",
    "GENES",
    "INPUT",
    "KINDS",
    "Architecture",
    "Block",
    "Head",
    "Kind",
    "Layer",
    "SearchSpace",
    "Shape",
    "Stage",
    "add_block",
    "change_block",
    "change_head",
    "crossover",
    "genes_of",
    "mutate",
    "register_kind",
    "remove_block",
    "shrink",
    "walk",
]
