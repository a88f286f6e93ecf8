"""Architecture: derived shapes and rates, identity, legality on construction, JSON."""

import copy
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.strategies import architectures
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.errors import ArchitectureError

EXAMPLE = Architecture(
    (28, 28, 1),
    (Block("conv", 16, 3, pool="max"), Block("separable", 16, 3, activation="relu6", residual=True)),
    Head(),
    10,
)


def test_shapes_follow_the_blocks() -> None:
    assert EXAMPLE.shapes == ((28, 28, 1), (14, 14, 16), (14, 14, 16))


def test_description_reads_left_to_right() -> None:
    assert str(EXAMPLE) == "conv16k3 bn relu max2 > sep16k3 bn relu6 res > gap > dense10"
    other = replace(EXAMPLE, head=Head("flatten", 32), dropout=(0.0, 0.25))
    assert str(other).endswith("res > flatten > dense32 > drop0.25 > dense10")


def test_dropout_rates_lie_on_a_line() -> None:
    rates = replace(EXAMPLE, dropout=(0.1, 0.3)).dropout_rates
    assert rates == pytest.approx((0.1, 0.2, 0.3))
    assert EXAMPLE.dropout_rates == (0.0, 0.0, 0.0)


@given(architectures(), st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)))
def test_dropout_rates_match_linspace(drawn: tuple[Architecture, SearchSpace], dropout: tuple) -> None:
    architecture = replace(drawn[0], dropout=dropout)
    wanted = np.linspace(*dropout, len(architecture.blocks) + 1)
    np.testing.assert_allclose(architecture.dropout_rates, wanted, atol=1e-8)


@given(architectures())
def test_json_round_trip_keeps_the_key(drawn: tuple[Architecture, SearchSpace]) -> None:
    architecture, _ = drawn
    again = Architecture.from_dict(json.loads(json.dumps(architecture.to_dict())))
    assert again == architecture
    assert again.key == architecture.key
    assert again.shapes == architecture.shapes
    assert pickle.loads(pickle.dumps(architecture)) == architecture
    assert hash(again) == hash(architecture)


def test_key_is_sixteen_hexadecimal_digits_and_stable() -> None:
    assert len(EXAMPLE.key) == 16
    int(EXAMPLE.key, 16)
    assert replace(EXAMPLE, dropout=(0, 0)).key == EXAMPLE.key
    assert replace(EXAMPLE, n_classes=11).key != EXAMPLE.key


def test_every_gene_is_in_the_key() -> None:
    block = EXAMPLE.blocks[0]
    changes = {
        "kind": "separable",
        "filters": 8,
        "kernel_size": 5,
        "stride": 2,
        "padding": "valid",
        "activation": "relu6",
        "batch_norm": False,
        "pool": "avg",
        "pool_size": 3,
    }
    keys = {EXAMPLE.key}
    for gene, value in changes.items():
        changed = replace(block, **{gene: value})
        keys.add(replace(EXAMPLE, blocks=(changed, Block("conv", 4, 3))).key)
    assert len(keys) == len(changes) + 1
    keys |= {replace(EXAMPLE, blocks=(Block("inverted", 8, 3, expansion=e),)).key for e in (2, 3, 4)}
    assert len(keys) == len(changes) + 4


def test_a_gene_of_few_kinds_is_written_for_these_and_for_others_only_where_it_was_given() -> None:
    assert "expansion" not in Block("conv", 8, 3).to_dict()
    assert Block("inverted", 8, 3).to_dict()["expansion"] == 4
    odd = Block("conv", 8, 3, expansion=2)
    assert Block.from_dict(odd.to_dict()) == odd


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            Block("conv", 8, 15, padding="valid"),
            "Block 2 (conv8k15 valid bn relu) is not legal: its kernel 15x15",
        ),
        (
            Block("conv", 8, 3, residual=True),
            "Block 2 (conv8k3 bn relu res) is not legal: its residual needs",
        ),
        (
            Block("conv", 8, 3, pool="max", pool_size=15),
            "Block 2 (conv8k3 bn relu max15) is not legal: its pool",
        ),
    ],
)
def test_an_illegal_block_is_named_by_number(block: Block, words: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        replace(EXAMPLE, blocks=(*EXAMPLE.blocks, block))
    assert words in str(caught.value)


def test_a_residual_with_equal_shapes_is_legal() -> None:
    blocks = (Block("conv", 1, 3, residual=True), Block("depthwise", 5, 3, residual=True, pool="avg"))
    assert replace(EXAMPLE, blocks=blocks).shapes == ((28, 28, 1), (28, 28, 1), (14, 14, 1))


def _broken(path: tuple[object, ...], value: object) -> dict[str, object]:
    data = copy.deepcopy(EXAMPLE.to_dict())
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_broken(("blocks",), []), "The architecture has no blocks; it needs at least one."),
        (_broken(("blocks",), 3), "The architecture's blocks must be a list, got 3."),
        (
            _broken(("blocks", 1, "filters"), -1),
            "Block 1's filters must be a whole number of at least 1, got -1.",
        ),
        (_broken(("blocks", 1, "size"), 3), "Block 1: unknown key 'size'"),
        (
            _broken(("head", "pooling"), "max"),
            "The head's pooling must be one of 'gap', 'flatten', got 'max'.",
        ),
        (_broken(("head",), None), "The head must be an object with keys, got None."),
        (
            _broken(("n_classes",), 1),
            "The architecture's n_classes must be a whole number of at least 2, got 1.",
        ),
        (
            _broken(("input_shape",), [28, 28]),
            "the input's shape must be height, width and channels, got [28, 28].",
        ),
        (_broken(("input_shape", 0), 0), "must be a whole number of at least 1, got 0."),
        (_broken(("dropout",), [0.1]), "The architecture's dropout must be two rates"),
        (_broken(("dropout",), [0.1, 1.0]), "The architecture's dropout must be two rates"),
        (_broken(("dropout",), [float("nan"), 0.0]), "The architecture's dropout must be two rates"),
        (
            _broken(("depth",), 2),
            "The architecture: unknown key 'depth' (known: blocks, dropout, head, input_shape",
        ),
        ([], "The architecture must be an object with keys, got []."),
    ],
)
def test_bad_json_is_one_sentence(data: object, words: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_dict(data)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
