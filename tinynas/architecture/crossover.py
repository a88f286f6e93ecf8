"""A child of two networks: the first blocks of one, the last blocks of the other."""

import math

import numpy as np

from tinynas.architecture.architecture import Architecture
from tinynas.architecture.draw import choose
from tinynas.architecture.space import SearchSpace


def crossover(a: Architecture, b: Architecture, space: SearchSpace, rng: np.random.Generator) -> Architecture:
    """Return the blocks of `a` up to a random cut, those of `b` after one, and the head of `b`, repaired.

    The cut of `b` is one where its map is nearest in size to the map at the cut of `a`, so that the halvings of the
    child come where they came in its parents. The child can equal a parent.
    """
    cut_a = int(rng.integers(len(a.blocks) + 1))
    size = _log_size(a, cut_a)
    least = 1 if cut_a == 0 else 0  # then something is left of b: a child has at least one block
    cuts = range(len(b.blocks) + 1 - least)
    gaps = [abs(_log_size(b, cut) - size) for cut in cuts]
    cut_b = choose(rng, [cut for cut, gap in zip(cuts, gaps, strict=True) if gap <= min(gaps) + 1e-9])
    return space.assemble((*a.blocks[:cut_a], *b.blocks[cut_b:]), b.head)


def _log_size(architecture: Architecture, cut: int) -> float:
    """Return the logarithm of H x W of the map before block number `cut`."""
    height, width, _ = architecture.shapes[cut]
    return math.log(height * width)
