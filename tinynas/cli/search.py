"""`tinynas search`: find, train and keep the best model that fits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.formats import duration, parse_duration, parse_reshape, parse_size, share, size
from tinynas.errors import ArchitectureError, RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tinynas.data import Dataset
    from tinynas.runs import DataSource
    from tinynas.searching import SearchResult

_DATA = "Data"
_LIMITS = "Limits (in place of the target's)"
_SEARCH = "Search"
_SPACE = "Search space"


def _option(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def search(
    target: Annotated[str | None, typer.Option(help="A board (see tinynas targets), or a JSON file of one.")] = None,
    data: Annotated[
        Path | None,
        _option(_DATA, "A folder of IDX files, or an images file. Default: scikit-learn's digits."),
    ] = None,
    labels: Annotated[Path | None, _option(_DATA, "The labels file, when --data is an images file.")] = None,
    layout: Annotated[str | None, _option(_DATA, "What an H x W sample is: image or series.")] = None,
    reshape: Annotated[str | None, _option(_DATA, "Lay a sample out anew, such as 784,1.")] = None,
    out: Annotated[Path | None, _option(_SEARCH, "The run folder. Default: runs/ and the time.")] = None,
    resume: Annotated[Path | None, _option(_SEARCH, "Go on with the search in this run folder.")] = None,
    time_budget: Annotated[str | None, _option(_SEARCH, "Wall time for everything, such as 20m or 1h30m.")] = None,
    trials: Annotated[int | None, _option(_SEARCH, "End the search after so many trained children.")] = None,
    generations: Annotated[
        int | None, _option(_SEARCH, "End after so many generations (8 when no end is given).")
    ] = None,
    children: Annotated[int | None, _option(_SEARCH, "Children a generation (8).")] = None,
    parents: Annotated[int | None, _option(_SEARCH, "The best so many have children (3).")] = None,
    mutations: Annotated[int | None, _option(_SEARCH, "The most mutations from parent to child (2).")] = None,
    patience: Annotated[int | None, _option(_SEARCH, "End after so many generations without a better child.")] = None,
    strategy: Annotated[str | None, _option(_SEARCH, "evolution or random (evolution).")] = None,
    selection: Annotated[str | None, _option(_SEARCH, "plus keeps parents, comma leaves them behind (plus).")] = None,
    start: Annotated[str | None, _option(_SEARCH, "First generation: handmade or random (handmade).")] = None,
    fidelity: Annotated[
        str | None, _option(_SEARCH, "Training of a child: proxy, full (every fold) or none (proxy).")
    ] = None,
    folds: Annotated[int | None, _option(_SEARCH, "K of the K-fold cross-validation (5).")] = None,
    finalists: Annotated[int | None, _option(_SEARCH, "The best so many are trained on every fold (3).")] = None,
    final_epochs: Annotated[int | None, _option(_SEARCH, "Epochs of the final training.")] = None,
    metric: Annotated[str | None, _option(_SEARCH, "accuracy, precision, recall or f1 (accuracy).")] = None,
    augment: Annotated[
        str | None, _option(_SEARCH, "auto, none, or a list of shift, flip, noise, scale (auto).")
    ] = None,
    seed: Annotated[int | None, _option(_SEARCH, "The same seed and trials give the same journal (0).")] = None,
    workers: Annotated[int | None, _option(_SEARCH, "Worker processes. Default: one a core.")] = None,
    initial_depth: Annotated[int | None, _option(_SPACE, "The most blocks of a random start.")] = None,
    max_depth: Annotated[int | None, _option(_SPACE, "The most blocks of any child.")] = None,
    max_params: Annotated[str | None, _option(_LIMITS, "Parameters.")] = None,
    max_flops: Annotated[str | None, _option(_LIMITS, "Floating-point operations of an inference.")] = None,
    max_macs: Annotated[str | None, _option(_LIMITS, "Multiply-accumulates of an inference.")] = None,
    max_flash: Annotated[str | None, _option(_LIMITS, "Bytes of the .tflite, such as 64000 or 64KiB.")] = None,
    max_ram: Annotated[str | None, _option(_LIMITS, "Bytes of the tensor arena.")] = None,
    max_tensor: Annotated[str | None, _option(_LIMITS, "Bytes of the largest tensor.")] = None,
    max_latency: Annotated[float | None, _option(_LIMITS, "Milliseconds of an inference (estimated).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout, progress on stderr.")] = False,
) -> None:
    """Search for the best model that fits the target, train it, and keep it in a run folder."""
    from tinynas.cli.console import console as console_for

    console = console_for(stderr=as_json)
    if resume is not None:
        _refuse_with_resume(locals())
        result = _resume(resume, workers, console)
    else:
        from tinynas.architecture import SearchSpace
        from tinynas.hardware import Target
        from tinynas.searching import search as run_search
        from tinynas.searching import with_limits

        if target is None:
            raise UsageError("search needs --target: a name from tinynas targets, or a JSON file of your board.")
        board = Target.load(target)
        limits = with_limits(
            board,
            params=_size(max_params, "--max-params"),
            flops=_size(max_flops, "--max-flops"),
            macs=_size(max_macs, "--max-macs"),
            flash_bytes=_size(max_flash, "--max-flash"),
            ram_bytes=_size(max_ram, "--max-ram"),
            largest_tensor_bytes=_size(max_tensor, "--max-tensor"),
            latency_ms=max_latency,
        )
        dataset, source = _load(data, labels, layout, reshape, console)
        ranges = {"initial_depth": initial_depth, "max_depth": max_depth}
        if max_depth is not None and initial_depth is None:
            ranges["initial_depth"] = min(4, max_depth)
        try:
            space = SearchSpace.for_input(
                dataset.input_shape, dataset.n_classes, **{k: v for k, v in ranges.items() if v is not None}
            )
        except ArchitectureError as error:
            raise UsageError(str(error)) from error
        settings: dict[str, Any] = {
            "time_budget_s": None if time_budget is None else parse_duration(time_budget),
            "max_trials": trials,
            "n_generations": generations,
            "n_children": children,
            "n_parents": parents,
            "n_mutations": mutations,
            "patience": patience,
            "strategy": strategy,
            "selection": selection,
            "start": start,
            "fidelity": fidelity,
            "n_folds": folds,
            "n_finalists": finalists,
            "final_epochs": final_epochs,
            "metric": metric,
            "augment": augment,
            "seed": seed,
        }
        result = _watched(
            console,
            run_search,
            dataset,
            board,
            out=out,
            limits=limits,
            space=space,
            workers=workers,
            source=source,
            **{name: value for name, value in settings.items() if value is not None},
        )
    _close(result, console, as_json)


def _refuse_with_resume(options: dict[str, Any]) -> None:
    """A resumed search has its settings; only how it runs here may be chosen anew."""
    allowed = {"resume", "workers", "as_json", "console", "console_for"}
    for name, value in options.items():
        if name not in allowed and value is not None:
            raise UsageError(
                f"--{name.replace('_', '-')} cannot be given with --resume: a resumed search keeps its settings "
                f"(--workers and --json may be given)."
            )


def _resume(folder: Path, workers: int | None, console: "Console") -> "SearchResult":
    from tinynas.runs import read_settings
    from tinynas.searching import resume

    source = read_settings(folder).data
    if source.kind == "arrays":
        raise UsageError(f"{folder} began from arrays in Python: go on with tinynas.resume(folder, dataset).")
    dataset, _ = _load(
        None if source.path is None else Path(source.path),
        None if source.labels is None else Path(source.labels),
        source.layout,
        None if source.reshape is None else ",".join(map(str, source.reshape)),
        console,
    )
    return _watched(console, resume, folder, dataset, workers=workers)


def _watched(
    console: "Console", start: "Callable[..., SearchResult]", *arguments: Any, **options: Any
) -> "SearchResult":
    """Run a search under the live view; Ctrl-C ends it with the line that goes on with it."""
    from tinynas.cli.live import LiveView

    view = LiveView(console)
    try:
        with view:
            return start(*arguments, watch=view, **options)
    except KeyboardInterrupt:
        go_on = "" if view.folder is None else f" Go on with: tinynas search --resume {view.folder}"
        raise RunError(f"Stopped.{go_on}") from None


def _load(
    data: Path | None, labels: Path | None, layout: str | None, reshape: str | None, console: "Console"
) -> tuple["Dataset", "DataSource"]:
    """Return the data set and how to find it again, and say what was understood."""
    from tinynas.data import Dataset
    from tinynas.runs import DataSource

    axes = None if reshape is None else parse_reshape(reshape)
    if layout not in (None, "image", "series"):
        raise UsageError(f"--layout is {layout!r}; choose image or series.")
    if data is None:
        if labels is not None or layout is not None or axes is not None:
            raise UsageError("--labels, --layout and --reshape need --data.")
        dataset, kind = Dataset.digits(), "digits"
        console.print("No --data: searching on scikit-learn's digits (8 x 8).")
    elif labels is not None:
        dataset, kind = Dataset.load_pair(data, labels, layout=layout, reshape=axes), "path"  # type: ignore[arg-type]
    else:
        dataset, kind = Dataset.load(data, layout=layout, reshape=axes), "path"  # type: ignore[arg-type]
    console.print(f"Layout: {dataset.layout} ({dataset.layout_reason}).")
    source = DataSource(
        kind=kind,  # type: ignore[arg-type]
        path=None if data is None else str(data.absolute()),
        labels=None if labels is None else str(labels.absolute()),
        layout=layout,
        reshape=axes,
        digest=dataset.digest,
        summary=dataset.summary(),
    )
    return dataset, source


def _size(text: str | None, name: str) -> int | None:
    return None if text is None else parse_size(text, name)


def _needs(result: "SearchResult") -> list[tuple[str, str]]:
    """Return what the best model needs of the board, alone and with all that TFLM adds."""
    from tinynas.hardware import Footprint
    from tinynas.runs import read_settings

    board, best = read_settings(result.folder).target, result.summary["best"]
    footprint = Footprint.from_dict(best["footprint"])
    flash, arena = footprint.flash, footprint.arena_bytes
    latency = "no latency is known"
    if footprint.latency_ms is not None and footprint.latency_error is not None:
        latency = f"{footprint.latency_ms:.3g} ms an inference, estimated, +/- {100 * footprint.latency_error:.0f} %"
    return [
        ("Flash", f"{size(flash.model)} B model file; {size(flash.total)} of {size(board.flash_bytes)} B with TFLM"),
        (
            "RAM",
            f"{size(arena)} B arena ({footprint.arena_status}); "
            f"{size(arena + footprint.ram_outside_bytes)} of {size(board.ram_bytes)} B with TFLM",
        ),
        ("parameters, MACs", f"{size(best['params'])}, {size(best['macs'])}; {latency}"),
    ]


def _close(result: "SearchResult", console: "Console", as_json: bool) -> None:
    """Print the one closing table, or the summary as JSON."""
    summary = result.summary
    if as_json:
        import json

        typer.echo(json.dumps(summary, indent=1))
        return
    from tinynas.cli.console import table as table_of

    trials, best = summary["trials"], summary["best"]
    table = table_of(None, "result, *value")
    table.add_row("target", summary["target"])
    table.add_row("data", summary["data"])
    table.add_row("trials", ", ".join(f"{count:,} {state}" for state, count in trials.items()))
    if best is not None:
        validation, test = best["validation"]["accuracy"], best["test"]
        table.add_row("architecture", best["description"])
        for name, value in _needs(result):
            table.add_row(name, value)
        table.add_row("validation accuracy", f"{share(validation['mean'])} +/- {share(validation['std'])} (int8)")
        if test is not None:
            table.add_row(
                "test accuracy",
                f"{share(test['int8']['accuracy'])} int8, {share(test['float']['accuracy'])} float",
            )
    table.add_row("time", duration(summary["seconds"]))
    console.print(table)
    console.print(f"Kept in {result.folder}.")
    if best is not None:
        newest = Path("runs/latest").resolve() == result.folder.resolve()
        run = "" if newest else f" --run {result.folder}"
        console.print(f"Next: tinynas convert best{run}")
