"""How many networks a search trained, and in how many trials: one way to count, wherever it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinynas.runs import State, Trial
from tinynas.words import counted


@dataclass(frozen=True)
class Counts:
    """Trials by what became of them. `networks` are the architectures that were trained, which `--trials` counts too;
    the others of the `complete` trials are `promotions` to a longer training and `finalists`, trained for longest.
    """

    networks: int
    complete: int
    promotions: int
    finalists: int

    @property
    def words(self) -> str:
        """12 networks trained (17 trials, 3 promotions and 2 finalists among them)."""
        said = f"{counted(self.networks, 'network')} trained"
        kinds = {"promotion": self.promotions, "finalist": self.finalists}
        parts = [counted(count, noun) for noun, count in kinds.items() if count]
        if self.complete == self.networks or not parts:
            return said
        return f"{said} ({counted(self.complete, 'trial')}, {' and '.join(parts)} among them)"


def counts_of(trials: Sequence[Trial]) -> Counts:
    """Return the counts of a run's trials, those that were only measured with the trained."""
    complete = [trial for trial in trials if trial.evaluation.state is State.COMPLETE]
    full = sum(trial.evaluation.fidelity == "full" for trial in complete)
    return Counts(
        len({trial.architecture.key for trial in complete}),
        len(complete),
        sum(trial.evaluation.rung > 0 for trial in complete if trial.evaluation.fidelity != "full"),
        full if full < len(complete) else 0,
    )
