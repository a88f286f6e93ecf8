"""What is looked at in a model file before a library loads it: whether loading or running it would run foreign code.

Keras builds what a file's configuration names, by module and name, and TensorFlow runs the graph of a SavedModel, file
operators and all. So only what Keras and TensorFlow themselves have, and what no file, process or endless loop can come
from, is let through: a list of what is known to be safe, not of what is known to be bad.
"""

import importlib
import inspect
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from tinynas.errors import ConversionError
from tinynas.training.keras import keras

MAX_BYTES = 1 << 30
"""The most that a model may take in memory or unpacked: some hundred times what a microcontroller's flash holds."""
_MAX_CONFIG_BYTES = 64 << 20
_PARTS = frozenset({"config.json", "metadata.json", "model.weights.h5"})

# --- Keras: what a configuration may name

_ROOMS = (
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "optimizers",
    "optimizers.schedules",
    "quantizers",
    "random",
    "regularizers",
)
_FUNCTION_ROOMS = ("activations", "losses", "metrics")
_NO_FUNCTIONS = ("get", "serialize", "deserialize")
_OPERATIONS = ("core", "image", "linalg", "math", "nn", "numpy")  # Keras 3's functions of tensors, as classes
_MODELS = frozenset({"Functional", "Model", "Sequential", "DTypePolicy"})
# Classes of Keras that run code, read files or load models by what their configuration says, or repeat for ever.
_REFUSED = frozenset(
    {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "StringLookup", "IntegerLookup"}
    | {"TextVectorization", "DenseFeatures", "SequenceFeatures", "Map", "Scan", "AssociativeScan", "WhileLoop"}
    | {"ForiLoop", "Cond", "Switch", "VectorizedMap"}
)
_DATA = frozenset(
    {"__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__keras_tensor__"}
)
# tensorflow-model-optimization's own, in a model that quantize_model made for quantisation-aware training.
_QUANTIZE = frozenset(
    {"QuantizeAnnotate", "QuantizeAwareActivation", "QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2"}
    | {"NoOpActivation", "NoOpQuantizeConfig", "OutputOnlyConfig", "FixedQuantizeConfig", "NoQuantizer"}
    | {f"{kind}Quantizer" for kind in ("AllValues", "Fixed", "LastValue", "MovingAverage")}
    | {f"Default{bits}Conv{kind}WeightsQuantizer" for bits in ("8Bit", "NBit") for kind in ("", "Transpose")}
    | {
        f"Default{bits}{kind}"
        for bits in ("8Bit", "NBit")
        for kind in ("QuantizeConfig", "QuantizeConfigRNN", "ActivationQuantizeConfig", "ConvQuantizeConfig")
    }
    | {
        f"Default{bits}{kind}QuantizeConfig"
        for bits in ("8Bit", "NBit")
        for kind in ("Output", "ConvTranspose", "Concat")
    }
)
_MODULE = re.compile(
    rf"(?:tf_)?keras(?:\.src)?(?:\.(?:{'|'.join(map(re.escape, _ROOMS))}|ops|models|engine|dtype_policy)"
    r"(?:\.\w+)*)?|builtins"
)
_QUANTIZE_MODULE = re.compile(r"tensorflow_model_optimization\.python\.core\.[\w.]+")
_PACKAGE = re.compile(r"(?:(?:tf_)?keras[\w.]*>)?(\w+)")
# TensorFlow's functions that a functional model of tf_keras may hold as TFOpLambda layers.
_FUNCTION_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda"})
_TENSOR_FUNCTION = re.compile(
    r"(?:math|nn|__operators__|linalg|signal)\.\w+|image\.(?:resize|flip|crop|pad|adjust|rgb|grayscale|per)\w*|"
    r"cast|clip_by_value|concat|expand_dims|gather|identity|ones_like|pad|repeat|reshape|reverse|roll|shape|slice|"
    r"split|squeeze|stack|stop_gradient|strided_slice|tile|transpose|unstack|where|zeros_like"
)


def require_harmless(path: Path) -> None:
    """ConversionError when loading the model in `path`, or running it, could run code that came with it.

    `path` is a Keras file of either Keras, or a SavedModel's folder. So is one that unpacks to more than MAX_BYTES.
    """
    if path.is_dir():
        _require_harmless_graph(path)
        return
    for config in _configurations(path):
        compiled = config.pop("compile_config", None) if isinstance(config, dict) else None
        reason = _reason_in(config, _reason_of) or _reason_in(compiled, _reason_of_compiled)
        if reason is not None:
            raise _refusal(path, reason)


def _refusal(path: Path, reason: str) -> ConversionError:
    return ConversionError(
        f"{path} is not loaded: it holds {reason}, by which a file can run code of its own; if you know who made it "
        f"and trust all that is in it, give --trust (trust=True)."
    )


def _configurations(path: Path) -> Iterator[Any]:
    """Yield all that the file says, as JSON, of how its network is built; its weights are held against the bounds."""
    try:
        is_zip = zipfile.is_zipfile(path)
        if is_zip:
            yield from _of_zip(path)
        # A file can be both. Of one that is named .keras both libraries read the archive.
        if h5py.is_hdf5(path) and not (is_zip and path.name.endswith(".keras")):
            with h5py.File(path, "r") as file:
                yield from _of_h5(path, file)
    except (OSError, ValueError, KeyError, RuntimeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConversionError(f"{path} cannot be read as a Keras file ({said}); save the model again.") from error


def _of_zip(path: Path) -> Iterator[Any]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        foreign = [name for name in names if name not in _PARTS]
        if foreign or len(set(names)) != len(names):
            raise _refusal(path, f"the file {foreign[0]!r}" if foreign else "two files of one name")
        _bound(path, sum(info.file_size for info in archive.infolist()), MAX_BYTES)
        for name in ("config.json", "metadata.json"):
            if name in names:
                _bound(path, archive.getinfo(name).file_size, _MAX_CONFIG_BYTES)
                yield json.loads(archive.read(name))
        if "model.weights.h5" in names:
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                yield from _of_h5(path, file)


def _of_h5(path: Path, file: Any) -> Iterator[Any]:
    """Yield the JSON in an open HDF5 file's attributes; ConversionError for data in other files, or too many."""
    total = 0
    groups = [file]
    seen = set()
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise _refusal(path, f"a link to the file {link.filename!r}")
            if isinstance(link, h5py.SoftLink):
                continue  # to a place in this file, which is looked at where it is
            held = group[name]
            if held.id in seen:
                continue
            seen.add(held.id)
            if isinstance(held, h5py.Group):
                groups.append(held)
            elif isinstance(held, h5py.Dataset):
                if held.is_virtual or held.external:
                    raise _refusal(path, f"weights that lie in another file ({name})")
                total += held.size * held.dtype.itemsize if held.shape is not None else 0
                _bound(path, total, MAX_BYTES)
    for name, key in (("model_config", None), ("training_config", "compile_config")):
        text = file.attrs.get(name)
        if text is not None:
            text = text if isinstance(text, str | bytes) else str(text)
            _bound(path, len(text), _MAX_CONFIG_BYTES)
            config = json.loads(text)
            yield config if key is None else {key: config}


def _bound(path: Path, n_bytes: int, most: int) -> None:
    if n_bytes > most:
        raise ConversionError(
            f"{path} would unpack to {n_bytes:,} bytes; wanted at most {most:,}, which is more than any model for a "
            f"microcontroller takes."
        )


def _reason_in(config: Any, reason_of: Callable[[dict[str, Any]], str | None]) -> str | None:
    """Return what in a configuration is refused, None when there is nothing. All of it is looked at, however deep."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            reason = reason_of(value)
            if reason is not None:
                return reason
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return None


def _reason_of(value: dict[str, Any]) -> str | None:
    """Return why an object of a configuration is refused, None for one of Keras's own and for plain values."""
    name, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
    if name is None and module is None and registered is None:
        return None
    if not all(isinstance(part, str | None) for part in (name, module, registered)):
        return "something that is named by no text"
    if name in ("Lambda", "__lambda__"):
        return "a Lambda"
    if name == "function":
        called = value.get("config")
        if (
            not isinstance(called, str)
            or called not in _known().functions
            or registered not in (None, "function", called)
        ):
            return f"the function {_named(module, called)}"
    elif name in _FUNCTION_LAYERS:
        config = value.get("config")
        called = config.get("function") if isinstance(config, dict) else None
        if not isinstance(called, str) or not _TENSOR_FUNCTION.fullmatch(called):
            return f"the function tf.{called}"
    elif name is not None and name not in _known().classes and name not in _DATA:
        return f"{_named(module, name)}, which is no layer of Keras that only computes"
    if module is not None and not _is_known_module(module, name):
        return f"{_named(module, name)}, from outside Keras"
    if registered is not None and name != "function" and not _is_known_name(registered):
        return f"{registered!s:.100}, a class of its own"
    return None


def _reason_of_compiled(value: dict[str, Any]) -> str | None:
    """The same for how the model was trained, which is not loaded: a loss of one's own may be, code may not."""
    name, module = value.get("class_name"), value.get("module")
    if name in ("Lambda", "__lambda__"):
        return "a Lambda"
    if module not in (None, "__main__") and not _is_known_module(module, name):
        return f"{_named(module, value.get('config') if name == 'function' else name)}, from outside Keras"
    return None


def _named(module: Any, name: Any) -> str:
    return ".".join(str(part)[:100] for part in (module, name) if part)


def _is_known_module(module: Any, name: Any) -> bool:
    if not isinstance(module, str):
        return False
    return bool(_MODULE.fullmatch(module) or (name in _QUANTIZE and _QUANTIZE_MODULE.fullmatch(module)))


def _is_known_name(registered: Any) -> bool:
    match = _PACKAGE.fullmatch(registered) if isinstance(registered, str) else None
    return match is not None and match[1] in _known().classes


class _Known(NamedTuple):
    """The names that a configuration may use."""

    classes: frozenset[str]
    functions: frozenset[str]


@lru_cache(maxsize=1)
def _known() -> _Known:
    """Return the names of the classes and functions that are public in either Keras, but for those that are refused."""
    classes, functions = set(_MODELS | _QUANTIZE | _FUNCTION_LAYERS), set()
    keras3 = importlib.import_module("keras")
    for library in (keras, keras3):
        for room in _ROOMS:
            module: Any = library
            for part in room.split("."):
                module = getattr(module, part, None)
            for name, value in vars(module).items() if module is not None else ():
                if inspect.isclass(value):
                    classes.add(name)
                elif room in _FUNCTION_ROOMS and inspect.isfunction(value) and name not in _NO_FUNCTIONS:
                    functions.add(name)
    for name in _OPERATIONS:
        held = vars(importlib.import_module(f"keras.src.ops.{name}"))
        classes |= {
            key for key, value in held.items() if inspect.isclass(value) and issubclass(value, keras3.Operation)
        }
    # names that older files have for what is there under another
    classes |= {"BatchNormalizationV1", "BatchNormalizationV2", "InputSpec", "Policy", "PolicyV1"}
    return _Known(frozenset(classes - _REFUSED), frozenset(functions))


# --- SavedModel: what its graph may do

_STATEFUL = frozenset(  # operators with a state that is no file, no process and no other machine
    {"AssignVariableOp", "DisableCopyOnRead", "Placeholder", "PlaceholderWithDefault", "PartitionedCall"}
    | {"StatefulPartitionedCall", "ReadVariableOp", "VarHandleOp", "VarIsInitializedOp", "VariableShape", "NoOp"}
    | {"ResourceGather", "RandomUniform", "RandomUniformInt", "RandomStandardNormal", "TruncatedNormal"}
    | {"StatelessIf", "If", "StatelessCase", "Case", "AssignAddVariableOp", "AssignSubVariableOp", "Assert"}
)
_LOOP = re.compile(r"While|Loop|^(?:Ref)?(?:Enter|Exit|NextIteration)$|^MapDefun$|^For$")
_FILE = re.compile(r"File|Save|Restore|Checkpoint|Reader|PyFunc|Dataset|Print|Debug|Summary|Remote|Rpc|Custom")


def _require_harmless_graph(path: Path) -> None:
    from tensorflow.python.saved_model import loader_impl

    _bound(path, sum(file.stat().st_size for file in path.rglob("*") if file.is_file()), MAX_BYTES)
    try:
        saved = loader_impl.parse_saved_model(str(path))
    except Exception as error:  # TensorFlow's and protobuf's own
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConversionError(f"{path} is no SavedModel that TensorFlow can load: {said.rstrip('.')}.") from error
    if len(saved.meta_graphs) != 1 or not saved.meta_graphs[0].HasField("object_graph_def"):
        raise _refusal(path, "a graph in the manner of TensorFlow 1, which is run when it is loaded")
    graph = saved.meta_graphs[0]
    functions = {function.signature.name: function.node_def for function in graph.graph_def.library.function}
    saver = {name.split(":")[0] for name in (graph.saver_def.save_tensor_name, graph.saver_def.restore_op_name)}
    main = [node for node in graph.graph_def.node if node.name not in saver]
    spared = _called(functions, [node for node in graph.graph_def.node if node.name in saver])
    # Saving writes files and is never called here; what anything else can call as well is not spared.
    spared -= _reached(functions, set(graph.object_graph_def.concrete_functions)) | _called(functions, main)
    nodes = [*main, *(node for name, held in functions.items() if name not in spared for node in held)]
    for operator in sorted({node.op for node in nodes} - set(functions)):
        reason = _reason_of_operator(operator)
        if reason is not None:
            raise _refusal(path, reason)


def _reason_of_operator(name: str) -> str | None:
    """Return why an operator of TensorFlow is refused, None for one that only computes."""
    from tensorflow.python.framework import op_def_registry

    if _LOOP.search(name):
        return f"a loop ({name}), which may not end"
    if name in _STATEFUL:
        return None
    known = op_def_registry.get(name)
    if known is None or known.is_stateful or _FILE.search(name):
        return f"the operator {name}"
    return None


def _called(functions: dict[str, Any], nodes: Any) -> set[str]:
    """Return the names of all functions that `nodes` call, and those call, and so on."""
    names = set()
    for node in nodes:
        names.add(node.op)
        for value in node.attr.values():
            names.add(value.func.name)
            names.update(each.name for each in value.list.func)
    return _reached(functions, names & set(functions))


def _reached(functions: dict[str, Any], names: set[str]) -> set[str]:
    """Return `names` and all that the functions of these names call."""
    found: set[str] = set()
    waiting = sorted(names & set(functions))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for node in functions[name]:
            waiting.append(node.op)
            for value in node.attr.values():
                waiting.append(value.func.name)
                waiting.extend(each.name for each in value.list.func)
        waiting = [each for each in waiting if each in functions and each not in found]
    return found
