"""The verdict against Limits, and memories whose parts add up."""

from dataclasses import fields, replace

import pytest

from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.hardware import MEASURES, Limits, Target
from tinynas.report.verdict import verdict

FIGURES = footprint_of(SearchSpace.for_input((8, 8, 1), 3).handmade()[0])
BOARD = Target.load("nucleo_f401").model_copy(update={"reserved_flash_bytes": 4096, "reserved_ram_bytes": 1024})


def test_every_limit_that_there_is_can_be_shown():
    every = {field.name: 10**6 for field in fields(Limits)}
    labels = [row.label for row in verdict(replace(FIGURES, latency_error=0.35), BOARD, Limits(**every)).limits]
    assert labels == [
        "Parameters", "FLOPs", "MACs", "Model file", "Tensor arena", "Largest tensor", "Latency (estimated)",
        "Flash with TFLM", "RAM with TFLM",
    ]  # fmt: skip


def test_each_row_uses_what_the_limit_is_held_against():
    for name, measure in MEASURES.items():
        used = measure.used(FIGURES)
        assert not Limits(**{name: used}).violations(FIGURES)
        assert [v.used for v in Limits(**{name: used / 2}).violations(FIGURES)] == [used]


def test_parts_free_and_total_agree():
    found = verdict(FIGURES, BOARD, BOARD.limits)
    assert found.fits is True
    flash, ram = found.memories
    assert flash.used == sum(part.bytes for part in flash.parts) == FIGURES.flash.total + 4096
    assert ram.used == FIGURES.arena_bytes + FIGURES.ram_outside_bytes + 1024
    assert flash.used + flash.free == flash.total == BOARD.flash_bytes
    assert flash.free == BOARD.limits.board_flash_bytes - FIGURES.flash.total
    assert sum(part.share for part in flash.parts) == pytest.approx(flash.used / flash.total)


def test_what_is_over_is_said():
    limits = Limits(ram_bytes=FIGURES.arena_bytes - 1)
    found = verdict(FIGURES, BOARD.model_copy(update={"flash_bytes": 5000}), limits)
    assert found.fits is False
    assert found.reasons == tuple(map(str, limits.violations(FIGURES)))
    assert found.memories[0].free < 0
    assert sum(part.share for part in found.memories[0].parts) == pytest.approx(1)
    assert [row.label for row in found.limits] == ["Tensor arena"]
    assert found.limits[0].share > 1


def test_a_figure_that_is_not_known_is_no_yes():
    found = verdict(replace(FIGURES, latency_ms=None), BOARD, Limits(latency_ms=1.0))
    assert found.fits is None
    assert "latency" in found.reasons[0]
    assert found.limits[0].used == "not known"
