"""Where a trial comes from: its ancestors, what each changed, and how its brothers and sisters did."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from tinynas.architecture import Architecture
from tinynas.runs import Trial


@dataclass(frozen=True)
class Step:
    """One trial of a line of descent: what it changed of its parent, and its parent's other children."""

    trial: Trial
    changes: tuple[str, ...]
    siblings: tuple[Trial, ...]


@dataclass(frozen=True)
class Family:
    """The line of descent of a trial: its first ancestor, then the newest steps; `left_out` steps lie between."""

    steps: tuple[Step, ...]
    left_out: int = 0


def lineage(trials: Sequence[Trial], last: Trial, most: int = 20) -> Family:
    """Return the line from the first ancestor to `last`, at most so many steps of it.

    A parent that the journal lacks ends the line.
    """
    by_number = {trial.number: trial for trial in trials}
    line = [last]
    seen = {last.number}
    while (number := line[-1].parent) is not None and number in by_number and number not in seen:
        seen.add(number)
        line.append(by_number[number])
    line.reverse()
    steps = [Step(line[0], _origin(line[0]), ())]
    newest = line[-most:]
    for parent, child in pairwise(newest if len(newest) < len(line) else line):
        siblings = tuple(t for t in trials if t.parent == parent.number and t.number != child.number)
        steps.append(Step(child, changes(parent, child), siblings))
    return Family(tuple(steps), len(line) - len(steps))


def changes(parent: Trial, child: Trial) -> tuple[str, ...]:
    """Return what `child` has in place of what its parent had, a line a change."""
    if parent.architecture.key == child.architecture.key:
        more = len(child.evaluation.folds) > len(parent.evaluation.folds)
        return ("the same network, trained on more folds" if more else "the same network, trained further",)
    return differences(parent.architecture, child.architecture)


def differences(before: Architecture, after: Architecture) -> tuple[str, ...]:
    """Return the blocks, head and dropout in which two architectures differ, a line each."""
    old, new = [str(block) for block in before.blocks], [str(block) for block in after.blocks]
    found: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        both = min(j - i, m - k)
        found += [f"block {k + n + 1}: {old[i + n]} → {new[k + n]}" for n in range(both)]
        found += [f"block {i + n + 1} removed: {old[i + n]}" for n in range(both, j - i)]
        found += [f"block {k + n + 1} added: {new[k + n]}" for n in range(both, m - k)]
    if before.head != after.head:
        found.append(f"head: {before.head} → {after.head}")
    if before.dropout != after.dropout:
        found.append(f"dropout: {_rates(before)} → {_rates(after)}")
    return tuple(found)


def _origin(first: Trial) -> tuple[str, ...]:
    return ("the start: it has no parent",) if first.parent is None else (f"its parent #{first.parent} is not there",)


def _rates(architecture: Architecture) -> str:
    return " to ".join(f"{rate:g}" for rate in architecture.dropout)
