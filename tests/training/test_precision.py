from pathlib import Path

import pytest

from tinynas.training.precision import best_precision


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512_bf16\n", "bfloat16"),
        ("processor : 0\nflags\t\t: fpu amx_bf16\nprocessor : 1\nflags\t\t: fpu amx_bf16\n", "bfloat16"),
        ("processor : 0\nflags\t\t: fpu amx_bf16\nprocessor : 1\nflags\t\t: fpu\n", "float32"),
        ("processor : 0\nflags\t\t: fpu avx512f\n", "float32"),
        ("processor : 0\n", "float32"),
    ],
)
def test_it_is_read_off_the_processor_s_flags(tmp_path, text, wanted):
    (tmp_path / "cpuinfo").write_text(text)
    assert best_precision((28, 28, 1), tmp_path / "cpuinfo") == wanted
    assert best_precision((100, 1, 6), tmp_path / "cpuinfo") == "float32"  # it would not pay


def test_an_unknown_processor_computes_in_float32():
    assert best_precision((28, 28, 1), Path("/nowhere/cpuinfo")) == "float32"
