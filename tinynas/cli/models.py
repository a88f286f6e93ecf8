"""`tinynas analyze`: a .tflite to figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.completion import boards, starting
from tinynas.errors import ModelError, UsageError
from tinynas.hardware import BUILDS, DEFAULT_BUILD, KERNEL_LIBRARIES
from tinynas.options import PRESETS, one_of

if TYPE_CHECKING:
    from tinynas.engine import Engine
    from tinynas.hardware import Target
    from tinynas.tflite import Analysis


def analyze(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    target: Annotated[
        str | None,
        typer.Option(help="A board (see tinynas targets), or a JSON file of one.", autocompletion=boards),
    ] = None,
    kernels: Annotated[
        str | None,
        typer.Option(
            help=f"TFLM's kernels: {one_of(KERNEL_LIBRARIES)}. Default: the board's.",
            autocompletion=starting(KERNEL_LIBRARIES),
        ),
    ] = None,
    build: Annotated[
        str,
        typer.Option(
            help='TFLM\'s build: "release" or "logs", then -Os or -O2, then i8 for int8-only kernels.',
            autocompletion=starting(BUILDS),
        ),
    ] = DEFAULT_BUILD,
    all_targets: Annotated[bool, typer.Option("--all-targets", help="Check the model against every board.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the memory timeline into this .png or .svg file.")] = None,
    engine: Annotated[
        bool, typer.Option("--engine", help="Also show what the model needs as plain C, without TFLM.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Say what a .tflite needs under TFLM: Flash, arena, MACs, latency; exit code 1 when it does not fit."""
    from tinynas.hardware import Target

    _check_choices(kernels, build)
    if all_targets:
        _check_alone({"--target": target, "--kernels": kernels, "--plot": plot, "--engine": engine or None})
        data = _read(model)
        _matrix([(board, _analyzed(model, data, board, None, build)) for board in Target.all()], as_json)
        return
    board = None if target is None else Target.load(target)
    analysis = _analyzed(model, _read(model), board, kernels, build)
    if plot is not None:
        from tinynas.tflite.plot import memory_timeline

        memory_timeline(analysis, plot)
    built = _engines(model, analysis) if engine else {}
    if as_json:
        import json

        from tinynas.cli.engine import engine_dict

        more = {"engine": engine_dict(built)} if built else {}
        typer.echo(json.dumps({**analysis.to_dict(), **more}, indent=1))
    else:
        from tinynas.cli.engine import show_engine
        from tinynas.cli.figures import show_analysis

        show_analysis(model.name, analysis, board)
        if built:
            show_engine(built, analysis)
        if plot is not None:
            typer.echo(f"wrote {plot}")
    if analysis.fits is False:
        raise typer.Exit(1)


def _check_choices(kernels: str | None, build: str) -> None:
    """UsageError for a kernel library or a build that there is not."""
    if kernels is not None and kernels not in KERNEL_LIBRARIES:
        raise UsageError(f"--kernels is {kernels!r}; choose {one_of(KERNEL_LIBRARIES)}.")
    if build not in BUILDS:
        raise UsageError(f"--build is {build!r}; choose {one_of(repr(each) for each in BUILDS)}.")


def _check_alone(others: Mapping[str, object]) -> None:
    """UsageError when an option is given that says nothing together with --all-targets."""
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise UsageError(
            f"--all-targets and {', '.join(given)} exclude each other: the table of every board has each with its "
            f"own kernels and draws nothing; leave one of them out."
        )


def _read(model: Path) -> bytes:
    from tinynas.tflite.disguise import float_model, is_lfs_pointer

    kind = float_model(model) if model.exists() and not is_lfs_pointer(model) else None
    if kind is not None:
        raise UsageError(
            f"{model} is {kind}, and analyze takes a .tflite: convert it first, with tinynas convert {model} "
            f"--data DATA, and analyze what that writes."
        )
    if model.exists() and not model.is_file():
        raise UsageError(f"{model} is not a file; give the path of a .tflite.")
    try:
        return model.read_bytes()
    except OSError as error:
        raise UsageError(f"{model} cannot be read: {error.strerror}.") from error


def _analyzed(model: Path, data: bytes, board: "Target | None", kernels: str | None, build: str) -> "Analysis":
    """The analysis of the file; a ModelError names it."""
    from tinynas.tflite import analyze as run_analyze

    try:
        return run_analyze(data, board, kernels=kernels, build=build)  # type: ignore[arg-type]
    except ModelError as error:
        raise type(error)(f"{model}: {error}") from error


def _engines(model: Path, analysis: "Analysis") -> "dict[str, Engine]":
    """The file as an engine of each preset; a ModelError names it, and what it needs where it does run."""
    from tinynas.cli.engine import instead
    from tinynas.engine import build

    try:
        return {preset: build(_read(model), optimize=preset) for preset in PRESETS}
    except ModelError as error:
        raise type(error)(f"{model}: {error}. {instead(analysis)}") from error


def _matrix(rows: "list[tuple[Target, Analysis]]", as_json: bool) -> None:
    """Print a model against every board."""
    if as_json:
        import json

        typer.echo(json.dumps({board.name: analysis.to_dict() for board, analysis in rows}, indent=1))
        return
    from tinynas.cli.figures import show_matrix

    show_matrix(rows)
