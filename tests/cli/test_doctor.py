"""What `tinynas doctor` says of a whole installation and of one that lacks something."""

import json
import os
from importlib import metadata

import pytest

from tinynas.cli import checks, main


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def by_name(out):
    return {check["name"]: check for check in json.loads(out)["checks"]}


def test_a_whole_installation(call):
    code, out, _ = call("doctor")
    assert code == 0
    assert "Everything that is needed is there." in out
    code, out, _ = call("doctor", "--json")
    assert code == 0
    found = by_name(out)
    assert json.loads(out)["ok"] is True
    for name in ("tensorflow", "tf-keras", "tensorflow-model-optimization", "numpy", "tflite"):
        name_there = next(key for key in found if key.lower().replace("_", "-") == name)
        assert found[name_there]["found"] == metadata.version(name)
        assert found[name_there]["state"] == "ok"
    assert found["processors"]["found"].startswith(f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}")
    assert {"arm-none-eabi-gcc", "chromium", "fashion-mnist", "memory", "instructions", "python"} <= set(found)


def without(monkeypatch, **versions):
    """Let a package have another version, or none (None)."""
    real = metadata.version

    def version(name):
        known = versions.get(name.replace("-", "_"), "real")
        if known is None:
            raise metadata.PackageNotFoundError(name)
        return real(name) if known == "real" else known

    monkeypatch.setattr(metadata, "version", version)


def test_what_is_needed_and_missing_ends_with_1_and_the_line_that_installs_it(call, monkeypatch):
    without(monkeypatch, numpy=None, rich="1.0", tflite_micro=None)
    code, out, _ = call("doctor", "--json")
    assert code == 1
    found = by_name(out)
    assert (found["numpy"]["state"], found["numpy"]["found"]) == ("missing", "not installed")
    assert found["numpy"]["install"] == "pip install 'numpy<3,>=2.1'"
    assert found["rich"]["state"] == "missing"
    assert found["rich"]["found"].startswith("1.0, wanted ")
    assert found["tflite-micro"]["state"] == "absent"
    assert found["tflite-micro"]["install"].startswith("pip install 'tflite-micro==")
    code, out, _ = call("doctor")
    assert code == 1
    assert "Missing: numpy, rich." in out


def test_an_optional_tool_that_is_absent_is_no_error(call, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, _ = call("doctor", "--json")
    assert code == 0
    assert by_name(out)["chromium"]["state"] == "absent"
    assert by_name(out)["chromium"]["install"] == "apt-get install chromium"


def test_a_source_tree_that_is_not_installed(call, monkeypatch):
    def none(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", none)
    code, out, _ = call("doctor", "--json")
    assert code == 1
    assert by_name(out)["tinynas"]["install"] == "pip install ."


def test_a_machine_that_there_is_no_tflm_for(call, monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: ['tflite-micro==1; sys_platform == "amiga"', "numpy>=2"])
    code, out, _ = call("doctor", "--json")
    assert code == 0
    assert by_name(out)["tflite-micro"]["found"].startswith("there is none for linux on ")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, {"processors"}),
        ({"/sys/fs/cgroup/cpu.max": "150000 100000"}, {"processors"}),
        ({"/sys/fs/cgroup/cpu.max": "max 100000", "/proc/cpuinfo": "flags : sse avx"}, {"processors", "instructions"}),
        ({"/proc/meminfo": "MemTotal: 2097152 kB\nMemAvailable: 1048576 kB\n"}, {"processors", "memory"}),
    ],
)
def test_machines_that_say_less(monkeypatch, files, said):
    monkeypatch.setattr(checks, "_read", lambda path: files.get(path, ""))
    found = {check.name: check.found for check in checks._machine()}
    assert set(found) == said
    assert ("for 1.5 processors' time" in found["processors"]) == ("150000 100000" in files.values())
    assert found.get("memory", "2.0 GiB, 1.0 GiB of it free") == "2.0 GiB, 1.0 GiB of it free"


def test_a_processor_without_avx(monkeypatch):
    monkeypatch.setattr(checks, "_read", lambda path: "flags : sse sse2" if path == "/proc/cpuinfo" else "")
    (found,) = (check for check in checks._machine() if check.name == "instructions")
    assert found.state == "missing"
