"""Instructions of an engine, worked out and as an emulated board counts them."""

import time
from statistics import median

import boards
import pytest

from tests.engine.conftest import Witnessed
from tests.engine.host import samples
from tests.engine.test_boards import needs_board
from tests.tflite.models import NAMES, fixture
from tinynas.engine import Engine, build, estimate
from tinynas.engine.emit import kernels_of
from tinynas.engine.figures import measured
from tinynas.engine.instructions import works
from tinynas.engine.library import KERNELS
from tinynas.tflite import read

MOST_ERROR = 0.1  # of a model's instructions; TFLM's own figure is known to 35 %


def test_works_are_those_of_the_calls(fixtures: Witnessed) -> None:
    """Preset memory; the kernels of preset speed are looked at below."""
    for engine in fixtures.engines:
        assert [work.kernel for work in works(engine.net, engine.plan)] == [call.function for call in engine.calls]


def test_every_kernel_s_loops_have_costs() -> None:
    assert set(measured()["instructions"]) == {kernel.function for kernel in KERNELS.values()}


@needs_board
@pytest.mark.parametrize(
    ("name", "optimize"),
    [("ci_sep", "memory"), ("ci_sep", "speed"), ("c1d_128x6_har", "memory"), ("c1d_128x6_har", "speed")],
)
def test_what_is_worked_out_is_what_a_board_counts(name: str, optimize: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    engine = build(fixture(name), optimize=optimize)  # type: ignore[arg-type]
    report = boards.run(engine, samples(engine.net, 1), boards.BOARDS["Cortex-M4F"], tmp_path)
    assert engine.figures.instructions == pytest.approx(report.instructions, rel=MOST_ERROR)
    assert [work.kernel for work in works(engine.net, engine.plan)] == [call.function for call in engine.calls]


def test_an_estimate_is_the_engine_s_figures_and_quick(fixtures: Witnessed) -> None:
    took = []
    for name, engine in zip(fixtures.names, fixtures.engines, strict=True):
        graph = read(fixture(name))
        start = time.process_time()
        found = estimate(graph)
        took.append(time.process_time() - start)
        assert found == engine.figures
    assert median(took) < 0.01


def test_an_estimate_for_speed_is_the_engine_s_figures_and_quick() -> None:
    took = []
    for name in NAMES[::8]:
        graph = read(fixture(name))
        start = time.process_time()
        found = estimate(graph, optimize="speed")
        took.append(time.process_time() - start)
        assert found == build(fixture(name), optimize="speed").figures
    assert median(took) < 0.01


def test_a_foreign_layer_has_its_kernel() -> None:
    engine: Engine = build(fixture("ci_sep"), foreign=(1, 2))
    names = [kernels_of(engine.net, engine.plan, k, layer)[0] for k, layer in enumerate(engine.net.layers)]
    assert [k for k, name in enumerate(names) if name == "foreign"] == [1, 2]
    assert engine.figures.instructions < build(fixture("ci_sep")).figures.instructions
