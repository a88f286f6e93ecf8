"""The C of an engine: kernels, constants, structs and the functions that firmware calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinynas.engine.emit import Call, source, sources

_WIDTH = 110


@dataclass(frozen=True)
class Switches:
    """What the kernels are compiled for: factors of 1 or more, sums beyond 2^30, one rounding in place of two."""

    left_shifts: bool = False
    wide_sums: bool = False
    single_rounding: bool = False

    def joined(self, other: Switches) -> Switches:
        """The switches under which both nets are right."""
        return Switches(self.left_shifts or other.left_shifts, self.wide_sums or other.wide_sums, self.single_rounding)


def kernel_text(functions: Iterable[str], switches: Switches) -> str:
    """The kernels that `functions` need, as one stretch of C."""
    lines = [
        f"#define TN_LEFT_SHIFTS {int(switches.left_shifts)}",
        f"#define TN_WIDE_SUMS {int(switches.wide_sums)}",
        f"#define TN_SINGLE_ROUNDING {int(switches.single_rounding)}",
        "",
    ]
    return "\n".join(lines) + "\n" + "\n".join(source(name) for name in sources(functions))


def layer_text(name: str, calls: list[Call]) -> tuple[str, str]:
    """(structs, constants) of the calls: C that names the constants NAME_c0, NAME_c1 ..., equal ones once."""
    constants: dict[tuple[str, bytes], tuple[str, str, npt.NDArray[np.int64]]] = {}
    structs = []
    for number, call in enumerate(calls):
        body = _initialiser(name, call.fields, constants)
        structs.append(f"static const {call.struct} {name}_layer_{number} = {body};")
    made = constants.values()
    externs = [f"extern const {kind} {title}[{len(values)}];" for title, kind, values in made]
    definitions = [
        f"const {kind} {title}[{len(values)}] = {{\n{_numbers(kind, values)}\n}};" for title, kind, values in made
    ]
    return "\n".join([*externs, "", *structs]), "\n".join([*externs, "", *definitions])


def _initialiser(
    name: str, fields: Iterable[object], constants: dict[tuple[str, bytes], tuple[str, str, npt.NDArray[np.int64]]]
) -> str:
    pieces = []
    for each in fields:
        if isinstance(each, list):
            pieces.append(_initialiser(name, each, constants))
        elif isinstance(each, tuple):
            kind, values = each
            flat = np.ascontiguousarray(values, np.int64).reshape(-1)
            key = kind, flat.tobytes()
            title = constants.setdefault(key, (f"{name}_c{len(constants)}", kind, flat))[0]
            pieces.append(title)
        elif each is None:
            pieces.append("0")
        else:
            pieces.append(_literal(int(each)))  # type: ignore[call-overload]
    return "{" + ", ".join(pieces) + "}"


def _literal(value: int) -> str:
    """A C constant of at most 32 bits; the least int32 has no literal of its own."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _numbers(kind: str, values: npt.NDArray[np.int64]) -> str:
    pieces = [_literal(value) for value in values.tolist()]
    lines, line = [], "   "
    for piece in pieces:
        if len(line) + len(piece) + 2 > _WIDTH:
            lines.append(line)
            line = "   "
        line += f" {piece},"
    return "\n".join([*lines, line])


def run_text(name: str, calls: list[Call]) -> str:
    """The function that runs the layers."""
    lines = [f"void {name}_run(void *memory) {{", "  int8_t *const bytes = (int8_t *)memory;"]
    lines += [f"  {call.function}(&{name}_layer_{number}, bytes, 0, {call.rows});" for number, call in enumerate(calls)]
    return "\n".join([*lines, "}"])
