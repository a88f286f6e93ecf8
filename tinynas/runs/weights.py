"""The weights of a trial as a file, by the name of the layer."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tinynas.errors import RunError
from tinynas.runs.writing import write_atomically


def write_weights(path: Path, weights: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Write weights, by layer name, to a file that `read_weights` takes."""
    buffer = BytesIO()
    named = {f"{name}/{at}": array for name, arrays in weights.items() for at, array in enumerate(arrays)}
    np.savez(buffer, **named)  # type: ignore[arg-type]  # its stub takes the keywords for options
    write_atomically(path, buffer.getvalue())


def read_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """Return the weights, by layer name, of a file that `write_weights` wrote; RunError when it cannot be read."""
    weights: dict[str, list[np.ndarray]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:  # in the order they were written
                weights.setdefault(key.rpartition("/")[0], []).append(file[key])
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise RunError(f"{path}, the weights of a trial, cannot be read ({error}): start the search anew.") from error
    return weights
