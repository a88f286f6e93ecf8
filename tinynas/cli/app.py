"""The commands and what they have in common."""

from typing import Annotated

import typer

from tinynas.cli.boards import targets
from tinynas.cli.command import Command, Group
from tinynas.cli.convert import convert
from tinynas.cli.data import app as data
from tinynas.cli.doctor import doctor
from tinynas.cli.measure import measure
from tinynas.cli.models import analyze
from tinynas.cli.pareto import pareto
from tinynas.cli.record import record
from tinynas.cli.report import compare, report, show, trials
from tinynas.cli.search import search
from tinynas.cli.stream import stream
from tinynas.cli.train import train
from tinynas.version import __version__

app = typer.Typer(
    name="tinynas",
    cls=Group,
    help="Find a neural network that fits your microcontroller: Flash and RAM to the byte, before any training.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinynas {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (anywhere on the line).")
    ] = False,
) -> None:
    """Options before the command; `main` has taken --debug out already."""


for command in (search, train, convert, stream, record, measure, analyze, pareto, targets, doctor):
    app.command(cls=Command)(command)
app.add_typer(data, name="data")
for command in (report, compare, trials, show):
    app.command(cls=Command)(command)
