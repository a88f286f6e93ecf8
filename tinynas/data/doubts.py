"""When a model's figures say that it is of no use, or could easily be better: one sentence for each reason.

Every threshold is a probability or a standard error, so that few samples are not taken for evidence and many are not
held to a margin that they beat by chance. Where a figure is not known, nothing is said of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Counts = Sequence[Sequence[int]]

# A model without knowledge is as good as this by luck once in 20; a normal value is so far up once in 20.
_LEVEL, _ONE_IN_TWENTY = 0.05, 1.645
# What a gap of accuracies must be besides being no chance: less would not change what anybody does.
_FAR = 0.05
# By how much the mean loss of the last quarter of the epochs lies below that of the quarter before, as a share of the
# loss of a guess, ln(classes). By tools/still_falling.py it is 2.2 % or less where a longer training brings less than 3
# points, or where nothing was learned, which accuracy tells; and 3.3 % to 12 % in trainings that were cut short.
_STILL_FALLING = 0.03


@dataclass(frozen=True)
class Validation:
    """The accuracy, a share, on `samples` validation samples, by which a model was chosen among `candidates`."""

    accuracy: float
    samples: int
    candidates: int = 1


@dataclass(frozen=True)
class Figures:
    """What is known of a classifier.

    `confusion` counts the int8 file's answers on the test part: a row a true class, a column an answer, in the order of
    `class_names`. `float_accuracy` is the float model's share on the same samples. `losses` are the mean training
    losses of the epochs, in nats (cross-entropy), in their order.
    """

    confusion: Counts
    class_names: Sequence[str]
    float_accuracy: float | None = None
    validation: Validation | None = None
    losses: Sequence[float] = ()


def doubts(figures: Figures) -> tuple[str, ...]:
    """What speaks against a classifier with these figures, a sentence each; none when nothing does."""
    found = (
        _one_answer(figures),
        _no_better_than_chance(figures),
        _far_below_validation(figures),
        _far_below_float(figures),
        _still_falling(figures),
    )
    return tuple(sentence for sentence in found if sentence is not None)


def doubts_of_values(measure: str, error: float, constant: float) -> tuple[str, ...]:
    """The same for a model of values: its error, and that of the best answer that is the same for every sample."""
    if error < constant:
        return ()
    return (
        f"The {measure} of {error:.4g} is no better than that of one answer for every sample ({constant:.4g}): the "
        f"model has learned nothing that helps.",
    )


def _one_answer(figures: Figures) -> str | None:
    """One class answered for every sample, though the test part holds others."""
    counts = np.asarray(figures.confusion)
    answered, there = np.flatnonzero(counts.sum(axis=0)), np.flatnonzero(counts.sum(axis=1))
    if len(answered) != 1 or len(there) < 2:
        return None
    name = figures.class_names[int(answered[0])]
    return f"The model answers {name!r} for every one of the {int(counts.sum()):,} test samples."


def _no_better_than_chance(figures: Figures) -> str | None:
    """At most as many right as always answering the most frequent class has by luck once in 20 (binomial tail).

    A model that is right everywhere is not doubted, however few samples there are.
    """
    from scipy.stats import binom

    counts = np.asarray(figures.confusion)
    n, right, most = int(counts.sum()), int(np.trace(counts)), int(counts.sum(axis=1).argmax())
    share = counts[most].sum() / max(1, n)
    if n == 0 or right == n or share == 1:
        return None
    luck = float(binom.sf(right - 1, n, share))
    if luck <= _LEVEL:
        return None
    constant = f"always answering {figures.class_names[most]!r} ({_percent(share)} of {n:,} test samples)"
    if right <= share * n:
        return f"Test accuracy {_percent(right / n)} is no better than {constant}: the model is of no use."
    return (
        f"Test accuracy {_percent(right / n)} cannot be told from {constant}: chance alone gives as much in "
        f"{luck:.0%} of cases."
    )


def _far_below_validation(figures: Figures) -> str | None:
    """More than five points below validation, and more than chance and the choice of the best explain.

    Chance: 1.645 standard errors of the difference. The best of m candidates is by sqrt(2 ln m) standard errors too
    good where they are all alike (the expected maximum of m normal values is at most that).
    """
    validation = figures.validation
    if validation is None or not validation.samples:
        return None
    test, n = _accuracy(figures.confusion)
    gap = validation.accuracy - test
    errors = _error(validation.accuracy, validation.samples), _error(test, n)
    luck = math.sqrt(2 * math.log(max(1, validation.candidates))) * errors[0]
    if not n or gap <= max(_FAR, _ONE_IN_TWENTY * math.hypot(*errors) + luck):
        return None
    return (
        f"Test accuracy {_percent(test)} is far below the {_percent(validation.accuracy)} of validation: the test part "
        f"is unlike the training part, the final training went wrong, or samples that belong together lie on both "
        f"sides of the validation folds, which --group would have prevented if it was not given."
    )


def _far_below_float(figures: Figures) -> str | None:
    """The int8 file more than five points below its float model, and more than 1.645 standard errors."""
    if figures.float_accuracy is None:
        return None
    test, n = _accuracy(figures.confusion)
    errors = _error(figures.float_accuracy, n), _error(test, n)
    if not n or figures.float_accuracy - test <= max(_FAR, _ONE_IN_TWENTY * math.hypot(*errors)):
        return None
    return (
        f"Test accuracy {_percent(test)} of the int8 file is far below the {_percent(figures.float_accuracy)} of the "
        f"float model: quantisation harms it (check the range of the inputs and outliers in the data)."
    )


def _still_falling(figures: Figures) -> str | None:
    """The last quarter of the epochs took more than 3 % of a guess's loss off that of the quarter before."""
    losses, guess = figures.losses, math.log(max(2, len(figures.class_names)))
    quarter = len(losses) // 4 or 1
    if len(losses) < 2:
        return None
    before, last = np.mean(losses[-2 * quarter : -quarter]), np.mean(losses[-quarter:])
    if not before - last > _STILL_FALLING * guess:
        return None
    return (
        f"The training loss was still falling when the final training ended (from {before:.3f} to {last:.3f} within "
        f"the last half of {len(losses):,} epochs): the model is likely to gain from more epochs or more time."
    )


def _accuracy(confusion: Counts) -> tuple[float, int]:
    counts = np.asarray(confusion)
    n = int(counts.sum())
    return float(np.trace(counts)) / max(1, n), n


def _error(share: float, n: int) -> float:
    """The standard error of a share of n samples; with one success and one failure more, so that it is never 0."""
    smoothed = (share * n + 1) / (n + 2)
    return math.sqrt(smoothed * (1 - smoothed) / max(1, n))


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
