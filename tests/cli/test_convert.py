"""`tinynas convert` as a person and as a script meet it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.tflite.models import dense_net
from tinynas.cli import main
from tinynas.data import write_idx
from tinynas.tflite import write

ARENA = Path(__file__).parents[1] / "fixtures" / "arena"
NET = ARENA / "mn_tiny_c4_b1.tflite"
NAMES = ["net.tflite", "net.h", "net.cc", "net_settings.h", "net_ops.h", "net_test.h", "net_test.cc"]


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run `tinynas convert` in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["convert", *(str(argument) for argument in arguments)])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def test_it_says_what_it_wrote(call, small_run, tmp_path):
    code, out, _ = call("best", "--run", small_run.folder, "--out", tmp_path / "fw", "--name", "net")
    assert code == 0
    written = {path.name for path in (tmp_path / "fw").iterdir()}
    assert {*NAMES, "main.cc", "README.md"} <= written
    first, *rest = out.splitlines()
    assert first.startswith(f"Wrote {len(written)} files into {tmp_path / 'fw'}: README.md, ")
    assert set(first.partition(": ")[2].split(", ")) == written
    assert re.search(r"TFLM agrees with the reference (exactly|within \d+ int8 steps?); the self-test holds", out)
    assert re.search(r"fits +nucleo_f401", out)
    assert re.search(r"RAM of the network( +[\d,]+ B){3}", out)
    assert all(len(line) <= 140 for line in rest if not line.startswith(("Note: ", "Warning: ")))
    code, out, _ = call("best", "--run", small_run.folder, "--out", tmp_path, "--format", "tflite, c", "--json")
    about = json.loads(out)
    assert code == 0
    assert [Path(path).name for path in about["files"]] == ["model.tflite", "model.h", "model.cc"]
    assert about["tflm_largest_step"] in (0, 1)
    assert about["arena"]["total"] == about["arena"]["minimum"] + about["arena"]["margin"]
    assert about["stage"] == "final"


def test_a_file_of_any_origin(call, tmp_path):
    code, out, _ = call(NET, "--target", "nucleo_f401", "--check")
    assert code == 0
    assert (tmp_path / "mn_tiny_c4_b1_firmware" / "mn_tiny_c4_b1_ops.h").exists()
    assert "accuracy" not in out


def test_data_give_an_accuracy(call, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(write_idx(rng.integers(0, 256, (60, 28, 28), dtype=np.uint8)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(write_idx(np.arange(60, dtype=np.uint8) % 10))
    code, out, err = call(NET, "--data", tmp_path, "--out", "fw", "--input-range=-4,4")
    assert code == 0
    assert re.search(r"accuracy +\S+ % \(int8\) on 12 test samples", out)
    assert "image of" in err
    code, _, err = call(NET, "--data", tmp_path, "--reshape", "784", "--out", "fw2")
    assert code == 1
    assert "samples of 784 x 1 x 1 do not fit the model, which takes 28 x 28 x 1" in err
    assert not (tmp_path / "fw2").exists()


def net(folder, *arguments):
    (folder / "net.tflite").write_bytes(write(dense_net(*arguments)))
    return folder / "net.tflite"


def rows(folder, label):
    """A CSV file of four numbers and a label each row."""
    rng = np.random.default_rng(0)
    lines = ["a,b,c,d,label"]
    lines += [",".join(f"{value:.3f}" for value in rng.random(4)) + f",{label(number)}" for number in range(60)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return folder / "rows.csv"


def test_a_guess_of_the_output_is_said_with_what_overrules_it(call, tmp_path):
    model = net(tmp_path, 4, 1, "LOGISTIC")
    code, out, _ = call(model, "--out", "fw")
    assert code == 0
    said = (
        "Note: The output is assumed to be a yes or no, since it is one value and the last operator is "
        "LOGISTIC; --output"
    )
    assert said in out
    code, out, _ = call(model, "--out", "fw", "--output", "values", "--json")
    about = json.loads(out)
    assert about["output"]["kind"] == "values"
    assert about["notes"] == []
    assert "net_values(" in (tmp_path / "fw" / "net_settings.h").read_text()


def test_real_labels_are_held_against_values(call, tmp_path):
    data = rows(tmp_path, lambda number: f"{number / 7:.3f}")
    code, out, _ = call(net(tmp_path, 4, 1), "--data", data, "--out", "fw")
    assert code == 0
    assert "mean absolute error" in out
    assert "on 12 test samples; answering the same for every sample has" in out
    assert "Note: " not in out.replace("Note: The model's input holds", "")
    code, _, err = call(net(tmp_path, 4, 3, "SOFTMAX"), "--data", data, "--out", "fw2")
    assert code == 1
    assert "which are no classes: name the column of the classes" in err
    assert not (tmp_path / "fw2").exists()


def test_a_yes_or_no_has_the_names_of_the_data(call, tmp_path):
    data = rows(tmp_path, lambda number: ("idle", "moving")[number % 2])
    code, out, _ = call(net(tmp_path, 4, 1, "LOGISTIC"), "--data", data, "--out", "fw", "--json")
    about = json.loads(out)
    assert code == 0
    assert about["output"]["class_names"] == ["idle", "moving"]
    assert about["error"] is None
    assert sum(map(sum, about["accuracy"]["confusion"])) == about["accuracy"]["samples"] == 12


def test_check_names_the_limit_and_writes_nothing(call, tmp_path):
    board = {"name": "tiny", "mcu": "m", "core": "Cortex-M0+", "clock_hz": 48_000_000, "kernels": "cmsis_nn_no_dsp"}
    (tmp_path / "tiny.json").write_text(json.dumps({**board, "flash_bytes": 65536, "ram_bytes": 4096}))
    code, out, err = call(NET, "--target", "tiny.json", "--check", "--out", "fw")
    assert code == 1
    assert out == ""
    assert "does not fit tiny: " in err
    assert "RAM with TFLM" in err
    assert not (tmp_path / "fw").exists()
    code, out, _ = call(NET, "--target", "tiny.json", "--out", "fw")
    assert code == 0
    assert "Note: " in out
    assert "does not fit tiny" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["best"], 1, "no run in"),
        (["worst"], 2, "'worst'"),
        (["7"], 2, "There is no '7'"),
        ([""], 2, "There is no ''"),
        (["x" * 5000], 2, "There is no 'xxx"),
        (["x" * 5000 + ":3"], 2, "There is no 'xxx"),
        (["none.tflite"], 2, "none.tflite"),
        (["none.keras", "--data", "nowhere"], 2, "none.keras"),
        ([NET, "--data", "nowhere"], 1, "nowhere"),
        ([NET, "--run", "x"], 2, "give one of them"),
        ([NET, "--name", "2d"], 1, "such as 'model_2d'"),
        ([NET, "--name", "a b"], 1, "such as 'a_b'"),
        ([NET, "--format", "elf"], 2, "no format 'elf'"),
        ([NET, "--format", ""], 2, "choose from tflite, c"),
        ([NET, "--target", "nucleo_f400"], 2, "nucleo_f401"),
        ([NET, "--check"], 2, "give --target"),
        ([NET, "--layout", "series"], 2, "--layout needs --data"),
        ([NET, "--output", "class"], 2, "choose classes, binary, values or reconstruction"),
        ([NET, "--output", "binary"], 2, "The output cannot be binary: it has 10 values"),
        ([NET, "--input-range", "0,1,2"], 2, "--input-range is '0,1,2'"),
        ([NET, "--input-range", "high"], 2, "--input-range is 'high'"),
        ([NET, "--input-range", "1,0"], 2, "the smaller one first"),
        ([NET, "--input-range", "0,nan"], 2, "two finite numbers"),
        ([NET, "--input-range", "0,255"], 2, "needs --data"),
        ([NET, "--out", "/proc/tinynas"], 1, "/proc/tinynas cannot be written"),
        ([NET, "--out", NET], 1, "it is a file"),
        (["nowhere:3"], 2, "There is no 'nowhere:3'"),
        ([".:3"], 1, "is not a run folder"),
        ([NET, "--out", ""], 2, "--out is empty"),
        (["--run", NET], 1, "is not a run folder"),
        (["--run", "."], 1, "is not a run folder"),
        (["."], 1, "is not a run folder"),
    ],
)
def test_nonsense_is_one_sentence(call, tmp_path, arguments, code, said):
    ended, out, err = call(*arguments)
    assert ended == code
    assert said in err
    assert err.count("\n") == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []
