"""`tinynas convert`: a model to the folder that firmware includes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.completion import boards, runs, sources, starting
from tinynas.cli.options import DATA, takes
from tinynas.errors import DataError, RunError, TinynasError, UsageError
from tinynas.options import FLASH_BUDGET, PACKAGE_KINDS, PRESETS, one_of

if TYPE_CHECKING:
    from tinynas.data import Dataset, ValueDataset
    from tinynas.export import Converted


@takes(DATA)
def convert(
    source: Annotated[
        str,
        typer.Argument(
            help='"best" (the newest run\'s), a run, RUN:TRIAL, a .tflite, .keras or .h5 file, or a SavedModel folder.',
            autocompletion=sources,
        ),
    ] = "best",
    run: Annotated[
        str | None, typer.Option(help="Take the best model of this run, which is named as above.", autocompletion=runs)
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Where to write. Default: firmware/ or engine/ in the run folder, or NAME_firmware/ here."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help='The name of the files, a C identifier. Default: "model", or from the model\'s file.'),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="all, a comma list of tflite, c, settings, ops, test, features, features-tflite, stream, bench, "
            "main, readme, or engine: plain C.",
        ),
    ] = "all",
    package: Annotated[
        str | None,
        typer.Option(
            help=f"Write a package for this tool instead: {one_of(PACKAGE_KINDS)}.",
            autocompletion=starting(PACKAGE_KINDS),
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="A board, or a JSON file of one. Default: the run's.", autocompletion=boards),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing and end with exit code 1 if the model does not fit the board."),
    ] = False,
    plan: Annotated[
        bool | None,
        typer.Option(
            help=(
                "Write a memory plan into the file where that makes the arena smaller. Default: yes, except "
                "for a .tflite."
            )
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help=(
                "The data, as for search: they set the int8 ranges of a float model, and give golden samples "
                "and an accuracy."
            )
        ),
    ] = None,
    input_range: Annotated[
        str | None,
        typer.Option(help="The range that the model expects where the data have [0, 1], such as 0,255 or -1,1."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help=(
                "What the output means: classes, binary, values or reconstruction. Default: by the file and the labels."
            )
        ),
    ] = None,
    keep_input: Annotated[
        bool,
        typer.Option(
            "--keep-input", help="Keep the input of the engine intact during a run; this may need more memory."
        ),
    ] = False,
    optimize: Annotated[
        str,
        typer.Option(help=f"What to optimise the engine for: {one_of(PRESETS)}.", autocompletion=starting(PRESETS)),
    ] = "memory",
    flash_budget: Annotated[
        int, typer.Option(help="How many more bytes of Flash --optimize speed may take, for weights of 16 bits.")
    ] = FLASH_BUDGET,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Load a Keras file or SavedModel even if it runs code of its own, as a Lambda does."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
    **given: Any,
) -> None:
    """Write all that firmware needs of a model, after running it in the real TFLM; exit code 1 when it cannot be."""
    from tinynas.cli.formats import parse_range
    from tinynas.export import convert as run_convert

    if run is not None and source != "best":
        raise UsageError(f"--run names a run, and {source!r} another model: give one of them.")
    if out == "":
        raise UsageError("--out is empty: name a folder for the firmware.")
    converted = run_convert(
        _named(source) if run is None else _run(run),
        out=out,
        name=name,
        data=_data(data, given),
        target=target,
        formats=_formats(formats),
        package=package,  # type: ignore[arg-type]  # checked there
        check_fit=check or None,
        offline_plan=plan,
        output=output,  # type: ignore[arg-type]  # checked there
        input_range=(0.0, 1.0) if input_range is None else parse_range(input_range),
        keep_input=keep_input,
        optimize=optimize,  # type: ignore[arg-type]  # checked there
        flash_budget=flash_budget,
        trust=trust,
    )
    if as_json:
        _print_json(converted)
    else:
        from tinynas.cli.converted import show_converted

        show_converted(converted, source if run is None else run)


def _formats(text: str) -> tuple[str, ...]:
    """The formats of a comma list, in which all stands for those that are written where nothing is asked for."""
    from tinynas.export import DEFAULT_FORMATS

    names = [
        name for each in text.split(",") for name in (DEFAULT_FORMATS if each.strip() == "all" else [each.strip()])
    ]
    return tuple(dict.fromkeys(names))


def _run(name: str) -> str:
    """`name`; RunError or UsageError when it is no run's, nor that of a trial in one."""
    from tinynas.runs import run_and_trial

    run_and_trial(name)
    return name


def _named(source: str) -> str:
    """`source` as the model it names; UsageError for what is neither on the disk nor the name of a run."""
    run, _, trial = source.rpartition(":")
    try:
        for name in (source, run if trial.isdecimal() else ""):
            if name in ("best", "latest") or (name and Path(name).exists()):
                return source
        return _run(source)
    except (RunError, OSError) as error:  # the latter for a name that no file can have
        raise UsageError(
            f"There is no {source!r}: convert takes 'best', a run or RUN:TRIAL, a .tflite, .keras or .h5 file or a "
            f"SavedModel folder."
        ) from error


def _data(data: Path | None, given: Mapping[str, Any]) -> "Dataset | ValueDataset | None":
    """The data set of the options, None without --data; one of values where the labels cannot be classes."""
    from tinynas.cli.console import console
    from tinynas.cli.session import load_data

    if data is None:
        for name in given:
            raise UsageError(f"{name} needs --data.")
        return None
    screen = console(stderr=True)
    try:
        return load_data(data, given, screen)[0]
    except DataError as error:
        found = _values(data, given, str(error))
    screen.print(f"Layout: {found.layout} ({found.layout_reason}).")
    for note in found.notes:
        screen.print(note)
    return found


def _values(data: Path, given: Mapping[str, Any], why: str) -> "ValueDataset":
    """The same data as samples with values; DataError, `why` they are no classes, when they cannot be that either."""
    from dataclasses import replace

    from tinynas.cli.formats import parse_reshape
    from tinynas.data import ValueDataset

    axes = {"reshape": parse_reshape(given["reshape"])} if "reshape" in given else {}
    try:
        found = ValueDataset.load(data, **{**given, **axes})
    except TinynasError:
        raise DataError(why) from None
    return replace(found, why=why)


def _print_json(converted: "Converted") -> None:
    import json
    from dataclasses import asdict

    arena = {**asdict(converted.arena), "total": converted.arena.total}
    about = {
        "files": [str(path) for path in converted.files],
        "tflm_largest_step": converted.tflm_largest_step,
        "stage": converted.stage,
        "offline_plan": converted.offline_plan,
        "arena": arena,
        "golden_samples": converted.golden_samples,
        "golden_maker": converted.golden_maker,
        "output": asdict(converted.output),
        "more_outputs": [asdict(output) for output in converted.more_outputs],
        "accuracy": None if converted.accuracy is None else asdict(converted.accuracy),
        "error": None if converted.error is None else asdict(converted.error),
        "notes": list(converted.notes),
        "warnings": list(converted.warnings),
        "engine": None if converted.engine is None else converted.engine.to_dict(),
        "fits": converted.fits,
        "analysis": converted.analysis.to_dict(),
    }
    typer.echo(json.dumps(about, indent=1))
