"""The search: strategies (ask and tell), the executors, the loop, and its public door."""

from tinynas.searching.aging import AgingEvolution
from tinynas.searching.api import SearchResult, resume, search, with_limits
from tinynas.searching.events import Event, FinalProgress, GenerationStarted, Note, Started, TrialDone, Watcher
from tinynas.searching.evolution import Evolution
from tinynas.searching.features import feature_names, features
from tinynas.searching.nsga2 import NSGA2
from tinynas.searching.random_search import RandomSearch
from tinynas.searching.strategies import strategy_for
from tinynas.searching.strategy import Proposal, Strategy
from tinynas.searching.surrogate import Surrogate

__all__ = [
    "NSGA2",
    "AgingEvolution",
    "Event",
    "Evolution",
    "FinalProgress",
    "GenerationStarted",
    "Note",
    "Proposal",
    "RandomSearch",
    "SearchResult",
    "Started",
    "Strategy",
    "Surrogate",
    "TrialDone",
    "Watcher",
    "feature_names",
    "features",
    "resume",
    "search",
    "strategy_for",
    "with_limits",
]
