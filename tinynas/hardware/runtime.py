"""What TFLM adds to a program beside the model and the arena: code in Flash, and RAM for its own objects.

Flash is the sum of the parts that the linker keeps: those of the interpreter, and each part that one of the model's
operators needs, once, however many need it. The parts are those of programs linked with --gc-sections and newlib-nano
(nano.specs) for a Cortex-M4 with CMSIS-NN (TFLM of 2026-08-20, arm-none-eabi-gcc 12.2, -DNDEBUG); what TFLM calls of
the C library is among them. tools/fit_runtime.py reads them from the linker's maps into runtime_code.json and prints
the errors. The builds that keep error strings are a fitted step above.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from math import hypot
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from tinynas.errors import UnsupportedOperatorError, UsageError
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.kernels import TargetKernels

Build = Literal["release -Os i8", "release -Os", "release -O2 i8", "release -O2", "logs -O2 i8", "logs -O2"]
BUILDS: tuple[Build, ...] = get_args(Build)
"""TFLM's builds: `release` strips error strings, `logs` keeps them; `i8` registers int8-only kernels where TFLM has
them (Register_CONV_2D_INT8 and so on); -Os and -O2 are the kernels' (the core is -Os in all)."""
DEFAULT_BUILD: Build = "release -O2 i8"

CODE = Path(__file__).with_name("runtime_code.json")
ERROR, LOGS_ERROR, DERIVED_ERROR = 0.01, 0.03, 0.05
"""Relative errors: of the builds without error strings, at worst of the programs that were linked whole
(tools/fit_runtime.py); of those with them; and with an operator whose code in a build follows from that in another."""

OTHER_KERNELS_ERROR = 0.25
"""For cores without DSP (Thumb-1 code is longer, the kernels' loops are shorter), for ESP-NN, MVE and reference."""

# Error strings and what formats them: the core's, those of the first operator's checks, and each operator's.
_LOGS_CORE, _LOGS_FIRST, _LOGS_OPERATOR = 7448, 1900, 1180

INTERPRETER_BYTES = 208  # sizeof(MicroInterpreter), arm-none-eabi
RESOLVER_BYTES, RESOLVER_BYTES_PER_OPERATOR = 12, 36  # sizeof(MicroMutableOpResolver<N>) = 12 + 36 * N
LIBRARY_DATA_BYTES, LIBRARY_BSS_BYTES = 104, 252  # newlib's .data, TFLM's and newlib's .bss without those objects
STACK_BYTES = 1188  # the deepest of 121 models: Invoke 680..1188, AllocateTensors 380..644; no printf


class Code(NamedTuple):
    """The code of a build: bytes of the core, of what registers one operator, and of the parts with who needs them.

    `derived` are the operators that were not linked in the build. `instead` is a part that is left out where others of
    the operators need a larger one that does its work too: (who needs it, who need the larger one, bytes).
    """

    core: int
    registration: int
    parts: tuple[tuple[frozenset[str], int], ...]
    derived: frozenset[str] = frozenset()
    instead: tuple[tuple[frozenset[str], frozenset[str], int], ...] = ()

    @property
    def operators(self) -> frozenset[str]:
        """All that the code is known of."""
        return frozenset().union(*(users for users, _ in self.parts))

    def bytes(self, operators: frozenset[str]) -> int:
        """Bytes of a program with these operators."""
        shared = sum(size for users, size in self.parts if not users.isdisjoint(operators))
        spared = sum(
            size
            for small, large, size in self.instead
            if not small.isdisjoint(operators) and not large.isdisjoint(operators)
        )
        return self.core + self.registration * len(operators) + shared - spared


def runtime_flash_bytes(
    operators: Iterable[str], build: Build = DEFAULT_BUILD, kernels: TargetKernels = "cmsis_nn"
) -> Estimate:
    """Bytes of code and constants that TFLM adds for a set of operator names, the model itself not counted.

    The C library is newlib-nano; what TFLM calls of it counts. The error covers what alignment and the compiler's
    choices in a whole program change; and for `kernels` other than CMSIS-NN with DSP, that their code was not linked at
    all. UnsupportedOperatorError names an operator of unknown size: it is never counted as nothing.
    """
    return _runtime(frozenset(operators), build, kernels == "cmsis_nn")


@lru_cache(maxsize=1024)
def _runtime(operators: frozenset[str], build: Build, linked: bool) -> Estimate:
    if build not in BUILDS:
        raise UsageError(f"The build of TFLM is {build!r}; wanted one of {', '.join(BUILDS)}.")
    code = codes()[_release(build)]
    unknown = sorted(operators - code.operators)
    if unknown:
        known = ", ".join(sorted(code.operators))
        raise UnsupportedOperatorError(
            f"operator {unknown[0]}: the size of its code in TFLM is not known (known: {known}), so no verdict on "
            f"Flash with the runtime can be given"
        )
    total = code.bytes(operators)
    if build.startswith("logs"):
        total += _LOGS_CORE + _LOGS_FIRST * bool(operators) + _LOGS_OPERATOR * len(operators)
    error = LOGS_ERROR if build.startswith("logs") else ERROR
    error = hypot(
        max(error, DERIVED_ERROR) if code.derived & operators else error, 0 if linked else OTHER_KERNELS_ERROR
    )
    return Estimate(total, error, f"{build}, linked with newlib-nano for a Cortex-M4 with CMSIS-NN")


def _release(build: Build) -> str:
    return build.replace("logs", "release")


@cache
def codes() -> Mapping[str, Code]:
    """The code of each build that strips error strings."""
    stored = json.loads(CODE.read_text())
    return {
        build: Code(
            values["core"],
            values["registration"],
            tuple((frozenset(users.split()), size) for users, size in values["parts"].items()),
            frozenset(values["derived"]),
            tuple(
                (frozenset(small.split()), frozenset(large.split()), size) for small, large, size in values["instead"]
            ),
        )
        for build, values in stored.items()
    }


def ram_outside_arena(n_operator_kinds: int) -> int:
    """Bytes of RAM beside the arena for a resolver of that many operator kinds, the application's own not counted.

    The interpreter, the resolver, the C library's data and the deepest stack that was measured.
    """
    objects = INTERPRETER_BYTES + RESOLVER_BYTES + RESOLVER_BYTES_PER_OPERATOR * n_operator_kinds
    return objects + LIBRARY_DATA_BYTES + LIBRARY_BSS_BYTES + STACK_BYTES
