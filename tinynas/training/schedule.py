"""How long a child is trained: folds, samples and epochs of each fidelity. Knows no TensorFlow."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinynas.data import Dataset

# A training is counted in sample visits, more for small inputs since they cost less. 12,000 visits rank 28 x 28
# architectures with a Kendall's tau of 0.80 against a full training.
_PROXY_VISITS = 12_000
_FULL_VISITS = 240_000
_FINAL_VISITS = 1_200_000
_PROXY_SAMPLES = 6_000
_ENOUGH_VISITS, _SMALL = 2_400_000, 0.25  # for networks of so many parameters a sample at the most
_MOST_EPOCHS = {"proxy": 30, "full": 60, "final": 60, "timed": 300}

# Where the samples are few an epoch is a step or two, and so many epochs are no training. Five networks on 119 windows
# of 7 exercises had test accuracies of 0.14 to 0.43 after 30 steps, 0.64 to 0.71 after 120, 0.63 to 0.79 after 480, and
# no better ones after 960 and 1,920 (tools/steps.py). With more than some 1,600 samples the epochs hold as many steps.
_LEAST_STEPS = {"proxy": 120, "full": 480, "final": 1_500, "timed": 1_500}

# One fold has fewer samples to score by: all folds are trained. The standard error of an accuracy of 0.8 on so many is
# 2.5 points, and nothing that is worth finding is much larger.
_FEW_SCORED = 250

# Samples that belong together, such as the windows of a recording, are right or wrong together: what counts then is how
# many groups a fold is scored by. Of three folds each costs as much as one of five, and all groups are scored.
_FEW_GROUPS = 100
_FOLDS_OF_GROUPS = 3

SCORED_SAMPLES = 4000  # of a fold's validation part: the standard error of an accuracy is then below 0.8 point
MOST_REPLICAS = 4  # of a batch of 64: a larger one takes fewer, worse steps


@dataclass(frozen=True)
class Schedule:
    """Train on the first `folds` of the cross-validation, on at most `samples` of each one's, for `epochs`.

    More folds than it has are those of another one, with other parts.
    """

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


def scored_samples(samples: int, n_folds: int) -> int:
    """Return how many of `samples` a fold's score is counted on."""
    return min(SCORED_SAMPLES, samples // n_folds)


def usual_folds(dataset: Dataset, usual: int) -> int:
    """Return the K of the cross-validation: `usual`, fewer where groups are few, and at most what the classes allow.

    The most is as many as the smallest class has samples or groups, and the least two.
    """
    lengths = Lengths.of(dataset, usual)
    folds = _FOLDS_OF_GROUPS if lengths.few and not lengths.few_samples else usual
    return max(2, min(folds, dataset.most_folds))


def batching(samples: int, batch_size: int, replicas: int = 1) -> tuple[int, int, int]:
    """Return the replicas, the samples of a step of them all, and the steps of an epoch, what is over left out."""
    replicas = max(1, min(replicas, samples // batch_size))
    batch = min(batch_size * replicas, samples)
    batch -= batch % replicas
    return replicas, batch, samples // batch


@dataclass(frozen=True)
class Lengths:
    """How long the trainings of one search are, by the data and the settings.

    `samples` are those of training, in so many `groups` where they belong together (None as well in searches that began
    before that counted), `values` those of an input; a batch is `batch_size` samples, and the final training
    has `replicas` of them. `least`: whether the steps are counted too (not so in version 0.1.0, which went by epochs
    alone, and in the searches that it began). `small_sets`: whether few samples make a difference but for that (not so
    in searches that began before they did). `long_finals`: whether the finalists of a small network are compared at the
    length of the final training, `cut_finals`: and that no longer than is of use (likewise). `ends_plain`: whether
    pictures are as they are at the end of a training (likewise).
    """

    samples: int
    values: int
    n_folds: int
    reduction: int = 3
    batch_size: int = 64
    replicas: int = 1
    least: bool = True
    small_sets: bool = True
    long_finals: bool = True
    cut_finals: bool = True
    ends_plain: bool = True
    groups: int | None = None

    @classmethod
    def of(cls, dataset: Dataset, n_folds: int, **more: Any) -> "Lengths":
        """Return the lengths for `dataset`; `more` are the other fields."""
        groups = None if dataset.groups is None else len(np.unique(dataset.groups.codes))
        return cls(len(dataset.x), math.prod(dataset.input_shape), n_folds, **{"groups": groups, **more})

    @property
    def per_fold(self) -> int:
        """Training samples of a fold."""
        return round(self.samples * (1 - 1 / self.n_folds))

    @property
    def few(self) -> bool:
        """Whether the samples, or their groups, are so few that a score on one fold is mostly chance."""
        few_groups = self.groups is not None and self.groups < _FEW_GROUPS * self.n_folds
        return self.few_samples or (self.small_sets and few_groups)

    @property
    def few_samples(self) -> bool:
        """Whether the samples themselves are so few, whatever their groups."""
        return self.small_sets and self.samples - self.per_fold < _FEW_SCORED

    @property
    def side_by_side(self) -> int:
        """How many batches the final training computes side by side: as many as there are, and threads for them."""
        return batching(self.samples, self.batch_size, self.replicas)[0]

    def proxy(self, rung: int = 0, stretch: float = 1.0) -> Schedule:
        """Return the schedule of a rung: rung 0 is the proxy, each next sees `reduction` times as many samples.

        All are `stretch` times as long. More samples come first, until the fold has no more, and then more epochs.
        Where samples are few, every fold is trained.
        """
        few = min(self.per_fold, _PROXY_SAMPLES)
        epochs = self._epochs("proxy", _PROXY_VISITS, few, least=2)
        times = stretch * self.reduction**rung
        samples = min(self.per_fold, round(few * times))
        return Schedule(self.n_folds if self.few else 1, samples, max(1, round(few * epochs * times / samples)))

    def full(self) -> Schedule:
        """Return the schedule of full fidelity: every fold, all data."""
        return Schedule(self.n_folds, self.per_fold, self._epochs("full", _FULL_VISITS, self.per_fold, least=2))

    def final(self, timed: bool = False) -> int:
        """Return the epochs of the final training; the most that make sense where a time budget will cut them."""
        visits = _FINAL_VISITS * (15 if timed else 1)
        return self._epochs("timed" if timed else "final", visits, self.samples, least=4, replicas=self.replicas)

    def enough(self, params: int) -> int:
        """Return the epochs after which a network of so many parameters has learned what it can.

        On 48,000 pictures one of 12,000 has after 30 epochs what it has after 60, and one of 48,000 goes on gaining
        (docs/benchmarks.md, "How long is long enough"). For all that are not small it is what `final` has with a time
        budget, which is never exceeded.
        """
        if not self.cut_finals or params > _SMALL * self.samples:
            return self.final(timed=True)
        return self._epochs("timed", _ENOUGH_VISITS, self.samples, least=4, replicas=self.replicas)

    def _epochs(self, kind: str, visits: int, samples: int, least: int, replicas: int = 1) -> int:
        """Return the epochs in which `samples` are visited so often, within the bounds of the kind of training."""
        smallness = min(5.0, max(1.0, 784 / self.values))  # 1 for inputs of 784 values or more
        epochs = min(_MOST_EPOCHS[kind], max(least, round(visits * smallness / samples)))
        if not self.least:
            return epochs
        steps = batching(samples, self.batch_size, replicas)[2]
        return max(epochs, math.ceil(_LEAST_STEPS[kind] / steps))
