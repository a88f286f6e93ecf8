"""From proposals to children that fit: screen each, steer those just over a limit back, give up in bounded time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from tinynas.architecture import SearchSpace, shrink
from tinynas.architecture.walk import Shape
from tinynas.errors import ArchitectureError, InfeasibleError
from tinynas.hardware import MEASURES, Footprint, Limits, Violation
from tinynas.searching.strategy import Proposal, Screen, Strategy
from tinynas.words import one_of

_MAX_PROPOSALS = 200  # per child wanted; screening that many takes well under a second
_MAX_DEAD_ENDS = 40  # proposals that nothing could shrink into the limits, with none that fitted: then none will
_SMALLER, _MOST_SIZES, _LEAST_SIDE = 0.8, 6, 8  # of an input that would fit: from one try to the next, tries, the least
_MAX_SHRINKS = 40  # steps from an infeasible child to one that fits; a step removes some filters or a block


@dataclass(frozen=True)
class Candidate:
    """A screened proposal; it fits when it has no violations."""

    proposal: Proposal
    footprint: Footprint
    violations: tuple[Violation, ...]


def propose(
    strategy: Strategy,
    space: SearchSpace,
    screen: Screen,
    limits: Limits,
    known: set[str],
    n: int,
    rng: np.random.Generator,
) -> list[Candidate]:
    """Return candidates in the order they were tried, n of them feasible if the space holds so many new ones.

    Gives up when the proposals run out, or soon when none fits and none can be shrunk until it fits. `known` holds the
    keys of architectures that have been tried; new keys are added. An infeasible proposal is returned as such, and
    followed by its shrunken form: the first that fits, or the smallest there is.
    """
    candidates: list[Candidate] = []
    feasible = tried = stale = dead_ends = 0
    while feasible < n and tried < n * _MAX_PROPOSALS and (feasible or dead_ends < _MAX_DEAD_ENDS):
        try:
            proposals = strategy.ask(n - feasible + stale, rng)
        except ArchitectureError:  # no mutation leads anywhere new: the space is exhausted
            break
        stale = sum(proposal.architecture.key in known for proposal in proposals)
        tried += len(proposals)
        for proposal in proposals:
            found = screened(proposal, space, screen, limits, known, rng)
            candidates.extend(found)
            feasible += sum(not candidate.violations for candidate in found)
            dead_ends += bool(found and found[-1].violations)
            if feasible >= n or (not feasible and dead_ends >= _MAX_DEAD_ENDS):
                break
    return candidates


def screened(
    proposal: Proposal,
    space: SearchSpace,
    screen: Screen,
    limits: Limits,
    known: set[str],
    rng: np.random.Generator,
) -> list[Candidate]:
    """Return the proposal screened, and its shrunken form behind it; nothing when it is known already."""
    architecture = proposal.architecture
    if architecture.key in known:
        return []
    found = [_screen(proposal, screen, limits)]
    known.add(architecture.key)
    candidate = found[0]
    for _ in range(_MAX_SHRINKS):
        if not candidate.violations:
            break
        worst = max(candidate.violations, key=lambda violation: violation.ratio)
        smaller = shrink(candidate.proposal.architecture, space, rng, MEASURES[worst.limit].resource)
        if smaller.key == candidate.proposal.architecture.key:
            break  # nothing smaller exists: this is how near the space comes to the limits
        candidate = _screen(Proposal(smaller, proposal.parent), screen, limits)
    if candidate.proposal.architecture.key not in known:
        known.add(candidate.proposal.architecture.key)
        found.append(candidate)
    return found


def _screen(proposal: Proposal, screen: Screen, limits: Limits) -> Candidate:
    footprint = screen(proposal.architecture)
    return Candidate(proposal, footprint, limits.violations(footprint))


def require_some(space: SearchSpace, screen: Screen, limits: Limits, rng: np.random.Generator) -> None:
    """InfeasibleError when no hand-made start and none of some random networks fits or can be shrunk until it fits.

    This takes about a second; a strategy that looks for promising networks among those that fit would look for a
    minute.
    """
    drawn = (space.random_architecture(rng) for _ in range(_MAX_DEAD_ENDS))
    candidates: list[Candidate] = []
    known: set[str] = set()
    for architecture in chain(space.handmade(), drawn):
        found = screened(Proposal(architecture), space, screen, limits, known, rng)
        if found and not found[-1].violations:
            return
        candidates.extend(found)
    raise infeasible(candidates, space, screen, limits)


def infeasible(candidates: Sequence[Candidate], space: SearchSpace, screen: Screen, limits: Limits) -> InfeasibleError:
    """Return the error for limits that none of `candidates` satisfies: what binds, the nearest, and what to try."""
    nearest = min(candidates, key=lambda candidate: max(v.ratio for v in candidate.violations))
    binding = max(nearest.violations, key=lambda violation: violation.ratio)
    over = [v for candidate in candidates for v in candidate.violations if v.limit == binding.limit]
    least, measure = min(over, key=lambda violation: violation.used), MEASURES[binding.limit]
    options = one_of([str(MEASURES[violation.limit].option.option) for violation in nearest.violations], "and")
    smaller = None if measure.resource == "flash" else _smaller_input(space, screen, limits, binding.ratio)
    samples = ""
    if smaller is not None:
        text = " x ".join(map(str, smaller))
        size = f"{smaller[0]}" if smaller[0] == smaller[1] else f"{smaller[0]}x{smaller[1]}"
        pictures = f" (pictures: --image-size {size})" if min(smaller[:2]) > 1 else ""
        samples = f"give smaller samples, of which {text} would fit{pictures}, "
    return InfeasibleError(
        f"No architecture fits: {len(over):,} of {len(candidates):,} that were tried are over the limit that is "
        f"hardest to meet, {measure.text(binding.allowed)} of {measure.label} ({binding.limit}), and the smallest has "
        f"{measure.text(least.used)}; the nearest, {nearest.proposal.architecture}, has "
        f"{'; '.join(str(violation) for violation in nearest.violations)}: {samples}take a larger board, raise a limit "
        f"that is your own ({options}), or widen the search space."
    )


def _smaller_input(space: SearchSpace, screen: Screen, limits: Limits, ratio: float) -> Shape | None:
    """Return an input of the same proportions for which a hand-made start fits or can be shrunk until it does, or None.

    `ratio` says how many times too much the nearest network needs for the input of `space`.
    """
    height, width, channels = space.input_shape
    scale = min(_SMALLER, 1 / ratio if min(height, width) == 1 else ratio**-0.5)
    for _ in range(_MOST_SIZES):
        sides = [side if side == 1 else _rounded(side * scale) for side in (height, width)]
        if any(side < min(whole, _LEAST_SIDE) for side, whole in zip(sides, (height, width), strict=True)):
            return None
        shape = (sides[0], sides[1], channels)
        try:
            smaller = replace(space, input_shape=shape)
            starts = smaller.handmade()
        except ArchitectureError:
            return None
        for architecture in starts:
            found = screened(Proposal(architecture), smaller, screen, limits, set(), np.random.default_rng(0))
            if found and not found[-1].violations:
                return shape
        scale *= _SMALLER
    return None


def _rounded(side: float) -> int:
    """Return a size that people give: a multiple of 8 where it is not small."""
    return int(side) if side < 16 else int(side) // 8 * 8
