"""Files that would run code: all refused in one sentence, and none executed. What only computes is let through."""

import io
import zipfile

import h5py
import numpy as np
import pytest

from tests.export.models import depthwise, picture, residual, saved, series
from tests.training import hostile
from tinynas.errors import ConversionError


@pytest.fixture(scope="module")
def kerases(tensorflow):
    import keras

    from tinynas.training.keras import keras as tf_keras

    return {"keras": keras, "tf_keras": tf_keras}


def refused(path, match="is not loaded: it holds"):
    from tinynas.training.load import load

    with pytest.raises(ConversionError, match=match) as error:
        load(path)
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 600


def _command(tmp_path):
    return f"touch {tmp_path}/owned"


@pytest.fixture
def nothing_runs(tmp_path, monkeypatch):
    """Any process that is started, and any file that is left, fails the test."""
    monkeypatch.setattr("subprocess.Popen.__init__", lambda *_, **__: pytest.fail("a process was started"))
    yield
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("case", sorted(hostile.LAYERS))
@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_a_configuration_that_names_code_is_refused(tensorflow, tmp_path, nothing_runs, case, kind):
    added = hostile.LAYERS[case](_command(tmp_path))
    make = hostile.keras_file if kind == "keras" else hostile.h5_file
    refused(make(tmp_path / f"net.{kind}", added))


def test_the_command_does_run_when_the_file_is_trusted(tensorflow, tmp_path):
    """What is refused is alive: without the guard the file runs its command, so a pass above is worth something."""
    from tinynas.training.load import load

    function = {**hostile.call(""), "module": "os", "config": "system"}
    constant = _command(tmp_path)
    inner = {"name": "l", "function": function, "function_type": "function", "arguments": {}, "module": "os"}
    inner |= {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None}
    start = hostile.layer("InputLayer", batch_input_shape=[None, 4], dtype="float32")
    start["config"]["name"] = "x"
    config = {
        "module": "tf_keras.src.engine.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": {
            "name": "m",
            "layers": [
                {**start, "name": "x", "inbound_nodes": []},
                {
                    **hostile.layer("Lambda"),
                    "config": inner,
                    "name": "l",
                    "inbound_nodes": [[["_CONSTANT_VALUE", -1, constant, {}]]],
                },
            ],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["l", 0, 0]],
        },
    }
    path = hostile.rewritten(tmp_path / "net.keras", lambda _: config)
    refused(path, "a Lambda")
    assert not (tmp_path / "owned").exists()
    with pytest.raises(ConversionError):  # the file is no model beyond that
        load(path, trust=True)
    assert (tmp_path / "owned").exists()


def test_a_lambda_of_ones_own_loads_with_trust(kerases, tmp_path):
    from tinynas.training.load import load

    library = kerases["tf_keras"]
    model = library.Sequential([library.Input((4,)), library.layers.Lambda(lambda x: x * 2)])
    for kind in ("keras", "h5"):
        path = saved(model, tmp_path / f"mine.{kind}")
        refused(path, "a Lambda.*--trust")
        x = np.ones((2, 4), np.float32)
        np.testing.assert_array_equal(load(path, trust=True).predict(x), 2 * x)


def test_how_a_model_was_trained_is_not_loaded(tensorflow, tmp_path, nothing_runs):
    """A loss of one's own does not matter: it is left out. One from a module is refused all the same."""
    from tinynas.training.load import load

    own = {"module": "builtins", "class_name": "function", "config": "my_loss", "registered_name": "my_loss"}
    path = hostile.keras_file(tmp_path / "own.keras", hostile.layer("Flatten"), {"loss": own, "optimizer": "adam"})
    assert load(path).input_shape == (8, 8, 1)
    for foreign in (hostile.call(""), {"module": "os", "class_name": "system", "config": {}}, {"class_name": "Lambda"}):
        path = hostile.keras_file(tmp_path / "net.keras", hostile.layer("Flatten"), {"metrics": [[foreign]]})
        refused(path)


@pytest.mark.parametrize("build", [picture, series, depthwise, residual])
@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_models_of_keras_pass(kerases, tmp_path, build, library):
    from tinynas.training.guard import require_harmless

    model = build(kerases[library])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    for name in ("net.keras", "net.h5"):
        require_harmless(saved(model, tmp_path / name))


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_functions_of_tensors_and_nested_layers_pass(kerases, tmp_path, library):
    from tinynas.training.guard import require_harmless
    from tinynas.training.keras import tf

    lib = kerases[library]
    layers = lib.layers
    x = start = lib.Input((8, 4))
    x = layers.TimeDistributed(layers.Dense(4, activation=lib.activations.relu, kernel_regularizer="l2"))(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.Conv1D(3, 3, kernel_constraint=lib.constraints.MaxNorm(2), activation=lib.layers.LeakyReLU())(x)
    x = (tf.nn.relu(x) if library == "tf_keras" else lib.ops.relu(x)) * 2.0 + 1.0
    inner = lib.Sequential([lib.Input((6, 3)), layers.Flatten(), layers.Dense(2)])
    model = lib.Model(start, inner(x))
    model.compile(lib.optimizers.SGD(lib.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), lib.losses.Huber())
    for name in ("net.keras", "net.h5"):
        require_harmless(saved(model, tmp_path / name))


def _graphs():
    from tinynas.training.keras import tf

    def wrote(x):
        with tf.control_dependencies([tf.io.write_file("owned", "x")]):
            return tf.identity(x)

    def read(x):
        return x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)

    def branched(x):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: wrote(x), lambda: x)

    def called(x):
        return tf.function(lambda y: tf.function(wrote)(y))(x)

    def listed(x):
        return x + tf.cast(tf.size(tf.io.matching_files("/etc/*")), tf.float32)

    def saved_tensors(x):
        with tf.control_dependencies(
            [tf.raw_ops.SaveV2(prefix="owned", tensor_names=["x"], shape_and_slices=[""], tensors=[x])]
        ):
            return tf.identity(x)

    def printed(x):
        with tf.control_dependencies([tf.raw_ops.PrintV2(input="x", output_stream="file://owned")]):
            return tf.identity(x)

    return {
        "WriteFile": wrote,
        "ReadFile": read,
        "MatchingFiles": listed,
        "WriteFile in a branch": branched,
        "WriteFile in a function": called,
        "SaveV2": saved_tensors,
        "PrintV2": printed,
        "PyFunc": lambda x: tf.reshape(tf.numpy_function(lambda y: y, [x], tf.float32), (1, 4)),
        "EagerPyFunc": lambda x: tf.reshape(tf.py_function(lambda y: y, [x], tf.float32), (1, 4)),
        "While": lambda x: tf.while_loop(lambda _: True, lambda y: (y + 1.0,), (x,))[0],
        "StatelessWhile": lambda x: tf.map_fn(lambda y: y + 1.0, x),
    }


GRAPHS = ("WriteFile", "ReadFile", "MatchingFiles", "WriteFile in a branch", "WriteFile in a function", "SaveV2")
GRAPHS += ("PrintV2", "PyFunc", "EagerPyFunc", "While", "StatelessWhile")


@pytest.mark.parametrize("case", GRAPHS)
def test_a_graph_that_reaches_out_or_repeats_is_refused(kerases, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    path = hostile.saved_model(tmp_path / "net", _graphs()[case])
    word = "While" if "While" in case else case.split()[0]
    refused(path, f"is not loaded: it holds .*{word}")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["net"]


def test_the_saver_of_a_savedmodel_is_no_way_in(kerases, tmp_path, monkeypatch):
    """Saving's own functions write files and are spared; where a signature calls one it is refused."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    monkeypatch.chdir(tmp_path)
    path = saved(picture(kerases["tf_keras"]), tmp_path / "net")
    held = SavedModel.FromString((path / "saved_model.pb").read_bytes())
    graph = held.meta_graphs[0]
    saver = next(
        name.signature.name for name in graph.graph_def.library.function if "traced_save" in name.signature.name
    )
    wrapper = next(each for each in graph.graph_def.library.function if "signature_wrapper" in each.signature.name)
    call = next(node for node in wrapper.node_def if node.op == "StatefulPartitionedCall")
    call.attr["f"].func.name = saver
    (path / "saved_model.pb").write_bytes(held.SerializeToString())
    refused(path, "SaveV2|MergeV2Checkpoints|ShardedFilename")
    held.meta_graphs[0].ClearField("object_graph_def")
    (path / "saved_model.pb").write_bytes(held.SerializeToString())
    refused(path, "TensorFlow 1")


# --- bombs


def _zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def _h5(fill):
    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        fill(file)
    return body.getvalue()


def test_what_unpacks_to_more_than_a_model_has_is_refused_before_it_is_unpacked(kerases, tmp_path, monkeypatch):
    from tinynas.training import guard

    monkeypatch.setattr(guard, "MAX_BYTES", 1 << 20)
    refused(_zipped(tmp_path / "zip.keras", model__weights__h5=bytes(2 << 20)), "would unpack to 2,097,152 bytes")
    bomb = _h5(lambda file: file.create_dataset("x", (1 << 40,), "f4", chunks=True, compression="gzip"))
    assert len(bomb) < 1 << 16
    refused(_zipped(tmp_path / "h5.keras", config__json="{}", model__weights__h5=bomb), "would unpack to 4,398,0")
    (tmp_path / "bomb.h5").write_bytes(bomb)
    refused(tmp_path / "bomb.h5", "would unpack to 4,398,0")


def test_weights_come_from_the_file_itself(kerases, tmp_path):
    def linked(file):
        file["x"] = h5py.ExternalLink("/etc/passwd", "/x")

    def outside(file):
        file.create_dataset("x", (4,), "u1", external=[("/etc/hostname", 0, 4)])

    for name, fill in (("linked", linked), ("outside", outside)):
        (tmp_path / f"{name}.h5").write_bytes(_h5(fill))
        refused(tmp_path / f"{name}.h5")
    refused(_zipped(tmp_path / "more.keras", config__json="{}", evil__py="x"), "evil.py")


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "\xff", "3", '"x"', '{"class_name": [1]}'])
def test_a_damaged_configuration_is_one_sentence(kerases, tmp_path, text):
    refused(_zipped(tmp_path / "net.keras", config__json=text), "net.keras")
