"""The firmware as a package: one tree for each of the tools that boards are programmed with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tinynas.errors import ModelError
from tinynas.export import c_text
from tinynas.export.render import DEFAULT_FORMATS, ENGINE, Firmware, render, rendered, values_of
from tinynas.features import Spectral
from tinynas.options import PackageKind

_EXAMPLE = {"examples/classify/classify.ino": "classify.ino", "examples/record/record.ino": "record.ino"}

PACKAGES: Mapping[PackageKind, Mapping[str, str]] = {
    "arduino": {"library.properties": "library.properties", "keywords.txt": "keywords.txt", **_EXAMPLE},
    "platformio": {
        "library.json": "library.json",
        "examples/classify/platformio.ini": "platformio.ini",
        "examples/classify/src/main.cpp": "classify.ino",
        "examples/record/platformio.ini": "platformio.ini",
        "examples/record/src/main.cpp": "record.ino",
    },
    "esp-idf": {
        "idf_component.yml": "idf_component.yml",
        "CMakeLists.txt": "idf.cmake",
        "examples/classify/CMakeLists.txt": "idf_project.cmake",
        "examples/classify/main/CMakeLists.txt": "idf_main.cmake",
        "examples/classify/main/idf_component.yml": "idf_main.yml",
        "examples/classify/main/main.c": "classify.c",
    },
    "zephyr": {
        "zephyr/module.yml": "module.yml",
        "zephyr/CMakeLists.txt": "zephyr.cmake",
        "zephyr/Kconfig": "Kconfig",
        "west.yml": "west.yml",
        "sample/CMakeLists.txt": "zephyr_sample.cmake",
        "sample/prj.conf": "prj.conf",
        "sample/sample.yaml": "sample.yaml",
        "sample/src/main.c": "classify.c",
    },
    "cmsis-pack": {"tinynas.{name}.pdsc": "pack.pdsc", "examples/classify.c": "classify.c"},
    "cmake": {"CMakeLists.txt": "library.cmake", "examples/classify/main.c": "classify.c"},
}
"""What can be asked for as a package, and the files of each beside its sources: path -> template."""

SOURCES = "src"
"""The folder of a package's sources; all in it is tinynas's own."""

PACKAGE_VERSION = "1.0.0"

# What a package is not made of: its own example and build file take the place of these, and a C array that of the file.
_NOT_PACKED = frozenset({"main.cc", "main.c", "Makefile", "README.md"})
_COMMON = {"LICENSE": "LICENSE", "README.md": "README.md"}
_FACADE = {"{name}_inference.h": "inference.h"}
_FACADES = {
    True: {"{name}_inference.c": "inference.c", "{name}.h": "header.h"},
    False: {"{name}_inference.cpp": "inference.cpp"},
}
_WITH_ARDUINOS_TFLM = {"{name}_tflm.h": "tflm.h"}
_LONGEST = 32  # of the name of a library, by the rules of Arduino's Library Manager


def package(firmware: Firmware, kind: PackageKind) -> dict[str, bytes]:
    """The files of the package `kind`, one of PACKAGES, by their paths; ModelError where its name cannot be its."""
    _check_name(firmware.name, kind)
    is_engine = firmware.engine is not None
    flat = render(firmware, [ENGINE] if is_engine else DEFAULT_FORMATS)
    sources = {
        _cpp(name): _renamed(data, firmware.name)
        for name, data in flat.items()
        if name not in _NOT_PACKED and not name.endswith(".tflite")
    }
    values = {
        **values_of(firmware),
        "kind": kind,
        "engine": firmware.engine,
        "package_version": PACKAGE_VERSION,
        "arduino_like": kind in ("arduino", "platformio"),
        "url": "https://pypi.org/project/tinynas/",
        **_words(firmware),
        **_recorded(firmware),
    }
    made = {**_FACADE, **_FACADES[is_engine]}
    if values["arduino_like"] and not is_engine:
        made |= _WITH_ARDUINOS_TFLM
    sources |= {_named(name, firmware): _text(template, values) for name, template in made.items()}
    listed = sorted(sources)
    values |= {
        "headers": [name for name in listed if name.endswith(".h")],
        "compiled": [name for name in listed if not name.endswith(".h")],
        "functions": _functions(sources[f"{firmware.name}_inference.h"].decode()),
        "constants": _constants(sources[f"{firmware.name}_settings.h"].decode()),
    }
    values["library_json"] = _library_json(firmware, values)
    around = {_named(path, firmware): _text(each, values) for path, each in {**_COMMON, **PACKAGES[kind]}.items()}
    return {**around, **{f"{SOURCES}/{name}": data for name, data in sorted(sources.items())}}


def _text(template: str, values: Mapping[str, Any]) -> bytes:
    return rendered(f"package/{template}", values)


def _named(path: str, firmware: Firmware) -> str:
    return path.format(name=firmware.name)


def _cpp(name: str) -> str:
    """The name of a source as all builders of Arduino's take it: older ones pass over .cc."""
    return f"{name[:-3]}.cpp" if name.endswith(".cc") else name


def _renamed(data: bytes, name: str) -> bytes:
    """What a source says of the others by their names here."""
    return data.replace(f"{name}.cc ".encode(), f"{name}.cpp ".encode()).replace(
        f"; it may be renamed to {name}.c or {name}.cpp".encode(), b""
    )


def _words(firmware: Firmware) -> dict[str, str]:
    """What a package says of itself: a sentence, and what comes behind it."""
    output = firmware.output
    what = f"tells {len(output.class_names)} classes apart" if output.class_names else "answers with values"
    needs = "It is plain C and needs no library" if firmware.engine else "It needs TensorFlow Lite for Microcontrollers"
    return {
        "summary": f"A neural network for a microcontroller that {what}.",
        "details": f"{needs}. The examples read a sensor and print the answer, and record a sensor's values.",
    }


def _recorded(firmware: Firmware) -> dict[str, Any]:
    """What the sketch that records prints: the channels and steps of the training data, where these are a sensor's."""
    facts = firmware.facts
    of_sound = firmware.features is not None and not isinstance(firmware.features, Spectral)
    is_sensor = facts.layout == "series" and not of_sound and facts.names
    names = facts.names if is_sensor else tuple(f"a{number}" for number in range(3))
    rate = "50" if facts.rate is None or of_sound else f"{facts.rate:g}"
    return {
        "record_names": [c_text.string(_header(name)) for name in names],
        "record_rate": rate,
        "said_names": ", ".join(
            re.sub(r"[*/\\\\?]+", " ", _header(name)) for name in facts.names
        ),  # within a comment of C
    }


def _header(name: str) -> str:
    """The name of a channel as a column's: no comma, no quote, no end of line."""
    return " ".join(re.sub(r'[",;\s]+', " ", name).split()) or "value"


def _library_json(firmware: Firmware, values: Mapping[str, Any]) -> str:
    """The manifest of PlatformIO."""
    is_engine = firmware.engine is not None
    manifest = {
        "name": firmware.name,
        "version": PACKAGE_VERSION,
        "description": values["summary"],
        "keywords": ["tinyml", "neural network", "tinynas"],
        "authors": [{"name": f"tinynas {values['version']}"}],
        "license": "Apache-2.0",
        "homepage": values["url"],
        "frameworks": "*" if is_engine else "arduino",
        "platforms": "*",
        "headers": f"{firmware.name}_inference.h",
        "examples": [
            {"name": each, "base": f"examples/{each}", "files": ["platformio.ini", "src/main.cpp"]}
            for each in ("classify", "record")
        ],
        "dependencies": {} if is_engine else {"spaziochirale/Chirale_TensorFLowLite": "^2.0.0"},
        "build": {} if is_engine else {"unflags": ["-std=gnu++11", "-std=gnu++14"], "flags": ["-std=gnu++17"]},
    }
    return json.dumps({key: value for key, value in manifest.items() if value}, indent=2)


def _constants(header: str) -> list[str]:
    return re.findall(r"^#define ([A-Z]\w*) ", header, re.MULTILINE)


def _functions(header: str) -> list[str]:
    return re.findall(r"^[^\s/*#].*?(\w+)\(.*\);", header, re.MULTILINE)


def _check_name(name: str, kind: PackageKind) -> None:
    """ModelError for a name that Arduino's Library Manager refuses; the other tools take every name of C."""
    if kind != "arduino":
        return
    for refused in ("arduino", "library"):
        if refused in name.lower():
            raise ModelError(
                f"an Arduino library cannot be called {name!r}: its name must not contain {refused!r}; "
                f"choose another with --name"
            )
    if len(name) > _LONGEST:
        raise ModelError(
            f"an Arduino library cannot be called {name!r}, which has {len(name)} characters: {_LONGEST} at most; "
            f"choose another with --name"
        )
