"""Frames taken apart, against dpkt's own unpacking, and fuzzed."""

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.captures.traffic import CLIENT, SERVER, ip, link_header, tcp, udp
from tinynas.data.captures import decode
from tinynas.data.captures.packets import masked

LINKS = (1, 0, 108, 101, 12, 113, 276)
SIX = (("fd00::1", 40000), ("fd00::2", 443))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("ends", [(CLIENT, SERVER), SIX], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("make", [tcp, udp])
def test_every_link_type_and_protocol(link, ends, make):
    kind = {0: 101, 108: 101}.get(link, link) if ":" in ends[0][0] and link in (0, 108) else link
    frame = make(*ends, b"hello", link=link) if kind == link else bytes(4) + make(*ends, b"hello", link=101)
    packet = decode(link, frame + b"trailer")
    assert packet.protocol == (6 if make is tcp else 17)
    assert packet.source == ip(ends[0][0]) + ends[0][1].to_bytes(2, "big")
    assert packet.destination == ip(ends[1][0]) + ends[1][1].to_bytes(2, "big")
    assert frame[packet.payload : packet.end] == b"hello"
    assert packet.carried == 5


ETHER = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
SNAP = b"\xaa\xaa\x03\0\0\0"


def wifi(kind, flags=1, subtype=0, padded=False):
    """The header of a data frame of 802.11 with LLC; flags 3 are a bridge with four addresses."""
    addresses = bytes(range(0x10, 0x22))
    head = bytes([8 | subtype << 4, flags, 0, 0]) + addresses + b"\x30\0"
    head += (b"\x40" * 6 if flags & 3 == 3 else b"") + (b"\0\0" if subtype & 8 else b"")
    return head + (bytes(-len(head) % 4) if padded else b"") + SNAP + kind


def radiotap(flags, time):
    """A radiotap header with a byte of flags, and a time before it."""
    present = 2 | (1 if time else 0)
    fields = (bytes(range(8)) if time else b"") + bytes([flags])
    return b"\0\0" + (8 + len(fields)).to_bytes(2, "little") + present.to_bytes(4, "little") + fields


def headers(four):
    """(link type, bytes before IP) of every way in which IP may be wrapped, for IPv4 or IPv6."""
    kind, ppp = (b"\x08\x00", b"\x00\x21") if four else (b"\x86\xdd", b"\x00\x57")
    pppoe = b"\x88\x64" + b"\x11\0\x12\x34\0\x40" + ppp
    cooked = b"\0\0\0\0\0\x03\0\x01\0\x06\x02\0\0\0\0\x01\0\0"
    return {
        "802.11": (105, wifi(kind)),
        "802.11 bridge": (105, wifi(kind, flags=3)),
        "802.11 QoS": (105, wifi(kind, flags=2, subtype=8)),
        "radiotap": (127, radiotap(0, False) + wifi(kind)),
        "radiotap with a time, padded": (127, radiotap(0x20, True) + wifi(kind, 2, 8, padded=True)),
        "PPI": (192, b"\0\0\x08\0\x69\0\0\0" + wifi(kind)),
        "cooked 2": (276, kind + cooked),
        "cooked 2, PPPoE": (276, b"\x88\x64" + cooked + pppoe[2:]),
        "PPPoE": (1, ETHER + pppoe),
        "PPPoE in a VLAN": (1, ETHER + b"\x81\0\0\x07" + pppoe),
        "MPLS": (1, ETHER + b"\x88\x47\x12\x34\x51\x40"),
        "MPLS, two labels": (1, ETHER + b"\x88\x47\x12\x34\x50\x40\x23\x45\x61\x40"),
        "Ethernet within MPLS": (1, ETHER + b"\x88\x47\x12\x34\x51\x40" + bytes(4) + ETHER + kind),
        "LLC": (1, ETHER + b"\0\x80" + SNAP + kind),
        "PPP": (9, b"\xff\x03" + ppp),
        "PPP, short": (9, ppp[1:]),
        "PPP in HDLC": (50, b"\xff\x03" + ppp),
        "PPP over Ethernet": (51, b"\x11\0\x12\x34\0\x40" + ppp),
        "HDLC": (104, b"\x0f\0" + kind),
    }


@pytest.mark.parametrize("name", headers(True))
@pytest.mark.parametrize("ends", [(CLIENT, SERVER), SIX], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("make", [tcp, udp])
def test_whatever_ip_is_wrapped_in_it_is_the_same_packet(name, ends, make):
    link, header = headers(ends is not SIX)[name]
    bare = make(*ends, b"hello", link=101)
    packet, alone = decode(link, header + bare + b"trail"), decode(101, bare)
    assert packet.network == len(header)
    assert packet._replace(**{at: getattr(packet, at) - len(header) for at in OFFSETS}) == alone
    for masks in ((), ("mac",), ("mac", "ip", "ports")):
        blank = masked(header + bare, link, packet, masks)
        assert blank[len(header) :] == masked(bare, 101, alone, masks)
    hidden = masked(header + bare, link, packet, ("mac",))[: len(header)]
    for secret in (b"\x02\0\0\0\0\x01", b"\x10\x11\x12", b"\x40" * 6, b"\x12\x34"):
        assert secret not in hidden


OFFSETS = ("network", "transport", "payload", "end")


@pytest.mark.parametrize(
    "inner", [b"\x88\x64" + b"\x11\0\x12\x34\0\x40\0\x21", b"\x88\x47\x12\x34\x51\x40", b"\x81\0\0\x07\x08\0"]
)
def test_tags_as_dpkt_reads_them(inner):
    frame = ETHER + inner + tcp(CLIENT, SERVER, b"hello", link=101)
    theirs = dpkt.ethernet.Ethernet(frame).data
    while not isinstance(theirs, dpkt.tcp.TCP):
        theirs = theirs.data
    ours = decode(1, frame)
    assert frame[ours.payload : ours.end] == theirs.data == b"hello"


def test_radio_frames_as_dpkt_reads_them():
    body = wifi(b"\x08\0", flags=2) + tcp(CLIENT, SERVER, b"hello", link=101)
    theirs = dpkt.ieee80211.IEEE80211(body)
    ours = decode(105, body)
    assert (theirs.type, theirs.subtype, theirs.to_ds, theirs.from_ds) == (2, 0, 0, 1)
    assert bytes(theirs.data_frame.data).endswith(body[ours.network :])


@pytest.mark.parametrize(
    ("link", "frame", "reason"),
    [
        (105, b"\x80\0" + bytes(40), "skipped: 802.11 without data"),  # a beacon
        (105, b"\xc8\x01" + bytes(40), "skipped: 802.11 without data"),  # QoS null
        (105, wifi(b"\x08\0", flags=0x41) + bytes(40), "skipped: 802.11 encrypted"),
        (105, wifi(b"\x08\0").replace(b"\x30\0", b"\x31\0") + bytes(40), "skipped: 802.11 fragment"),
        (105, wifi(b"\x08\x06") + bytes(40), "skipped: not IP"),
        (105, wifi(b"\x08\0")[:20], "malformed: 802.11 header"),
        (127, b"\x01\0\x08\0" + bytes(40), "malformed: radiotap header"),
        (127, b"\0\0\xff\xff" + bytes(40), "malformed: 802.11 header"),
        (192, b"\0\0\x08\0\x01\0\0\0" + bytes(40), "skipped: PPI of link type 1"),
        (1, ETHER + b"\x88\x63" + bytes(40), "skipped: PPPoE discovery"),
        (1, ETHER + b"\x88\x64\x11\0\0\1\0\x08\xc0\x21" + bytes(9), "skipped: PPP without IP"),
        (1, ETHER + b"\x88\x64\x11", "malformed: PPPoE header"),
        (1, ETHER + b"\x88\x47\x12\x34", "malformed: MPLS label"),
        (9, b"\xff\x03", "malformed: PPP header"),
    ],
)
def test_what_is_no_packet_is_said(link, frame, reason):
    assert decode(link, frame) == reason


@given(
    data=st.binary(max_size=120),
    name=st.sampled_from(sorted(headers(True))),
    keep=st.integers(0, 60),
    four=st.booleans(),
)
def test_headers_with_anything_behind_are_a_packet_within_the_frame_or_a_reason(data, name, keep, four):
    link, header = headers(four)[name]
    frame = header[:keep] + data
    packet = decode(link, frame)
    _is_within(packet, frame)
    if not isinstance(packet, str):
        assert len(masked(frame, link, packet, ("mac", "ip", "ports"))) == packet.end


@pytest.mark.parametrize("vlans", [(5,), (5, 6)])
def test_vlan_tags(vlans):
    packet = decode(1, tcp(CLIENT, SERVER, b"hello", vlans=vlans))
    assert packet.network == 14 + 4 * len(vlans)
    assert packet.carried == 5


@given(
    payload=st.binary(max_size=60),
    seq=st.integers(0, 2**32 - 1),
    flags=st.integers(0, 255),
    options=st.sampled_from([b"", b"\1\1\1\1", b"\2\4\5\xb4\1\1\4\2"]),
    padding=st.integers(0, 20),
)
def test_tcp_as_dpkt_reads_it(payload, seq, flags, options, padding):
    segment = dpkt.tcp.TCP(sport=7, dport=9, seq=seq, flags=flags, data=payload)
    segment.opts = options
    segment.off = 5 + len(options) // 4
    packet = dpkt.ip.IP(src=ip("1.2.3.4"), dst=ip("5.6.7.8"), p=6, data=segment)
    packet.len = len(packet)
    frame = link_header(1, 0x0800) + bytes(packet) + bytes(padding)
    theirs, ours = dpkt.ethernet.Ethernet(frame).data.data, decode(1, frame)
    assert frame[ours.payload : ours.end] == theirs.data == payload
    assert (ours.sequence, ours.flags) == (theirs.seq, theirs.flags)


def test_ipv6_extension_headers():
    segment = bytes(dpkt.udp.UDP(sport=1, dport=2, data=b"hello", ulen=13))
    extensions = b"\x3c\x00" + bytes(6) + b"\x11\x01" + bytes(14)  # hop by hop, then destination options of 16 bytes
    body = extensions + segment
    frame = b"\x60\0\0\0" + len(body).to_bytes(2, "big") + b"\0\x40" + ip("fd00::1") + ip("fd00::2") + body
    packet = decode(101, frame)
    assert frame[packet.payload : packet.end] == b"hello"
    later = b"\x11\0\0\x08" + bytes(4) + segment
    frame = b"\x60\0\0\0" + len(later).to_bytes(2, "big") + b"\x2c\x40" + ip("fd00::1") + ip("fd00::2") + later
    assert decode(101, frame) == "skipped: IP fragment"


WHOLE = tcp(CLIENT, SERVER, b"hello")


def changed(place, *values):
    return WHOLE[:place] + bytes(values) + WHOLE[place + len(values) :]


@pytest.mark.parametrize(
    ("link", "frame", "reason"),
    [
        (1, WHOLE[:10], "malformed: link header"),
        (1, WHOLE[:30], "malformed: IPv4 header"),
        (1, changed(14, 0x65), "malformed: IPv4 header"),
        (1, changed(14, 0x42), "malformed: IPv4 length"),
        (1, changed(16, 0, 10), "malformed: IPv4 length"),
        (1, changed(16, 0, 30), "malformed: TCP header"),
        (1, WHOLE[:50], "malformed: TCP header"),
        (1, changed(46, 0x10), "malformed: TCP length"),
        (1, changed(46, 0xF0), "malformed: TCP length"),
        (1, udp(CLIENT, SERVER)[:38], "malformed: UDP header"),
        (1, udp(CLIENT, SERVER)[:38] + b"\0\7\0\0", "malformed: UDP length"),
        (1, changed(12, 0x86, 0xDD), "malformed: IPv6 header"),
        (1, changed(12, 0x81, 0), "skipped: not IP"),
        (1, changed(12, 0x81, 0)[:16], "malformed: VLAN tag"),
        (1, changed(12, 8, 6), "skipped: not IP"),
        (1, changed(20, 0, 7), "skipped: IP fragment"),
        (1, changed(23, 1), "skipped: neither TCP nor UDP"),
        (101, b"", "malformed: link header"),
        (113, WHOLE[:12], "malformed: link header"),
        (195, WHOLE, "skipped: link type 195 (802.15.4)"),
        (999, WHOLE, "skipped: link type 999"),
    ],
)
def test_why_a_frame_is_no_packet(link, frame, reason):
    assert decode(link, frame) == reason


def test_lengths_that_the_network_card_was_to_fill_in():
    packet = decode(1, changed(16, 0, 0))
    assert packet.carried == 5


def test_a_snapshot_cuts_the_payload_but_not_its_length():
    packet = decode(1, WHOLE[:-2])
    assert packet.end - packet.payload == 3
    assert packet.carried == 5


@given(link=st.sampled_from([*LINKS, 105]), frame=st.binary(max_size=90))
def test_noise_is_a_packet_within_its_frame_or_a_reason(link, frame):
    _is_within(decode(link, frame), frame)


@given(data=st.data())
def test_a_changed_packet_is_a_packet_within_its_frame_or_a_reason(data):
    make, ends = data.draw(st.sampled_from([tcp, udp])), data.draw(st.sampled_from([(CLIENT, SERVER), SIX]))
    frame = bytearray(make(*ends, b"hello"))
    for place in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=3)):
        frame[place] = data.draw(st.integers(0, 255))
    frame = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    _is_within(decode(1, frame), frame)


def _is_within(packet, frame):
    if isinstance(packet, str):
        assert packet.startswith(("malformed: ", "skipped: "))
        return
    assert 0 <= packet.network < packet.transport <= packet.payload <= packet.end <= len(frame)
    assert packet.carried >= packet.end - packet.payload
    assert len(packet.source) in (6, 18)
    for masks in ((), ("mac", "ip", "ports")):
        assert len(masked(frame, 1, packet, masks)) == packet.end


def test_masks_zero_what_they_say_and_nothing_else():
    for link, vlans in ((1, ()), (1, (5,)), (113, ()), (276, ()), (101, ())):
        for make in (tcp, udp):
            for ends in ((CLIENT, SERVER), SIX):
                frame = make(*ends, b"\x11" * 9, link=link, vlans=vlans)
                _check_masks(link, vlans, frame, decode(link, frame))
    assert masked(WHOLE + b"trailer", 1, decode(1, WHOLE + b"trailer"), ()) == WHOLE


def _check_masks(link, vlans, frame, packet):
    n, t, four = packet.network, packet.transport, frame[packet.network] >> 4 == 4
    header = {1: range(12), 113: range(6, 14), 276: (*range(4, 8), *range(12, 20)), 101: ()}[link]
    tags = [14 + byte for byte in range(2)] if vlans else []
    addresses = [*range(n + 12, n + 20), n + 10, n + 11] if four else list(range(n + 8, n + 40))
    checksum = [t + 16, t + 17] if packet.protocol == 6 else [t + 6, t + 7]
    wanted = {"mac": {*header, *tags}, "ip": {*addresses, *checksum}, "ports": {*range(t, t + 4), *checksum}}
    for masks in ((), ("mac",), ("ip",), ("ports",), ("mac", "ip", "ports")):
        blank = set().union(*(wanted[mask] for mask in masks))
        expected = bytes(0 if place in blank else value for place, value in enumerate(frame))
        assert masked(frame, link, packet, masks) == expected
