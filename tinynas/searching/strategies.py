"""From the settings of a search to its strategy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinynas.options import HEEDS
from tinynas.runs import Settings, front_objectives
from tinynas.searching.aging import AgingEvolution
from tinynas.searching.equal_length import SIZE_BONUS, SizeBonus
from tinynas.searching.evolution import Evolution
from tinynas.searching.nsga2 import NSGA2
from tinynas.searching.random_search import RandomSearch
from tinynas.searching.strategy import Screen, Strategy
from tinynas.searching.surrogate import Surrogate
from tinynas.searching.warm import Network, begun


def strategy_for(
    settings: Settings, screen: Screen, networks: Sequence[Network] = (), size_bonus: SizeBonus = SIZE_BONUS
) -> Strategy:
    """Return the strategy that the settings name, knowing no trial yet; `screen` is for one that looks ahead.

    `networks` are those of an earlier run that the search begins with, `size_bonus` is what size is worth in it.
    KeyError for an object of a caller's own, which only he has.
    """
    return _MAKERS[settings.strategy](settings, screen, begun(networks), size_bonus)


def _told(settings: Settings) -> dict[str, Any]:
    """Return the settings that the strategy heeds, as its arguments."""
    return {"metric": settings.metric} | {name: getattr(settings, name) for name in HEEDS[settings.strategy]}


def _evolution(settings: Settings, *_: object) -> Strategy:
    return Evolution(settings.space, **_told(settings))


def _aging(settings: Settings, *_: object) -> Strategy:
    return AgingEvolution(settings.space, **_told(settings))


def _nsga2(settings: Settings, *_: object) -> Strategy:
    return NSGA2(
        settings.space,
        objectives=front_objectives(settings.objectives),
        limits=settings.limits,
        **_told(settings),
    )


def _surrogate(settings: Settings, screen: Screen, begun: Mapping[str, int], size_bonus: SizeBonus) -> Strategy:
    return Surrogate(
        settings.space,
        screen,
        settings.limits,
        inherit=settings.inherit and settings.fidelity == "proxy",
        begun=begun,
        size_bonus=size_bonus,
        **_told(settings),
    )


def _random(settings: Settings, *_: object) -> Strategy:
    return RandomSearch(settings.space)


_MAKERS: Mapping[str, Callable[[Settings, Screen, Mapping[str, int], SizeBonus], Strategy]] = {
    "evolution": _evolution,
    "aging": _aging,
    "nsga2": _nsga2,
    "surrogate": _surrogate,
    "random": _random,
}
