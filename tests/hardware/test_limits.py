"""Limits: inclusive, monotone, and never passed by a figure that is not known."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ModelError, UsageError
from tinynas.hardware import MEASURES, Arena, Flash, Footprint, Limits, Violation

FOOTPRINT = Footprint(
    params=1000,
    flops=20_000,
    macs=10_000,
    largest_tensor_bytes=4096,
    flash=Flash(model=9000, runtime=38_000),
    arena=Arena(head=95_000, tail=6220, used=101_220, minimum=101_232),
    ram_outside_bytes=1944,
    live_bytes_peak=90_000,
    instructions=50_000,
    latency_ms=2.5,
    energy_mj=0.5,
)
USED = {
    "params": 1000,
    "flops": 20_000,
    "macs": 10_000,
    "flash_bytes": 9000,
    "ram_bytes": 101_232,
    "largest_tensor_bytes": 4096,
    "latency_ms": 2.5,
    "board_flash_bytes": 47_000,
    "board_ram_bytes": 103_176,
}
NAMES = st.sampled_from(sorted(USED))


def test_every_limit_is_in_the_table():
    names = [field.name for field in fields(Limits)]
    assert set(names) == set(USED)
    assert list(MEASURES) == names
    assert [measure.option.name for measure in MEASURES.values()] == names


@pytest.mark.parametrize("name", MEASURES)
def test_a_row_says_what_its_limit_is_held_against(name):
    assert MEASURES[name].used(FOOTPRINT) == USED[name]


def test_no_limits_are_never_broken():
    assert Limits().violations(FOOTPRINT) == ()


@given(NAMES)
def test_a_limit_is_inclusive(name):
    used = USED[name]
    assert Limits(**{name: used}).violations(FOOTPRINT) == ()
    step = 0.5 if name == "latency_ms" else 1
    (violation,) = Limits(**{name: used - step}).violations(FOOTPRINT)
    assert violation == Violation(name, used, used - step)
    assert violation.excess == step
    assert violation.ratio == used / (used - step)


@given(st.dictionaries(NAMES, st.integers(1, 200_000)), st.integers(0, 100_000))
def test_looser_limits_break_no_more(values, slack):
    tight = {violation.limit for violation in Limits(**values).violations(FOOTPRINT)}
    loose = Limits(**{name: value + slack for name, value in values.items()}).violations(FOOTPRINT)
    assert {violation.limit for violation in loose} <= tight
    assert tight == {name for name, value in values.items() if USED[name] > value}
    assert all(violation.ratio > 1 and violation.excess > 0 for violation in loose)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_larger_arena_never_fits_where_a_smaller_one_does_not(limit, more):
    limits = Limits(ram_bytes=limit, board_ram_bytes=limit)
    larger = replace(FOOTPRINT, arena=replace(FOOTPRINT.arena, minimum=FOOTPRINT.arena.minimum + more))
    assert len(limits.violations(larger)) >= len(limits.violations(FOOTPRINT))


@pytest.mark.parametrize(("limit", "figure"), [("flops", "flops"), ("latency_ms", "latency_ms")])
@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_figure_that_is_not_known_does_not_pass(limit, figure, value):
    unknown = replace(FOOTPRINT, **{figure: value})
    assert Limits().violations(unknown) == ()
    with pytest.raises(ModelError, match=rf"^The limit {limit} is 1,000,000.*is not known here"):
        Limits(**{limit: 1_000_000}).violations(unknown)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "64k"])
def test_a_limit_that_is_no_bound_is_refused(value):
    with pytest.raises(UsageError, match=r"^The limit ram_bytes is .*; wanted a number above 0"):
        Limits(ram_bytes=value)


@pytest.mark.parametrize(
    ("limit", "allowed", "sentence"),
    [
        ("ram_bytes", 98_304, "tensor arena 101,232 B, limit 98,304 B (2,928 B over)"),
        ("flash_bytes", 8192, "model file 9,000 B, limit 8,192 B (808 B over)"),
        ("params", 900, "parameters 1,000, limit 900 (100 over)"),
        ("latency_ms", 2.0, "latency 2.5 ms, limit 2 ms (0.5 ms over)"),
        ("board_ram_bytes", 98_304, "RAM with TFLM 103,176 B, limit 98,304 B (4,872 B over)"),
    ],
)
def test_a_violation_reads_as_a_clause(limit, allowed, sentence):
    (violation,) = Limits(**{limit: allowed}).violations(FOOTPRINT)
    assert str(violation) == sentence


def test_a_broken_latency_is_an_estimate_and_says_so():
    estimated = replace(FOOTPRINT, latency_error=0.354)
    (violation,) = Limits(latency_ms=2.0).violations(estimated)
    assert str(violation) == "latency 2.5 ms (an estimate, +/- 35 %), limit 2 ms (0.5 ms over)"
    assert violation.error == 0.354


def test_a_footprint_from_before_the_errors_is_read():
    values = FOOTPRINT.to_dict()
    del values["latency_error"], values["energy_error"]
    assert Footprint.from_dict(values) == FOOTPRINT
    estimated = replace(FOOTPRINT, latency_error=0.35, energy_error=0.43)
    assert Footprint.from_dict(estimated.to_dict()) == estimated


def test_a_footprint_survives_its_dictionary():
    values = FOOTPRINT.to_dict()
    assert values["arena"] == {"head": 95_000, "tail": 6220, "used": 101_220, "minimum": 101_232}
    assert Footprint.from_dict(values) == FOOTPRINT
    assert (FOOTPRINT.flash_bytes, FOOTPRINT.arena_bytes, FOOTPRINT.flash.total) == (9000, 101_232, 47_000)
