"""The confusion matrix of the final model, as cells with their shares, and what it mixes up most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MOST_NUMBERS = 20  # classes up to which the cells have room for their counts
_MOST_DRAWN = 64  # classes up to which the matrix is drawn: more cells say nothing, and weigh megabytes
_MOST_MIXES = 8


@dataclass(frozen=True)
class Row:
    """A true class: the counts of what it was taken for, their shares of its samples, its recall (None: no samples)."""

    name: str
    counts: tuple[int, ...]
    shares: tuple[float, ...]
    recall: float | None


@dataclass(frozen=True)
class Confusion:
    """The matrix of a test set; `precisions` go with the columns, `mixes` are (true, predicted, count, of).

    `numbers` is whether the cells have room for their counts, `drawn` whether there is room for the cells.
    """

    rows: tuple[Row, ...]
    precisions: tuple[float | None, ...]
    mixes: tuple[tuple[str, str, int, int], ...]
    samples: int
    numbers: bool
    drawn: bool


def mistakes_of(mistakes: Any, names: Sequence[str]) -> tuple[tuple[int, str, str], ...]:
    """Return (row of the test part, true class, answer) by name; () for a summary without them, or with others."""
    n, found = len(names), []
    for each in mistakes if isinstance(mistakes, list) else ():
        if not (isinstance(each, list) and len(each) == 3 and all(type(one) is int and one >= 0 for one in each)):
            return ()
        row, real, taken = each
        if real >= n or taken >= n:
            return ()
        found.append((row, names[real], names[taken]))
    return tuple(found)


def confusion_of(counts: Sequence[Sequence[int]] | None, names: Sequence[str]) -> Confusion | None:
    """Return the matrix of `counts` (a row a true class); None when there are none or they are not the classes'."""
    n = len(names)
    if counts is None or len(counts) != n or any(len(row) != n for row in counts):
        return None
    rows = []
    for place, (name, row) in enumerate(zip(names, counts, strict=True)):
        total = sum(row)
        shares = tuple(count / total if total else 0.0 for count in row)
        rows.append(Row(name, tuple(row), shares, row[place] / total if total else None))
    columns = [sum(row[column] for row in counts) for column in range(n)]
    precisions = tuple(counts[k][k] / columns[k] if columns[k] else None for k in range(n))
    mixes = [
        (names[i], names[j], counts[i][j], sum(counts[i]))
        for i in range(n)
        for j in range(n)
        if i != j and counts[i][j]
    ]
    mixes.sort(key=lambda mix: -mix[2])
    return Confusion(
        tuple(rows), precisions, tuple(mixes[:_MOST_MIXES]), sum(columns), n <= _MOST_NUMBERS, n <= _MOST_DRAWN
    )
