"""The search: strategies (ask and tell), the executors, the loop, and its public door."""

from tinynas.data import FoldScores, Scores
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching.aging import AgingEvolution
from tinynas.searching.api import resume, search, with_limits
from tinynas.searching.events import (
    Event,
    FinalProgress,
    FoldDone,
    GenerationStarted,
    Note,
    Started,
    TrialDone,
    Watcher,
)
from tinynas.searching.evolution import Evolution
from tinynas.searching.executor import Calls, Executor
from tinynas.searching.features import feature_names, features
from tinynas.searching.jobs import Final, FinalJob, Job, Outcome, StartFile
from tinynas.searching.nsga2 import NSGA2
from tinynas.searching.one_trial import train
from tinynas.searching.processes import Processes
from tinynas.searching.random_search import RandomSearch
from tinynas.searching.result import SearchResult
from tinynas.searching.strategies import strategy_for
from tinynas.searching.strategy import Proposal, Strategy
from tinynas.searching.surrogate import Surrogate
from tinynas.searching.worker import Worker
from tinynas.training.schedule import Schedule

__all__ = [
    "NSGA2",
    "AgingEvolution",
    "Calls",
    "Evaluation",
    "Event",
    "Evolution",
    "Executor",
    "Final",
    "FinalJob",
    "FinalProgress",
    "FoldDone",
    "FoldScores",
    "GenerationStarted",
    "Job",
    "Note",
    "Outcome",
    "Processes",
    "Proposal",
    "RandomSearch",
    "Schedule",
    "Scores",
    "SearchResult",
    "StartFile",
    "Started",
    "State",
    "Strategy",
    "Surrogate",
    "Trial",
    "TrialDone",
    "Watcher",
    "Worker",
    "feature_names",
    "features",
    "resume",
    "search",
    "strategy_for",
    "train",
    "with_limits",
]
