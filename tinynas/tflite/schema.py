"""The fields of the schema's tables, found out from its generated classes: no field number is repeated here.

The generated `XAdd...` functions are called once with a builder that writes down what they ask for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import tflite

from tinynas.tflite.graph import OptionValue


def numbers_of(enum: type) -> dict[str, int]:
    """The names of a generated enumeration and their numbers."""
    return {name: number for name, number in vars(enum).items() if not name.startswith("_")}


OPERATOR_CODES: Mapping[str, int] = numbers_of(tflite.BuiltinOperator)
OPERATOR_NAMES: Mapping[int, str] = {code: name for name, code in OPERATOR_CODES.items()}
OPTION_CODES: Mapping[str, int] = numbers_of(tflite.BuiltinOptions)
OPTION_TABLES: Mapping[int, str] = {code: name for name, code in OPTION_CODES.items()}
DTYPE_CODES: Mapping[str, int] = numbers_of(tflite.TensorType)
DTYPE_NAMES: Mapping[int, str] = {code: name for name, code in DTYPE_CODES.items()}

SCHEMA_NAME = f"the schema of tflite {tflite.__version__}"


@dataclass(frozen=True)
class Field:
    """One field of a table: `kind` is the builder's word for its type ("Int32", "Bool", ...).

    A `kind` of "vector" has elements of `width` bytes; "string" is a string or a table of its own.
    """

    name: str
    accessor: str
    slot: int
    kind: str
    width: int
    default: OptionValue

    @property
    def is_reference(self) -> bool:
        """Whether the table holds an offset to the value."""
        return self.kind in {"vector", "string"}


class _Recorder:
    """A builder that builds nothing and remembers the last field it was asked for."""

    n_fields = 0
    seen: tuple[int, str, OptionValue] = (0, "", 0)

    def StartObject(self, n_fields: int) -> None:  # noqa: N802
        self.n_fields = n_fields

    def StartVector(self, width: int, count: int, alignment: int) -> int:  # noqa: N802
        return width

    def __getattr__(self, name: str) -> Any:
        kind = name.removeprefix("Prepend").removesuffix("Slot")

        def prepend(slot: int, value: Any, default: OptionValue) -> None:
            self.seen = (slot, kind, default)

        return prepend


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _field(table: str, accessor: str) -> Field:
    recorder = _Recorder()
    getattr(tflite, f"{table}Add{accessor}")(recorder, 0)
    slot, kind, default = recorder.seen
    start = getattr(tflite, f"{table}Start{accessor}Vector", None)
    if start is not None:
        return Field(_snake(accessor), accessor, slot, "vector", start(recorder, 0), ())
    if kind == "UOffsetTRelative":
        return Field(_snake(accessor), accessor, slot, "string", 1, b"")
    return Field(_snake(accessor), accessor, slot, kind, 0, default)


@cache
def fields_of(table: str) -> tuple[tuple[Field, ...], int]:
    """The fields of a table in slot order, and how many slots the schema's classes know."""
    recorder, prefix = _Recorder(), f"{table}Add"
    getattr(tflite, f"{table}Start")(recorder)
    accessors = [name.removeprefix(prefix) for name in vars(tflite) if name.startswith(prefix)]
    fields = sorted((_field(table, accessor) for accessor in accessors), key=lambda field: field.slot)
    return tuple(fields), recorder.n_fields
