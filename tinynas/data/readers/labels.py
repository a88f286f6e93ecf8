"""Labels of CSV files: text as it stands, or whole numbers however they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.readers.columns import is_whole

_FEW = 20  # classes that may be, however few samples there are


def plain_labels(labels: Sequence[str]) -> npt.NDArray[Any]:
    """Labels as integers when every one is a whole number (1, 1.0, 1e1), so that 10 comes after 9; else as they are."""
    values = {label: is_whole(label) for label in set(labels)}
    if all(values.values()):
        return np.array([int(float(label)) for label in labels], dtype=np.int64)
    return np.array(labels, dtype=np.str_)


def why_no_classes(labels: Sequence[str], path: Path) -> str | None:
    """The sentence on labels of which nearly every row has another; None where they may be classes."""
    if len(set(labels)) <= max(_FEW, len(labels) // 2):
        return None
    return (
        f"{path}: the label takes {len(set(labels)):,} values in {len(labels):,} rows, such as {labels[0][:40]!r}, "
        f"which are no classes: name the column of the classes with label (--label)"
    )
