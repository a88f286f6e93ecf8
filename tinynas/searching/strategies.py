"""From the settings of a search to its strategy."""

from collections.abc import Callable, Mapping

from tinynas.architecture import Architecture
from tinynas.hardware import Footprint
from tinynas.runs import FRONT, Settings
from tinynas.searching.aging import AgingEvolution
from tinynas.searching.evolution import Evolution
from tinynas.searching.nsga2 import NSGA2
from tinynas.searching.random_search import RandomSearch
from tinynas.searching.strategy import Strategy
from tinynas.searching.surrogate import Surrogate

Screen = Callable[[Architecture], Footprint]


def strategy_for(settings: Settings, screen: Screen) -> Strategy:
    """Return the strategy that the settings name, knowing no trial yet; `screen` is for one that looks ahead."""
    return _MAKERS[settings.strategy](settings, screen)


def _evolution(settings: Settings, _: Screen) -> Strategy:
    return Evolution(
        settings.space,
        selection=settings.selection,
        start=settings.start,
        n_parents=settings.n_parents,
        n_mutations=settings.n_mutations,
        metric=settings.metric,
    )


def _aging(settings: Settings, _: Screen) -> Strategy:
    return AgingEvolution(
        settings.space, start=settings.start, n_mutations=settings.n_mutations, metric=settings.metric
    )


def _nsga2(settings: Settings, _: Screen) -> Strategy:
    return NSGA2(
        settings.space,
        objectives=settings.objectives if len(settings.objectives) > 1 else FRONT,
        limits=settings.limits,
        start=settings.start,
        n_mutations=settings.n_mutations,
        metric=settings.metric,
    )


def _surrogate(settings: Settings, screen: Screen) -> Strategy:
    return Surrogate(
        settings.space,
        screen,
        settings.limits,
        start=settings.start,
        metric=settings.metric,
        inherits=settings.inherit and settings.fidelity == "proxy",
    )


def _random(settings: Settings, _: Screen) -> Strategy:
    return RandomSearch(settings.space)


_MAKERS: Mapping[str, Callable[[Settings, Screen], Strategy]] = {
    "evolution": _evolution,
    "aging": _aging,
    "nsga2": _nsga2,
    "surrogate": _surrogate,
    "random": _random,
}
