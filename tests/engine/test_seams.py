"""Where firmware reaches into an engine: another library's layer, sections for code, Flash as a linker sees it."""

from pathlib import Path

import boards
import pytest

from tests.engine.test_boards import check, needs_board
from tests.export.firmware import run
from tests.tflite.models import fixture
from tinynas.engine import build
from tinynas.errors import UsageError

# A convolution as slow and plain as can be, by nothing but the header's description; its scaling is that of TFLM.
REPLACEMENT = """
#include "net_engine.h"
static int32_t scaled(int32_t sum, int32_t multiplier, int32_t shift) {
  const int64_t product = (int64_t)sum * (shift > 0 ? 1 << shift : 1) * multiplier;
  const int32_t high = (int32_t)((product + (1 << 30)) >> 31);
  const int32_t down = shift < 0 ? -shift : 0;
  return down ? (high + (1 << (down - 1)) - (high < 0)) >> down : high;
}
void net_foreign_%d(const tinynas_convolution *l, const int8_t *input, int8_t *output) {
  const int32_t of_group = l->channels / l->groups, filters = l->out_channels / l->groups;
  int32_t y, x, f, i, j, c;
  calls++;
  for (y = 0; y < l->out_height; y++) for (x = 0; x < l->out_width; x++) for (f = 0; f < l->out_channels; f++) {
    int32_t sum = l->bias[f], result;
    for (i = 0; i < l->kernel_h; i++) for (j = 0; j < l->kernel_w; j++) for (c = 0; c < of_group; c++) {
      const int32_t row = y * l->stride_h - l->pad_top + i * l->dilation_h;
      const int32_t column = x * l->stride_w - l->pad_left + j * l->dilation_w;
      const int32_t tap = i * l->kernel_w + j;
      if (row < 0 || column < 0 || row >= l->height || column >= l->width) continue;
      sum += (input[(row * l->width + column) * l->channels + f / filters * of_group + c] - l->in_zero) *
             l->weights[%s];
    }
    result = scaled(sum, l->multipliers[f], l->shifts[f]) + l->out_zero;
    *output++ = (int8_t)(result < l->low ? l->low : result > l->high ? l->high : result);
  }
}
"""
WEIGHT = {
    "convolution": "(f * l->kernel_h * l->kernel_w + tap) * of_group + c",
    "depthwise": "tap * l->out_channels + f",
}
COUNTED = "#include <stdint.h>\nint calls;\n"


@needs_board
@pytest.mark.parametrize(
    ("name", "foreign"), [("mn_conv1x1", (0, 2)), ("ci_sep", (1, 2)), ("mn_concat", (1,)), ("s_dil", (1,))]
)
def test_another_library_takes_layers(name: str, foreign: tuple[int, ...], tmp_path: Path) -> None:
    """A replacement gets the same hash of every layer, on the board, and the engine does the rest."""
    engine = build(fixture(name), foreign=foreign)
    layers = engine.net.layers
    pieces = [REPLACEMENT % (index, WEIGHT[layers[index].kind]) for index in foreign]
    text = "".join([COUNTED, pieces[0], *(piece.split("\n}\n", 1)[1] for piece in pieces[1:])])
    check(engine, "Cortex-M4F", tmp_path, text)


def test_a_layer_that_is_no_convolution_stays() -> None:
    with pytest.raises(UsageError, match=r"^Layer 1 cannot be another library's: the convolutions .* are the layers 0"):
        build(fixture("mn_lenet_valid_b1"), foreign=(1,))


@needs_board
@pytest.mark.parametrize("optimize", ["memory", "speed"])
def test_code_and_weights_go_where_the_project_wants_them(optimize: str, tmp_path: Path) -> None:
    """Nothing of the code is left in .text, and no function is missed."""
    for name, text in build(fixture("ci_res16_avg_b1"), optimize=optimize).files("net").items():  # type: ignore[arg-type]
        (tmp_path / name).write_bytes(text)
    (tmp_path / "place.h").write_text(
        '#define NET_CODE __attribute__((section(".itcm")))\n#define NET_WEIGHTS __attribute__((section(".qspi")))\n'
    )
    flags = [*boards.BOARDS["Cortex-M4F"].flags, "-std=c99", "-include", "place.h"]
    run(["arm-none-eabi-gcc", *flags, "-Os", "-c", "net_engine.c", "net_weights.c"], tmp_path)
    sizes = {}
    for part in ("engine", "weights"):
        listed = run(["arm-none-eabi-size", "-A", f"net_{part}.o"], tmp_path)
        sizes[part] = {line.split()[0]: int(line.split()[1]) for line in listed.splitlines() if line.startswith(".")}
    assert sizes["engine"][".text"] == 0 < sizes["engine"][".itcm"]
    assert sizes["weights"].get(".rodata", 0) == 0 < sizes["weights"][".qspi"]


@needs_board
@pytest.mark.parametrize("name", ["mn_lenet_valid_b1", "ci_sep"])
def test_a_linked_program_grows_by_what_was_said(name: str, tmp_path: Path) -> None:
    engine = build(fixture(name))
    linked = boards.linked_bytes(engine, boards.BOARDS["Cortex-M4F"], tmp_path)
    assert 0.95 * engine.figures.flash <= linked <= engine.figures.flash + 32
    assert linked - engine.figures.weights <= 8192
