"""A bounds-checked view of a flatbuffer's bytes, for generated accessors that check nothing themselves.

The schema's generated classes read through an object in `_tab` with the methods of
`flatbuffers.table.Table`. `Guard.table` puts a `CheckedTable` there: every position is checked against the
file, every vector against its length, and what is read in all is bounded, so that shared or overlapping
offsets cost no more than a plain file.
"""

import struct
from collections.abc import Iterator
from typing import Any

from tinynas.errors import ModelError

MAX_FILE_BYTES = 64 * 2**20
"""The largest file that is read: more than any microcontroller's flash, external flash included."""
MAX_STRUCTURE_BYTES = 8 * 2**20
"""The most that is read of tables, shapes, scales and lists, constants not counted."""

_U16, _U32, _I32 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<i")


class Guard:
    """The bytes of one file, and how much more of them may be read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self._structure_left = MAX_STRUCTURE_BYTES
        self._constants_left = 2 * len(data)

    def table(self, generated: Any, position: int | None = None) -> Any:
        """The generated object, its `_tab` checked and replaced by one that checks."""
        at = generated._tab.Pos if position is None else position
        generated._tab = CheckedTable(self, at)
        return generated

    def tables(self, parent: Any, field: str, limit: int) -> Iterator[Any]:
        """The tables in the vector `field` ("Tensors") of `parent`, checked; ModelError above `limit`."""
        length = getattr(parent, f"{field}Length")()
        if length > limit:
            raise ModelError(
                f"the file holds {length:,} {field.lower()}, more than the {limit:,} that a model for a "
                "microcontroller may have; it is damaged or was made for larger machines"
            )
        item = getattr(parent, field)
        for index in range(length):
            yield self.table(item(index))

    def need(self, position: int, width: int) -> None:
        """ModelError unless the `width` bytes from `position` lie in the file."""
        if position < 0 or position + width > self.size:
            raise ModelError(
                f"the file is damaged: something at byte {position:,}, {width:,} bytes long, lies outside "
                f"its {self.size:,} bytes; convert or copy the model again"
            )

    def charge(self, n_bytes: int, constant: bool = False) -> None:
        """Take `n_bytes` off what may still be read; ModelError when that is used up."""
        if constant:
            self._constants_left -= n_bytes
        else:
            self._structure_left -= n_bytes
        if self._constants_left < 0 or self._structure_left < 0:
            raise ModelError(
                "the file is damaged: its parts overlap so often that reading it would not end; "
                "convert or copy the model again"
            )


class CheckedTable:
    """Stands in for `flatbuffers.table.Table`: the same methods, each position checked before it is read."""

    __slots__ = ("Bytes", "Pos", "_guard", "_size", "_vtable", "_vtable_size")

    def __init__(self, guard: Guard, position: int) -> None:
        self.Bytes, self.Pos, self._guard = guard.data, position, guard
        guard.need(position, 4)
        self._vtable = position - _I32.unpack_from(guard.data, position)[0]
        guard.need(self._vtable, 4)
        self._vtable_size, self._size = struct.unpack_from("<HH", guard.data, self._vtable)
        if self._vtable_size < 4 or self._vtable_size % 2 or self._size < 4:
            raise ModelError(
                f"the file is damaged: the table at byte {position:,} has a field list of "
                f"{self._vtable_size} bytes and {self._size} bytes of fields; convert or copy the model again"
            )
        guard.need(self._vtable, self._vtable_size)
        guard.need(position, self._size)
        guard.charge(self._size)

    def Offset(self, vtable_offset: int) -> int:  # noqa: N802
        """Where a field lies behind `Pos`, 0 when it is left out."""
        if vtable_offset >= self._vtable_size:
            return 0
        offset: int = _U16.unpack_from(self.Bytes, self._vtable + vtable_offset)[0]
        if offset and not 4 <= offset < self._size:
            raise ModelError(
                f"the file is damaged: a field of the table at byte {self.Pos:,} lies {offset} bytes "
                f"behind its start, but the table has {self._size} bytes; convert or copy the model again"
            )
        return offset

    def has_field_from(self, n_known: int) -> bool:
        """Whether a field numbered `n_known` or higher, unknown to the schema's classes, is present."""
        return any(self.Offset(slot) for slot in range(4 + 2 * n_known, self._vtable_size, 2))

    def Get(self, flags: Any, position: int) -> Any:  # noqa: N802
        """The number of type `flags` at `position`."""
        self._guard.need(position, flags.bytewidth)
        return flags.py_type(flags.packer_type.unpack_from(self.Bytes, position)[0])

    def Indirect(self, position: int) -> int:  # noqa: N802
        """Where the offset at `position` points to."""
        self._guard.need(position, 4)
        target: int = position + _U32.unpack_from(self.Bytes, position)[0]
        self._guard.need(target, 4)
        return target

    def Union(self, table: Any, offset: int) -> None:  # noqa: N802
        """Point `table` to the union at `offset` behind `Pos`."""
        table.Bytes, table.Pos = self.Bytes, self.Indirect(self.Pos + offset)

    def String(self, position: int) -> bytes:  # noqa: N802
        """The bytes of the string whose offset lies at `position`."""
        target = self.Indirect(position)
        length = _U32.unpack_from(self.Bytes, target)[0]
        self._guard.need(target + 4, length)
        self._guard.charge(length)
        return self.Bytes[target + 4 : target + 4 + length]

    def Vector(self, offset: int) -> int:  # noqa: N802
        """The first byte of the vector whose offset lies `offset` behind `Pos`."""
        return self.Indirect(self.Pos + offset) + 4

    def VectorLen(self, offset: int) -> int:  # noqa: N802
        """The length of a vector of tables; its elements' offsets lie in the file."""
        start = self.Vector(offset)
        length: int = _U32.unpack_from(self.Bytes, start - 4)[0]
        self._guard.need(start, 4 * length)
        return length

    def GetVectorAsNumpy(self, flags: Any, offset: int) -> Any:  # noqa: N802
        """The vector's numbers: a tuple, or bytes for unsigned bytes (no array: they are short and kept)."""
        start = self.Vector(offset)
        length: int = _U32.unpack_from(self.Bytes, start - 4)[0]
        width = length * flags.bytewidth
        self._guard.need(start, width)
        kind = flags.packer_type.format[-1]
        self._guard.charge(width, constant=kind == "B")
        if kind == "B":
            return self.Bytes[start : start + width]
        return struct.unpack_from(f"<{length}{kind}", self.Bytes, start)
