"""Capture files as frames: pcap and pcapng, plain or gzipped, in dpkt's structures; damage is counted, never raised.

dpkt's own readers take a file's word for every length and know one interface a file, so the framing is done here.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from dpkt import UnpackError, pcap, pcapng

from tinynas.data.files import BoundedGzip
from tinynas.errors import DataError

TRUNCATED, DAMAGED = "file truncated", "file damaged"
_GZIP = b"\x1f\x8b"
_MAX_FRAME = 1 << 18  # the largest snapshot length of libpcap
_MAX_BLOCK = 1 << 24
_LINK_BITS = 0xFFFF  # the rest of pcap's link type word speaks of the frame check sequence
_SIMPLE_PACKET = 3
_BROKEN = (UnpackError, struct.error, ValueError)  # what dpkt raises on bytes that are no structure


class Frame(NamedTuple):
    """One frame: seconds since 1970, libpcap's link type, the captured bytes, and how many were on the wire."""

    time: float
    link: int
    data: bytes
    length: int


class _EndError(Exception):
    """The file ends before its time; the argument says how."""


def is_capture(path: Path) -> bool:
    """Whether the file begins as pcap or pcapng do (or is empty, or cut within its first bytes); DataError unread."""
    try:
        with _opened(path) as file:
            magic = file.read(4)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return True
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error
    return len(magic) < 4 or magic in _magics()


def frames(path: Path, tally: Counter[str]) -> Iterator[Frame]:
    """Yield the frames of a capture file in its order; `tally` counts what was not whole.

    "malformed: ..." is a record that cannot be read and was stepped over; "file truncated" or "file damaged" is the end
    of what could be read. One frame is in memory at a time. DataError when the file cannot be opened or is no capture.
    """
    if not is_capture(path):
        raise DataError(f"{path}: is neither pcap nor pcapng (plain or gzipped).")
    try:
        with _opened(path) as file:
            magic = file.read(4)
            if len(magic) < 4:
                raise _EndError(TRUNCATED)
            yield from (_pcapng if magic == b"\x0a\x0d\x0d\x0a" else _pcap)(file, magic, tally)
    except _EndError as end:
        tally[str(end)] += 1
    except EOFError:
        tally[TRUNCATED] += 1
    except (zlib.error, gzip.BadGzipFile):
        tally[DAMAGED] += 1
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    return cast(BinaryIO, BoundedGzip(path)) if zipped else path.open("rb")


def _magics() -> set[bytes]:
    return {struct.pack(">I", magic) for magic in pcap.MAGIC_TO_PKT_HDR} | {b"\x0a\x0d\x0d\x0a"}


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise _EndError(TRUNCATED)
    return data


def _pcap(file: BinaryIO, magic: bytes, tally: Counter[str]) -> Iterator[Frame]:
    number = int.from_bytes(magic, "big")
    little = number in (pcap.PMUDPCT_MAGIC, pcap.PMUDPCT_MAGIC_NANO, pcap.PACPDOM_MAGIC)
    divisor = 1e9 if number in (pcap.TCPDUMP_MAGIC_NANO, pcap.PMUDPCT_MAGIC_NANO) else 1e6
    header = (pcap.LEFileHdr if little else pcap.FileHdr)(magic + _exactly(file, pcap.FileHdr.__hdr_len__ - 4))
    dissector: Any = pcap.MAGIC_TO_PKT_HDR[number]
    # dpkt's layout without its object a record: seconds, parts of a second, bytes captured, bytes on the wire, and more
    record, link = struct.Struct(dissector.__hdr_fmt__), header.linktype & _LINK_BITS
    while head := file.read(record.size):
        if len(head) < record.size:
            raise _EndError(TRUNCATED)
        seconds, parts, captured, length = record.unpack(head)[:4]
        if captured > _MAX_FRAME:
            raise _EndError(DAMAGED)
        yield Frame(seconds + parts / divisor, link, _exactly(file, captured) if captured else b"", length)


class _Interface(NamedTuple):
    link: int
    per_second: float
    offset: int


def _pcapng(file: BinaryIO, magic: bytes, tally: Counter[str]) -> Iterator[Frame]:
    interfaces: list[_Interface] = []
    order, time = "<", 0.0
    head = magic + file.read(4)
    while head:
        kind = int.from_bytes(head[:4], "big")
        first = b""
        if kind == pcapng.PCAPNG_BT_SHB:  # the same in both byte orders; a new section has its own
            first = _exactly(file, 4)
            order = _order_of(first)
            interfaces = []
        block = head + first + _rest(file, head, first, order)
        kind = struct.unpack(order + "I", block[:4])[0]
        try:
            if kind == pcapng.PCAPNG_BT_IDB:
                interfaces.append(_interface(block, order))
            elif kind in _READERS:
                frame = _READERS[kind](block, order, interfaces, time)
                time = frame.time
                yield frame
        except (*_BROKEN, IndexError):
            tally["malformed: pcapng block"] += 1
        head = file.read(8)


def _order_of(mark: bytes) -> str:
    for order in "<>":
        if struct.unpack(order + "I", mark)[0] == pcapng.BYTE_ORDER_MAGIC:
            return order
    raise _EndError(DAMAGED)


def _rest(file: BinaryIO, head: bytes, first: bytes, order: str) -> bytes:
    """What is left of a block of which `head` and `first` were read; its two lengths must agree."""
    if len(head) < 8:
        raise _EndError(TRUNCATED)
    size = struct.unpack(order + "I", head[4:8])[0]
    if not 12 + len(first) <= size <= _MAX_BLOCK or size % 4:
        raise _EndError(DAMAGED)
    rest = _exactly(file, size - 8 - len(first))
    if rest[-4:] != head[4:8]:
        raise _EndError(DAMAGED)
    return rest


def _interface(block: bytes, order: str) -> _Interface:
    about: Any = (pcapng.InterfaceDescriptionBlockLE if order == "<" else pcapng.InterfaceDescriptionBlock)(block)
    per_second, offset = 1e6, 0
    for option in about.opts:
        if option.code == pcapng.PCAPNG_OPT_IF_TSRESOL and option.data:
            power = option.data[0]
            per_second = 2.0 ** (power & 0x7F) if power & 0x80 else 10.0 ** min(power, 30)
        elif option.code == pcapng.PCAPNG_OPT_IF_TSOFFSET:
            offset = struct.unpack(order + "q", option.data)[0]
    return _Interface(about.linktype, per_second, offset)


def _packet(block: bytes, order: str, interfaces: list[_Interface], _: float) -> Frame:
    """The frame of an Enhanced Packet Block, or of the older Packet Block."""
    new = struct.unpack(order + "I", block[:4])[0] == pcapng.PCAPNG_BT_EPB
    little = order == "<"
    if new:
        about: Any = (pcapng.EnhancedPacketBlockLE if little else pcapng.EnhancedPacketBlock)(block)
    else:
        about = (pcapng.PacketBlockLE if little else pcapng.PacketBlock)(block)
    if len(about.pkt_data) != about.caplen or about.caplen > len(block) - 32:
        raise ValueError("the packet is longer than its block")
    interface = interfaces[about.iface_id]
    time = (about.ts_high << 32 | about.ts_low) / interface.per_second + interface.offset
    return Frame(time, interface.link, about.pkt_data, about.pkt_len)


def _simple_packet(block: bytes, order: str, interfaces: list[_Interface], time: float) -> Frame:
    """The frame of a Simple Packet Block: it has no time of its own, so it gets that of the packet before it."""
    length = struct.unpack(order + "I", block[8:12])[0]
    return Frame(time, interfaces[0].link, block[12:-4][:length], length)


_READERS = {
    pcapng.PCAPNG_BT_EPB: _packet,
    pcapng.PCAPNG_BT_PB: _packet,
    _SIMPLE_PACKET: _simple_packet,
}
