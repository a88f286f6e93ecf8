"""What lies before IP in a frame: Ethernet, 802.11, Linux cooked, PPP and the tags in between, as offsets.

Sources: libpcap's list of link types; IEEE 802.3 and 802.11; radiotap.org; RFC 1661 (PPP), 2516 (PPPoE), 3032 (MPLS).
"""

from __future__ import annotations

from collections.abc import Callable

ETHERNET, SLL, SLL2, IEEE802_11, RADIOTAP, PPI = 1, 113, 276, 105, 127, 192
IPV4, IPV6 = 0x0800, 0x86DD

_NULL, _LOOP = 0, 108
_RAW = (101, 12, 14, 228, 229)
_PPP, _PPP_HDLC, _PPP_ETHERNET, _CISCO_HDLC = 9, 50, 51, 104
_VLANS = (0x8100, 0x88A8, 0x9100)
_MPLS = (0x8847, 0x8848)
_PPPOE_DISCOVERY, _PPPOE = 0x8863, 0x8864
_PPP_KINDS = {0x0021: IPV4, 0x0057: IPV6, 0x0281: _MPLS[0], 0x0283: _MPLS[1]}
_SNAP = (b"\xaa\xaa\x03\x00\x00\x00", b"\xaa\xaa\x03\x00\x00\xf8")
_NAMES = {
    119: "802.11 with Prism",
    147: "private use",
    163: "802.11 with AVS",
    187: "Bluetooth HCI",
    189: "USB on Linux",
    195: "802.15.4",
    201: "Bluetooth HCI",
    215: "802.15.4",
    220: "USB on Linux",
    227: "CAN",
    230: "802.15.4",
    239: "NFLOG",
    249: "USBPcap",
    251: "Bluetooth LE",
    253: "Netlink",
    256: "Bluetooth LE",
    283: "802.15.4",
}


class NoPacketError(Exception):
    """The frame is no TCP or UDP packet; the argument is the reason, as `decode` returns it."""


def network(link: int, frame: bytes) -> tuple[int, int]:
    """The ethertype and the offset of what the headers before IP carry; NoPacketError says why there is nothing."""
    if link in _RAW or link in (_NULL, _LOOP):
        offset = 0 if link in _RAW else 4
        _require(frame, offset + 1)
        return {4: IPV4, 6: IPV6}.get(frame[offset] >> 4, 0), offset
    read = _LINKS.get(link)
    if read is None:
        named = f" ({_NAMES[link]})" if link in _NAMES else ""
        raise NoPacketError(f"skipped: link type {link}{named}")
    return _inner(frame, *read(frame))


def zero_link(blank: bytearray, link: int, end: int) -> None:
    """Zero what names hosts in the headers before `end`, where IP begins: addresses, tags, sessions, radio readings."""
    if link in (RADIOTAP, PPI):
        length = int.from_bytes(blank[2:4], "little")
        _zero(blank, 4, length - 4)
        _zero_80211(blank, length)
        return
    if link == IEEE802_11:
        _zero_80211(blank, 0)
        return
    header = {ETHERNET: 14, SLL: 16, SLL2: 20}.get(link, end)
    if link == ETHERNET:
        _zero(blank, 0, 12)
    elif link == _PPP_ETHERNET:
        _zero(blank, 2, 2)
    elif link == SLL:
        _zero(blank, 6, 8)
    elif link == SLL2:
        _zero(blank, 4, 4)  # the interface's index
        _zero(blank, 12, 8)
    kind = int.from_bytes(blank[header - 2 : header], "big") if link != SLL2 else int.from_bytes(blank[:2], "big")
    while header < end:
        if kind in _VLANS:
            _zero(blank, header, 2)
            kind, header = int.from_bytes(blank[header + 2 : header + 4], "big"), header + 4
        elif kind == _PPPOE:
            _zero(blank, header + 2, 2)
            return
        elif kind in _MPLS:
            last = blank[header + 2] & 1
            _zero(blank, header, 2)
            blank[header + 2] &= 0x0F  # the label's last bits; what it is for and whether it is the last stay
            header += 4
            if last:
                if end - header >= 18:  # Ethernet behind a control word
                    _zero(blank, header + 4, 12)
                return
        else:
            return


def _inner(frame: bytes, kind: int, offset: int) -> tuple[int, int]:
    """What is within VLAN tags, LLC, PPPoE and MPLS."""
    while True:
        if kind in _VLANS:
            _require(frame, offset + 4, "VLAN tag")
            kind, offset = frame[offset + 2] << 8 | frame[offset + 3], offset + 4
        elif kind < 0x0600 and frame[offset : offset + 6] in _SNAP:
            _require(frame, offset + 8)
            kind, offset = frame[offset + 6] << 8 | frame[offset + 7], offset + 8
        elif kind == _PPPOE:
            _require(frame, offset + 8, "PPPoE header")
            kind, offset = _ppp(frame, offset + 6)
        elif kind == _PPPOE_DISCOVERY:
            raise NoPacketError("skipped: PPPoE discovery")
        elif kind in _MPLS:
            kind, offset = _mpls(frame, offset)
        else:
            return kind, offset


def _ethernet(frame: bytes, at: int = 0) -> tuple[int, int]:
    _require(frame, at + 14)
    return frame[at + 12] << 8 | frame[at + 13], at + 14


def _sll(frame: bytes) -> tuple[int, int]:
    _require(frame, 16)
    return int.from_bytes(frame[14:16], "big"), 16


def _sll2(frame: bytes) -> tuple[int, int]:
    _require(frame, 20)
    return int.from_bytes(frame[:2], "big"), 20


def _ppp(frame: bytes, at: int = 0) -> tuple[int, int]:
    """PPP's protocol at `at`, of one byte when that is odd."""
    _require(frame, at + 2, "PPP header")
    if frame[at : at + 2] == b"\xff\x03":
        at += 2
        _require(frame, at + 2, "PPP header")
    size = 1 if frame[at] & 1 else 2
    protocol = int.from_bytes(frame[at : at + size], "big")
    if protocol not in _PPP_KINDS:
        raise NoPacketError("skipped: PPP without IP")
    return _PPP_KINDS[protocol], at + size


def _cisco(frame: bytes) -> tuple[int, int]:
    _require(frame, 4)
    return frame[2] << 8 | frame[3], 4


def _ppp_ethernet(frame: bytes) -> tuple[int, int]:
    _require(frame, 8)
    return _ppp(frame, 6)


def _mpls(frame: bytes, at: int) -> tuple[int, int]:
    """What is below the last label: IP by its first bits, or Ethernet behind a control word of zeros."""
    while True:
        _require(frame, at + 5, "MPLS label")
        last, at = frame[at + 2] & 1, at + 4
        if last:
            break
    version = frame[at] >> 4
    if version == 0 and len(frame) >= at + 18:
        return _ethernet(frame, at + 4)
    return {4: IPV4, 6: IPV6}.get(version, 0), at


def _radiotap(frame: bytes) -> tuple[int, int]:
    _require(frame, 8)
    length = int.from_bytes(frame[2:4], "little")
    if frame[0] or length < 8:
        raise NoPacketError("malformed: radiotap header")
    return _80211(frame, length, bool(_radiotap_flags(frame, length) & 0x20))


def _radiotap_flags(frame: bytes, length: int) -> int:
    """The byte of flags, the second field that may be there: behind the words that say which are, and a time."""
    at, present = 4, int.from_bytes(frame[4:8], "little")
    word = present
    while word >> 31 and at + 8 <= length:
        at += 4
        word = int.from_bytes(frame[at : at + 4], "little")
    at += 4
    if present & 1:
        at = -(-at // 8) * 8 + 8
    return frame[at] if present & 2 and at < min(length, len(frame)) else 0


def _ppi(frame: bytes) -> tuple[int, int]:
    _require(frame, 8)
    length, link = int.from_bytes(frame[2:4], "little"), int.from_bytes(frame[4:8], "little")
    if length < 8:
        raise NoPacketError("malformed: PPI header")
    if link != IEEE802_11:
        raise NoPacketError(f"skipped: PPI of link type {link}")
    return _80211(frame, length, False)


def _80211(frame: bytes, at: int, is_padded: bool = False) -> tuple[int, int]:
    """The ethertype within a data frame of 802.11 at `at`; with `is_padded` its header fills a multiple of 4 bytes."""
    _require(frame, at + 10, "802.11 header")
    control, flags = frame[at], frame[at + 1]
    if control >> 2 & 3 != 2 or control >> 4 & 4:
        raise NoPacketError("skipped: 802.11 without data")
    has_qos, offset = control >> 4 & 8, at + 24 + (6 if flags & 3 == 3 else 0)
    _require(frame, at + 24, "802.11 header")
    if flags & 0x40:
        raise NoPacketError("skipped: 802.11 encrypted")
    if frame[at + 22] & 0x0F:
        raise NoPacketError("skipped: 802.11 fragment")
    if has_qos:
        _require(frame, offset + 2, "802.11 header")
        if frame[offset] & 0x80:
            raise NoPacketError("skipped: 802.11 frames joined to one")
        offset += 2 + (4 if flags & 0x80 else 0)
    if is_padded:
        offset += -(offset - at) % 4
    _require(frame, offset + 8, "802.11 header")
    if frame[offset : offset + 6] not in _SNAP:
        raise NoPacketError("skipped: not IP")
    return frame[offset + 6] << 8 | frame[offset + 7], offset + 8


_LINKS: dict[int, Callable[[bytes], tuple[int, int]]] = {
    ETHERNET: _ethernet,
    SLL: _sll,
    SLL2: _sll2,
    IEEE802_11: lambda frame: _80211(frame, 0),
    RADIOTAP: _radiotap,
    PPI: _ppi,
    _PPP: _ppp,
    _PPP_HDLC: _ppp,
    _PPP_ETHERNET: _ppp_ethernet,
    _CISCO_HDLC: _cisco,
}


def _zero_80211(blank: bytearray, at: int) -> None:
    """Zero the addresses of an 802.11 header and its sequence number."""
    _zero(blank, at + 4, 20 + (6 if blank[at + 1] & 3 == 3 else 0))


def _zero(blank: bytearray, at: int, size: int) -> None:
    stop = min(at + size, len(blank))
    blank[at:stop] = bytes(max(0, stop - at))


def _require(frame: bytes, length: int, what: str = "link header") -> None:
    if len(frame) < length:
        raise NoPacketError(f"malformed: {what}")
