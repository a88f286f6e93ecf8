"""`tinynas pareto`: the trade-offs that a search has found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.completion import RUN, listing, runs
from tinynas.cli.formats import parse_names, share, size
from tinynas.options.search import OBJECTIVES
from tinynas.words import counted

if TYPE_CHECKING:
    from tinynas.runs import Trial


def pareto(
    run: Annotated[str, typer.Argument(help=RUN, autocompletion=runs)] = "latest",
    objectives: Annotated[
        str | None,
        typer.Option(
            help=f"accuracy, and any of {', '.join(OBJECTIVES[1:])}. Default: those of the search.",
            autocompletion=listing(OBJECTIVES),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the front as JSON.")] = False,
) -> None:
    """List the models that none beats in every objective at once, in measured bytes."""
    from tinynas.runs import (
        chosen_words,
        find_run,
        front,
        front_objectives,
        kept,
        leader,
        read_settings,
        read_summary,
        read_trained,
        read_trials,
        trained,
    )

    folder = find_run(run)
    settings = read_settings(folder)
    names = front_objectives(settings.objectives) if objectives is None else parse_names(objectives)
    trials = tuple(read_trials(folder / "journal.sqlite"))
    members = front(trials, names, settings.metric)
    models, finals = set(kept(folder)), {number: read_trained(folder, number) for number in trained(folder)}
    rows = [_row(trial, settings.metric, trial.number in models, finals.get(trial.number)) for trial in members]
    if as_json:
        import json

        typer.echo(json.dumps({"run": str(folder), "objectives": list(names), "front": rows}, indent=1))
        return
    summary = read_summary(folder)
    named = None if summary is None or summary["best"] is None else summary["best"].get("trial")
    best = next((trial for trial in trials if trial.number == named), None) or leader(trials, settings.metric)
    _show(folder, names, settings.metric, rows, best, chosen_words(summary))


def _row(trial: "Trial", metric: str, is_kept: bool, final: dict[str, Any] | None) -> dict[str, Any]:
    footprint = trial.evaluation.footprint
    assert footprint is not None  # a trained trial was measured first
    return {
        "trial": trial.number,
        metric: trial.evaluation.mean(metric),
        "fidelity": trial.evaluation.fidelity,
        "rung": trial.evaluation.rung,
        "arena_bytes": footprint.arena_bytes,
        "flash_bytes": footprint.flash_bytes,
        "latency_ms": footprint.latency_ms,
        "macs": footprint.macs,
        "params": footprint.params,
        "architecture": str(trial.architecture),
        "model_kept": is_kept or final is not None,
        "test": None if final is None else final["best"]["test"]["int8"][metric],
    }


def _show(
    folder: Path, names: tuple[str, ...], metric: str, rows: list[dict[str, Any]], best: "Trial | None", why: str | None
) -> None:
    from tinynas.cli.console import console, table

    out = console()
    if not rows:
        out.print(f"{folder} has no trained trial yet: let the search run, or resume it with --resume {folder}.")
        return
    made = table(
        f"Pareto front of {folder} in {', '.join(names)}",
        f">trial, >int8 {metric}, >arena B, >file B, >latency ms, >MACs, model, *architecture",
    )
    for row in rows:
        latency = row["latency_ms"]
        made.add_row(
            str(row["trial"]),
            share(row[metric]),
            size(row["arena_bytes"]),
            size(row["flash_bytes"]),
            "-" if latency is None else f"{latency:.3g}",
            size(row["macs"]),
            "kept" if row["test"] is None and row["model_kept"] else "-" if row["test"] is None else "trained",
            row["architecture"],
        )
    out.print(made)
    chosen = None if best is None else best.number
    if why is not None:
        out.print(why)
    elif best is not None and all(row["trial"] != chosen for row in rows):
        out.print(_why_not(best, metric, names, rows))
    kept = [row["trial"] for row in rows if row["model_kept"]]
    other = next((number for number in kept if number != chosen), None)
    run = "" if Path("runs/latest").resolve() == folder.resolve() else f" --run {folder}"
    if chosen in kept and other is None:
        out.print(f"Next: tinynas convert best{run}")
    elif chosen in kept or other is not None:
        first = f"best{run}, or {folder}:{other}" if chosen in kept else f"{folder}:{other}"
        out.print(
            f"Next: tinynas convert {first}, or another that is kept, as it was trained in the search; "
            f"tinynas train {folder}:{other} gives it, or any other, the final training."
        )
    else:
        out.print("The search kept no model of these; its best has one: tinynas convert best.")


def _why_not(best: "Trial", metric: str, names: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    """Return why the best is not among the front's rows, a sentence."""
    own = _row(best, metric, False, None)
    same = next((row["trial"] for row in rows if row["architecture"] == own["architecture"]), None)
    if same is not None:
        return f"The best, #{best.number}, is the network of #{same}, which stands here with its longest training."
    folds = len(best.evaluation.folds)
    return (
        f"The best, #{best.number}, is not among them: another has no less {metric} ({share(own[metric])} of "
        f"#{best.number} is over {counted(folds, 'fold')}) and is no worse in {', '.join(names)}. The finalists' "
        f"scores decide which is the best, since they are trained for longest."
    )
