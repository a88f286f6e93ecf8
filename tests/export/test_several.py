"""Several inputs or outputs: each has a name, settings and helpers of its own, and is in the golden samples."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from tests.export.firmware import (
    CORES,
    FIRMWARE_FLAGS,
    STUBS,
    WARNINGS,
    has_newlib,
    needs_arm,
    needs_compiler,
    program,
    run,
    table,
)
from tests.export.test_convert import constants
from tests.tflite.models import several_net, with_ends
from tinynas import Dataset, convert
from tinynas.errors import ModelError, UsageError
from tinynas.export import foreign
from tinynas.export.ends import all_ends
from tinynas.tflite import Graph, read, tflm, write

TYPES = {"int8_t": np.int8, "uint8_t": np.uint8, "float": np.float32}


def golden(folder, what, suffix):
    """The array NAME_test_inputs_SUFFIX or NAME_test_outputs_SUFFIX, read as text."""
    text = (folder / "net_test.cc").read_text()
    kind, body = re.search(rf"^const (\w+) net_test_{what}{suffix}\[.*?= \{{(.*?)^\}};", text, re.M | re.S).groups()
    rows = [row.replace(",", " ").replace("f", "").split() for row in re.findall(r"\{([^}]*)\}", body)]
    return np.array([[TYPES[kind](word) for word in row] for row in rows])


def exported(folder, graph: Graph, monkeypatch, **options):
    """The folder of `graph`, whose file the reader finds to have the graph's names."""
    path = folder / "my.tflite"
    path.write_bytes(write(graph))
    plain = foreign.read

    def read_with_names(data):
        found = plain(data)
        named = zip(found.tensors, graph.tensors, strict=True)
        return replace(found, tensors=tuple(replace(tensor, name=other.name) for tensor, other in named))

    monkeypatch.setattr(foreign, "read", read_with_names)
    return folder / "fw", convert(path, out=folder / "fw", name="net", **options)


@needs_compiler
@pytest.mark.parametrize("ends", [("INT8", "INT8"), ("UINT8", "FLOAT32")])
def test_each_has_its_settings_and_its_part_of_the_self_test(tmp_path, monkeypatch, ends):
    graph = several_net()
    if ends != ("INT8", "INT8"):  # the first input and the first output of other types
        last = graph.outputs[1]
        graph = with_ends(replace(graph, inputs=graph.inputs[:1], outputs=graph.outputs[:1]), *ends)
        graph = replace(graph, inputs=(*graph.inputs, 1), outputs=(*graph.outputs, last))
        named = {graph.inputs[0]: "left", graph.outputs[0]: "sum", 0: "", 2: ""}
        graph = replace(
            graph, tensors=tuple(replace(t, name=named.get(n, t.name)) for n, t in enumerate(graph.tensors))
        )
    folder, converted = exported(tmp_path, graph, monkeypatch)
    assert [converted.output.kind, *(each.kind for each in converted.more_outputs)] == ["classes", "binary"]
    assert converted.notes == ()
    inputs = [golden(folder, "inputs", suffix) for suffix in ("_left", "_right")]
    outputs = [golden(folder, "outputs", suffix) for suffix in ("_sum", "_score")]
    data = (folder / "net.tflite").read_bytes()
    for found, wanted in zip(outputs, tflm.run_all(data, inputs), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    assert converted.analysis.arena.head == tflm.head_bytes(data)
    table(folder, inputs[0], outputs[0], 0, ((inputs[1],), (outputs[1],)))
    said = run([program(folder, "net")], folder)
    assert f"self-test of {len(inputs[0])} samples: 0 mismatches: PASS\n" in said
    assert len(re.findall(r"sample \d, sum, is of class \d", said)) == len(inputs[0])
    wrong = outputs[1].copy()
    wrong[2, 0] -= 1 if wrong[2, 0] > 0 else -1
    table(folder, inputs[0], outputs[0], 0, ((inputs[1],), (wrong,)))
    program(folder, "net")
    with pytest.raises(AssertionError, match="1 mismatches: FAIL"):
        run([folder / "program"], folder)
    settings = constants((folder / "net_settings.h").read_text())
    assert (settings["NET_INPUTS"], settings["NET_OUTPUTS"]) == ("2", "2")
    assert (settings["NET_INPUT_LEFT_NUMBER"], settings["NET_INPUT_RIGHT_NUMBER"]) == ("0", "1")
    assert (settings["NET_OUTPUT_SUM_LENGTH"], settings["NET_OUTPUT_SCORE_LENGTH"]) == ("4", "1")
    assert settings["NET_INPUT_RIGHT_SCALE"] == "0.0625f"
    assert settings["NET_INPUT_RIGHT_ZERO_POINT"] == "(5)"
    assert settings["NET_SCORE_THRESHOLD"] == "(0)"
    assert settings["NET_SUM_CLASSES"] == "4"


@needs_compiler
def test_the_snippet_of_the_readme_runs(tmp_path, monkeypatch):
    folder, _ = exported(tmp_path, several_net(), monkeypatch)
    inputs = [golden(folder, "inputs", suffix) for suffix in ("_left", "_right")]
    outputs = [golden(folder, "outputs", suffix) for suffix in ("_sum", "_score")]
    table(folder, inputs[0], outputs[0], 0, ((inputs[1],), (outputs[1],)))
    snippet = re.search(r"```cpp\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    (folder / "own.cc").write_text(
        snippet[1]
        + r"""
#include <stdio.h>
#include "net_test.h"
int main() {
  for (int sample = 0; sample < NET_TEST_SAMPLES; ++sample) {
    float left[4], right[4];
    for (int i = 0; i < 4; ++i) {
      left[i] = static_cast<float>(net_test_inputs_left[sample][i]) * NET_INPUT_LEFT_SCALE;
      right[i] = static_cast<float>(net_test_inputs_right[sample][i] - 5) * NET_INPUT_RIGHT_SCALE;
    }
    if (!net_run(left, right)) return 1;
    printf("%d %d ", net_sum()[3], net_best_class_score(net_score()));
  }
}
"""
    )
    found = np.array(run([program(folder, "net", "-DTINYNAS_NO_MAIN", "own.cc")], folder).split(), dtype=int)
    np.testing.assert_array_equal(found[::2], outputs[0][:, 3])
    np.testing.assert_array_equal(found[1::2], outputs[1][:, 0] > 0)


@needs_arm
@pytest.mark.parametrize("core", CORES)
def test_it_compiles_for_arm(tmp_path, monkeypatch, core):
    folder, _ = exported(tmp_path, several_net(), monkeypatch)
    hosted = () if has_newlib() else ("-ffreestanding", f"-I{STUBS / 'freestanding'}")
    flags = (*WARNINGS, *FIRMWARE_FLAGS, *CORES[core], *hosted, f"-I{STUBS}")
    for source in ("main.cc", "net_test.cc"):
        run(["arm-none-eabi-g++", "-std=c++17", *flags, "-c", source, "-o", f"{source}.o"], folder)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("serving_default_left:0", "a/b/right:0", "sum", "score:1"), ("left", "right", "sum", "score")),
        (("left", "LEFT", "Identity", "Identity_1"), ("0", "1", "0", "1")),  # not told apart, and nothing said
        (("in-put 1", "2nd", "StatefulPartitionedCall:0", "StatefulPartitionedCall:1"), ("0", "1", "0", "1")),
        (("", "x", "gr\u00fc\u00dfe", "y"), ("0", "1", "gr_e", "y")),
    ],
)
def test_names_are_those_of_the_file_where_they_tell_apart(given, wanted):
    found = all_ends(several_net(given))
    assert not found.alone
    assert tuple(end.name for end in (*found.inputs, *found.outputs)) == wanted


def test_a_file_s_own_names_are_read_before_they_are_stripped(tensorflow, tmp_path):
    """As the converter writes them."""
    tf = tensorflow
    from tinynas.training.quiet import quiet

    rng = np.random.default_rng(0)
    kernel = tf.constant(rng.normal(0, 0.3, (4, 3)).astype(np.float32))
    specs = [tf.TensorSpec((1, 4), tf.float32, name=name) for name in ("left", "right")]
    function = tf.function(lambda left, right: tf.nn.softmax((left + right) @ kernel), specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([*rng.random((2, 1, 4), np.float32)] for _ in range(20))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it asks for ranges although calibration finds them
        (tmp_path / "two.tflite").write_bytes(converter.convert())
    convert(tmp_path / "two.tflite", out=tmp_path / "fw", name="net")
    settings = (tmp_path / "fw" / "net_settings.h").read_text()
    assert all(f"NET_INPUT_{name}_SHAPE {{1, 4}}" in settings for name in ("LEFT", "RIGHT"))
    assert "NET_OUTPUT_0_SHAPE {1, 3}" in settings
    assert "net_quantize_left(" in settings
    assert not read((tmp_path / "fw" / "net.tflite").read_bytes()).tensors[0].name


def test_what_speaks_of_one_output_is_refused(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(write(several_net()))
    data = Dataset.from_arrays(np.random.default_rng(0).random((20, 4)), np.arange(20) % 2)
    said = r"net.tflite has 2 input\(s\) and 2 output\(s\)"
    with pytest.raises(
        UsageError, match=f"{said}; only a model with one of each can be scored on data: leave --data out"
    ):
        convert(path, data=data, out=tmp_path / "fw")
    with pytest.raises(UsageError, match=f"{said}, and --output speaks of one"):
        convert(path, output="values", out=tmp_path / "fw")
    with pytest.raises(UsageError, match="needs --data"):
        convert(path, input_range=(0, 255), out=tmp_path / "fw")
    with pytest.raises(ModelError, match="the model has no output"):
        all_ends(replace(several_net(), outputs=()))
    assert not (tmp_path / "fw").exists()
