"""The greedy plan against TFLM's own algorithm, told with its linked list, and the checks of a plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ModelError
from tinynas.tflite.lifetimes import Buffer
from tinynas.tflite.planner import (
    align_up,
    greedy_plan,
    head_bytes,
    lower_bound,
    place_in_order,
    verify_no_overlap,
)
from tinynas.tflite.search_plan import smallest_plan


def buffer(size: int, first: int, last: int, tensor: int | None = None) -> Buffer:
    return Buffer(f"buffer {size}", size, first, last, tensor=tensor)


@st.composite
def buffer_lists(draw: st.DrawFn, most: int = 14) -> list[Buffer]:
    spans = draw(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9), st.integers(0, 4)), max_size=most))
    return [buffer(size, first, first + length, index) for index, (size, first, length) in enumerate(spans)]


def tflm_greedy(buffers: list[Buffer], offline: list[int]) -> list[int]:
    """greedy_memory_planner.cc, step by step: bubble sort, linked list of entries, first gap."""
    n = len(buffers)
    sizes = [align_up(b.bytes) for b in buffers]
    ids, tail, head = [0] * n, n, 0
    offsets = [-1] * n
    for i in range(n):
        if offline[i] == -1:
            tail -= 1
            ids[tail] = i
        else:
            ids[head], offsets[i] = i, offline[i]
            head += 1
    swapped = True
    while swapped:
        swapped = False
        for k in range(head + 1, n):
            if sizes[ids[k - 1]] < sizes[ids[k]]:
                ids[k - 1], ids[k] = ids[k], ids[k - 1]
                swapped = True
    entries: list[tuple[int, int]] = []  # (offset, id) in list order
    for place, i in enumerate(ids):
        if offline[i] == -1 and place > 0:
            candidate, prior = 0, None
            active = [e for e in entries if buffers[e[1]].alive_with(buffers[i])]
            while True:
                following = active[0 if prior is None else prior + 1 :]
                if prior is not None:
                    candidate = max(candidate, active[prior][0] + sizes[active[prior][1]])
                if not following or following[0][0] - candidate >= sizes[i]:
                    break
                prior = 0 if prior is None else prior + 1
            offsets[i] = candidate
        elif offline[i] == -1:
            offsets[i] = 0
        at = next((k for k, e in enumerate(entries) if e[0] > offsets[i]), len(entries))
        entries.insert(at, (offsets[i], i))
    return offsets


@given(buffer_lists(), st.data())
def test_greedy_is_tflms(buffers, data):
    offline = [data.draw(st.sampled_from([-1, -1, 0, 16, 160, 1024])) for _ in buffers]
    assert list(greedy_plan(buffers, offline)) == tflm_greedy(buffers, offline)


@given(buffer_lists())
def test_online_plans_are_sound(buffers):
    offsets = greedy_plan(buffers)
    verify_no_overlap(buffers, offsets)
    assert all(offset % 16 == 0 for offset in offsets)
    assert head_bytes(buffers, offsets) >= lower_bound(buffers)


@given(buffer_lists())
def test_the_search_is_sound_and_never_worse(buffers):
    offsets = smallest_plan(buffers, budget=2000)
    verify_no_overlap(buffers, offsets)
    assert lower_bound(buffers) <= head_bytes(buffers, offsets) <= head_bytes(buffers, greedy_plan(buffers))


@given(buffer_lists(most=5))
def test_the_search_finds_the_best_of_all_orders(buffers):
    from itertools import permutations

    orders = permutations(range(len(buffers)))
    best = min(head_bytes(buffers, place_in_order(buffers, order)) for order in orders)
    assert head_bytes(buffers, smallest_plan(buffers, budget=10**7)) == best


def test_the_largest_goes_first_and_of_equals_the_last():
    buffers = [buffer(16, 0, 1), buffer(32, 0, 1), buffer(16, 0, 1)]
    assert greedy_plan(buffers) == (48, 0, 32)


def test_buffers_of_other_times_share_bytes():
    assert greedy_plan([buffer(64, 0, 1), buffer(64, 2, 3)]) == (0, 0)


def test_no_buffers_need_no_head():
    assert greedy_plan([]) == ()
    assert head_bytes([], ()) == lower_bound([]) == 0
    assert smallest_plan([]) == ()


def test_an_overlap_names_both():
    with pytest.raises(ModelError, match=r"buffer 64 .*buffer 48 .*alive at the same time"):
        verify_no_overlap([buffer(64, 0, 2), buffer(48, 1, 3)], (0, 48))


def test_padding_may_be_shared():
    verify_no_overlap([buffer(40, 0, 2), buffer(48, 1, 3)], (0, 40))


def test_a_copy_may_lie_upon_its_source_and_nowhere_else():
    buffers = [buffer(64, 0, 1, tensor=5), buffer(64, 1, 2, tensor=7)]
    verify_no_overlap(buffers, (32, 32), {7: 5})
    with pytest.raises(ModelError, match="share a part"):
        verify_no_overlap(buffers, (32, 48), {7: 5})
    with pytest.raises(ModelError, match="share a part"):
        verify_no_overlap(buffers, (32, 32))


@pytest.mark.parametrize(("n_bytes", "padded"), [(0, 0), (1, 16), (16, 16), (17, 32)])
def test_align_up(n_bytes, padded):
    assert align_up(n_bytes) == padded
