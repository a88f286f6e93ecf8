import bench_small
import numpy as np
import pytest


def _written(folder, lines):
    path = folder / "Waves_TRAIN.ts"
    path.write_text("\n".join(["# a remark", "@problemName Waves", "@classLabel true a b", "@data", *lines, ""]))
    return path


def test_a_sample_is_a_line_of_channels_and_a_label(tmp_path):
    x, y = bench_small.read_ts(_written(tmp_path, ["1,2,3:4,5,6:a", "7,8,9:10,11,12.5:b"]))
    assert x.shape == (2, 3, 2)
    np.testing.assert_array_equal(x[0], [[1, 4], [2, 5], [3, 6]])
    assert x[1, 2, 1] == 12.5
    assert list(y) == ["a", "b"]


@pytest.mark.parametrize("lines", [[], ["1,2,3:a", "1,2:b"]])
def test_series_of_several_lengths_are_told(tmp_path, lines):
    with pytest.raises(ValueError, match=r"Waves_TRAIN.ts has series of several lengths, or none"):
        bench_small.read_ts(_written(tmp_path, lines))
