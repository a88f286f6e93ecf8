"""`tinynas convert` and `tinynas analyze`: a model to files, and a file to figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.formats import size
from tinynas.errors import ModelError, UsageError

if TYPE_CHECKING:
    from tinynas.hardware import Target
    from tinynas.tflite import Analysis


def convert(
    source: Annotated[str, typer.Argument(help='"best": the best model of the newest run.')] = "best",
    run: Annotated[Path | None, typer.Option(help="Take the best model of this run folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write. Default: firmware/ in the run folder.")] = None,
    name: Annotated[str, typer.Option(help="The files' name, a C identifier.")] = "model",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a run's best model as .tflite and C array, after running it in the real TFLM."""
    from tinynas.export import convert as run_convert

    if source != "best":
        raise UsageError(f"convert takes 'best', got {source!r}; another run's best is --run FOLDER.")
    converted = run_convert(run or "best", out=out, name=name)
    if as_json:
        import json

        files = [str(path) for path in converted.files]
        step = converted.tflm_largest_step
        about = {"files": files, "tflm_largest_step": step, "offline_plan": converted.offline_plan}
        typer.echo(json.dumps({**about, "analysis": converted.analysis.to_dict()}, indent=1))
        return
    for path in converted.files:
        typer.echo(f"wrote {path}")
    arena = converted.analysis.footprint.arena
    plan = " (with an offline memory plan)" if converted.offline_plan else ""
    typer.echo(f"Flash {size(converted.analysis.footprint.flash_bytes)} B, arena {size(arena.minimum)} B{plan}")
    if converted.tflm_largest_step is None:
        typer.echo("TFLM's Python package is not available here: the file was not run in it.")
    else:
        typer.echo(f"TFLM agrees with the reference within {converted.tflm_largest_step} step(s).")


def analyze(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    target: Annotated[str | None, typer.Option(help="A board (see tinynas targets), or a JSON file of one.")] = None,
    kernels: Annotated[str | None, typer.Option(help="cmsis_nn, cmsis_nn_no_dsp or reference.")] = None,
    all_targets: Annotated[bool, typer.Option("--all-targets", help="Check the model against every board.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the memory timeline into this .png or .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Say what a .tflite needs under TFLM: Flash, arena, MACs, latency; exit code 1 when it does not fit."""
    from tinynas.hardware import Target
    from tinynas.tflite import analyze as run_analyze

    if kernels not in (None, "cmsis_nn", "cmsis_nn_no_dsp", "reference"):
        raise UsageError(f"--kernels is {kernels!r}; choose cmsis_nn, cmsis_nn_no_dsp or reference.")
    if all_targets and target is not None:
        raise UsageError("--target and --all-targets exclude each other: give one of them.")
    try:
        data = model.read_bytes()
    except OSError as error:
        raise UsageError(f"{model} cannot be read: {error.strerror}.") from error
    if all_targets:
        _matrix([(board, run_analyze(data, board)) for board in Target.all()], as_json)
        return
    board = None if target is None else Target.load(target)
    try:
        analysis = run_analyze(data, board, kernels=kernels)  # type: ignore[arg-type]
    except ModelError as error:
        raise type(error)(f"{model}: {error}") from error
    if plot is not None:
        from tinynas.tflite.plot import memory_timeline

        memory_timeline(analysis, plot)
    if as_json:
        import json

        typer.echo(json.dumps(analysis.to_dict(), indent=1))
    else:
        from tinynas.cli.figures import show_analysis

        show_analysis(model.name, analysis, board)
        if plot is not None:
            typer.echo(f"wrote {plot}")
    if analysis.fits is False:
        raise typer.Exit(1)


def _matrix(rows: "list[tuple[Target, Analysis]]", as_json: bool) -> None:
    """Print a model against every board."""
    if as_json:
        import json

        typer.echo(json.dumps({board.name: analysis.to_dict() for board, analysis in rows}, indent=1))
        return
    from tinynas.cli.figures import show_matrix

    show_matrix(rows)
