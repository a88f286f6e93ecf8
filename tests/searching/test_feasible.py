import re
from itertools import cycle, pairwise

import numpy as np
import pytest

from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.errors import InfeasibleError
from tinynas.hardware import Limits, Target
from tinynas.screening import screen as real_screen
from tinynas.searching import Evolution, Proposal, RandomSearch
from tinynas.searching.feasible import propose, require_some

ALL = Limits()


def _propose(strategy, space, limits, n, known=None, seed=0):
    known = set() if known is None else known
    return propose(strategy, space, footprint_of, limits, known, n, np.random.default_rng(seed))


@pytest.mark.parametrize("n", [1, 3, 5, 8, 20])
def test_as_many_as_are_wanted_even_while_nothing_is_scored(space, n):
    known: set[str] = set()
    strategy = Evolution(space)
    for _ in range(3):  # the hand-made starts are known from the second time on
        found = _propose(strategy, space, ALL, n, known)
        assert sum(not candidate.violations for candidate in found) == n
        assert len({candidate.proposal.architecture.key for candidate in found}) == len(found)


def test_what_does_not_fit_is_followed_by_its_shrunken_form(space):
    limits = Limits(flash_bytes=2500)
    found = _propose(RandomSearch(space), space, limits, 10)
    fitting = [candidate for candidate in found if not candidate.violations]
    assert len(fitting) == 10
    pairs = [(a, b) for a, b in pairwise(found) if a.violations and not b.violations]
    assert pairs
    for over, shrunk in pairs:
        assert shrunk.footprint.flash_bytes <= 2500 < over.footprint.flash_bytes


def test_known_ones_are_not_proposed_again(space):
    first = space.handmade()[0]

    class Same:
        def ask(self, n, rng):
            return [Proposal(first)] * n

        def tell(self, trial):
            raise AssertionError

    assert len(_propose(Same(), space, ALL, 4)) == 1


def test_it_gives_up_soon_when_nothing_fits(space):
    found = _propose(RandomSearch(space), space, Limits(flash_bytes=1), 500)
    assert all(candidate.violations for candidate in found)
    assert len(found) < 200


def test_it_does_not_give_up_while_some_fit(space):
    """Every tenth proposal fits as it is and nothing else can be shrunk: all that are wanted are found."""
    rng = np.random.default_rng(1)
    turn = cycle(range(10))
    lucky: set[str] = set()

    class Rare:
        def ask(self, n, _):
            made = [Proposal(space.random_architecture(rng)) for _ in range(n)]
            lucky.update(p.architecture.key for p in made if next(turn) == 0)
            return made

        def tell(self, trial):
            raise AssertionError

    def screen(architecture):
        from dataclasses import replace

        footprint = footprint_of(architecture)
        return replace(footprint, params=1 if architecture.key in lucky else 10**9)

    found = propose(Rare(), space, screen, Limits(params=10), set(), 8, np.random.default_rng(0))
    assert sum(not candidate.violations for candidate in found) == 8


def test_pictures_too_large_for_a_board_are_refused_after_few_networks_with_a_size_that_fits():
    board, asked = Target.load("bluepill_f103"), []

    def screen(architecture):
        asked.append(architecture)
        return real_screen(architecture, board)

    large = SearchSpace.for_input((320, 320, 3), 4)
    with pytest.raises(InfeasibleError) as told:
        require_some(large, screen, board.limits, np.random.default_rng(0))
    assert len(asked) < 800  # a strategy that fills a pool with networks that fit screens thousands
    said = str(told.value)
    for part in (f"{board.limits.board_ram_bytes:,} B of RAM with TFLM", "and the smallest has", "--max-ram-total"):
        assert part in said
    size = int(re.search(r"--image-size (\d+)\)", said)[1])
    assert f"of which {size} x {size} x 3 would fit" in said
    require_some(SearchSpace.for_input((size, size, 3), 4), screen, board.limits, np.random.default_rng(0))


def test_no_size_is_named_where_none_would_do(space):
    with pytest.raises(InfeasibleError, match=r"900 B of model file .*: take a larger board, raise a limit"):
        require_some(space, footprint_of, Limits(flash_bytes=900), np.random.default_rng(0))
    require_some(space, footprint_of, ALL, np.random.default_rng(0))
