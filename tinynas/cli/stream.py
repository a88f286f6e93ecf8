"""`tinynas stream`: a long recording through a run's model, as the firmware hears it."""

from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.completion import RUN, runs
from tinynas.cli.console import console, table

if TYPE_CHECKING:
    from tinynas.export.replay import Replay


def stream(
    run: Annotated[str, typer.Argument(help=RUN, autocompletion=runs)] = "latest",
    wav: Annotated[
        str | None, typer.Option(help="The recording, at the sample rate of the training, of any length.")
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(help="What is in it: a CSV with start and end in seconds and the class a row, or no row."),
    ] = None,
    stride: Annotated[
        int | None, typer.Option(help="Frames from one window to the next. Default: a quarter of a window.")
    ] = None,
    results: Annotated[int | None, typer.Option(help="How many results are averaged. Default: 3.")] = None,
    threshold: Annotated[
        int | None,
        typer.Option(
            help="The least mean score that is told, 0 to 255. Default: by the validation recordings, or 200."
        ),
    ] = None,
    margin: Annotated[
        int | None, typer.Option(help="How far it must be above the second, 0 to 255. Default: 26.")
    ] = None,
    suppression: Annotated[
        int | None,
        typer.Option(help="For how many results the same class is not told again. Default: those of a window and 3."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was heard as JSON.")] = False,
) -> None:
    """Replay a recording through a run's model as NAME_stream.c hears it: what is told when, false accepts an hour."""
    from tinynas.errors import UsageError
    from tinynas.export.replay import replay

    if wav is None:
        raise UsageError("stream needs a recording: --wav FILE, a WAV file at the sample rate of the training.")
    found = replay(
        run,
        wav,
        events=events,
        stride=stride,
        results=results,
        threshold=threshold,
        margin=margin,
        suppression=suppression,
    )
    if as_json:
        import json
        from dataclasses import asdict

        heard = [each._asdict() for each in found.heard]
        rates = [each._asdict() for each in found.rates]
        about = {**asdict(found), "heard": heard, "rates": rates, "false_accepts_an_hour": found.an_hour}
        typer.echo(json.dumps(about, indent=1))
        return
    _show(found)


def _show(found: "Replay") -> None:
    rows = table(None, ">time,class,>score,")
    for each in found.heard:
        minutes, seconds = divmod(each.time_s, 60)
        is_right = {None: "", True: "right", False: "false accept"}[each.is_right]
        rows.add_row(f"{minutes:.0f}:{seconds:05.2f}", each.label, f"{each.score:.2f}", is_right)
    screen = console()
    if found.heard:
        screen.print(rows)
    smoothing = found.smoothing
    screen.print(
        f"{found.windows:,} windows, one every {found.stride_s * 1000:.0f} ms, of {found.seconds:,.1f} s; means of "
        f"{smoothing.results}, threshold {smoothing.threshold}, margin {smoothing.margin}, suppression "
        f"{smoothing.suppression}."
    )
    if found.events is None:
        screen.print(
            f"{len(found.heard)} detections, {found.an_hour:.1f} an hour: false accepts, if the recording holds none "
            f"of the classes; --events says what it holds."
        )
    else:
        screen.print(
            f"{found.hits} of {found.events} events were told; {found.false_accepts} false accepts, "
            f"{found.an_hour:.1f} an hour."
        )
        rates = table("By threshold", ">threshold,>events told,>false accepts an hour")
        for rate in found.rates:
            rates.add_row(str(rate.threshold), str(rate.hits), f"{rate.false_accepts_an_hour:.1f}")
        screen.print(rates)
        if found.suggested is not None:
            screen.print(f"The least of them with at most one false accept an hour is {found.suggested}.")
    for note in found.notes:
        screen.print(f"Note: {note}")
