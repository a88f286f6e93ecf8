"""Where sessions begin and end, and which bytes they have."""

import tracemalloc
from collections import Counter

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.captures.traffic import CLIENT, SERVER, conversation, ip, tcp, udp
from tinynas.data.captures import CaptureOptions, Frame, sessions

OTHER = ("10.0.0.3", 41000)
FIN, SYN, RST, ACK = dpkt.tcp.TH_FIN, dpkt.tcp.TH_SYN, dpkt.tcp.TH_RST, dpkt.tcp.TH_ACK


def found(made, link=1, **options):
    """The sessions of frames, each of them bytes (a second apart) or (seconds, bytes), and the tally."""
    tally = Counter()
    stream = [
        Frame(*((frame[0], link, frame[1]) if isinstance(frame, tuple) else (float(at), link, frame)), 0)
        for at, frame in enumerate(made)
    ]
    return list(sessions(stream, CaptureOptions(**options), tally)), tally


def test_a_conversation_is_one_session_in_the_order_of_its_turns():
    (session,), tally = found(conversation([b"GET /", b"200 OK", b"more?", b"no"]))
    assert session.data == b"GET /200 OKmore?no"
    assert session.protocol == 6
    assert session.source == ip(CLIENT[0]) + CLIENT[1].to_bytes(2, "big")
    assert session.destination == ip(SERVER[0]) + SERVER[1].to_bytes(2, "big")
    assert session.start == 0.0
    assert session.packets == 8
    assert tally == {"frames": 9, "packets": 9, "after the end": 1}


def test_the_first_bytes_only():
    (session,), _ = found(conversation([b"abc", b"def", b"ghi"]), n_bytes=5)
    assert session.data == b"abcde"


def test_two_conversations_at_once():
    frames = [
        f for pair in zip(conversation([b"1", b"2"]), conversation([b"3", b"4"], OTHER), strict=True) for f in pair
    ]
    both, _ = found(frames)
    assert [session.data for session in both] == [b"12", b"34"]


def test_the_same_ports_again_are_another_session():
    both, _ = found(conversation([b"1"]) + conversation([b"2"], start=9))
    assert [session.data for session in both] == [b"1", b"2"]
    unclosed, _ = found(conversation([b"1"], close=False) + conversation([b"2"], start=9))
    assert [session.data for session in unclosed] == [b"1", b"2"]


def test_a_repeated_syn_is_none():
    frames = conversation([b"1"])
    (session,), _ = found(frames[:1] + frames)
    assert session.data == b"1"


def test_a_reset_ends_it_and_what_comes_after_is_not_part_of_it():
    frames = conversation([b"1", b"2"], close=False)
    (session,), tally = found([*frames, tcp(CLIENT, SERVER, flags=RST), tcp(SERVER, CLIENT, b"late", 9000)])
    assert session.data == b"12"
    assert tally["after the end"] == 1


def test_one_fin_is_half_an_end():
    frames = conversation([b"1"], close=False)
    seq = 1002
    frames += [tcp(CLIENT, SERVER, seq=seq, flags=FIN | ACK), tcp(SERVER, CLIENT, b"still here", 5001)]
    (session,), _ = found(frames)
    assert session.data == b"1still here"


def test_fins_that_overtake_data_wait_for_it():
    syn, both, one, two, three, fin, other_fin, last = conversation([b"12", b"34", b"56"])
    (session,), tally = found([syn, both, three, fin, other_fin, one, two, last])
    assert session.data == b"125634"
    assert tally["after the end"] == 1


def test_retransmissions_count_once():
    frames = conversation([b"abc", b"def"])
    (session,), _ = found([*frames[:3], frames[2], *frames[3:5], frames[3], *frames[5:]])
    assert session.data == b"abcdef"


@pytest.mark.parametrize(("make", "option", "timeout"), [(tcp, "tcp_timeout_s", 300), (udp, "udp_timeout_s", 60)])
def test_idle_time_ends_a_session(make, option, timeout):
    def two(gap, **options):
        return found([(0.0, make(CLIENT, SERVER, b"1")), (gap, make(SERVER, CLIENT, b"2"))], **options)[0]

    assert len(two(float(timeout))) == 1
    assert len(two(timeout + 0.5)) == 2
    assert len(two(9.0, **{option: 10})) == 1
    assert len(two(11.0, **{option: 10})) == 2


def test_sessions_end_in_the_order_of_their_idleness():
    frames = [(0.0, udp(CLIENT, SERVER, b"1")), (1.0, udp(OTHER, SERVER, b"2")), (2.0, udp(CLIENT, SERVER, b"3"))]
    ended, _ = found([*frames, (500.0, udp(OTHER, SERVER, b"4"))])
    assert [session.data for session in ended] == [b"2", b"13", b"4"]


def test_no_more_than_so_many_are_open():
    frames = [udp(("10.0.0.1", 1000 + number), SERVER, b"x") for number in range(10)]
    ended, tally = found(frames, max_open=3)
    assert len(ended) == 10
    assert tally["ended early"] == 7


def test_header_layers_keep_every_packet_as_it_came():
    frames = conversation([b"abc", b"def"])
    (link,), _ = found(frames, layers="all", mask=(), n_bytes=10_000)
    assert link.data == b"".join(frames[:-1])
    (network,), _ = found(frames, layers="ip", mask=(), n_bytes=10_000)
    assert network.data == b"".join(frame[14:] for frame in frames[:-1])


def test_masked_sessions_say_nothing_about_their_ends():
    one = conversation([b"abc"], vlans=(7,))
    other = conversation([b"abc"], ("192.168.7.8", CLIENT[1]), ("192.168.7.9", SERVER[1]), vlans=(8,))
    for layers in ("ip", "all"):
        (first,), _ = found(one, layers=layers)
        (second,), _ = found(other, layers=layers)
        assert first.data == second.data
        assert first.data != found(one, layers=layers, mask=())[0][0].data
    moved = conversation([b"abc"], ("192.168.7.8", 999), ("192.168.7.9", 443))
    (third,), _ = found(moved, layers="ip", mask=("ip", "ports"))
    assert third.data == found(one, layers="ip", mask=("ip", "ports"))[0][0].data


def test_reasons_are_counted():
    whole = udp(CLIENT, SERVER, b"1")
    ended, tally = found([whole, whole[:30], whole[:12], b"\0" * 14])
    assert len(ended) == 1
    assert tally == {
        "frames": 4,
        "packets": 1,
        "malformed: IPv4 header": 1,
        "malformed: link header": 1,
        "skipped: not IP": 1,
    }


@given(
    talks=st.lists(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), min_size=1, max_size=5),
    data=st.data(),
)
def test_every_talk_comes_out_whole_however_they_interleave(talks, data):
    ends = [("10.0.1.1", 2000 + number) for number in range(len(talks))]
    queues = [conversation(turns, end) for turns, end in zip(talks, ends, strict=True)]
    frames = []
    while any(queues):
        frames.append(data.draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
    ended, _ = found([(0.001 * at, frame) for at, frame in enumerate(frames)])
    by_end = {session.source: session.data for session in ended}
    assert len(ended) == len(talks)
    for turns, end in zip(talks, ends, strict=True):
        assert by_end[ip(end[0]) + end[1].to_bytes(2, "big")] == b"".join(turns)


def test_memory_is_that_of_the_open_sessions():
    def peak(count, timeout):
        stream = (
            Frame(float(n), 1, udp(("10.0.0.1", n % 60_000), (f"10.0.{n // 60_000}.2", 53), b"x" * 500), 0)
            for n in range(count)
        )
        tracemalloc.start()
        try:
            found = sum(1 for _ in sessions(stream, CaptureOptions(udp_timeout_s=timeout), Counter()))
            return found, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, short = peak(80, 20.0)
    many, long = peak(600, 20.0)
    all_open, everything = peak(600, 1e9)
    assert (few, many, all_open) == (80, 600, 600)
    assert long < 1.5 * short
    assert everything > 10 * long


TRAFFIC = [
    *conversation([b"GET /", b"200 OK"]),
    udp(CLIENT, SERVER, b"ask"),
    tcp(("fd00::1", 7), ("fd00::2", 9), b"six"),
]


@given(data=st.data(), layers=st.sampled_from(["payload", "ip", "all"]), link=st.sampled_from([1, 101, 113]))
def test_no_frames_are_an_error(data, layers, link):
    stream = []
    for frame in data.draw(st.lists(st.sampled_from(TRAFFIC), max_size=12)):
        changed = bytearray(frame)
        for place in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=2)):
            changed[place] = data.draw(st.integers(0, 255))
        time = data.draw(st.floats(0, 1e9))
        stream.append(Frame(time, link, bytes(changed[: data.draw(st.integers(0, len(frame)))]), len(frame)))
    tally = Counter()
    ended = list(sessions(stream, CaptureOptions(layers=layers, n_bytes=20, max_open=3), tally))
    assert all(len(session.data) <= 20 for session in ended)
    reasons = sum(count for reason, count in tally.items() if reason.startswith(("malformed", "skipped")))
    assert tally["frames"] == len(stream) == tally["packets"] + reasons
    assert sum(session.packets for session in ended) + tally["after the end"] == tally["packets"]
