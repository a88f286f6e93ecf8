"""One direction of a TCP session: segments put in order, what came twice left out, memory bounded."""

from __future__ import annotations

from tinynas.data.captures.packets import SYN

_MAX_HELD = 64  # segments that wait for a gap to be filled


class Stream:
    """The bytes of one direction in the order of their sequence numbers.

    A segment beyond a gap waits for the gap to be filled, until more than `room` bytes or 64 segments wait: then what
    is missing is given up.
    """

    __slots__ = ("_held", "_next", "_room")

    def __init__(self, room: int) -> None:
        """Know nothing yet: the first segment says where the stream begins."""
        self._next: int | None = None
        self._held: dict[int, tuple[bytes, int]] = {}
        self._room = room

    def take(self, sequence: int, data: bytes, carried: int, flags: int) -> bytes:
        """The bytes that are next in order, now that this segment is here; `carried` is its length on the wire."""
        if flags & SYN:
            sequence += 1  # a SYN counts as one byte
        if self._next is None:
            self._next = sequence
        if carried == 0:
            return b""
        if self._ahead(sequence) > 0:
            known = self._held.get(sequence)
            if known is None or len(known[0]) < len(data):
                self._held[sequence] = (data, carried)
            over = len(self._held) > _MAX_HELD or sum(len(held) for held, _ in self._held.values()) > self._room
            return self.rest() if over else b""
        return self._append(sequence, data, carried) + self._ready()

    def lacks(self, end: int) -> bool:
        """Whether bytes before the sequence number `end` have not come yet."""
        return self._next is not None and self._ahead(end) > 0

    def rest(self) -> bytes:
        """What waits, in order, the gaps left out."""
        parts = []
        while self._held:
            self._next = min(self._held, key=self._ahead)
            parts.append(self._ready())
        return b"".join(parts)

    def _ready(self) -> bytes:
        """What waits and is next by now."""
        parts = []
        while self._held:
            nearest = min(self._held, key=self._ahead)
            if self._ahead(nearest) > 0:
                break
            parts.append(self._append(nearest, *self._held.pop(nearest)))
        return b"".join(parts)

    def _append(self, sequence: int, data: bytes, carried: int) -> bytes:
        """The part of a segment that was not there before; the stream goes on behind it."""
        old = -self._ahead(sequence)
        if old >= carried:
            return b""
        self._next = (sequence + carried) % (1 << 32)
        return data[old:]

    def _ahead(self, sequence: int) -> int:
        """How many bytes `sequence` is beyond what is next; numbers wrap at 2^32."""
        assert self._next is not None
        return (sequence - self._next + (1 << 31)) % (1 << 32) - (1 << 31)
