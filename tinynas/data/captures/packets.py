"""A frame taken apart: link header, IPv4 or IPv6, TCP or UDP, as offsets into the frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tinynas.data.captures.links import IPV4, IPV6, NoPacketError, network, zero_link
from tinynas.options.captures import Masked

TCP, UDP = 6, 17
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_EXTENSIONS = (0, 43, 60, 135)  # hop by hop, routing, destination, mobility: next header, length in units of eight
_FRAGMENT, _AUTHENTICATION = 44, 51


class Packet(NamedTuple):
    """Where things lie in the frame of a TCP segment or a UDP datagram; offsets count from the frame's first byte.

    `source` and `destination` are address and port, 6 or 18 bytes. `end` is the end of the IP packet or of what was
    captured of it; `carried` the payload's bytes on the wire. `flags` and `sequence` are 0 for UDP.
    """

    protocol: int
    source: bytes
    destination: bytes
    network: int
    transport: int
    payload: int
    end: int
    carried: int
    flags: int
    sequence: int


def decode(link: int, frame: bytes) -> Packet | str:
    """The TCP or UDP packet in a frame of libpcap's link type `link`, or the reason why there is none.

    A reason that begins with "malformed" is a packet that contradicts itself or lacks part of a header; "skipped" is
    one of another kind: another protocol, a later IP fragment, a link type that is not read.
    """
    try:
        kind, offset = network(link, frame)
        if kind == IPV4:
            return _ipv4(frame, offset)
        if kind == IPV6:
            return _ipv6(frame, offset)
    except NoPacketError as no:
        return str(no)
    return "skipped: not IP"


def _ipv4(frame: bytes, at: int) -> Packet:
    if len(frame) < at + 20 or frame[at] >> 4 != 4:
        raise NoPacketError("malformed: IPv4 header")
    header = 4 * (frame[at] & 0x0F)
    total = frame[at + 2] << 8 | frame[at + 3] or len(frame) - at  # 0: the network card was to fill it in
    if header < 20 or total < header:
        raise NoPacketError("malformed: IPv4 length")
    if (frame[at + 6] & 0x1F) << 8 | frame[at + 7]:
        raise NoPacketError("skipped: IP fragment")
    return _transport(frame, at, at + header, at + total, frame[at + 9], frame[at + 12 : at + 20])


def _ipv6(frame: bytes, at: int) -> Packet:
    if len(frame) < at + 40 or frame[at] >> 4 != 6:
        raise NoPacketError("malformed: IPv6 header")
    carried = frame[at + 4] << 8 | frame[at + 5] or len(frame) - at - 40  # 0: a jumbogram, or see _ipv4
    end, kind, offset = at + 40 + carried, frame[at + 6], at + 40
    while kind in _EXTENSIONS or kind in (_FRAGMENT, _AUTHENTICATION):
        if min(end, len(frame)) < offset + 8:
            raise NoPacketError("malformed: IPv6 extension header")
        if kind == _FRAGMENT and (frame[offset + 2] << 8 | frame[offset + 3]) & 0xFFF8:
            raise NoPacketError("skipped: IP fragment")
        length = frame[offset + 1]
        size = 8 if kind == _FRAGMENT else 4 * length + 8 if kind == _AUTHENTICATION else 8 * length + 8
        kind, offset = frame[offset], offset + size
    return _transport(frame, at, offset, end, kind, frame[at + 8 : at + 40])


def _transport(frame: bytes, network: int, at: int, end: int, protocol: int, addresses: bytes) -> Packet:
    """The packet whose transport header begins at `at`, and whose IP packet ends at `end` on the wire."""
    captured = min(end, len(frame))
    half = len(addresses) // 2
    if protocol == TCP:
        if captured < at + 20:
            raise NoPacketError("malformed: TCP header")
        header = 4 * (frame[at + 12] >> 4)
        if header < 20 or at + header > end:
            raise NoPacketError("malformed: TCP length")
        flags, sequence = frame[at + 13], int.from_bytes(frame[at + 4 : at + 8], "big")
    elif protocol == UDP:
        if captured < at + 8:
            raise NoPacketError("malformed: UDP header")
        header, flags, sequence = 8, 0, 0
        length = frame[at + 4] << 8 | frame[at + 5] or end - at
        if length < 8:
            raise NoPacketError("malformed: UDP length")
        end = min(end, at + length)
        captured = min(captured, end)
    else:
        raise NoPacketError("skipped: neither TCP nor UDP")
    payload = min(at + header, captured)
    source, destination = addresses[:half] + frame[at : at + 2], addresses[half:] + frame[at + 2 : at + 4]
    return Packet(protocol, source, destination, network, at, payload, captured, end - at - header, flags, sequence)


def masked(frame: bytes, link: int, packet: Packet, masks: Iterable[Masked]) -> bytes:
    """The frame up to the packet's end, with the header fields that `masks` names zeroed; see CaptureOptions."""
    blank = bytearray(frame[: packet.end])
    four = blank[packet.network] >> 4 == 4
    checksum = packet.transport + (16 if packet.protocol == TCP else 6)
    for mask in masks:
        if mask == "mac":
            zero_link(blank, link, packet.network)
            continue
        if mask == "ip":
            _zero(blank, packet.network + (12 if four else 8), 8 if four else 32)
            _zero(blank, packet.network + 10, 2 if four else 0)
        else:
            _zero(blank, packet.transport, 4)
        _zero(blank, checksum, 2)
    return bytes(blank)


def _zero(blank: bytearray, at: int, size: int) -> None:
    stop = min(at + size, len(blank))
    blank[at:stop] = bytes(max(0, stop - at))
