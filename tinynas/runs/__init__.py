"""A run on disk: settings, the journal of trials, the best model, the summary."""

from tinynas.runs.folder import Best, Run, latest_run, read_settings
from tinynas.runs.journal import Journal, read_trials
from tinynas.runs.settings import DataSource, Settings
from tinynas.runs.trial import METRICS, Evaluation, State, Trial, ranking

__all__ = [
    "METRICS",
    "Best",
    "DataSource",
    "Evaluation",
    "Journal",
    "Run",
    "Settings",
    "State",
    "Trial",
    "latest_run",
    "ranking",
    "read_settings",
    "read_trials",
]
