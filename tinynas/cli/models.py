"""`tinynas convert` and `tinynas analyze`: a model to files, and a file to figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.completion import boards, runs, sources
from tinynas.cli.formats import size
from tinynas.errors import ModelError, UsageError

if TYPE_CHECKING:
    from tinynas.hardware import Target
    from tinynas.tflite import Analysis


def convert(
    source: Annotated[
        str, typer.Argument(help='"best": the best model of the newest run.', autocompletion=sources)
    ] = "best",
    run: Annotated[
        Path | None, typer.Option(help="Take the best model of this run folder.", autocompletion=runs)
    ] = None,
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
        about = {"files": files, "tflm_largest_step": step, "stage": converted.stage}
        rest = {"offline_plan": converted.offline_plan, "analysis": converted.analysis.to_dict()}
        typer.echo(json.dumps({**about, **rest}, indent=1))
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
    if converted.stage != "final":
        typer.echo(f"This is the best of a search that has not ended: it had a {converted.stage} training only.")


def analyze(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    target: Annotated[
        str | None,
        typer.Option(help="A board (see tinynas targets), or a JSON file of one.", autocompletion=boards),
    ] = None,
    kernels: Annotated[
        str | None, typer.Option(help="cmsis_nn, cmsis_nn_no_dsp or reference. Default: the board's.")
    ] = None,
    build: Annotated[
        str, typer.Option(help='TFLM\'s build: "release" or "logs", then -Os or -O2, then i8 for int8-only kernels.')
    ] = "release -Os i8",
    all_targets: Annotated[bool, typer.Option("--all-targets", help="Check the model against every board.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the memory timeline into this .png or .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Say what a .tflite needs under TFLM: Flash, arena, MACs, latency; exit code 1 when it does not fit."""
    from tinynas.hardware import Target

    _check_choices(kernels, build)
    if all_targets:
        _check_alone({"--target": target, "--kernels": kernels, "--plot": plot})
        data = _read(model)
        _matrix([(board, _analyzed(model, data, board, None, build)) for board in Target.all()], as_json)
        return
    board = None if target is None else Target.load(target)
    analysis = _analyzed(model, _read(model), board, kernels, build)
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


def _check_choices(kernels: str | None, build: str) -> None:
    """UsageError for a kernel library or a build that there is not."""
    from tinynas.hardware import BUILDS, KERNEL_LIBRARIES

    if kernels is not None and kernels not in KERNEL_LIBRARIES:
        raise UsageError(f"--kernels is {kernels!r}; choose {_one_of(KERNEL_LIBRARIES)}.")
    if build not in BUILDS:
        raise UsageError(f"--build is {build!r}; choose {_one_of([repr(each) for each in BUILDS])}.")


def _one_of(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _check_alone(others: Mapping[str, object]) -> None:
    """UsageError when an option is given that says nothing together with --all-targets."""
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise UsageError(
            f"--all-targets and {', '.join(given)} exclude each other: the table of every board has each with its "
            f"own kernels and draws nothing; leave one of them away."
        )


def _read(model: Path) -> bytes:
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


def _matrix(rows: "list[tuple[Target, Analysis]]", as_json: bool) -> None:
    """Print a model against every board."""
    if as_json:
        import json

        typer.echo(json.dumps({board.name: analysis.to_dict() for board, analysis in rows}, indent=1))
        return
    from tinynas.cli.figures import show_matrix

    show_matrix(rows)
