"""Captures made for the tests, with dpkt's own packing: the reference that the reader is held against."""

import gzip
import io
import ipaddress

import dpkt

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 80)


def ip(text):
    return ipaddress.ip_address(text).packed


def tcp(source, destination, payload=b"", seq=0, flags=dpkt.tcp.TH_ACK, **options):
    segment = dpkt.tcp.TCP(sport=source[1], dport=destination[1], seq=seq % 2**32, flags=flags, data=payload)
    return network(source[0], destination[0], segment, **options)


def udp(source, destination, payload=b"", **options):
    datagram = dpkt.udp.UDP(sport=source[1], dport=destination[1], data=payload, ulen=8 + len(payload))
    return network(source[0], destination[0], datagram, **options)


def network(source, destination, transport, link=1, vlans=()):
    """The frame of a transport packet under IPv4 or IPv6 (as the addresses are) and a link header."""
    number = 6 if isinstance(transport, dpkt.tcp.TCP) else 17
    if ":" in source:
        packet = dpkt.ip6.IP6(src=ip(source), dst=ip(destination), nxt=number, plen=len(transport), data=transport)
        kind = 0x86DD
    else:
        packet = dpkt.ip.IP(src=ip(source), dst=ip(destination), p=number, data=transport)
        packet.len, kind = len(packet), 0x0800
    return link_header(link, kind, vlans) + bytes(packet)


def link_header(link, kind, vlans=()):
    tags = b"".join(
        vlan.to_bytes(2, "big") + k.to_bytes(2, "big") for vlan, k in zip(vlans, (*[0x8100] * 9,)[1:], strict=False)
    )
    if vlans:
        tags = tags[:-2] + kind.to_bytes(2, "big")
    first = (0x8100 if vlans else kind).to_bytes(2, "big")
    if link == 1:
        return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + first + tags
    if link == 113:
        return b"\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0" + first + tags
    if link == 276:
        return first + b"\0\0\0\0\0\x03\0\x01\0\x06\x02\0\0\0\0\x01\0\0" + tags
    return {0: b"\x02\0\0\0", 108: b"\0\0\0\x02"}.get(link, b"")


def pcap(frames, link=1, nano=False, little=False):
    """The bytes of a pcap file; a frame is bytes (a second apart) or (seconds, bytes)."""
    order = "little" if little else "big"
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    whole = ((magic, 4), (2, 2), (4, 2), (0, 4), (0, 4), (65535, 4), (link, 4))
    parts = [number.to_bytes(size, order) for number, size in whole]
    for number, frame in enumerate(frames):
        time, data = frame if isinstance(frame, tuple) else (float(number), frame)
        fraction = round(time % 1 * (1e9 if nano else 1e6))
        parts += [value.to_bytes(4, order) for value in (int(time), fraction, len(data), len(data))] + [data]
    return b"".join(parts)


def pcapng(frames, link=1):
    """The bytes of a pcapng file as dpkt's Writer makes it."""
    file = io.BytesIO()
    interface = dpkt.pcapng.InterfaceDescriptionBlockLE(linktype=link)
    writer = dpkt.pcapng.Writer(file, idb=interface)
    for number, frame in enumerate(frames):
        time, data = frame if isinstance(frame, tuple) else (float(number), frame)
        writer.writepkt(data, time)
    return file.getvalue()


def conversation(turns, client=CLIENT, server=SERVER, start=1000, close=True, **options):
    """The frames of a TCP session: handshake, the turns (b"..." from the client and the server by turns), two FINs."""
    flags, seq = dpkt.tcp, {client: start, server: 5 * start}
    frames = [
        tcp(client, server, seq=seq[client], flags=flags.TH_SYN, **options),
        tcp(server, client, seq=seq[server], flags=flags.TH_SYN | flags.TH_ACK, **options),
    ]
    seq = {end: number + 1 for end, number in seq.items()}
    for turn, text in enumerate(turns):
        here, there = (client, server) if turn % 2 == 0 else (server, client)
        frames.append(tcp(here, there, text, seq[here], **options))
        seq[here] += len(text)
    if close:
        frames += [
            tcp(client, server, seq=seq[client], flags=flags.TH_FIN | flags.TH_ACK, **options),
            tcp(server, client, seq=seq[server], flags=flags.TH_FIN | flags.TH_ACK, **options),
            tcp(client, server, seq=seq[client] + 1, **options),
        ]
    return frames


def write(path, frames, **options):
    """Write a capture: the suffix says which kind."""
    data = (pcapng if ".pcapng" in path.name else pcap)(frames, **options)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
