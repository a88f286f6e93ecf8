"""The memory timeline: what is written in it, that it is repeatable, and where the head is full."""

import re
from pathlib import Path

import pytest

from tinynas.errors import UsageError
from tinynas.tflite import analyze
from tinynas.tflite.plot import _text_in, memory_timeline, peak_times, timeline_figure

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"


def analysis(name: str = "ci_res16_avg_b1"):
    return analyze((ARENA / f"{name}.tflite").read_bytes())


def words(path: Path) -> set[str]:
    """All texts of an SVG: it draws letters as paths and says the text in a comment before them."""
    return set(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))


def test_an_analysis_shows_its_figures(tmp_path: Path) -> None:
    found = analysis()
    path = tmp_path / "timeline.svg"
    memory_timeline(found, path, title="a residual net")
    seen = words(path)
    arena = found.arena
    assert {
        "a residual net",
        f"head {arena.head:,} B",
        f"tail {arena.tail:,} B",
        f"arena {arena.minimum:,} B (exact, cmsis_nn)",
    } <= seen
    assert {f"{operator.name} {number}" for number, operator in enumerate(found.operators)} | {"input"} <= seen
    large = [b for b in found.plan.buffers if b.tensor is not None and b.bytes > 0.1 * arena.head]
    assert len(large) >= 5
    assert all(any(f"{buffer.bytes:,}" in text for text in seen) for buffer in large)


def test_a_plan_alone_shows_the_head(tmp_path: Path) -> None:
    path = tmp_path / "timeline.svg"
    memory_timeline(analysis().plan, path)
    seen = words(path)
    assert f"head {analysis().arena.head:,} B" in seen
    assert "operator 0" in seen
    assert not any(text.startswith(("tail", "arena")) for text in seen)


def test_each_buffer_has_its_rectangle(tmp_path: Path) -> None:
    """Their areas in the SVG stand in the ratio of bytes times the steps that they are alive."""
    plan = analysis().plan
    path = tmp_path / "timeline.svg"
    memory_timeline(plan, path)
    blue = re.findall(r'<path d="([^"]*)"[^>]*style="fill: #8fb8de; stroke: #ffffff', path.read_text(encoding="utf-8"))
    areas = []
    for outline in blue:
        points = [tuple(map(float, pair)) for pair in re.findall(r"[ML] (\S+) (\S+)", outline)]
        xs, ys = zip(*points, strict=True)
        areas.append((max(xs) - min(xs)) * (max(ys) - min(ys)))
    tensors = [buffer for buffer in plan.buffers if buffer.tensor is not None]
    expected = [-(-buffer.bytes // 16) * 16 * (buffer.last - buffer.first + 1) for buffer in tensors]
    assert len(areas) == len(expected)
    unit = sum(areas) / sum(expected)
    assert areas == pytest.approx([unit * area for area in expected], rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_files_are_repeatable(tmp_path: Path, kind: str) -> None:
    one, other = tmp_path / f"one.{kind}", tmp_path / f"other.{kind}"
    memory_timeline(analysis(), one)
    memory_timeline(analysis(), str(other))
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().startswith(b"\x89PNG" if kind == "png" else b"<?xml")


@pytest.mark.parametrize("name", ["ci_res16_avg_b1", "vw_mobilenetish_b1", "mn_concat", "s_dense16"])
def test_the_head_is_full_where_the_peak_times_say(name: str) -> None:
    plan = analysis(name).plan
    ends = {
        time: max(
            (
                offset + -(-buffer.bytes // 16) * 16
                for buffer, offset in zip(plan.buffers, plan.offsets, strict=True)
                if buffer.first <= time <= buffer.last
            ),
            default=0,
        )
        for time in range(len(analysis(name).operators) + 1)
    }
    assert peak_times(plan) == tuple(time for time, end in ends.items() if end == max(ends.values()))


@pytest.mark.parametrize("file", ["timeline.pdf", "timeline", "absent/timeline.png"])
def test_files_that_cannot_be_written(tmp_path: Path, file: str) -> None:
    with pytest.raises(UsageError, match=r"as \.png or \.svg|cannot be written"):
        memory_timeline(analysis(), tmp_path / file)


@pytest.mark.parametrize("name", ["ci_res16_avg_b1", "vw_mobilenetish_b1", "s_dense16"])
def test_no_label_is_larger_than_its_buffer(name: str) -> None:
    """Measured by matplotlib on the drawn figure; the buffers of one operator lie one above the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = timeline_figure(analysis(name))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes = figure.axes[0]
    boxes = [patch.get_window_extent(canvas.get_renderer()) for patch in axes.patches if patch.get_edgecolor()[0] == 1]
    labels = [text for text in axes.texts if text.get_text()]
    for text in labels:
        around = text.get_window_extent(canvas.get_renderer())
        x, y = axes.transData.transform(text.get_position())
        box = next(box for box in boxes if box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1)
        assert box.x0 - 1 <= around.x0
        assert around.x1 <= box.x1 + 1
        assert box.y0 - 1 <= around.y0
        assert around.y1 <= box.y1 + 1


def test_a_label_is_the_fullest_that_fits() -> None:
    assert _text_in("#3", "1,024", 100, 100) == ("#3\n1,024", False)
    assert _text_in("#3", "1,024", 100, 10) == ("#3: 1,024", False)
    assert _text_in("#3", "1,024", 25, 10) == ("1,024", False)
    assert _text_in("#3", "1,024", 10, 60) == ("#3: 1,024", True)
    assert _text_in("#3", "1,024", 5, 5) == ("", False)
