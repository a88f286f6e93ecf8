"""The child process of tflm.py: some samples through one model in TFLM, or the allocations of some models.

A pickle on stdin: (model, (inputs, outputs), arena bytes), inputs being (n, ...) for each of the model's and outputs
how many it must have (None: any number); or (models, None, arena bytes).
A pickle on stdout: ("done", (n, values) of each output, or None) or ("failed", sentence).
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
        given, n_outputs = samples
        inputs, outputs = _as_inputs(interpreter, given), _outputs(interpreter, n_outputs)
        rows = [_invoke(interpreter, sample, outputs) for sample in zip(*inputs, strict=True)]
        return "done", tuple(np.concatenate(each) for each in zip(*rows, strict=True))
    except Exception as error:  # every failure, the wheel's own included, becomes the caller's one sentence
        return "failed", f"{error} ({type(error).__name__})"


def _count(details: Any) -> int:
    """How many inputs, or outputs, the interpreter gives details of."""
    found = 0
    while True:
        try:
            details(found)
        except IndexError:
            return found
        found += 1


def _as_inputs(interpreter: Any, given: Any) -> list[Any]:
    """The samples (n, 1, ...) of each input in its shape; ValueError when they do not fit the model."""
    wanted = _count(interpreter.get_input_details)
    if wanted != len(given):
        raise ValueError(f"the model has {wanted} inputs, wanted {len(given)}")
    return [_as_input(interpreter.get_input_details(index), samples) for index, samples in enumerate(given)]


def _as_input(details: Any, samples: Any) -> Any:
    shape = tuple(int(size) for size in details["shape"])
    if np.dtype(details["dtype"]) != samples.dtype:
        raise ValueError(f"the model's input is {np.dtype(details['dtype'])}, the samples are {samples.dtype}")
    if shape[0] != 1 or np.prod(shape) != np.prod(samples.shape[1:]):
        raise ValueError(f"samples of shape {samples.shape[1:]} do not fit the model's input {shape}")
    return samples.reshape(len(samples), *shape)


def _outputs(interpreter: Any, wanted: int | None) -> range:
    """The numbers of the outputs; ValueError unless there are as many as wanted."""
    found = _count(interpreter.get_output_details)
    if wanted not in (None, found):
        raise ValueError(f"the model has {found} outputs, wanted {wanted}")
    return range(found)


def _invoke(interpreter: Any, sample: Any, outputs: range) -> list[Any]:
    for index, each in enumerate(sample):
        interpreter.set_input(each, index)
    interpreter.invoke()
    found = [np.array(interpreter.get_output(index)) for index in outputs]
    for output in found:
        if output.dtype not in (np.int8, np.uint8, np.float32):
            raise ValueError(f"the model's output is {output.dtype}, wanted int8, uint8 or float32")
    return [output.reshape(1, -1) for output in found]


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(answer(*pickle.load(sys.stdin.buffer))))
