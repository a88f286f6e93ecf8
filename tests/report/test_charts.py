"""What the charts of trials are made of."""

from dataclasses import replace

from tinynas.report import read_facts
from tinynas.report.charts import anytime, pareto
from tinynas.report.front import Group, groups


def _without_latency(group):
    def bare(trial):
        evaluation = trial.evaluation
        return replace(trial, evaluation=replace(evaluation, footprint=replace(evaluation.footprint, latency_ms=None)))

    return Group(group.label, tuple(map(bare, group.trials)), group.full)


def test_a_cost_that_no_trial_has_gets_no_chart(ended):
    facts = read_facts(ended)
    found = groups(facts.trials, "proxy")
    assert set(pareto(found, "accuracy", facts.best)) == {"ram", "flash", "latency"}
    assert set(pareto([_without_latency(group) for group in found], "accuracy", facts.best)) == {"ram", "flash"}


def test_marks_stand_where_the_trial_s_figures_are(ended):
    facts = read_facts(ended)
    chart = pareto(groups(facts.trials, "proxy"), "f1", facts.best)["ram"]
    data = chart.renderers[0].data_source.data
    by_number = {str(trial.number): trial for trial in facts.trials}
    for number, at, score, marker in zip(data["number"], data["at_ram"], data["score"], data["marker"], strict=True):
        trial = by_number[number]
        assert at == trial.evaluation.footprint.arena_bytes / 1024
        assert score == 100 * trial.evaluation.mean("f1")
        assert (marker == "star") == (trial.number == facts.best.number)
    assert len(set(data["colour"])) == 2
    (picked,) = chart.renderers[0].data_source.selected.indices
    assert data["number"][picked] == str(facts.best.number)


def test_the_curve_never_falls_and_ends_at_the_best_of_its_group(ended):
    found = groups(read_facts(ended).trials, "proxy")
    lines = [r.data_source.data for r in anytime(found, "accuracy").renderers if "y" in r.data_source.data]
    assert len(lines) == len(found)
    for line, group in zip(lines, found, strict=True):
        scores = list(line["y"])
        assert scores == sorted(scores)
        assert scores[-1] == 100 * max(trial.evaluation.mean() for trial in group.trials)
        assert max(line["x"]) == max(trial.elapsed_s for trial in group.trials)


def test_without_ages_trials_are_counted(ended):
    found = [
        Group(group.label, tuple(replace(trial, elapsed_s=0.0) for trial in group.trials), group.full)
        for group in groups(read_facts(ended).trials, "proxy")
    ]
    chart = anytime(found, "accuracy")
    assert chart.xaxis.axis_label == "trial"
    (line, *_) = [r.data_source.data for r in chart.renderers if "y" in r.data_source.data]
    assert max(line["x"]) == max(trial.number for trial in found[0].trials)
