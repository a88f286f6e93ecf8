"""The labels of captures: rows, what they match, and what is wrong with a file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.captures.traffic import ip
from tinynas.data.captures import Session, read_labels
from tinynas.data.captures.labels import Matcher, Row, _network
from tinynas.errors import DataError


def labels(tmp_path, text):
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    return read_labels(tmp_path / "labels.csv")


def session(protocol=6, source=("10.0.0.1", 40000), destination=("10.0.0.2", 80)):
    ends = (ip(host) + port.to_bytes(2, "big") for host, port in (source, destination))
    return Session(protocol, *ends, 0.0, 1, b"x")


def label(found, capture, a_session):
    row = found.of(Path(capture)).first(a_session)
    return None if row is None else row.label


def test_patterns_name_captures(tmp_path):
    found = labels(tmp_path, "\ufeffcapture, label\nweb*.pcap,web\nold/x.pcap,old\n*,rest\n")
    assert label(found, "a/web1.pcap", session()) == "web"
    assert label(found, "web1.pcap.gz", session()) == "web"
    assert label(found, "a/old/x.pcap", session()) == "old"
    assert label(found, "x.pcap", session()) == "rest"
    assert found.classes == ("web", "old", "rest")


@pytest.mark.parametrize(
    ("row", "matches"),
    [
        (",,,,", True),
        ("tcp,,,,", True),
        ("udp,,,,", False),
        ("17,,,,", False),
        (",10.0.0.1,,,", True),
        (",10.0.0.2,,,", True),
        (",10.0.0.2,80,,", True),
        (",10.0.0.2,40000,,", False),
        (",,80,,", True),
        (",,,,80", True),
        (",,80,,80", False),
        (",10.0.0.0/24,,10.0.0.0/24,", True),
        (",10.0.0.1,40000,10.0.0.2,80", True),
        (",10.0.0.2,80,10.0.0.1,40000", True),
        (",10.0.0.1,80,10.0.0.2,40000", False),
        (",fd00::/8,,,", False),
    ],
)
def test_rows_match_sessions_whichever_end_comes_first(tmp_path, row, matches):
    found = labels(tmp_path, f"capture,label,protocol,src,src_port,dst,dst_port\n*,yes,{row}\n*,no,,,,,\n")
    assert label(found, "x.pcap", session()) == ("yes" if matches else "no")
    turned = session(source=("10.0.0.2", 80), destination=("10.0.0.1", 40000))
    assert label(found, "x.pcap", turned) == ("yes" if matches else "no")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'capture'"),
        ("capture\nx\n", "no column 'label'"),
        ("capture,label,ttl\n", "unknown column 'ttl'"),
        ("capture,label,label\n", "twice"),
        ("capture,label\n", "no rows"),
        ("capture,label\nx\n", "line 2: label is empty"),
        ("capture,label\n,web\n", "line 2: capture is empty"),
        ("capture,label\nx,y,z\n", "line 2: has more cells"),
        ("capture,label,protocol\nx,y,icmp\n", "protocol is 'icmp'"),
        ("capture,label,src\nx,y,10.0.0.300\n", "'10.0.0.300' is neither"),
        ("capture,label,src_port\nx,y,99999\n", "port is '99999'"),
        ("capture,label,src_port\nx,y,-1\n", "port is '-1'"),
        ('capture,label\n"x,y\n', "cannot be read as CSV"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, text, said):
    with pytest.raises(DataError) as error:
        labels(tmp_path, text)
    assert said in str(error.value)
    assert "labels.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_and_no_text_are_one_sentence(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_labels(tmp_path / "gone.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_labels(tmp_path / "bytes.csv")


def test_a_row_that_names_no_capture_is_said(tmp_path):
    found = labels(tmp_path, "capture,label\nweb.pcap,web\nmial.pcap,mail\n")
    with pytest.raises(DataError, match=r"line 3: no capture is called 'mial\.pcap'; the captures are web\.pcap"):
        found.check([Path("a/web.pcap")])
    found.check([Path("web.pcap"), Path("mial.pcap")])


ADDRESSES = st.sampled_from(["", "10.0.0.1", "10.0.0.2", "10.0.0.0/24", "fd00::1"])
ENDS = st.tuples(ADDRESSES.map(lambda text: _network(text, "")), st.sampled_from([None, 1, 2]))
ROWS = st.builds(Row, st.just(1), st.just("*"), st.just("x"), st.sampled_from([None, 6, 17]), st.tuples(ENDS, ENDS))
SESSIONS = st.builds(
    session,
    st.sampled_from([6, 17]),
    *(st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]), st.sampled_from([1, 2, 3])) for _ in range(2)),
)


@given(rows=st.lists(ROWS, max_size=8), asked=st.lists(SESSIONS, min_size=1, max_size=8))
def test_looking_up_finds_what_reading_all_rows_finds(rows, asked):
    matcher = Matcher(rows)
    for each in asked:
        found = matcher.first(each)
        wanted = next((row for row in rows if row.matches(each)), None)
        assert found is wanted


def test_many_rows_are_not_compared_one_by_one():
    rows = [
        Row(n, "*", "x", None, ((_network(f"10.1.{n // 250}.{n % 250}", ""), 7), (_network("10.0.0.2", ""), 80)))
        for n in range(5_000)
    ]
    matcher = Matcher(rows)
    compared = []
    original = Row.matches
    try:
        Row.matches = lambda row, a_session: compared.append(row) or original(row, a_session)
        for n in range(0, 5_000, 97):
            assert matcher.first(session(source=(f"10.1.{n // 250}.{n % 250}", 7))) is rows[n]
    finally:
        Row.matches = original
    assert len(compared) == len(range(0, 5_000, 97))
