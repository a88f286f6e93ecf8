"""`tinynas targets`: the boards that ship with tinynas, or one board in full."""

from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.completion import boards as complete
from tinynas.cli.formats import size

if TYPE_CHECKING:
    from tinynas.hardware import Target


def targets(
    board: Annotated[
        str | None,
        typer.Argument(
            help="One board, by its name or the path of its JSON file. Default: all.", autocompletion=complete
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the profiles, or the one, as JSON.")] = False,
) -> None:
    """List the boards, or check and show one: a board of your own is a JSON file, given by its path."""
    from tinynas.hardware import Target

    found = None if board is None else Target.load(board)
    if as_json:
        import json

        told = [target.model_dump() for target in Target.all()] if found is None else found.model_dump()
        typer.echo(json.dumps(told, indent=1))
    elif found is None:
        _show_all(Target.all())
    else:
        _show(found)


def _show_all(targets: "tuple[Target, ...]") -> None:
    from tinynas.cli.console import console, table

    boards = table("Boards", "target, *MCU, core, >MHz, >Flash KiB, >RAM KiB, kernels")
    for target in targets:
        boards.add_row(
            target.name,
            target.mcu,
            target.core,
            f"{target.clock_hz / 1e6:g}",
            f"{target.flash_bytes / 1024:,g}",
            f"{target.ram_bytes / 1024:,g}",
            target.kernels + ("" if target.arena_is_exact else " ~"),
        )
    screen = console()
    screen.print(boards)
    screen.print(
        "The arena is exact to the byte; where ~ stands, it is estimated with the nearest kernels that were measured."
    )


def _show(target: "Target") -> None:
    """Print a board: what it has, and what of it a model can have."""
    from tinynas.cli.console import console, table

    rows = table(target.name, "board, *value")
    rows.add_row("MCU", f"{target.mcu}, {target.core} at {target.clock_hz / 1e6:g} MHz")
    for memory, total, reserved, left in (
        ("Flash", target.flash_bytes, target.reserved_flash_bytes, target.limits.board_flash_bytes),
        ("RAM", target.ram_bytes, target.reserved_ram_bytes, target.limits.board_ram_bytes),
    ):
        kept = f"; {size(reserved)} B are reserved, {size(left)} B left" if reserved else ""
        rows.add_row(memory, f"{size(total)} B ({total / 1024:,g} KiB){kept}")
    if target.ram_bank:
        rows.add_row("RAM bank", target.ram_bank)
    nearest = "" if target.arena_is_exact else f", estimated with {target.kernel_library}"
    rows.add_row("kernels", f"{target.kernels}: the arena is {target.arena_status}{nearest}")
    if target.active_power_mw is not None:
        asleep = "" if target.idle_power_mw is None else f", {target.idle_power_mw:g} mW asleep"
        rows.add_row("power", f"{target.active_power_mw:g} mW while it computes{asleep}, of the {target.power_scope}")
    if target.flash_wait_cycles is not None:
        kept = f"; a cache keeps {size(target.flash_cache_bytes)} B" if target.flash_cache_bytes else ""
        wait = f"{target.flash_wait_cycles:g} cycles for {target.flash_read_bytes} B"
        rows.add_row("wait for Flash", f"{wait}, {target.flash_stall:.3g} a byte of weights{kept}")
    if target.measured is not None:
        rows.add_row("latency", f"{target.measured.source}; +/- {100 * target.measured.error:.0f} %")
    if target.source:
        rows.add_row("source", target.source)
    console().print(rows)
