"""The memory timeline against the plan that it draws."""

from tinynas.report import read_facts
from tinynas.report.timeline import memory
from tinynas.tflite.planner import align_up


def test_every_buffer_is_a_bar_where_and_when_it_lives(ended):
    model = read_facts(ended).model
    plan = model.analysis.plan
    bars = next(r.data_source.data for r in memory(model.graph, model.analysis).renderers if _is_bars(r))
    assert len(bars["left"]) == len(plan.buffers)
    for place, (buffer, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        assert bars["left"][place] == offset
        assert bars["right"][place] == offset + align_up(buffer.bytes)
        assert round(bars["top"][place]) == buffer.first
        assert round(bars["bottom"][place]) == buffer.last
        assert bars["name"][place].startswith("scratch of") == (buffer.tensor is None)
        assert bars["size_text"][place].replace("\N{NO-BREAK SPACE}", " ") == f"{buffer.bytes:,} B"
    assert max(bars["right"]) == plan.head


def test_no_two_bars_overlap(ended):
    model = read_facts(ended).model
    bars = next(r.data_source.data for r in memory(model.graph, model.analysis).renderers if _is_bars(r))
    boxes = list(zip(bars["left"], bars["right"], bars["top"], bars["bottom"], strict=True))
    for n, (left, right, top, bottom) in enumerate(boxes):
        for other_left, other_right, other_top, other_bottom in boxes[n + 1 :]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top


def _is_bars(renderer):
    return "name" in renderer.data_source.data
