"""`tinynas analyze`: a .tflite or a run to figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.completion import boards, sources, starting
from tinynas.errors import ModelError, RunError, UsageError
from tinynas.hardware import BUILDS, DEFAULT_BUILD, KERNEL_LIBRARIES
from tinynas.options import PRESETS, one_of

if TYPE_CHECKING:
    from tinynas.engine import Engine
    from tinynas.export.source import Source
    from tinynas.hardware import FrontEnd, Target
    from tinynas.tflite import Analysis


def analyze(
    model: Annotated[
        str,
        typer.Argument(
            help='A .tflite file; or "best" (the newest run\'s), a run or RUN:TRIAL.', autocompletion=sources
        ),
    ],
    target: Annotated[
        str | None,
        typer.Option(
            help="A board (see tinynas targets), or a JSON file of one. Default: a run's own.", autocompletion=boards
        ),
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
    """Say what a model needs under TFLM: Flash, arena, MACs, latency; exit code 1 when it does not fit.

    Of a run, and of the file in its folder, the features and the stream before the network count.
    """
    from tinynas.hardware import Target

    _check_choices(kernels, build)
    if all_targets:
        _check_alone({"--target": target, "--kernels": kernels, "--plot": plot, "--engine": engine or None})
        found = _subject(model)
        _matrix([(board, _analyzed(found, board, None, build)) for board in Target.all()], as_json)
        return
    found = _subject(model)
    board = found.board if target is None else Target.load(target)
    analysis = _analyzed(found, board, kernels, build)
    if plot is not None:
        from tinynas.tflite.plot import memory_timeline

        memory_timeline(analysis, plot)
    built = _engines(found, analysis) if engine else {}
    if as_json:
        import json

        from tinynas.cli.engine import engine_dict

        more = {"engine": engine_dict(built)} if built else {}
        typer.echo(json.dumps({**analysis.to_dict(), **more}, indent=1))
    else:
        from tinynas.cli.engine import show_engine
        from tinynas.cli.figures import show_analysis

        show_analysis(found.name, analysis, board)
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


@dataclass(frozen=True)
class _Subject:
    """What is analysed: its path or run, the name of its table, its bytes, and the run that it is of."""

    origin: str
    name: str
    data: bytes
    run: "Source | None"
    is_asked_by_run: bool

    @property
    def board(self) -> "Target | None":
        """The board that a run is for, where a run was named."""
        return self.run.target if self.run is not None and self.is_asked_by_run else None

    def front_end(self, board: "Target | None") -> "FrontEnd | None":
        """What stands before the network on `board`; None where nothing is known of it."""
        from tinynas.export.stream import front_end_of

        run = self.run
        return None if run is None else front_end_of(run.tflite, run.output, run.facts, run.features, board)


def _subject(model: str) -> _Subject:
    """The file or the run of that name; UsageError or RunError, naming it, where there is none."""
    from tinynas.export.source import from_run, run_of_file
    from tinynas.runs import run_and_trial

    path = Path(model)
    if path.is_file() or path.suffix == ".tflite" or not _is_run(model):
        data, place = _read(path), run_of_file(path)
        return _Subject(model, path.name, data, None if place is None else from_run(*place), False)
    source = from_run(*run_and_trial(model))
    return _Subject(source.origin, source.origin, source.tflite, source, True)


def _is_run(model: str) -> bool:
    from tinynas.runs import run_and_trial

    try:
        run_and_trial(model)
    except (RunError, UsageError, OSError):  # the last for a name that no file can have
        return False
    return True


def _analyzed(found: _Subject, board: "Target | None", kernels: str | None, build: str) -> "Analysis":
    """The analysis of the file; a ModelError names it."""
    from tinynas.tflite import analyze as run_analyze

    front = found.front_end(board)
    try:
        return run_analyze(found.data, board, kernels=kernels, build=build, front_end=front)  # type: ignore[arg-type]
    except ModelError as error:
        raise type(error)(f"{found.origin}: {error}") from error


def _engines(found: _Subject, analysis: "Analysis") -> "dict[str, Engine]":
    """The file as an engine of each preset; a ModelError names it, and what it needs where it does run."""
    from tinynas.cli.engine import instead
    from tinynas.engine import build

    try:
        return {preset: build(found.data, optimize=preset) for preset in PRESETS}
    except ModelError as error:
        raise type(error)(f"{found.origin}: {error}. {instead(analysis)}") from error


def _matrix(rows: "list[tuple[Target, Analysis]]", as_json: bool) -> None:
    """Print a model against every board."""
    if as_json:
        import json

        typer.echo(json.dumps({board.name: analysis.to_dict() for board, analysis in rows}, indent=1))
        return
    from tinynas.cli.figures import show_matrix

    show_matrix(rows)
