"""CSV as programs write it: whatever the dialect, the table is the same; what was passed over or assumed is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import load
from tinynas.data.readers.dialect import Dialect, find_dialect, is_absent
from tinynas.errors import DataError

RNG = np.random.default_rng(0)
ROWS = [(f"{a:.2f}", f"{b:.2f}", "uv"[i % 2]) for i, (a, b) in enumerate(RNG.normal(size=(60, 2)))]
HEADER = ("ax", "ay", "label")


def plain(folder):
    path = folder / "plain.csv"
    path.write_text("\n".join(",".join(row) for row in (HEADER, *ROWS)) + "\n")
    return load(path)


@settings(max_examples=80)
@given(
    delimiter=st.sampled_from([",", ";", "\t", "|", " ", "   ", " , "]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    head=st.sampled_from(
        ["", "# rate 50 Hz\n", "% made by us\n%\n\n", "sep={}\n", "Device 7\nRecorded on Monday\n", "// a\n"]
    ),
    header=st.booleans(),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    trailing=st.booleans(),
)
def test_every_dialect_is_the_same_table(
    tmp_path_factory, delimiter, decimal, encoding, head, header, ends, trailing
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    mark = delimiter.strip() or delimiter[0]
    if decimal == "," and mark == ",":
        decimal = "."
    if mark == " ":
        trailing = False
        head = "" if head.startswith("Device") else head
    rows = [(a.replace(".", decimal), b.replace(".", decimal), label) for a, b, label in ROWS]
    names = ("ax(°)", "ay", "label") if encoding == "cp1252" else HEADER
    lines = [delimiter.join(row) + (mark if trailing else "") for row in ((names, *rows) if header else rows)]
    content = (head.format(mark) + "\n".join(lines) + "\n").replace("\n", ends)
    (folder / "a.csv").write_bytes(content.encode(encoding))
    data, wanted = load(folder / "a.csv"), plain(folder)
    assert data.digest == wanted.digest
    assert any("decimal commas" in note for note in data.notes) == (decimal == ",")
    assert any("Windows-1252" in note for note in data.notes) == (encoding == "cp1252" and header)
    assert any("skipped" in note for note in data.notes) == (head[:1] in ("#", "%", "D", "/"))


def test_a_comment_may_name_the_columns(tmp_path) -> None:
    """As np.savetxt(header=...) has it."""
    x = RNG.random((60, 3))
    np.savetxt(tmp_path / "a.csv", np.c_[x, np.arange(60) % 3], delimiter=",", header="a,b,c,label")
    data = load(tmp_path / "a.csv")
    assert data.class_names == ("0", "1", "2")
    assert not any("skipped" in note for note in data.notes)
    np.savetxt(tmp_path / "a.csv", np.c_[np.arange(60) % 3, x], fmt="%8.4f", header="label a b c")
    assert load(tmp_path / "a.csv").class_names == ("0", "1", "2")


def test_remarks_within_a_table_are_passed_over(tmp_path) -> None:
    lines = [",".join(row) for row in (HEADER, *ROWS)]
    (tmp_path / "a.csv").write_text("\n".join([*lines[:20], "# the battery was changed", *lines[20:]]))
    assert load(tmp_path / "a.csv").digest == plain(tmp_path).digest


@pytest.mark.parametrize(
    "content", ["a;b;label\n1;2;u\n", "a,b,label\n1,2,u\n", "a\tb\tlabel\n1\t2\tu\n", "a|b|label\n1|2|u\n"]
)
def test_delimiters_of_short_files(tmp_path, content) -> None:
    (tmp_path / "a.csv").write_text(content)
    assert find_dialect(tmp_path / "a.csv").delimiter == content[1]


def test_a_single_column(tmp_path) -> None:
    for text, decimal in (("a\n0.5\n1.5\n2\n", "."), ("a\n0,5\n1,5\n2,5\n", ",")):
        (tmp_path / "a.csv").write_text(text)
        dialect = find_dialect(tmp_path / "a.csv")
        assert (dialect.decimal, dialect.number("1,5" if decimal == "," else "1.5")) == (decimal, 1.5)


def test_text_with_blanks_and_marks_is_no_delimiter(tmp_path) -> None:
    rows = "\n".join(f'{i},{i % 7},"walking, fast; up"' if i % 2 else f"{i},{i % 7},standing still" for i in range(40))
    (tmp_path / "a.csv").write_text(f"a m/s2,b,label\n{rows}\n")
    assert load(tmp_path / "a.csv").class_names == ("standing still", "walking, fast; up")


@pytest.mark.parametrize(
    "cell", ["", " ", "nan", "NaN", "NA", "n/a", "#N/A", "null", "None", "-", "--", "?", "1.#QNAN"]
)
def test_what_stands_for_nothing(cell) -> None:
    assert is_absent(cell)
    number = Dialect().number(cell)
    assert number is None or np.isnan(number)


@pytest.mark.parametrize("cell", ["0", "-1", "1e3", "abc", "walk", "5-", "no", "inf"])
def test_what_does_not(cell) -> None:
    assert not is_absent(cell)


@pytest.mark.parametrize("content", [b"\x81\x8d\x8f" * 40, b"a,b\n\x90\x9d,1\n"])
def test_what_is_no_text_is_said(tmp_path, content) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.csv: cannot be read as CSV: it is neither UTF-8, UTF-16 nor Windows-1252"):
        load(tmp_path / "a.csv")


@pytest.mark.parametrize("names", [("C", "C#", "#D"), ("//x", "y", "%"), ("#N", "#NB", "u")])
def test_a_row_may_begin_with_a_comment_s_mark(tmp_path, names) -> None:
    rows = [(names[i % 3], f"{a:.3f}", f"{b:.3f}") for i, (a, b) in enumerate(RNG.normal(size=(60, 2)))]
    text = (
        "# made by us\nlabel,ax,ay\n" + "\n".join(",".join(row) for row in rows) + "\n# the end, all of it, and more\n"
    )
    (tmp_path / "notes.csv").write_text(text)
    found = load(tmp_path / "notes.csv")
    assert sorted(found.class_names) == sorted(names)
    assert len(found.x) + len(found.x_test) == 60


@pytest.mark.parametrize("mark", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!"])
def test_a_spreadsheet_s_error_in_the_first_column_is_a_missing_value(tmp_path, mark) -> None:
    rows = [[f"{a:.3f}", f"{b:.3f}", "uv"[i % 2]] for i, (a, b) in enumerate(RNG.normal(size=(60, 2)))]
    rows[7][0] = rows[30][0] = mark
    (tmp_path / "sheet.csv").write_text("ax,ay,label\n" + "\n".join(",".join(row) for row in rows) + "\n#1.5,2,u\n")
    with pytest.raises(DataError, match=r"line 9: column 'ax' holds .*2 values in 2 rows"):
        load(tmp_path / "sheet.csv")
    found = load(tmp_path / "sheet.csv", missing="drop")
    assert len(found.x) + len(found.x_test) == 58


@pytest.mark.parametrize("none", ["nan", "NaN", "NA", "N/A", "#N/A", "<NA>"])
def test_a_label_that_stands_for_nothing_is_no_class(tmp_path, none) -> None:
    lines = [
        f"{a:.3f},{b:.3f},{none if i % 9 == 8 else 'uv'[i % 2]}" for i, (a, b) in enumerate(RNG.normal(size=(60, 2)))
    ]
    (tmp_path / "labels.csv").write_text("ax,ay,label\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"line 10 and 5 lines more: column 'label' holds '{none}'"):
        load(tmp_path / "labels.csv")


def test_none_may_be_a_class(tmp_path) -> None:
    lines = [f"{a:.3f},{b:.3f},{('none', 'wave')[i % 2]}" for i, (a, b) in enumerate(RNG.normal(size=(60, 2)))]
    (tmp_path / "labels.csv").write_text("ax,ay,label\n" + "\n".join(lines) + "\n")
    assert load(tmp_path / "labels.csv").class_names == ("none", "wave")
