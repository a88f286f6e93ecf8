"""Whether a column is a clock or a counter: it only rises, within each recording if not over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]

_LEAST = 8  # rises; so many in a row are no accident
_REGULAR = 0.9  # of the steps are the same: it counts, though it may begin again


def rises(columns: Sequence[Doubles], labels: Sequence[Labels | None], by_name: bool) -> bool:
    """Whether a column, the values (n,) of it in each file, is a clock or a counter.

    It is when it never falls; when it never falls while the label stays the same; or when nearly all its steps are the
    same. With `by_name` a column that is called so need only rise mostly.
    """
    steps = [np.nan_to_num(np.diff(values)) for values in columns]
    every = np.concatenate(steps) if steps else np.empty(0)
    up, down = int((every > 0).sum()), int((every < 0).sum())
    if up < _LEAST:
        return False
    if down == 0 or (by_name and up >= _REGULAR * len(every)):
        return True
    usual = np.median(every)
    if usual != 0 and (np.abs(every - usual) <= 1e-6 * abs(usual)).mean() >= _REGULAR:
        return True
    same = [
        own[texts[1:] == texts[:-1]] if texts is not None else own for own, texts in zip(steps, labels, strict=True)
    ]
    within = np.concatenate(same)
    up, down = int((within > 0).sum()), int((within < 0).sum())
    return down == 0 and up >= _LEAST and 2 * up >= len(within) >= len(every) // 2
