"""A search that has ended goes on: more generations, finalists anew, a best that only a better one replaces."""

import json
import shutil
from dataclasses import replace

import pytest

from tests.searching.conftest import evaluate, footprint_of, score_of
from tests.searching.finals import Made, many_samples
from tinynas.errors import RunError, UsageError
from tinynas.report.command import command_of
from tinynas.runs import Best, read_settings, read_summary, read_trained, read_trials, trained
from tinynas.searching import Note, resume, search
from tinynas.searching.extension import is_better
from tinynas.searching.final import seed_of
from tinynas.searching.record import count_trained


@pytest.fixture(scope="module")
def many():
    """So many samples that a child is trained on one fold, and starts from its parent's weights."""
    return many_samples()


USUAL = {"n_generations": 3, "n_children": 4, "strategy": "evolution", "screen": footprint_of, "workers": 1}


def _search(stripes, folder, executor=None, **given):
    executor = executor or Made()
    return search(stripes, "nucleo_f401", out=folder, executor=lambda *_: executor, **{**USUAL, **given})


def _more(folder, stripes, executor=None, **given):
    executor = executor or Made()
    return resume(folder, stripes, executor=lambda *_: executor, screen=footprint_of, workers=1, **given)


def _journal(folder):
    """The journal without its timings."""
    return [
        (t.number, t.generation, t.parent, t.architecture.key, replace(t.evaluation, seconds=0.0))
        for t in read_trials(folder / "journal.sqlite")
    ]


def _finalists(trials):
    return [trial for trial in trials if trial.evaluation.fidelity == "full"]


def test_more_generations_follow_and_nothing_is_tried_twice(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run")
    result = _more(first.folder, stripes, more_generations=2)
    assert result.trials[: len(first.trials)] == first.trials
    new = [trial for trial in result.trials[len(first.trials) :] if trial.evaluation.fidelity != "full"]
    assert sorted({trial.generation for trial in new}) == [4, 5]  # 3 were the first finalists
    tried = [t.architecture.key for t in result.trials if t.evaluation.fidelity != "full" and not t.evaluation.rung]
    assert len(tried) == len(set(tried))
    assert [trial.number for trial in result.trials] == list(range(len(result.trials)))
    assert result.summary["seconds"] > first.summary["seconds"]
    assert all(trial.elapsed_s >= first.summary["seconds"] for trial in new)
    assert read_summary(first.folder) == result.summary


def test_more_trials_are_counted(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", n_generations=None, max_trials=9)
    result = _more(first.folder, stripes, more_trials=7)
    assert (count_trained(first.trials), count_trained(result.trials)) == (9, 16)
    again = _more(first.folder, stripes, more_trials=3)
    assert count_trained(again.trials) == 19
    settings = read_settings(first.folder)
    assert [each.max_trials for each in settings.extensions] == [7, 3]
    assert [note for note in command_of(settings)[1] if "went on" in note] == [
        "Then it went on, by tinynas search --resume RUN --trials +7.",
        "Then it went on, by tinynas search --resume RUN --trials +3.",
    ]


def test_more_time_is_a_budget_of_its_own(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", n_generations=1)
    executor = Made()
    result = _more(first.folder, stripes, executor, more_time_s=600, more_generations=1)
    assert 300 < executor.finals[0].time_budget_s < 600
    assert len(result.trials) > len(first.trials)


def test_a_better_best_takes_the_place_and_the_earlier_one_stays_beside(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", n_generations=1, n_children=3)
    before = (first.folder / "best" / "model.tflite").read_bytes()
    result = _more(first.folder, stripes, more_generations=6)
    assert score_of(result.best.architecture) > score_of(first.best.architecture)
    assert Best(result.folder).about["trial"] == result.best.number
    assert trained(result.folder) == (first.best.number,)
    assert Best(result.folder, first.best.number).tflite == before
    assert read_trained(result.folder, first.best.number) == first.summary
    assert json.loads((result.folder / "summary_1.json").read_text()) == first.summary


def test_where_nothing_better_is_found_the_best_stays_and_is_not_trained_again(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", n_generations=5)
    best = first.best.architecture.key

    def poor(architecture):
        return evaluate(architecture) if architecture.key == best else _scaled(evaluate(architecture), 0.5)

    executor = Made(poor)
    before = {path.name: path.read_bytes() for path in (first.folder / "best").iterdir()}
    result = _more(first.folder, stripes, executor, more_generations=2)
    assert executor.finals == []
    assert (result.best.number, result.summary["best"]) == (first.best.number, first.summary["best"])
    assert {path.name: path.read_bytes() for path in (result.folder / "best").iterdir()} == before
    assert trained(result.folder) == ()
    assert len(result.trials) > len(first.trials)


@pytest.mark.parametrize(("judged", "replaced"), [(0.95, True), (0.9, True), (0.85, False)])
def test_with_more_time_the_same_best_is_trained_anew_and_the_better_one_stays(stripes, tmp_path, judged, replaced):
    first = _search(stripes, tmp_path / "run", Made(judged=0.9), n_generations=5)
    best = first.best.architecture.key

    def poor(architecture):
        return evaluate(architecture) if architecture.key == best else _scaled(evaluate(architecture), 0.5)

    executor = Made(poor, judged=judged)
    result = _more(first.folder, stripes, executor, more_time_s=3600, more_generations=1)
    assert executor.finals[0].architecture.key == best
    assert executor.finals[0].seed == seed_of(read_settings(first.folder), first.best.number)
    assert result.best.number == first.best.number
    assert (result.summary["best"]["held_out"] == {"ptq": judged}) == replaced
    assert (result.summary["best"] == first.summary["best"]) == (judged == 0.9 or not replaced)


def test_the_same_best_is_not_trained_again_for_less_time_than_it_had(stripes, tmp_path):
    """A search that is given seconds says so at its beginning, and does not contradict itself at the end."""
    first = _search(stripes, tmp_path / "run", n_generations=2, time_budget_s=600.0)
    best = first.best.architecture.key

    def poor(architecture):
        return evaluate(architecture) if architecture.key == best else _scaled(evaluate(architecture), 0.5)

    events, executor = [], Made(poor)
    result = _more(first.folder, stripes, executor, more_time_s=20, more_generations=1, watch=events.append)
    assert executor.finals == []
    assert result.summary["best"] == first.summary["best"]
    said = [event.text for event in events if isinstance(event, Note)]
    assert said[0].startswith("A time budget of 20 s more will be overrun: ")
    assert said[-1] == f"Nothing better was found: the final model of trial {first.best.number} stays the best."
    assert not any(text.startswith("Final training") for text in said)
    executor = Made(poor)
    _more(first.folder, stripes, executor, more_time_s=3600, more_generations=1)
    assert len(executor.finals) == 1


def test_without_samples_held_out_the_longer_training_is_the_better_one(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", n_generations=1)
    for epochs in (6, 7, 8):
        executor = Made(epochs=epochs)
        _search(stripes, tmp_path / f"{epochs}", executor, n_generations=1)
        final = executor.final(executor.finals[0], None)
        assert is_better(final, first.summary) == (epochs >= 7)


def _scaled(evaluation, by):
    folds = tuple(replace(fold, int8=replace(fold.int8, accuracy=by * fold.int8.accuracy)) for fold in evaluation.folds)
    return replace(evaluation, folds=folds)


@pytest.mark.parametrize(
    ("strategy", "stops"), [("evolution", (1, 5, 11)), ("surrogate", (6,)), ("nsga2", (4,)), ("aging", (7,))]
)
def test_killed_it_goes_on_to_the_same_end(stripes, tmp_path, small_pool, strategy, stops):
    first = _search(stripes, tmp_path / "run", strategy=strategy, n_generations=2)
    shutil.copytree(first.folder, tmp_path / "copy")
    whole = _more(first.folder, stripes, more_trials=9)
    for stop_after in stops:
        calls = 0

        def dies(architecture, stop_after=stop_after):
            nonlocal calls
            calls += 1
            if calls > stop_after:
                raise KeyboardInterrupt
            return evaluate(architecture)

        folder = tmp_path / f"killed {stop_after}"
        shutil.copytree(tmp_path / "copy", folder)
        with pytest.raises(KeyboardInterrupt):
            _more(folder, stripes, Made(dies), more_trials=9)
        assert read_summary(folder) is None
        assert Best(folder).about["stage"] == "final"  # the earlier one, all the while
        with pytest.raises(RunError, match="has not ended: go on with it first"):
            _more(folder, stripes, more_trials=9)
        result = _more(folder, stripes)
        assert _journal(folder) == _journal(whole.folder)
        assert {**result.summary, "seconds": 0} == {**whole.summary, "seconds": 0}
        assert (folder / "best" / "model.tflite").read_bytes() == (whole.folder / "best" / "model.tflite").read_bytes()


def test_killed_before_the_summary_is_set_aside_it_goes_on(stripes, tmp_path, monkeypatch):
    first = _search(stripes, tmp_path / "run")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tinynas.runs.folder.Run._summary_before", killed)
        with pytest.raises(KeyboardInterrupt):
            _more(first.folder, stripes, more_generations=1)
    result = _more(first.folder, stripes)
    assert len(result.trials) > len(first.trials)
    assert len(read_settings(first.folder).extensions) == 1


def test_children_start_from_weights_that_earlier_parts_left(many, tmp_path):
    first = _search(many, tmp_path / "run")
    left = {int(path.stem) for path in (first.folder / "weights").iterdir()}
    assert 0 < len(left) <= 3 * 8
    executor = Made()
    _more(first.folder, many, executor, more_generations=1)
    parents = {job.parent for job in executor.jobs if job.start is not None}
    assert parents & left


def test_a_run_that_left_no_weights_starts_from_the_models_that_it_kept(many, tmp_path):
    first = _search(many, tmp_path / "run", n_generations=4)
    shutil.rmtree(first.folder / "weights")
    executor = Made()
    _more(first.folder, many, executor, more_generations=1)
    starts = [job.start for job in executor.jobs if job.start is not None]
    assert starts
    assert all(start.path.suffix == ".keras" for start in starts)


def test_a_time_budget_that_cut_a_generation_short_is_no_hindrance(stripes, tmp_path):
    """Children of the generation that the clock cut were never trained, and their numbers are the finalists' now."""
    first = _search(stripes, tmp_path / "run", Cut(), n_generations=2, n_children=8)
    assert len({trial.number for trial in first.trials}) == len(first.trials)
    result = _more(first.folder, stripes, more_generations=1)
    assert result.trials[: len(first.trials)] == first.trials
    assert len(result.trials) > len(first.trials)


class Cut(Made):
    """Starts no more than three jobs at a time, as when the time is over."""

    def evaluate(self, jobs, deadline):
        return super().evaluate(jobs[:3], deadline)


def test_patience_counts_anew(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", n_generations=20, patience=2)
    result = _more(first.folder, stripes, more_generations=4)
    assert max(t.generation for t in result.trials) > max(t.generation for t in first.trials) + 1


def test_a_search_that_only_measures_goes_on(stripes, tmp_path):
    first = _search(stripes, tmp_path / "run", fidelity="none")
    result = _more(first.folder, stripes, more_trials=5)
    assert (result.best, len(result.trials) - len(first.trials) >= 5) == (None, True)


def test_made_up_scores_go_on(stripes, tmp_path):
    first = search(stripes, "nucleo_f401", out=tmp_path / "run", evaluate=evaluate, **USUAL)
    result = resume(first.folder, stripes, evaluate=evaluate, screen=footprint_of, more_trials=5)
    assert count_trained(result.trials) == count_trained(first.trials) + 5
    assert score_of(result.best.architecture) >= score_of(first.best.architecture)


def test_an_old_run_that_has_ended_goes_on(stripes, tmp_path):
    """One of version 0.1.0, whose settings know of no extension."""
    from tests import old_run

    shutil.copytree(old_run.FOLDER / "surrogate", tmp_path / "run")
    summary = {**read_summary(_search(stripes, tmp_path / "other").folder), "best": None}
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary))
    before = list(read_trials(tmp_path / "run" / "journal.sqlite"))
    result = resume(tmp_path / "run", old_run.stripes(), evaluate=old_run.evaluate, workers=1, more_trials=4)
    assert list(result.trials[: len(before)]) == before
    assert count_trained(result.trials) == count_trained(before) + 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"more_trials": 0}, "more_trials is 0; wanted a whole number of at least 1"),
        ({"more_trials": 2.5}, "more_trials is 2.5"),
        ({"more_trials": True}, "more_trials is True"),
        ({"more_generations": -1}, "more_generations is -1"),
        ({"more_time_s": 0}, "more_time_s is 0"),
        ({"more_time_s": float("nan")}, "more_time_s is nan"),
        ({"more_time_s": "30m"}, "more_time_s is '30m'"),
    ],
)
def test_what_makes_no_sense_is_refused(stripes, tmp_path, given, said):
    first = _search(stripes, tmp_path / "run", n_generations=1)
    with pytest.raises(UsageError, match=said):
        _more(first.folder, stripes, **given)
    assert read_summary(first.folder) == first.summary
    assert read_settings(first.folder).extensions == ()
