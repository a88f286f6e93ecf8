"""How long a child is trained: folds, samples and epochs of each fidelity. Knows no TensorFlow."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinynas.data import Dataset
from tinynas.errors import UsageError

# A training is counted in sample visits, more for small inputs since they cost less. 12,000 visits rank 28 x 28
# architectures with a Kendall's tau of 0.80 against a full training.
_PROXY_VISITS = 12_000
_FULL_VISITS = 240_000
_FINAL_VISITS = 1_200_000
_PROXY_SAMPLES = 6_000


@dataclass(frozen=True)
class Schedule:
    """Train on the first `folds` of the cross-validation, on at most `samples` of each one's, for `epochs`."""

    folds: int
    samples: int
    epochs: int

    @property
    def visits(self) -> int:
        """Sample visits over all folds: what the time of a training goes with."""
        return self.folds * self.samples * self.epochs

    def to_dict(self) -> dict[str, int]:
        """Return a value that JSON can hold; `from_dict` takes it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any] | Sequence[int]) -> "Schedule":
        """Return the schedule that `to_dict` wrote; or version 0.1.0, as a list of folds, epochs and samples."""
        if isinstance(value, Mapping):
            return cls(**value)
        folds, epochs, samples = value
        return cls(folds, samples, epochs)


def schedule_for(name: str, dataset: Dataset, n_folds: int) -> Schedule:
    """Return the schedule of a fidelity: "proxy" is one fold, little data; "full" every fold, all data.

    Raises UsageError for another name.
    """
    if name not in ("proxy", "full"):
        raise UsageError(f"No training has the fidelity {name!r}: choose proxy or full.")
    per_fold = round(len(dataset.x) * (1 - 1 / n_folds))
    if name == "proxy":
        samples = min(per_fold, _PROXY_SAMPLES)
        epochs = min(30, max(2, round(_PROXY_VISITS * _smallness(dataset) / samples)))
        return Schedule(1, samples, epochs)
    epochs = min(60, max(2, round(_FULL_VISITS * _smallness(dataset) / per_fold)))
    return Schedule(n_folds, per_fold, epochs)


def rung_schedule(rung: int, reduction: int, dataset: Dataset, n_folds: int, stretch: float = 1.0) -> Schedule:
    """Return the schedule of a rung: rung 0 is the proxy, each next sees `reduction` times as many samples.

    All are `stretch` times as long. More samples come first, until the fold has no more, and then more epochs.
    """
    proxy = schedule_for("proxy", dataset, n_folds)
    per_fold = round(len(dataset.x) * (1 - 1 / n_folds))
    times = stretch * reduction**rung
    visits = proxy.visits * times
    samples = min(per_fold, round(proxy.samples * times))
    return Schedule(1, samples, max(1, round(visits / samples)))


def final_epochs(dataset: Dataset, timed: bool) -> int:
    """Return the epochs of the final training; the most that make sense when a time budget will cut them."""
    visits = _FINAL_VISITS * _smallness(dataset) * (15 if timed else 1)
    return min(300 if timed else 60, max(4, round(visits / len(dataset.x))))


def _smallness(dataset: Dataset) -> float:
    """Return 1 for inputs of 784 values or more, up to 5 for smaller ones."""
    return min(5.0, max(1.0, 784 / math.prod(dataset.input_shape)))
