import pytest

from tinynas.training.augment import Augmentation
from tinynas.training.regularization import STRENGTHS, regularization


@pytest.mark.parametrize("layout", ["image", "series"])
def test_a_strength_is_more_than_the_one_before(layout):
    slight, usual, strong = (regularization(name, layout, detail=1.0) for name in ("slight", "usual", "strong"))
    assert slight.augmentation == Augmentation()
    for less, more in ((slight, usual), (usual, strong)):
        for name in ("shift", "scale", "noise", "warp"):
            assert getattr(less.augmentation, name) <= getattr(more.augmentation, name)
        assert less.augmentation != more.augmentation
        assert less.weight_decay <= more.weight_decay
    assert (slight.dropout, usual.dropout) == ((0.0, 0.0), None)
    assert strong.dropout[1] > 0


def test_a_series_is_never_shifted_by_a_share_that_shows_zeros():
    assert all(regularization(name, "series").augmentation.shift == 0 for name in STRENGTHS)


@pytest.mark.parametrize("strength", ["", *STRENGTHS])
def test_what_was_chosen_by_name_is_kept(strength):
    chosen = regularization(strength, "image", "shift,flip", detail=0.001).augmentation
    assert chosen == Augmentation(shift=0.07, flip=True)
    assert regularization(strength, "series", "noise", detail=0.001).augmentation == Augmentation(noise=0.02)
    assert regularization(strength, "image", "none").augmentation == Augmentation()


def test_an_old_search_has_the_noise_that_it_had():
    assert regularization("", "series", detail=0.001).augmentation == Augmentation(noise=0.02, scale=0.1)
    assert regularization("usual", "series", detail=0.001).augmentation.noise == pytest.approx(0.0001)
