"""The weights of a trial as a file, by the name of the layer."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from tinynas.data.readers.arrays import read_member
from tinynas.errors import DataError, RunError
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
        with ZipFile(path) as archive:
            for info in archive.infolist():  # in the order they were written
                layer = info.filename.removesuffix(".npy").rpartition("/")[0]
                weights.setdefault(layer, []).append(read_member(path, archive, info))
    except (OSError, ValueError, EOFError, BadZipFile, NotImplementedError, DataError) as error:
        raise RunError(f"{path}, the weights of a trial, cannot be read ({error}): start the search anew.") from error
    return weights
