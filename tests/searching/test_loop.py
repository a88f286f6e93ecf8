import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of, score_of
from tinynas.architecture import SearchSpace
from tinynas.data import Dataset, FoldScores, Scores
from tinynas.errors import DataError, InfeasibleError, RunError, UsageError
from tinynas.hardware import Limits
from tinynas.runs import Evaluation, Journal, State, Trial, read_settings, read_trials
from tinynas.searching import GenerationStarted, Note, Started, TrialDone, resume, search
from tinynas.searching.executor import Calls
from tinynas.training.schedule import Lengths


@pytest.fixture
def run(stripes, target, space, limits, tmp_path, small_pool):
    """Start a search with made-up scores; keywords replace the usual ones.

    The strategy is the quickest, as the loop takes any; strategy="surrogate" is the default of a search.
    """

    def start(out="run", **given):
        usual = {
            "space": space,
            "limits": limits,
            "evaluate": evaluate,
            "screen": footprint_of,
            "n_generations": 6,
            "n_children": 6,
            "strategy": "evolution",
        }
        return search(stripes, target, out=tmp_path / out, **{**usual, **given})

    return start


def _journal(folder):
    """The journal without its timings."""
    return [
        (t.number, t.generation, t.parent, t.architecture.key, replace(t.evaluation, seconds=0.0))
        for t in read_trials(folder / "journal.sqlite")
    ]


@pytest.mark.parametrize("fidelity", ["full", "proxy"])
def test_the_best_fits_and_is_the_best(run, limits, fidelity):
    result = run(fidelity=fidelity)
    trained = [trial for trial in result.trials if trial.evaluation.folds]
    longest = [trial for trial in trained if trial.evaluation.fidelity == "full"]  # of a proxy search the finalists
    assert result.best is not None
    assert score_of(result.best.architecture) == max(score_of(trial.architecture) for trial in longest)
    assert all(not limits.violations(footprint_of(trial.architecture)) for trial in trained)


def test_evolution_beats_its_first_generation(run):
    result = run(n_generations=12, start="random")
    first = max(score_of(t.architecture) for t in result.trials if t.generation == 0 and t.evaluation.folds)
    assert score_of(result.best.architecture) > first


def test_no_architecture_is_trained_twice(run):
    result = run(fidelity="full")
    keys = [trial.architecture.key for trial in result.trials]
    assert len(keys) == len(set(keys))


def test_children_over_a_limit_are_not_trained_and_say_why(run):
    result = run(limits=Limits(flash_bytes=3000, ram_bytes=1600))
    over = [trial for trial in result.trials if trial.evaluation.state is State.INFEASIBLE]
    assert over
    for trial in over:
        assert not trial.evaluation.folds
        assert trial.evaluation.violations
    assert result.summary["trials"]["infeasible"] == len(over)


@pytest.mark.parametrize("start", ["handmade", "random"])
def test_infeasible_limits_end_soon_name_what_binds_and_leave_nothing(run, tmp_path, start):
    screened = 0

    def counted(architecture):
        nonlocal screened
        screened += 1
        return footprint_of(architecture)

    with pytest.raises(
        InfeasibleError,
        match=r"hardest to meet, 900 B of model file \(flash_bytes\), and the smallest has [\d,]+ B; .* B",
    ):
        run(limits=Limits(flash_bytes=900), screen=counted, start=start)
    assert screened < 4000  # two seconds of the real screen
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("strategy", ["evolution", "random"])
@pytest.mark.parametrize("selection", ["plus", "comma"])
def test_the_same_seed_gives_the_same_journal(run, strategy, selection):
    chosen = {"strategy": strategy, "selection": selection}
    first, second = run("a", seed=5, **chosen), run("b", seed=5, **chosen)
    other = run("c", seed=6, **chosen)
    assert _journal(first.folder) == _journal(second.folder)
    assert _journal(first.folder) != _journal(other.folder)


@pytest.mark.parametrize(
    ("strategy", "stop_after"), [("evolution", 1), ("surrogate", 7), ("evolution", 20), ("surrogate", 37)]
)
def test_a_killed_search_goes_on_to_the_same_end(run, stripes, tmp_path, strategy, stop_after):
    whole = run("whole", strategy=strategy)
    calls = 0

    def dies(architecture):
        nonlocal calls
        calls += 1
        if calls > stop_after:
            raise KeyboardInterrupt
        return evaluate(architecture)

    with pytest.raises(KeyboardInterrupt):
        run("killed", evaluate=dies, strategy=strategy)
    assert not (tmp_path / "killed" / "summary.json").exists()
    result = resume(tmp_path / "killed", stripes, evaluate=evaluate, screen=footprint_of)
    assert _journal(result.folder) == _journal(whole.folder)
    ours, theirs = ({**r.summary, "seconds": 0} for r in (result, whole))
    assert ours == theirs


def test_a_search_that_has_ended_is_returned_as_it_ended(run, stripes):
    first = run()
    again = resume(first.folder, stripes, evaluate=lambda a: pytest.fail("trained again"), screen=footprint_of)
    assert again.summary == first.summary
    assert again.best == first.best


def test_trials_are_counted(run):
    result = run(n_generations=None, max_trials=13, fidelity="full")
    assert sum(trial.evaluation.state is State.COMPLETE for trial in result.trials) == 13


def test_finalists_are_trained_in_full(run):
    result = run(n_finalists=2, start="random")
    full = [trial for trial in result.trials if trial.evaluation.fidelity == "full"]
    assert len(full) == 2
    assert result.best in full


def test_of_the_finalists_the_best_score_wins_however_often_its_proxy_was_promoted(run):
    """All have the same full training, which in this search reverses the order that the proxies had."""
    calls = Counter()

    def reversed_in_the_end(architecture):
        calls[architecture.key] += 1
        evaluation = evaluate(architecture)
        return evaluation if calls[architecture.key] < 4 else _scored(evaluation, 1 - evaluation.mean())

    result = run(evaluate=reversed_in_the_end, n_finalists=12, n_rungs=3, strategy="surrogate")
    rungs = {key: max(t.evaluation.rung for t in result.trials if t.architecture.key == key) for key in calls}
    full = [trial for trial in result.trials if trial.evaluation.fidelity == "full"]
    assert len({rungs[trial.architecture.key] for trial in full}) > 1
    assert {trial.evaluation.rung for trial in full} == {0}
    assert result.best.evaluation.mean() == max(trial.evaluation.mean() for trial in full)
    assert rungs[result.best.architecture.key] < 2


@pytest.mark.parametrize("prefer", ["accuracy", "balanced", "small"])
def test_what_is_preferred_wins_among_the_finalists(run, prefer):
    """48 samples in 5 folds: the standard error of a made-up score of one fold is beyond a tenth."""
    result = run(prefer=prefer, n_finalists=4)
    full = [trial for trial in result.trials if trial.evaluation.fidelity == "full"]
    leads = max(full, key=lambda trial: trial.evaluation.mean())
    assert (result.best == leads) == (prefer == "accuracy")
    if prefer != "accuracy":
        best, lead = (trial.evaluation.footprint for trial in (result.best, leads))
        assert best.flash_bytes <= lead.flash_bytes
        assert best.arena_bytes <= lead.arena_bytes
        assert best.flash_bytes + best.arena_bytes < lead.flash_bytes + lead.arena_bytes
    named = result.summary["smaller"]
    assert named is None or named["flash_bytes"] <= result.best.evaluation.footprint.flash_bytes


def _scored(evaluation, value):
    scores = Scores(*[value] * 4)
    return replace(evaluation, folds=(FoldScores(scores, scores),))


def test_proxies_are_longer_from_the_second_generation_on_where_the_time_allows(run, stripes):
    jobs = []

    class Spied(Calls):
        def evaluate(self, given, deadline):
            jobs.extend(given)
            return super().evaluate(given, deadline)

    def trained(architecture):
        return replace(evaluate(architecture), seconds=1.0, visits=12_000)

    result = run(
        evaluate=None, executor=lambda *_: Spied(trained), time_budget_s=3600, n_generations=3, n_finalists=1, workers=1
    )
    lengths = {job.generation: set() for job in jobs}
    for job in jobs:
        if job.fidelity == "proxy" and not job.rung:
            lengths[job.generation].add(job.schedule.visits)
    usual, longer = (Lengths.of(stripes, 5).proxy(0, stretch).visits for stretch in (1.0, 5.0))
    assert (lengths[0], lengths[1], lengths[2]) == ({usual}, {longer}, {longer})
    journal = Journal(result.folder / "journal.sqlite")
    assert journal.fact("stretch") == 5.0
    journal.close()


def test_patience_ends_it(run):
    same = lambda architecture: replace(  # noqa: E731
        evaluate(architecture), folds=evaluate(run_best).folds
    )
    run_best = run("first").best.architecture
    result = run("second", evaluate=same, n_generations=50, patience=2)
    assert max(trial.generation for trial in result.trials) <= 8  # a promotion is better, of two the smaller arena is


def test_a_failed_trial_is_recorded_and_the_search_goes_on(run):
    def sometimes(architecture):
        if int(architecture.key, 16) % 3 == 0:
            return Evaluation(State.FAILED, error="it would not")
        return evaluate(architecture)

    result = run(evaluate=sometimes)
    assert result.summary["trials"]["failed"] > 0
    assert result.best.evaluation.state is State.COMPLETE


def test_failures_in_a_row_end_it(run):
    with pytest.raises(RunError, match="5 trials in a row failed in the same way, the last with: it would not"):
        run(evaluate=lambda architecture: Evaluation(State.FAILED, error="it would not"))


def test_fidelity_none_measures_only(run):
    result = run(fidelity="none", evaluate=lambda a: Evaluation(State.COMPLETE))
    assert result.summary["best"] is None
    assert result.summary["trials"]["complete"] > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_generations": 1}, "Search ends after 1 generation: 1 generation was asked for."),
        ({"n_generations": 2}, "Search ends after 2 generations: 2 generations were asked for."),
        ({"n_generations": None, "max_trials": 1}, "Search ends after 1 generation: 1 trial was asked for."),
    ],
)
def test_one_is_no_plural(run, given, said):
    events = []
    run(watch=events.append, **given)
    assert said in [event.text for event in events if isinstance(event, Note)]


def test_events_tell_the_story(run):
    events = []
    run(watch=events.append)
    assert isinstance(events[0], Started)
    assert sum(isinstance(event, GenerationStarted) for event in events) == 7  # six and the finalists
    shares = [event.share for event in events if isinstance(event, TrialDone)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_summary_is_what_scripts_expect(run):
    summary = json.loads((run().folder / "summary.json").read_text())
    assert set(summary) == {"target", "data", "seed", "trials", "best", "warnings", "smaller", "seconds"}
    assert set(summary["trials"]) == {"complete", "infeasible", "failed"}
    wanted = {"architecture", "params", "macs", "flops", "flash_bytes", "arena_bytes", "largest_tensor_bytes"}
    assert wanted | {"validation", "test"} <= set(summary["best"])
    assert set(summary["best"]["validation"]["accuracy"]) == {"mean", "std"}


def test_a_folder_in_use_or_of_other_data_is_refused(run, stripes, target):
    result = run()
    with pytest.raises(RunError, match="is not empty"):
        run()
    other = type(stripes).from_arrays(1 - stripes.x, stripes.y, name="other")
    with pytest.raises(
        RunError, match=r"began with other data .* if these are they, this version of tinynas reads them"
    ):
        resume(result.folder, other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_children": 0}, "n_children is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"strategy": "magic"}, "strategy is 'magic'"),
        ({"colour": "red"}, "takes no setting 'colour'"),
        ({"time_budget_s": 0}, "time_budget_s is 0"),
        ({"augment": "melt"}, "'melt'"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(run, given, message):
    with pytest.raises(UsageError, match=message):
        run(**given)


def test_a_space_for_other_data_is_refused(run, space):
    with pytest.raises(UsageError, match=r"SearchSpace.for_input"):
        run(space=replace(space, n_classes=4))


def test_limits_tighten_the_board_and_never_widen_it(run, target):
    result = run(limits=Limits(params=10**6), n_generations=1)
    assert read_settings(result.folder).limits == replace(target.limits, params=10**6)
    tiny = target.model_copy(update={"ram_bytes": 3500})
    with pytest.raises(InfeasibleError, match=r"RAM|arena"):
        search(
            stripes_of(result),
            tiny,
            out=result.folder.parent / "tiny",
            limits=Limits(ram_bytes=10**6),
            evaluate=evaluate,
            screen=lambda a: replace(footprint_of(a), ram_outside_bytes=3000),
        )


def stripes_of(result):
    """Any data of the shape that the run had."""
    shape = read_settings(result.folder).space.input_shape
    rng = np.random.default_rng(0)
    return Dataset.from_arrays(rng.random((60, *shape)), np.arange(60) % 3)


@pytest.mark.parametrize("workers", [0, -1])
def test_a_number_of_workers_that_makes_no_sense_is_refused(run, tmp_path, workers):
    with pytest.raises(UsageError, match=f"workers is {workers}"):
        run(workers=workers)
    assert not (tmp_path / "run").exists()


def test_folds_follow_the_smallest_class(target, tmp_path):
    rng = np.random.default_rng(0)
    y = np.array([0] * 30 + [1] * 30 + [2] * 4)
    data = Dataset.from_arrays(rng.random((64, 8, 8)), y, rng.random((3, 8, 8)), np.arange(3))
    usual = {"evaluate": evaluate, "screen": footprint_of, "n_generations": 1}
    result = search(data, target, out=tmp_path / "a", **usual)
    assert read_settings(result.folder).n_folds == 4
    with pytest.raises(DataError, match="5"):
        search(data, target, out=tmp_path / "b", n_folds=5, **usual)
    assert not (tmp_path / "b").exists()


def test_a_journal_of_another_search_is_refused(run, stripes, tmp_path):
    def dies(architecture):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("killed", evaluate=dies)
    journal = Journal(tmp_path / "killed" / "journal.sqlite")
    other = SearchSpace.for_input((8, 8, 1), 3).random_architecture(np.random.default_rng(99))
    journal.append(Trial(0, 0, None, other, replace(evaluate(other), footprint=footprint_of(other))))
    journal.close()
    with pytest.raises(RunError, match="trial 0 of its journal is another network"):
        resume(tmp_path / "killed", stripes, evaluate=evaluate, screen=footprint_of)


def test_a_time_budget_ends_the_search(run):
    result = run(n_generations=None, time_budget_s=2.0)
    assert len(result.trials) >= 2
    assert result.summary["seconds"] < 30
    assert result.best is not None


def test_an_evaluate_that_raises_is_a_failed_trial(run):
    def sometimes(architecture):
        if int(architecture.key, 16) % 3 == 0:
            raise ValueError("it would\nnot")
        return evaluate(architecture)

    result = run(evaluate=sometimes)
    failed = [trial for trial in result.trials if trial.evaluation.state is State.FAILED]
    assert failed
    assert {trial.evaluation.error for trial in failed} == {"ValueError: it would not"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"evaluate": lambda architecture: 0.5}, "evaluate returned 0.5"),
        ({"final_threads": 3}, "'final_threads'"),
        ({"target_": None}, "target_"),
    ],
)
def test_arguments_of_the_wrong_kind_are_one_sentence(run, given, message):
    with pytest.raises(UsageError, match=message):
        run(**given)


def test_a_data_set_or_board_of_the_wrong_kind_is_refused(stripes):
    with pytest.raises(UsageError, match="needs a Dataset as dataset, got ndarray"):
        search(stripes.x, "nucleo_f401")
    with pytest.raises(UsageError, match="needs a Target as target, got int"):
        search(stripes, 401)
