"""What falls under the contracts of strategies and executors: a row each, and every test of its contract runs on it.

The contracts are in test_strategies.py and test_executor.py. A strategy is made from a space, an executor from the data
and the settings; both as the search makes them.
"""

from collections.abc import Callable

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.data import Dataset
from tinynas.hardware import Limits
from tinynas.runs import Evaluation, Settings
from tinynas.searching import (
    NSGA2,
    AgingEvolution,
    Calls,
    Evolution,
    Executor,
    Processes,
    RandomSearch,
    Strategy,
    Surrogate,
)
from tinynas.searching.cluster import Ray

LIMITS = Limits(flash_bytes=8000, ram_bytes=4000)
STRATEGIES: dict[str, Callable[[SearchSpace], Strategy]] = {
    "plus": lambda space: Evolution(space, selection="plus"),
    "comma": lambda space: Evolution(space, selection="comma"),
    "random start": lambda space: Evolution(space, start="random"),
    "aging": lambda space: AgingEvolution(space, population=8, sample=3),
    "nsga2": lambda space: NSGA2(space, limits=LIMITS, population=6),
    "surrogate": lambda space: Surrogate(space, footprint_of, LIMITS),
    "random": RandomSearch,
}
LEARN = set(STRATEGIES) - {"random"}  # those that must find better ones than random search does
SLOW = {"surrogate"}  # of these, those that take minutes for it

FAILS = Architecture((8, 8, 1), (Block("separable", 4, 3, stride=2),), Head(), 3)
"""The child that fails: its job comes with figures that its file will not have."""


def scored(architecture: Architecture) -> Evaluation:
    """Made-up scores, none for the child that fails."""
    if architecture == FAILS:
        raise ValueError("it would not")
    return evaluate(architecture)


EXECUTORS: dict[str, Callable[[Dataset, Settings], Executor]] = {
    "calls": lambda dataset, settings: Calls(scored),
    "processes": lambda dataset, settings: Processes(dataset, settings, 2),
    "ray": lambda dataset, settings: Ray(dataset, settings, 2, address="local"),
}
