"""Keep the lines off the terminal that TensorFlow's C++ writes whatever one asks of it."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send the process's standard output and error (file descriptors 1 and 2) nowhere while the block runs."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    try:
        with tempfile.TemporaryFile() as sink:
            for descriptor in saved:
                os.dup2(sink.fileno(), descriptor)
            yield
            sys.stdout.flush()
    finally:
        for descriptor, copy in saved.items():
            os.dup2(copy, descriptor)
            os.close(copy)
