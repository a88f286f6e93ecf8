"""The texts of the firmware folder, from the templates beside this file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from tinynas.engine import Engine
from tinynas.errors import ModelError
from tinynas.export import c_text
from tinynas.export.arena import ArenaSize
from tinynas.export.ends import TYPES, Stored, ends
from tinynas.export.facts import Facts
from tinynas.export.golden import Golden
from tinynas.export.operators import registrations
from tinynas.export.output import Output, last_operator
from tinynas.hardware import Target
from tinynas.tflite import Tensor, read
from tinynas.tflite.affine import step_of
from tinynas.version import __version__

FORMATS: Mapping[str, tuple[str, ...]] = {
    "tflite": ("{name}.tflite",),
    "c": ("{name}.h", "{name}.cc"),
    "settings": ("{name}_settings.h",),
    "ops": ("{name}_ops.h",),
    "test": ("{name}_test.h", "{name}_test.cc"),
    "main": ("main.cc",),
    "readme": ("README.md",),
}
"""What can be asked for of a model under TFLM, and the files of each."""

ENGINE = "engine"
"""The format that is a folder of its own: the model as plain C."""

_ENGINE_TEMPLATES = {
    "{name}_settings.h": "settings.h",
    "{name}_test.h": "engine_test.h",
    "{name}_test.c": "engine_test.c",
    "main.c": "engine_main.c",
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
    "main.cc": "main.cc",
    "README.md": "README.md",
}
# What is said of each kind of output, and the functions of its own.
_WORDS: Mapping[str, str] = {
    "classes": "one value a class; the greatest is the answer.",
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
    """Everything that the files say; with an `engine` they are those of plain C, without TFLM and its arena."""

    name: str
    tflite: bytes
    output: Output
    facts: Facts
    arena: ArenaSize | None
    golden: Golden
    target: Target | None
    offline_plan: bool
    warnings: tuple[str, ...] = ()
    engine: Engine | None = None


def render(firmware: Firmware, formats: Iterable[str] = FORMATS) -> dict[str, bytes]:
    """The files of `formats` by name, in their order; ModelError, in one sentence, for what no file can say."""
    c_text.check_name(firmware.name)
    if firmware.engine is not None:
        return _rendered_engine(firmware, firmware.engine)
    wanted = [file for form in FORMATS if form in set(formats) for file in FORMATS[form]]
    values = {**_values(firmware), "files": [each.format(name=firmware.name) for each in wanted]}
    files = {}
    for file in wanted:
        name = file.format(name=firmware.name)
        files[name] = _rendered(_TEMPLATES[file], values) if file in _TEMPLATES else firmware.tflite
    return files


def _rendered(template: str, values: Mapping[str, Any]) -> bytes:
    environment = Environment(
        loader=PackageLoader("tinynas.export"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{template}.j2").render(values).encode()


def _rendered_engine(firmware: Firmware, engine: Engine) -> dict[str, bytes]:
    """The folder of plain C: the engine's own files, then those around it."""
    from tinynas.engine.figures import measured

    more = {"figures": engine.figures, "keeps_input": engine.keeps_input, "compiler": measured()["compiler"]}
    values = {**_values(firmware), **more}
    names = {file.format(name=firmware.name): template for file, template in _ENGINE_TEMPLATES.items()}
    return {**engine.files(firmware.name), **{name: _rendered(each, values) for name, each in names.items()}}


def _values(firmware: Firmware) -> dict[str, Any]:
    """What the templates know by name."""
    source, result = ends(firmware.tflite)
    graph = read(firmware.tflite)
    return {
        "name": firmware.name,
        "NAME": firmware.name.upper(),
        "version": __version__,
        "version_string": c_text.string(__version__),
        "length": len(firmware.tflite),
        "digest": hashlib.sha256(firmware.tflite).hexdigest(),
        "bytes": c_text.byte_array(firmware.tflite),
        "registrations": () if firmware.engine else registrations(graph),
        "probabilities": last_operator(graph) in ("SOFTMAX", "LOGISTIC"),
        "arena": firmware.arena,
        "board": c_text.string("any" if firmware.target is None else firmware.target.name),
        "core": None if firmware.target is None else firmware.target.core,
        "exact": firmware.target is None or firmware.target.arena_is_exact,
        "offline_plan": firmware.offline_plan,
        "warnings": firmware.warnings,
        "facts": firmware.facts,
        **_tensor_values(source, "input"),
        **_tensor_values(result, "output"),
        **_facts_values(firmware.facts),
        **_output_values(firmware.output, source, result, step_of(graph, graph.outputs[0])),
        **_golden_values(firmware.golden, step_of(graph, graph.outputs[0])),
    }


def _tensor_values(tensor: Tensor, what: str) -> dict[str, Any]:
    kind = TYPES[tensor.dtype]
    is_float = tensor.dtype == "FLOAT32"
    return {
        f"{what}_rank": len(tensor.shape),
        f"{what}_shape": ", ".join(map(str, tensor.shape)),
        f"{what}_length": tensor.elements,
        f"{what}_type": kind.c,
        f"{what}_field": kind.field,
        f"{what}_enum": kind.enum,
        f"{what}_words": "float32" if is_float else tensor.dtype.lower(),
        f"{what}_is_float": is_float,
        f"{what}_scale": None if is_float else c_text.number(tensor.scales[0]),
        f"{what}_zero_point": None if is_float else tensor.zero_points[0],
        f"{what}_least": None if is_float else int(np.iinfo(kind.numpy).min),
        f"{what}_most": None if is_float else int(np.iinfo(kind.numpy).max),
    }


def _output_values(output: Output, source: Tensor, result: Tensor, step: float | None) -> dict[str, Any]:
    """What the templates know of the kind of output; ModelError for class names that are too many or too few.

    `step` is the difference of neighbouring real values, where there are such.
    """
    wanted = {"classes": result.elements, "binary": 2}.get(output.kind, 0)
    if len(output.class_names) != wanted:
        raise ModelError(
            f"{len(output.class_names)} class names came for a model with {wanted} classes; give one each"
            if wanted
            else f"{len(output.class_names)} class names came for a model whose output is no classes; give none"
        )
    if output.kind == "reconstruction" and source.elements != result.elements:
        raise ModelError(f"the model gives {result.elements} values for {source.elements}, so it is no reconstruction")
    decimals = _DECIMALS if step is None else min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(step))))
    return {
        "kind": output.kind,
        "n_classes": wanted,
        "class_names": _macro(map(c_text.string, output.class_names)),
        "threshold": output.threshold,
        "threshold_step": _threshold(output.threshold, result),
        "output_means": _WORDS[output.kind].format(values=result.elements, threshold=f"{output.threshold:g}"),
        "output_reason": output.reason if output.others else "",
        "helpers": _HELPERS[output.kind],
        "decimals": decimals,
        "decimal_factor": 10**decimals,
    }


def _threshold(threshold: float, result: Tensor) -> str:
    """The threshold as the output's type holds values: above it in steps is above it as a real value."""
    if result.dtype == "FLOAT32":
        return c_text.number(threshold)
    return str(math.floor(result.zero_points[0] + threshold / result.scales[0]))


def _facts_values(facts: Facts) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if facts.normalization is not None:
        dtype = facts.normalization.source_dtype
        if not dtype.isalnum() or not dtype.isascii():
            raise ModelError(f"the normalisation's source_dtype is {dtype!r}, wanted a type's name such as 'uint8'")
        values |= {
            "source_dtype": dtype,
            "n_offsets": len(facts.normalization.offset),
            "offsets": _macro(map(c_text.number, facts.normalization.offset)),
            "scales": _macro(map(c_text.number, facts.normalization.scale)),
            "low": c_text.number(facts.input_range[0]),
            "high": c_text.number(facts.input_range[1]),
        }
    return values


def _macro(values: Iterable[object]) -> str:
    """The values as an initialiser over as many lines of a macro as it takes."""
    return c_text.array(values).strip().rstrip(",").replace("\n", " \\\n")


def _golden_values(golden: Golden, step: float | None) -> dict[str, Any]:
    """The golden samples; `test_step` is what a float output's tolerance is counted in."""
    greatest = float(np.abs(golden.outputs.astype(np.float64)).max())
    return {
        "golden": golden,
        "golden_inputs": [c_text.array(_literals(row)) for row in golden.inputs],
        "golden_outputs": [c_text.array(_literals(row)) for row in golden.outputs],
        "test_step": c_text.number(step or greatest / 255 or 1.0),
    }


def _literals(row: Stored) -> list[object]:
    """The values of a row as literals of C."""
    return [c_text.number(value) for value in row] if row.dtype == np.float32 else row.tolist()
