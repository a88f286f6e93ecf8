"""How an analysis is shown on a terminal."""

from rich.table import Table

from tinynas.cli.console import console, table
from tinynas.cli.formats import size
from tinynas.hardware import Estimate, Target
from tinynas.tflite import Analysis


def show_analysis(name: str, analysis: Analysis, target: Target | None) -> None:
    """Print a table an operator, the three definitions of RAM, Flash, time, and the verdict."""
    screen = console()
    screen.print(_operators(name, analysis))
    screen.print(_figures(analysis, target))
    if analysis.fits is None:
        return
    where = "the limits" if target is None else target.name
    if analysis.fits:
        screen.print(f"[bold green]fits[/] {where}")
        return
    screen.print(f"[bold red]does not fit[/] {where}:")
    for violation in analysis.violations:
        screen.print(f"  {violation}", markup=False, highlight=False)


def show_matrix(rows: list[tuple[Target, Analysis]]) -> None:
    """Print a model against boards: one row each, with the verdict."""
    boards = table("The model on every board", "target, >arena B, >of RAM, >Flash B, >of Flash, >ms, *fits")
    for target, analysis in rows:
        footprint, mark = analysis.footprint, "" if analysis.arena_status == "exact" else " ~"
        boards.add_row(
            target.name,
            size(footprint.arena_bytes) + mark,
            f"{100 * (footprint.arena_bytes + footprint.ram_outside_bytes) / target.ram_bytes:.1f} %",
            size(footprint.flash.total),
            f"{100 * footprint.flash.total / target.flash_bytes:.1f} %",
            "-" if analysis.latency is None else f"{analysis.latency.value:.3g}",
            "[green]yes[/]" if analysis.fits else "[red]no: " + ", ".join(v.limit for v in analysis.violations),
        )
    screen = console()
    screen.print(boards)
    screen.print("~ estimated: computed with the nearest kernels that have been measured. ms is an estimate.")


def _operators(name: str, analysis: Analysis) -> Table:
    rows = table(
        f"{name}, kernels {analysis.kernels}", ">#, *operator, output, >live B, >MACs, >instructions, >weights B"
    )
    for number, operator in enumerate(analysis.operators):
        rows.add_row(
            str(number),
            operator.name,
            "x".join(map(str, operator.output_shape[1:])),
            size(operator.live_bytes),
            size(operator.macs),
            size(operator.instructions),
            size(operator.weights_bytes),
        )
    return rows


def _figures(analysis: Analysis, target: Target | None) -> Table:
    footprint, arena = analysis.footprint, analysis.arena
    rows = table(None, "figure, >value, *what it is")
    rows.add_row("largest tensor", f"{size(footprint.largest_tensor_bytes)} B", "RAM by the crudest definition")
    rows.add_row("live peak", f"{size(footprint.live_bytes_peak)} B", "RAM by liveness: a lower bound")
    rows.add_row(
        "arena",
        f"{size(arena.minimum)} B",
        f"RAM as TFLM needs it, {analysis.arena_status}: head {size(arena.head)}, tail {size(arena.tail)}, "
        f"used {size(arena.used)}",
    )
    rows.add_row("beside the arena", f"{size(footprint.ram_outside_bytes)} B", "interpreter, resolver, stack")
    rows.add_row("model file", f"{size(footprint.flash.model)} B", "Flash of the .tflite")
    rows.add_row(
        "TFLM's code",
        f"{size(footprint.flash.runtime)} B",
        f"Flash of runtime and kernels, +/- {100 * analysis.runtime.error:.0f} %",
    )
    rows.add_row("Flash in all", f"{size(footprint.flash.total)} B", "model file and code")
    rows.add_row("parameters", size(footprint.params), f"{size(footprint.macs)} MACs")
    on = "" if target is None else f" on {target.name}"
    rows.add_row("latency", _estimate(analysis.latency, "ms"), f"estimate{on}")
    rows.add_row("energy", _estimate(analysis.energy, "mJ"), f"estimate{on}, an inference")
    return rows


def _estimate(value: Estimate | None, unit: str) -> str:
    return "-" if value is None else f"{value.value:.3g} {unit} +/- {100 * value.error:.0f} %"
