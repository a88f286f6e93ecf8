"""Many models through the real TFLM in one process of its own, which may crash alone.

As a module it reads pickled tasks from stdin and writes pickled results to stdout; `outputs` and `smallest_arenas`
start it so.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[2]
Task = tuple[bytes, npt.NDArray[np.int8]]
ARENA_BYTES = 1 << 21


def outputs(tasks: list[Task]) -> list[npt.NDArray[np.int8]]:
    """The outputs (n, ...) of each model for its inputs (n, ...)."""
    return _call(("outputs", tasks))


def smallest_arenas(models: list[bytes]) -> list[int | None]:
    """The smallest arena, a multiple of 16, in which each model loads on this machine; None where it never does."""
    return _call(("smallest_arenas", models))


def _call(task: object) -> list:
    done = subprocess.run(
        [sys.executable, "-m", "tests.tflite.wheel"],
        input=pickle.dumps(task),
        cwd=ROOT,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:].decode(errors="replace")
    return pickle.loads(done.stdout)


def _run(data: bytes, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(data, arena_size=ARENA_BYTES)
    found = []
    for sample in inputs:
        interpreter.set_input(sample[None], 0)
        interpreter.invoke()
        found.append(interpreter.get_output(0).copy())
    return np.concatenate(found)


def _loads(data: bytes, arena_bytes: int) -> bool:
    """Whether the model loads in an arena of that size, tried in a child, since TFLM may crash in a small one."""
    from tflite_micro import runtime

    child = os.fork()
    if child == 0:
        try:
            runtime.Interpreter.from_bytes(data, arena_size=arena_bytes)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _smallest_arena(data: bytes) -> int | None:
    low, high = 0, ARENA_BYTES // 16
    if not _loads(data, high * 16):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _loads(data, middle * 16) else (middle, high)
    return high * 16


def main() -> None:
    """One task from stdin, its result to stdout; what TFLM says goes to stderr."""
    what, tasks = pickle.load(sys.stdin.buffer)
    result = os.dup(1)
    os.dup2(2, 1)
    if what == "outputs":
        found: list = [_run(*task) for task in tasks]
    else:
        found = [_smallest_arena(data) for data in tasks]
    with os.fdopen(result, "wb") as out:
        pickle.dump(found, out)


if __name__ == "__main__":
    main()
