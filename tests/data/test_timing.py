"""A column of time: rate, gaps, restarts, another rate; and rows at a rate that was asked for, against plain NumPy."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.kinds import write_csv
from tinynas.data import load
from tinynas.data.readers.timing import Timing, resampled, timings
from tinynas.errors import DataError, UsageError
from tinynas.options.reading import ReadOptions, Seconds

RNG = np.random.default_rng(0)


def write(path, times, name="time_ms", label=lambda i: "ab"[i // 100 % 2]):
    rows = [[time, *(f"{v:.4f}" for v in RNG.normal(size=2)), label(i)] for i, time in enumerate(times)]
    return write_csv(path, [[name, "ax", "ay", "label"], *rows])


CLOCKS = {
    "milliseconds by name": ("time_ms", 20.0, 0, 50, False),
    "milliseconds by steps": ("timestamp", 20.0, 0, 50, True),
    "seconds by steps": ("timestamp", 0.02, 3, 50, True),
    "microseconds by steps": ("timestamp", 10_000, 0, 100, True),
    "nanoseconds by steps": ("timestamp", 10_000_000, 0, 100, True),
    "milliseconds since 1970": ("timestamp", 10, 1_700_000_000_000, 100, False),
    "seconds since 1970": ("timestamp", 1, 1_700_000_000, 1, False),
    "nanoseconds since 1970": ("timestamp", 5_000_000, 1_700_000_000_000_000_000, 200, False),
    "nanoseconds since it was switched on": ("clock", 50_000_000, 49_105_962_326_000, 20, True),
    "minutes by name": ("time (min)", 2, 0, 1 / 120, False),
}


@pytest.mark.parametrize(("name", "step", "start", "rate", "is_guess"), CLOCKS.values(), ids=CLOCKS.keys())
def test_rate_and_unit(name, step, start, rate, is_guess) -> None:
    (found,), notes = timings([start + step * np.arange(400.0)], name)
    assert found.rate == pytest.approx(rate, rel=0.01)
    assert bool(notes) == is_guess
    assert len(found.breaks) == len(found.gaps) == 0


def test_a_count_of_rows_says_no_rate() -> None:
    assert timings([np.arange(400.0)], "timestamp") == ([None], "")


TEXTS = {
    "ISO": lambda s: (datetime.datetime(2024, 5, 1) + datetime.timedelta(seconds=s)).isoformat(),
    "with a blank": lambda s: str(datetime.datetime(2024, 5, 1) + datetime.timedelta(seconds=s)),
    "with Z": lambda s: (datetime.datetime(2024, 5, 1) + datetime.timedelta(seconds=s)).isoformat() + "Z",
    "time of day": lambda s: (datetime.datetime(2024, 5, 1) + datetime.timedelta(seconds=s)).strftime("%H:%M:%S.%f"),
    "day first": lambda s: (datetime.datetime(2024, 5, 1) + datetime.timedelta(seconds=s)).strftime(
        "%d/%m/%Y %H:%M:%S.%f"
    ),
}


@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS.keys())
def test_times_as_text(make) -> None:
    (found,), notes = timings([tuple(make(i / 50) for i in range(200))], "time")
    assert found.rate == pytest.approx(50)
    assert notes == ""
    assert timings([("soon", "later") * 20], "time") == ([None], "")


@settings(max_examples=40)
@given(
    rate=st.floats(1, 1000),
    jitter=st.floats(0, 0.3),
    gaps=st.lists(st.tuples(st.integers(1, 38), st.integers(2, 60)), max_size=3, unique_by=lambda gap: gap[0]),
    seed=st.integers(0, 99),
)
def test_gaps_are_found_wherever_they_are(rate, jitter, gaps, seed) -> None:
    rng = np.random.default_rng(seed)
    places = {10 * place: length for place, length in gaps}
    steps = np.array([1.0 + jitter * rng.uniform(-1, 1) + places.get(i, 0) for i in range(400)]) / rate
    (found,), _ = timings([np.cumsum(steps)], "time_s")
    assert found.rate == pytest.approx(rate, rel=0.1)
    assert {row for row, _ in found.gaps} == set(places)
    assert set(found.breaks.tolist()) == {row for row, length in places.items() if steps[row] * found.rate >= 10}


def test_what_is_told(tmp_path) -> None:
    times = np.concatenate([20 * np.arange(200), 5000 + 20 * np.arange(200) + 4000])
    write(tmp_path / "0.csv", times)
    write(tmp_path / "1.csv", np.concatenate([20 * np.arange(200), 20 * np.arange(200)]))
    write(tmp_path / "2.csv", 20 * np.arange(400))
    write(tmp_path / "3.csv", 10 * np.arange(400))
    notes = load(tmp_path, window=50).notes
    assert "Rows come at 50 Hz, as column 'time_ms' says; it is no channel unless --columns names it." in notes
    assert "1 of 4 files come at another rate (3.csv 100 Hz): --rate 50 brings all to one." in notes
    gap = "The rows have 1 gaps in time, the longest of 5.02 s (0.csv, line 202); no window goes over the 1 of ten"
    assert any(note.startswith(gap) for note in notes)
    assert "The time goes back 1 times, where another recording is taken to begin." in notes


def test_a_column_of_time_has_one_note(tmp_path) -> None:
    """Why it is no channel, its unit and the rate were three."""
    for file in range(4):
        write(tmp_path / f"{file}.csv", 0.02 * np.arange(400), name="t")
    about = [note for note in load(tmp_path, window=50).notes if "'t'" in note]
    assert about == [
        "Rows come at 50 Hz, as column 't' says; it is taken to be in seconds, as its steps of 0.02 suggest (a unit in "
        "its name, as in time_s or time_us, overrides this); it is no channel unless --columns names it."
    ]
    rows = [note for note in load(tmp_path).notes if "'t'" in note]  # without windows nobody asks for a rate
    assert rows == [
        "Column 't' is left out, since it only rises, as a time stamp or a counter does: --columns brings it back."
    ]


def test_no_window_goes_over_a_break(tmp_path) -> None:
    """Two recordings in one file under one label: a channel that counts on tells where a window is from."""
    times = [20 * i for i in range(130)] * 2
    rows = [[time, i, i * i % 17, "ab"[file % 2]] for file in range(6) for i, time in enumerate(times)]
    for file in range(6):
        write_csv(tmp_path / f"{file}.csv", [["time_ms", "v", "w", "label"], *rows[260 * file : 260 * file + 260]])
    data = load(tmp_path, window=50, columns="v,w", range="full")
    low, scale = data.normalization.offset[0], data.normalization.scale[0]
    starts = np.round(data.x[:, 0, 0, 0] / scale + low).astype(int)
    assert set(starts.tolist()) == {0, 50, 130, 180}


def test_windows_in_seconds(tmp_path) -> None:
    for file in range(4):
        write(tmp_path / f"{file}.csv", 20 * np.arange(400))
    assert load(tmp_path, window="1s", stride="500ms").digest == load(tmp_path, window=50, stride=25).digest
    assert load(tmp_path, window="1.5s").input_shape == (75, 1, 2)
    for file in range(4):
        write(tmp_path / f"{file}.csv", ["x"] * 400, name="note")
    with pytest.raises(
        DataError, match=r"window is 1 seconds, but no column tells how many rows that is: .*\(--rate\)"
    ):
        load(tmp_path, window="1s")
    data = load(tmp_path, window="1s", rate="50Hz")
    assert data.input_shape == (50, 1, 2)
    assert "No column tells the time: the rows are taken to come at 50 Hz." in data.notes


@settings(max_examples=30)
@given(own=st.floats(5, 400), wanted=st.floats(5, 400), jitter=st.floats(0, 0.4), seed=st.integers(0, 9))
def test_a_slow_wave_is_the_same_at_every_rate(own, wanted, jitter, seed) -> None:
    """A sine of a twentieth of the slower rate: what comes out lies on it."""
    rng = np.random.default_rng(seed)
    n = int(4 * own) + 40
    seconds = (np.arange(n) + jitter * rng.uniform(-0.5, 0.5, n)) / own
    hz = min(own, wanted) / 20
    values = np.sin(2 * np.pi * hz * seconds)[:, None].astype(np.float32)
    timing = Timing(seconds, 1 / own, np.empty(0, dtype=np.int64), ())
    made, rows, begins = resampled(values, timing, wanted)
    assert len(made) == len(rows)
    assert len(begins) == 0
    if abs(own / wanted - 1) > 0.01:
        at = seconds[0] + np.arange(len(made)) / wanted
        inner = slice(len(made) // 8, -len(made) // 8 or None)
        np.testing.assert_allclose(made[inner, 0], np.sin(2 * np.pi * hz * at)[inner], atol=0.12)
        assert len(made) == int((seconds[-1] - seconds[0]) * wanted + 1e-6) + 1
        nearest = np.abs(seconds[rows] - at)
        assert (nearest <= 0.75 / own + 1e-9).all()


def test_what_is_too_fast_for_the_rate_is_filtered_out() -> None:
    seconds = np.arange(2000) / 200
    values = np.sin(2 * np.pi * 60 * seconds)[:, None].astype(np.float32)
    made, _, _ = resampled(values, Timing(seconds, 1 / 200, np.empty(0, dtype=np.int64), ()), 50)
    assert np.abs(made[20:-20]).max() < 0.05


def test_rate_resamples_files(tmp_path) -> None:
    for file in range(6):
        write(
            tmp_path / f"{file}.csv",
            (20 if file < 4 else 10) * np.arange(400 if file < 4 else 800),
            label=lambda i: "ab"[0],
        )
        write(tmp_path / f"b{file}.csv", 20 * np.arange(400), label=lambda i: "b")
    data = load(tmp_path, window="2s", rate=50)
    assert data.input_shape == (100, 1, 2)
    assert len(data.x) + len(data.x_test) == 12 * 4
    assert any("; they were brought to 50 Hz; it is no channel" in note for note in data.notes)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("window", "2s", Seconds(2.0)),
        ("window", "500ms", Seconds(0.5)),
        ("window", ".5s", Seconds(0.5)),
        ("window", "100", 100),
        ("window", Seconds(3), Seconds(3)),
        ("rate", "50", 50.0),
        ("rate", "12.5 Hz", 12.5),
        ("rate", 100, 100.0),
        ("sample_rate", "16k", 16000),
        ("sample_rate", "44.1kHz", 44100),
        ("sample_rate", 8000, 8000),
    ],
)
def test_lengths_and_rates_as_people_write_them(name, value, wanted) -> None:
    assert getattr(ReadOptions.create({name: value}), name) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", "2h"), ("window", "0s"), ("window", "-1s"), ("window", "9999999s"), ("rate", 0), ("rate", "fast"),
     ("rate", True), ("sample_rate", "16.0001k"), ("rate", float("nan"))],
)  # fmt: skip
def test_lengths_and_rates_that_make_no_sense(name, value) -> None:
    with pytest.raises(UsageError, match=f"^{name} is "):
        ReadOptions.create({name: value})
