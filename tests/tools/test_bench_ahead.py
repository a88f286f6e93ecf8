"""Replays of searches on several workers, with made-up trainings: what is idle, and what an earlier proposal brings."""

import pytest
from bench_ahead import replay, rule_of
from searchbench.table import Table

from tinynas.architecture import SearchSpace
from tinynas.hardware import Target

TARGET = Target.load("nucleo_f401")
TABLE = Table("d", TARGET, TARGET.limits, SearchSpace.for_input((8, 8, 1), 3), (), {})


def _replay(rule, stand_in, workers=4, wall_s=20.0):
    return replay(TABLE, stand_in, rule_of(rule), workers=workers, wall_s=wall_s, seed=0, children=4, strategy="random")


def test_a_rule_in_words():
    assert [rule_of("g/4")(each) for each in (0, 3, 4, 11)] == [0, 0, 1, 2]
    assert [rule_of("2")(each) for each in (0, 1, 5)] == [0, 1, 2]
    assert [rule_of("2|g/4")(each) for each in (0, 1, 2, 3, 11, 12)] == [0, 0, 1, 2, 2, 3]


def test_trainings_of_one_length_leave_nobody_idle():
    ended = _replay("0", lambda architecture, footprint: (0.5, 0.6, 2.0))
    assert (ended.trials, ended.full) == (40, 0.6)
    assert ended.idle == pytest.approx(0.0)


def test_where_some_are_long_it_is_the_earlier_proposal_that_keeps_workers_busy():
    def uneven(architecture, footprint):
        return 0.5, 0.6, 5.0 if int(architecture.key, 16) % 4 == 0 else 0.5

    waiting, ahead = _replay("0", uneven), _replay("g/4", uneven)
    assert ahead.trials > waiting.trials
    assert ahead.idle < waiting.idle
