"""The breakages of tools/mutants.py: each can still be made, in every room, and the tool sees which are noticed."""

import mutants
import pytest

from tests.every import every
from tests.test_layers import MODULES, ROWS

ROOT = mutants.ROOT


@every("mutant", mutants.MUTANTS)
def test_each_breakage_can_still_be_made(mutant):
    """Where the code has moved on, choose another place: something that the tests named beside it must notice."""
    assert (ROOT / "tinynas" / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert mutant.old not in mutant.new or mutant.new != mutant.old
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_every_room_with_code_of_its_own_has_one():
    rooms = {mutant.file.split("/")[0] for mutant in mutants.MUTANTS}
    assert rooms >= set(ROWS) - MODULES - {"tinynas", "options"}
    assert len(mutants.MUTANTS) >= 25


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return mutants.copied(tmp_path_factory.mktemp("copy"), None)


def test_a_breakage_is_noticed_or_missed_and_is_mended(copy):
    percent = "report/words.py", "{100 * value:.{digits}f}", "{101 * value:.{digits}f}"
    tests = "report/test_words.py", "report/test_trials.py"
    before = (copy / "tinynas" / percent[0]).read_text(encoding="utf-8")
    seen = [mutants.noticed(copy, mutants.Mutant(*percent, (test,))) for test in tests]
    assert seen == [True, False]
    assert (copy / "tinynas" / percent[0]).read_text(encoding="utf-8") == before


def test_a_place_that_is_not_there_is_said(copy):
    with pytest.raises(SystemExit, match="0 times 'nowhere'; wanted once"):
        mutants.noticed(copy, mutants.Mutant("report/words.py", "nowhere", "", ()))
