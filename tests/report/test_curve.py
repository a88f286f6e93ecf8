"""The learning curve of the final training."""

import pytest

from tinynas.report.curve import HEIGHT, WIDTH, curve_of


def test_the_line_goes_from_the_first_to_the_last_epoch():
    curve = curve_of([2.0, 1.0, 0.5, 0.0])
    points = [tuple(map(float, point.split(","))) for point in curve.points.split()]
    wanted = [(0, 0), (WIDTH / 3, HEIGHT / 2), (2 * WIDTH / 3, 0.75 * HEIGHT), (WIDTH, HEIGHT)]
    assert len(points) == len(wanted)
    for got, point in zip(points, wanted, strict=True):
        assert got == pytest.approx(point, abs=0.06)
    assert (curve.first, curve.last, curve.least, curve.most, curve.epochs) == (2.0, 0.0, 0.0, 2.0, 4)


def test_a_flat_loss_is_a_line():
    assert curve_of([0.5, 0.5]).points == f"0.0,0.0 {WIDTH}.0,0.0"


@pytest.mark.parametrize("losses", [None, [], [0.5], "text", [0.5, None], [0.5, float("nan")], {"a": 1}])
def test_what_is_no_curve_is_left_out(losses):
    assert curve_of(losses) is None
