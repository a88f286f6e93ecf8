"""Model files that run code, read or write files, or never end, if Keras or TensorFlow loads them as they are."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py

from tests.export.models import picture, saved


def call(command: str) -> dict[str, Any]:
    """A function of the standard library by module and name, as Keras writes a function down."""
    return {"module": "subprocess", "class_name": "function", "config": "getoutput", "registered_name": "function"}


def layer(name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {"name": "l", **config}, "registered_name": None}


def lambda_layer(command: str) -> dict[str, Any]:
    """The layer that runs a shell command in tf_keras's safe mode, at the first call."""
    function = call(command)
    return layer("Lambda", function=function, function_type="function", module="subprocess", arguments={})


def _within(outer: str, *keys: str) -> Callable[[str], dict[str, Any]]:
    return lambda command: layer(outer, **{key: lambda_layer(command) for key in keys})


def _dense(**config: Any) -> dict[str, Any]:
    return layer("Dense", units=3, **config)


def _foreign(command: str) -> dict[str, Any]:
    return {"module": "subprocess", "class_name": "Popen", "config": {"args": command, "shell": True}}


def _marshalled(command: str) -> dict[str, Any]:
    return {"class_name": "__lambda__", "config": {"value": ["4wAA", None, None]}}


LAYERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "lambda": lambda_layer,
    "lambda of marshalled code": lambda command: layer("Lambda", function=_marshalled(command)),
    "lambda by the name it is registered by": lambda command: {
        **layer("Dense", function=call(command)),
        "registered_name": "keras>Lambda",
    },
    "in TimeDistributed": _within("TimeDistributed", "layer"),
    "in Bidirectional": _within("Bidirectional", "layer", "backward_layer"),
    "a cell of an RNN": _within("RNN", "cell"),
    "twenty Sequentials deep": lambda command: _deep(lambda_layer(command), 20),
    "an activation": lambda command: _dense(activation=call(command)),
    "an initializer": lambda command: _dense(kernel_initializer=_foreign(command)),
    "a regularizer": lambda command: _dense(kernel_regularizer=_foreign(command)),
    "a constraint": lambda command: _dense(kernel_constraint=_foreign(command)),
    "a dtype": lambda command: _dense(dtype=_foreign(command)),
    "a build_config": lambda command: {**_dense(), "build_config": {"input_shape": _foreign(command)}},
    "a compile_config within": lambda command: {
        **layer("Sequential", layers=[]),
        "compile_config": {"loss": call(command), "optimizer": _foreign(command), "metrics": [_foreign(command)]},
    },
    "a class of its own": lambda command: {**layer("Mine", module=""), "registered_name": "Package>Mine"},
    "a module that is registered": lambda command: {**_dense(), "registered_name": "getoutput"},
    "a loader of Keras": lambda command: layer("load_model", module="keras.models"),
    "a function of Keras's tools": lambda command: _dense(
        activation={"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": None}
    ),
    "the switch of safe mode": lambda command: _dense(
        activation={"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}}
    ),
    "a SavedModel within": lambda command: layer("TFSMLayer", filepath="/tmp/x", call_endpoint="serve"),
    "a file's words": lambda command: layer("StringLookup", vocabulary="/etc/passwd"),
    "a type": lambda command: {"class_name": "__typespec__", "spec_name": "Popen", "module": "subprocess"},
    "TensorFlow's files": lambda command: layer("TFOpLambda", module="", function="io.write_file"),
    "TensorFlow's functions of Python": lambda command: layer("TFOpLambda", module="", function="py_function"),
    "a node of a graph": lambda command: layer("TensorFlowOpLayer", node_def="name: 'x' op: 'WriteFile'"),
    "a method": lambda command: layer("ClassMethod", cls_symbol="io.gfile.GFile", method_name="write"),
    "a loop": lambda command: layer("WhileLoop", module="keras.src.ops.core"),
}


def _deep(inner: dict[str, Any], levels: int) -> dict[str, Any]:
    for _ in range(levels):
        inner = layer("Sequential", layers=[inner])
    return inner


@lru_cache(maxsize=2)
def _plain(suffix: str) -> bytes:
    """A file of tf_keras with a small model in it."""
    from tinynas.training.keras import keras

    with TemporaryDirectory() as folder:
        return saved(picture(keras), Path(folder) / f"plain{suffix}").read_bytes()


def keras_file(path: Path, added: dict[str, Any], compiled: Any = None) -> Path:
    """A .keras file of tf_keras to which a layer was added at the end, whose config.json says so."""

    def changed(config: Any) -> Any:
        config["config"]["layers"].append(added)
        return {**config, "compile_config": compiled}

    return rewritten(path, changed)


def rewritten(path: Path, change: Callable[[Any], Any]) -> Path:
    """A .keras file of tf_keras whose config.json was changed."""
    with zipfile.ZipFile(io.BytesIO(_plain(".keras"))) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, json.dumps(change(json.loads(data))) if name == "config.json" else data)
    return path


def h5_file(path: Path, added: dict[str, Any]) -> Path:
    """The same layer in an .h5 file."""
    path.write_bytes(_plain(".h5"))
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"].append(added)
        file.attrs["model_config"] = json.dumps(config)
    return path


def saved_model(path: Path, function: Callable[[Any], Any]) -> Path:
    """A SavedModel whose signature takes (1, 4) and does what `function` does."""
    from tinynas.training.keras import tf

    module = tf.Module()
    signature = tf.function(lambda x: {"y": function(x)}, input_signature=[tf.TensorSpec((1, 4), tf.float32, "x")])
    tf.saved_model.save(module, str(path), signatures=signature.get_concrete_function())
    return path
