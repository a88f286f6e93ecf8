"""From proposals to children that fit: screen each, steer those just over a limit back, give up in bounded time."""

from dataclasses import dataclass

import numpy as np

from tinynas.architecture import SearchSpace, shrink
from tinynas.errors import ArchitectureError, InfeasibleError
from tinynas.hardware import MEASURES, Footprint, Limits, Violation
from tinynas.searching.strategy import Proposal, Screen, Strategy

_MAX_PROPOSALS = 200  # per child wanted; screening that many takes well under a second
_MAX_DEAD_ENDS = 40  # proposals that nothing could shrink into the limits, with none that fitted: then none will
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


def infeasible(candidates: list[Candidate]) -> InfeasibleError:
    """Return the error for limits that none of `candidates` satisfies: what binds, and the nearest that would do."""
    nearest = min(candidates, key=lambda candidate: max(v.ratio for v in candidate.violations))
    binding = max(nearest.violations, key=lambda violation: violation.ratio).limit
    over = [v for candidate in candidates for v in candidate.violations if v.limit == binding]
    least = min(over, key=lambda violation: violation.used)
    options = ", ".join(str(MEASURES[violation.limit].option.option) for violation in nearest.violations)
    return InfeasibleError(
        f"No architecture fits: {len(over):,} of {len(candidates):,} tried are over {binding}, the limit that is "
        f"hardest to meet, the smallest with {least}; the nearest ({nearest.proposal.architecture}) has "
        f"{'; '.join(str(violation) for violation in nearest.violations)}: allow that much ({options}), or widen the "
        f"search space."
    )
