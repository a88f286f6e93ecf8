"""Inputs and outputs of uint8 and of float32: the whole export, against TFLM and against plain arithmetic."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tests.export.firmware import (
    CORES,
    FIRMWARE_FLAGS,
    STUBS,
    WARNINGS,
    emulated,
    has_newlib,
    needs_arm,
    needs_compiler,
    needs_emulator,
    program,
    run,
    table,
)
from tests.export.test_convert import constants, golden
from tests.export.test_output import NETS, REAL, TWO
from tests.tflite.models import dense_net, with_ends
from tinynas import convert
from tinynas.errors import ModelError
from tinynas.export import KINDS
from tinynas.export.ends import at_random, dequantized, ends, quantized
from tinynas.export.golden import Golden
from tinynas.tflite import analyze, read, tflm, write
from tinynas.tflite.affine import limits_of, step_of

TYPES = {"INT8": np.int8, "UINT8": np.uint8, "FLOAT32": np.float32}
PAIRS = [pair for pair in itertools.product(TYPES, TYPES) if pair != ("INT8", "INT8")]
SOME = [("UINT8", "UINT8"), ("FLOAT32", "FLOAT32"), ("INT8", "FLOAT32")]


def exported(folder, kind, given, found, data=None, **options):
    path = folder / "my.tflite"
    path.write_bytes(write(with_ends(dense_net(*NETS[kind]), given, found)))
    converted = convert(path, data=data, out=folder / "fw", name="net", output=kind, **options)
    return folder / "fw", converted, *golden(folder / "fw", "net")


@needs_compiler
@pytest.mark.parametrize(("given", "found"), SOME)
@pytest.mark.parametrize("kind", KINDS)
def test_the_program_passes_its_self_test_with_tflms_answers(tmp_path, kind, given, found):
    folder, converted, inputs, outputs = exported(tmp_path, kind, given, found)
    data = (folder / "net.tflite").read_bytes()
    assert converted.analysis.arena.head == tflm.head_bytes(data)
    assert (inputs.dtype, outputs.dtype) == (TYPES[given], TYPES[found])
    answers = tflm.run(data, inputs)
    np.testing.assert_array_equal(answers, outputs)
    assert len(np.unique(inputs)) > 10
    table(folder, inputs, answers, 0)
    said = run([program(folder, "net")], folder)
    assert f"self-test of {len(inputs)} samples: 0 mismatches: PASS\n" in said
    assert len(np.unique(outputs, axis=0)) > 1
    answers = answers.copy()
    row = answers[:, 0].argmin()
    step = step_of(read(data), read(data).outputs[0]) if found == "FLOAT32" else 1
    answers[row, 0] += TYPES[found](step)
    table(folder, inputs, answers, 0)
    program(folder, "net")
    with pytest.raises(AssertionError, match="1 mismatches: FAIL"):
        run([folder / "program"], folder)
    program(folder, "net", "-DNET_TEST_TOLERANCE=1")
    assert ": PASS\n" in run([folder / "program"], folder)


@needs_emulator
@pytest.mark.parametrize(("given", "found"), [("UINT8", "FLOAT32"), ("FLOAT32", "UINT8")])
@pytest.mark.parametrize("kind", ["binary", "values"])
def test_it_runs_on_an_emulated_cortex_m4(tmp_path, kind, given, found):
    folder, _, inputs, outputs = exported(tmp_path, kind, given, found)
    said = emulated(folder, Golden(inputs, outputs, "TFLM"))
    assert f"net: self-test of {len(inputs)} samples: 0 mismatches: PASS\n" in said


@needs_arm
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(("given", "found"), SOME)
def test_every_pair_compiles_for_arm(tmp_path, given, found, core):
    folder, *_ = exported(tmp_path, "reconstruction", given, found)
    hosted = () if has_newlib() else ("-ffreestanding", f"-I{STUBS / 'freestanding'}")
    flags = (*WARNINGS, *FIRMWARE_FLAGS, *CORES[core], *hosted, f"-I{STUBS}")
    for source in ("main.cc", "net_test.cc"):
        run(["arm-none-eabi-g++", "-std=c++17", *flags, "-c", source, "-o", f"{source}.o"], folder)


HELPERS = r"""
#include <stdio.h>
#include "net_settings.h"

int main(void) {
  int i;
  for (i = -40; i <= 60; i++) printf("%.9g ", (double)net_quantize((float)i / 20.0f, 0));
  for (i = 0; i < 100; i++) printf("%.9g ", (double)net_dequantize((OUT)i));
  return 0;
}
"""


@needs_compiler
@pytest.mark.parametrize(("given", "found"), PAIRS)
def test_the_helpers_do_as_python_does(tmp_path, given, found):
    folder, *_ = exported(tmp_path, "values", given, found)
    (folder / "main.c").write_text(HELPERS)
    out = {"INT8": "int8_t", "UINT8": "uint8_t", "FLOAT32": "float"}[found]
    run(["gcc", "-std=c11", *WARNINGS, f"-DOUT={out}", "main.c", "-o", "program"], folder)
    said = np.array(run([folder / "program"], folder).split(), dtype=float)
    source, result = ends((folder / "net.tflite").read_bytes())
    raw = (np.arange(-40, 61, dtype=np.float32) / np.float32(20.0))[:, None].repeat(4, axis=1)
    wanted = quantized(raw, source)[:, 0].astype(float)
    assert np.abs(said[:101] - wanted).max() <= (1e-6 if given == "FLOAT32" else 1)
    assert (np.abs(said[:101] - wanted) > 1e-6).mean() < 0.25  # exact halves go the other way
    np.testing.assert_allclose(said[101:], dequantized(np.arange(100).astype(TYPES[found]), result), rtol=1e-6)
    settings = constants((folder / "net_settings.h").read_text())
    assert ("NET_INPUT_SCALE" in settings) == (given != "FLOAT32")
    assert ("NET_OUTPUT_SCALE" in settings) == (found != "FLOAT32")


@needs_compiler
@pytest.mark.parametrize("found", TYPES)
def test_a_threshold_is_the_same_in_every_type(tmp_path, found):
    folder, *_ = exported(tmp_path, "binary", "UINT8", found)
    steps = np.arange(0, 256) / 256  # what LOGISTIC can give
    stored = {"INT8": lambda p: int(p * 256) - 128, "UINT8": lambda p: int(p * 256), "FLOAT32": lambda p: f"{p}f"}[
        found
    ]
    values = ", ".join(str(stored(p)) for p in steps)
    kind = {"INT8": "int8_t", "UINT8": "uint8_t", "FLOAT32": "float"}[found]
    (folder / "main.c").write_text(
        '#include <stdio.h>\n#include "net_settings.h"\n'
        f"static const {kind} values[] = {{{values}}};\n"
        'int main(void) { for (int i = 0; i < 256; i++) printf("%d", net_best_class(values + i)); return 0; }\n'
    )
    run(["gcc", "-std=c11", *WARNINGS, "main.c", "-o", "program"], folder)
    assert run([folder / "program"], folder) == "".join("1" if p > 0.5 else "0" for p in steps)


@pytest.mark.parametrize(("given", "found"), [("UINT8", "UINT8"), ("FLOAT32", "FLOAT32"), ("UINT8", "FLOAT32")])
def test_scores_are_those_of_the_int8_file_within(tmp_path, given, found):
    """The same network with ends of another type answers alike, so it scores alike on the same data."""
    scores = {}
    for kind, data in (("binary", TWO), ("values", REAL)):
        for ends_of in (("INT8", "INT8"), (given, found)):
            place = tmp_path / f"{kind}{ends_of[0]}{ends_of[1]}"
            place.mkdir()
            net = NETS["binary"] if kind == "binary" else (4, 1)
            (place / "my.tflite").write_bytes(write(with_ends(dense_net(*net), *ends_of)))
            converted = convert(place / "my.tflite", data=data, out=place / "fw", name="net")
            assert converted.output.kind == kind
            score = converted.accuracy or converted.error
            scores.setdefault(kind, []).append(score.int8)
    assert scores["binary"][0] == scores["binary"][1]
    assert scores["values"][0] == pytest.approx(scores["values"][1], rel=1e-5)


def test_what_a_float_input_holds_is_what_it_becomes():
    plain = dense_net(4, 1)
    low, high = ((step - 0) / 32 for step in (-128, 127))
    for given in TYPES:
        graph = with_ends(plain, given, "FLOAT32")
        assert limits_of(graph, graph.inputs[0]) == pytest.approx((low, high))
        assert step_of(graph, graph.outputs[0]) == 0.125
        x = at_random(graph, graph.inputs[0], 200, np.random.default_rng(0))
        assert x.dtype == TYPES[given]
        real = x if given == "FLOAT32" else (x.astype(float) - (0 if given == "INT8" else 128)) / 32
        assert low <= real.min() < low + 0.2
        assert high - 0.2 < real.max() <= high


@pytest.mark.parametrize("found", ["INT16", "INT32", "BOOL"])
def test_other_types_are_refused_by_name(tmp_path, found):
    graph = dense_net(4, 1)
    tensors = [*graph.tensors]
    tensors[graph.outputs[0]] = replace(tensors[graph.outputs[0]], dtype=found)
    with pytest.raises(ModelError, match=f"the model's output is {found}; wanted one of INT8, UINT8, FLOAT32"):
        ends(write(replace(graph, tensors=tuple(tensors))))


def test_the_arena_is_known_for_every_pair():
    for given, found in PAIRS:
        data = write(with_ends(dense_net(4, 3, "SOFTMAX"), given, found))
        assert analyze(data, kernels="reference").arena.head == tflm.head_bytes(data)
