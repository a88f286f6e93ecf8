"""Around a search on the command line: its data, its live view, its end."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tinynas.cli.formats import among, duration, parse_reshape, share, size
from tinynas.cli.options import More, in_options
from tinynas.errors import RunError, UsageError
from tinynas.options import RUNNING, SETTINGS
from tinynas.options.reading import READING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.table import Table

    from tinynas.data import Dataset
    from tinynas.runs import DataSource, Settings
    from tinynas.searching import SearchResult


def refuse_with_resume(options: "Mapping[str, Any]") -> None:
    """A resumed search has its settings; only how it runs here may be chosen anew."""
    for name, value in options.items():
        if value is not None:
            option = in_options(name) if in_options(name) != name else f"--{name.replace('_', '-')}"
            row = SETTINGS.get(name)
            if row is not None and row.more:
                raise UsageError(
                    f"{option} cannot be given anew with --resume: give a search that has ended more, as {option} "
                    f"+{row.words(value)[1]}."
                )
            raise UsageError(
                f"{option} cannot be given with --resume: a resumed search keeps its settings "
                f"({', '.join(str(row.option) for row in RUNNING.values())}, --tensorboard and --json may be given)."
            )


def refuse_more(options: "Mapping[str, Any]") -> None:
    """Only a search that has ended can be given more."""
    for name, value in options.items():
        if isinstance(value, More):
            raise UsageError(
                f"{in_options(name)} with a + gives more to a search that has ended: name it with --resume RUN, or "
                f"leave the + away."
            )


def go_on(
    run: str, console: "Console", more: "Mapping[str, Any]", tensorboard: bool = False, **running: "Any"
) -> "SearchResult":
    """Resume the search of `run` on the data that its settings name, with `more` by the name of the setting.

    `running` are the options of RUNNING.
    """
    from tinynas.runs import find_run, read_settings, read_summary
    from tinynas.searching import resume
    from tinynas.searching.extension import KEYWORDS

    folder = find_run(run)
    dataset = None
    if more or read_summary(folder) is None:  # one that has ended needs no data
        dataset = loaded(read_settings(folder), console)
    given = {keyword: more[name] for keyword, name in KEYWORDS.items() if name in more}
    return watched(console, resume, folder, dataset, tensorboard=tensorboard, **running, **given)


def loaded(settings: "Settings", console: "Console") -> "Dataset":
    """Return the data set that a run's settings name, and say what was understood."""
    dataset = settings.data.load()
    _tell(dataset, console)
    return dataset


def watched(
    console: "Console",
    run: "Callable[..., SearchResult]",
    /,  # a setting may have any name, such as start
    *arguments: Any,
    tensorboard: bool = False,
    stopped: str | None = None,
    **options: Any,
) -> "SearchResult":
    """Run a search under the live view, its report written as it goes; Ctrl-C ends it with the line to go on with.

    That line is `stopped` where it is given.
    """
    from tinynas.cli.live import LiveView
    from tinynas.cli.watchers import watchers_for
    from tinynas.searching import Note

    view = LiveView(console)
    watch, close = watchers_for(view, lambda text: view(Note(text)), tensorboard)
    try:
        with view:
            try:
                return run(*arguments, watch=watch, **options)
            finally:
                close()
    except KeyboardInterrupt:
        go_on = "" if view.folder is None else f"Go on with: tinynas search --resume {view.folder}"
        raise RunError(f"Stopped. {stopped or go_on}".strip()) from None


def load_data(
    data: Path | None, given: "Mapping[str, Any]", console: "Console", say: bool = True
) -> tuple["Dataset", "DataSource"]:
    """Return the data set and how to find it again, and say what was understood; only notes unless `say`.

    `given` are the options of LOADING and READING that were given. Errors begin with their names.
    """
    from tinynas.runs import DataSource

    given = {name: value for name, value in given.items() if value is not None}
    if data is None:
        for name in given:
            raise UsageError(f"{name} needs --data.")
        console.print("No --data: searching on scikit-learn's digits (8 x 8).")
    source = DataSource(
        kind="digits" if data is None else "path",
        path=None if data is None else str(data),
        labels=given.get("labels"),
        layout=given.get("layout"),
        reshape=None if "reshape" not in given else parse_reshape(given["reshape"]),
        options={name: value for name, value in given.items() if name in READING},
    )
    dataset = source.load()
    _tell(dataset, console, say)
    return dataset, source.of(dataset)


def _tell(dataset: "Dataset", console: "Console", say: bool = True) -> None:
    """Say how the data were understood; only notes unless `say`."""
    if say:
        console.print(f"Data: {dataset.summary()}.", soft_wrap=True)
    for note in dataset.notes:
        console.print(note)


def _needs(result: "SearchResult") -> list[tuple[str, str]]:
    """Return what the best model needs of what the board gives after its reserve, alone and with all of TFLM."""
    from tinynas.hardware import Footprint
    from tinynas.runs import read_settings

    board, best = read_settings(result.folder).target, result.summary["best"]
    footprint = Footprint.from_dict(best["footprint"])
    flash, arena, limits = footprint.flash, footprint.arena_bytes, board.limits
    latency = "no latency is known"
    if footprint.latency_ms is not None and footprint.latency_error is not None:
        rests = "estimated" if board.measured is None else board.measured.source
        latency = f"{footprint.latency_ms:.3g} ms an inference, {rests}, +/- {100 * footprint.latency_error:.0f} %"
    return [
        (
            "Flash",
            f"{size(flash.model)} B model file; {size(flash.total)} of {size(limits.board_flash_bytes)} B with TFLM"
            f"{among(flash.front_end)}",
        ),
        (
            "RAM",
            f"{size(arena)} B arena ({footprint.arena_status}); "
            f"{size(footprint.ram_bytes)} of {size(limits.board_ram_bytes)} B with TFLM"
            f"{among(footprint.front_end_ram_bytes)}",
        ),
        ("parameters, MACs", f"{size(best['params'])}, {size(best['macs'])}; {latency}"),
    ]


def _validation(scores: "Mapping[str, float]", folds: int) -> str:
    """Return the mean over the folds, and how far they lie apart where there is more than one."""
    if folds == 1:
        return f"{share(scores['mean'])} (int8, one fold)"
    return f"{share(scores['mean'])} +/- {share(scores['std'])} (int8, {folds} folds)"


def show_result(result: "SearchResult", console: "Console", as_json: bool) -> None:
    """Print the one closing table, or the summary as JSON."""
    summary = result.summary
    if as_json:
        import json

        typer.echo(json.dumps(summary, indent=1))
        return
    from tinynas.cli.console import table as table_of
    from tinynas.report.counts import counts_of
    from tinynas.runs import kept, smaller_words

    trials, best = summary["trials"], summary["best"]
    table = table_of(None, "result, *value")
    _add_what(table, summary)
    unfit, failed = trials["infeasible"], trials["failed"]
    table.add_row("trials", f"{counts_of(result.trials).words}, {unfit:,} did not fit, {failed:,} failed")
    _add_model(table, result)
    table.add_row("time", duration(summary["seconds"]))
    console.print(table)
    _warn(summary, console)
    console.print(f"Kept in {result.folder}.")
    if best is not None:
        name = "latest" if Path("runs/latest").resolve() == result.folder.resolve() else str(result.folder)
        sentence = smaller_words(summary, name)
        if sentence is not None:
            console.print(f"Smaller: {sentence}", markup=False, highlight=False, soft_wrap=True)
        newest = Path("runs/latest").resolve() == result.folder.resolve()
        run = "" if newest else f" --run {result.folder}"
        console.print(f"Next: tinynas convert best{run}")
        models = len(kept(result.folder))
        if models > 1:
            console.print(
                f"Trade-offs: tinynas pareto {result.folder} ({models} models are kept as the search trained them; "
                f"tinynas train {result.folder}:TRIAL gives one the final training)"
            )


def show_trained(result: "SearchResult", console: "Console", as_json: bool) -> None:
    """Print what the final training of a trial brought, beside the run's best, or the summary as JSON."""
    summary = result.summary
    if as_json:
        import json

        typer.echo(json.dumps(summary, indent=1))
        return
    from tinynas.cli.console import table as table_of
    from tinynas.runs import read_summary, trained_folder

    assert result.number is not None
    table = table_of(None, "result, *value")
    _add_what(table, summary)
    table.add_row("trial", str(result.number))
    _add_model(table, result)
    run = read_summary(result.folder)
    best = None if run is None else run["best"]
    if best is not None and best["test"] is not None:
        table.add_row(
            "the run's best",
            f"#{best['trial']}: {share(best['test']['int8']['accuracy'])} int8 on the test set, "
            f"{size(best['flash_bytes'])} B model file, {size(best['arena_bytes'])} B arena",
        )
    table.add_row("time", duration(summary["seconds"]))
    console.print(table)
    _warn(summary, console)
    console.print(f"Kept in {trained_folder(result.folder, result.number)}; the run's best is what it was.")
    console.print(f"Next: tinynas convert {result.folder}:{result.number}")


def _add_what(table: "Table", summary: "Mapping[str, Any]") -> None:
    table.add_row("target", summary["target"])
    table.add_row("data", summary["data"])


def _add_model(table: "Table", result: "SearchResult") -> None:
    """Add rows of what the best model is, needs and scores, where there is one."""
    best = result.summary["best"]
    if best is None:
        return
    validation, test = best["validation"]["accuracy"], best["test"]
    table.add_row("architecture", best["description"])
    for name, value in _needs(result):
        table.add_row(name, value)
    if best["validation"]["folds"]:
        table.add_row("validation accuracy", _validation(validation, best["validation"]["folds"]))
    if test is not None:
        table.add_row(
            "test accuracy",
            f"{share(test['int8']['accuracy'])} int8, {share(test['float']['accuracy'])} float",
        )


def _warn(summary: "Mapping[str, Any]", console: "Console") -> None:
    for sentence in summary.get("warnings", ()):
        console.print(f"Warning: {sentence}", style="bold red", markup=False, highlight=False, soft_wrap=True)
