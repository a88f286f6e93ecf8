"""Capture files as frames: what dpkt wrote is read back, and what is broken is counted."""

import gzip
import struct
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.captures.traffic import CLIENT, SERVER, pcap, pcapng, udp
from tinynas.data.captures import frames
from tinynas.data.captures.files import is_capture
from tinynas.errors import DataError

FRAMES = [(1.25, udp(CLIENT, SERVER, b"one")), (2.5, udp(SERVER, CLIENT, b"two!")), (2.5, b"")]


def read(path, data):
    path.write_bytes(data)
    tally = Counter()
    return list(frames(path, tally)), dict(tally)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "made",
    [
        pcap(FRAMES),
        pcap(FRAMES, little=True),
        pcap(FRAMES, nano=True),
        pcap(FRAMES, nano=True, little=True),
        pcapng(FRAMES),
    ],
    ids=["big", "little", "nano", "nano little", "pcapng"],
)
def test_frames_are_read_back(tmp_path, made, zipped):
    found, tally = read(tmp_path / "capture", gzip.compress(made) if zipped else made)
    assert [(frame.time, frame.data) for frame in found] == FRAMES
    assert {frame.link for frame in found} == {1}
    assert [frame.length for frame in found] == [len(data) for _, data in FRAMES]
    assert tally == {}


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


@pytest.mark.parametrize("order", "<>")
def test_pcapng_of_several_interfaces_and_sections(tmp_path, order):
    tsresol = struct.pack(order + "HHB3x", 9, 1, 9) + struct.pack(order + "HHq", 14, 8, 1000) + bytes(4)
    data = section(order)
    data += block(order, 1, struct.pack(order + "HHI", 1, 0, 0))
    data += block(order, 1, struct.pack(order + "HHI", 101, 0, 0) + tsresol)
    data += block(order, 5, b"statistics..")  # an unknown block is stepped over
    data += block(order, 6, struct.pack(order + "IIIII", 0, 0, 3_000_000, 3, 60) + b"abc")
    data += block(order, 6, struct.pack(order + "IIIII", 1, 0, 3_000_000_000, 2, 2) + b"de")
    data += block(order, 3, struct.pack(order + "I", 5) + b"simpl")
    data += block(order, 2, struct.pack(order + "HHIIII", 1, 0, 0, 5_000_000, 4, 4) + b"old!")
    other = "<" if order == ">" else ">"
    data += section(other) + block(other, 1, struct.pack(other + "HHI", 113, 0, 0))
    data += block(other, 6, struct.pack(other + "IIIII", 0, 0, 7_000_000, 1, 1) + b"x")
    found, tally = read(tmp_path / "capture", data)
    assert found == [
        (3.0, 1, b"abc", 60),
        (1003.0, 101, b"de", 2),
        (1003.0, 1, b"simpl", 5),
        (1000.005, 101, b"old!", 4),
        (7.0, 113, b"x", 1),
    ]
    assert tally == {}


def test_a_block_that_contradicts_itself_is_stepped_over(tmp_path):
    made = section("<") + block("<", 1, struct.pack("<HHI", 1, 0, 0))
    made += block("<", 6, struct.pack("<IIIII", 9, 0, 0, 1, 1) + b"x")  # there is no interface 9
    made += block("<", 6, struct.pack("<IIIII", 0, 0, 0, 999, 999) + b"x")  # longer than its block
    made += block("<", 6, struct.pack("<IIIII", 0, 0, 0, 1, 1) + b"y")
    found, tally = read(tmp_path / "capture", made)
    assert [frame.data for frame in found] == [b"y"]
    assert tally == {"malformed: pcapng block": 2}


@pytest.mark.parametrize("made", [pcap(FRAMES), pcapng(FRAMES), gzip.compress(pcap(FRAMES))], ids=["pcap", "ng", "gz"])
def test_every_cut_keeps_what_came_before(tmp_path, made):
    whole, _ = read(tmp_path / "capture", made)
    ends = Counter()
    for size in range(len(made)):
        found, tally = read(tmp_path / "capture", made[:size])
        assert found == whole[: len(found)]
        assert set(tally) <= {"file truncated", "file damaged"}
        ends.update(tally)
    assert ends["file truncated"] > 0.7 * len(made)


def test_lengths_that_cannot_be_end_the_file(tmp_path):
    made = pcap(FRAMES[:1]) + struct.pack(">IIII", 0, 0, 1 << 30, 1 << 30) + bytes(99)
    found, tally = read(tmp_path / "capture", made)
    assert len(found) == 1
    assert tally == {"file damaged": 1}
    for size in (0, 8, 13, 1 << 31):
        found, tally = read(tmp_path / "capture", pcapng(FRAMES[:1]) + struct.pack("<II", 6, size) + bytes(99))
        assert len(found) == 1
        assert tally == {"file damaged": 1}


def test_what_is_no_capture_is_named(tmp_path):
    (tmp_path / "notes.pcap").write_text("not a capture")
    with pytest.raises(DataError, match=r"notes\.pcap: is neither pcap nor pcapng"):
        list(frames(tmp_path / "notes.pcap", Counter()))
    with pytest.raises(DataError, match="gone"):
        list(frames(tmp_path / "gone", Counter()))


@given(
    start=st.sampled_from(
        [pcap(FRAMES), pcapng(FRAMES), pcap([])[:24], section("<"), gzip.compress(pcap(FRAMES)), b""]
    ),
    cut=st.integers(0, 400),
    noise=st.binary(max_size=200),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4),
)
def test_no_bytes_are_an_error(tmp_path_factory, start, cut, noise, flips):
    data = bytearray(start[:cut] + noise)
    for place, value in flips:
        if data:
            data[place % len(data)] ^= value
    path = tmp_path_factory.mktemp("noise") / "capture"
    path.write_bytes(data)
    if is_capture(path):
        assert sum(len(frame.data) for frame in frames(path, Counter())) <= 1032 * len(data)
    else:
        with pytest.raises(DataError, match="is neither pcap nor pcapng"):
            list(frames(path, Counter()))
