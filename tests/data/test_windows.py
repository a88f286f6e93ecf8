"""Windows: at multiples of the stride, in groups that share no step, and every row that is in none is counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.data.kinds import write_csv, write_wav
from tinynas.data import load
from tinynas.data.readers.windows import Recording, blocks_of, covered, cut, stretches

RNG = np.random.default_rng(0)


def recording(labels, spoilt=(), begins=(), name="file"):
    """A recording whose one channel counts its rows."""
    n = len(labels)
    bad = np.zeros(n, dtype=bool)
    bad[list(spoilt)] = True
    values = np.arange(n, dtype=np.float32)[:, None]
    return Recording(values, np.array(list(labels)), np.full(n, name), bad, np.array(begins, dtype=np.int64))


@given(
    runs=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 60)), min_size=1, max_size=6),
    window=st.integers(1, 20),
    stride=st.integers(1, 30),
    spoilt=st.sets(st.integers(0, 5), max_size=3),
    blocked=st.sampled_from(["", "a", "ab"]),
)
def test_windows_begin_at_multiples_and_all_rows_are_accounted_for(runs, window, stride, spoilt, blocked) -> None:
    labels = "".join(label * n for label, n in runs)
    bad = {row * 7 for row in spoilt if row * 7 < len(labels)}
    found = stretches([recording(labels, bad)])
    made = cut(found, window, stride, blocked)
    starts = [int(stretch.values[0, 0]) for stretch in found]
    inside, owner = set(), {}
    for x, label, group in zip(made.x[..., 0].astype(int), made.labels, made.groups, strict=True):
        begin = max(start for start in starts if start <= x[0])
        assert (x[0] - begin) % stride == 0
        assert x.tolist() == list(range(x[0], x[0] + window))
        assert {labels[row] for row in x} == {label}
        assert not bad & set(x.tolist())
        inside |= set(x.tolist())
        if label in blocked:
            assert {owner.setdefault(row, group) for row in x.tolist()} == {group}
    assert made.rows == len(labels)
    assert sum(made.lost.values()) == len(labels) - len(inside)


@given(count=st.integers(0, 300), overlap=st.integers(0, 12))
def test_blocks_are_even_and_lose_the_least(count, overlap) -> None:
    blocks = blocks_of(count, overlap)
    n = blocks.max(initial=-1) + 1
    assert n <= 10
    assert (blocks < 0).sum() == max(0, n - 1) * overlap
    sizes = np.bincount(blocks[blocks >= 0]) if count else np.empty(0)
    assert sizes.max(initial=0) - sizes.min(initial=1000) <= 1
    if count >= 3 + 2 * overlap:
        assert n >= 3


@given(starts=st.lists(st.integers(0, 30), max_size=6), window=st.integers(1, 9))
def test_covered_rows_are_those_of_a_set(starts, window) -> None:
    rows = {row for start in starts for row in range(start, start + window)}
    assert covered(np.array(starts, dtype=np.int64), 40, window) == len(rows)


def test_a_stretch_ends_where_another_recording_begins() -> None:
    made = cut(stretches([recording("a" * 30, begins=[13])]), 5, 5)
    assert made.x[:, 0, 0].tolist() == [0, 5, 13, 18, 23]


def test_gestures_one_after_the_other(tmp_path) -> None:
    """Fifteen gestures of 119 rows a file: each window is one of them, and none is lost."""
    for name in ("punch", "flex"):
        rows = [[f"{i // 119}", *(f"{v:.3f}" for v in RNG.normal(size=5))] for i in range(15 * 119)]
        write_csv(tmp_path / name / f"{name}.csv", [["number", "aY", "aZ", "gX", "gY", "gZ"], *rows])
    data = load(tmp_path, window=119, columns="number,aY,aZ")
    assert len(data.x) + len(data.x_test) == 30
    numbers = np.concatenate([data.x, data.x_test])[:, :, 0, 0]
    assert (np.ptp(numbers, axis=1) == 0).all()
    assert not any("in no window" in note for note in data.notes)
    assert data.groups is not None
    assert data.groups.shared() == ()


def test_rows_at_the_end_are_told(tmp_path) -> None:
    rows = [[f"{v:.3f}", "ab"[i // 1999]] for i, v in enumerate(RNG.normal(size=3998))]
    data = load(write_csv(tmp_path / "a.csv", [["v", "label"], *rows]), window=100)
    assert len(data.x) + len(data.x_test) == 38
    assert "198 of 3,998 rows are in no window: 198 at the ends of stretches, too few for a window." in data.notes
    assert len(set(data.groups.names)) == 20


def test_only_the_classes_with_too_few_recordings_are_cut_into_blocks(tmp_path) -> None:
    for name, files in (("many", 5), ("one", 1)):
        for number in range(files):
            write_csv(tmp_path / name / f"{number}.csv", [["v"], *[[f"{v:.3f}"] for v in RNG.normal(size=200)]])
    data = load(tmp_path, window=20)
    assert any(note.startswith("Class 'one' has a single recording") for note in data.notes)
    assert sum("block" in name for name in data.groups.names) == 10
    assert sum("many" in name for name in data.groups.names) == 5
    assert data.most_folds >= 2


def test_a_class_with_one_long_sound_is_cut_into_blocks_too(tmp_path) -> None:
    for name, hz in (("high", 900), ("low", 200)):
        for number in range(1 if name == "low" else 4):
            write_wav(tmp_path / name / f"{number}.wav", 0.5 * np.sin(np.arange(8100) * hz / 700))
    data = load(tmp_path, window="0.2s")
    assert any(note.startswith("Of 'low' there are fewer than the 3 recordings") for note in data.notes)
    assert any(note == "500 of 40,500 samples are in no window." for note in data.notes)
    assert data.most_folds >= 2
