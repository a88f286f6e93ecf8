from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from tinynas.architecture import Architecture, Block, Head
from tinynas.data import Dataset
from tinynas.hardware import Target
from tinynas.tflite import read
from tinynas.training.augment import Augmentation
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained, quantize
from tinynas.training.evaluate import (
    ANEW,
    FINE_TUNING,
    GOING_ON,
    Start,
    measure,
    score_both,
    train_final,
    train_fold,
)
from tinynas.training.fit import Progress, Recipe, predict
from tinynas.training.flops import count_flops
from tinynas.training.int8 import Int8Model
from tinynas.training.keras import seed_everything
from tinynas.training.qat import quantize_aware
from tinynas.training.schedule import Schedule

NET = Architecture((8, 8, 1), (Block("conv", 8, 3, pool="max"), Block("separable", 8, 3)), Head(), 3)
SCHEDULE = Schedule(folds=3, samples=100, epochs=40)
RECIPE = Recipe(epochs=1, batch_size=8)


def test_measure_is_the_real_file_s(tensorflow, stripes):
    footprint, data = measure(NET, Target.load("nucleo_f401"), stripes, seed=3)
    seed_everything(3)
    model = build(NET)
    assert footprint.flops == count_flops(model)
    fill_untrained(model, np.random.default_rng(3))
    assert data == quantize(model, stripes.representative(1, 3))
    graph = read(data)
    weights = sum(int(np.prod(t.shape)) for t in graph.tensors if t.data is not None and t.dtype != "INT32")
    biases = sum(t.shape[0] for t in graph.tensors if t.data is not None and t.dtype == "INT32" and t.scales)
    assert footprint.params == weights + biases
    assert footprint.largest_tensor_bytes == 8 * 8 * 8
    assert footprint.arena.used <= footprint.arena.minimum


def test_a_fold_is_learned_and_scored_in_float_and_int8(tensorflow, stripes):
    scores, trained = train_fold(NET, stripes, SCHEDULE, RECIPE, stripes.folds(3, 0)[0], seed=1)
    assert scores.float.accuracy >= 0.8
    assert abs(scores.float.accuracy - scores.int8.accuracy) <= 0.1
    _, _, x, y = stripes.split(stripes.folds(3, 0)[0])
    predicted = Int8Model(trained.tflite).predict(x)
    assert scores.int8.accuracy == pytest.approx(accuracy_score(y, predicted))
    assert scores.int8.f1 == pytest.approx(f1_score(y, predicted, average="macro"))


def test_folds_start_from_fresh_weights_and_the_seed_decides(tensorflow, stripes):
    fold = stripes.folds(3, 0)[1]
    one, two = (train_fold(NET, stripes, SCHEDULE, RECIPE, fold, seed=4) for _ in range(2))
    assert one[0] == two[0]
    assert one[1].tflite == two[1].tflite
    assert train_fold(NET, stripes, SCHEDULE, RECIPE, fold, seed=5)[1].tflite != one[1].tflite


def test_the_validation_part_is_not_trained_on(tensorflow, stripes):
    """With labels that mean nothing, a score far above chance could only come from a leak."""
    rng = np.random.default_rng(0)
    noise = Dataset.from_arrays(rng.random((120, 8, 8)), np.arange(120) % 3, name="noise")
    shuffled = replace(noise, y=rng.permutation(noise.y))
    scores = [
        train_fold(NET, shuffled, SCHEDULE, RECIPE, fold, seed=1)[0].float.accuracy for fold in shuffled.folds(3, 0)
    ]
    assert np.mean(scores) < 0.55


def test_the_final_training_reads_the_test_set_for_its_scores_only(tensorflow, stripes):
    recipe = replace(RECIPE, epochs=40)
    done = train_final(NET, stripes, recipe, seed=1)
    assert done.epochs == 40
    swapped = replace(stripes, y_test=(stripes.y_test + 1) % 3)
    other = train_final(NET, swapped, recipe, seed=1)
    assert done.trained.tflite == other.trained.tflite
    assert done.scores.int8.accuracy > 0.8
    assert other.scores.int8.accuracy < 0.3


def test_of_the_plain_and_the_fine_tuned_file_the_better_is_kept(tensorflow, monkeypatch):
    """The scores on the samples held out decide, and the held-out samples are not trained on."""
    from tinynas.training import qat

    rng = np.random.default_rng(1)
    y = np.arange(1800) % 3
    x = rng.random((1800, 8, 8)) * 0.3 + (np.arange(8)[None, None] % 3 == y[:, None, None]) * 0.7
    large = Dataset.from_arrays(x, y, name="large")
    seen = {}

    def noted(model, x, y, *rest):
        seen["rows"] = len(x)
        return quantize_aware(model, x, y, *rest)

    monkeypatch.setattr(qat, "quantize_aware", noted)
    for wanted, told in (("qat", {"ptq": 0.5, "qat": 0.6}), ("ptq", {"ptq": 0.6, "qat": 0.5})):
        given = {}
        monkeypatch.setattr(qat, "score_files", lambda files, *_, t=told, g=given: g.update(files) or t)
        heard: list[Progress] = []
        done = train_final(NET, large, replace(RECIPE, epochs=2), 1, heard.append, qat=True)
        assert [(each.epoch, each.training) for each in heard] == [(1, ""), (2, ""), (1, FINE_TUNING)]
        assert done.judged == told
        assert done.trained.tflite == given[wanted]
        assert given["ptq"] != given["qat"]
        assert seen["rows"] + round(0.05 * len(large.y)) == len(large.y)


@pytest.mark.parametrize(("plain", "augment_from", "varied"), [(0.0, 0, True), (0.2, 0, False), (0.0, 9, False)])
def test_it_is_fine_tuned_on_samples_such_as_those_at_the_training_s_end(
    tensorflow, monkeypatch, plain, augment_from, varied
):
    from tinynas.training import qat

    recipes = []

    def noted(model, x, y, recipe, *rest):
        recipes.append(recipe)
        return quantize_aware(model, x, y, recipe, *rest)

    monkeypatch.setattr(qat, "quantize_aware", noted)
    y = np.arange(1800) % 3
    x = np.random.default_rng(1).random((1800, 8, 8)) * 0.3 + (np.arange(8)[None, None] % 3 == y[:, None, None]) * 0.7
    recipe = replace(RECIPE, epochs=2, augmentation=Augmentation(flip=True), plain=plain, augment_from=augment_from)
    train_final(NET, Dataset.from_arrays(x, y), recipe, seed=1, qat=True)
    assert [each.augmentation.flip for each in recipes] == [varied]


def test_on_a_tie_the_file_nearer_to_the_float_model_is_kept(seeded, stripes):
    from tinynas.training.evaluate import _better

    model, other = build(NET), build(NET)
    near, far = (quantize(each, stripes.x[:50]) for each in (model, other))
    tie = {"ptq": 0.9, "qat": 0.9}
    assert _better(tie, {"ptq": near, "qat": far}, model, stripes.x) == "ptq"
    assert _better(tie, {"ptq": far, "qat": near}, model, stripes.x) == "qat"
    gap = np.abs(Int8Model(near).probabilities(stripes.x) - predict(model, stripes.x)).max()
    assert gap < 0.05


def _large():
    rng = np.random.default_rng(1)
    y = np.arange(1320) % 3
    x = rng.random((1320, 8, 8)) * 0.3 + (np.arange(8)[None, None] % 3 == y[:, None, None]) * 0.7
    return Dataset.from_arrays(x, y, name="large")


def test_a_final_training_goes_on_from_the_weights_that_it_is_given(tensorflow):
    """At a rate of next to nothing it stays where it began, and an epoch afresh is nowhere yet."""
    data, slow = _large(), replace(RECIPE, epochs=1, batch_size=64, peak_rate=1e-7)
    fold = data.folds(5, 0)[0]
    _, finalist = train_fold(NET, data, Schedule(1, 700, 12), RECIPE, fold, seed=2)
    start = Start(NET, finalist.weights)
    on = train_final(NET, data, slow, seed=1, start=start, unseen=fold.validation)
    anew = train_final(NET, data, slow, seed=1)
    assert on.scores.float.accuracy > 0.9 > 0.7 > anew.scores.float.accuracy
    np.testing.assert_allclose(on.trained.weights["block0_conv"][0], finalist.weights["block0_conv"][0], atol=1e-4)


def test_a_cool_one_goes_on_at_a_tenth_of_the_peak_rate_and_starts_anew_at_all_of_it(tensorflow):
    data, hot = _large(), replace(RECIPE, epochs=1, batch_size=64, peak_rate=8e-3)
    start = Start(NET, train_fold(NET, data, Schedule(1, 64, 1), RECIPE, data.folds(5, 0)[0], seed=2)[1].weights)
    pairs = [
        (train_final(NET, data, hot, 1, start=start, cool=True), replace(hot, peak_rate=8e-4), start),
        (train_final(NET, data, hot, 1, cool=True), hot, None),
    ]
    for found, recipe, begin in pairs:
        wanted = train_final(NET, data, recipe, 1, start=begin).trained.weights
        for name, arrays in found.trained.weights.items():
            for one, other in zip(arrays, wanted[name], strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("scores", "wanted"), [((0.6, 0.5), 0), ((0.5, 0.6), 1), ((0.5, 0.5), 0)])
def test_going_on_or_starting_anew_whichever_is_better_on_the_samples_held_out(tensorflow, monkeypatch, scores, wanted):
    from tinynas.training import qat

    data, asked, told = _large(), [], []

    def scored(files, x, y, *_):
        asked.append((list(files.values()), x))
        return dict(zip(files, scores, strict=True))

    monkeypatch.setattr(qat, "score_files", scored)
    fold = data.folds(5, 0)[0]
    start = Start(NET, train_fold(NET, data, Schedule(1, 64, 1), RECIPE, fold, seed=2)[1].weights)
    recipe = replace(RECIPE, epochs=2, batch_size=256)
    done = train_final(NET, data, recipe, 1, told.append, start=start, unseen=fold.validation, twice=True)
    ((files, held),) = asked
    assert done.trained.tflite == files[wanted] != files[1 - wanted]
    assert (done.epochs, len(done.losses)) == (2, 2)
    assert [(each.epoch, each.epochs, each.training) for each in told] == [
        (epoch, 2, training) for training in (GOING_ON, ANEW) for epoch in (1, 2)
    ]
    unseen = {sample.tobytes() for sample in data.x[fold.validation]}
    assert len(held) == round(0.05 * len(data.y))
    assert {sample.tobytes() for sample in held} <= unseen


def test_few_samples_are_all_trained_on(tensorflow, stripes):
    assert train_final(NET, stripes, replace(RECIPE, epochs=2), seed=1, qat=True).judged == {}


def test_the_saved_keras_model_is_the_scored_one(tensorflow, stripes, tmp_path):
    from tinynas.training.keras import keras

    done = train_final(NET, stripes, replace(RECIPE, epochs=20), seed=1)
    scores, trained = done.scores, done.trained
    (tmp_path / "model.keras").write_bytes(trained.keras)
    model = keras.models.load_model(tmp_path / "model.keras", compile=False)
    accuracy = (predict(model, stripes.x_test).argmax(axis=1) == stripes.y_test).mean()
    assert accuracy == pytest.approx(scores.float.accuracy)
    assert score_both(model, trained.tflite, stripes.x_test, stripes.y_test) == scores


@pytest.mark.slow
def test_memory_stays_flat_over_three_hundred_children():
    """Measured in a process of its own, after thirty children to warm up."""
    import subprocess
    import sys

    code = """
import numpy as np, resource
from tinynas.architecture import SearchSpace
from tinynas.data import Dataset
from tinynas.hardware import Target
from tinynas.training.evaluate import measure
from tinynas.training.keras import configure
from tinynas.training.convert import clear
configure(1)
def rss():
    return int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize() / 1e6
data, target = Dataset.digits(), Target.load('nucleo_f401')
space, rng = SearchSpace.for_input(data.input_shape, 10), np.random.default_rng(0)
for child in range(330):
    measure(space.random_architecture(rng), target, data, child)
    clear()
    if child == 29:
        before = rss()
print(rss() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 50
