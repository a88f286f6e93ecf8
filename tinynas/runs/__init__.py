"""A run on disk: settings, the journal of trials, the best model, the summary."""

from tinynas.options.search import METRICS, OBJECTIVES
from tinynas.runs.folder import Run, read_settings
from tinynas.runs.front import (
    FRONT,
    checked_objectives,
    front,
    front_objectives,
    objective_value,
    objective_values,
    undominated,
)
from tinynas.runs.journal import Journal, read_trials
from tinynas.runs.models import Best, kept, standing, start_of, trained, trained_folder, trial_folder
from tinynas.runs.names import find_run, latest_run, require_outside_models, run_and_trial
from tinynas.runs.settings import DataSource, Extension, Settings
from tinynas.runs.smaller import Smaller, contenders, preferred, smaller, smaller_words, standard_error, unbeaten
from tinynas.runs.summary import chosen_words, read_summary, read_trained
from tinynas.runs.trial import Evaluation, State, Trial, latest, leader, numbered, ranking

__all__ = [
    "FRONT",
    "METRICS",
    "OBJECTIVES",
    "Best",
    "DataSource",
    "Evaluation",
    "Extension",
    "Journal",
    "Run",
    "Settings",
    "Smaller",
    "State",
    "Trial",
    "checked_objectives",
    "chosen_words",
    "contenders",
    "find_run",
    "front",
    "front_objectives",
    "kept",
    "latest",
    "latest_run",
    "leader",
    "numbered",
    "objective_value",
    "objective_values",
    "preferred",
    "ranking",
    "read_settings",
    "read_summary",
    "read_trained",
    "read_trials",
    "require_outside_models",
    "run_and_trial",
    "smaller",
    "smaller_words",
    "standard_error",
    "standing",
    "start_of",
    "trained",
    "trained_folder",
    "trial_folder",
    "unbeaten",
    "undominated",
]
