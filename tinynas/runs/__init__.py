"""A run on disk: settings, the journal of trials, the best model, the summary."""

from tinynas.options.search import METRICS, OBJECTIVES
from tinynas.runs.folder import Run, read_settings, read_summary
from tinynas.runs.front import (
    FRONT,
    checked_objectives,
    dominance,
    front,
    front_objectives,
    objective_value,
    objective_values,
)
from tinynas.runs.journal import Journal, read_trials
from tinynas.runs.models import Best, kept, trial_folder
from tinynas.runs.names import find_run, latest_run, require_outside_models, run_and_trial
from tinynas.runs.settings import DataSource, Settings
from tinynas.runs.trial import Evaluation, State, Trial, latest, leader, ranking

__all__ = [
    "FRONT",
    "METRICS",
    "OBJECTIVES",
    "Best",
    "DataSource",
    "Evaluation",
    "Journal",
    "Run",
    "Settings",
    "State",
    "Trial",
    "checked_objectives",
    "dominance",
    "find_run",
    "front",
    "front_objectives",
    "kept",
    "latest",
    "latest_run",
    "leader",
    "objective_value",
    "objective_values",
    "ranking",
    "read_settings",
    "read_summary",
    "read_trials",
    "require_outside_models",
    "run_and_trial",
    "trial_folder",
]
