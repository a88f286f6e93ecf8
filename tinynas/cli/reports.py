"""How trials, comparisons and networks are shown on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from tinynas.cli.console import console, table
from tinynas.cli.formats import among, duration, share, size
from tinynas.report import Comparison, RunFacts, draw, lineage, words
from tinynas.report.counts import Counts
from tinynas.runs import State, Trial
from tinynas.tflite import OperatorFigures
from tinynas.words import counted

_ACROSS = 24  # characters of the widest bar of a network's picture
_WIDE = 132  # characters of a terminal that has room for all columns of the trials
_WIDE_ONLY = (">gen.", ">from", ">float", ">ms", ">time")


def show_trials(facts: RunFacts, trials: Sequence[Trial]) -> None:
    """Print a row a trial, in the order given; on a narrow terminal fewer columns, so that a network can be read."""
    screen, metric = console(), facts.settings.metric
    left = len(facts.trials) - len(trials)
    columns = f"#, >gen., >from, training, >int8 {metric}, >float, >arena B, >file B, >ms, >time, *architecture".split(
        ", "
    )
    shown = [place for place, name in enumerate(columns) if screen.width >= _WIDE or name not in _WIDE_ONLY]
    rows = table(
        f"{facts.folder}: {counted(len(facts.trials), 'trial')}" + (f", the best {len(trials):,}" if left else ""),
        ", ".join(columns[place] for place in shown),
    )
    for trial in trials:
        cells = _cells(trial, metric)
        best = facts.best is not None and trial.number == facts.best.number
        rows.add_row(*(cells[place] for place in shown), style="bold green" if best else None)
    screen.print(rows)


def _cells(trial: Trial, metric: str) -> tuple[str, ...]:
    """Return what stands in a trial's row, column by column."""
    evaluation, footprint = trial.evaluation, trial.evaluation.footprint
    scored = bool(evaluation.folds)
    why = "; ".join(evaluation.violations) or " ".join(evaluation.error.split())
    return (
        str(trial.number),
        str(trial.generation),
        "-" if trial.parent is None else str(trial.parent),
        _training(trial),
        _score(trial, metric, "int8") if scored else evaluation.state.value,
        _score(trial, metric, "float") if scored else "-",
        size(None if footprint is None else footprint.arena_bytes),
        size(None if footprint is None else footprint.flash_bytes),
        "-" if footprint is None or footprint.latency_ms is None else f"{footprint.latency_ms:.3g}",
        duration(evaluation.seconds),
        f"{trial.architecture}" + (f" ({why})" if why else ""),
    )


def show_comparison(found: Comparison) -> None:
    """Print a column a run: what differs in the settings, then what came of it."""
    screen = console()
    results = [{name: row[place] for name, row in found.results.items()} for place in range(len(found.runs))]
    said = [_results(each) for each in results]
    for title, values in (
        ("Settings that differ", found.said),
        ("Results", {name: tuple(each[name] for each in said) for name in said[0]}),
    ):
        if not values:
            screen.print(f"{title}: none.")
            continue
        rows = table(title, ", ".join([title.split()[0].lower(), *(f"*{_column(name)}" for name in found.runs)]))
        for name, row in values.items():
            rows.add_row(name, *row)
        screen.print(rows)


def _results(of: Mapping[str, Any]) -> dict[str, str]:
    """Return a run's results as a person reads them."""
    metric, int8, folds = of["metric"], of["validation_int8"], of["validation_folds"]
    spread = f" +/- {share(of['validation_int8_std'])}, {folds} folds" if folds > 1 else ", one fold"
    tested, unit = of["test_int8"], {"flash_bytes": "B", "arena_bytes": "B", "macs": ""}
    latency = of["latency_ms"]
    unfit, failed = of["trials_infeasible"], of["trials_failed"]
    counts = Counts(of["networks_trained"], of["trials_complete"], of["trials_promoted"], of["trials_finalist"])
    return {
        "best trial": "-" if of["best_trial"] is None else f"#{of['best_trial']}",
        "validation": "-" if int8 is None else f"{metric} {share(int8)}{spread} (int8)",
        "test": "-" if tested is None else f"{metric} {share(tested)} int8, {share(of['test_float'])} float",
        **{
            _LABELS[name]: "-" if of[name] is None else f"{of[name]:,} {after}".rstrip() for name, after in unit.items()
        },
        "latency": "-" if latency is None else f"{latency:.3g} ms",
        "architecture": of["architecture"] or "-",
        "trials": f"{counts.words}, {unfit:,} did not fit, {failed:,} failed",
        "time": words.duration(of["seconds"]) + ("" if of["ended"] else ", not ended"),  # as in the settings above
    }


def show_trial(facts: RunFacts, trial: Trial) -> None:
    """Print the network with the shape of each map and a bar of its bytes, the figures, and the family."""
    screen = console()
    own = facts.model is not None and facts.best is not None and trial.architecture == facts.best.architecture
    operators: tuple[OperatorFigures, ...] = facts.model.analysis.operators if own and facts.model else ()
    screen.print(f"{facts.folder}, trial #{trial.number}: {_what(trial, facts)}", style="bold")
    drawing = draw(trial.architecture, operators)
    most = max(card.bytes for card in drawing.cards)
    rows = table(None, "block, *what, >shape, >map B, *, >weights B, >MACs")
    for place, card in enumerate(drawing.cards):
        name = card.kind if card.kind in ("input", "head") else str(place)
        bar = "█" * max(1, round(_ACROSS * card.bytes / most))
        costs = (size(card.weights_bytes or None), size(card.macs or None))
        rows.add_row(
            name, f"{card.title}\n  {' '.join(card.details)}", card.shape, size(card.bytes), Text(bar, "blue"), *costs
        )
    screen.print(rows)
    screen.print(_figures(facts, trial))
    family = table("Family", "trial, >int8, *what it changed of its parent")
    line = lineage(facts.trials, trial)
    for place, step in enumerate(line.steps):
        if place == 1 and line.left_out:
            family.add_row("…", "", f"{line.left_out:,} more ancestors")
        scored = bool(step.trial.evaluation.folds)
        score = _score(step.trial, facts.settings.metric, "int8") if scored else step.trial.evaluation.state.value
        family.add_row(f"#{step.trial.number}", score, "\n".join(step.changes))
    screen.print(family)


def _figures(facts: RunFacts, trial: Trial) -> Any:
    evaluation, footprint, metric = trial.evaluation, trial.evaluation.footprint, facts.settings.metric
    rows = table("Figures", "figure, *value")
    if evaluation.folds:
        spread = f" +/- {share(evaluation.std(metric))}" if len(evaluation.folds) > 1 else ""
        models = f"{_score(trial, metric, 'int8')}{spread} int8, {_score(trial, metric, 'float')} float"
        folds = f"{len(evaluation.folds)} fold" + ("s" if len(evaluation.folds) > 1 else "")
        rows.add_row(f"validation {metric}", f"{models} ({folds}, {evaluation.fidelity})")
    finals: dict[str, Mapping[str, Any]] = {}
    if facts.final is not None and facts.best is not None and trial.number == facts.best.number:
        finals["the best"] = facts.final
    if trial.number in facts.trained:
        finals[f"trained/{trial.number}"] = facts.trained[trial.number]
    for name, final in finals.items():
        test = final["test"]
        which = f" ({name})" if len(finals) > 1 else ""
        rows.add_row(
            f"test {metric}{which}", f"{share(test['int8'][metric])} int8, {share(test['float'][metric])} float"
        )
    if footprint is not None:
        limits = facts.settings.limits
        rows.add_row("model file", f"{size(footprint.flash_bytes)} B")
        rows.add_row(
            "Flash with TFLM",
            f"{size(footprint.flash.total)} of {size(limits.board_flash_bytes)} B{among(footprint.flash.front_end)}",
        )
        rows.add_row("arena", f"{size(footprint.arena_bytes)} B ({footprint.arena_status})")
        rows.add_row(
            "RAM with TFLM",
            f"{size(footprint.ram_bytes)} of {size(limits.board_ram_bytes)} B{among(footprint.front_end_ram_bytes)}",
        )
        rows.add_row("parameters, MACs", f"{size(footprint.params)}, {size(footprint.macs)}")
        if footprint.latency_ms is not None:
            error = "" if footprint.latency_error is None else f" +/- {100 * footprint.latency_error:.0f} %"
            rows.add_row("latency", f"{footprint.latency_ms:.3g} ms, estimated{error}")
    for sentence in (*evaluation.violations, *filter(None, [" ".join(evaluation.error.split())])):
        rows.add_row("not trained", sentence)
    return rows


def _what(trial: Trial, facts: RunFacts) -> str:
    if facts.best is not None and trial.number == facts.best.number:
        return "the best" if facts.ended else "the best so far"
    return trial.evaluation.state.value


def _training(trial: Trial) -> str:
    evaluation = trial.evaluation
    if evaluation.state is not State.COMPLETE or not evaluation.folds:
        return "-"
    return evaluation.fidelity + (f", rung {evaluation.rung}" if evaluation.rung else "")


def _score(trial: Trial, metric: str, model: str) -> str:
    return share(trial.evaluation.mean(metric, model))


def _column(name: str) -> str:
    """Return a run's name as a column may be called: a comma would end it."""
    return name.replace(",", "_")


_LABELS = {"flash_bytes": "model file", "arena_bytes": "arena", "macs": "MACs"}
