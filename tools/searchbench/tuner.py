"""keras-tuner as a peer: it chooses the genes, and what it chooses is trained and scored as everywhere here.

Its own model building and fit are not used, so that the same training serves all. It knows no board: a choice over a
limit is shrunk as tinynas shrinks its own, which its users would have to do by hand.
"""

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from searchbench.drive import BudgetUsedError, Meter, steered
from tinynas.architecture import Architecture, Block, Head, SearchSpace, genes_of
from tinynas.hardware import Limits
from tinynas.searching.strategy import Screen

_LONGEST = 3  # Hyperband's longest training, in trainings of the other peers; its shortest is a third of one or less


def choose(hp: Any, space: SearchSpace) -> Architecture:
    """Declare the genes of the space to keras-tuner's HyperParameters and return the network that they name."""
    depth = hp.Int("depth", 1, space.max_depth)
    fields = genes_of(space).items()
    blocks = []
    for at in range(space.max_depth):
        with hp.conditional_scope("depth", list(range(at + 1, space.max_depth + 1))):
            genes = {gene: _choice(hp, f"{gene}_{at}", getattr(space, field)) for gene, field in fields}
        if at < depth:
            blocks.append(Block(**genes))
    head = Head(_choice(hp, "pooling", space.head_poolings), _choice(hp, "hidden", space.hidden_units))
    return space.assemble(blocks, head)


def _choice(hp: Any, name: str, choices: tuple[Any, ...]) -> Any:
    """Return one of `choices`; None where keras-tuner says that the name is not active."""
    at = hp.Choice(name, list(range(len(choices))))  # the places: keras-tuner takes no None and no mixed types
    return None if at is None else choices[at]


def run_tuner(
    name: str,
    space: SearchSpace,
    screen: Screen,
    limits: Limits,
    train: Callable[..., Any],
    meter: Meter,
    seed: int,
    epochs: int,
) -> None:
    """Run keras-tuner's RandomSearch ("kt-random") or Hyperband ("kt-hyperband") until the budget is used.

    `epochs` are those of a training of the other peers. A choice that Hyperband takes further is trained anew for all
    the epochs that it is to have by then, and the share of those that it had is not counted: as if it went on.
    """
    import keras_tuner

    rng = np.random.default_rng(seed)

    class _Stop(keras_tuner.errors.FatalError):
        """keras-tuner takes any other error for a failed trial."""

    def run_trial(self: Any, trial: Any, *_: Any, **__: Any) -> float:
        hp = trial.hyperparameters
        found = steered(choose(hp, space), space, screen, limits, rng)
        if found is None:
            raise keras_tuner.errors.FailedTrialError("nothing smaller fits")
        start, wanted = meter.clock(), hp.values.get("tuner/epochs")
        evaluation = train(int(trial.trial_id), *found, epochs=wanted)
        if wanted:
            meter.credit += (meter.clock() - start) * hp.values["tuner/initial_epoch"] / wanted
        if not evaluation.folds:
            raise keras_tuner.errors.FailedTrialError(evaluation.error)
        try:
            meter.note(evaluation.mean())
        except BudgetUsedError as used:
            raise _Stop from used
        return -evaluation.mean()  # a single number is an objective to minimise

    common = {"overwrite": True, "seed": seed, "max_consecutive_failed_trials": 10**6}
    with tempfile.TemporaryDirectory(prefix="kt-") as folder:
        if name == "kt-random":
            kind = type("Random", (keras_tuner.RandomSearch,), {"run_trial": run_trial})
            tuner = kind(lambda hp: choose(hp, space), max_trials=10**6, directory=folder, **common)
        else:
            kind = type("Band", (keras_tuner.Hyperband,), {"run_trial": run_trial})
            more = {"max_epochs": _LONGEST * epochs, "factor": 3, "hyperband_iterations": 100}
            tuner = kind(lambda hp: choose(hp, space), directory=folder, **more, **common)
        try:
            tuner.search(verbose=0)
        except _Stop:
            return
