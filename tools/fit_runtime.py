"""Read the parts of TFLM's code from linker maps into tinynas/hardware/runtime_code.json; print the errors.

    python tools/fit_runtime.py [MAPS [--write]]

MAPS has a folder a build, "release -Os" and "release -O2", with maps that the linker wrote (-Wl,-Map) for a Cortex-M4
with CMSIS-NN, --gc-sections and --specs=nano.specs: core.map of a program that sets up an interpreter and runs a model
without operators; OPERATOR.map of the same program that keeps the operator's registration and its parser (-Wl,-u),
OPERATOR_INT8.map of its int8-only registration; and whole programs, OP+OP+OP.map with all registrations and
OP+OP+OP_i8.map with int8-only ones. A colon in a name is a dash there. A part is a section that the linker kept; two
maps have the same part where the names are equal. Start-up code and stubs (start.o, stubs.o) do not count.

The table holds whole programs against the sum of their parts, and against the model of version 0.1.0. With MAPS the
programs are those there, without those that were linked before; --write writes the parts and the programs' bytes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tinynas.errors import UnsupportedOperatorError
from tinynas.export.operators import INT8_ONLY
from tinynas.hardware import old_runtime, runtime

LINKED = Path(__file__).parents[1] / "tests" / "fixtures" / "linked.json"
_SECTION = re.compile(r"^ (\.[\w.$]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)", re.MULTILINE)
_KEPT = (".text", ".rodata", ".data", ".init_array", ".ARM.exidx", ".ARM.extab")
_OURS = ("start.o", "stubs.o")
_LOCAL = re.compile(r"\.text\._ZN?L|_GLOBAL__N_")
_INSTEAD = (("_arm_muldf3.o", "_arm_muldivdf3.o"),)  # libgcc: multiplication, and multiplication with division
Parts = Mapping[str, int]


def parts_of(path: Path) -> dict[str, int]:
    """The parts in a map: bytes by name; a static function's name has its object's with it."""
    text = path.read_text()
    found: dict[str, int] = defaultdict(int)
    for section, size, source in _SECTION.findall(text[text.index("Linker script and memory map") :]):
        if not section.startswith(_KEPT) or source.endswith(_OURS):
            continue
        member = re.sub(r".*[(/]([^()/]+)\)?$", r"\1", source)
        shared = section.startswith((".text._Z", ".rodata._Z")) and not _LOCAL.search(section)
        found[section if shared else f"{section}@{member}"] += -(-int(size, 16) // 4) * 4
    return dict(found)


def read(folder: Path, int8: bool) -> tuple[Parts, dict[str, Parts], dict[frozenset[str], Parts]]:
    """(parts of the core, parts by operator, parts of whole programs) of a build's maps."""
    operators, programs = {}, {}
    for path in sorted(folder.glob("*.map")):
        name = path.stem
        if "+" in name:
            if name.endswith("_i8") == int8:
                programs[frozenset(map(_operator, name.removesuffix("_i8").split("+")))] = parts_of(path)
            continue
        plain = name.removesuffix("_INT8")
        if name == "core" or (plain in INT8_ONLY and int8 != name.endswith("_INT8")):
            continue
        operators[_operator(plain)] = parts_of(path)
    return parts_of(folder / "core.map"), operators, programs


def _operator(name: str) -> str:
    return name.replace("-", ":")


def code_of(core: Parts, operators: Mapping[str, Parts], programs: Mapping[frozenset[str], Parts]) -> runtime.Code:
    """The code of a build, each part with those who need it."""
    users: dict[str, set[str]] = defaultdict(set)
    sizes: dict[str, int] = {}
    for operator, parts in operators.items():
        for name, size in parts.items():
            if name not in core:
                users[name].add(operator)
                sizes[name] = max(size, sizes.get(name, 0))
    together: dict[frozenset[str], int] = defaultdict(int)
    for name, needing in users.items():
        together[frozenset(needing)] += sizes[name]
    for operator in operators:
        together.setdefault(frozenset((operator,)), 0)
    instead = [
        (frozenset(users[small]), frozenset(users[large]), sizes[small])
        for small, large in ((f".text@{a}", f".text@{b}") for a, b in _INSTEAD)
        if small in users and large in users
    ]
    code = runtime.Code(sum(core.values()), 0, tuple(together.items()), instead=tuple(instead))
    more = [(sum(whole.values()) - code.bytes(names)) / len(names) for names, whole in programs.items()]
    return code._replace(registration=round(max(more, default=0)))


def derived(
    core: Parts, linked: Mapping[str, Parts], other: Mapping[str, Parts], other_core: Parts
) -> dict[str, Parts]:
    """The operators of another build that are not linked in this one: its parts where it has them, or scaled.

    The scale is that of the parts that both builds have.
    """
    here = {name: size for parts in (core, *linked.values()) for name, size in parts.items()}
    there = {name: size for parts in (other_core, *other.values()) for name, size in parts.items()}
    both = here.keys() & (there.keys() - other_core.keys())
    ratio = sum(here[name] for name in both) / max(sum(there[name] for name in both), 1)
    return {
        operator: {name: here.get(name, round(ratio * size)) for name, size in parts.items() if name not in other_core}
        for operator, parts in other.items()
        if operator not in linked
    }


def stored(code: runtime.Code) -> dict[str, object]:
    """The code as the file has it."""
    parts = {" ".join(sorted(users)): size for users, size in sorted(code.parts, key=lambda row: sorted(row[0]))}
    return {
        "core": code.core,
        "registration": code.registration,
        "derived": sorted(code.derived),
        "instead": [[" ".join(sorted(a)), " ".join(sorted(b)), size] for a, b, size in code.instead],
        "parts": parts,
    }


def codes_of(maps: Path) -> tuple[dict[str, runtime.Code], dict[str, dict[frozenset[str], int]]]:
    """(code by build, bytes of whole programs by build) of a folder of maps."""
    found, wholes = {}, {}
    for int8 in (True, False):
        small = read(maps / "release -Os", int8)
        for folder in sorted(path for path in maps.iterdir() if path.is_dir()):
            core, operators, programs = small if folder.name == "release -Os" else read(folder, int8)
            more = derived(core, operators, small[1], small[0])
            build = f"{folder.name}{' i8' if int8 else ''}"
            found[build] = code_of(core, {**operators, **more}, programs)._replace(derived=frozenset(more))
            wholes[build] = {names: sum(parts.values()) for names, parts in programs.items()}
    return found, wholes


def main() -> None:
    """Print the table, and write the parts where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maps", type=Path, nargs="?")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.maps is None:
        codes, wholes = dict(runtime.codes()), linked()
    else:
        codes, wholes = codes_of(given.maps)
    for build, code in codes.items():
        print(f"{build}: {len(code.operators)} operators ({len(code.derived)} derived), core {code.core:,} B")
        _table(code, wholes[build], build)
    if given.write and given.maps is not None:
        runtime.CODE.write_text(json.dumps({build: stored(code) for build, code in codes.items()}, indent=0) + "\n")
        programs = {
            build: {" ".join(sorted(names)): size for names, size in rows.items()} for build, rows in wholes.items()
        }
        LINKED.write_text(json.dumps(programs, indent=0, sort_keys=True) + "\n")


def linked() -> dict[str, dict[frozenset[str], int]]:
    """Bytes of the programs that were linked whole, by build."""
    rows = json.loads(LINKED.read_text())
    return {build: {frozenset(names.split()): size for names, size in row.items()} for build, row in rows.items()}


def _table(code: runtime.Code, programs: Mapping[frozenset[str], int], build: str) -> None:
    print(f"  {'linked':>8} {'said':>8} {'error':>7}  {'0.1.0':>8} {'error':>7}  operators")
    for names, whole in sorted(programs.items(), key=lambda row: row[1]):
        said = code.bytes(names)
        try:
            before = round(old_runtime.runtime_flash_bytes(names, build).value)  # type: ignore[arg-type]
            was = f"{before:>8,} {100 * (before / whole - 1):+6.2f}%"
        except UnsupportedOperatorError:
            was = f"{'-':>8} {'-':>7}"
        print(f"  {whole:>8,} {said:>8,} {100 * (said / whole - 1):+6.2f}%  {was}  {' '.join(sorted(names))}")


if __name__ == "__main__":
    main()
