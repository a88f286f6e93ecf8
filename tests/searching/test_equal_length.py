import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.runs import Evaluation, Journal, State, Trial, ranking
from tinynas.searching.equal_length import SIZE_BONUS, EqualLength, SizeBonus, size_bonus_of
from tinynas.training.schedule import Lengths

SPACE = SearchSpace.for_input((8, 8, 1), 3)
NETS = SPACE.handmade()


def _trial(number, error, visits, net, parent=None, rung=0):
    scores = Scores(*[1 - error] * 4)
    evaluation = Evaluation(
        State.COMPLETE, footprint_of(NETS[net]), (), (FoldScores(scores, scores),), "proxy", visits=visits, rung=rung
    )
    return Trial(number, rung, parent, NETS[net], evaluation)


NOTHING = SizeBonus(0.0)


def _told(*trials, inherit=True, size_bonus=NOTHING):
    lengths = EqualLength("accuracy", inherit, size_bonus)
    for trial in trials:
        lengths.tell(trial)
    return lengths


def test_without_a_promotion_the_scores_stand_as_they_are():
    lengths = _told(_trial(0, 0.5, 1000, 0), _trial(1, 0.25, 8000, 1))
    assert lengths.gain == 0.0
    assert lengths.by_key() == pytest.approx({NETS[0].key: math.log(2), NETS[1].key: math.log(4)})


def test_a_doubling_is_worth_what_promotions_gained():
    """1024 to 4096 samples is two doublings, in which the error halves: 0.5 log 2 for each."""
    first = _trial(0, 0.5, 1024, 0)
    longer = _trial(1, 0.25, 3072, 0, parent=0, rung=1)
    lengths = _told(first, longer)
    assert lengths.gain == pytest.approx(math.log(2) / 2)
    assert lengths(first) == pytest.approx(lengths(longer))
    assert lengths.by_key() == pytest.approx({NETS[0].key: math.log(4) - 12 * math.log(2) / 2})


def test_more_training_that_made_it_worse_is_no_reason_to_prefer_the_longer():
    lengths = _told(_trial(0, 0.25, 1024, 0), _trial(1, 0.5, 1024, 0, parent=0, rung=1))
    assert lengths.gain == 0.0


@pytest.mark.parametrize(("inherit", "afresh_first"), [(True, True), (False, False)])
def test_a_child_with_its_parent_s_weights_has_its_parent_s_training(inherit, afresh_first):
    """The child scores above the newcomer after as many samples of its own, but the newcomer had no start."""
    parent = _trial(0, 0.5, 1024, 0)
    longer = _trial(1, 0.25, 3072, 0, parent=0, rung=1)
    child = _trial(2, 0.30, 1024, 1, parent=1)
    newcomer = _trial(3, 0.40, 1024, 2)
    lengths = _told(parent, longer, child, newcomer, inherit=inherit)
    assert sorted([child, newcomer], key=ranking("accuracy"))[0] is child
    assert (sorted([child, newcomer], key=lengths.key)[0] is newcomer) is afresh_first


def test_the_higher_rung_is_the_surer_score():
    trials = [_trial(0, 0.4, 1024, 0), _trial(1, 0.1, 1024, 1), _trial(2, 0.4, 3072, 0, parent=0, rung=1)]
    assert [t.number for t in sorted(trials, key=_told(*trials).key)] == [2, 1, 0]


def test_of_equal_scores_the_smaller_arena_comes_first():
    sizes = {net: footprint_of(NETS[net]).arena_bytes for net in range(3)}
    large, small = max(sizes, key=sizes.get), min(sizes, key=sizes.get)
    assert sizes[small] < sizes[large]
    trials = [_trial(0, 0.001, 1024, large), _trial(1, 0.001, 1024, small)]
    assert [t.number for t in sorted(trials, key=_told(*trials).key)] == [1, 0]


@pytest.mark.parametrize("measure", ["macs", "params"])
def test_of_equal_scores_the_larger_network_has_more_to_gain_and_less_after_a_long_training(measure):
    sizes = [
        math.log2(getattr(footprint_of(net), measure)) + math.log2(sum(map(math.prod, net.shapes[1:]))) for net in NETS
    ]
    small, large = sizes.index(min(sizes)), sizes.index(max(sizes))
    for visits, share in ((12_000, 1.0), (48_000, 0.5)):
        trials = [_trial(0, 0.3, visits, small), _trial(1, 0.3, visits, large)]
        lengths = _told(*trials, size_bonus=SizeBonus(0.08, measure))
        assert lengths(trials[1]) - lengths(trials[0]) == pytest.approx(share * 0.08 * (sizes[large] - sizes[small]))
        assert min(trials, key=lengths.key).number == 1
    assert lengths.by_key() == {trial.architecture.key: lengths(trial) for trial in trials}


def test_the_bonus_is_none_for_the_usual_size_however_long_the_training():
    """Else a newcomer would stand above its like that were trained longer, by nothing but its short training."""
    trials = [_trial(0, 0.3, 12_000, 0), _trial(1, 0.3, 480_000, 0)]
    lengths = _told(*trials, size_bonus=SizeBonus(0.08))
    assert lengths(trials[0]) == pytest.approx(lengths(trials[1]))


def test_where_no_samples_are_counted_the_scores_alone_count():
    """As with a function that stands in for the training."""
    trials = [_trial(number, error, 0, number) for number, error in enumerate((0.3, 0.2, 0.4))]
    lengths = _told(*trials, size_bonus=SizeBonus(0.08))
    assert [t.number for t in sorted(trials, key=lengths.key)] == [1, 0, 2]


@given(st.lists(st.integers(3, 1000), min_size=2, max_size=3, unique=True))
def test_at_one_length_the_order_is_that_of_the_scores(thousandths):
    # Not any float: a logarithm cannot tell two neighbours apart.
    trials = [_trial(number, error / 1000, 5000, number) for number, error in enumerate(thousandths)]
    lengths = _told(*trials)
    assert sorted(trials, key=lengths.key) == sorted(trials, key=ranking("accuracy"))


def _on_folds(number, error, visits, **more):
    trial = _trial(number, error, 5 * visits, 0, **more)
    return replace(trial, evaluation=replace(trial.evaluation, folds=5 * trial.evaluation.folds))


def test_one_score_of_one_fold_says_nothing_of_its_error():
    field = [_trial(number, 0.5, 1000, 0) for number in range(3)]
    assert _told(*field).stands_out(field[0], field, 4)


def test_a_proxy_of_several_folds_began_afresh_and_saw_what_it_saw_of_one():
    lengths = _told(_on_folds(0, 0.5, 1024), _on_folds(1, 0.25, 4096, parent=0, rung=1))
    assert lengths.gain == pytest.approx(math.log(2) / 2)  # two doublings, in which the error halves


def test_who_stands_out_is_better_than_the_median_by_more_than_the_standard_error():
    """0.4 of 400 samples wrong: -log(error) has a standard error of sqrt(0.6 / (0.4 x 400)) = 0.061, 2.5 points."""
    field = [_on_folds(number, error, 200) for number, error in enumerate((0.47, 0.44, 0.43, 0.42))]
    for error, samples, wanted in ((0.40, 400, True), (0.42, 400, False), (0.42, 4_000, True)):
        trial = _on_folds(9, error, 200)
        lengths = _told(*field, trial)
        assert lengths.stands_out(trial, [*field, trial], samples) is wanted


def test_on_several_folds_the_score_alone_counts():
    """Two networks of very different size, trained alike: on one fold the larger one has more to gain."""
    errors = enumerate([(0.12, 0), (0.125, -1)])
    trials = [_trial(number, error, 24_000, net) for number, (error, net) in errors]
    smaller, larger = map(_told(*trials, size_bonus=SIZE_BONUS), trials)
    assert smaller < larger
    trials = [replace(t, evaluation=replace(t.evaluation, folds=5 * t.evaluation.folds)) for t in trials]
    smaller, larger = map(_told(*trials, size_bonus=SIZE_BONUS), trials)
    assert smaller > larger
    trials = [replace(t, evaluation=replace(t.evaluation, visits=5 * t.evaluation.visits)) for t in trials]
    smaller, larger = map(_told(*trials, size_bonus=replace(SIZE_BONUS, on_folds=True)), trials)
    assert smaller < larger  # where folds are several since groups are few


def test_size_counts_on_several_folds_where_only_the_groups_are_few(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    many, groups, few = Lengths(3_193, 600, 3), Lengths(3_193, 600, 3, groups=98), Lengths(300, 600, 3, groups=98)
    assert size_bonus_of(journal, groups) == SizeBonus(0.08, "params")  # a search that began before
    journal.set_fact("size_in_macs", True)
    assert [size_bonus_of(journal, each).on_folds for each in (many, groups, few)] == [False, True, False]
    journal.close()
