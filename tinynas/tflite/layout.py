"""The bytes of a flatbuffer, laid out back to front: vectors, tables and the field lists they share.

A position is counted from the file's end, so it is known before the file's length is. The file's length is
a multiple of 16; whatever lies at a position that is a multiple of its alignment is therefore aligned.
Every object but byte vectors takes a multiple of 4 bytes, so that a file's size does not depend on their
order.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tinynas.errors import ModelError
from tinynas.tflite.planner import align_up
from tinynas.tflite.schema import Field, fields_of

FILE_ALIGNMENT = 16
HEADER_BYTES = 8  # the root's offset and the file identifier
_LETTERS = {
    "Bool": "?",
    "Int8": "b",
    "Uint8": "B",
    "Int32": "i",
    "Uint32": "I",
    "Int64": "q",
    "Uint64": "Q",
    "Float32": "f",
}

Value = int | float | bool | None


@dataclass(frozen=True)
class TableLayout:
    """How a table with a given set of fields lies: `order` names the fields as `packer` takes them.

    `references` are the places in `order` that hold an offset, with the field's distance from the table's
    start.
    """

    size: int
    alignment: int
    vtable: bytes
    packer: struct.Struct
    order: tuple[str, ...]
    references: tuple[tuple[int, int], ...]


def _inline(field: Field) -> tuple[int, str]:
    """Bytes and struct letter of a field inside its table; a reference is an unsigned offset."""
    letter = _LETTERS.get(field.kind, "I")
    return struct.calcsize(f"<{letter}"), letter


@cache
def fields_by_name(table: str) -> Mapping[str, Field]:
    """The fields of a table by their names in snake case."""
    return {field.name: field for field in fields_of(table)[0]}


@cache
def table_layout(table: str, present: tuple[str, ...]) -> TableLayout:
    """The layout of `table` with the fields in `present`: wide fields first, the end padded to 4 bytes."""
    fields = sorted((fields_by_name(table)[name] for name in present), key=lambda f: (-_inline(f)[0], f.slot))
    cursor, letters, offsets, references = 4, "i", {}, []
    for place, field in enumerate(fields):
        width, letter = _inline(field)
        gap = -cursor % width
        letters += "x" * gap + letter
        cursor += gap
        offsets[field.slot] = cursor
        if field.is_reference:
            references.append((place, cursor))
        cursor += width
    size = align_up(cursor, 4)
    letters += "x" * (size - cursor)
    slots = [offsets.get(slot, 0) for slot in range(max(offsets, default=-1) + 1)]
    vtable = struct.pack(f"<{len(slots) + 2}H", 4 + 2 * len(slots), size, *slots)
    alignment = max([4, *(_inline(field)[0] for field in fields)])
    order = tuple(field.name for field in fields)
    packer = struct.Struct(f"<{letters}")
    return TableLayout(size, alignment, vtable + bytes(-len(vtable) % 4), packer, order, tuple(references))


def present_fields(table: str, values: Mapping[str, Value]) -> tuple[str, ...]:
    """The fields that are written: those with a value other than the schema's default."""
    fields = fields_by_name(table)
    try:
        return tuple(name for name, value in values.items() if value is not None and value != fields[name].default)
    except KeyError as error:
        raise ModelError(
            f"{table} has no field {error}; its fields are {', '.join(sorted(fields)) or 'none'}"
        ) from None


class Emitter:
    """A flatbuffer while it grows, back to front; `position` is how many bytes it has so far."""

    def __init__(self) -> None:
        self.position = 0
        self._parts: list[bytes] = []
        self._vtables: dict[bytes, int] = {}

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self.position += len(part)

    def pad(self, n_bytes: int, alignment: int) -> None:
        """Pad so that `n_bytes` added next start at a multiple of `alignment`."""
        gap = -(self.position + n_bytes) % alignment
        if gap:
            self._add(bytes(gap))

    def vector(self, payload: bytes, count: int, alignment: int = 4) -> int:
        """Add a vector of `count` elements, whose first lies at a multiple of `alignment`; its position."""
        self.pad(len(payload), alignment)
        self._add(payload)
        self._add(count.to_bytes(4, "little"))
        return self.position

    def string(self, text: bytes) -> int:
        """Add a string, which ends with a zero byte that its length does not count; its position."""
        return self.vector(text + bytes(4 - len(text) % 4), len(text))

    def references(self, positions: Sequence[int]) -> int:
        """Add a vector of offsets to what lies at `positions`; its position."""
        first = self.position + 4 * len(positions)
        offsets = [first - 4 * place - target for place, target in enumerate(positions)]
        return self.vector(struct.pack(f"<{len(offsets)}I", *offsets), len(offsets))

    def vtable(self, vtable: bytes) -> int:
        """The position of a field list, added unless it is there already."""
        found = self._vtables.get(vtable)
        if found is None:
            self._add(vtable)
            found = self._vtables[vtable] = self.position
        return found

    def table(self, name: str, values: Mapping[str, Value]) -> int:
        """Add a table, defaults left out; references are positions and None leaves one out. Its position."""
        layout = table_layout(name, present_fields(name, values))
        vtable = self.vtable(layout.vtable)
        self.pad(layout.size, layout.alignment)
        start = self.position + layout.size
        numbers = [values[field] for field in layout.order]
        for place, distance in layout.references:
            numbers[place] = start - distance - (numbers[place] or 0)
        try:
            self._add(layout.packer.pack(vtable - start, *numbers))
        except struct.error as error:
            raise ModelError(f"a .tflite's table {name} cannot hold {dict(values)}: {error}") from error
        return self.position

    def finish(self, root: int, identifier: bytes) -> bytes:
        """The whole file, `root` its first table."""
        self.pad(HEADER_BYTES, FILE_ALIGNMENT)
        size = self.position + HEADER_BYTES
        self._add(identifier)
        self._add((size - root).to_bytes(4, "little"))
        return b"".join(reversed(self._parts))
