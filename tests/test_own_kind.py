"""A stranger's kind of block: what docs/architecture.md says under "How to add a block kind" is all that it takes."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from tests.docs import ROOT, blocks
from tests.screening.real import convert
from tests.screening.test_real import check
from tests.searching.conftest import evaluate
from tinynas import Architecture, Block, Head, Kind, SearchSpace, Stage, lower, register_kind, resume, screen, search
from tinynas.architecture import KINDS, crossover, mutate, shrink, walk
from tinynas.errors import ArchitectureError
from tinynas.report.drawing import draw
from tinynas.runs import read_trials
from tinynas.searching import feature_names, features
from tinynas.tflite import analyze


@pytest.fixture
def told():
    """The names that the page's code leaves behind; after it the kind is registered."""
    names = {"__name__": "__docs__"}
    for block in blocks(ROOT / "docs" / "architecture.md"):
        if block.kind == "python":
            exec(compile(block.code, str(block.path), "exec", dont_inherit=True), names)
    return names


def _networks(space, n):
    """Random and mutated networks of the space, with a block of the stranger's kind in each."""
    rng = np.random.default_rng(4)
    found = []
    while len(found) < n:
        network = space.random_architecture(rng)
        for _ in range(len(found) % 3 * 4):
            network = mutate(network, space, rng)
        if any(block.kind == "spread" for block in network.blocks):
            found.append(network)
    return found


def test_the_page_adds_a_kind_that_tinynas_does_not_have(told) -> None:
    assert "spread" in told["space"].kinds
    assert "spread" not in SearchSpace.for_input((8, 8, 1), 3).kinds
    assert [(x.operator, x.name, x.shape_out, x.strides, x.activation) for x in walk(told["network"])][:3] == [
        ("conv", "block0_conv", (8, 8, 8), (2, 2), "relu"),
        ("depthwise", "block0_spread", (8, 8, 8), (1, 1), ""),
        ("conv", "block1_conv", (8, 8, 12), (1, 1), "relu"),
    ]


def test_a_second_row_of_a_name_and_a_lighter_kind_that_is_none_are_refused(told) -> None:
    register_kind(KINDS["spread"])  # the same row again
    stages = (Stage("conv", "conv", spatial=True),)
    for row, words in (
        (Kind("spread", "two", stages), "Kind 'spread' (two) cannot be added: 'spread' (spr) is there already."),
        (Kind("other", "conv", stages), "Kind 'other' (conv) cannot be added: 'conv' (conv) is there already."),
        (Kind("other", "oth", stages, lighter="air"), "Kind 'other' names 'air' as lighter, which is no kind (known: "),
        ("other", "register_kind takes a Kind, got 'other'."),
    ):
        with pytest.raises(ArchitectureError) as caught:
            register_kind(row)
        assert words in str(caught.value)
    assert "other" not in KINDS


@pytest.mark.parametrize("shape", [(12, 12, 2), (40, 1, 3)])
def test_the_screen_and_the_lowered_file_are_what_the_converter_makes(told, seeded, shape) -> None:
    space = SearchSpace.for_input(shape, 4, kinds=("spread", "inverted"), initial_depth=3, max_depth=3)
    for network in _networks(space, 3):
        real = convert(network, np.random.default_rng(0))
        check(network, real)
        for number, expected in enumerate(network.shapes[1:]):
            assert tuple(real.model.get_layer(f"block{number}").output_shape) == (None, *expected)


def test_it_is_drawn_mutated_crossed_shrunk_and_kept(told) -> None:
    space, rng = told["space"], np.random.default_rng(0)
    kinds = {block.kind for _ in range(100) for block in space.random_architecture(rng).blocks}
    assert kinds == set(space.kinds)
    changed = [mutate(told["network"], space, rng) for _ in range(200)]
    assert {network.blocks[0].kind for network in changed} > {"spread"}  # to another kind, and it itself kept
    conv = Architecture((16, 16, 3), (Block("conv", 8, 3),), Head(), 4)
    assert any(b.kind == "spread" for _ in range(200) for b in mutate(conv, space, rng).blocks)
    assert all(space.contains(crossover(told["network"], network, space, rng)) for network in changed[:20])
    smaller = [shrink(told["network"], space, rng, "flash") for _ in range(60)]
    assert any(network.blocks[0].kind == "separable" for network in smaller)  # the row's lighter kind
    network = told["network"]
    assert Architecture.from_dict(json.loads(json.dumps(network.to_dict()))) == network
    assert SearchSpace.from_dict(json.loads(json.dumps(space.to_dict()))) == space


def test_the_report_draws_it_and_the_surrogate_counts_it(told) -> None:
    network, kinds = told["network"], told["space"].kinds
    operators = analyze(lower(network)).operators
    card = draw(network, operators).cards[1]
    assert card.title.replace("\u00a0", " ") == "spread 3 × 3, 8 filters"
    assert card.macs == operators[0].macs + operators[1].macs
    values = dict(
        zip(
            feature_names(kinds),
            features(network, screen(network, told["Target"].load("nucleo_f401")), kinds),
            strict=True,
        )
    )
    assert (values["spread"], values["conv"], values["inverted"]) == (1, 1, 0)
    assert values["receptive_field"] == pytest.approx(np.log2(1 + 2 + 2 * 2 + 2 * 2))


def test_a_child_inherits_by_what_its_layers_are(told, seeded) -> None:
    """A wider block computes what its parent's did, though no layer is called depthwise."""
    from tinynas.training.build import build
    from tinynas.training.convert import fill_untrained
    from tinynas.training.inherit import inherit

    parent = told["network"]
    model = build(parent)
    fill_untrained(model, np.random.default_rng(1))
    wider = Architecture((16, 16, 3), (Block("spread", 13, 3, stride=2), parent.blocks[1]), Head(), 4)
    fresh = seeded.layer_weights(build(wider))
    child = build(wider, inherit(wider, fresh, parent, seeded.layer_weights(model)))
    x = np.random.default_rng(2).random((5, 16, 16, 3), dtype=np.float32)
    np.testing.assert_allclose(child.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)


def test_a_search_goes_on_only_where_the_kind_is_known(told, stripes, tmp_path) -> None:
    space = SearchSpace.for_input((8, 8, 1), 3, kinds=("spread", "conv"))
    result = search(stripes, "nucleo_f401", space=space, out=tmp_path / "run", evaluate=evaluate, max_trials=12)
    assert any(block.kind == "spread" for trial in result.trials for block in trial.architecture.blocks)
    (tmp_path / "run" / "summary.json").unlink()
    again = resume(tmp_path / "run", stripes, evaluate=evaluate)
    assert [t.architecture for t in again.trials] == [t.architecture for t in result.trials]
    done = subprocess.run(
        [sys.executable, "-m", "tinynas", "trials", str(tmp_path / "run")], capture_output=True, text=True
    )
    assert done.returncode == 1
    words = " ".join(done.stderr.split())
    assert "got 'spread'; a kind of your own is registered first (tinynas.register_kind)." in words
    assert "Traceback" not in words


def test_a_space_takes_its_rows_to_another_process(told) -> None:
    code = (
        "import pickle, sys\nimport numpy as np\n"
        "print(pickle.load(sys.stdin.buffer).random_architecture(np.random.default_rng(0)))"
    )
    space = SearchSpace.for_input((8, 8, 1), 3, kinds=("spread",))
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(space), capture_output=True)
    assert done.stdout.decode().strip() == str(space.random_architecture(np.random.default_rng(0))), done.stderr


@pytest.mark.slow
def test_worker_processes_train_it(told, stripes, tmp_path) -> None:
    space = SearchSpace.for_input((8, 8, 1), 3, kinds=("spread",), initial_depth=2, max_depth=2)
    result = search(
        stripes, "nucleo_f401", space=space, out=tmp_path / "run", workers=1, max_trials=2, n_children=2, n_folds=2,
        n_finalists=1, final_epochs=2,
    )  # fmt: skip
    assert all(not trial.evaluation.error for trial in result.trials)
    assert all(
        block.kind == "spread"
        for trial in read_trials(tmp_path / "run" / "journal.sqlite")
        for block in trial.architecture.blocks
    )
