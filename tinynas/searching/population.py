"""What a strategy remembers: every architecture that was trained, each with its trial of most training."""

from tinynas.runs import State, Trial, latest

__all__ = ["Population", "latest", "scored"]


def scored(trial: Trial) -> bool:
    """Return whether `trial` was trained to the end and scored."""
    return trial.evaluation.state is State.COMPLETE and bool(trial.evaluation.folds)


class Population:
    """The trained architectures in the order of their births; a promotion is told of, and is no birth."""

    def __init__(self) -> None:
        """Start with none."""
        self._trials: dict[str, Trial] = {}
        self._born: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._trials)

    def add(self, trial: Trial) -> None:
        """Keep a trial that has scores; of one architecture the trial of most training stays."""
        if not scored(trial):
            return
        key = trial.architecture.key
        self._born.setdefault(key, trial.generation)
        known = (self._trials[key],) if key in self._trials else ()
        self._trials[key] = latest((*known, trial))[0]  # a dict keeps a key where it first stood

    def of(self, key: str) -> Trial | None:
        """Return the trial of the architecture with this key, None where it has not been born."""
        return self._trials.get(key)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """One trial for each architecture, in the order of the births."""
        return tuple(self._trials.values())

    @property
    def newest(self) -> tuple[Trial, ...]:
        """The architectures born in the newest generation that has any."""
        last = max(self._born.values(), default=0)
        return tuple(trial for key, trial in self._trials.items() if self._born[key] == last)
