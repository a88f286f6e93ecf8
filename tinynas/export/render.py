"""The texts of the firmware folder, from the templates beside this file."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from tinynas.engine import Engine
from tinynas.errors import ModelError
from tinynas.export import c_text
from tinynas.export.arena import ArenaSize
from tinynas.export.ends import TYPES, End, Ends, Stored, all_ends, quantized
from tinynas.export.facts import Facts, plain_facts, stretched
from tinynas.export.features_c import float_values, spectral_values, whole_values
from tinynas.export.features_tflite import features_tflite
from tinynas.export.golden import Golden
from tinynas.export.operators import registrations
from tinynas.export.output import Output, last_operator
from tinynas.export.stream import background_of, stream_of, stride_words, unit_of
from tinynas.features import Features, IntLogMel, MelFeatures, Spectral
from tinynas.hardware import Target, front_end
from tinynas.tflite import Graph, Tensor, read
from tinynas.tflite.affine import step_of
from tinynas.version import __version__

FORMATS: Mapping[str, tuple[str, ...]] = {
    "tflite": ("{name}.tflite",),
    "c": ("{name}.h", "{name}.cc"),
    "settings": ("{name}_settings.h",),
    "ops": ("{name}_ops.h",),
    "test": ("{name}_test.h", "{name}_test.cc"),
    "features": ("{name}_features.h", "{name}_features.c"),
    "features-tflite": ("{name}_features.tflite",),
    "stream": ("{name}_stream.h", "{name}_stream.c"),
    "bench": ("{name}_bench.h", "{name}_bench.cc"),
    "main": ("main.cc",),
    "readme": ("README.md",),
}
"""What can be asked for of a model under TFLM, and the files of each."""

_MISSING: Mapping[str, str] = {
    "features": "the model has no features to write: it was trained on samples as they are; leave the format away",
    "features-tflite": "the model has no features that TFLM has operators for: those are int_log_mel, of sound",
    "bench": "the benchmark's firmware is for a model with one int8 input and one int8 output",
    "stream": "the model cannot run on a stream: that takes classes, int8 in and out, and sound or a series of steps",
}

DEFAULT_FORMATS = tuple(each for each in FORMATS if each not in ("features-tflite", "bench"))
"""What is written where nothing is asked for, less what there is not of a model."""

ENGINE = "engine"
"""The format that is a folder of its own: the model as plain C."""

_ENGINE_TEMPLATES = {
    "{name}_settings.h": "settings.h",
    "{name}_test.h": "engine_test.h",
    "{name}_test.c": "engine_test.c",
    "main.c": "engine_main.c",
    "{name}_bench.h": "bench.h",
    "{name}_bench.c": "bench.c",
    "{name}_features.h": "features.h",
    "{name}_features.c": "features.c",
    "{name}_stream.h": "stream.h",
    "{name}_stream.c": "stream.c",
    "Makefile": "engine_Makefile",
    "README.md": "engine_README.md",
}

_DECIMALS, _MOST_DECIMALS = 4, 7  # of real values in text: where no step says how many, and as many as a float has

_TEMPLATES = {
    "{name}.h": "model.h",
    "{name}.cc": "model.cc",
    "{name}_settings.h": "settings.h",
    "{name}_ops.h": "ops.h",
    "{name}_test.h": "test.h",
    "{name}_test.cc": "test.cc",
    "{name}_features.h": "features.h",
    "{name}_features.c": "features.c",
    "{name}_stream.h": "stream.h",
    "{name}_stream.c": "stream.c",
    "{name}_bench.h": "bench.h",
    "{name}_bench.cc": "bench.c",
    "main.cc": "main.cc",
    "README.md": "README.md",
}
# What is said of each kind of output, and the functions of its own.
_WORDS: Mapping[str, str] = {
    "classes": "one value for each class; the greatest is the answer.",
    "binary": "one value; above {threshold} as a real value it stands for class 1, else for class 0.",
    "values": "{values} real value(s), (output - zero point) * scale.",
    "reconstruction": "the input once more, {values} values; how far it is from the input says how strange that is.",
}
_HELPERS: Mapping[str, tuple[str, ...]] = {
    "classes": ("best_class", "class_name"),
    "binary": ("best_class", "class_name"),
    "values": ("values",),
    "reconstruction": ("error",),
}


@dataclass(frozen=True, eq=False)
class Firmware:
    """Everything that the files say; with an `engine` they are those of plain C, without TFLM and its arena.

    `output` is what the first output is, `more_outputs` what the others are; `names` are those of the tensors, by
    number, for several inputs or outputs; without them the file's are taken. `features` is how sound becomes its input.
    """

    name: str
    tflite: bytes
    output: Output
    facts: Facts
    arena: ArenaSize | None
    golden: Golden
    target: Target | None
    offline_plan: bool
    warnings: tuple[str, ...] = ()
    more_outputs: tuple[Output, ...] = ()
    names: tuple[str, ...] = ()
    engine: Engine | None = None
    features: Features | None = None

    def has(self, form: str) -> bool:
        """Whether there is anything to write of a format."""
        if form == "features-tflite":
            return isinstance(self.features, IntLogMel)
        if form == "bench":
            graph = read(self.tflite)
            return [graph.tensors[index].dtype for index in (*graph.inputs, *graph.outputs)] == ["INT8", "INT8"]
        if form == "features":
            return self.features is not None and self.facts.normalization is not None
        return form != "stream" or stream_of(self.tflite, self.output, self.facts, self.features) is not None


def render(firmware: Firmware, formats: Iterable[str] = DEFAULT_FORMATS) -> dict[str, bytes]:
    """The files of `formats` by name, in their order; ModelError, in one sentence, for what no file can say."""
    c_text.check_name(firmware.name)
    if firmware.engine is not None:
        return _rendered_engine(firmware, firmware.engine)
    asked = set(formats)
    missing = [form for form in FORMATS if form in asked and not firmware.has(form)]
    if missing and asked != set(DEFAULT_FORMATS):
        raise ModelError(_MISSING[missing[0]])
    if "stream" in asked and "stream" not in missing:  # whose C includes that of one of these
        asked |= {"features"} if firmware.has("features") else {"settings"}
    if "bench" in asked:  # whose C includes these
        asked |= {"c", "settings", "ops", "test"} | ({"features"} if firmware.has("features") else set())
    if "features" in asked and isinstance(firmware.features, MelFeatures):  # whose C calls NAME_quantize()
        asked |= {"settings"}
    wanted = [file for form in FORMATS if form in asked and form not in missing for file in FORMATS[form]]
    values = {**values_of(firmware), "files": [each.format(name=firmware.name) for each in wanted]}
    files = {}
    for file in wanted:
        name = file.format(name=firmware.name)
        template = _TEMPLATES.get(file)
        files[name] = _binary(firmware, file) if template is None else rendered(_of(firmware, template), values)
    return files


def _of(firmware: Firmware, template: str) -> str:
    """The template, or that of its kind of features."""
    if isinstance(firmware.features, Spectral):
        return {"features.h": "features_spectral.h", "features.c": "features_spectral.c"}.get(template, template)
    return "features_float.c" if template == "features.c" and isinstance(firmware.features, MelFeatures) else template


def _binary(firmware: Firmware, file: str) -> bytes:
    """The bytes of a file that is no text."""
    if file == "{name}_features.tflite" and isinstance(firmware.features, IntLogMel):
        return features_tflite(firmware.features)
    return firmware.tflite


@cache
def _environment() -> Environment:
    """Where the templates are, each compiled once."""
    return Environment(
        loader=PackageLoader("tinynas.export"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def rendered(template: str, values: Mapping[str, Any]) -> bytes:
    """The text of a template beside this file, which knows `values` by name.

    What a condition leaves out would leave the blank lines around it.
    """
    text = _environment().get_template(f"{template}.j2").render(values)
    return re.sub(r"\n{3,}", "\n\n", text).encode()


def _rendered_engine(firmware: Firmware, engine: Engine) -> dict[str, bytes]:
    """The folder of plain C: the engine's own files, then those around it."""
    from tinynas.engine.figures import measured

    more = {"figures": engine.figures, "keeps_input": engine.keeps_input, "compiler": measured()["compiler"]}
    values = {**values_of(firmware), **more}
    names = {
        file.format(name=firmware.name): _of(firmware, template)
        for file, template in _ENGINE_TEMPLATES.items()
        if firmware.has(template.partition(".")[0])
    }
    return {**engine.files(firmware.name), **{name: rendered(each, values) for name, each in names.items()}}


def values_of(firmware: Firmware) -> dict[str, Any]:
    """What the templates know by name."""
    graph = read(firmware.tflite)
    ends = all_ends(graph, firmware.names or None)
    golden = firmware.golden
    outputs = (firmware.output, *firmware.more_outputs)
    if len(outputs) != len(ends.outputs):
        raise ModelError(f"{len(outputs)} meanings came for a model of {len(ends.outputs)} outputs; give one each")
    ins = [
        _end_values(number, end, "input", rows) | {"channels": _channels(firmware, ends, end)}
        for number, (end, rows) in enumerate(zip(ends.inputs, (golden.inputs, *golden.more_inputs), strict=True))
    ]
    outs = [
        _end_values(number, end, "output", rows) | _output_values(graph, end, output, rows, ins)
        for number, (end, output, rows) in enumerate(
            zip(ends.outputs, outputs, (golden.outputs, *golden.more_outputs), strict=True)
        )
    ]
    return {
        "name": firmware.name,
        "NAME": firmware.name.upper(),
        "version": __version__,
        "version_string": c_text.string(__version__),
        "length": len(firmware.tflite),
        "digest": hashlib.sha256(firmware.tflite).hexdigest(),
        "bytes": c_text.byte_array(firmware.tflite),
        "registrations": () if firmware.engine else registrations(graph),
        "arena": firmware.arena,
        "board": c_text.string("any" if firmware.target is None else firmware.target.name),
        "board_words": c_text.markdown("any" if firmware.target is None else firmware.target.name),
        "core": None if firmware.target is None else firmware.target.core,
        "exact": firmware.target is None or firmware.target.arena_is_exact,
        "offline_plan": firmware.offline_plan,
        "warnings": firmware.warnings,
        "facts": firmware.facts,
        "golden": golden,
        "alone": ends.alone,
        "classifies": any(out["n_classes"] for out in outs),
        **_features_values(firmware, ends.inputs[0].tensor),
        **_stream_values(firmware),
        "rate": firmware.facts.rate,
        "rate_words": None if firmware.facts.rate is None else c_text.number(firmware.facts.rate),
        "channel_names": _macro(map(c_text.string, firmware.facts.names)),
        "channel_units": _macro(map(c_text.string, map(unit_of, firmware.facts.names))),
        "engine": firmware.engine is not None,
        "operators": _operators(firmware, graph),
        "ins": ins,
        "outs": outs,
        **_facts_values(firmware.facts),
    }


def _operators(firmware: Firmware, graph: Graph) -> list[str]:
    """What runs one after the other and can be timed: the engine's calls, or the file's operators."""
    if firmware.engine is not None:
        return [call.function.removeprefix("tn_") for call in firmware.engine.calls]
    return [operator.name for operator in graph.operators]


def _channels(firmware: Firmware, ends: Ends, end: End) -> int:
    """How many channels an input has: those of the data where there is one input, else its last side."""
    return firmware.facts.channels if ends.alone else plain_facts(end.tensor).channels


def _end_values(number: int, end: End, what: str, rows: Stored) -> dict[str, Any]:
    """What the templates know of an input or output; its names in C hold its own where it is one of several."""
    tensor = end.tensor
    kind, is_float = TYPES[tensor.dtype], tensor.dtype == "FLOAT32"
    return {
        "number": number,
        "macro": f"{what}_{end.name}".rstrip("_").upper(),
        "suffix": f"_{end.name}".rstrip("_"),
        "scope": f"{end.name}_".lstrip("_").upper(),
        "title": f" {end.name}".rstrip(),
        "said": f", {end.name}," if end.name else "",
        "rank": len(tensor.shape),
        "shape": ", ".join(map(str, tensor.shape)),
        "length": tensor.elements,
        "type": kind.c,
        "field": kind.field,
        "enum": kind.enum,
        "words": tensor.dtype.lower(),
        "is_float": is_float,
        "scale": None if is_float else c_text.number(tensor.scales[0]),
        "zero_point": None if is_float else tensor.zero_points[0],
        "least": None if is_float else int(np.iinfo(kind.numpy).min),
        "most": None if is_float else int(np.iinfo(kind.numpy).max),
        "golden": [c_text.array(_literals(row)) for row in rows],
    }


def _output_values(
    graph: Graph, end: End, output: Output, rows: Stored, ins: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What the templates know of the kind of an output; ModelError for class names that are too many or too few."""
    result, step = end.tensor, step_of(graph, end.index)
    wanted = {"classes": result.elements, "binary": 2}.get(output.kind, 0)
    if len(output.class_names) != wanted:
        raise ModelError(
            f"{len(output.class_names)} class names came for a model with {wanted} classes; give one each"
            if wanted
            else f"{len(output.class_names)} class names came for a model whose output is no classes; give none"
        )
    if output.kind == "reconstruction" and [given["length"] for given in ins] != [result.elements]:
        raise ModelError("the model's output has not as many values as its one input, so it is no reconstruction")
    decimals = _DECIMALS if step is None else min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(step))))
    greatest = float(np.abs(rows.astype(np.float64)).max())
    return {
        "kind": output.kind,
        "probabilities": last_operator(graph, end.index) in ("SOFTMAX", "LOGISTIC"),
        "n_classes": wanted,
        "class_names": _macro(map(c_text.string, output.class_names)),
        "threshold": output.threshold,
        "threshold_step": _threshold(output.threshold, result),
        "means": _WORDS[output.kind].format(values=result.elements, threshold=f"{output.threshold:g}"),
        "reason": output.reason if output.others else "",
        "helpers": _HELPERS[output.kind],
        "decimals": decimals,
        "decimal_factor": 10**decimals,
        "test_step": c_text.number(step or greatest / 255 or 1.0),
    }


def _threshold(threshold: float, result: Tensor) -> str:
    """The threshold as the output's type holds values: above it in steps is above it as a real value."""
    if result.dtype == "FLOAT32":
        return c_text.number(threshold)
    return str(math.floor(result.zero_points[0] + threshold / result.scales[0]))


def _features_values(firmware: Firmware, source: Tensor) -> dict[str, Any]:
    """What the templates know of the features; the int8 of each byte is what Python's normalisation makes of it."""
    features, normalization = firmware.features, firmware.facts.normalization
    if features is None or normalization is None:
        return {"f": None, "noise": None, "spectral": None}
    if isinstance(features, MelFeatures):
        return {**float_values(features), "spectral": None}
    every = stretched(normalization.apply(np.arange(256, dtype=np.uint8)[:, None]), firmware.facts.input_range)
    levels = quantized(every, replace(source, shape=(1, 1)))
    if isinstance(features, Spectral):
        return spectral_values(features, levels.reshape(256))
    return {**whole_values(features, levels.reshape(256)), "spectral": None}


def _stream_values(firmware: Firmware) -> dict[str, Any]:
    """What the templates know of the stream and what it takes; None where the model has none."""
    stream = stream_of(firmware.tflite, firmware.output, firmware.facts, firmware.features)
    if stream is None:
        return {"stream": None, "front_end": lambda: None}
    return {
        "stream": stream,
        "stride_words": stride_words(stream),
        "stream_background": background_of(stream),
        "front_end": partial(front_end, firmware.features, stream, firmware.target, engine=firmware.engine is not None),
    }


def _facts_values(facts: Facts) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if facts.normalization is not None:
        dtype = facts.normalization.source_dtype
        if not dtype.isalnum() or not dtype.isascii():
            raise ModelError(f"the normalisation's source_dtype is {dtype!r}, wanted a type's name such as 'uint8'")
        values |= {
            "source_dtype": dtype,
            "n_offsets": len(facts.normalization.offset),
            "offsets": _macro(map(c_text.double, facts.normalization.offset)),
            "scales": _macro(map(c_text.double, facts.normalization.scale)),
            "low": c_text.number(facts.input_range[0]),
            "high": c_text.number(facts.input_range[1]),
            "span": c_text.number(facts.input_range[1] - facts.input_range[0]),
        }
    return values


def _macro(values: Iterable[object]) -> str:
    """The values as an initialiser over as many lines of a macro as it takes."""
    return c_text.array(values).strip().rstrip(",").replace("\n", " \\\n")


def _literals(row: Stored) -> list[object]:
    """The values of a row as literals of C."""
    return [c_text.number(value) for value in row] if row.dtype == np.float32 else row.tolist()
