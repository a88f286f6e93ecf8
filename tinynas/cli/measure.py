"""`tinynas measure`: a run's model on a real board, over a serial line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.completion import boards, sources
from tinynas.cli.formats import share, size
from tinynas.errors import UsageError
from tinynas.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from tinynas.hardware import Target
    from tinynas.measuring import Measurement, Subject


def measure(
    source: Annotated[
        str, typer.Argument(help='A run, RUN:TRIAL, "latest", or a .tflite.', autocompletion=sources)
    ] = "latest",
    port: Annotated[str, typer.Option(help="The serial port that the board is at, such as /dev/ttyACM0.")] = "",
    target: Annotated[
        str | None,
        typer.Option(help="The board, or a JSON file of one. Default: the run's.", autocompletion=boards),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="How many samples of the test set, evenly over the classes. Default: all.")
    ] = None,
    baud: Annotated[int, typer.Option(help="The speed of the line in bits a second.")] = 115200,
    emulated: Annotated[
        bool,
        typer.Option("--emulated", help="The board is an emulator, whose clock counts instructions and not time."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was measured as JSON.")] = False,
) -> None:
    """Run a model on a board: its test set and its times, which estimates for the board rest on from then on."""
    from tinynas.cli.console import console
    from tinynas.hardware import Target
    from tinynas.hardware.measured import add_record, path_for
    from tinynas.measuring import Device, Line, subject
    from tinynas.measuring import measure as run_measure

    if not port:
        raise UsageError("--port is missing: give the board's serial port, such as --port /dev/ttyACM0.")
    with Line(port, baud) as line:  # before TensorFlow is loaded, which takes longer than a port that is not there
        found = subject(source, samples)
        board, place = _board(target, found)
        screen = console(stderr=True)
        with screen.status(f"Measuring {found.origin} on {board.name} ...") as status:
            measured = run_measure(
                Device(line),
                found,
                board,
                is_emulated=emulated,
                progress=lambda done, all_: status.update(f"{done:,} of {all_:,} samples"),
            )
    ships = board.name in Target.names() and place == path_for(board.name, None)
    keeps = measured.is_right and not (emulated and ships)  # an emulator's times are not those of the real board
    record = measured.record(board, emulated) if keeps else None
    records = () if record is None else add_record(place, record)
    if as_json:
        _print_json(measured, place if records else None)
    else:
        _show(measured, found, console())
        _tell_kept(measured, board, place, bool(records), emulated and ships)
    if not measured.is_right:
        raise typer.Exit(1)


def _board(target: str | None, found: "Subject") -> "tuple[Target, Path]":
    """The board with what was measured of it so far, and the file that this is kept in."""
    from tinynas.hardware import Target
    from tinynas.hardware.measured import path_for

    if target is not None:
        is_file = target not in Target.names()
        board = Target.load(target)
        return board, path_for(board.name, Path(target) if is_file else None)
    if found.target is None:
        raise UsageError("A .tflite knows no board: give it by --target.")
    name = found.target.name
    if name not in Target.names() or not Target.load(name).is_same_board(found.target):
        raise UsageError(
            f"The run's board, {name}, has a profile of its own: give its file by --target, so that what is measured "
            f"can be kept beside it."
        )
    return Target.load(name), path_for(name, None)


def _print_json(measured: "Measurement", place: Path | None) -> None:
    import json
    from dataclasses import asdict

    least, most = measured.spread_us
    more: dict[str, Any] = {"median_us": measured.median_us, "least_us": least, "most_us": most}
    kept = None if place is None else str(place)
    typer.echo(json.dumps({**asdict(measured), **more, "kept": kept}, indent=1))


def _show(measured: "Measurement", found: "Subject", screen: "Console") -> None:
    from tinynas.cli.console import table

    profile, (least, most) = measured.profile, measured.spread_us
    rows = table(f"{found.origin} on {measured.board}", "what, *measured")
    runtime = "TFLM" if profile.runtime == "tflm" else "the engine"
    rows.add_row("runtime", f"{runtime}, compiled with {profile.optimize}")
    rows.add_row("self-test", "passed" if not measured.mismatches else f"{measured.mismatches:,} outputs differ")
    same = "all as here, to the last bit" if not measured.differing else f"{measured.differing:,} not as here"
    rows.add_row("outputs", f"of {counted(measured.samples, 'sample')}: {same}")
    if measured.accuracy is not None:
        rows.add_row("accuracy", f"{share(measured.accuracy.board)} on the board, {share(measured.accuracy.here)} here")
    rows.add_row("inference", f"{measured.median_us / 1000:.4g} ms, from {least / 1000:.4g} to {most / 1000:.4g}")
    if measured.estimated_us is not None and measured.error is not None:
        ratio = measured.median_us / measured.estimated_us
        error = 100 * measured.error
        rows.add_row(
            "estimated", f"{measured.estimated_us / 1000:.4g} ms +/- {error:.0f} %: measured is {ratio:.2f} of it"
        )
    if measured.frame_us is not None:
        said = {True: ", right", False: ", WRONG", None: ""}[measured.are_features_right]
        rows.add_row("features", f"{measured.frame_us / 1000:.3g} ms a frame{said}")
    screen.print(rows)
    if found.why:
        screen.print(found.why, soft_wrap=True)
    if measured.accuracy is not None:
        _show_confusion(measured.accuracy.confusion, found.class_names, screen)
    if measured.operators:
        _show_operators(measured, screen)


def _show_confusion(counts: tuple[tuple[int, ...], ...], names: tuple[str, ...], screen: "Console") -> None:
    """The board's answers: a row a true class, a column an answer."""
    from tinynas.cli.console import table

    columns = ", ".join(f">{number}" for number in range(len(names)))
    rows = table("The board's answers: a row a true class", f">#, class, {columns}")
    for number, (name, row) in enumerate(zip(names, counts, strict=True)):
        rows.add_row(str(number), name, *(size(count) if count else "" for count in row))
    screen.print(rows)


def _show_operators(measured: "Measurement", screen: "Console") -> None:
    from tinynas.cli.console import table

    whole = sum(each.us for each in measured.operators) or 1.0
    rows = table("Time by operator", ">#, operator, >ms, >share, >estimated ms, >ratio")
    for number, each in enumerate(measured.operators):
        known = each.estimated_us > 0
        rows.add_row(
            str(number),
            each.name,
            f"{each.us / 1000:.4g}",
            f"{100 * each.us / whole:.1f} %",
            f"{each.estimated_us / 1000:.4g}" if known else "-",
            f"{each.us / each.estimated_us:.2f}" if known else "-",
        )
    screen.print(rows)


def _tell_kept(measured: "Measurement", board: "Target", place: Path, is_kept: bool, is_no_board: bool) -> None:
    from tinynas.hardware.measured import measured as summary
    from tinynas.hardware.measured import read_records, valid

    if not measured.is_right:
        typer.echo("The board does not compute what was computed here, so that nothing was kept of its times.")
    elif is_no_board:
        typer.echo(f"Nothing was kept of an emulator's times for {board.name}: give it a profile of its own.")
    elif not is_kept:
        typer.echo("Nothing was kept of its times: there is no estimate for this runtime on this core to hold them to.")
    else:
        records = valid(read_records(place), board.core, board.clock_hz, board.kernels, board.figures)
        found = summary(records)
        assert found is not None
        typer.echo(f"Kept in {place}.")
        typer.echo(f"Latency on {board.name} is now: {found.source}, +/- {100 * found.error:.0f} %.")
