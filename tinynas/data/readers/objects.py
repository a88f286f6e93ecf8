"""Arrays of Python objects, as pandas and lists of strings leave them in NumPy's files, read without running any code.

Such an array is a pickle, which may name any function to be called. Here every name becomes a stand-in that only keeps
what it is given, so that nothing is called; of what is left only strings and numbers are taken.
"""

from __future__ import annotations

import io
import pickle
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Array = npt.NDArray[Any]

_ARRAY = "_reconstruct"


class _Standin:
    """What a name in the pickle stands for: it can be called, and given a state, and does nothing but keep both."""

    def __init__(self, name: str = "", arguments: tuple[Any, ...] = ()) -> None:
        self.name, self.arguments, self.state = name, arguments, None

    def __call__(self, *arguments: Any) -> _Standin:
        return _Standin(self.name, arguments)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _Standin(name)

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("refers to something outside the file")


def read_objects(data: bytes, shape: tuple[int, ...], where: str) -> Array:
    """The array of strings or numbers (n,) or (n, 1) in a pickle; DataError for anything else."""
    try:
        found = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # damage shows itself in many ways
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{where}: holds Python objects that cannot be read ({text})") from error
    state = getattr(found, "state", None)
    values = state[-1] if getattr(found, "name", "") == _ARRAY and isinstance(state, tuple) and state else None
    if not isinstance(values, list) or shape not in ((len(values),), (len(values), 1)):
        raise DataError(f"{where}: holds Python objects, wanted numbers or strings: save it with a plain type")
    plain = [_plain(value) for value in values]
    if all(isinstance(value, str) for value in plain):
        return np.array(plain, dtype=np.str_)
    if all(isinstance(value, bool | int | float) for value in plain):
        return np.array(plain)
    kinds = sorted({"nothing" if value is None else type(value).__name__.strip("_") for value in plain})
    place = next(row for row, value in enumerate(plain) if not isinstance(value, str))
    raise DataError(
        f"{where}: holds {' and '.join(kinds)} where a label must be (the first at {place}), wanted strings alone or "
        f"numbers alone: name or drop what has no label"
    )


def _plain(value: Any) -> Any:
    """Text from bytes, and strings and numbers from NumPy's scalars, which are a type's name and bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, _Standin) or value.name != "scalar" or len(value.arguments) != 2:
        return value
    kind, content = value.arguments
    code = kind.arguments[0] if isinstance(kind, _Standin) and kind.arguments else None
    if not isinstance(content, bytes) or not isinstance(code, str) or not re.fullmatch(r"[Uiufb]\d{1,4}", code):
        return value
    if code[0] == "U":
        return content.decode("utf-32-le", "replace").rstrip("\0")
    return np.frombuffer(content, dtype=f"<{code}")[0].item() if len(content) == np.dtype(code).itemsize else value
