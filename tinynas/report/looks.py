"""How every chart of the page looks: its colours, its axes, what it shows when it is pointed at.

Marks have colours that stand on light and on dark paper; axes, grids and texts take the page's by CSS variables.
"""

from typing import Any

from bokeh.models import HoverTool, NumeralTickFormatter
from bokeh.plotting import figure

BLUE, ORANGE, GREEN, GREY, PLUM = "#2f7ebd", "#d9661f", "#14936c", "#8a9099", "#a9609b"
_RUNGS = (BLUE, PLUM, "#b07d12", "#3a9aa6", "#7a7fd0")
_MARKERS = ("circle", "triangle", "inverted_triangle", "diamond", "hex")
_STYLE = """
:host {
  --bk-major-label-text-color: var(--muted); --bk-axis-label-text-color: var(--muted);
  --bk-axis-line-color: var(--rule); --bk-major-tick-line-color: var(--rule); --bk-minor-tick-line-color: transparent;
  --bk-grid-line-color: var(--hair); --bk-outline-line-color: transparent;
  --bk-background-fill-color: transparent; --bk-border-fill-color: transparent;
  --bk-major-label-text-font: var(--font); --bk-axis-label-text-font: var(--font);
  --bk-major-label-text-font-size: 11px; --bk-axis-label-text-font-size: 12px;
  --bk-axis-label-text-font-style: normal;
}
"""
_TIP = """<div class="tip" style="margin:-6px;padding:8px 10px;max-width:300px;color:var(--ink);background:var(--card);
font:12px/1.45 var(--font)">{}</div>"""


def mark_of(place: int, full: bool) -> tuple[str, str]:
    """Return the colour and the marker of the group at `place`; what is trained in full has its own."""
    if full:
        return GREEN, "square"
    return _RUNGS[place % len(_RUNGS)], _MARKERS[place % len(_MARKERS)]


def chart_of(name: str, height: int, **options: Any) -> figure:
    """Return an empty chart with the page's looks; it never takes a finger's scrolling for itself."""
    chart = figure(
        name=name, height=height, sizing_mode="stretch_width", tools="", toolbar_location=None, min_border_right=14,
        **options,
    )  # fmt: skip
    chart.stylesheets = [_STYLE]
    chart.yaxis.formatter = NumeralTickFormatter(format="0.[00]")
    chart.xaxis.formatter = NumeralTickFormatter(format="0.[00]")
    chart.axis.minor_tick_line_color = None
    chart.xaxis.axis_label_standoff = chart.yaxis.axis_label_standoff = 8
    chart.outline_line_color = None
    return chart


def hover(marks: Any, text: str) -> HoverTool:
    """Return what shows `text`, HTML with @columns, at the mark that is pointed at."""
    return HoverTool(
        renderers=[marks], tooltips=_TIP.format(text), point_policy="snap_to_data", attachment="above", limit=2
    )
