"""The memory timeline: every buffer of the arena's head as a rectangle over time and bytes, as PNG or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinynas.errors import UsageError
from tinynas.tflite.analyze import Analysis
from tinynas.tflite.arena import Plan
from tinynas.tflite.planner import align_up

_FORMATS = ("png", "svg")
_TENSOR, _SCRATCH, _PEAK, _ARENA, _TAIL = "#8fb8de", "#f0b67f", "#c0392b", "#333333", "#e4e4e4"
_MOST_TICKS = 60
_LETTER = 7  # points
_BESIDE, _HIGH = 3.0, 3.9  # inches of the figure's width that are no axes, and of the axes' height


def memory_timeline(source: Analysis | Plan, path: str | Path, *, title: str = "") -> None:
    """Draw the head of `source` into `path` (.png or .svg): time runs by operators, bytes upwards.

    The operators at which the head is full are marked. An Analysis adds the operators' names, the tail and the
    arena's size; a bare Plan has the head alone. UsageError for a file of another kind or one that cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _FORMATS:
        raise UsageError(f"{path}: a memory timeline is drawn as .png or .svg; give the file one of these endings")
    from matplotlib import rc_context

    figure = timeline_figure(source, title)
    with rc_context({"svg.hashsalt": "tinynas"}):  # the same plan gives the same file
        try:
            figure.savefig(path, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from error


def timeline_figure(source: Analysis | Plan, title: str = "") -> Any:
    """Return the matplotlib Figure that memory_timeline writes."""
    from matplotlib.figure import Figure

    plan = source if isinstance(source, Plan) else source.plan
    names = _operator_names(source)
    figure = Figure(figsize=(min(24.0, 5.0 + 0.32 * len(names)), 5.4), layout="constrained")
    axes = figure.add_subplot()
    _draw_peak(axes, plan)
    top = _draw_arena(axes, source) if isinstance(source, Analysis) else plan.head
    _draw_buffers(axes, plan, ((figure.get_figwidth() - _BESIDE) * 72 / len(names), _HIGH * 72 / max(top, 1)))
    _label(axes, names, top, title)
    return figure


def peak_times(plan: Plan) -> tuple[int, ...]:
    """The times (0: the input, k: operator k - 1) at which a buffer reaches the end of the head."""
    spans = [
        range(buffer.first, buffer.last + 1)
        for buffer, offset in zip(plan.buffers, plan.offsets, strict=True)
        if offset + align_up(buffer.bytes) == plan.head
    ]
    return tuple(sorted({time for span in spans for time in span}))


def _operator_names(source: Analysis | Plan) -> tuple[str, ...]:
    """What the ticks say: "input", then an operator each."""
    if isinstance(source, Plan):
        last = max((buffer.last for buffer in source.buffers), default=0)
        return ("input", *(f"operator {number}" for number in range(last)))
    return ("input", *(f"{operator.name} {number}" for number, operator in enumerate(source.operators)))


def _draw_buffers(axes: Any, plan: Plan, points: tuple[float, float]) -> None:
    """Draw the buffers; `points` are the points of paper that an operator and a byte have about."""
    from matplotlib.patches import Rectangle

    for buffer, offset in zip(plan.buffers, plan.offsets, strict=True):
        scratch = buffer.tensor is None
        corner, width, height = (buffer.first - 0.5, offset), buffer.last - buffer.first + 1, align_up(buffer.bytes)
        axes.add_patch(
            Rectangle(
                corner,
                width,
                height,
                facecolor=_SCRATCH if scratch else _TENSOR,
                edgecolor="white",
                hatch="///" if scratch else None,
                linewidth=1.0,
            )
        )
        name = "scratch" if scratch else f"#{buffer.tensor}"
        text, upright = _text_in(name, f"{buffer.bytes:,}", width * points[0], height * points[1])
        middle = (corner[0] + width / 2, offset + height / 2)
        axes.text(
            *middle, text, ha="center", va="center", fontsize=_LETTER, clip_on=True, rotation=90 if upright else 0
        )


def _text_in(name: str, size: str, width: float, height: float) -> tuple[str, bool]:
    """Return the text that fits a box of so many points, the fullest that does, and whether it stands upright."""
    for text in (f"{name}\n{size}", f"{name}: {size}", size):
        lines = text.split("\n")
        long, thick = 0.62 * _LETTER * max(map(len, lines)), 1.3 * _LETTER * len(lines)
        if long <= width and thick <= height:
            return text, False
        if long <= height and thick <= width:
            return text, True
    return "", False


def _draw_peak(axes: Any, plan: Plan) -> None:
    from matplotlib.patches import Rectangle

    times = peak_times(plan)
    for time in times:
        axes.add_patch(Rectangle((time - 0.5, 0), 1, plan.head, facecolor=_PEAK, alpha=0.15, linewidth=0, zorder=0))
    axes.plot(times, [plan.head] * len(times), "v", color=_PEAK, label="the head is full here")
    axes.axhline(plan.head, color=_PEAK, linewidth=1.2, label=f"head {plan.head:,} B")


def _draw_arena(axes: Any, analysis: Analysis) -> int:
    """The tail at the top of the arena, and the arena's size, which is given back."""
    arena = analysis.arena
    axes.axhspan(
        arena.minimum - arena.tail, arena.minimum, color=_TAIL, zorder=0, label=f"tail {arena.tail:,} B", linewidth=0
    )
    label = f"arena {arena.minimum:,} B ({analysis.arena_status}, {analysis.kernels})"
    axes.axhline(arena.minimum, color=_ARENA, linewidth=1.2, linestyle="--", label=label)
    return arena.minimum


def _label(axes: Any, names: tuple[str, ...], top: int, title: str) -> None:
    from matplotlib.patches import Patch
    from matplotlib.ticker import StrMethodFormatter

    axes.set(xlim=(-0.6, len(names) - 0.4), ylim=(0, 1.02 * max(top, 1)), ylabel="bytes from the arena's start")
    step = -(-len(names) // _MOST_TICKS)
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=90, fontsize=7)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(title, loc="left", fontsize=10)
    handles, _ = axes.get_legend_handles_labels()
    patches = [Patch(facecolor=_TENSOR, label="tensor (#number, bytes)"), Patch(facecolor=_SCRATCH, label="scratch")]
    axes.legend(handles=[*patches, *handles], loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
