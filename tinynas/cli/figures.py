"""How an analysis is shown on a terminal."""

from rich.table import Table
from rich.text import Text

from tinynas.cli.console import console, table
from tinynas.cli.formats import size
from tinynas.hardware import Estimate, FrontEnd, Limits, Target
from tinynas.tflite import Analysis

Row = tuple[str, str, str]


def show_analysis(name: str, analysis: Analysis, target: Target | None) -> None:
    """Print a row an operator, the three definitions of RAM, Flash, time, and the verdict."""
    screen = console()
    screen.print(_operators(name, analysis))
    screen.print(_figures(analysis, target))
    if analysis.fits is None:
        return
    where = "the limits" if target is None else target.name
    if analysis.fits:
        screen.print(f"fits {where}", style="bold green")
        return
    screen.print(f"does not fit {where}:", style="bold red")
    for violation in analysis.violations:
        screen.print(f"  {violation}")


def front_end_words(front: FrontEnd, inference_ms: float | None) -> str:
    """What stands before the network, and how busy the core is with both."""
    said = f"{front.words}: RAM {size(front.ram_bytes)} B, Flash {size(front.flash_bytes)} B"
    if front.instructions_a_second is not None:
        said += f", about {front.instructions_a_second / 1e6:.3g} M instructions a second"
    load = front.load(inference_ms)
    return said if load is None else f"{said}; with the network {100 * load:.2g} % of the core's time"


def show_matrix(rows: list[tuple[Target, Analysis]]) -> None:
    """Print a model against boards: one row each, with the verdict."""
    boards = table("The model on every board", "target, >arena B, >of RAM, >Flash B, >of Flash, >ms, *fits")
    for target, analysis in rows:
        limits = target.limits
        footprint, mark = analysis.footprint, "" if analysis.arena_status == "exact" else " ~"
        boards.add_row(
            target.name,
            size(footprint.arena_bytes) + mark,
            f"{100 * footprint.ram_bytes / (limits.board_ram_bytes or 1):.1f} %",
            size(footprint.flash.total),
            f"{100 * footprint.flash.total / (limits.board_flash_bytes or 1):.1f} %",
            _estimate(analysis.latency),
            Text("yes", "green")
            if analysis.fits
            else Text("no: " + ", ".join(v.limit for v in analysis.violations), "red"),
        )
    screen = console()
    screen.print(boards)
    screen.print(
        "~ estimated: computed with the nearest kernels that have been measured. ms is an estimate, with its error."
    )
    screen.print("of RAM, of Flash: the share of what the board gives after its reserve.")
    errors = sorted(100 * analysis.runtime.error for _, analysis in rows)
    build, span = rows[0][1].build, f"+/- {errors[0]:.0f} to {errors[-1]:.0f} % by the kernels"
    screen.print(f"Flash: the model file and TFLM's code, build {build}, {span}.")


def _operators(name: str, analysis: Analysis) -> Table:
    """A row an operator; its time and energy, where the board's are known, have the error of the whole's."""
    columns = ">#, *operator, output, >live B, >MACs, >instructions, >weights B"
    title, time, work = f"{name}, kernels {analysis.kernels}", analysis.latency, analysis.energy
    if time is not None:
        columns, title = columns + ", >ms", f"{title}; ms: estimates, {_error(time)}"
    if work is not None:
        columns, title = columns + ", >mJ", f"{title}; mJ: {_error(work)}"
    rows = table(title, columns)
    for number, operator in enumerate(analysis.operators):
        estimates = [
            value for whole, value in ((time, operator.latency_ms), (work, operator.energy_mj)) if whole is not None
        ]
        rows.add_row(
            str(number),
            operator.name,
            "x".join(map(str, operator.output_shape[1:])),
            size(operator.live_bytes),
            size(operator.macs),
            size(operator.instructions),
            size(operator.weights_bytes),
            *(f"{value:.3g}" for value in estimates if value is not None),
        )
    return rows


def _figures(analysis: Analysis, target: Target | None) -> Table:
    footprint, arena, flash = analysis.footprint, analysis.arena, analysis.footprint.flash
    board = Limits() if target is None else target.limits
    head = f"head {size(arena.head)}, tail {size(arena.tail)}, used {size(arena.used)}"
    code = f"Flash of runtime and kernels, build {analysis.build}, {_error(analysis.runtime)}"
    built = "-Os" if "-Os" in analysis.build else "-O2"
    on = "" if target is None else f" on {target.name}, kernels built with {built}"
    how_long = f"estimate{on}"
    rests = target is not None and target.measured is not None
    if rests and analysis.latency is not None:
        how_long += f"; {analysis.latency.source}"
    if analysis.untimed:
        how_long = f"how long TFLM takes for {', '.join(analysis.untimed)} is not known"
    energy = f"estimate of an inference{on}"
    if target is None:
        how_long, energy = (f"{text}; name a board with --target" for text in (how_long, energy))
    elif analysis.energy is None and target.active_power_mw is None:
        energy = f"not known: {target.name} states no active_power_mw (see docs/targets.md)"
    rows = table(None, "figure, >value, *what it is")
    kept, added = ([], []) if analysis.front_end is None else _front_end(analysis.front_end)
    for figure, value, about in (
        ("largest tensor", f"{size(footprint.largest_tensor_bytes)} B", "RAM by the crudest definition"),
        ("live peak", f"{size(footprint.live_bytes_peak)} B", "RAM by liveness: a lower bound"),
        ("arena", f"{size(arena.minimum)} B", f"RAM as TFLM needs it, {analysis.arena_status}: {head}"),
        ("beside the arena", f"{size(footprint.ram_outside_bytes)} B", "interpreter, resolver, stack"),
        *kept,
        ("RAM in all", f"{size(footprint.ram_bytes)} B", f"the sum{_left(footprint.ram_bytes, board.board_ram_bytes)}"),
        ("model file", f"{size(flash.model)} B", "Flash of the .tflite"),
        ("TFLM's code", f"{size(flash.runtime)} B", code),
        *added,
        ("Flash in all", f"{size(flash.total)} B", f"the sum{_left(flash.total, board.board_flash_bytes)}"),
        ("parameters", size(footprint.params), f"{size(footprint.macs)} MACs"),
        ("latency", _estimate(analysis.latency, " ms"), how_long),
        ("energy", _estimate(analysis.energy, " mJ"), energy),
        *_times(analysis),
    ):
        rows.add_row(figure, value, about)
    return rows


def _front_end(front: FrontEnd) -> tuple[list[Row], list[Row]]:
    """What stands before the network: its rows of RAM, and of Flash."""
    parts = {"features": front.features_bytes, "ring": front.ring_bytes, "stream": front.stream_bytes}
    held = ", ".join(f"{name} {size(n)}" for name, n in parts.items() if n)
    code = f"C of {front.words}: code {size(front.code_bytes)} +/- {100 * front.code_error:.0f} %"
    return (
        [("front end", f"{size(front.ram_bytes)} B", f"what it keeps: {held}")],
        [("front end", f"{size(front.flash_bytes)} B", f"{code}, tables {size(front.tables_bytes)}")],
    )


def _times(analysis: Analysis) -> list[Row]:
    """How long the front end takes, and how busy the core is; instructions where no time is known."""
    front = analysis.front_end
    if front is None:
        return []
    piece = "step" if front.kind == "steps" else "frame"
    pushed = f"{size(front.push_instructions)} instructions, a window and its result {size(front.window_instructions)}"
    rows = [(f"a {piece}", _ms(front.push_ms, front.time_error), f"of the front end: {pushed}")]
    if front.instructions_a_second is not None:
        rows.append(("front end", f"{front.instructions_a_second / 1e6:.3g} M", "instructions a second"))
    if analysis.latency is None or front.answer_ms is None:
        return rows
    whole = analysis.latency.value + front.answer_ms
    rows.append(("to the answer", f"{whole:.3g} ms", f"after the last sample: a {piece}, window, inference, result"))
    load = front.load(analysis.latency.value)
    if load is not None and front.every_s is not None:
        every = f"a window every {1000 * front.stride * front.every_s:.0f} ms"
        rows.append(("load", f"{100 * load:.2g} %", f"of the core, {every}"))
    return rows


def _ms(value: float | None, error: float | None) -> str:
    return _estimate(None if value is None or error is None else Estimate(value, error), " ms")


def _left(used: int, allowed: int | None) -> str:
    """What is left of what the board gives after the target's reserve; nothing without a board."""
    if allowed is None:
        return ""
    room = f"{size(allowed - used)} B left" if used <= allowed else f"{size(used - allowed)} B too many"
    return f"; {room} of {size(allowed)} B after the reserve"


def _error(value: Estimate) -> str:
    return f"+/- {100 * value.error:.0f} %"


def _estimate(value: Estimate | None, unit: str = "") -> str:
    return "-" if value is None else f"{value.value:.3g}{unit} {_error(value)}"
