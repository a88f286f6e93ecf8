"""`tinynas analyze` on a file: what its tables and its JSON say of Flash, RAM, time and their errors."""

import json
from pathlib import Path

import pytest

from tests.tflite.models import activation, one_operator
from tinynas.cli import main
from tinynas.hardware import BUILDS, Target
from tinynas.tflite import Tensor, write

MODEL = Path(__file__).parents[1] / "fixtures" / "arena" / "mn_lenet_valid_b1.tflite"
F401 = Target.load("nucleo_f401")


@pytest.fixture
def said(capsys):
    """Run `tinynas analyze` on the model in this process: what it wrote on standard output."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["analyze", str(MODEL), *map(str, arguments)])
        assert not end.value.code
        return capsys.readouterr().out

    return run


def _row(text, name):
    return next(line for line in text.splitlines() if line.split("  ")[0].strip() == name)


def test_every_operator_has_its_time_and_energy(said):
    found = json.loads(said("--target", "nucleo_f401", "--json"))
    text = said("--target", "nucleo_f401")
    assert "ms: estimates, +/- 19 %; mJ: +/- 31 %" in text
    for operator in found["operators"]:
        row = next(line for line in text.splitlines() if f"{operator['instructions']:,}" in line)
        assert row.split()[-2:] == [f"{operator['latency_ms']:.3g}", f"{operator['energy_mj']:.3g}"]
    assert sum(operator["latency_ms"] for operator in found["operators"]) == pytest.approx(found["latency_ms"])
    assert f"{found['latency_ms']:.3g} ms +/- 19 %" in text


def test_without_a_board_there_is_no_time(said):
    text = said()
    assert "estimates" not in text
    assert _row(text, "latency").split()[1] == "-"
    assert "left of" not in text


def test_what_the_board_has_left_is_after_its_reserve(said, tmp_path):
    profile = F401.model_dump() | {"reserved_flash_bytes": 100_000, "reserved_ram_bytes": 20_000}
    (tmp_path / "mine.json").write_text(json.dumps(profile))
    found = json.loads(said("--target", tmp_path / "mine.json", "--json"))
    text = said("--target", tmp_path / "mine.json")
    flash, ram = F401.flash_bytes - 100_000, F401.ram_bytes - 20_000
    total, inside = found["flash"]["total"], found["arena"]["minimum"] + found["ram_outside_bytes"]
    assert f"{total:,} B" in _row(text, "Flash in all")
    assert f"{flash - total:,} B left of {flash:,} B after the reserve" in _row(text, "Flash in all")
    assert f"{ram - inside:,} B left of {ram:,} B after the reserve" in _row(text, "RAM in all")
    assert f"{found['flash']['model']:,} B" in _row(text, "model file")
    assert f"{found['flash']['runtime']:,} B" in _row(text, "TFLM's code")


@pytest.mark.parametrize("build", BUILDS)
def test_the_build_is_chosen_and_told(said, build):
    found = json.loads(said("--build", build, "--json"))
    assert found["runtime_build"] == build
    row = _row(said("--build", build), "TFLM's code")
    assert f"build {build}, +/- {100 * found['runtime_error']:.0f} %" in row
    assert f"{found['flash']['runtime']:,} B" in row


def test_the_kernels_are_chosen_and_their_error_told(said):
    row = _row(said("--target", "nucleo_f401", "--kernels", "reference"), "TFLM's code")
    assert "+/- 25 %" in row
    assert "kernels reference" in said("--kernels", "reference")


def test_the_matrix_shows_the_error_of_each_time(said):
    found = json.loads(said("--all-targets", "--build", "logs -O2", "--json"))
    text = said("--all-targets", "--build", "logs -O2")
    for name, figures in found.items():
        row = _row(text, name)
        assert f"{figures['latency_ms']:.3g} +/- {100 * figures['latency_error']:.0f} %" in row
        assert f"{figures['flash']['total']:,}" in row
        assert figures["runtime_build"] == "logs -O2"
    assert "build logs -O2, +/- 3 to 25 %" in text


@pytest.mark.parametrize(
    ("name", "kind"), [("net.keras", "a Keras model"), ("net.h5", "a Keras model"), ("net", "a SavedModel")]
)
def test_a_model_that_is_not_converted_yet_is_sent_to_convert(capsys, tmp_path, name, kind):
    path = tmp_path / name
    if path.suffix:
        path.write_bytes(b"something")
    else:
        path.mkdir()
        (path / "saved_model.pb").write_bytes(b"something")
    with pytest.raises(SystemExit) as end:
        main(["analyze", str(path)])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert (
        f"{path} is {kind}, and analyze takes a .tflite: convert it first, with tinynas convert {path} --data" in said
    )
    assert said.count("\n") == 1


def test_the_engine_stands_beside_tflm(said):
    found = json.loads(said("--engine", "--json"))
    engine, text = found["engine"], said("--engine")
    assert found["engine"]["memory"] < found["arena"]["minimum"] / 2
    figures = [f"{value:,}" for value in (engine["memory"], engine["speed"]["memory"], found["arena"]["minimum"])]
    assert _row(text, "memory").split()[1:7:2] == figures
    assert engine["speed"]["code"] > engine["code"]
    assert engine["flash"] == engine["weights"] + engine["tables"] + engine["code"] < found["flash"]["total"]
    assert engine["ram"] == engine["memory"] + engine["stack"]
    assert f"{engine['flash']:,} B" in text.split("The engine's layers")[1]
    assert "engine" not in json.loads(said("--json"))


def test_the_engine_s_layers_say_of_what_operators_they_are(said):
    text = said("--engine")
    assert "MAX_POOL_2D" in text.split("The engine's layers")[1]
    assert "row by row" in text


def test_an_operator_without_code_is_named_with_what_tflm_needs(tmp_path, capsys):
    wrong = one_operator("DEQUANTIZE", [activation((1, 4))], Tensor("", (1, 4), "FLOAT32"))
    (tmp_path / "float.tflite").write_bytes(write(wrong))
    with pytest.raises(SystemExit) as end:
        main(["analyze", str(tmp_path / "float.tflite"), "--engine"])
    assert end.value.code == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "the model's output is FLOAT32 with 0 scales; the engine works on INT8 with one. Under TFLM the" in said


def test_analyze_says_for_which_build_the_time_is(said):
    """Kernels built with -Os take more time and less Flash; both are told for the build that was asked for."""
    told = {}
    for build, kernels in (("release -O2 i8", "-O2"), ("release -Os i8", "-Os")):
        options = ("--target", "nucleo_f401", "--build", build)
        assert f"estimate on nucleo_f401, kernels built with {kernels}" in said(*options)
        told[build] = json.loads(said(*options, "--json"))
    fast, small = told.values()
    assert small["latency_ms"] > 1.1 * fast["latency_ms"]
    assert small["flash"]["runtime"] < fast["flash"]["runtime"]


def test_what_is_not_known_says_what_to_give_for_it(said):
    text = said()
    for row in ("latency", "energy"):
        assert "--target" in _row(text, row)
    assert "--target" not in _row(said("--target", "nucleo_f401"), "latency")


def test_a_board_without_a_power_says_which_key_gives_the_energy(said, tmp_path):
    board = Target.load("nucleo_f401").model_dump(mode="json", exclude_none=True)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({key: value for key, value in board.items() if "power" not in key}))
    assert "active_power_mw" in _row(said("--target", str(path)), "energy")
    assert "active_power_mw" not in _row(said("--target", "nucleo_f401"), "energy")


def test_engine_and_network_are_counted_under_one_name(said):
    tables = said("--engine").split("The engine's layers")
    assert "RAM in all" in tables[0]
    assert "RAM in all" not in tables[1]
    assert "RAM of the network" in tables[1]
