"""A processor whose int has 16 bits and that has no multiplier of 32: an emulated AVR gives the same outputs."""

import subprocess
from pathlib import Path

import pytest

from tests.engine.host import samples
from tests.engine.test_exact import needs
from tests.tflite.models import fixture
from tinynas.engine import build
from tinynas.engine.engine import Preset

# Small enough for 16 kB of RAM, which on this processor also holds the constants.
SMALL = ("s_dense16", "s_td_dense", "o_hswish", "o_prelu", "o_sub", "s_dw_mult2", "c1d_dw_b1", "mn_concat", "f_07")
MAIN = """
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include "net_engine.h"
static const int8_t inputs[%(samples)d][NET_ENGINE_INPUT_BYTES] = {%(inputs)s};
static const int8_t outputs[%(samples)d][NET_ENGINE_OUTPUT_BYTES] = {%(outputs)s};
static int32_t memory[(NET_ENGINE_BYTES + 3) / 4];
static void say(char letter) {
  while (!(UCSR0A & (1 << UDRE0))) {
  }
  UDR0 = letter;
}
int main(void) {
  const char *word;
  int wrong = 0, k;
  unsigned int i;
  UCSR0B = 1 << TXEN0;
  for (k = 0; k < %(samples)d; k++) {
    for (i = 0; i < NET_ENGINE_INPUT_BYTES; i++) net_input(memory)[i] = inputs[k][i];
    net_run(memory);
    for (i = 0; i < NET_ENGINE_OUTPUT_BYTES; i++) wrong += net_output(memory)[i] != outputs[k][i];
  }
  for (word = wrong ? "OTHER\\n" : "EQUAL\\n"; *word; word++) say(*word);
  cli();
  sleep_enable();
  sleep_cpu();
  return 0;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("optimize", ["memory", "speed"])
@pytest.mark.parametrize("name", SMALL)
def test_an_avr_gives_the_same_outputs(name: str, optimize: Preset, tmp_path: Path) -> None:
    needs("simavr")
    needs("avr-gcc", "-mmcu=atmega1284p")
    engine = build(fixture(name), optimize=optimize)
    inputs = samples(engine.net, 2, 5)
    rows = {
        "inputs": ", ".join("{" + ", ".join(map(str, row.tolist())) + "}" for row in inputs),
        "outputs": ", ".join("{" + ", ".join(map(str, row.tolist())) + "}" for row in engine.run(inputs)),
    }
    for file, text in {**engine.files("net"), "main.c": (MAIN % {"samples": 2, **rows}).encode()}.items():
        (tmp_path / file).write_bytes(text)
    flags = ["-mmcu=atmega1284p", "-std=c99", "-Os", "-Wall", "-Wextra", "-Werror", "-DF_CPU=16000000"]
    sources = ["main.c", "net_engine.c", "net_weights.c"]
    done = subprocess.run(["avr-gcc", *flags, *sources, "-o", "avr.elf"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    ran = subprocess.run(
        ["simavr", "-m", "atmega1284p", "-f", "16000000", "avr.elf"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "EQUAL" in ran.stdout + ran.stderr, (ran.stdout + ran.stderr)[-500:]
