"""The table of kinds: what docs/search.md says of each row is so, and a row that makes no block is refused."""

import re
from pathlib import Path

import pytest

from tinynas.architecture import KINDS, Block, Kind, Stage
from tinynas.errors import ArchitectureError

SEARCH = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
SPATIAL = Stage("conv", "conv", spatial=True)


def test_the_docs_have_a_row_a_kind_with_its_text_and_its_convolutions() -> None:
    rows = {cells[0]: cells for cells in re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", SEARCH, re.MULTILINE)}
    assert list(rows) == list(KINDS)
    for kind, text, layers in rows.values():
        assert text == str(Block(kind, 32, 3)).split()[0]
        assert layers.count("k x k") + layers.count("1x1") == len(KINDS[kind].stages)
        assert ("linear" in layers) == any(stage.linear for stage in KINDS[kind].stages)
        assert ("separately" in layers) == any(stage.convolution == "depthwise" for stage in KINDS[kind].stages)


def test_what_follows_from_a_row() -> None:
    assert [name for name, kind in KINDS.items() if kind.has_filters] == ["conv", "separable", "inverted"]
    assert [name for name, kind in KINDS.items() if kind.expands] == ["inverted"]
    assert {name: kind.strided.name for name, kind in KINDS.items()} == {
        "conv": "conv",
        "depthwise": "depthwise",
        "separable": "depthwise",
        "inverted": "depthwise",
    }
    assert all(kind.lighter in ("", *KINDS) for kind in KINDS.values())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stage("Conv", "conv"), "A stage's name must be lower-case letters alone, got 'Conv'."),
        (lambda: Stage("pool", "conv"), "A stage's name is 'pool', which a block's other layers have: take another."),
        (lambda: Stage("a", "dense"), "`convolution` of stage 'a' must be one of 'conv', 'depthwise', got 'dense'."),
        (lambda: Stage("a", "conv", spatial=1), "`spatial` of stage 'a' must be one of True, False, got 1."),
        (lambda: Stage("a", "conv", linear="no"), "`linear` of stage 'a' must be one of True, False, got 'no'."),
        (
            lambda: Stage("a", "conv", width="wide"),
            "`width` of stage 'a' must be one of 'filters', 'expanded', got 'wide'.",
        ),
        (lambda: Kind("x2", "x", (SPATIAL,)), "A kind's name must be lower-case letters alone, got 'x2'."),
        (lambda: Kind("x", "x2", (SPATIAL,)), "The short name of kind 'x' must be lower-case letters alone, got 'x2'."),
        (lambda: Kind("x", "x", SPATIAL), "The stages of kind 'x' must be a list, got Stage("),
        (lambda: Kind("x", "x", ("conv",)), "Each stage of kind 'x' must be a Stage, got 'conv'."),
        (lambda: Kind("x", "x", (SPATIAL, SPATIAL)), "Two stages of kind 'x' have one name: conv, conv."),
        (
            lambda: Kind("x", "x", (Stage("a", "conv"),)),
            "Kind 'x' has no spatial stage, so a block's kernel would do nothing.",
        ),
        (lambda: Kind("x", "x", ()), "Kind 'x' has no spatial stage"),
        (lambda: Kind("x", "x", (SPATIAL,), on_raw=None), "`on_raw` of kind 'x' must be one of True, False, got None."),
    ],
)
def test_a_row_that_makes_no_block_is_one_sentence(make, words: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        make()
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
