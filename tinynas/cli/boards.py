"""`tinynas targets`: the boards that ship with tinynas."""

from typing import Annotated

import typer

from tinynas.cli.formats import size


def targets(
    as_json: Annotated[bool, typer.Option("--json", help="Print the profiles as JSON.")] = False,
) -> None:
    """List the boards; any other board is a JSON file of your own, given by its path."""
    from tinynas.hardware import Target

    if as_json:
        import json

        typer.echo(json.dumps([target.model_dump() for target in Target.all()], indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Boards", title_justify="left")
    for name, justify in (
        ("target", "left"),
        ("MCU", "left"),
        ("core", "left"),
        ("MHz", "right"),
        ("Flash, B", "right"),
        ("RAM, B", "right"),
        ("kernels", "left"),
        ("arena", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for target in Target.all():
        table.add_row(
            target.name,
            target.mcu,
            target.core,
            f"{target.clock_hz / 1e6:g}",
            size(target.flash_bytes),
            size(target.ram_bytes),
            target.kernels,
            "exact" if target.arena_is_exact else "estimated",
        )
    Console().print(table)
