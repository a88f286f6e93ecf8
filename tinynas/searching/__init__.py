"""The search: strategies (ask and tell), the executors, the loop, and its public door."""

from tinynas.searching.api import SearchResult, resume, search, strategy_for, with_limits
from tinynas.searching.events import Event, FinalProgress, GenerationStarted, Note, Started, TrialDone, Watcher
from tinynas.searching.evolution import Evolution
from tinynas.searching.random_search import RandomSearch
from tinynas.searching.strategy import Proposal, Strategy

__all__ = [
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
    "TrialDone",
    "Watcher",
    "resume",
    "search",
    "strategy_for",
    "with_limits",
]
