"""When figures speak against a model: both sides of every threshold, and the thresholds against plain arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.data.doubts import Figures, Validation, doubts, doubts_of_values


def two(right_a: int, wrong_a: int, wrong_b: int, right_b: int) -> list[list[int]]:
    return [[right_a, wrong_a], [wrong_b, right_b]]


def said(confusion, word: str | None = None, **more) -> list[str]:
    names = [chr(97 + k) if k < 26 else str(k) for k in range(len(confusion))]
    found = doubts(Figures(confusion, names, **more))
    return [sentence for sentence in found if word is None or word in sentence]


def tail(k: int, n: int, p: float) -> float:
    """The chance of k or more successes in n, term by term."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def test_a_good_model_is_not_doubted() -> None:
    losses = [0.5 * 0.9**epoch + 0.2 for epoch in range(60)]
    validation = Validation(0.95, 500, candidates=200)
    assert said(two(48, 2, 3, 47), float_accuracy=0.95, validation=validation, losses=losses) == []


def test_one_answer_for_everything() -> None:
    (sentence,) = said(two(0, 30, 0, 30), "every one")
    assert sentence == "The model answers 'b' for every one of the 60 test samples."
    assert not said(two(1, 29, 0, 30), "every one")
    assert not said(two(30, 0, 0, 0), "every one")  # the test part holds one class alone
    assert len(said(two(0, 30, 0, 30))) == 2  # and it is no better than chance


def test_no_better_than_always_answering_the_most_frequent_class() -> None:
    (sentence,) = said([[10, 30], [20, 40]], "Test accuracy")
    assert sentence == (
        "Test accuracy 50.00 % is no better than always answering 'b' (60.00 % of 100 test samples): the model is of "
        "no use."
    )
    (sentence,) = said([[15, 25], [12, 48]], "Test accuracy")
    assert "63.00 % cannot be told from always answering 'b' (60.00 % of 100 test samples)" in sentence
    assert f"{tail(63, 100, 0.6):.0%} of cases" in sentence


@given(st.integers(2, 60), st.floats(0.2, 0.9), st.randoms(use_true_random=False))
def test_chance_is_told_by_the_binomial_tail(n: int, share: float, random) -> None:
    frequent = max(1, min(n - 1, round(n * share)))
    rare = n - frequent
    right_frequent, right_rare = random.randint(0, frequent), random.randint(0, rare)
    counts = two(right_frequent, frequent - right_frequent, rare - right_rare, right_rare)
    right, most = right_frequent + right_rare, max(frequent, rare)
    doubted = bool(said(counts, "always answering"))
    assert doubted == (right < n and tail(right, n, most / n) > 0.05)


def test_many_samples_are_evidence_where_few_are_none() -> None:
    for times, doubted in ((1, True), (100, False)):
        counts = [[3 * times, 2 * times], [2 * times, 3 * times]]  # 60 % where chance has 50 %
        assert bool(said(counts, "always answering")) == doubted


def test_a_model_without_a_mistake_is_not_doubted_however_few_samples() -> None:
    assert said([[2, 0], [0, 1]]) == []
    assert said([[2, 0], [1, 0]], "always answering")


def test_rare_classes_make_a_high_accuracy_worthless() -> None:
    assert said(two(985, 5, 5, 5), "no better than always answering 'a' (99.00 %")
    assert said(two(988, 2, 0, 10), "always answering") == []


@pytest.mark.parametrize(
    ("accuracy", "samples", "candidates", "right", "doubted"),
    [
        (0.95, 400, 1, 70, True),  # 25 points
        (0.95, 400, 1, 91, False),  # 4 points are not far
        (0.75, 40, 1, 68, False),  # 7 points, but of 40 samples
        (0.75, 4000, 1, 66, True),
        (0.75, 300, 1, 66, True),  # 9 points
        (0.75, 300, 1000, 66, False),  # the best of a thousand is by so much too good
        (0.75, 0, 1, 10, False),  # nothing was validated
    ],
)
def test_a_test_far_below_validation(accuracy, samples, candidates, right, doubted) -> None:
    counts = [[right, 0, 0], [0, right, 0], [100 - right, 100 - right, 0]]
    found = said(counts, "of validation", validation=Validation(accuracy, samples, candidates))
    assert all("--group would have prevented if it was not given" in sentence for sentence in found)
    assert bool(found) == doubted


def test_the_gap_that_chance_explains_is_that_of_standard_errors() -> None:
    """Around the threshold, worked out here in plain numbers: 1.645 errors of the difference, no choice."""
    n, validated = 200, 300

    def threshold(right: int) -> float:
        p, q = (0.8 * validated + 1) / (validated + 2), (right + 1) / (n + 2)
        return max(0.05, 1.645 * math.sqrt(p * (1 - p) / validated + q * (1 - q) / n))

    for right in range(120, 160):
        counts = two(right // 2, (n - right) // 2, n - right - (n - right) // 2, right - right // 2)
        doubted = bool(said(counts, "of validation", validation=Validation(0.8, validated)))
        assert doubted == (0.8 - right / n > threshold(right))


def test_int8_far_below_float() -> None:
    assert said(two(35, 15, 15, 35), "of the float model", float_accuracy=0.95)
    assert said(two(46, 4, 5, 45), "of the float model", float_accuracy=0.95) == []
    assert said(two(4, 1, 1, 4), "of the float model", float_accuracy=1.0) == []  # two of ten are chance


def curve(steps: int, pace: float) -> list[float]:
    """A loss that goes exponentially from ln 5 down to 0.3, by `pace` over the whole training."""
    return [0.3 + (math.log(5) - 0.3) * math.exp(-pace * (step + 1) / steps) for step in range(steps)]


@pytest.mark.parametrize("steps", [4, 40, 400])
def test_a_loss_that_is_still_falling(steps: int) -> None:
    counts = np.eye(5, dtype=int) * 20
    assert "within the last half of" in said(counts, "still falling", losses=curve(steps, 2.0))[0]
    assert said(counts, "still falling", losses=curve(steps, 8.0)) == []
    assert said(counts, "still falling", losses=[0.5] * steps) == []
    assert said(counts, "still falling", losses=curve(steps, 2.0)[::-1]) == []


@pytest.mark.parametrize("classes", [2, 5, 100])
def test_the_fall_is_held_against_the_loss_of_a_guess(classes: int) -> None:
    counts = np.eye(classes, dtype=int) * 20
    for fall, doubted in ((0.031, True), (0.029, False)):
        losses = [1.0] * 4 + [0.5 + fall * math.log(classes)] * 2 + [0.5] * 2
        assert bool(said(counts, "still falling", losses=losses)) == doubted


def test_no_curve_no_word() -> None:
    counts = np.eye(5, dtype=int) * 20
    for losses in ((), (1.0,), (float("nan"), 1.0)):
        assert said(counts, "still falling", losses=losses) == []
    assert said(counts, "still falling", losses=(1.5, 0.9))


def test_values_are_held_against_one_answer_for_all() -> None:
    (sentence,) = doubts_of_values("mean absolute error", 2.5, 2.0)
    assert sentence.startswith(
        "The mean absolute error of 2.5 is no better than that of one answer for every sample (2)"
    )
    assert doubts_of_values("mean absolute error", 2.0, 2.0)
    assert doubts_of_values("mean absolute error", 1.9, 2.0) == ()


def test_an_empty_test_part_is_no_reason() -> None:
    assert said([[0, 0], [0, 0]], validation=Validation(0.9, 100), float_accuracy=0.9) == []
