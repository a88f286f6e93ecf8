"""Rows of trials against their evaluations, and their order."""

import json

from tests.report.conftest import Story, make_run
from tinynas.report import ranked, read_facts, trial_row
from tinynas.runs import State


def test_a_row_holds_every_figure(ended):
    for trial in read_facts(ended).trials:
        row, evaluation, figures = trial_row(trial), trial.evaluation, trial.evaluation.footprint
        json.dumps(row)
        assert (row["number"], row["parent"], row["state"]) == (trial.number, trial.parent, evaluation.state.value)
        assert row["accuracy_int8"] == (evaluation.mean() if evaluation.folds else None)
        assert row["f1_float_std"] == (evaluation.std("f1", "float") if evaluation.folds else None)
        assert row["arena_bytes"] == (None if figures is None else figures.arena_bytes)
        assert row["board_flash_bytes"] == (None if figures is None else figures.flash.total)
        assert row["error"] == ("it said no" if evaluation.state is State.FAILED else "")
        assert bool(row["violations"]) == (evaluation.state is State.INFEASIBLE)
        assert row["architecture"] == str(trial.architecture)


def test_the_best_is_first_and_what_was_not_trained_last(tmp_path, ended):
    facts = read_facts(ended)
    found = ranked(facts.trials, "accuracy")
    assert sorted(trial.number for trial in found) == [trial.number for trial in facts.trials]
    assert found[0] == facts.best
    kinds = [
        0 if t.evaluation.fidelity == "full" else 1 if t.evaluation.folds else 2 + (t.evaluation.state is State.FAILED)
        for t in found
    ]
    assert kinds == sorted(kinds)
    proxies = [t.evaluation.mean() for t in found if t.evaluation.fidelity == "proxy" and t.evaluation.folds]
    assert proxies == sorted(proxies, reverse=True)
    rungs = read_facts(make_run(tmp_path / "run", Story(rungs=3, finalists=0, real=False)))
    assert ranked(rungs.trials, "accuracy")[0].evaluation.rung == 2
