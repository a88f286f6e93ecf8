"""C source: compiled as C and as C++ with warnings as errors, run, and held against the file it came from."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinynas
from tinynas.data import Normalization
from tinynas.errors import ModelError
from tinynas.hardware import Target
from tinynas.tflite import c_text
from tinynas.tflite.c_source import c_files
from tinynas.tflite.read import read

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"
NASTY = (
    'say "hi"',
    "back\\slash",
    "what??/",
    "naïve",
    "猫",
    "new\nline",
    "%d",
    "7eleven",
    "*/",
    "\x01" + "7",
)
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-Wconversion")

needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("g++") is None, reason="gcc and g++ are not installed"
)


def made(model: str = "mn_tiny_c4_b1", name: str = "digits", **changes: Any) -> dict[str, str]:
    options: dict[str, Any] = {
        "target": Target.load("nucleo_f401"),
        "normalization": {"offset": [0.0], "scale": [1 / 255], "source_dtype": "uint8"},
        "class_names": NASTY,
        "layout": "image",
    }
    analysis = SimpleNamespace(arena=SimpleNamespace(minimum=5_104), arena_status="exact")
    data = (ARENA / f"{model}.tflite").read_bytes()
    return c_files(name, data, analysis, **(options | changes))  # type: ignore[arg-type]


def compiled(folder: Path, files: dict[str, str], program: str) -> str:
    """What `program`, a C file, prints when it is linked with the files."""
    for file, text in (files | {"main.c": program}).items():
        (folder / file).write_text(text, encoding="utf-8")
    (source,) = (file for file in files if file.endswith(".cc"))
    commands = (
        ["gcc", "-std=c11", *WARNINGS, "-c", "main.c", "-o", "main.o"],
        ["g++", "-std=c++17", *WARNINGS, "-c", source, "-o", "model.o"],
        ["g++", "main.o", "model.o", "-o", "program"],
    )
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout


PROGRAM = r"""
#include <inttypes.h>
#include <stdio.h>
#include "digits.h"

static uint8_t arena[DIGITS_ARENA_BYTES];
static const int shape[DIGITS_INPUT_RANK] = DIGITS_INPUT_SHAPE;

int main(void) {
  unsigned int i;
  printf("%u %u\n", (unsigned int)sizeof(digits), digits_len);
  printf("%s\n%s\n%s\n", DIGITS_SHA256, DIGITS_TINYNAS_VERSION, DIGITS_BOARD);
  printf("%s %s\n", DIGITS_KERNELS, DIGITS_LAYOUT);
  for (i = 0; i < digits_len; i++) printf("%02x", digits[i]);
  printf("\n%u %u\n", (unsigned int)sizeof(arena), (unsigned int)((uintptr_t)digits % 16));
  for (i = 0; i < DIGITS_INPUT_RANK; i++) printf("%d ", shape[i]);
  printf("%d\n", DIGITS_INPUT_LENGTH);
  printf("%.9g %d ", (double)DIGITS_INPUT_SCALE, DIGITS_INPUT_ZERO_POINT);
  printf("%.9g %d\n", (double)DIGITS_OUTPUT_SCALE, DIGITS_OUTPUT_ZERO_POINT);
  printf("%d %.9g %.9g\n", DIGITS_OPERATORS, (double)digits_offset[0], (double)digits_scale[0]);
  for (i = 0; i < DIGITS_CLASSES; i++) {
    const char* text = digits_class_names[i];
    while (*text) printf("%02x", (unsigned char)*text++);
    printf("\n");
  }
  return 0;
}
"""


@needs_compiler
def test_a_c_program_sees_the_model(tmp_path: Path) -> None:
    data = (ARENA / "mn_tiny_c4_b1.tflite").read_bytes()
    graph = read(data)
    source, result = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    lines = compiled(tmp_path, made(), PROGRAM).splitlines()
    assert lines[0] == f"{len(data)} {len(data)}"
    assert lines[1:4] == [hashlib.sha256(data).hexdigest(), tinynas.__version__, "nucleo_f401"]
    assert lines[4] == "cmsis_nn image"
    assert bytes.fromhex(lines[5]) == data
    assert lines[6:8] == ["5104 0", "1 28 28 1 784"]
    scales = lines[8].split()
    assert [np.float32(scales[0]), np.float32(scales[2])] == [source.scales[0], result.scales[0]]
    assert [int(scales[1]), int(scales[3])] == [source.zero_points[0], result.zero_points[0]]
    n_operators, offset, scale = lines[9].split()
    assert int(n_operators) == len({operator.name for operator in graph.operators})
    assert (float(offset), np.float32(scale)) == (0.0, np.float32(1 / 255))
    assert [bytes.fromhex(line).decode() for line in lines[10:]] == list(NASTY)


@needs_compiler
def test_the_arrays_stay_in_flash(tmp_path: Path) -> None:
    compiled(tmp_path, made(), PROGRAM)
    symbols = subprocess.run(["nm", "model.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    kinds = {line.split()[-1]: line.split()[-2] for line in symbols.splitlines()}
    # R is read-only data; a table of pointers is D where code is position-independent, which firmware is not.
    assert {kinds[name] for name in ("digits", "digits_len", "digits_offset", "digits_scale")} == {"R"}
    assert kinds["digits_class_names"] in "RD"


QUANTIZE = r"""
#include <stdio.h>
#include "digits.h"

int main(void) {
  float raw;
  unsigned int i = 0;
  while (scanf("%f", &raw) == 1) printf("%d ", digits_quantize(raw, i++ % 6));
  return 0;
}
"""


@needs_compiler
@pytest.mark.parametrize("per_channel", [True, False])
def test_the_device_quantises_as_training_did(tmp_path: Path, per_channel: bool) -> None:
    rng = np.random.default_rng(0)
    n = 6 if per_channel else 1
    normalization = Normalization(tuple(rng.normal(size=n)), tuple(rng.random(n) / 4), "float32")
    raw = rng.normal(0, 5, (500, 6)).astype(np.float32)
    files = made("h1_128x6_har_b1", normalization=normalization.to_dict(), class_names=list("abcdef"), layout="series")
    compiled(tmp_path, files, QUANTIZE)
    text = " ".join(f"{value!s}" for value in raw.ravel())
    done = subprocess.run([tmp_path / "program"], input=text, capture_output=True, text=True, check=True)
    graph = read((ARENA / "h1_128x6_har_b1.tflite").read_bytes())
    source = graph.tensors[graph.inputs[0]]
    expected = np.clip(
        np.round(normalization.apply(raw) / np.float32(source.scales[0])) + source.zero_points[0], -128, 127
    )
    found = np.array(done.stdout.split(), dtype=int)
    assert len(np.unique(found)) > 30
    assert np.abs(found - expected.ravel()).max() <= 1
    assert (found != expected.ravel()).mean() < 0.001


@needs_compiler
def test_the_golden_sample_is_in_the_source(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sample, answer = (rng.integers(-128, 128, shape, dtype=np.int8) for shape in ((28, 28, 1), (10,)))
    program = r"""
    #include <stdio.h>
    #include "digits.h"
    int main(void) {
      unsigned int i;
      for (i = 0; i < DIGITS_INPUT_LENGTH; i++) printf("%d ", digits_golden_input[i]);
      for (i = 0; i < DIGITS_CLASSES; i++) printf("%d ", digits_golden_output[i]);
      return 0;
    }"""
    printed = compiled(tmp_path, made(golden=(sample, answer)), program)
    assert [int(word) for word in printed.split()] == [*sample.ravel(), *answer]


RESOLVER = r"""
#include "digits.h"
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
namespace tflite {
struct Registration {};
Registration Register_CONV_2D_INT8() { return {}; }
Registration Register_MAX_POOL_2D_INT8() { return {}; }
Registration Register_FULLY_CONNECTED_INT8() { return {}; }
Registration Register_SOFTMAX_INT8() { return {}; }
}
template <int N> struct Resolver {
  int added = 0;
  TfLiteStatus add() { return ++added > N ? kTfLiteError : kTfLiteOk; }
  TfLiteStatus AddConv2D(tflite::Registration) { return add(); }
  TfLiteStatus AddMaxPool2D(tflite::Registration) { return add(); }
  TfLiteStatus AddFullyConnected(tflite::Registration) { return add(); }
  TfLiteStatus AddSoftmax(tflite::Registration) { return add(); }
  TfLiteStatus AddReshape() { return add(); }
};
int main() {
  Resolver<DIGITS_OPERATORS> enough;
  Resolver<DIGITS_OPERATORS - 1> too_few;
  if (!DIGITS_ADD_OPERATORS(enough)) return 1;
  if (enough.added != DIGITS_OPERATORS) return 2;
  return DIGITS_ADD_OPERATORS(too_few) ? 3 : 0;
}
"""


@needs_compiler
def test_the_resolver_gets_each_operator_once(tmp_path: Path) -> None:
    for file, text in (made() | {"main.cc": RESOLVER}).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    command = ["g++", "-std=c++17", *WARNINGS, "main.cc", "digits.cc", "-o", "program"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([tmp_path / "program"], check=False).returncode == 0


@pytest.mark.parametrize("name", ["model", "a", "Net2", "my_net_v2"])
def test_good_names(name: str) -> None:
    assert set(made(name=name)) == {f"{name}.h", f"{name}.cc"}


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("", "model"),
        ("2d", "model_2d"),
        ("my-net", "my_net"),
        ("my net.tflite", "my_net_tflite"),
        ("int", "model_int"),
        ("co_await", "model_co_await"),
        ("main", "model_main"),
        ("_net", "net"),
        ("a__b", "a_b"),
        ("naïve", "na_ve"),
        ("net\n", "net"),
    ],
)
def test_bad_names_get_one_sentence_with_a_better_one(name: str, better: str) -> None:
    with pytest.raises(ModelError, match=f"such as '{better}'$") as caught:
        made(name=name)
    assert "\n" not in str(caught.value)
    c_text.check_name(better)


NORMALIZATION = {"offset": [0.0], "scale": [1.0], "source_dtype": "uint8"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"class_names": ["a", "b"]}, "2 class names came for a model with 10 outputs"),
        ({"layout": "sound"}, "layout is 'sound'"),
        (
            {"normalization": NORMALIZATION | {"offset": [0, 1]}},
            "2 offsets and 1 scales, but the input has 1",
        ),
        ({"normalization": NORMALIZATION | {"offset": [0] * 3, "scale": [1] * 3}}, "3 offsets and 3 scales"),
        ({"normalization": NORMALIZATION | {"source_dtype": "*/ int"}}, "source_dtype is '\\*/ int'"),
        ({"golden": ([0.5] * 784, [1] * 10)}, "golden input is 784 values of float64, wanted 784 int8"),
        ({"golden": (np.zeros(784, np.int8), np.zeros(9, np.int8))}, "golden output is 9 values of int8"),
    ],
)
def test_facts_that_do_not_match_the_model(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        made(**changes)
