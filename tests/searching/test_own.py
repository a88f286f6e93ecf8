"""A strategy, an executor, scores and a screen of one's own: used, named in settings.json, needed again by a resume."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of, score_of
from tests.searching.test_loop import _journal
from tinynas.architecture import mutate
from tinynas.data import Dataset
from tinynas.errors import DataError, RunError, UsageError
from tinynas.runs import DataSource, read_settings, read_trials
from tinynas.searching import Calls, Outcome, Processes, Proposal, RandomSearch, resume, search


class Greedy:
    """Mutants of the best so far."""

    def __init__(self, space):
        self.space, self.best = space, None

    def ask(self, n, rng):
        if self.best is None:
            return [Proposal(self.space.random_architecture(rng)) for _ in range(n)]
        return [Proposal(mutate(self.best.architecture, self.space, rng, 1), self.best.number) for _ in range(n)]

    def tell(self, trial):
        scored = bool(trial.evaluation.folds)
        if scored and (self.best is None or trial.evaluation.mean() > self.best.evaluation.mean()):
            self.best = trial


class Lazy(Greedy):
    """Another class."""


@pytest.fixture
def run(stripes, target, space, limits, tmp_path):
    """Start a search with made-up scores; keywords replace the usual ones, None leaves one away."""

    def start(out="run", **given):
        usual = {"space": space, "limits": limits, "evaluate": evaluate, "screen": footprint_of, "n_children": 5}
        wanted = {**usual, "n_generations": 5, "fidelity": "full", "strategy": "evolution", **given}
        return search(stripes, target, out=tmp_path / out, **{k: v for k, v in wanted.items() if v is not None})

    return start


def _killed(run, after, name="killed", **given):
    """Start a search and stop it after so many evaluations; return its folder."""
    calls = 0

    def dies(architecture):
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return evaluate(architecture)

    with pytest.raises(KeyboardInterrupt):
        run(name, evaluate=dies, **given)


def test_an_own_strategy_is_asked_and_told(run, space):
    strategy = Greedy(space)
    result = run(strategy=strategy)
    assert strategy.best == max(
        (t for t in result.trials if t.evaluation.folds), key=lambda t: score_of(t.architecture)
    )
    told = {trial.number for trial in result.trials}
    assert {trial.parent for trial in result.trials if trial.generation} <= told
    assert result.best == strategy.best


def test_settings_name_what_was_given(run, space):
    settings = read_settings(run(strategy=Greedy(space)).folder)
    assert settings.strategy == "own"
    assert settings.own == {
        "strategy": f"{__name__}.Greedy",
        "evaluate": "tests.searching.conftest.evaluate",
        "screen": "tests.searching.conftest.footprint_of",
    }
    usual = read_settings(run("usual", evaluate=None, executor=lambda *_: Calls(evaluate), strategy="random").folder)
    assert usual.strategy == "random"
    assert set(usual.own) == {"executor", "screen"}
    bound = read_settings(run("bound", evaluate=partial(evaluate)).folder)
    assert bound.own["evaluate"] == "tests.searching.conftest.evaluate"
    text = json.loads((run("text", screen=None).folder / "settings.json").read_text())
    assert set(text["own"]) == {"evaluate"}


@pytest.mark.parametrize("after", [2, 11])
def test_a_killed_search_of_an_own_strategy_goes_on_to_the_same_end(run, space, stripes, tmp_path, after):
    whole = run("whole", strategy=Greedy(space))
    _killed(run, after, strategy=Greedy(space))
    again = resume(tmp_path / "killed", stripes, strategy=Greedy(space), evaluate=evaluate, screen=footprint_of)
    assert _journal(again.folder) == _journal(whole.folder)


def test_a_resume_says_what_it_needs(run, space, stripes, tmp_path):
    _killed(run, 7, strategy=Greedy(space))
    folder, kept = tmp_path / "killed", {"evaluate": evaluate, "screen": footprint_of}
    before = list(read_trials(folder / "journal.sqlite"))
    for missing in ("strategy", "evaluate", "screen"):
        given = {"strategy": Greedy(space), **kept}
        del given[missing]
        with pytest.raises(UsageError, match=rf"began with {missing}=.*resume\('.*killed', {missing}=...\)"):
            resume(folder, stripes, **given)
    with pytest.raises(UsageError, match="of the class Greedy, and this is one of Lazy"):
        resume(folder, stripes, strategy=Lazy(space), **kept)
    with pytest.raises(UsageError, match="goes on with its strategy"):
        resume(folder, stripes, strategy="random", **kept)
    assert list(read_trials(folder / "journal.sqlite")) == before
    assert resume(folder, stripes, strategy=Greedy(space), **kept).best is not None


def test_a_resume_takes_no_other_strategy(run, space, stripes, tmp_path):
    _killed(run, 7)
    with pytest.raises(UsageError, match="goes on with its strategy, evolution"):
        resume(tmp_path / "killed", stripes, strategy=Greedy(space), evaluate=evaluate, screen=footprint_of)


@pytest.mark.parametrize(
    "strategy", [RandomSearch, object(), 5, "own", "magic", ["random"]], ids=lambda value: type(value).__name__
)
def test_what_cannot_be_asked_is_no_strategy(run, tmp_path, strategy):
    with pytest.raises(UsageError, match="strategy is"):
        run(strategy=strategy)
    assert not (tmp_path / "run").exists()


class Reversed:
    """An executor of one's own that knows nothing but the contract: the outcomes come in any order."""

    def __init__(self, dataset, settings):
        self.dataset, self.settings, self.closed = dataset, settings, 0

    def evaluate(self, jobs, deadline):
        for job in reversed(jobs):
            yield job, Outcome(evaluate(job.architecture))

    def final(self, job, report):
        return None

    def close(self):
        self.closed += 1


@pytest.mark.parametrize("fidelity", ["proxy", "full"])
def test_an_own_executor_gives_what_calls_give(run, fidelity):
    made = []

    def make(dataset, settings):
        made.append(Reversed(dataset, settings))
        return made[-1]

    own, calls = run(evaluate=None, executor=make, fidelity=fidelity), run("calls", fidelity=fidelity)
    assert _journal(own.folder) == _journal(calls.folder)
    assert [executor.closed for executor in made] == [1]
    assert made[0].settings == read_settings(own.folder)


def test_an_own_executor_resumes(run, stripes, tmp_path):
    whole = run("whole", evaluate=None, executor=Reversed)

    class Dies(Reversed):
        left = 8

        def evaluate(self, jobs, deadline):
            for done in super().evaluate(jobs, deadline):
                self.left -= 1
                if not self.left:
                    raise KeyboardInterrupt
                yield done

    with pytest.raises(KeyboardInterrupt):
        run("killed", evaluate=None, executor=Dies)
    with pytest.raises(UsageError, match=r"began with executor=.*Dies"):
        resume(tmp_path / "killed", stripes, screen=footprint_of)
    again = resume(tmp_path / "killed", stripes, executor=Reversed, screen=footprint_of)
    assert _journal(again.folder) == _journal(whole.folder)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"executor": lambda *_: object()}, "has no method evaluate"),
        ({"executor": lambda *_: None}, "executor made None"),
        ({"executor": "threads"}, "executor"),
        ({"executor": Processes, "evaluate": evaluate}, "give one of them"),
    ],
)
def test_what_does_not_work_is_no_executor(run, tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        run(**{"evaluate": None, **given})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("yields", [lambda job: (job, evaluate(job.architecture)), lambda job: job, lambda job: None])
def test_what_an_executor_yields_is_looked_at(run, yields):
    class Odd(Reversed):
        def evaluate(self, jobs, deadline):
            yield from map(yields, jobs)

    with pytest.raises(UsageError, match=r"executor yielded .*; a job and its Outcome were wanted"):
        run(evaluate=None, executor=Odd)


def test_a_job_that_was_not_given_is_refused(run):
    class Inventive(Reversed):
        def evaluate(self, jobs, deadline):
            for job, outcome in super().evaluate(jobs, deadline):
                yield replace(job, number=job.number + 100), outcome

    with pytest.raises(UsageError, match="executor yielded job 1"):
        run(evaluate=None, executor=Inventive)


# --- resume(folder) alone


@pytest.fixture
def begun(target, limits, tmp_path):
    """Start a search of digits, or of files, and stop it: with made-up scores, so all that is missing are the data."""

    def start(dataset, source):
        def dies(architecture):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            search(
                dataset,
                target,
                out=tmp_path / "run",
                limits=limits,
                evaluate=dies,
                source=source,
                strategy="random",
                n_generations=1,
            )
        return tmp_path / "run"

    return start


def test_a_run_knows_its_data(begun, tmp_path, monkeypatch):
    digits = Dataset.digits()
    folder = begun(digits, DataSource(kind="digits").of(digits))
    assert read_settings(folder).data.load().digest == digits.digest
    result = resume(folder, evaluate=evaluate)
    assert result.best is not None
    assert resume(folder).summary == result.summary  # it has ended: nothing is needed


def test_a_run_knows_where_its_files_are(begun, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "x.npz", x=rng.random((60, 16)).astype(np.float32), y=np.arange(60) % 3)
    monkeypatch.chdir(tmp_path / "data")
    source = DataSource(kind="path", path="x.npz", layout="image", reshape=(4, 4))
    dataset = source.load()
    assert dataset.input_shape == (4, 4, 1)
    folder = begun(dataset, source.of(dataset))
    monkeypatch.chdir("/")
    assert read_settings(folder).data.load().digest == dataset.digest
    (tmp_path / "data" / "x.npz").rename(tmp_path / "elsewhere.npz")
    with pytest.raises(DataError, match=r"x\.npz"):
        resume(folder, evaluate=evaluate)
    (tmp_path / "data").rename(tmp_path / "other")
    np.savez(tmp_path / "elsewhere.npz", x=rng.random((60, 16)).astype(np.float32), y=np.arange(60) % 3)
    with pytest.raises(RunError, match="began with other data"):
        resume(folder, Dataset.load(tmp_path / "elsewhere.npz", layout="image", reshape=(4, 4)), evaluate=evaluate)


def test_arrays_have_to_be_given_again(run, stripes, tmp_path):
    _killed(run, 3)
    given = {"evaluate": evaluate, "screen": footprint_of}
    with pytest.raises(UsageError, match=r"began from arrays in Python .*resume\(folder, dataset\)"):
        resume(tmp_path / "killed", **given)
    with pytest.raises(UsageError, match="needs a Dataset as dataset"):
        resume(tmp_path / "killed", stripes.x, **given)
    assert resume(tmp_path / "killed", stripes, **given).best is not None
