"""What the surrogate knows: features, one scale for all rungs, its committee, its prior and its limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import kendalltau

from tests.architecture.strategies import architectures
from tests.searching.conftest import footprint_of, score_of
from tests.searching.contracts import LIMITS
from tests.searching.test_strategies import _evaluated
from tinynas.architecture import Block, Head, SearchSpace
from tinynas.runs import Trial
from tinynas.searching import Surrogate, feature_names, features
from tinynas.searching.committee import Committee

SPACE = SearchSpace.for_input((16, 16, 1), 4)


def _of(architecture):
    kinds = SPACE.kinds
    return dict(zip(feature_names(kinds), features(architecture, footprint_of(architecture), kinds), strict=True))


@given(architectures())
def test_features_are_finite_and_as_many_as_their_names(drawn):
    architecture, space = drawn
    values = features(architecture, footprint_of(architecture), space.kinds)
    assert values.shape == (len(feature_names(space.kinds)),)
    assert np.isfinite(values).all()


def test_features_by_hand():
    blocks = (Block("conv", 16, 3, stride=2, pool="max"), Block("separable", 32, 5, batch_norm=False))
    architecture = SPACE.assemble(blocks, Head("flatten", 32))
    found = _of(architecture)
    expected = {
        "log_params": math.log2(16 * 3 + 32 * 5),
        "depth": 2,
        "conv": 1,
        "separable": 1,
        "depthwise": 0,
        "first_channels": 4,
        "most_channels": 5,
        "mean_channels": 4.5,
        "mean_kernel": 4,
        "receptive_field": math.log2(1 + 2 + 1 * 2 + 4 * 4),
        "strides": 1,
        "max_pools": 1,
        "batch_norm": 0.5,
        "area_after_first": math.log2(16),
        "last_area": math.log2(16),
        "flatten": 1,
        "into_head": math.log2(16 * 32),
        "hidden_units": 5,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_kinds_and_expansions_are_counted_where_the_space_has_them():
    blocks = (Block("inverted", 16, 3, expansion=4), Block("conv", 16, 3), Block("inverted", 16, 3, expansion=2))
    found = _of(SPACE.assemble(blocks, Head()))
    assert (found["inverted"], found["conv"], found["separable"]) == (2, 1, 0)
    assert found["mean_expansion"] == pytest.approx((2 + 0 + 1) / 3)
    older = feature_names(("conv",))
    assert not {"inverted", "mean_expansion"} & set(older)
    assert older == feature_names(("conv", "depthwise", "separable"))


def test_the_committee_learns_a_function_and_is_less_sure_away_from_what_it_saw():
    rng = np.random.default_rng(0)
    x, far = rng.random((60, 5)), rng.random((40, 5)) + 1.5
    new = rng.random((40, 5))
    mean, deviation = Committee(x, x @ [3.0, -2.0, 1.0, 0.0, 0.0] + 7).predict(new)
    truth = new @ [3.0, -2.0, 1.0, 0.0, 0.0] + 7
    assert kendalltau(mean, truth)[0] > 0.8
    assert np.abs(mean - truth).mean() < 0.5
    assert Committee(x, x @ [3.0, -2.0, 1.0, 0.0, 0.0]).predict(far)[1].mean() > deviation.mean()


def test_the_committee_takes_values_that_are_all_the_same():
    mean, deviation = Committee(np.ones((12, 3)), np.full(12, 0.5)).predict(np.ones((2, 3)))
    assert mean == pytest.approx([0.5, 0.5])
    assert np.isfinite(deviation).all()


def _told(space, n):
    strategy = Surrogate(space, footprint_of, LIMITS)
    rng = np.random.default_rng(0)
    architectures = {a.key: a for a in (space.random_architecture(rng) for _ in range(n))}
    for number, architecture in enumerate(architectures.values()):
        strategy.tell(Trial(number, 0, None, architecture, _evaluated(architecture)))
    return strategy, set(architectures)


@pytest.mark.parametrize("n", [3, 40])
def test_it_proposes_only_what_fits_and_is_new(space, n):
    strategy, known = _told(space, n)
    proposals = strategy.ask(30, np.random.default_rng(1))
    keys = [proposal.architecture.key for proposal in proposals]
    assert len(set(keys)) == 30
    assert not known & set(keys)
    assert not any(LIMITS.violations(footprint_of(proposal.architecture)) for proposal in proposals)


def test_where_nothing_fits_it_still_answers(space):
    from tinynas.hardware import Limits

    strategy = Surrogate(space, footprint_of, Limits(flash_bytes=1), start="random")
    assert len(strategy.ask(5, np.random.default_rng(0))) == 5


def test_what_it_proposes_is_better_than_what_it_saw(space):
    strategy, _ = _told(space, 40)
    rng = np.random.default_rng(2)
    proposed = [score_of(proposal.architecture) for proposal in strategy.ask(20, rng)]
    drawn = [space.random_architecture(rng) for _ in range(200)]
    fitting = [score_of(a) for a in drawn if not LIMITS.violations(footprint_of(a))]
    assert np.mean(proposed) > np.quantile(fitting, 0.8)


def test_before_anything_is_known_it_prefers_parameters(space):
    strategy = Surrogate(space, footprint_of, LIMITS, start="random")
    rng = np.random.default_rng(3)
    proposed = [footprint_of(proposal.architecture).params for proposal in strategy.ask(20, rng)]
    fitting = [footprint_of(a) for a in (space.random_architecture(rng) for _ in range(300))]
    drawn = [footprint.params for footprint in fitting if not LIMITS.violations(footprint)]
    assert np.mean(np.log(proposed)) > np.mean(np.log(drawn))
