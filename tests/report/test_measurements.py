"""The report names what was measured on the board: before the search, after it, and of its own model."""

import hashlib

import pytest

from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.hardware import FIGURES, Target
from tinynas.hardware.measured import Record, add_record, path_for
from tinynas.report import read_facts
from tinynas.report.measurements import measurements
from tinynas.report.page import render
from tinynas.runs import Best

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]
FOOTPRINT = footprint_of(NET)  # 1 ms


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Keep a measurement of a model on the board, that took twice as long as estimated."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    board = Target.load("nucleo_f401")

    def keep(model="0" * 64):
        record = Record(
            model=model, origin="run", runtime="tflm", optimize="", us=2000.0, estimated_us=1000.0, error=0.1,
            core=board.core, clock_hz=board.clock_hz, kernels=board.kernels, figures=FIGURES, when="2026-11-26",
        )  # fmt: skip
        add_record(path_for(board.name, None), record)
        return Target.load("nucleo_f401")

    return keep


def _plain(sentences):
    return " ".join(sentences).replace("\N{NO-BREAK SPACE}", " ")


def test_nothing_is_said_where_nothing_was_measured(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert measurements(Target.load("nucleo_f401"), FOOTPRINT, ()) == ()


def test_on_what_the_latency_rests(measured):
    said = _plain(measurements(measured(), FOOTPRINT, ()))
    assert said == (
        "The latency rests on what tinynas measure found on the board: 1 model measured with TFLM: 2.00 of what is "
        "estimated without; ± 10 %."
    )


def test_what_was_measured_since_the_search_began(measured):
    before = Target.load("nucleo_f401")
    measured()
    said = _plain(measurements(before, FOOTPRINT, ()))
    assert "Since the search began the board was measured (1 model measured with TFLM: 2.00 of" in said
    assert "by which this model takes 2 ms ± 10 %." in said
    other = before.model_copy(update={"clock_hz": 1_000_000})  # a profile of the same name
    assert measurements(other, FOOTPRINT, ()) == ()


def test_the_page_names_the_measurement_of_its_own_model(measured, ended):
    model = hashlib.sha256(Best(ended).tflite).hexdigest()
    assert "for this very model" not in render(read_facts(ended))
    measured(model)
    facts = read_facts(ended)
    assert model in facts.model.digests
    page = render(facts).replace("\N{NO-BREAK SPACE}", " ")
    assert "tinynas measure found 2 ms for this very model under TFLM (2026-11-26)." in page
