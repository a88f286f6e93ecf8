"""NAME_bench: what it answers on a line, as plain C and with a stand-in for TFLM, compiled for this computer."""

import subprocess
from dataclasses import replace
from pathlib import Path

from tests.export.firmware import STUBS, WARNINGS, fixture, made, needs_compiler, run, table, written
from tinynas.data import Normalization
from tinynas.engine import build
from tinynas.features import IntLogMel

pytestmark = needs_compiler


def answers(program: Path, *commands: str) -> list[list[str]]:
    """The lines that answer each command, without m-ready."""
    given = "".join(f"{command}%" for command in commands)
    said = subprocess.run([program], input=given, capture_output=True, text=True, check=True, timeout=60).stdout
    parts = said.replace("\r", "").split("m-ready\n")
    assert parts[0] == "m-init-done\n"
    assert parts[-1] == ""
    return [part.splitlines() for part in parts[1:-1]]


def test_tflm_answers_and_times_its_operators(tmp_path: Path) -> None:
    firmware = made(name="net")
    written(tmp_path, firmware, ("bench",))
    golden = firmware.golden
    table(tmp_path, golden.inputs, golden.outputs, 0)
    sources = ["net_bench.cc", "net.cc", "net_test.cc", "table.cc", STUBS / "interpreter.cc"]
    command = ["g++", "-std=c++17", *WARNINGS, f"-I{STUBS}", "-DTINYNAS_BENCH", *sources, "-o"]
    run([*command, "timed", "-DSTUB_EVENTS=4"], tmp_path)
    sample = golden.inputs[1].reshape(-1).tobytes()
    load = [f"db load {len(sample)}", *(f"db {sample[at : at + 36].hex()}" for at in range(0, len(sample), 36))]
    said = answers(tmp_path / "timed", "sync 12", "test", *load, "infer 1 0", "ops 2", "profile", "features 1")
    assert said[:2] == [["m-sync-12"], ["m-test-0"]]
    assert "m-load-done" in said[-5]
    assert f"m-results-[{','.join(map(str, golden.outputs[1].reshape(-1)))}]" in said[-4]
    assert [line.rpartition(",")[0] for line in said[-3][:4]] == [
        "m-op-0,CONV_2D", "m-op-1,RESHAPE", "m-op-2,FULLY_CONNECTED", "m-op-3,SOFTMAX",
    ]  # fmt: skip
    assert {"m-runtime-[tflm]", "m-optimize-[-O2]", f"m-input-{len(sample)}"} <= set(said[-2])
    assert said[-1] == ["e-[no such command]"]
    run([*command, "untimed"], tmp_path)
    assert answers(tmp_path / "untimed", "ops 2") == [["e-[this build times no operators]"]]


def test_wrong_commands_are_refused(tmp_path: Path) -> None:
    engine = build(fixture("mn_tiny_c4_b1"))
    written(tmp_path, replace(made(name="net"), engine=engine, arena=None))
    run(["make", "-s", "bench", f"CFLAGS=-O1 {' '.join(WARNINGS)} -Wsign-conversion"], tmp_path)
    wrong = ("", "inference", "db load 5", "db 0x", "x" * 200, "db zz")
    said = answers(tmp_path / "build" / "bench.elf", *wrong, "db load 784", "db abc", "sync 4000000000")
    assert [part[0][:2] for part in said[:6]] == ["e-"] * 6
    assert said[4] == ["e-[a command that is too long]"]
    assert [part[0] for part in said[6:]] == ["m-expecting-784", "e-[too much input]", "m-sync-4000000000"]


def test_features_of_sound_are_timed_and_right(tmp_path: Path) -> None:
    features = IntLogMel(8000, 4000, 256, 160, 256, 28, 80, 3800)
    data = fixture("mn_tiny_c4_b1")
    facts = {"channels": 1, "normalization": Normalization((0.0,), (1 / 255,), "uint8")}
    firmware = replace(made(name="net", **facts), features=features, engine=build(data), arena=None)
    written(tmp_path, firmware)
    run(["make", "-s", "bench", f"CFLAGS=-O1 {' '.join(WARNINGS)}"], tmp_path)
    (said,) = answers(tmp_path / "build" / "bench.elf", "features 1")
    hashes = [line.rpartition("-")[2] for line in said if "hash" in line or "wanted" in line]
    assert len(hashes) == 2
    assert hashes[0] == hashes[1]
