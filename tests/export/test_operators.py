"""NAME_ops.h: exactly the operators of every fixture, accepted by a resolver with TFLM's signatures."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.every import every
from tests.export.firmware import ARENA, STUBS, WARNINGS, fixture, made, needs_compiler, run, written
from tinynas.errors import UnsupportedOperatorError
from tinynas.export.operators import registrations
from tinynas.export.render import render
from tinynas.tflite import read

FIXTURES = sorted(path.stem for path in ARENA.glob("*.tflite"))
INT8_ONLY = {"ADD", "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "MUL", "PAD"}
INT8_ONLY |= {"SOFTMAX"}


def _kinds(model: str) -> list[str]:
    return list(dict.fromkeys(operator.name for operator in read(fixture(model)).operators))


@every("model", FIXTURES)
def test_it_names_exactly_the_operators_of_the_file(model: str) -> None:
    text = render(made(model, "net"), ("ops",))["net_ops.h"].decode()
    calls = re.findall(r"resolver\.Add(\w+)\((?:tflite::Register_(\w+)\(\))?\)", text)
    kinds = _kinds(model)
    assert [call.lower() for call, _ in calls] == [kind.replace("_", "").lower() for kind in kinds]
    assert [kernel for _, kernel in calls] == [f"{kind}_INT8" if kind in INT8_ONLY else "" for kind in kinds]
    assert f"#define NET_OPERATORS {len(kinds)}\n" in text
    assert ("kernels/pad.h" in text) == ("PAD" in kinds)


SOURCE = r"""
#include <string.h>
#include "{name}_ops.h"

int check_{name}() {{
  {name}_op_resolver enough;
  if ({name}_add_operators(enough) != kTfLiteOk) return 1;
  if (enough.GetRegistrationLength() != {upper}_OPERATORS) return 2;
  const char* const kernels[] = {{{kernels}}};
  for (unsigned int i = 0; i < {upper}_OPERATORS; ++i)
    if (strcmp(enough.at(i)->kernel, kernels[i]) != 0) return 3;
  tflite::MicroMutableOpResolver<{upper}_OPERATORS + 2> more;
  return {name}_add_operators(more) == kTfLiteOk && {name}_add_operators(more) == kTfLiteError ? 0 : 4;
}}
"""


@needs_compiler
def test_a_resolver_takes_each_operator_once(tmp_path: Path) -> None:
    """One program for a fixture of each set of operators, since a compiler call each would take minutes."""
    chosen = {tuple(sorted(_kinds(model))): model for model in FIXTURES}
    parts = []
    for number, model in enumerate(chosen.values()):
        name = f"net{number}"
        written(tmp_path, made(model, name), ("ops",))
        kernels = ", ".join(f'"{kind} INT8"' if kind in INT8_ONLY else f'"{kind}"' for kind in _kinds(model))
        parts.append(SOURCE.format(name=name, upper=name.upper(), kernels=kernels))
    checks = "\n".join(f"  if (const int bad = check_net{i}()) return 10 * {i} + bad;" for i in range(len(parts)))
    (tmp_path / "main.cc").write_text("\n".join(parts) + f"\nint main() {{\n{checks}\n  return 0;\n}}\n")
    run(["g++", "-std=c++17", *WARNINGS, f"-I{STUBS}", "-I.", "main.cc", "-o", "program"], tmp_path)
    run([tmp_path / "program"], tmp_path)


@needs_compiler
def test_a_resolver_that_is_too_small_does_not_compile(tmp_path: Path) -> None:
    written(tmp_path, made(), ("ops",))
    (tmp_path / "main.cc").write_text(
        '#include "digits_ops.h"\n'
        "int main() { tflite::MicroMutableOpResolver<1> r; return digits_add_operators(r) == kTfLiteOk; }\n"
    )
    with pytest.raises(AssertionError, match="too little room for the model's operators"):
        run(["g++", "-std=c++17", f"-I{STUBS}", "-I.", "-c", "main.cc"], tmp_path)


def test_operators_beside_int8_get_the_full_kernels() -> None:
    graph = read(fixture("mn_tiny_c4_b1"))
    convolution = next(operator for operator in graph.operators if operator.name == "CONV_2D")
    wide = convolution.outputs[0]
    tensors = tuple(replace(t, dtype="INT16") if i == wide else t for i, t in enumerate(graph.tensors))
    kernels = {each.operator: each.kernel for each in registrations(replace(graph, tensors=tensors))}
    assert kernels["CONV_2D"] is None
    assert kernels["FULLY_CONNECTED"] == "Register_FULLY_CONNECTED_INT8"


def test_an_operator_without_a_method_is_named() -> None:
    graph = read(fixture("mn_tiny_c4_b1"))
    strange = (replace(graph.operators[0], name="GELU"), *graph.operators[1:])
    with pytest.raises(UnsupportedOperatorError, match="operator GELU: no method"):
        registrations(replace(graph, operators=strange))
