"""What an engine takes of a board: memory and constants to the byte, code and stack by what its kernels measure.

Code and stack are those of one compiler (tools/measure_kernels.py): a program may be some bytes smaller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from tinynas.engine.library import Call, source, sources
from tinynas.engine.schedule import Stage
from tinynas.engine.simplify import weights_bytes

MEASURED = Path(__file__).parent / "kernels" / "measured.json"
_CALL_BYTES, _RUN_BYTES = 14, 40  # a call with its two constants, and the three functions of the API
_RUN_FRAME_BYTES, _DONE_BYTES = 32, 2
_FUNCTION = re.compile(r"^(?:static const|TN_LOCAL|TN_APART) [^=;]*?\b(tn_\w+)[(\[]", re.MULTILINE)


@dataclass(frozen=True)
class Figures:
    """Bytes: RAM as `memory` and `stack`; Flash as `weights` (with biases), `tables` (scaling, lookups, the layers'
    structs) and `code`. `macs` are multiply-accumulates of an inference, `instructions` those of a Cortex-M4."""

    memory: int
    stack: int
    weights: int
    tables: int
    code: int
    macs: int
    instructions: int

    @property
    def ram(self) -> int:
        """RAM in all."""
        return self.memory + self.stack

    @property
    def flash(self) -> int:
        """Flash in all."""
        return self.weights + self.tables + self.code

    def to_dict(self) -> dict[str, int]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "ram": self.ram, "flash": self.flash}


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """Bytes of the kernels' functions, stack frames and structs, and the compiler that made them so."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


@cache
def functions_in(name: str) -> list[str]:
    """The functions and constants that a file in `kernels/` defines."""
    return _FUNCTION.findall(source(name))


def _functions(files: Iterable[str]) -> set[str]:
    """What the files define, each once: some functions have a variant for another processor."""
    return {name for file in files for name in functions_in(file)}


def figures(
    calls: list[Call], stages: list[Stage], layers: list[Any], memory: int, macs: int, instructions: int
) -> Figures:
    """The figures of an engine of these calls, of which the first are `stages`, made of `layers`."""
    known = measured()
    files = sources(calls, bool(stages))
    code = sum(known["functions"].get(name, 0) for name in _functions(files))
    weights = sum(map(weights_bytes, layers))
    constants = sum(_constants(calls).values())
    structs = sum(known["structs"][call.struct] for call in calls) + len(stages) * known["structs"]["tn_stage"]
    return Figures(
        memory=memory,
        stack=_stack(calls, stages),
        weights=weights,
        tables=constants - weights + structs,
        code=code + _RUN_BYTES + _CALL_BYTES * (len(calls) - len(stages)),
        macs=macs,
        instructions=instructions,
    )


def _constants(calls: list[Call]) -> dict[tuple[str, bytes], int]:
    """Bytes of each distinct array of constants."""
    found: dict[tuple[str, bytes], int] = {}
    width = {"int8_t": 1, "int32_t": 4, "uint32_t": 4}

    def visit(fields: list[Any]) -> None:
        for each in fields:
            if isinstance(each, list):
                visit(each)
            elif isinstance(each, tuple):
                found[each[0], each[1].tobytes()] = each[1].size * width[each[0]]

    for call in calls:
        visit(call.fields)
    return found


def _stack(calls: list[Call], stages: list[Stage]) -> int:
    """The deepest a call goes: the frames of all functions that its kernel is made of, below those of the run."""
    frames = measured()["frames"]
    run = _RUN_FRAME_BYTES + (len(stages) * _DONE_BYTES + frames["tn_stream"] if stages else 0)
    deepest = max(
        (sum(frames.get(name, 0) for name in _functions(sources([call], False))) for call in calls),
        default=0,
    )
    return run + deepest
