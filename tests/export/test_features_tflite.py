"""The features as TFLM's signal operators: the real TFLM makes the bytes that NumPy makes."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from tests.features.configurations import clipped, configurations, frames_of, sound
from tinynas.export.features_tflite import features_tflite
from tinynas.tflite import read, tflm

N = 100
_CHILD = """
import pickle, sys
import numpy as np
from tflite_micro import runtime
found = []
for data, frames in pickle.load(sys.stdin.buffer):
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 20)
    rows = []
    for frame in frames:
        interpreter.set_input(np.ascontiguousarray(frame), 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).copy())
    found.append(np.stack(rows))
sys.stdout.buffer.write(pickle.dumps(found))
"""


@pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")
def test_the_real_tflm_makes_the_same_bytes() -> None:
    made = configurations(N, background=False)  # TFLM's estimates of noise begin with 0
    frames = [clipped(frames_of(each, sound(3 * each.clip, seed))) for seed, each in enumerate(made)]
    tasks = [(features_tflite(each), rows) for each, rows in zip(made, frames, strict=True)]
    done = subprocess.run([sys.executable, "-c", _CHILD], input=pickle.dumps(tasks), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:].decode()
    for each, rows, found in zip(made, frames, pickle.loads(done.stdout), strict=True):
        wanted = each.bytes_of(each.logs(rows)).astype(np.int16) - 128
        assert (found.reshape(wanted.shape) == wanted).all(), each


def test_the_file_is_read_back() -> None:
    (each,) = configurations(1)
    graph = read(features_tflite(each))
    assert [graph.tensors[k].dtype for k in (*graph.inputs, *graph.outputs)] == ["INT16", "INT8"]
    assert graph.operators[-1].name == "QUANTIZE"
