"""The child process of tflm.py: some samples through one model in TFLM, or the allocations of some models.

A pickle on stdin: (model, samples (n, ...), arena bytes), or (models, None, arena bytes).
A pickle on stdout: ("done", outputs or None) or ("failed", sentence).
Without samples the allocations of each model are printed on stderr by TFLM itself.
"""

import pickle
import sys
from typing import Any

import numpy as np


def answer(model: Any, samples: Any, arena_bytes: int) -> tuple[str, Any]:
    """The reply to one request."""
    from tflite_micro.python.tflite_micro import runtime

    try:
        if samples is None:
            for each in model:
                runtime.Interpreter.from_bytes(each, arena_size=arena_bytes).print_allocations()
            return "done", None
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)
        return "done", np.concatenate([_invoke(interpreter, sample) for sample in _as_inputs(interpreter, samples)])
    except Exception as error:  # every failure, the wheel's own included, becomes the caller's one sentence
        return "failed", f"{error} ({type(error).__name__})"


def _as_inputs(interpreter: Any, samples: Any) -> Any:
    """The samples (n, 1, ...) in the shape of the model's one input; ValueError when they do not fit it."""
    for details, what in (
        (interpreter.get_input_details, "inputs"),
        (interpreter.get_output_details, "outputs"),
    ):
        try:
            details(1)
        except IndexError:
            continue
        raise ValueError(f"the model has several {what}, wanted one")
    details = interpreter.get_input_details(0)
    shape = tuple(int(size) for size in details["shape"])
    if np.dtype(details["dtype"]) != samples.dtype:
        raise ValueError(f"the model's input is {np.dtype(details['dtype'])}, the samples are {samples.dtype}")
    if shape[0] != 1 or np.prod(shape) != np.prod(samples.shape[1:]):
        raise ValueError(f"samples of shape {samples.shape[1:]} do not fit the model's input {shape}")
    return samples.reshape(len(samples), *shape)


def _invoke(interpreter: Any, sample: Any) -> Any:
    interpreter.set_input(sample, 0)
    interpreter.invoke()
    output = np.array(interpreter.get_output(0))
    if output.dtype not in (np.int8, np.uint8, np.float32):
        raise ValueError(f"the model's output is {output.dtype}, wanted int8, uint8 or float32")
    return output.reshape(1, -1)


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(answer(*pickle.load(sys.stdin.buffer))))
