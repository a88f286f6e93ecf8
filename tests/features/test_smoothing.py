"""From results to detections: by hand, and against the definition computed anew at each step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import UsageError
from tinynas.features.smoothing import Smoothing, background_of, smoothing_for, stride_for


def told(smoothing: Smoothing, scores: list[list[int]]) -> list[tuple[int, int]]:
    outputs = (np.array(scores) - 128).astype(np.int8)
    return [(each.result, each.label) for each in smoothing.detections(outputs)]


HIGH, LOW = [0, 250, 5], [250, 0, 5]


def test_by_hand() -> None:
    plain = Smoothing(2, 200, 0, 3)
    assert told(plain, [HIGH]) == []  # one result is not two
    assert told(plain, [HIGH] * 2) == [(1, 1)]
    assert told(plain, [HIGH] * 6) == [(1, 1), (4, 1)]  # 2 and 3 are suppressed
    assert told(plain, [HIGH, HIGH, LOW, LOW]) == [(1, 1), (3, 0)]  # another class is not
    assert told(Smoothing(2, 200, 0, 3, background=(0,)), [HIGH, HIGH, LOW, LOW]) == [(1, 1)]
    assert told(Smoothing(1, 250, 0, 0), [HIGH] * 2) == [(0, 1), (1, 1)]
    assert told(Smoothing(1, 251, 0, 0), [HIGH] * 2) == []
    assert told(Smoothing(1, 0, 10, 0), [[100, 110, 0], [100, 109, 0]]) == [(0, 1)]
    assert told(Smoothing(1, 0, 0, 0), [[7, 7, 7]]) == [(0, 0)]  # of equal ones the first


@given(
    st.integers(1, 6),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 9),
    st.integers(2, 5),
    st.integers(0, 999),
)
def test_against_the_definition(results, threshold, margin, suppression, classes, seed) -> None:
    rng = np.random.default_rng(seed)
    outputs = np.clip(rng.normal(0, 90, (40, classes)), -128, 127).astype(np.int8)
    smoothing = Smoothing(results, threshold, margin, suppression, (0,))
    wanted, until = [], {}
    for number in range(results - 1, len(outputs)):
        means = (outputs[number - results + 1 : number + 1].astype(int) + 128).sum(axis=0) / results
        best = int(means.argmax())
        ahead = means[best] - np.sort(means)[-2]
        if best == 0 or means[best] < threshold or ahead < margin or number < until.get(best, 0):
            continue
        until = {best: number + suppression}
        wanted.append((number, best, means[best]))
    found = [(each.result, each.label, each.score) for each in smoothing.detections(outputs)]
    assert found == wanted


def test_names_of_background() -> None:
    names = ("yes", "_background_noise_", "Unknown", "go-other", "silence", "noise level", "other")
    assert background_of(names) == (1, 2, 4, 6)
    assert smoothing_for(names, 49, 12).background == (1, 2, 4, 6)
    assert smoothing_for(("a", "b"), 49, 12).suppression == 8
    assert [stride_for(n) for n in (1, 3, 49)] == [1, 1, 12]


@pytest.mark.parametrize("wrong", [{"results": 0}, {"threshold": 256}, {"margin": -1}, {"suppression": 2.0}])
def test_what_cannot_be(wrong) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is .*; wanted a whole number from"):
        Smoothing(**wrong)
