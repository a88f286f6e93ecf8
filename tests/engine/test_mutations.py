"""Small faults in the kernels are seen: a kernel that is wrong in one place answers otherwise than TFLM."""

from pathlib import Path

import pytest

from tests.engine.conftest import Witnessed
from tests.engine.host import answers, differences, program, sources
from tests.export.firmware import needs_compiler
from tests.tflite.models import fixture
from tinynas.engine import Engine, build, library

pytestmark = [needs_compiler]
# Fixtures that have every kernel between them.
FEW = ("mn_conv1x1", "ci_res16_avg_b1", "s_dw_mult2", "mn_gmaxpool", "o_quant", "o_prelu", "s_se_mul", "f_09", "o_max")
MUTATIONS = {
    "rounding of the product": ("high_product.h", "((int64_t)1 << 30)", "((int64_t)1 << 29)"),
    "halves of the shift": ("requantize.h", "(x - (x < 0)) >>", "x >>"),
    "rounding of the shift": ("requantize.h", "+ 1) >> 1", "+ 0) >> 1"),
    "upper clamp": ("clamp.h", "x > high ? high", "x > high ? high - 1"),
    "lower clamp": ("clamp.h", "x < low ? low", "x < low ? low + 1"),
    "padding above": ("slide.h", "w->stride_h - w->pad_top", "w->stride_h - w->pad_top + 1"),
    "taps outside a small window": ("convolution.c", "*next++ = w->zero", "*next++ = 0"),
    "taps outside a great window": ("stretches.h", "= {zero, zero, zero, zero}", "= {0, 0, 0, 0}"),
    "a column of a filter": ("quads.h", "x1 * weights[8]", "x1 * weights[2]"),
    "output's zero point": ("scale.h", "zero = w->out_zero", "zero = w->out_zero + 1"),
    "input's zero point": ("depthwise.c", "zero = w->zero", "zero = w->zero + 1"),
    "channel of a depthwise filter": ("depthwise.c", "p->at + c / multiplier", "p->at + c % w->channels"),
    "halves of a mean": ("average_pool.c", "sum - taps / 2", "sum + taps / 2"),
    "least of a maximum": ("max_pool.c", "most = *at++", "most = 0 * *at++"),
    "scale of a sum": ("sum.c", "(int32_t)1 << 20", "(int32_t)1 << 19"),
    "sign of PRELU": ("prelu.c", "x >= 0 ? x : x *", "x *"),
    "scale of softmax's sum": ("softmax.c", "+ 2048u) >> 12", "+ 2048u) >> 11"),
    "steps of Newton's": ("softmax.c", "step < 3", "step < 1"),
    "the shift beside a bias": ("scale.h", "*channel & 31", "*channel & 7"),
    "a quarter of exp": ("exp.h", "within * 32", "within * 16"),
    "a factor of exp": ("exp.h", "quarters >> k", "quarters >> (k + 1)"),
    "rows that a row needs": ("stream.c", "- stage->pad + stage->reach", "- stage->pad + stage->reach - 1"),
    "a ring's rows": ("slide.h", "% w->in_rows", "% (w->in_rows + 1)"),
}
OF_SPEED = {
    "a weight of two channels": ("blocked.h", "tn_byte(*k, 2)", "tn_byte(*k, 0)"),
    "a wide weight": ("blocked.h", "tn_high(k[1])", "tn_low(k[1])"),
    "the second two pixels": ("blocked.h", "block->out + 2, c)", "block->out + 1, c)"),
    "halves of a result": ("result.h", "(x - (x < 0) +", "(x +"),
    "a result's zero point": ("result.h", "+ center *", "+ (center + 2) *"),
    "columns outside": ("widen.h", "*to++ = w->zero", "*to++ = 0"),
    "rows outside": ("widen.h", "tn_pair_of(l->window.zero, l->window.zero)", "tn_pair_of(0, 0)"),
    "the last of a run": ("widen.h", "tn_pair_of(*from, 0)", "tn_pair_of(0, 0)"),
    "a block's last pixel": ("blocked.c", "if (left > 1)", "if (left > 2)"),
    "a value of a dense layer": ("dense.c", "x2 * tn_byte(one, 2)", "x2 * tn_byte(one, 1)"),
    "the second of two pixels": ("taps.h", "at + 8 * taps->second", "at"),
    "rows that stay in the ring": ("depthwise_rows.c", "reach - w->stride_h :", "reach - w->stride_h + 1 :"),
    "channels of a multiplier": ("depthwise_rows.c", "(c + k) / times", "(c + k) % channels"),
}

QUICK = ("halves of the shift", "rows that a row needs", "halves of a result")


@pytest.fixture(scope="module")
def quick(fixtures: Witnessed) -> dict[str, Engine]:
    return {name: build(fixture(name), optimize="speed") for name in FEW}


def test_every_kernel_is_in_the_few(fixtures: Witnessed) -> None:
    used = {call.function for name in FEW for call in fixtures.engines[fixtures.names.index(name)].calls}
    wanted = {library.KERNELS[name].function for name in ("convolution", "depthwise", "max_pool", "sum", "softmax")}
    assert wanted <= used


@pytest.mark.parametrize(
    "mutation", [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in MUTATIONS | OF_SPEED]
)
def test_a_mutation_is_seen(
    mutation: str,
    fixtures: Witnessed,
    quick: dict[str, Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, right, wrong = (MUTATIONS | OF_SPEED)[mutation]
    text = library.source(file)
    assert right in text
    chosen = [fixtures.names.index(name) for name in FEW]
    engines = list(quick.values()) if mutation in OF_SPEED else [fixtures.engines[k] for k in chosen]
    inputs = [fixtures.inputs[k] for k in chosen]
    before = sources(engines, len(inputs[0]))
    monkeypatch.setattr(
        "tinynas.engine.text.source", lambda name: text.replace(right, wrong) if name == file else library.source(name)
    )
    assert sources(engines, len(inputs[0])) != before
    binary = program(tmp_path, engines, len(inputs[0]), "gcc", "-std=c99", "-O1", "-w")
    found = answers(binary, engines, inputs)
    assert differences(found, [fixtures.outputs[k] for k in chosen], FEW)
