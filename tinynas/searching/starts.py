"""The first proposals of a search, before anything has been scored."""

import numpy as np

from tinynas.architecture import Architecture, SearchSpace


def first(space: SearchSpace, start: str, n: int, rng: np.random.Generator) -> list[Architecture]:
    """Return n architectures: the hand-made ones first, if `start` is "handmade", then random ones."""
    handmade = space.handmade() if start == "handmade" else ()
    randoms = (space.random_architecture(rng) for _ in range(max(0, n - len(handmade))))
    return [*handmade, *randoms][:n]
