"""How an analysis is shown on a terminal."""

from rich.console import Console
from rich.table import Table

from tinynas.cli.formats import size
from tinynas.hardware import Estimate, Target
from tinynas.tflite import Analysis


def show_analysis(name: str, analysis: Analysis, target: Target | None) -> None:
    """Print a table an operator, the three definitions of RAM, Flash, time, and the verdict."""
    console = Console()
    console.print(_operators(name, analysis))
    console.print(_figures(analysis, target))
    if analysis.fits is None:
        return
    where = "the limits" if target is None else target.name
    if analysis.fits:
        console.print(f"[bold green]fits[/] {where}")
        return
    console.print(f"[bold red]does not fit[/] {where}:")
    for violation in analysis.violations:
        console.print(f"  {violation}", markup=False, highlight=False)


def show_matrix(rows: list[tuple[Target, Analysis]]) -> None:
    """Print a model against boards: one row each, with the verdict."""
    table = Table(title="The model on every board", title_justify="left")
    table.add_column("target")
    for column in ("arena, B", "of RAM", "Flash, B", "of Flash", "ms"):
        table.add_column(column, justify="right")
    table.add_column("fits")
    for target, analysis in rows:
        footprint, mark = analysis.footprint, "" if analysis.arena_status == "exact" else " ~"
        table.add_row(
            target.name,
            size(footprint.arena_bytes) + mark,
            f"{100 * (footprint.arena_bytes + footprint.ram_outside_bytes) / target.ram_bytes:.1f} %",
            size(footprint.flash.total),
            f"{100 * footprint.flash.total / target.flash_bytes:.1f} %",
            "-" if analysis.latency is None else f"{analysis.latency.value:.3g}",
            "[green]yes[/]" if analysis.fits else "[red]no: " + ", ".join(v.limit for v in analysis.violations),
        )
    console = Console()
    console.print(table)
    console.print("~ estimated: computed with the nearest kernels that have been measured. ms is an estimate.")


def _operators(name: str, analysis: Analysis) -> Table:
    table = Table(title=f"{name}, kernels {analysis.kernels}", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("operator")
    table.add_column("output")
    for column in ("live, B", "MACs", "instructions", "weights, B"):
        table.add_column(column, justify="right")
    for number, operator in enumerate(analysis.operators):
        table.add_row(
            str(number),
            operator.name,
            " x ".join(map(str, operator.output_shape)),
            size(operator.live_bytes),
            size(operator.macs),
            size(operator.instructions),
            size(operator.weights_bytes),
        )
    return table


def _figures(analysis: Analysis, target: Target | None) -> Table:
    footprint, arena = analysis.footprint, analysis.arena
    table = Table(show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("what it is")
    table.add_row("largest tensor", f"{size(footprint.largest_tensor_bytes)} B", "RAM by the crudest definition")
    table.add_row("live peak", f"{size(footprint.live_bytes_peak)} B", "RAM by liveness: a lower bound")
    table.add_row(
        "arena",
        f"{size(arena.minimum)} B",
        f"RAM as TFLM needs it, {analysis.arena_status}: head {size(arena.head)}, tail {size(arena.tail)}, "
        f"used {size(arena.used)}",
    )
    table.add_row("beside the arena", f"{size(footprint.ram_outside_bytes)} B", "interpreter, resolver, stack")
    table.add_row("model file", f"{size(footprint.flash.model)} B", "Flash of the .tflite")
    table.add_row(
        "TFLM's code",
        f"{size(footprint.flash.runtime)} B",
        f"Flash of runtime and kernels, +/- {100 * analysis.runtime.error:.0f} %",
    )
    table.add_row("Flash in all", f"{size(footprint.flash.total)} B", "model file and code")
    table.add_row("parameters", size(footprint.params), f"{size(footprint.macs)} MACs")
    on = "" if target is None else f" on {target.name}"
    table.add_row("latency", _estimate(analysis.latency, "ms"), f"estimate{on}")
    table.add_row("energy", _estimate(analysis.energy, "mJ"), f"estimate{on}, an inference")
    return table


def _estimate(value: Estimate | None, unit: str) -> str:
    return "-" if value is None else f"{value.value:.3g} {unit} +/- {100 * value.error:.0f} %"
