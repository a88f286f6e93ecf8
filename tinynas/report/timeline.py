"""The memory timeline: the arena's buffers over time, as a chart to point at."""

from typing import Any, Literal

from bokeh.models import ColumnDataSource, CustomJSTickFormatter, FixedTicker
from bokeh.models.annotations import Label, LabelSet, Span
from bokeh.plotting import figure

from tinynas.report.looks import BLUE, GREY, ORANGE, PLUM, chart_of, hover
from tinynas.report.words import bytes_text, number
from tinynas.tflite import Analysis, Graph
from tinynas.tflite.planner import align_up
from tinynas.tflite.plot import peak_times


def memory(graph: Graph, analysis: Analysis) -> figure:
    """Return the arena over time: operators downwards, bytes to the right, a bar a buffer, the peak's rows shaded."""
    plan, arena = analysis.plan, analysis.arena
    names = ["input", *(f"{n}  {operator.name.lower()}" for n, operator in enumerate(analysis.operators))]
    chart = chart_of(
        "memory", 90 + 24 * len(names), x_axis_label="KiB from the arena’s start", x_range=(0, 1.02 * arena.minimum),
        y_range=(len(names) - 0.5, -0.5), x_axis_location="above",
    )  # fmt: skip
    chart.yaxis.ticker = FixedTicker(ticks=list(range(len(names))))
    chart.yaxis.major_label_overrides = dict(enumerate(names))
    chart.ygrid.visible = False
    chart.xaxis.formatter = CustomJSTickFormatter(code="return (tick / 1024).toFixed(tick % 1024 ? 1 : 0)")
    chart.xaxis.ticker = FixedTicker(ticks=_byte_ticks(arena.minimum))
    peak = peak_times(plan)
    chart.quad(
        left=0, right=arena.minimum, top=[t - 0.5 for t in peak], bottom=[t + 0.5 for t in peak], color=ORANGE,
        fill_alpha=0.16, line_alpha=0,
    )  # fmt: skip
    tail = chart.quad(
        left=arena.minimum - arena.tail, right=arena.minimum, top=-0.5, bottom=len(names) - 0.5, color=GREY,
        fill_alpha=0.22, line_alpha=0,
    )  # fmt: skip
    chart.add_tools(hover(tail, f"<b>TFLM’s own structures</b><br>{bytes_text(arena.tail)} at the arena’s end"))
    source = ColumnDataSource(_buffers(graph, analysis))
    bars = chart.quad(
        left="left", right="right", top="top", bottom="bottom", source=source, fill_color="colour", fill_alpha=0.95,
        line_color="white", line_alpha=0.6,
    )  # fmt: skip
    tip = "<b>@name</b><br>@size_text, from byte @left_text<br>alive @life"
    chart.add_tools(hover(bars, tip))
    chart.add_layout(Span(location=plan.head, dimension="height", line_color=ORANGE, line_width=1.5))
    chart.add_layout(
        LabelSet(
            x="left", y="middle", text="short", source=source, x_offset=5, text_color="white", text_font_size="11px",
            text_baseline="middle",
        )
    )  # fmt: skip
    structures = f"TFLM’s structures {bytes_text(arena.tail)} "
    texts: tuple[tuple[float, float, int, str, Literal["left", "right"]], ...] = (
        (plan.head, plan.head, peak[0] if peak else 0, f" peak {bytes_text(plan.head)}", "left"),
        # from the right end, so that no narrow screen cuts its bytes
        (arena.minimum - arena.tail, arena.minimum, len(names) - 1, structures, "right"),
    )
    for start, x, y, text, side in texts:
        if start < 0.7 * arena.minimum:  # there is room for the text
            label = Label(x=x, y=y, text=text, text_font_size="11.5px", text_baseline="middle", text_align=side)
            label.stylesheets = [":host { --bk-text-color: var(--ink); --bk-text-font: var(--font); }"]
            chart.add_layout(label)
    return chart


def _buffers(graph: Graph, analysis: Analysis) -> dict[str, list[Any]]:
    plan, rows = analysis.plan, []
    labels = ["the input", *(f"operator {n}" for n in range(len(analysis.operators)))]
    for buffer, offset in zip(plan.buffers, plan.offsets, strict=True):
        first, last, scratch = max(buffer.first, 0), max(buffer.last, 0), buffer.tensor is None
        maker = analysis.operators[first - 1].name.lower() if first else "input"
        name = f"scratch of {first - 1} {maker}" if scratch else f"output of {first - 1} {maker}" if first else "input"
        shape = "" if buffer.tensor is None else "×".join(map(str, graph.tensors[buffer.tensor].shape[1:]))
        wide = buffer.bytes > 0.16 * analysis.arena.minimum
        rows.append(
            {
                "left": offset,
                "right": offset + align_up(buffer.bytes),
                "top": first - 0.42,
                "bottom": last + 0.42,
                "middle": first,
                "colour": PLUM if scratch else BLUE,
                "name": f"{name} {shape}".strip(),
                "short": number(buffer.bytes) if wide else "",
                "size_text": bytes_text(buffer.bytes),
                "left_text": number(offset),
                "life": f"at {labels[first]}" if first == last else f"from {labels[first]} to {labels[last]}",
            }
        )
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _byte_ticks(most: int) -> list[int]:
    """Return about six round numbers of bytes: powers of two, so that they are round in KiB."""
    step = 64
    while most / step > 7:
        step *= 2
    return list(range(0, most + 1, step))
