"""What a model makes a core do: instructions, and bytes of weights that it fetches from Flash."""

from collections.abc import Iterable
from typing import NamedTuple


class Work(NamedTuple):
    """The work of one inference, or of one operator of it.

    `weight_bytes` counts a byte of weights as often as it comes from Flash: see tflite/weight_reads.py.
    """

    instructions: int
    weight_bytes: int = 0


def total(works: Iterable[Work]) -> Work:
    """The work of all of them."""
    every = list(works)
    return Work(sum(each.instructions for each in every), sum(each.weight_bytes for each in every))
