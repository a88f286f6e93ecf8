"""A model of no use is not handed over in silence: one search on labels that mean nothing, wherever its end is told."""

import json
import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from tinynas import Dataset, convert, search
from tinynas.cli import main
from tinynas.cli.session import show_result
from tinynas.data.doubts import Figures, doubts
from tinynas.report import write_report
from tinynas.runs import kept


@pytest.fixture(scope="module")
def useless(tmp_path_factory):
    """A finished search on noise, so small that it takes seconds."""
    rng = np.random.default_rng(0)
    data = Dataset.from_arrays(rng.random((120, 8, 8)).astype(np.float32), rng.permutation(120) % 3, name="noise")
    return search(
        data,
        "nucleo_f401",
        out=tmp_path_factory.mktemp("noise") / "run",
        workers=1,
        max_trials=1,
        n_children=1,
        n_folds=2,
        n_finalists=1,
        final_epochs=3,
    )


def test_the_summary_names_what_the_figures_say(useless):
    summary = json.loads((useless.folder / "summary.json").read_text())
    test, losses = summary["best"]["test"], summary["best"]["losses"]
    assert len(losses) == summary["best"]["epochs"] == 3
    found = doubts(Figures(test["confusion"], ["0", "1", "2"], test["float"]["accuracy"], losses=losses))
    assert found
    assert set(found) <= set(summary["warnings"])
    assert any("always answering" in sentence for sentence in summary["warnings"])
    assert useless.warnings == tuple(summary["warnings"])


def said(result):
    screen = Console(file=StringIO(), width=300)
    show_result(result, screen, False)
    return screen.file.getvalue()


def test_the_end_of_a_search_warns_before_it_names_the_next_step(useless):
    text = said(useless)
    for sentence in useless.warnings:
        assert f"Warning: {sentence}\n" in text
        assert text.index(sentence) < text.index("Next: ")
    assert "Warning" not in said(replace(useless, summary={**useless.summary, "warnings": []}))
    old = {key: value for key, value in useless.summary.items() if key != "warnings"}  # of a version without them
    assert "Warning" not in said(replace(useless, summary=old))


def test_the_headline_of_the_report_warns(useless):
    page = write_report(useless.folder).read_text()
    (headline,) = re.findall(r"<h1>(.*?)</h1>", page, re.DOTALL)
    count = len(useless.warnings)
    assert headline == f"Fits nucleo_f401, with {'a warning' if count == 1 else f'{count} warnings'}"
    assert page.count('<p class="note warning">') == count
    assert page.index("note warning") < page.index('<dl class="facts">')


def test_convert_and_the_readme_of_the_firmware_warn(useless, tmp_path, capsys):
    converted = convert(useless, out=tmp_path / "fw", formats=("readme",))
    assert converted.warnings == useless.warnings
    readme = (tmp_path / "fw" / "README.md").read_text()
    for sentence in useless.warnings:
        assert f"> **Warning.** {sentence}\n" in readme
    assert readme.index("**Warning.**") < readme.index("| Flash: the model |")
    with pytest.raises(SystemExit):
        main(["convert", "--run", str(useless.folder), "--out", str(tmp_path / "fw"), "--format", "readme"])
    out = capsys.readouterr().out
    assert all(f"Warning: {sentence}\n" in out for sentence in useless.warnings)
    with pytest.raises(SystemExit):
        main(["convert", "--run", str(useless.folder), "--out", str(tmp_path / "fw"), "--format", "readme", "--json"])
    assert json.loads(capsys.readouterr().out)["warnings"] == list(useless.warnings)


def test_a_trial_that_had_no_final_training_has_none(useless, tmp_path):
    converted = convert(f"{useless.folder}:{kept(useless.folder)[0]}", out=tmp_path / "fw", formats=("readme",))
    assert converted.warnings == ()
    assert "Warning" not in (tmp_path / "fw" / "README.md").read_text()
