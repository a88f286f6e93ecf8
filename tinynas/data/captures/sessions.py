"""Frames to sessions: both directions of a 5-tuple, from its first packet to its end, of each the first bytes."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tinynas.data.captures.files import Frame
from tinynas.data.captures.options import CaptureOptions
from tinynas.data.captures.packets import ACK, FIN, RST, SYN, TCP, UDP, Packet, decode, masked
from tinynas.data.captures.stream import Stream

_Key = tuple[bytes, bytes]


class Session(NamedTuple):
    """One session: 6 (TCP) or 17 (UDP), the sender of its first packet and the other end (address and port, 6 or 18
    bytes), seconds since 1970 at its first packet, how many packets, and its first bytes, not padded.
    """

    protocol: int
    source: bytes
    destination: bytes
    start: float
    packets: int
    data: bytes


class _Open:
    """A session that may go on; `over` when it has ended, and only waits for stragglers."""

    __slots__ = ("carried", "data", "destination", "fins", "last", "over", "packets", "source", "start", "streams")

    def __init__(self, packet: Packet, time: float) -> None:
        self.source, self.destination = packet.source, packet.destination
        self.start = self.last = time
        self.packets = 0
        self.carried = False
        self.data = bytearray()
        self.streams: dict[bytes, Stream] = {}
        self.fins: dict[bytes, int] = {}  # who has sent a FIN -> its sequence number
        self.over = False


def sessions(frames: Iterable[Frame], options: CaptureOptions, tally: Counter[str]) -> Iterator[Session]:
    """Yield each session when it ends, in that order; what is open at the end of `frames` comes last.

    A TCP session ends with a RST, with a FIN from both ends and nothing missing before it, with a SYN that begins
    another one on the same ports, or when it was idle too long; a UDP session ends when it was idle. `tally` counts
    "frames", "packets" (TCP and UDP), "after the end" (of a TCP session: not part of it), "ended early" (over
    max_open), and the reasons of `decode`. In memory are the open sessions, n_bytes of each, and of TCP what waits for
    a gap.
    """
    table = _Table(options, tally)
    for frame in frames:
        tally["frames"] += 1
        packet = decode(frame.link, frame.data)
        if isinstance(packet, str):
            tally[packet] += 1
            continue
        tally["packets"] += 1
        yield from table.add(frame, packet)
    yield from table.rest()


class _Table:
    """The open sessions of each protocol, the longest idle first."""

    def __init__(self, options: CaptureOptions, tally: Counter[str]) -> None:
        self._options, self._tally = options, tally
        self._open: dict[int, OrderedDict[_Key, _Open]] = {TCP: OrderedDict(), UDP: OrderedDict()}
        self._timeout = {TCP: options.tcp_timeout_s, UDP: options.udp_timeout_s}

    def add(self, frame: Frame, packet: Packet) -> Iterator[Session]:
        """Add a packet; yield the sessions that have ended by now."""
        protocol, opened = packet.protocol, self._open[packet.protocol]
        yield from self._idle(protocol, frame.time)
        key = (packet.source, packet.destination)
        key = key if packet.source <= packet.destination else key[::-1]
        session = opened.pop(key, None)
        if session is not None and self._is_another(session, packet, frame.time):
            yield from self._ended(protocol, session)
            session = None
        if session is None:
            session = _Open(packet, frame.time)
        opened[key] = session
        session.last = max(session.last, frame.time)
        if session.over:
            self._tally["after the end"] += 1
        else:
            session.packets += 1
            session.carried = session.carried or packet.carried > 0
            self._take(session, frame, packet)
            if protocol == TCP and self._has_ended(session, packet):
                yield from self._ended(protocol, session)
        while len(opened) > self._options.max_open:
            _, oldest = opened.popitem(last=False)
            self._tally["ended early"] += not oldest.over
            yield from self._ended(protocol, oldest)

    def rest(self) -> Iterator[Session]:
        """End and yield all that is open."""
        for protocol, opened in self._open.items():
            while opened:
                yield from self._ended(protocol, opened.popitem(last=False)[1])

    def _idle(self, protocol: int, now: float) -> Iterator[Session]:
        opened, oldest = self._open[protocol], now - self._timeout[protocol]
        while opened and next(iter(opened.values())).last < oldest:
            yield from self._ended(protocol, opened.popitem(last=False)[1])

    def _is_another(self, session: _Open, packet: Packet, time: float) -> bool:
        """Whether the packet begins a new session on the ports of this one."""
        if time - session.last > self._timeout[packet.protocol]:
            return True
        begins = packet.flags & (SYN | ACK) == SYN
        return begins and (session.over or session.carried)

    def _take(self, session: _Open, frame: Frame, packet: Packet) -> None:
        """Append what the packet brings, as long as there is room."""
        size = self._options.n_bytes
        if len(session.data) >= size:
            session.streams.clear()
            return
        if self._options.layers != "payload":
            whole = masked(frame.data, frame.link, packet, self._options.mask or ())
            new = whole if self._options.layers == "all" else whole[packet.network :]
        else:
            new = frame.data[packet.payload : packet.end]
            if packet.protocol == TCP:
                stream = session.streams.get(packet.source)
                if stream is None:
                    stream = session.streams[packet.source] = Stream(size)
                new = stream.take(packet.sequence, new, packet.carried, packet.flags)
        session.data += new[: size - len(session.data)]

    def _has_ended(self, session: _Open, packet: Packet) -> bool:
        if packet.flags & RST:
            return True
        if packet.flags & FIN:
            session.fins[packet.source] = packet.sequence + packet.carried
        if len(session.fins) < 2:
            return False
        return not any(stream.lacks(session.fins[end]) for end, stream in session.streams.items())

    def _ended(self, protocol: int, session: _Open) -> Iterator[Session]:
        """Yield the session, once; its ports stay known until they were idle, for what straggles in."""
        if session.over:
            return
        for stream in session.streams.values():
            session.data += stream.rest()
        data = bytes(session.data[: self._options.n_bytes])
        session.over, session.data, session.streams = True, bytearray(), {}
        yield Session(protocol, session.source, session.destination, session.start, session.packets, data)
