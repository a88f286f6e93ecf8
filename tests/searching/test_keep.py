"""A search keeps the models of its front, and of nothing else; and the objectives choose the strategy."""

import itertools
import pkgutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.errors import RunError, UsageError
from tinynas.hardware import Target
from tinynas.runs import (
    Best,
    DataSource,
    Evaluation,
    Settings,
    State,
    Trial,
    front,
    kept,
    read_settings,
    read_trials,
)
from tinynas.runs.models import renamed
from tinynas.searching import resume, search
from tinynas.searching.executor import Calls
from tinynas.searching.jobs import Outcome
from tinynas.searching.keep import Front, front_of


@pytest.fixture
def run(stripes, target, space, limits, tmp_path, monkeypatch, small_pool):
    """Search with made-up scores and, where wanted, made-up models."""

    def start(models=True, **given):
        made = Calls.evaluate

        def with_models(self, jobs, deadline):
            for job, outcome in made(self, jobs, deadline):
                samples = np.zeros((2, 8, 8, 1), np.int8)
                yield job, Outcome(outcome.evaluation, b"keras", job.architecture.key.encode(), samples)

        if models:
            monkeypatch.setattr(Calls, "evaluate", with_models)
        usual = {"space": space, "limits": limits, "evaluate": evaluate, "screen": footprint_of, "n_generations": 5}
        return search(stripes, target, **{"out": tmp_path / "run", **usual, **given})

    return start


def test_the_models_of_the_front_are_kept(run):
    objectives = ("accuracy", "flash")
    result = run(objectives=objectives, fidelity="full")
    members = front(result.trials, objectives)
    assert read_settings(result.folder).strategy == "nsga2"
    assert len(members) > 1
    assert set(kept(result.folder)) == {trial.number for trial in members}
    for trial in members:
        model = Best(result.folder, trial.number)
        assert model.tflite == trial.architecture.key.encode()
        assert model.about["trial"] == trial.number
        assert model.about["stage"] == "full"


def test_with_one_objective_the_front_is_of_accuracy_arena_and_file(run):
    result = run()
    assert set(kept(result.folder)) == {trial.number for trial in front(result.trials)}
    assert read_settings(result.folder).strategy == "surrogate"


def test_without_models_there_is_nothing_to_keep(run):
    assert kept(run(models=False).folder) == ()


def test_a_strategy_that_is_named_stays_with_objectives(run):
    result = run(objectives=("accuracy", "macs"), strategy="random", n_generations=1)
    assert read_settings(result.folder).strategy == "random"


def test_objectives_that_make_no_sense_are_refused_before_there_is_a_folder(run, tmp_path):
    with pytest.raises(UsageError, match="no objective 'cost'"):
        run(objectives=("accuracy", "cost"))

    def timeless(architecture):
        from dataclasses import replace

        return replace(footprint_of(architecture), latency_ms=None)

    with pytest.raises(UsageError, match="latency on nucleo_f401 is not known"):
        run(objectives=("accuracy", "latency"), screen=timeless)
    assert not (tmp_path / "run").exists()


# --- a kill at any moment of a commit


class KilledError(BaseException):
    """Stands for SIGKILL: nothing handles it."""


def _state(folder):
    """What a run has left, without its timings: the journal, and all files of its models."""
    trials = [(t.number, t.architecture.key, t.evaluation.folds) for t in read_trials(folder / "journal.sqlite")]
    places = [folder / "best", *sorted((folder / "models").iterdir(), key=lambda path: path.name)]
    files = {f"{place.name}/{path.name}": path.read_bytes() for place in places for path in place.iterdir()}
    return trials, files


MOMENTS = {
    "before the model of a trial": ("tinynas.runs.folder.Run.save_trial", "before"),
    "after the model of a trial": ("tinynas.runs.folder.Run.save_trial", "after"),
    "before the best": ("tinynas.runs.folder.Run.save_best", "before"),
    "after the best": ("tinynas.runs.folder.Run.save_best", "after"),
    "before the row": ("tinynas.runs.journal.Journal.append", "before"),
    "after the row": ("tinynas.runs.journal.Journal.append", "after"),
    "before the pruning": ("tinynas.runs.folder.Run.prune", "before"),
    "between two renames": ("pathlib.Path.rename", "after"),
}


LATER = [moment for moment in MOMENTS if not moment.endswith(("best", "pruning"))]  # which come as often


@pytest.mark.parametrize(("which", "moment"), [*product((0,), MOMENTS), *product((1, 4), LATER)])
def test_a_kill_at_any_moment_of_a_commit_loses_nothing(run, stripes, tmp_path, monkeypatch, moment, which):
    given = {"objectives": ("accuracy", "flash"), "fidelity": "full", "n_generations": 2}
    whole = _state(run(**given, out=tmp_path / "whole").folder)
    name, when = MOMENTS[moment]
    place, _, method = name.rpartition(".")
    owner = pkgutil.resolve_name(place)
    real, calls = getattr(owner, method), itertools.count()

    def killed(self, *arguments, **options):
        if isinstance(self, Path) and "journal" in self.name:  # the making of the run, which tools/torture.py kills
            return real(self, *arguments, **options)
        if when == "after":
            real(self, *arguments, **options)
        if next(calls) == which:
            raise KilledError
        return None if when == "after" else real(self, *arguments, **options)

    folder = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, killed)
        with pytest.raises(KilledError):
            run(**given, out=folder)
    scored = [trial for trial in read_trials(folder / "journal.sqlite") if trial.evaluation.folds]
    there = {trial.number for trial in front(scored, given["objectives"])}
    assert there <= set(kept(folder)) | {int(p.name) for p in renamed(folder) if p.name.isdecimal()}, (
        "a row whose model is lost"
    )
    assert not scored or (folder / "best").exists() or (folder / "best.old").exists()
    resume(folder, stripes, evaluate=evaluate, screen=footprint_of)
    assert _state(folder) == whole
    assert not list(folder.glob("*.old")) + list(folder.glob("*.new")) + list(folder.glob("weights/*"))


def test_a_full_disk_is_one_sentence_and_the_search_goes_on_after_it(run, stripes, tmp_path, monkeypatch):
    whole = _state(run(out=tmp_path / "whole", n_generations=2).folder)
    folder, real, calls = tmp_path / "full", Path.write_bytes, itertools.count()

    def write_bytes(self, data):
        if next(calls) == 9:
            raise OSError(28, "No space left on device")
        return real(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        with pytest.raises(RunError, match=r"cannot be written \(No space left on device\).*--resume"):
            run(out=folder, n_generations=2)
    resume(folder, stripes, evaluate=evaluate, screen=footprint_of)
    assert _state(folder) == whole


def test_a_best_that_the_journal_does_not_know_gives_way(run, stripes, tmp_path):
    """A time budget may end before the trial runs again whose model was saved and whose row was not."""
    result = run(n_generations=2)
    about = result.folder / "best" / "architecture.json"
    before = about.read_text()
    about.write_text(before.replace(f'"trial": {result.best.number}', '"trial": 999'))
    (result.folder / "models" / "998").mkdir()
    (result.folder / "summary.json").unlink()
    resume(result.folder, stripes, evaluate=evaluate, screen=footprint_of)
    assert about.read_text() == before
    assert 998 not in kept(result.folder)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(0, 2)), max_size=30), st.integers(0, 10))
def test_a_front_that_is_kept_up_is_the_front_of_all(rows, known):
    """Of few networks, so that some are trained again, longer or not, and give way to what they had beaten."""
    space, target = SearchSpace.for_input((8, 8, 1), 3), Target.load("nucleo_f401")
    nets = [space.random_architecture(np.random.default_rng(seed)) for seed in range(8)]
    settings = Settings(version="0", target=target, data=DataSource(kind="arrays"), space=space, limits=target.limits)
    trials = []
    for number, (net, score, rung) in enumerate(rows):
        scores = Scores(*[score / 5] * 4)
        evaluation = Evaluation(State.COMPLETE, footprint_of(nets[net]), (), (FoldScores(scores, scores),), rung=rung)
        trials.append(Trial(number, 0, None, nets[net], evaluation))
    found = Front(settings, trials[:known])
    for count, trial in enumerate(trials[known:], known + 1):
        found.add(trial)
        assert found.numbers == {each.number for each in front_of(settings, trials[:count])}
