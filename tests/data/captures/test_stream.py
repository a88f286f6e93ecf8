"""One direction of a TCP session: whatever the order and however often, the bytes come out once and in order."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tinynas.data.captures.packets import SYN
from tinynas.data.captures.stream import Stream


def fed(segments, room=10_000, start=None):
    stream = Stream(room)
    out = b"" if start is None else stream.take(start - 1, b"", 0, SYN)
    for sequence, data in segments:
        out += stream.take(sequence % 2**32, data, len(data), 0)
    return out + stream.rest()


@given(text=st.binary(min_size=1, max_size=60), data=st.data(), start=st.sampled_from([1, 2**32 - 20, 2**31 - 5]))
def test_any_order_and_any_repetition(text, data, start):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)), max_size=8)) | {0, len(text)})
    whole = [(start + a, text[a:b]) for a, b in pairwise(cuts)]
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    again = [(start + a, text[a:b]) for a, b in data.draw(st.lists(spans, max_size=4))]
    order = data.draw(st.permutations(whole + again))
    assert fed(order, start=start) == text


def test_a_gap_is_left_out_at_the_end():
    assert fed([(0, b"ab"), (10, b"kl"), (4, b"ef")]) == b"abefkl"


def test_a_gap_is_given_up_when_too_much_waits():
    stream = Stream(8)
    assert stream.take(0, b"ab", 2, 0) == b"ab"
    assert stream.take(3, b"d" * 5, 5, 0) == b""
    assert stream.lacks(3)
    assert stream.take(8, b"e" * 5, 5, 0) == b"dddddeeeee"
    assert not stream.lacks(13)
    assert stream.lacks(14)
    assert stream.take(2, b"c", 1, 0) == b""  # too late


def test_many_small_segments_do_not_wait_for_ever():
    stream = Stream(10_000)
    stream.take(0, b"a", 1, 0)
    out = b"".join(stream.take(2 + 2 * number, b"b", 1, 0) for number in range(65))
    assert out == b"b" * 65


def test_a_segment_cut_by_the_snapshot_is_no_gap():
    stream = Stream(100)
    assert stream.take(0, b"ab", 10, 0) + stream.take(10, b"cd", 2, 0) == b"abcd"


def test_a_keep_alive_adds_nothing():
    stream = Stream(100)
    assert stream.take(0, b"abc", 3, 0) + stream.take(2, b"\0", 1, 0) + stream.take(3, b"d", 1, 0) == b"abcd"
