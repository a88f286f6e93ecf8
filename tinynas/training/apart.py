"""A float model from elsewhere in a process of its own: loaded, run and converted under bounds of memory and time.

Messages are a line of JSON and, where there is one, an array in NumPy's format: nothing that the process sends can make
this one run code.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from tinynas import errors
from tinynas.errors import ConversionError, TinynasError

_MAX_REPLY_BYTES = 1 << 30


@dataclass(frozen=True)
class Bounds:
    """What a model may take: seconds for each of loading, running and converting; memory beside TensorFlow's own."""

    seconds: float = 600.0
    memory_bytes: int = 4 << 30


_BOUNDS = Bounds()


class Apart:
    """A float model that another process holds; `input_shape` is that of a sample, None for an open size."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes], bounds: Bounds, trust: bool) -> None:
        """Load the model in `path`; use `apart`, which ends the process."""
        self._path, self._process, self.bounds = path, process, bounds
        about, _ = self._ask("load", path=str(path), trust=trust, memory_bytes=bounds.memory_bytes)
        self.input_shape: tuple[int | None, ...] = tuple(about["input_shape"])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs float32 (n, values) for x float32 (n, ...)."""
        return self._ask("run", x)[1]

    def quantize(self, representative: np.ndarray) -> bytes:
        """Return the int8 .tflite; `representative` are float32 samples (n, ...) that its ranges are measured on."""
        return self._ask("convert", representative)[1].tobytes()

    def _ask(self, what: str, array: np.ndarray | None = None, **more: Any) -> tuple[dict[str, Any], np.ndarray]:
        """Return the answer; the error that the process tells, or ConversionError when it ends or takes too long."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(self.bounds.seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            _send(stdin, {"ask": what, **more}, array)
            about, answer = _receive(stdout)
        except (OSError, EOFError, ValueError) as error:
            self._process.kill()
            raise ConversionError(self._end(what, late.is_set())) from error
        finally:
            timer.cancel()
        if "error" in about:
            kind = getattr(errors, str(about["error"]), None)
            if not (isinstance(kind, type) and issubclass(kind, TinynasError)):
                kind = ConversionError
            raise kind(str(about["text"]))
        return about, answer

    def _end(self, what: str, late: bool) -> str:
        if late:
            return (
                f"{self._path}: the model took more than {self.bounds.seconds:g} s to {what}, and was stopped: "
                f"give a smaller model, or less data."
            )
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        return (
            f"{self._path}: the process that was to {what} the model ended ({how}): the model is damaged, or takes "
            f"more than {self.bounds.memory_bytes >> 20:,} MiB of memory."
        )


@contextlib.contextmanager
def apart(path: Path, trust: bool = False, bounds: Bounds = _BOUNDS) -> Iterator[Apart]:
    """Hold the float model in `path` while the block runs; with `trust`, code that it brings is run as well.

    ConversionError, in one sentence, for all that goes wrong with it, a crash and an endless loop among that.
    """
    bootstrap = f"import sys; sys.path[:] = {sys.path!r}; from tinynas.training.apart import serve; serve()"
    process = subprocess.Popen(
        [sys.executable, "-c", bootstrap], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield Apart(path, process, bounds, trust)
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what could not be sent to a process that has ended
                    pipe.close()
        process.wait()


def serve() -> None:
    """Answer what the process that started this one asks, until it asks no more."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
    model: Any = None
    while True:
        try:
            asked, array = _receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            if asked["ask"] == "load":
                model = _loaded(Path(asked["path"]), asked["trust"], asked["memory_bytes"])
                _send(replies, {"input_shape": model.input_shape})
            elif asked["ask"] == "run":
                _send(replies, {}, model.predict(array))
            else:
                from tinynas.training.convert import quantize_call

                _send(replies, {}, np.frombuffer(quantize_call(model.call, array), np.uint8))
        except TinynasError as error:
            _send(replies, {"error": type(error).__name__, "text": str(error)})
        except Exception as error:  # TensorFlow's own, and MemoryError
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            _send(replies, {"error": "ConversionError", "text": f"The model does not {asked['ask']} ({said})."})


def _loaded(path: Path, trust: bool, memory_bytes: int) -> Any:
    from tinynas.training.load import load  # TensorFlow comes with it, before memory is counted

    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere there is no telling what TensorFlow has taken
        most = int(statm.read_text().split()[0]) * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return load(path, trust)


def _send(pipe: IO[bytes], about: dict[str, Any], array: np.ndarray | None = None) -> None:
    body = io.BytesIO()
    if array is not None:
        np.save(body, np.ascontiguousarray(array), allow_pickle=False)
    pipe.write(json.dumps({**about, "bytes": body.tell()}).encode() + b"\n")
    pipe.write(body.getvalue())
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[dict[str, Any], np.ndarray]:
    """Return a message and its array, empty where it has none; EOFError at the end, ValueError for rubbish."""
    line = pipe.readline(1 << 20)
    if not line:
        raise EOFError
    about: dict[str, Any] = json.loads(line)
    size = int(about["bytes"])
    if size > _MAX_REPLY_BYTES:
        raise ValueError("a message larger than any answer")
    body = pipe.read(size)
    if len(body) < size:
        raise EOFError
    return about, np.load(io.BytesIO(body), allow_pickle=False) if size else np.empty(0)
