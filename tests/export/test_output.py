"""What an output is: the guess by file and labels, and the whole export for each kind, against TFLM and by hand."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.export.firmware import (
    CORES,
    FIRMWARE_FLAGS,
    STUBS,
    WARNINGS,
    emulated,
    has_newlib,
    made,
    needs_arm,
    needs_compiler,
    needs_emulator,
    program,
    run,
    table,
)
from tests.export.test_convert import constants, golden
from tests.tflite.models import dense_net
from tinynas import Dataset, convert
from tinynas.data import ValueDataset
from tinynas.errors import DataError, UsageError
from tinynas.export import KINDS
from tinynas.export.ends import dequantized, ends, quantized
from tinynas.export.golden import Golden
from tinynas.export.output import Output, last_operator, output_of
from tinynas.export.render import render
from tinynas.tflite import read, tflm, write

RNG = np.random.default_rng(0)
X = RNG.random((40, 4), dtype=np.float32)
TWO = Dataset.from_arrays(X, np.arange(40) % 2, class_names=["idle", "moving"])
WORDS = Dataset.from_arrays(X, np.array(["a", "b", "c", "d"])[np.arange(40) % 4])
FOUR = Dataset.from_arrays(X, np.arange(40) % 4)
REAL = ValueDataset.from_arrays(X, X @ [1.0, 2.0, 3.0, 4.0])
THREE_REAL = ValueDataset.from_arrays(X, X[:, :3])
NO_LABELS = ValueDataset.from_arrays(X, None)

GUESSES = [
    # net: inputs, outputs, last operator, shape; data; the kind; whether it is said aloud
    ((4, 1, "LOGISTIC"), None, "binary", True),
    ((4, 1, "LOGISTIC"), TWO, "binary", False),
    ((4, 1, "LOGISTIC"), REAL, "values", False),
    ((4, 1, "LOGISTIC", (1, 1, 1)), None, "binary", True),  # the RESHAPE behind it only copies
    ((4, 1), None, "values", True),
    ((4, 1, "TANH"), None, "values", True),
    ((4, 1), TWO, "binary", True),
    ((4, 1), REAL, "values", False),
    ((4, 1), FOUR, "values", False),
    ((4, 3, "SOFTMAX"), None, "classes", False),
    ((4, 4, "SOFTMAX"), None, "classes", False),
    ((4, 3), None, "classes", True),
    ((4, 4), FOUR, "classes", False),
    ((4, 4), None, "reconstruction", True),
    ((4, 4), TWO, "reconstruction", True),
    ((4, 4), NO_LABELS, "reconstruction", True),
    ((4, 4, "LOGISTIC"), None, "reconstruction", True),
    ((4, 3), THREE_REAL, "values", False),
    ((4, 4, None, (1, 2, 2)), None, "reconstruction", True),
    ((4, 6, None, (1, 3, 2)), None, "values", False),
    ((4, 6, "SOFTMAX", (1, 3, 2)), None, "values", False),  # a map, not one answer
]


@pytest.mark.parametrize(("net", "data", "kind", "aloud"), GUESSES)
def test_the_output_is_told_by_the_file_and_the_labels(net, data, kind, aloud):
    found = output_of(dense_net(*net), data)
    assert found.kind == kind
    note = found.note()
    assert (note is not None) == aloud
    if note is not None:
        assert found.reason in note
        assert re.search(r"; --output \w+( or --output \w+)? overrides this\.$", note)
        assert not re.search(rf"--output {kind}\b", note)
        for other in found.others:  # what is said to be possible is possible
            assert output_of(dense_net(*net), None, other).kind == other


@pytest.mark.parametrize(("net", "data", "kind", "aloud"), GUESSES)
def test_what_is_asked_for_beats_the_guess_and_is_no_guess(net, data, kind, aloud):
    graph = dense_net(*net)
    for asked in KINDS:
        possible = {"classes": net[1] > 1, "binary": net[1] == 1, "values": True, "reconstruction": net[0] == net[1]}
        if possible[asked]:
            found = output_of(graph, None, asked)
            assert (found.kind, found.note()) == (asked, None)
        else:
            assert asked != kind
            with pytest.raises(UsageError, match=rf"The output cannot be {asked}: it has "):
                output_of(graph, None, asked)


def test_the_operator_that_counts_is_the_one_that_makes_the_output():
    assert last_operator(dense_net(4, 1, "LOGISTIC", (1, 1, 1))) == "LOGISTIC"
    assert last_operator(dense_net(4, 1, "TANH")) == "TANH"
    assert last_operator(dense_net(4, 1)) == "FULLY_CONNECTED"


def test_labels_that_no_such_output_can_have_are_refused():
    with pytest.raises(DataError, match="has 4 classes, but the model has one output, which tells two classes apart"):
        output_of(dense_net(4, 1, "LOGISTIC"), WORDS)
    with pytest.raises(
        DataError, match=r"4 classes, but the model has 3 outputs; .*--output values takes labels as num"
    ):
        output_of(dense_net(4, 3), FOUR)
    with pytest.raises(DataError, match="the labels are real values; the model's output was taken for classes"):
        output_of(dense_net(4, 3, "SOFTMAX"), REAL)
    with pytest.raises(UsageError, match=r"The output is 'class'; choose classes, binary, values or reconstruction\."):
        convert("any.tflite", output="class")
    with pytest.raises(UsageError, match="The output cannot be classes: it has 1 value, and"):
        output_of(dense_net(4, 1), None, "classes")


def test_a_threshold_is_one_of_real_values():
    real = np.array([[0.5], [0.50001], [0.1]], np.float32)
    assert Output("binary", threshold=0.5).answers(real).tolist() == [0, 1, 0]
    assert Output("classes").answers(np.array([[1, 3, 3.0]], np.float32)).tolist() == [1]


def exported(folder: Path, net, data=None, **options):
    """The folder made of a net, what convert gave, and the outputs that TFLM gives for the golden inputs."""
    path = folder / "my.tflite"
    path.write_bytes(write(dense_net(*net)))
    converted = convert(path, data=data, out=folder / "fw", name="net", **options)
    inputs, outputs = golden(folder / "fw", "net")
    np.testing.assert_array_equal(tflm.run((folder / "fw" / "net.tflite").read_bytes(), inputs), outputs)
    return folder / "fw", converted, inputs, outputs


# Each kind, with the helper that its firmware has and what another kind's would have.
NETS = {"classes": (4, 3, "SOFTMAX"), "binary": (4, 1, "LOGISTIC"), "values": (4, 2), "reconstruction": (4, 4)}
HELPERS = {"classes": "best_class", "binary": "best_class", "values": "values", "reconstruction": "error"}


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
def test_the_program_of_each_kind_passes_its_self_test(tmp_path, kind):
    folder, converted, inputs, outputs = exported(tmp_path, NETS[kind], output=kind)
    assert converted.output.kind == kind
    assert converted.notes == ()
    table(folder, inputs, outputs, 0)
    said = run([program(folder, "net")], folder)
    assert f"self-test of {len(inputs)} samples: 0 mismatches: PASS\n" in said
    data = (folder / "net.tflite").read_bytes()
    given, result = ends(data)
    real = dequantized(outputs, result)
    if kind == "reconstruction":
        errors = ((real - dequantized(inputs, given)) ** 2).mean(axis=1)
        found = [float(text) for text in re.findall(r"has an error of (\S+)\n", said)]
        np.testing.assert_allclose(found, errors, atol=0.006)
    elif kind == "values":
        found = [float(text) for text in re.findall(r"value \d is (\S+)\n", said)]
        np.testing.assert_allclose(found, real.ravel(), atol=0.006)
    else:
        wanted = real.argmax(axis=1) if kind == "classes" else (real[:, 0] > 0.5).astype(int)
        assert [int(text) for text in re.findall(r"is of class (\d)", said)] == wanted.tolist()
        assert len(set(wanted.tolist())) > 1
    settings = (folder / "net_settings.h").read_text()
    readme = (folder / "README.md").read_text()
    for helper in set(HELPERS.values()):
        assert (f"net_{helper}(" in settings) == (helper == HELPERS[kind])
        assert (f"`net_{helper}()`" in readme) == (helper == HELPERS[kind])
    assert ("NET_CLASSES" in settings) == (kind in ("classes", "binary"))
    assert ("class" in (folder / "main.cc").read_text()) == (kind in ("classes", "binary"))


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
def test_the_snippet_of_the_readme_compiles_and_answers(tmp_path, kind):
    folder, _, inputs, outputs = exported(tmp_path, NETS[kind], output=kind)
    table(folder, inputs, outputs, 0)
    snippet = re.search(r"```cpp\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    call = {
        "values": 'float v[2]; if (!net_predict(raw, v)) return 1; printf("%g ", static_cast<double>(v[1]));',
        "reconstruction": 'printf("%g ", static_cast<double>(net_strangeness(raw)));',
    }.get(kind, 'printf("%d ", net_classify(raw));')
    (folder / "own.cc").write_text(
        snippet[1]
        + rf"""
#include <stdio.h>
#include "net_test.h"
int main() {{
  for (int sample = 0; sample < NET_TEST_SAMPLES; ++sample) {{
    static float raw[NET_INPUT_LENGTH];
    for (int i = 0; i < NET_INPUT_LENGTH; ++i)
      raw[i] = static_cast<float>(net_test_inputs[sample][i] - NET_INPUT_ZERO_POINT) * NET_INPUT_SCALE;
    {call}
  }}
}}
"""
    )
    found = np.array(run([program(folder, "net", "-DTINYNAS_NO_MAIN", "own.cc")], folder).split(), dtype=float)
    given, result = ends((folder / "net.tflite").read_bytes())
    real = dequantized(outputs, result)
    wanted = {
        "classes": lambda: real.argmax(axis=1),
        "binary": lambda: real[:, 0] > 0.5,
        "values": lambda: real[:, -1],
        "reconstruction": lambda: ((real - dequantized(inputs, given)) ** 2).mean(axis=1),
    }[kind]()
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


@needs_arm
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_compiles_for_arm(tmp_path, kind, core):
    folder, *_ = exported(tmp_path, NETS[kind], output=kind)
    hosted = () if has_newlib() else ("-ffreestanding", f"-I{STUBS / 'freestanding'}")
    flags = (*WARNINGS, *FIRMWARE_FLAGS, *CORES[core], *hosted, f"-I{STUBS}")
    for source in ("main.cc", "net_test.cc"):
        run(["arm-none-eabi-g++", "-std=c++17", *flags, "-c", source, "-o", f"{source}.o"], folder)


@needs_emulator
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_runs_on_an_emulated_cortex_m4(tmp_path, kind):
    folder, _, inputs, outputs = exported(tmp_path, NETS[kind], output=kind)
    said = emulated(folder, Golden(inputs, outputs, "TFLM"))
    assert f"net: self-test of {len(inputs)} samples: 0 mismatches: PASS\n" in said
    assert said.count("net: sample ") == (2 if kind == "values" else 1) * len(inputs)


THRESHOLDS = r"""
#include <stdio.h>
#include "net_settings.h"

int main(void) {
  int value;
  for (value = -128; value <= 127; value++) {
    const int8_t output = (int8_t)value;
    printf("%d", net_best_class(&output));
  }
  printf(" %s %s %s %d\n", net_class_name(0), net_class_name(1), net_class_name(2), NET_CLASSES);
  return 0;
}
"""


@needs_compiler
@pytest.mark.parametrize(
    ("last", "data", "threshold"),
    [("LOGISTIC", None, 0.5), ("LOGISTIC", TWO, 0.5), (None, TWO, 0.0), ("TANH", TWO, 0.0)],
)
def test_a_binary_answer_is_that_of_the_real_threshold(tmp_path, last, data, threshold):
    folder, converted, *_ = exported(tmp_path, (4, 1, last), data)
    assert converted.output.threshold == threshold
    (folder / "main.c").write_text(THRESHOLDS)
    run(["gcc", "-std=c11", *WARNINGS, "main.c", "-o", "program"], folder)
    answers, *names, classes = run([folder / "program"], folder).replace("class ", "class_").split()
    _, result = ends((folder / "net.tflite").read_bytes())
    real = dequantized(np.arange(-128, 128, dtype=np.int8), result)
    assert answers == "".join("1" if value > threshold else "0" for value in real)
    assert answers[0] == "0"
    assert answers[-1] == "1"
    assert names == (["class_0", "class_1", "?"] if data is None else ["idle", "moving", "?"])
    assert classes == "2"
    run(["gcc", "-std=c11", "-DNET_THRESHOLD=100", *WARNINGS, "main.c", "-o", "program"], folder)
    assert run([folder / "program"], folder).startswith("0" * 229 + "1" * 27)


@needs_compiler
@pytest.mark.parametrize("threshold", [-1e3, 1e3])
def test_a_threshold_out_of_reach_compiles_as_well(tmp_path, threshold):
    firmware = made(
        tflite=write(dense_net(4, 1)),
        name="net",
        kind="binary",
        class_names=("a", "b"),
        threshold=threshold,
        channels=1,
    )
    for name, data in render(firmware).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "main.c").write_text(THRESHOLDS)
    run(["gcc", "-std=c11", *WARNINGS, "main.c", "-o", "program"], tmp_path)
    assert run([tmp_path / "program"], tmp_path).startswith(("1" if threshold < 0 else "0") * 256)


def test_each_kind_is_scored_by_its_own_measure(tmp_path):
    """An accuracy of a yes or no, the mean absolute error of values, the root mean square error of the input again."""
    for number, (net, data) in enumerate((((4, 1, "LOGISTIC"), TWO), ((4, 1), REAL), ((4, 1), FOUR), ((4, 4), TWO))):
        (tmp_path / str(number)).mkdir()
        folder, converted, *_ = exported(tmp_path / str(number), net, data)
        file = (folder / "net.tflite").read_bytes()
        given, result = ends(file)
        real = dequantized(tflm.run(file, quantized(data.x_test.reshape(-1, 4), given)), result)
        if converted.output.kind == "binary":
            assert converted.error is None
            right = (real[:, 0] > 0.5) == data.y_test
            assert converted.accuracy.int8 == pytest.approx(right.mean())
            assert np.trace(converted.accuracy.confusion) == right.sum()
            continue
        assert converted.accuracy is None
        if converted.output.kind == "values":
            train, true = (data.y, data.y_test) if isinstance(data, Dataset) else (data.y[:, 0], data.y_test[:, 0])
            wanted = np.abs(real[:, 0] - true).mean()
            constant = np.abs(np.median(train) - true).mean()
        else:
            true = data.x_test.reshape(-1, 4)
            wanted, constant = np.sqrt(((real - true) ** 2).mean()), np.sqrt(((true.mean(axis=0) - true) ** 2).mean())
        assert converted.error.int8 == pytest.approx(wanted, rel=1e-5)
        assert converted.error.constant == pytest.approx(constant, rel=1e-5)
        assert converted.error.samples == 8


def test_values_are_compared_with_numbers_alone(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(write(dense_net(4, 1)))
    for data, output, said in (
        (WORDS, None, "the labels are no numbers"),
        (NO_LABELS, "values", "the labels are no numbers"),
        (THREE_REAL, "values", r"has 3 value\(s\) a sample, but the model gives 1"),
    ):
        with pytest.raises(DataError, match=said):
            convert(path, data=data, output=output, out=tmp_path / "fw")
    assert not (tmp_path / "fw").exists()


def test_golden_samples_are_spread_over_the_values(tmp_path):
    _, _, _, outputs = exported(tmp_path, (4, 1))
    data = (tmp_path / "fw" / "net.tflite").read_bytes()
    every = tflm.run(data, np.random.default_rng(0).integers(-128, 128, (64, 4), dtype=np.int8)).ravel()
    assert len(outputs) == 8
    places = np.searchsorted(np.sort(every), np.sort(outputs.ravel()))
    assert (np.diff(places) >= 1).all()
    assert places[0] < 12
    assert places[-1] > 50


def test_settings_say_what_the_output_is(tmp_path):
    folder, *_ = exported(tmp_path, (4, 1, "LOGISTIC"))
    found = constants((folder / "net_settings.h").read_text())
    assert found["NET_THRESHOLD"] == "(0)"
    assert found["NET_OUTPUT_LENGTH"] == "1"
    assert "since it is one value and the last operator is LOGISTIC" in (folder / "README.md").read_text()
    assert read((folder / "net.tflite").read_bytes()).operators[-1].name == "LOGISTIC"
