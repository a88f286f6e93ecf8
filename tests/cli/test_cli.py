"""The command line as a person and as a script meet it: what is printed where, and the exit codes."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from tinynas import Target
from tinynas.cli import main
from tinynas.cli.session import load_data

BOARD = {
    "name": "mine",
    "mcu": "STM32L432KC",
    "core": "Cortex-M4F",
    "clock_hz": 80_000_000,
    "flash_bytes": 262_144,
    "ram_bytes": 49_152,
    "kernels": "cmsis_nn",
}


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def _one_sentence(err):
    assert err.startswith("tinynas: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_targets_lists_every_board(call):
    code, out, _ = call("targets")
    assert code == 0
    for name in Target.names():
        assert name in out
    code, out, _ = call("targets", "--json")
    assert [board["name"] for board in json.loads(out)] == list(Target.names())


def test_targets_checks_and_shows_one_board(call, tmp_path):
    code, out, _ = call("targets", "nucleo_f401")
    assert code == 0
    assert "524,288 B (512 KiB)" in out
    assert "the arena is exact" in out
    assert "nucleo_f411" not in out
    out = call("targets", "nucleo_l432kc")[1]
    assert "4 cycles for 8 B, 0.5 a byte of weights; a cache keeps 256 B" in out
    assert "22.2 mW while it computes, 0.0042 mW asleep, of the chip" in out
    own = tmp_path / "my.json"
    own.write_text(json.dumps({**BOARD, "reserved_ram_bytes": 9152}))
    code, out, _ = call("targets", own)
    assert code == 0
    assert "9,152 B are reserved, 40,000 B left" in out
    code, out, _ = call("targets", own, "--json")
    assert Target(**json.loads(out)) == Target.load(own)
    own.write_text(json.dumps({**BOARD, "clock_hz": 64, "ram_bytes": "48K"}))
    code, out, err = call("targets", own)
    assert (code, out) == (2, "")
    _one_sentence(err)
    assert "clock_hz is 64" in err
    assert "ram_bytes is '48K'" in err
    assert call("targets", "nucleo_f4")[0] == 2


@pytest.mark.parametrize(
    ("folds", "said"), [(1, "96.77 % (int8, one fold)"), (3, "96.77 % +/- 0.40 % (int8, 3 folds)")]
)
def test_one_fold_has_no_spread(folds, said):
    from tinynas.cli.session import _validation

    assert _validation({"mean": 0.9677, "std": 0.004 if folds > 1 else 0.0}, folds) == said


def test_analyze_shows_and_prints(call, small_run):
    model = small_run.folder / "best" / "model.tflite"
    code, out, _ = call("analyze", model, "--target", "nucleo_f401")
    assert code == 0
    assert "fits nucleo_f401" in out
    code, out, _ = call("analyze", model, "--target", "nucleo_f401", "--json")
    figures = json.loads(out)
    assert code == 0
    assert figures["fits"] is True
    assert figures["file_bytes"] == model.stat().st_size == small_run.summary["best"]["flash_bytes"]
    assert figures["arena"]["minimum"] == small_run.summary["best"]["arena_bytes"]
    wanted = {"params", "macs", "live_bytes_peak", "largest_tensor_bytes", "operators", "violations", "arena_status"}
    assert wanted | {"flash", "latency_ms", "energy_mj"} <= set(figures)
    assert set(figures["arena"]) == {"head", "tail", "used", "minimum"}
    assert set(figures["flash"]) == {"model", "runtime", "front_end", "total"}
    assert figures["front_end"] is None
    code, out, _ = call("analyze", model, "--json")
    assert code == 0
    assert json.loads(out)["fits"] is None


def test_analyze_takes_a_run_on_its_own_board(call, small_run):
    code, out, _ = call("analyze", small_run.folder, "--json")
    figures = json.loads(out)
    assert code == 0
    assert (figures["fits"], figures["target"]) == (True, "nucleo_f401")
    assert figures["file_bytes"] == small_run.summary["best"]["flash_bytes"]
    code, _, err = call("analyze", "no_such_run")
    assert code == 2
    assert "no_such_run" in err


def test_analyze_draws_the_timeline(call, small_run, tmp_path):
    code, out, _ = call("analyze", small_run.folder / "best" / "model.tflite", "--plot", tmp_path / "t.png")
    assert code == 0
    assert f"wrote {tmp_path / 't.png'}" in out
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")


def test_a_model_that_does_not_fit_ends_with_1(call, small_run, tmp_path):
    (tmp_path / "tiny.json").write_text(json.dumps({**BOARD, "ram_bytes": 3000}))
    code, out, _ = call("analyze", small_run.folder / "best" / "model.tflite", "--target", tmp_path / "tiny.json")
    assert code == 1
    assert "does not fit" in out
    assert "arena" in out


def test_every_board_at_once(call, small_run):
    code, out, _ = call("analyze", small_run.folder / "best" / "model.tflite", "--all-targets", "--json")
    assert code == 0
    assert set(json.loads(out)) == set(Target.names())
    code, out, _ = call("analyze", small_run.folder / "best" / "model.tflite", "--all-targets")
    assert all(name in out for name in Target.names())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["search"], 2, "needs --target"),
        (["search", "--target", "nucleo_f400"], 2, "nucleo_f401"),
        (["search", "--target", "no/such.json"], 2, "no/such.json"),
        (["search", "--target", "nucleo_f401", "--data", "nowhere"], 1, "nowhere"),
        (["search", "--target", "nucleo_f401", "--layout", "series"], 2, "--layout needs --data"),
        (["search", "--target", "nucleo_f401", "--time-budget", "soon"], 2, "'soon'"),
        (["search", "--target", "nucleo_f401", "--max-ram", "lots"], 2, "--max-ram"),
        (["search", "--target", "nucleo_f401", "--children", "0"], 2, "--children is 0"),
        (["search", "--target", "nucleo_f401", "--augment", "melt", "--trials", "1"], 2, "'melt'"),
        (
            ["search", "--target", "nucleo_f401", "--max-flash", "100"],
            1,
            "hardest to meet, 100 B of model file (flash_bytes), and the smallest has",
        ),
        (["search", "--target", "nucleo_f401", "--trials", "0"], 2, "--trials is 0"),
        (["search", "--target", "nucleo_f401", "--strategy", "magic"], 2, "--strategy is 'magic'"),
        (["search", "--resume", "nowhere"], 1, "'nowhere' is no run"),
        (["search", "--resume", "nowhere", "--seed", "3"], 2, "--seed cannot be given"),
        (
            ["search", "--target", "nucleo_f401", "--trials", "+5"],
            2,
            "--trials with a + gives more to a search that has",
        ),
        (["search", "--resume", "nowhere", "--trials", "5"], 2, "has ended more, as --trials +5"),
        (["search", "--resume", "nowhere", "--trials", "+0"], 2, "--trials is 0"),
        (["search", "--resume", "nowhere", "--time-budget", "+soon"], 2, "'soon'"),
        (["search", "--resume", "nowhere", "--warm-start", "x"], 2, "--warm-start cannot be given with --resume"),
        (["search", "--target", "nucleo_f401", "--warm-start", "nowhere"], 1, "'nowhere' is no run"),
        (["search", "--target", "nucleo_f401", "--prefer", "tiny"], 2, "--prefer is 'tiny'"),
        (["search", "--target", "nucleo_f401", "--max-depth", "0"], 2, "--max-depth is 0; wanted a whole number"),
        (
            ["search", "--target", "nucleo_f401", "--initial-depth", "5", "--max-depth", "2"],
            2,
            "--initial-depth 5 is more than its --max-depth 2",
        ),
        (["search", "--target", "nucleo_f401", "--workers", "0"], 2, "workers is 0"),
        (["search", "--target", "nucleo_f401", "--folds", "100000"], 1, "100000"),
        (["search", "--target", "nucleo_f401", "--mutations", "1000000"], 2, "--mutations is 1000000"),
        (["search", "--target", "nucleo_f401", "--max-flash", "9" * 400], 2, "more than any board has"),
        (["search", "--target", "nucleo_f401", "--time-budget", "9" * 30], 2, "thirty days"),
        (["search", "--target", "nucleo_f401", "--out", "x" * 300, "--trials", "1"], 1, "too long"),
        (["search", "--target", "nucleo_f401", "--data", "x" * 300], 1, "too long"),
        (["analyze", "/dev/zero"], 2, "is not a file"),
        (["search", "--target", "/dev/zero"], 2, "not a file"),
        (["analyze", "nowhere.tflite"], 2, "nowhere.tflite"),
        (["analyze", __file__], 1, "test_cli.py"),
        (["analyze", "x", "--kernels", "magic"], 2, "'magic'"),
        (["analyze", "x", "--build", "debug"], 2, "'debug'; choose 'release -Os i8',"),
        (["analyze", "x", "--all-targets", "--target", "y"], 2, "--target exclude each other"),
        (["analyze", "x", "--all-targets", "--plot", "y.png"], 2, "--plot exclude each other"),
        (["analyze", "x", "--all-targets", "--kernels", "reference"], 2, "--kernels exclude each other"),
        (["analyze", __file__, "--all-targets"], 1, "test_cli.py"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_sentence(call, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    found, _, err = call(*arguments)
    assert found == code
    _one_sentence(err)
    assert said in err


def test_brackets_in_a_name_are_shown_as_they_are(call, small_run, tmp_path):
    (tmp_path / "odd.json").write_text(json.dumps({**BOARD, "name": "b[/]oard"}))
    model = tmp_path / "[red]m[.tflite"
    model.write_bytes((small_run.folder / "best" / "model.tflite").read_bytes())
    code, out, _ = call("analyze", model, "--target", tmp_path / "odd.json")
    assert code == 0
    assert "[red]m[.tflite" in out
    assert "fits b[/]oard" in out


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("summary.json", "{"),
        ("summary.json", "[]"),
        ("settings.json", '{"version": 1'),
        ("settings.json", "{}"),
        ("best/architecture.json", "[]"),
        ("best/samples.npy", ""),
        ("journal.sqlite", "not a database, but long enough to be taken for one" * 9),
    ],
)
def test_a_damaged_run_folder_is_one_sentence(call, small_run, tmp_path, file, content):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(small_run.folder, run)
    settings = json.loads((run / "settings.json").read_text())
    settings["data"]["kind"] = "digits"  # so that --resume gets past the data's source
    (run / "settings.json").write_text(json.dumps(settings))
    (run / file).write_text(content)
    command = ("convert", "best", "--run", run) if file.startswith("best") else ("search", "--resume", run)
    code, _, err = call(*command)
    assert code == 1
    _one_sentence(err)


def test_bad_input_leaves_no_run_folder_behind(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call("search", "--target", "nucleo_f401", "--augment", "melt", "--trials", "1")
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(tmp_path):
    command = [sys.executable, "-m", "tinynas", "convert", "best", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_json_on_standard_output_progress_on_standard_error(small_search):
    done, folder = small_search
    summary = json.loads(done.stdout)
    assert summary == json.loads((folder / "summary.json").read_text())
    assert summary["data"].startswith("stripes")
    assert "Final model: test accuracy" in done.stderr
    command = [sys.executable, "-m", "tinynas", "search", "--resume", folder.name, "--json"]
    again = subprocess.run(command, capture_output=True, cwd=folder.parent)
    assert json.loads(again.stdout) == summary


def test_without_data_it_is_the_digits_and_that_is_said():
    console = Console(file=io.StringIO())
    dataset, source = load_data(None, {}, console)
    assert (dataset.name, dataset.input_shape, source.kind, source.path) == ("digits", (8, 8, 1), "digits", None)
    assert "scikit-learn's digits (8 x 8)" in console.file.getvalue()
