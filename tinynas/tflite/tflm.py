"""Runs a model in the real TFLM, by the tflite_micro wheel, in a process of its own.

The wheel's C++ writes through null pointers when an arena is too small and may end the process on a damaged
model, so it runs in a child; a crash there is a ModelError here, and TFLM's words on stderr give the reason.
"""

from __future__ import annotations

import importlib.util
import pickle
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import ConversionError, ModelError, UnsupportedOperatorError
from tinynas.tflite.arena import plan_arena
from tinynas.tflite.read import read

_WORKER = Path(__file__).with_name("tflm_worker.py")
_TIMEOUT_S = 3600
TYPES = (np.int8, np.uint8, np.float32)
# Pages that TFLM never touches cost nothing, so the first is far above what any microcontroller has.
_ARENAS = (64 << 20, 1 << 30)
_NO_OPERATOR = re.compile(r"Failed to get registration from op code (\S+)|Didn't find op for builtin opcode '(\w+)'")
_TOO_SMALL = re.compile(r"(Failed to \w+ .*Requested: \d+, available \d+, missing: \d+)")
_HEAD = re.compile(r"Arena allocation head (\d+) bytes")


def available() -> bool:
    """Whether the tflite_micro wheel is installed: it exists for Linux on x86-64 alone."""
    return importlib.util.find_spec("tflite_micro") is not None


def run(data: bytes, inputs: npt.NDArray[Any], arena_bytes: int | None = None) -> npt.NDArray[Any]:
    """The outputs (n, values) of the .tflite `data` for `inputs` (n, ...) of its input's type, sample by sample.

    Types are int8, uint8 and float32. arena_bytes: the arena in bytes, on this 64-bit machine; None gives as much as
    the model asks for. Raises ModelError when TFLM refuses the model or the inputs, UnsupportedOperatorError for an
    operator it lacks.
    """
    (outputs,) = run_all(data, (inputs,), arena_bytes, n_outputs=1)
    return outputs


def run_all(
    data: bytes, inputs: Sequence[npt.NDArray[Any]], arena_bytes: int | None = None, n_outputs: int | None = None
) -> tuple[npt.NDArray[Any], ...]:
    """The same for a model of several inputs, (n, ...) each, and outputs: (n, values) for each output.

    n_outputs: how many there must be; None takes as many as there are.
    """
    for each in inputs:
        if each.dtype not in TYPES or each.ndim < 2 or not each.size:
            raise ModelError(
                f"TFLM: the inputs have type {each.dtype} and shape {each.shape}, wanted int8, uint8 or float32 "
                "(n, ...); quantise them by the model's input scale and zero point"
            )
    given = tuple(np.ascontiguousarray(each) for each in inputs)
    outputs, _ = _call(data, (given, n_outputs), arena_bytes)
    return tuple(np.asarray(each) for each in outputs)


def head_bytes(data: bytes) -> int:
    """Bytes of the arena's head (all that is not persistent), as TFLM's recording allocator reports it.

    It is the head of the reference kernels on 32 bits as well; CMSIS-NN kernels add scratch buffers to it.
    """
    return heads_bytes((data,))[0]


def heads_bytes(models: Sequence[bytes]) -> tuple[int, ...]:
    """What `head_bytes` says of each model, from one process; the errors are those of the first model that fails."""
    _, noise = _call(tuple(models), None, None)
    heads = _HEAD.findall(noise)
    if len(heads) != len(models):
        raise ModelError(f"TFLM told {len(heads)} heads of {len(models)} arenas; it said: {_last_line(noise)}")
    return tuple(int(head) for head in heads)


def require_same_head(data: bytes) -> None:
    """Raise ConversionError unless TFLM itself plans the head that tinynas plans, where its wheel is installed.

    The wheel has the reference kernels, whose head is the same on every processor; its tail, of 64-bit pointers, is no
    board's.
    """
    if not available():
        return
    graph = read(data)
    planned, found = plan_arena(graph, "reference").head, head_bytes(data)
    if planned != found:
        names = ", ".join(operator.name for operator in graph.operators)
        raise ConversionError(
            f"TFLM plans a head of {found:,} B for this model where tinynas plans {planned:,} B (operators: {names}); "
            f"the arena that tinynas gives cannot be trusted for it: please report the model."
        )


def _call(model: bytes | tuple[bytes, ...], inputs: tuple[Any, ...] | None, arena_bytes: int | None) -> tuple[Any, str]:
    """What the worker gave back, and what it said on stderr; ModelError when it failed."""
    if not available():
        raise ModelError(
            f"TFLM for Python is not installed here ({platform.system()} {platform.machine()}): the package "
            "tflite_micro exists for Linux on x86-64 alone; leave this check out, or do it on such a machine"
        )
    for size in _ARENAS if arena_bytes is None else (arena_bytes,):
        code, reply, noise = _spawn(pickle.dumps((model, inputs, size)))
        if code == 0 and reply[0] == "done":
            return reply[1], noise
        if not _TOO_SMALL.search(noise):
            break
    raise _failure(code, reply, noise, size)


def _spawn(request: bytes) -> tuple[int, tuple[str, Any], str]:
    """Exit status, reply and stderr of one worker; its sys.path is this process's own."""
    set_path = f"import runpy, sys; sys.path[:] = {sys.path!r}"
    bootstrap = f"{set_path}; runpy.run_path({str(_WORKER)!r}, run_name='__main__')"
    try:
        done = subprocess.run(
            [sys.executable, "-c", bootstrap],
            input=request,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"TFLM did not finish within {_TIMEOUT_S} s; give it fewer samples") from error
    reply = pickle.loads(done.stdout) if done.returncode == 0 else ("crashed", None)
    return done.returncode, reply, done.stderr.decode(errors="replace")


def _failure(code: int, reply: tuple[str, Any], noise: str, arena_bytes: int) -> ModelError:
    """The error that says in one sentence why TFLM failed."""
    missing = _NO_OPERATOR.search(noise)
    if missing:
        return UnsupportedOperatorError(
            f"TFLM has no operator {missing[1] or missing[2]}; build the model from layers that TFLM knows"
        )
    too_small = _TOO_SMALL.search(noise)
    if too_small:
        return ModelError(f"TFLM: an arena of {arena_bytes:,} bytes is too small for the model: {too_small[1]}")
    if code < 0:
        name = signal.Signals(-code).name
        return ModelError(
            f"TFLM crashed ({name}) with an arena of {arena_bytes:,} bytes: that is far too small, or the "
            "model is damaged"
        )
    if reply[0] == "failed":
        return ModelError(f"TFLM: {reply[1]}{f': {_last_line(noise)}' if noise.strip() else ''}")
    return ModelError(f"TFLM's process ended with status {code}: {_last_line(noise)}")


def _last_line(noise: str) -> str:
    lines = [line.strip() for line in noise.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"
