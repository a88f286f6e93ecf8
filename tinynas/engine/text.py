"""The C of an engine: its header, its code, its constants. What a name is not is checked by whoever gives it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.engine.emit import foreign_function
from tinynas.engine.library import FOREIGN, Call, source, sources
from tinynas.engine.schedule import Stage

API = 1
"""What NAME_ENGINE_API says: it grows when the functions of generated code change their meaning."""

PRAGMA = """/* Quick loops whatever the command line says; GCC's first scheduling pass would spill what they keep in
 * registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2", "no-schedule-insns", "no-tree-reassoc")
#endif"""
"""What stands above all kernels."""

_WIDTH = 110
_Constants = dict[tuple[str, bytes], tuple[str, str, npt.NDArray[np.int64]]]


class Switches(NamedTuple):
    """What the kernels are compiled for: factors of 1/2 or more, sums of 2^30 or more, one rounding in place of two,
    weights of depthwise convolutions with 16 bits (preset speed), biases that leave no room for a shift beside them."""

    left_shifts: bool = False
    wide_sums: bool = False
    single_rounding: bool = False
    wide_taps: bool = False
    wide_biases: bool = False


class About(NamedTuple):
    """What the files say of themselves; sizes are bytes of the engine's memory, and offsets within it."""

    name: str
    version: str
    sha256: str
    rounding: str
    bytes: int
    input_offset: int
    input_bytes: int
    output_offset: int
    output_bytes: int
    keeps_input: bool
    foreign: tuple[int, ...] = ()


def kernel_text(calls: Iterable[Call], switches: Switches, streamed: bool) -> str:
    """The kernels that `calls` need, and what runs them row by row if `streamed`, as one stretch of C."""
    lines = [
        f"#define TN_LEFT_SHIFTS {int(switches.left_shifts)}",
        f"#define TN_WIDE_SUMS {int(switches.wide_sums)}",
        f"#define TN_SINGLE_ROUNDING {int(switches.single_rounding)}",
        f"#define TN_WIDE_TAPS {int(switches.wide_taps)}",
        f"#define TN_WIDE_BIASES {int(switches.wide_biases)}",
        "",
    ]
    return "\n".join(lines) + "\n" + "\n".join(source(name) for name in sources(calls, streamed))


def layer_text(name: str, calls: list[Call]) -> tuple[str, str]:
    """(structs, constants) of the calls: C that names the constants NAME_c0, NAME_c1 ..., equal ones once."""
    constants: _Constants = {}
    structs = []
    for number, call in enumerate(calls):
        body = _initialiser(name, call.fields, constants)
        structs.append(f"static const {call.struct} {name}_layer_{number} = {body};")
    made = constants.values()
    externs = [f"extern const {kind} {title}[{len(values)}];" for title, kind, values in made]
    before = f"{name.upper()}_WEIGHTS {name.upper()}_ALIGNED const"
    definitions = [
        f"{before} {kind} {title}[{len(values)}] = {{\n{_numbers(values)}\n}};" for title, kind, values in made
    ]
    return "\n".join([*externs, "", *structs]), "\n".join([*externs, "", *definitions])


def _initialiser(name: str, fields: Iterable[object], constants: _Constants) -> str:
    pieces = []
    for each in fields:
        if isinstance(each, list):
            pieces.append(_initialiser(name, each, constants))
        elif isinstance(each, str):
            pieces.append(each.format(name=name))
        elif isinstance(each, tuple):
            kind, values = each
            flat = np.ascontiguousarray(values, np.int64).reshape(-1)
            title = constants.setdefault((kind, flat.tobytes()), (f"{name}_c{len(constants)}", kind, flat))[0]
            pieces.append(title)
        else:
            pieces.append("0" if each is None else _literal(int(each)))  # type: ignore[call-overload]
    return "{" + ", ".join(pieces) + "}"


def _literal(value: int) -> str:
    """A C constant of at most 32 bits; the least int32 has no literal of its own."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _numbers(values: npt.NDArray[np.int64]) -> str:
    lines, line = [], "   "
    for piece in map(_literal, values.tolist()):
        if len(line) + len(piece) + 2 > _WIDTH:
            lines.append(line)
            line = "   "
        line += f" {piece},"
    return "\n".join([*lines, line])


def run_text(name: str, calls: list[Call], stages: list[Stage], wanted: list[bool]) -> str:
    """The function that runs the layers, the first of them, the `stages`, row by row; before it their table."""
    lines = []
    if stages:
        rows = (_stage(name, *each) for each in zip(range(len(stages)), calls, stages, wanted, strict=False))
        lines += [f"static const tn_stage {name}_stages[{len(stages)}] = {{", *rows, "};", ""]
    lines += [f"{name.upper()}_CODE void {name}_run(void *memory) {{", "  int8_t *const bytes = (int8_t *)memory;"]
    if stages:
        lines += [
            f"  uint16_t done[{len(stages)}];",
            f"  tn_stream({name}_stages, {len(stages)}, bytes, done);",
        ]
    for number, call in enumerate(calls[len(stages) :], len(stages)):
        lines.append(f"  {call.function}(&{name}_layer_{number}, bytes, 0, {call.rows});")
        lines.append(f"  {name.upper()}_LAYER_HOOK({number});")
    return "\n".join([*lines, "}"])


def _stage(name: str, number: int, call: Call, stage: Stage, wanted: bool) -> str:
    sources = [str(source) if source >= 0 else "TN_INPUT" for source in stage.sources]
    pair = ", ".join((sources * 2)[:2])
    return (
        f"    {{{call.function}, &{name}_layer_{number}, {stage.rows}, {stage.in_rows}, {stage.reach}, {stage.stride}, "
        f"{stage.pad}, {{{pair}}}, {int(wanted)}}},"
    )


def _banner(about: About, what: str) -> str:
    return (
        f"/* {about.name}: {what} Made by tinynas {about.version}: do not edit.\n"
        f" * Made of a .tflite with the SHA-256\n * {about.sha256}.\n"
        " * This file belongs to whoever made it; do with it what you like. */\n"
    )


def foreign_text(name: str, layers: Iterable[int]) -> str:
    """How the functions are declared that run these layers."""
    functions = (foreign_function(index).format(name=name) for index in layers)
    given = "const tinynas_convolution *convolution, const int8_t *input, int8_t *output"
    return "\n".join(f"void {function}({given});" for function in functions)


def header_text(about: About, n_calls: int) -> str:
    """NAME_engine.h."""
    name, upper = about.name, about.name.upper()
    foreign = ""
    if about.foreign:
        said = "/* Layers that another library runs: functions of yours. Input and output do not overlap. */"
        foreign = f"\n{said}\n{foreign_text(name, about.foreign)}\n"
    fate = "is still what it was" if about.keeps_input else "is gone: fill it again before the next run"
    return f"""{_banner(about, "a neural network as plain C, for C99 and C++.")}
#ifndef TINYNAS_{name}_ENGINE_H_
#define TINYNAS_{name}_ENGINE_H_

#include <stdint.h>

#define {upper}_ENGINE_API {API}
#define {upper}_ENGINE_VERSION "{about.version}"
#define {upper}_ENGINE_SHA256 "{about.sha256}"
#define {upper}_ENGINE_ROUNDING "{about.rounding}"
#define {upper}_ENGINE_LAYERS {n_calls}

/* All the memory that a run needs besides the stack, and its alignment:
 *
 *     static int32_t memory[({upper}_ENGINE_BYTES + 3) / 4];
 *
 * Nothing outlives a run but the output, so the memory may serve other things in between; with memory of its own each,
 * any number of threads may run the network at once. -D{upper}_STATIC_MEMORY makes such an array, {name}_memory. */
#define {upper}_ENGINE_BYTES {about.bytes}
#define {upper}_ENGINE_ALIGN 4
#define {upper}_ENGINE_INPUT_BYTES {about.input_bytes}
#define {upper}_ENGINE_OUTPUT_BYTES {about.output_bytes}
{source(FOREIGN) if about.foreign else ""}
#ifdef __cplusplus
extern "C" {{
#endif

/* Where the input belongs, {about.input_bytes} values. After a run it {fate}. */
int8_t *{name}_input(void *memory);

/* One inference. Define {upper}_LAYER_HOOK(i) to do something after layer i, or after each of its rows where layers run
 * row by row, such as to kick a watchdog. */
void {name}_run(void *memory);

/* The output, {about.output_bytes} values. */
const int8_t *{name}_output(const void *memory);
{foreign}
#ifdef {upper}_STATIC_MEMORY
extern int32_t {name}_memory[({upper}_ENGINE_BYTES + 3) / 4];
#endif

#ifdef __cplusplus
}}
#endif

#endif /* TINYNAS_{name}_ENGINE_H_ */
"""


def code_text(about: About, calls: list[Call], switches: Switches, stages: list[Stage], wanted: list[bool]) -> str:
    """NAME_engine.c."""
    name, upper = about.name, about.name.upper()
    structs, _ = layer_text(name, calls)
    return f"""{_banner(about, "its layers and the code that runs them.")}
#include "{name}_engine.h"

#include <limits.h>

{PRAGMA}

#ifndef {upper}_LAYER_HOOK
#ifdef TINYNAS_BENCH
#include "{name}_bench.h"
#define {upper}_LAYER_HOOK(i) {name}_bench_layer(i)
#else
#define {upper}_LAYER_HOOK(i) ((void)0)
#endif
#endif

/* What stands before each function, such as __attribute__((section(".itcm"))). */
#ifndef {upper}_CODE
#define {upper}_CODE
#endif

#define TN_LAYER_HOOK(i) {upper}_LAYER_HOOK(i)
#define TN_CODE {upper}_CODE
{kernel_text(calls, switches, bool(stages))}
#ifdef __cplusplus
extern "C" {{
#endif

{structs}

#ifdef {upper}_STATIC_MEMORY
int32_t {name}_memory[({upper}_ENGINE_BYTES + 3) / 4];
#endif

{upper}_CODE int8_t *{name}_input(void *memory) {{
  return (int8_t *)memory + {about.input_offset};
}}

{upper}_CODE const int8_t *{name}_output(const void *memory) {{
  return (const int8_t *)memory + {about.output_offset};
}}

{run_text(name, calls, stages, wanted)}

#ifdef __cplusplus
}}
#endif
"""


def weights_text(about: About, calls: list[Call]) -> str:
    """NAME_weights.c."""
    name, upper = about.name, about.name.upper()
    _, constants = layer_text(name, calls)
    return f"""{_banner(about, "its constants.")}
#include <stdint.h>

/* What stands before each array, such as __attribute__((section(".qspi"))). */
#ifndef {upper}_WEIGHTS
#define {upper}_WEIGHTS
#endif
/* Words of four weights are read at once where that pays. */
#if defined(__GNUC__)
#define {upper}_ALIGNED __attribute__((aligned(4)))
#else
#define {upper}_ALIGNED
#endif

#ifdef __cplusplus
extern "C" {{
#endif

{constants}

#ifdef __cplusplus
}}
#endif
"""
