"""The settings of a search, each described once; and which of them each strategy heeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from tinynas.options.option import FIRST, RUN, STUDY, TRAINING, Option, one_of

StrategyName = Literal["evolution", "aging", "nsga2", "surrogate", "random"]
Selection = Literal["comma", "plus"]
Start = Literal["handmade", "random"]
Fidelity = Literal["none", "proxy", "full"]
Metric = Literal["accuracy", "precision", "recall", "f1"]
Precision = Literal["float32", "bfloat16"]
Prefer = Literal["accuracy", "balanced", "small"]
METRICS: tuple[str, ...] = get_args(Metric)
OBJECTIVES = ("accuracy", "ram", "flash", "latency", "macs", "params")
AUGMENTATIONS = ("shift", "flip", "noise", "scale", "erase", "warp")
GENERATIONS = 8  # where no end of any kind is given
SEVERAL_OBJECTIVES: StrategyName = "nsga2"  # the strategy for them, where none is named

# What each strategy is told of the settings, beside the space, the limits and the metric: it heeds nothing else.
HEEDS: Mapping[str, tuple[str, ...]] = {
    "evolution": ("n_parents", "n_mutations", "selection", "start"),
    "aging": ("n_mutations", "start"),
    "nsga2": ("n_mutations", "start"),
    "surrogate": ("start",),
    "random": (),
}


def _of_strategies(name: str, help: str, kind: Literal["whole", "choice"], **more: object) -> Option:
    """Return an option that some strategies heed: those that HEEDS says."""
    heed = tuple(strategy for strategy, heeded in HEEDS.items() if name in heeded)
    return Option(name, help, kind, panel=STUDY, strategies=heed, **more)  # type: ignore[arg-type]


_TRAINS: tuple[Fidelity, ...] = ("proxy", "full")
_ROWS = (
    Option(
        "time_budget_s", "Wall time for everything, such as 20m or 1h30m; give a minute or more.", "time", None,
        "no limit", "--time-budget", above=0, most=30 * 86400, panel=FIRST, more=True,
    ),
    Option(
        "max_trials", "End the search after this many networks were trained; promotions and finalists are not counted.",
        "whole", option="--trials", least=1, more=True,
    ),
    Option(
        "n_generations", "End the search after this many generations.", "whole", None,
        f"{GENERATIONS} when no end is given", least=1, more=True,
    ),
    Option("patience", "End the search after this many generations without a better trial.", "whole", least=1),
    Option(
        "objectives", f"What to improve, as a comma list: accuracy, and any of {', '.join(OBJECTIVES[1:])}.", "names",
        ("accuracy",), choices=OBJECTIVES,
    ),
    Option(
        "prefer",
        "Which finalist wins: the one with the highest score (accuracy), the smallest within one standard error of it "
        "(balanced), or within two points, or two standard errors where these are more (small).",
        "choice", "accuracy", choices=get_args(Prefer), fidelities=_TRAINS,
    ),
    Option("metric", f"How trials are ranked: by {one_of(METRICS)}.", "choice", "accuracy", choices=METRICS),
    Option("seed", "The same seed and number of trials give the same search.", "whole", 0, least=0, most=2**31 - 1),
    Option(
        "augment", f"How samples are varied in training: auto, none, or a comma list of {', '.join(AUGMENTATIONS)}.",
        "text", "auto", panel=TRAINING, metavar="NAMES", fidelities=_TRAINS,
    ),
    Option(
        "balance", "Give rare classes more weight in training, so that all classes count the same.", "switch", False,
        panel=TRAINING, fidelities=_TRAINS,
    ),
    Option(
        "fidelity", "How a trial is trained: proxy (for a short time), full (on every fold) or none (only measured).",
        "choice", "proxy", choices=get_args(Fidelity), panel=TRAINING,
    ),
    Option(
        "n_folds", "The number of folds of the cross-validation.", "whole", 5,
        "5, or 3 where groups are few, or fewer where a class has fewer samples", least=2, panel=TRAINING,
        fidelities=_TRAINS,
    ),
    Option(
        "n_finalists",
        "How many of the best trials are trained on every fold before one is chosen, beside the best hand-made one.",
        "whole", None, "three, or more where a small network would have a long final training", least=1,
        panel=TRAINING, fidelities=("proxy",),
    ),
    Option(
        "final_epochs", "Epochs of the final training.", "whole", None,
        "by the size of the data, or by the time that is left", least=1, panel=TRAINING, fidelities=_TRAINS,
    ),
    Option(
        "qat", "Fine-tune the final model with the rounding of int8, and keep the better file.", "switch", True,
        panel=TRAINING, fidelities=_TRAINS,
    ),
    Option(
        "precision", f"The number format of the training: {one_of(get_args(Precision))}.", "choice", "float32",
        "bfloat16 for pictures where the processor supports it, else float32", choices=get_args(Precision),
        panel=TRAINING, fidelities=_TRAINS,
    ),
    Option(
        "strategy", f"What proposes the networks to try: {one_of(tuple(HEEDS))}.", "choice", "surrogate",
        f"surrogate, or {SEVERAL_OBJECTIVES} where there is more than one objective", choices=tuple(HEEDS), panel=STUDY,
    ),
    Option("n_children", "Trials in each generation.", "whole", 8, least=1, most=1000, panel=STUDY),
    _of_strategies("n_parents", "How many of the best trials may be parents.", "whole", default=3, least=1, most=1000),
    _of_strategies(
        "n_mutations", "The most mutations from a parent to a new trial.", "whole", default=2, least=1, most=100,
    ),
    _of_strategies(
        "selection", "Take parents from all trials so far (plus) or from the newest generation alone (comma).",
        "choice", default="plus", choices=get_args(Selection),
    ),
    _of_strategies(
        "start",
        "The first generation: some hand-made networks and random ones (handmade), or random ones alone (random).",
        "choice", default="handmade", choices=get_args(Start),
    ),
    Option(
        "n_rungs", "The number of lengths of training; the best trials of one go on to the next.", "whole", 3, least=1,
        most=6,
        panel=STUDY, fidelities=("proxy",),
    ),
    Option(
        "reduction", "The best 1/reduction of a rung go on to the next, which is this many times as long.", "whole", 3,
        option=None, least=2, most=10, panel=STUDY, fidelities=("proxy",),
    ),
    Option(
        "inherit", "Start each trial from the weights of its parent.", "switch", True, panel=STUDY,
        fidelities=("proxy",),
    ),
    Option(
        "peak_rate", "The highest learning rate of a training.", "number", None,
        "0.016 for networks with a batch norm in each block, and 0.004 for others", option=None, above=0, below=1,
        panel=STUDY, fidelities=_TRAINS,
    ),
    Option(
        "batch_size", "Samples in each step of a training.", "whole", 64, option=None, least=1, panel=STUDY,
        fidelities=_TRAINS,
    ),
)  # fmt: skip
SETTINGS: Mapping[str, Option] = {row.name: row for row in _ROWS}

# Ranges of the search space that the command line may narrow.
SPACE: Mapping[str, Option] = {
    "max_depth": Option("max_depth", "The most blocks of any network.", "whole", 10, least=1, most=100),
    "initial_depth": Option(
        "initial_depth",
        "The most blocks of a random network in the first generation.",
        "whole",
        4,
        "4, or --max-depth where that is less",
        least=1,
        most=100,
        panel=STUDY,
    ),
}

# How a search runs here: no setting of it, and free to be another when it is resumed.
RUNNING: Mapping[str, Option] = {
    "workers": Option("workers", "Worker processes.", "whole", None, "one for each core", least=1, panel=FIRST),
    "trial_timeout_s": Option(
        "trial_timeout_s",
        "End a trial that gives no answer for this long, such as 30m, and try it again.",
        "time",
        None,
        "by what earlier trials cost",
        "--trial-timeout",
        above=0,
        most=30 * 86400,
        panel=STUDY,
    ),
    "executor": Option(
        "executor",
        "Where trials are trained: in processes of this machine (processes), or on a cluster of Ray (ray).",
        "choice",
        "processes",
        choices=("processes", "ray"),
        panel=RUN,
    ),
    "address": Option(
        "address",
        "The cluster for --executor ray: auto for the one that this machine belongs to, local for one of this machine "
        "alone, or the host of its head.",
        "text",
        None,
        "auto",
        metavar="HOST",
        panel=RUN,
    ),
}
