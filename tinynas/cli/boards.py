"""`tinynas targets`: the boards that ship with tinynas."""

from typing import Annotated

import typer


def targets(
    as_json: Annotated[bool, typer.Option("--json", help="Print the profiles as JSON.")] = False,
) -> None:
    """List the boards; any other board is a JSON file of your own, given by its path."""
    from tinynas.hardware import Target

    if as_json:
        import json

        typer.echo(json.dumps([target.model_dump() for target in Target.all()], indent=1))
        return
    from tinynas.cli.console import console, table

    boards = table("Boards", "target, *MCU, core, >MHz, >Flash KiB, >RAM KiB, kernels")
    for target in Target.all():
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
    screen.print("The arena is exact to the byte, or, at ~, estimated with the nearest kernels that were measured.")
