"""Plans: small as they are said to be, proven, and the proof catches what is wrong."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import pytest

from tests.engine.conftest import Witnessed
from tests.engine.random_graphs import random_net
from tests.tflite.models import MEASURED, NAMES, fixture
from tinynas.engine import build, stream
from tinynas.engine.lower import lower
from tinynas.engine.net import Convolution, Depthwise, Net
from tinynas.engine.plan import Plan, least_bytes, plan, problem_of
from tinynas.engine.proof import prove
from tinynas.engine.simplify import simplify
from tinynas.errors import ModelError
from tinynas.tflite import read, write

# Fixtures with a plan of each kind: overlaps, residuals, concatenations, rings, running means, turned rows.
SOME = ("ci_res16_avg_b1", "o_quant", "mn_concat", "mn_res6", "c1d_128x6_gap", "mn_gmaxpool", "s_dil", "c1d_dw_b1")


def whole(name: str) -> Net:
    return simplify(lower(read(fixture(name))))[0]


def test_half_of_tflms_arena_and_a_quarter_by_rows(fixtures: Witnessed) -> None:
    tflm = [MEASURED[name]["m4_cmsis_nn"]["min_arena"] for name in NAMES]
    wholes = [plan(whole(name)).bytes / arena for name, arena in zip(NAMES, tflm, strict=True)]
    by_rows = [engine.memory_bytes / arena for engine, arena in zip(fixtures.engines, tflm, strict=True)]
    assert median(wholes) <= 0.5
    assert median(by_rows) <= 0.3
    assert max(by_rows) < 1


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_reaches_its_bound(name: str) -> None:
    net = whole(name)
    assert plan(net).bytes == least_bytes(problem_of(net))


@pytest.mark.parametrize("name", [*SOME, "mn_tiny_c4_b1", "mn_conv1x1", "f_10"])
@pytest.mark.parametrize("by_rows", [False, True])
def test_the_input_is_kept_where_that_is_asked_for(name: str, by_rows: bool) -> None:
    engine = build(fixture(name), by_rows=by_rows, keep_input=True)
    prove(engine.net, engine.plan, keep_input=True)
    assert engine.memory_bytes >= build(fixture(name), by_rows=by_rows).memory_bytes


@pytest.mark.parametrize("name", [*SOME, "vw_invres", "f_00"])
@pytest.mark.parametrize("keep_input", [False, True])
def test_no_prefix_is_better_than_the_one_that_is_taken(name: str, keep_input: bool) -> None:
    """Prefixes that cannot be better are not planned; here all are, and none is less than its draft says."""
    net = whole(name)
    found = [plan(net, keep_input).bytes]
    for length in range(1, len(net.layers) + 1):
        draft = stream.draft_of(net, length, keep_input)
        if draft is not None:
            prefix = stream.prefix_of(draft)
            found.append(stream.plan_of(prefix, keep_input).bytes)
            assert draft.least <= prefix.bytes <= found[-1]
    assert stream.plan_streamed(net, keep_input)[1].bytes == min(found)


def damaged(plan: Plan, net: Net) -> Iterator[tuple[str, Plan]]:
    """The plan, wrong in one way each."""
    for number in plan.offsets:
        if number not in plan.parts:
            for step in (-4, 4):
                yield (
                    f"value {number} moved by {step}",
                    replace(plan, offsets={**plan.offsets, number: plan.offsets[number] + step}),
                )
    for number, rows in plan.rings.items():
        if rows > 1:
            yield f"ring {number} less a row", replace(plan, rings={**plan.rings, number: rows - 1})
    for layer in range(plan.streamed, len(net.layers)):
        if net.layers[layer].kind in ("convolution", "depthwise", "pool"):
            yield f"layer {layer} the other way round", replace(plan, backwards=plan.backwards ^ {layer})
    for layer, offset in plan.scratch.items():
        yield f"sums of layer {layer} moved", replace(plan, scratch={**plan.scratch, layer: offset - 8})
    yield "memory short of a byte", replace(plan, bytes=plan.bytes - 4)


@pytest.mark.parametrize("name", SOME[:4])
@pytest.mark.parametrize("by_rows", [False, True])
def test_the_proof_catches_damage(name: str, by_rows: bool) -> None:
    """Of all small changes most are fatal, and each that is not is as right as the plan: the C says so elsewhere."""
    engine = build(fixture(name), by_rows=by_rows)
    assert not is_caught(engine.net, engine.plan)
    caught = [is_caught(engine.net, wrong) for _, wrong in damaged(engine.plan, engine.net)]
    assert sum(caught) >= max(1, 0.2 * len(caught))


def is_caught(net: Net, wrong: Plan) -> bool:
    """Whether the proof refuses the plan."""
    try:
        prove(net, wrong)
    except ModelError:
        return True
    return False


def test_a_ring_is_as_small_as_it_can_be() -> None:
    """Every ring less a row is caught."""
    for name in SOME[::2]:
        engine = build(fixture(name))
        for number, rows in engine.plan.rings.items():
            if rows > 1:
                with pytest.raises(ModelError):
                    prove(engine.net, replace(engine.plan, rings={**engine.plan.rings, number: rows - 1}))


@pytest.mark.parametrize("number", [697, 2073])
def test_a_row_is_turned_only_where_all_turn_it(number: int) -> None:
    """A map of one row runs by its columns, unless a window with padding makes several rows of it, or one over several
    rows made it. The proof is the test."""
    net = build(write(random_net(number))).net
    windows = [layer.spec.window for layer in net.layers if isinstance(layer.spec, Convolution | Depthwise)]
    assert any((w.height == 1) != (w.out_height == 1) for w in windows)
