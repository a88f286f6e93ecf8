"""`tinynas report`, `compare`, `trials` and `show`: what runs have found."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.completion import RUN
from tinynas.cli.completion import runs as complete
from tinynas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def report(
    run: Annotated[str, typer.Argument(help=RUN, autocompletion=complete)] = "latest",
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a run's report.html anew: one page, to read offline on a desk or a phone."""
    from tinynas.report import write_report

    path = write_report(run)
    typer.echo(f"wrote {path}")
    if show:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            typer.echo("No browser was found here: open the file in one.")


def compare(
    runs: Annotated[
        list[str], typer.Argument(help=f"{RUN[:-1]}; or RUN:12, its trial 12. Two or more.", autocompletion=complete)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Put runs side by side: the settings in which they differ, accuracy, bytes, time."""
    from tinynas.report import compare as compared
    from tinynas.report import read_facts
    from tinynas.runs import run_and_trial

    if len(runs) < 2:
        raise UsageError(f"compare takes two runs or more, got one ({runs[0]}).")
    found = compared([read_facts(*run_and_trial(run)) for run in runs])
    if as_json:
        import json

        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    from tinynas.cli.reports import show_comparison

    show_comparison(found)


def trials(
    run: Annotated[str, typer.Argument(help=RUN, autocompletion=complete)] = "latest",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every trial as CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every trial as JSON.")] = False,
    top: Annotated[int | None, typer.Option(help="Show only this many of the best trials.")] = None,
) -> None:
    """List a run's trials, the best first: scores, bytes, time, and why some were never trained."""
    from tinynas.report import ranked, read_facts, trial_row
    from tinynas.runs import find_run

    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other: give one of them.")
    if top is not None and top < 1:
        raise UsageError(f"--top is {top}; give a whole number of at least 1.")
    facts = read_facts(find_run(run))
    chosen = ranked(facts.trials, facts.settings.metric)[:top]
    if as_csv or as_json:
        _print_rows([trial_row(trial) for trial in chosen], as_csv)
        return
    from tinynas.cli.reports import show_trials

    show_trials(facts, chosen)


def show(
    what: Annotated[
        str, typer.Argument(help=f"{RUN[:-1]}: its best trial; or RUN:12, its trial 12.", autocompletion=complete)
    ] = "latest",
    as_json: Annotated[bool, typer.Option("--json", help="Print the trial and its architecture as JSON.")] = False,
) -> None:
    """Draw a trial's network in the terminal: its blocks and shapes, its figures, its family."""
    from tinynas.report import find_trial, read_facts, trial_row
    from tinynas.runs import run_and_trial

    folder, number = run_and_trial(what)
    facts = read_facts(folder)
    trial = find_trial(facts, number)
    if as_json:
        import json

        typer.echo(json.dumps({**trial_row(trial), "genome": trial.architecture.to_dict()}, indent=1))
        return
    from tinynas.cli.reports import show_trial

    show_trial(facts, trial)


def _print_rows(rows: "Sequence[dict[str, Any]]", as_csv: bool) -> None:
    if not as_csv:
        import json

        typer.echo(json.dumps(rows, indent=1))
        return
    import csv
    import sys

    if rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
