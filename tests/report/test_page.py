"""The page: it is one whole HTML file, every section is there, and its figures are the journal's."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.report.conftest import Story, make_run
from tinynas.errors import RunError
from tinynas.hardware import FrontEnd, Limits
from tinynas.report import read_facts, write_report
from tinynas.report.command import command_of
from tinynas.report.page import _asked, render
from tinynas.report.words import bytes_text
from tinynas.runs import State

SECTIONS = (
    "verdict", "accuracy", "confusion", "pareto", "anytime", "architecture", "memory", "layers", "infeasible", "family",
    "trials", "settings",
)  # fmt: skip
VOID = {"meta", "link", "br", "img", "hr", "input"}
MOST_BYTES = 3_000_000
EVIL = "</script><script>alert(1)</script>"


class Page(HTMLParser):
    """Reads a page: fails where a tag is closed that is not open, keeps ids, text by section, and what it loads."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.text, self.loads, self.scripts, self.rows = [], [], {}, [], 0, {}
        self.feed(html)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag not in VOID:
            self.open.append((tag, named))
        self.scripts += tag == "script"
        if "id" in named:
            self.ids.append(named["id"])
        self.loads += [value for name, value in named.items() if name in ("src", "href") and not value.startswith("#")]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        top, _ = self.open.pop()
        assert top == tag, f"</{tag}> closes <{top}>"

    def handle_data(self, data):
        for tag, named in self.open:
            if tag == "section":
                self.text[named["id"]] = self.text.get(named["id"], "") + data.replace("\N{NO-BREAK SPACE}", " ")
            if tag == "tr" and "data-trial" in named:
                row = self.rows.setdefault(named["data-trial"], "")
                self.rows[named["data-trial"]] = row + " " + data.replace("\N{NO-BREAK SPACE}", " ")

    def says(self, section):
        return " ".join(self.text[section].split())


def _page(folder):
    path = write_report(folder)
    assert path == folder / "report.html"
    assert path.stat().st_size < MOST_BYTES
    assert not list(folder.glob(".report*"))
    page = Page(path.read_text(encoding="utf-8"))
    assert [name for name in page.ids if name in SECTIONS] == list(SECTIONS)
    assert page.loads == ["data:,"]
    return page


@pytest.fixture(scope="module")
def page(ended):
    return _page(ended)


@pytest.fixture(scope="module")
def facts(ended):
    return read_facts(ended)


def test_the_verdict_is_the_final_model_s(page, facts):
    figures, board = facts.footprint, facts.settings.target
    said = page.says("verdict")
    free = board.flash_bytes - figures.flash.total
    assert f"Fits nucleo_f401, with {100 * free / board.flash_bytes:.0f} % of Flash" in said
    for text in (
        f"{figures.flash.total:,} B of {board.flash_bytes:,} B",
        f"{free:,} B left",
        f"tensor arena {figures.arena_bytes:,} B (exact)",
        f"model file {figures.flash_bytes:,} B",
        "87.65 %float 88.77 %",
    ):
        assert text in said


def test_the_same_model_without_tflm(page, facts):
    figures = facts.model.engine
    assert figures.ram < facts.footprint.arena_bytes
    wanted = f"Flash {bytes_text(figures.flash)} and RAM {bytes_text(figures.ram)} of the network"
    assert wanted.replace("\xa0", " ") in page.says("verdict")


def test_scores_are_the_journal_s(page, facts):
    evaluation = facts.best.evaluation
    for metric in ("accuracy", "precision", "recall", "f1"):
        for model in ("int8", "float"):
            mean, spread = 100 * evaluation.mean(metric, model), 100 * evaluation.std(metric, model)
            assert f"{mean:.2f} % ± {spread:.2f}" in page.says("accuracy")
    assert "validated on 5 folds" in page.says("accuracy")
    assert "each of its 4 epochs, from 1.900 in the first to 0.400 in the last" in page.says("anytime")
    assert "a → b" in page.says("confusion")
    assert "3 of 33" in page.says("confusion")
    assert "dataset.x_test[4] is the first of them" in page.says("confusion")
    assert "99 test samples" in page.says("confusion")


def test_every_trial_s_row_is_the_journal_s(page, facts):
    assert set(page.rows) == {str(trial.number) for trial in facts.trials}
    for trial in facts.trials:
        row = " ".join(page.rows[str(trial.number)].split())
        evaluation, figures = trial.evaluation, trial.evaluation.footprint
        assert (f"{100 * evaluation.mean():.2f} %" if evaluation.folds else evaluation.state.value) in row
        if figures is not None:
            assert f"{figures.arena_bytes:,} B {figures.flash_bytes:,} B {figures.latency_ms:.3g} ms" in row
        assert str(trial.architecture) in row


def test_settings_and_the_command_are_the_run_s(page, facts):
    said = page.says("settings")
    assert command_of(facts.settings)[0] in said
    for text in ("strategysurrogate", "objectivesaccuracy", "inherityes", "balanceno", "n_children8", "RAM98,304 B"):
        assert text in said


def test_memory_and_layers_are_the_file_s(page, facts):
    arena, operators = facts.model.analysis.arena, facts.model.analysis.operators
    assert f"In the shaded rows the head is full, with {arena.head:,} B" in page.says("memory")
    assert f"arena in all {arena.minimum:,} B" in page.says("memory")
    said = page.says("layers")
    assert f"{sum(o.weights_bytes for o in operators):,} B of weights" in said
    for operator in operators:
        assert operator.name.lower().replace("_", " ") in said
        if operator.macs:
            assert f"{operator.macs:,}" in said


def test_what_did_not_fit_and_what_failed_is_counted(page, facts):
    states = [trial.evaluation.state for trial in facts.trials]
    assert f"{states.count(State.INFEASIBLE)} of {len(states)} trials" in page.says("infeasible")
    assert "arena" in page.says("infeasible")
    assert "it said no" in page.says("infeasible")


def test_the_charts_carry_every_trained_trial(ended, facts):
    html = (ended / "report.html").read_text(encoding="utf-8")
    (document,) = json.loads(_unescaped(re.search(r"const docs_json = '(.*)';", html)[1])).values()
    numbers = max(_columns(document, "number"), key=len)
    assert sorted(map(int, numbers)) == [trial.number for trial in facts.trials if trial.evaluation.folds]
    by_number = {trial.number: trial for trial in facts.trials}
    (arenas,) = _columns(document, "arena")
    for number, arena in zip(numbers, arenas, strict=True):
        said = f"{by_number[int(number)].evaluation.footprint.arena_bytes:,} B"
        assert arena.replace("\N{NO-BREAK SPACE}", " ") == said


def _unescaped(text):
    from html import unescape

    return unescape(text).replace("\\\\", "\\")


def _columns(node, name):
    """Every column of that name in a Bokeh document."""
    if isinstance(node, dict):
        found = [pair[1] for pair in node.get("entries", ()) if pair[0] == name]
        return found + [column for value in node.values() for column in _columns(value, name)]
    return [column for value in node for column in _columns(value, name)] if isinstance(node, list) else []


def test_names_are_text_and_never_markup(tmp_path):
    board = Story().target.model_copy(update={"name": EVIL, "mcu": "<img src=x onerror=alert(2)>"})
    story = Story(class_names=(EVIL, "<b>&amp;", "plain", 'quo"te'), target=board, trained=3)
    page = _page(make_run(tmp_path / "run", story))
    usual = Page(write_report(make_run(tmp_path / "usual", Story(trained=3))).read_text(encoding="utf-8"))
    assert page.scripts == usual.scripts
    assert EVIL in page.says("confusion")
    assert "<b>&amp; → plain" in page.says("confusion")
    assert EVIL in page.says("verdict")
    assert "<img src=x onerror=alert(2)>" in page.says("settings")


NO_FINAL = Story(trained=9, finalists=0, ended=False)
STORIES = {
    "new": (
        Story(trained=0, infeasible=0, failed=0, ended=False),
        {"verdict": "Nothing is trained yet", "trials": "All 0", "infeasible": "no trial was over a limit"},
    ),
    "infeasible": (Story(trained=0, infeasible=4, failed=0, ended=False), {"infeasible": "4 of 4 trials"}),
    "failed": (Story(trained=0, infeasible=0, failed=3, ended=False), {"infeasible": "it said no3"}),
    "one": (
        Story(trained=1, infeasible=0, failed=0, finalists=0, ended=False),
        {"verdict": "1 network was trained", "family": "the start", "pareto": "proxy training (1)"},
    ),
    "stopped": (
        NO_FINAL,
        {"verdict": "tinynas search --resume", "accuracy": "The test set has not been read", "confusion": "at the end"},
    ),
    "rungs": (Story(trained=9, rungs=3), {"pareto": "rung 2", "anytime": "one line for each length of training"}),
    "series": (Story(shape=(64, 1, 3)), {"architecture": "64 × 1 × 3"}),
    "tight": (Story(limits=Limits(macs=10)), {"verdict": "Does not fit"}),
    "fifty": (
        Story(trained=3, class_names=tuple(f"number {n}" for n in range(50))),
        {"confusion": "1,650 test samples"},
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_run_of_any_kind_has_a_whole_page(tmp_path, name):
    story, wanted = STORIES[name]
    page = _page(make_run(tmp_path / "run", story))
    for section, said in wanted.items():
        assert said in page.says(section)


def test_a_search_of_footprints_alone_says_that_nothing_was_trained(tmp_path):
    page = _page(make_run(tmp_path / "run", Story(trained=0, infeasible=2, failed=0)))
    assert "No trial is trained, so there are no scores" in page.says("accuracy")


def test_a_damaged_best_model_and_summary_are_sentences(tmp_path, ended):
    run = tmp_path / "run"
    shutil.copytree(ended, run)
    (run / "best" / "model.tflite").write_bytes(b"not a model")
    (run / "summary.json").write_text("{")
    page = _page(run)
    assert "digest differs" in page.says("verdict")
    assert "is not the summary of a search" in page.says("verdict")
    assert "of a file with random weights" in page.says("layers")


@pytest.mark.parametrize(
    "text",
    ["[]", "null", '{"best": 3, "seconds": 1}', '{"best": null}', '{"best": {"test": {}}, "seconds": 1}', "\xff"],
)
def test_a_summary_that_is_none_is_a_sentence(tmp_path, ended, text):
    run = tmp_path / "run"
    shutil.copytree(ended, run)
    (run / "summary.json").write_bytes(text.encode("latin-1"))
    facts = read_facts(run)
    assert not facts.ended
    assert facts.best == read_facts(ended).best
    assert "summary.json is not the summary of a search" in facts.trouble[0]


def test_a_page_that_cannot_be_written_is_a_sentence(tmp_path):
    run = make_run(tmp_path / "run", Story(trained=0, infeasible=0, failed=0, ended=False))
    (run / "report.html").mkdir()
    with pytest.raises(RunError, match=r"report\.html cannot be written"):
        write_report(run)
    assert not list(run.glob(".report*"))


def test_what_is_no_run_is_a_sentence(tmp_path, ended):
    with pytest.raises(RunError, match="is not a run folder"):
        write_report(tmp_path)
    run = tmp_path / "run"
    shutil.copytree(ended, run)
    (run / "journal.sqlite").write_text("not a database, but long enough to be taken for one" * 9)
    before = (run / "report.html").exists()
    with pytest.raises(RunError):
        write_report(run)
    assert (run / "report.html").exists() == before


@pytest.mark.slow
def test_thousands_of_trials_stay_below_the_limit(tmp_path):
    many = Story(trained=2000, infeasible=0, failed=0, real=False, rungs=4)
    page = _page(make_run(tmp_path / "run", many))
    assert "The best 25 of 2,002" in page.says("trials")
    assert "Of 2,002 trials, those on a line" in page.says("pareto")


def test_the_page_of_a_real_search(small_run, stripes):
    page, summary = _page(small_run.folder), small_run.summary["best"]
    counts = summary["test"]["confusion"]
    wrong = sum(map(sum, counts)) - sum(counts[k][k] for k in range(len(counts)))
    assert len(summary["test"]["mistakes"]) == min(24, wrong)
    assert all(int(stripes.y_test[row]) == real != taken for row, real, taken in summary["test"]["mistakes"])
    assert sum(map(sum, counts)) == len(stripes.x_test)
    assert [sum(row) for row in counts] == [int((stripes.y_test == k).sum()) for k in range(3)]
    right = sum(counts[k][k] for k in range(3)) / len(stripes.x_test)
    assert right == pytest.approx(summary["test"]["int8"]["accuracy"])
    assert f"{len(stripes.x_test)} test samples" in page.says("confusion")
    assert f"tensor arena {summary['arena_bytes']:,} B" in page.says("verdict")
    assert "random weights" not in page.says("layers")


def test_final_trainings_beside_the_best_are_listed(tmp_path, ended):
    run = tmp_path / "run"
    shutil.copytree(ended, run)
    summary = json.loads((run / "summary.json").read_text())
    test = summary["best"]["test"]
    smaller = {
        **summary["best"],
        "trial": 3,
        "test": {**test, "int8": {**test["int8"], "accuracy": 0.8123}},
        "epochs": 9,
    }
    (run / "trained" / "3").mkdir(parents=True)
    (run / "trained" / "3" / "summary.json").write_text(json.dumps({**summary, "best": smaller}))
    said = _page(run).says("accuracy")
    assert "Final trainings" in said
    assert f"#{summary['best']['trial']} 87.65 %" in said
    assert "#3 81.23 %" in said
    (run / "trained" / "3" / "summary.json").write_text("{")
    assert "trained/3/summary.json is not the summary" in _page(run).says("verdict")


def test_why_another_that_scores_higher_is_not_the_best(tmp_path, ended):
    run = tmp_path / "run"
    shutil.copytree(ended, run)
    assert "The best is" not in _page(run).says("accuracy")
    summary = json.loads((run / "summary.json").read_text())
    summary["best"]["chosen"] = "a hand-made start, since #9 is better by less than a standard error"
    (run / "summary.json").write_text(json.dumps(summary))
    assert f"The best is #{summary['best']['trial']}, a hand-made start, since #9 is" in _page(run).says("accuracy")


def test_the_front_end_is_told_in_words_and_numbers_in_six_digits(facts):
    front = FrontEnd("steps", 0, 900, 0.1, 0, 60, 12, 1234, 99, 5, 1 / 3)
    settings = facts.settings.model_copy(update={"front_end": front, "peak_rate": 1 / 300})
    said = _asked(replace(facts, settings=settings))
    assert said["front_end"] == "ring and stream"
    assert said["peak_rate"] == "0.00333333"


def test_a_family_of_equal_scores_has_no_scale(facts):
    score = facts.best.evaluation.mean("accuracy")
    alone = replace(facts, trials=(replace(facts.best, parent=None),))
    page = Page(render(replace(alone, best=alone.trials[0])))
    assert f"all of them have {100 * score:.2f} %" in page.says("family")


@pytest.mark.parametrize(
    ("ptq", "qat", "said"), [(0.9, 0.9, "nearer to the float model"), (0.9, 0.8, "the plain one ships")]
)
def test_which_of_two_files_ships(facts, ptq, qat, said):
    best = {**facts.summary["best"], "held_out": {"ptq": ptq, "qat": qat}}
    page = Page(render(replace(facts, summary={**facts.summary, "best": best})))
    assert said in page.says("accuracy")
