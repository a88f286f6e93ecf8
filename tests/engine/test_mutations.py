"""Small faults in the kernels are seen: a kernel that is wrong in one place answers otherwise than TFLM."""

from pathlib import Path

import pytest

from tests.engine.conftest import Witnessed
from tests.engine.host import answers, differences, program, sources
from tests.export.firmware import needs_compiler
from tinynas.engine import emit

pytestmark = [needs_compiler]
# Fixtures that have every kernel between them.
FEW = ("mn_conv1x1", "ci_res16_avg_b1", "s_dw_mult2", "mn_gmaxpool", "o_quant", "o_prelu", "s_se_mul", "f_09", "o_max")
MUTATIONS = {
    "rounding of the product": ("high_product.h", "((int64_t)1 << 30)", "((int64_t)1 << 29)"),
    "halves of the shift": ("requantize.h", "(x - (x < 0)) >>", "x >>"),
    "rounding of the shift": ("requantize.h", "+ 1) >> 1", "+ 0) >> 1"),
    "upper clamp": ("clamp.h", "x > high ? high", "x > high ? high - 1"),
    "lower clamp": ("clamp.h", "x < low ? low", "x < low ? low + 1"),
    "padding above": ("window.h", "w->stride_h - w->pad_top", "w->stride_h - w->pad_top + 1"),
    "taps outside a small window": ("convolution.c", "*next++ = w->zero", "*next++ = 0"),
    "taps outside a great window": ("stretches.h", "= {zero, zero, zero, zero}", "= {0, 0, 0, 0}"),
    "a column of a filter": ("quads.h", "x1 * weights[8]", "x1 * weights[2]"),
    "output's zero point": ("scale.h", "zero = w->out_zero", "zero = w->out_zero + 1"),
    "input's zero point": ("depthwise.c", "zero = w->zero", "zero = w->zero + 1"),
    "channel of a depthwise filter": ("depthwise.c", "p->at + c / multiplier", "p->at + c % w->channels"),
    "halves of a mean": ("average_pool.c", "sum - taps / 2", "sum + taps / 2"),
    "least of a maximum": ("max_pool.c", "most = -128", "most = 0"),
    "scale of a sum": ("sum.c", "(int32_t)1 << 20", "(int32_t)1 << 19"),
    "sign of PRELU": ("prelu.c", "a >= 0 ? a : a * b", "a * b"),
    "scale of softmax's sum": ("softmax.c", "+ 2048u) >> 12", "+ 2048u) >> 11"),
    "steps of Newton's": ("softmax.c", "step < 3", "step < 1"),
    "rows that a row needs": ("stream.c", "- stage->pad + stage->reach", "- stage->pad + stage->reach - 1"),
    "a ring's rows": ("window.h", "% w->in_rows", "% (w->in_rows + 1)"),
}

QUICK = ("halves of the shift", "rows that a row needs")


def test_every_kernel_is_in_the_few(fixtures: Witnessed) -> None:
    used = {call.function for name in FEW for call in fixtures.engines[fixtures.names.index(name)].calls}
    wanted = {emit.KERNELS[name].function for name in ("convolution", "depthwise", "max_pool", "sum", "softmax")}
    assert wanted <= used


@pytest.mark.parametrize(
    "mutation", [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in MUTATIONS]
)
def test_a_mutation_is_seen(
    mutation: str, fixtures: Witnessed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, right, wrong = MUTATIONS[mutation]
    text = emit.source(file)
    assert right in text
    chosen = [fixtures.names.index(name) for name in FEW]
    engines = [fixtures.engines[k] for k in chosen]
    inputs = [fixtures.inputs[k] for k in chosen]
    before = sources(engines, len(inputs[0]))
    monkeypatch.setattr(
        "tinynas.engine.text.source", lambda name: text.replace(right, wrong) if name == file else emit.source(name)
    )
    assert sources(engines, len(inputs[0])) != before
    binary = program(tmp_path, engines, len(inputs[0]), "gcc", "-std=c99", "-O1", "-w")
    found = answers(binary, engines, inputs)
    assert differences(found, [fixtures.outputs[k] for k in chosen], FEW)
