"""`tinynas record`: a sensor's values from a serial line to files."""

from pathlib import Path
from typing import Annotated

import typer


def record(
    port: Annotated[Path, typer.Option(help="The serial port of the board, such as /dev/ttyACM0.")],
    label: Annotated[str, typer.Option(help="The class that is recorded: its folder below --out.")],
    rate: Annotated[float, typer.Option(help="How many rows a second the sketch prints.")],
    out: Annotated[Path, typer.Option(help="The folder of all recordings, for --data.")],
    seconds: Annotated[
        float | None, typer.Option(help="How long to record. Default: until Ctrl-C, or until nothing more comes.")
    ] = None,
    baud: Annotated[int, typer.Option(help="The speed of the line, as the sketch has it.")] = 115200,
) -> None:
    """Record what a sensor says: the lines of numbers that a sketch prints become a CSV file of a class."""
    from tinynas.cli.console import console
    from tinynas.data.recording import record as run
    from tinynas.words import counted

    screen = console(stderr=True)
    with screen.status(f"Waiting for {port}") as status:
        found = run(
            port,
            label,
            rate,
            out,
            seconds=seconds,
            baud=baud,
            said=lambda rows: status.update(f"{label}: {rows:,} rows; Ctrl-C ends the recording"),
        )
    speed = "" if found.rate is None else f", {found.rate:.3g} a second"
    typer.echo(f"wrote {found.path}: {counted(found.rows, 'row')} in {found.seconds:.1f} s{speed}")
    for note in found.notes:
        typer.echo(f"Note: {note}")
