"""`tinynas search`: find, train and keep the best model that fits."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tinynas.cli import data as options
from tinynas.cli.completion import boards, runs
from tinynas.cli.formats import parse_duration, parse_names, parse_size
from tinynas.cli.session import go_on, load_data, refuse_with_resume, show_result, warn_of_short, watched
from tinynas.errors import ArchitectureError, UsageError

_DATA = "Data"
_LIMITS = "Limits (in place of the target's)"
_SEARCH = "Search"
_SPACE = "Search space"


def _option(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def search(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Option(help="A board (see tinynas targets), or a JSON file of one.", autocompletion=boards),
    ] = None,
    data: Annotated[
        Path | None,
        _option(
            _DATA,
            "IDX, .npz, .npy, CSV, or a folder a class of pictures, WAVs or CSVs (docs/data.md). Default: "
            "scikit-learn's digits.",
        ),
    ] = None,
    labels: options.Labels = None,
    layout: options.Layout = None,
    reshape: options.Reshape = None,
    label: options.Label = None,
    group: options.Group = None,
    columns: options.Columns = None,
    window: options.Window = None,
    stride: options.Stride = None,
    image_size: options.ImageSize = None,
    colour: options.Colour = None,
    sample_rate: options.SampleRate = None,
    mels: options.Mels = None,
    balance: Annotated[bool | None, _option(_DATA, "Weigh rare classes up in training.", "--balance")] = None,
    out: Annotated[Path | None, _option(_SEARCH, "The run folder. Default: runs/ and the time.")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with the search in this run folder.", rich_help_panel=_SEARCH, autocompletion=runs),
    ] = None,
    time_budget: Annotated[str | None, _option(_SEARCH, "Wall time for everything, such as 20m or 1h30m.")] = None,
    trials: Annotated[int | None, _option(_SEARCH, "End the search after so many trained children.")] = None,
    generations: Annotated[
        int | None, _option(_SEARCH, "End after so many generations (8 when no end is given).")
    ] = None,
    children: Annotated[int | None, _option(_SEARCH, "Children a generation (8).")] = None,
    parents: Annotated[int | None, _option(_SEARCH, "The best so many have children (3).")] = None,
    mutations: Annotated[int | None, _option(_SEARCH, "The most mutations from parent to child (2).")] = None,
    patience: Annotated[int | None, _option(_SEARCH, "End after so many generations without a better child.")] = None,
    strategy: Annotated[
        str | None, _option(_SEARCH, "evolution, aging, nsga2, surrogate or random (evolution).")
    ] = None,
    objectives: Annotated[
        str | None,
        _option(_SEARCH, "What to gain: accuracy, and any of ram, flash, latency, macs, params (accuracy)."),
    ] = None,
    selection: Annotated[str | None, _option(_SEARCH, "plus keeps parents, comma leaves them behind (plus).")] = None,
    start: Annotated[str | None, _option(_SEARCH, "First generation: handmade or random (handmade).")] = None,
    fidelity: Annotated[
        str | None, _option(_SEARCH, "Training of a child: proxy, full (every fold) or none (proxy).")
    ] = None,
    rungs: Annotated[
        int | None, _option(_SEARCH, "Trainings of growing length through which the best children go (3).")
    ] = None,
    inherit: Annotated[
        bool | None,
        typer.Option(
            "--inherit/--no-inherit",
            rich_help_panel=_SEARCH,
            help="Children start from their parent's weights (they do).",
        ),
    ] = None,
    precision: Annotated[
        str | None, _option(_SEARCH, "float32 or bfloat16. Default: bfloat16 where the processor has it.")
    ] = None,
    folds: Annotated[int | None, _option(_SEARCH, "K of the K-fold cross-validation (5).")] = None,
    finalists: Annotated[int | None, _option(_SEARCH, "The best so many are trained on every fold (3).")] = None,
    final_epochs: Annotated[int | None, _option(_SEARCH, "Epochs of the final training.")] = None,
    qat: Annotated[
        bool | None,
        typer.Option(
            "--qat/--no-qat",
            rich_help_panel=_SEARCH,
            help="Fine-tune the final model under int8's rounding, and keep the better file (it does).",
        ),
    ] = None,
    metric: Annotated[str | None, _option(_SEARCH, "accuracy, precision, recall or f1 (accuracy).")] = None,
    augment: Annotated[
        str | None, _option(_SEARCH, "auto, none, or a list of shift, flip, noise, scale, erase (auto).")
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
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write logs for TensorBoard into the run folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout, progress on stderr.")] = False,
) -> None:
    """Search for the best model that fits the target, train it, and keep it in a run folder."""
    from tinynas.cli.console import console as console_for

    console = console_for(stderr=as_json)
    if resume is not None:
        refuse_with_resume(context.params)
        result = go_on(resume, workers, console, tensorboard)
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
        reading = {name: context.params[name] for name in options.NAMES}
        dataset, source = load_data(data, labels, layout, reshape, reading, console)
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
            "objectives": None if objectives is None else parse_names(objectives),
            "selection": selection,
            "start": start,
            "fidelity": fidelity,
            "n_rungs": rungs,
            "inherit": inherit,
            "precision": precision,
            "n_folds": folds,
            "n_finalists": finalists,
            "final_epochs": final_epochs,
            "qat": qat,
            "metric": metric,
            "balance": balance,
            "augment": augment,
            "seed": seed,
        }
        warn_of_short(settings["time_budget_s"], console)
        result = watched(
            console,
            run_search,
            dataset,
            board,
            out=out,
            limits=limits,
            space=space,
            workers=workers,
            source=source,
            tensorboard=tensorboard,
            **{name: value for name, value in settings.items() if value is not None},
        )
    show_result(result, console, as_json)


def _size(text: str | None, name: str) -> int | None:
    return None if text is None else parse_size(text, name)
