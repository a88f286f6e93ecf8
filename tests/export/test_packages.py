"""Packages: what each holds, that their tools take them, and that what they build answers as Python does."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.export.firmware import CORES, STUBS, WARNINGS, made, needs_arm, needs_compiler, run, table
from tests.export.packages import HOST, TOOLS, answers, files_of, firmwares, rows, sensor, tool, unpacked
from tinynas import convert
from tinynas.errors import ConversionError, ModelError, UsageError
from tinynas.export.packages import PACKAGES, package
from tinynas.options import PACKAGE_KINDS
from tinynas.version import __version__

ARENA = Path(__file__).parents[1] / "fixtures" / "arena"
NET = ARENA / "mn_tiny_c4_b1.tflite"
needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed: make system-packages")
needs_builder = pytest.mark.skipif(
    shutil.which("arduino-builder") is None, reason="arduino-builder is not installed: make system-packages"
)
STEPS_IN = "\n".join(",".join(map(str, row)) for row in rows().tolist()) + "\n"


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def said(output: str) -> list[str]:
    """The classes of a program's lines, once it has said that its self-check is right."""
    first, *told = output.splitlines()
    assert first == "net: self-check: 0 wrong values"
    return told


def test_every_kind_is_an_option() -> None:
    assert tuple(PACKAGES) == PACKAGE_KINDS


@pytest.mark.parametrize("is_engine", [True, False])
def test_each_holds_its_sources_an_example_a_licence_and_a_readme(is_engine: bool) -> None:
    for firmware in firmwares(is_engine).values():
        for kind in PACKAGE_KINDS:
            files = files_of(firmware, kind)
            name = firmware.name
            assert {"LICENSE", "README.md"} <= set(files), kind
            assert b"\n\n\n" not in files["README.md"], kind
            assert __version__ in files["README.md"].decode()
            assert [path for path in files if re.search(r"(classify|sample)", path)], kind
            sources = {path for path in files if path.startswith("src/")}
            assert {f"src/{name}.h", f"src/{name}_inference.h", f"src/{name}_settings.h"} <= sources
            assert (f"src/{name}_engine.c" in sources) == is_engine
            assert (f"src/{name}_ops.h" in sources) == (not is_engine)
            assert not [path for path in files if path.endswith((".cc", ".tflite", "Makefile"))]
            text = b"".join(files.values())
            assert b"tensorflow/lite" not in text if is_engine else b"tensorflow/lite" in text
            assert b"read_sensor" in text
            assert f"{name}.cc".encode() not in text


def test_tflm_is_the_stated_dependency_and_the_engine_has_none() -> None:
    for is_engine in (False, True):
        texts = {kind: files_of(sensor(is_engine), kind) for kind in PACKAGE_KINDS}
        stated = {
            "arduino": "depends" in properties(texts["arduino"]["library.properties"].decode()),
            "platformio": "dependencies" in json.loads(texts["platformio"]["library.json"]),
            "esp-idf": b"espressif/esp-tflite-micro" in texts["esp-idf"]["idf_component.yml"],
            "zephyr": b"- tflite-micro" in texts["zephyr"]["zephyr/module.yml"],
            "cmsis-pack": b'vendor="tensorflow"' in texts["cmsis-pack"]["tinynas.net.pdsc"],
            "cmake": b"NET_TFLM" in texts["cmake"]["CMakeLists.txt"],
        }
        assert set(stated.values()) == {not is_engine}, stated


@pytest.mark.parametrize("is_engine", [True, False])
def test_arduinos_rules(is_engine: bool) -> None:
    files = files_of(sensor(is_engine), "arduino")
    found = properties(files["library.properties"].decode())
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    assert required <= set(found)
    assert all(found.values())
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"])
    assert found["category"] == "Data Processing"
    assert found["sentence"] not in found["paragraph"]
    assert f"src/{found['name']}.h" in files  # the header that is called as the library is
    assert f"src/{found['includes']}" in files
    for line in files["keywords.txt"].decode().splitlines():
        assert re.fullmatch(r"\w+\t(KEYWORD2|LITERAL1)", line)
    for path in files:
        assert len(path.split("/")) == 2 or re.fullmatch(r"examples/(\w+)/\1\.ino", path) or path.count("/") == 0


@pytest.mark.parametrize(("name", "wanted"), [("my_arduino_net", "arduino"), ("alibrary", "library"), ("n" * 33, "33")])
def test_names_that_arduino_refuses(name: str, wanted: str) -> None:
    with pytest.raises(ModelError, match=rf"{wanted}.*choose another with --name"):
        package(made(name=name), "arduino")
    assert package(made(name=name), "cmake")


@needs_compiler
def test_the_arduino_library_runs_on_this_computer(tmp_path: Path) -> None:
    firmware = sensor()
    folder = unpacked(tmp_path, firmware, "arduino")
    sources = [path for path in (folder / "src").iterdir() if path.suffix == ".c"]
    run(["gcc", "-std=c99", "-O1", *WARNINGS, "-c", *sources], tmp_path)
    objects = [f"{path.stem}.o" for path in sources]
    for sketch in ("classify", "record"):
        text = (folder / "examples" / sketch / f"{sketch}.ino").read_text()
        (tmp_path / "sketch.cpp").write_text(f'#include "Arduino.h"\n{text}')
        flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{HOST}", f"-I{folder / 'src'}"]
        run(["g++", *flags, "sketch.cpp", HOST / "main.cpp", *objects, "-o", sketch], tmp_path)
    told = said(run([tmp_path / "classify"], tmp_path, input=STEPS_IN.replace(",", " ")))
    assert told == answers(firmware, rows())
    assert told == ["left", "right", "up"]
    lines = run([tmp_path / "record"], tmp_path, input=STEPS_IN.replace(",", " ")).splitlines()
    assert lines[0] == "time_ms,ax [g],a y */,z??/"
    first, second = (line.split(",") for line in lines[1:3])
    assert [float(value) for value in first[1:]] == rows()[0].tolist()
    assert int(second[0]) - int(first[0]) in range(18, 23)  # looking at the clock takes time there


PLATFORM = r"""name=Host
version=1
compiler=-std=gnu++17 -I{build.core.path} {includes}
recipe.cpp.o.pattern="g++" -c -std=gnu++17 {includes} "{source_file}" -o "{object_file}"
recipe.c.o.pattern="gcc" -c -std=gnu99 {includes} "{source_file}" -o "{object_file}"
recipe.S.o.pattern="gcc" -c {includes} "{source_file}" -o "{object_file}"
recipe.ar.pattern="ar" rcs "{archive_file_path}" "{object_file}"
recipe.c.combine.pattern="g++" {object_files} "{archive_file_path}" -o "{build.path}/{build.project_name}.elf"
recipe.preproc.includes="g++" -M -MG -MP -x c++ -std=gnu++17 {includes} "{source_file}"
recipe.preproc.macros="g++" -E -CC -x c++ -std=gnu++17 {includes} "{source_file}" -o "{preprocessed_file_path}"
tools.ctags.path=/usr/bin
tools.ctags.cmd.path=/usr/bin/arduino-ctags
tools.ctags.flags=-u --language-force=c++ -f - --c++-kinds=svpf --fields=KSTtzns --line-directives
tools.ctags.pattern="{cmd.path}" {flags} "{source_file}"
preproc.macros.flags=-w -x c++ -E -CC
"""


TFLM = """name=Chirale_TensorFLowLite
version=2.0.0
author=a
maintainer=b
sentence=x
paragraph=y
category=Other
url=c
architectures=*
"""


@needs_builder
@needs_compiler
@pytest.mark.parametrize("is_engine", [True, False])
def test_arduinos_builder_finds_and_links_it(tmp_path: Path, is_engine: bool) -> None:
    """With a platform that is this computer; under TFLM with a library of the stand-in."""
    firmware = sensor(is_engine)
    host = tmp_path / "hardware" / "tinynas" / "host"
    shutil.copytree(HOST, host / "cores" / "host")
    (host / "boards.txt").write_text(
        "host.name=Host\nhost.build.core=host\nhost.build.board=HOST\nhost.build.mcu=host\n"
    )
    (host / "platform.txt").write_text(PLATFORM)
    libraries = tmp_path / "libraries"
    folder = unpacked(libraries / "net", firmware, "arduino")
    if not is_engine:
        tflm = libraries / "Chirale_TensorFLowLite"
        shutil.copytree(STUBS, tflm / "src", ignore=shutil.ignore_patterns("freestanding"))
        (tflm / "src" / "Chirale_TensorFlowLite.h").write_text("#pragma once\n")
        (tflm / "src" / "interpreter.cc").rename(tflm / "src" / "interpreter.cpp")
        (tflm / "library.properties").write_text(TFLM)
        table(tflm / "src", firmware.golden.inputs, firmware.golden.outputs, 0)
        (tflm / "src" / "table.cc").rename(tflm / "src" / "table.cpp")
    for each in ("build", "cache", "tools"):
        (tmp_path / each).mkdir()
    run(
        ["arduino-builder", "-compile", "-hardware", tmp_path / "hardware", "-tools", tmp_path / "tools", "-libraries",
         libraries, "-fqbn", "tinynas:host:host", "-build-path", tmp_path / "build", "-ide-version", "10819",
         folder / "examples" / "classify" / "classify.ino"],
        tmp_path,
    )  # fmt: skip
    steps = STEPS_IN.replace(",", " ") if is_engine else ""
    told = said(run([tmp_path / "build" / "classify.ino.elf"], tmp_path, input=steps))
    assert told == (answers(firmware, rows()) if is_engine else [])


@needs_cmake
@needs_compiler
@pytest.mark.parametrize("is_engine", [True, False])
def test_the_cmake_package_by_itself(tmp_path: Path, is_engine: bool) -> None:
    firmware = sensor(is_engine)
    folder = unpacked(tmp_path / "net", firmware, "cmake")
    more = []
    if not is_engine:
        done = subprocess.run(
            ["cmake", "-S", folder, "-B", tmp_path / "no"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "net needs TFLM: define a target tflite-micro before" in " ".join(done.stderr.split())
        shutil.copytree(STUBS, tmp_path / "tree")
        (tmp_path / "tree" / "interpreter.cc").rename(tmp_path / "tree" / "tensorflow" / "interpreter.cc")
        table(tmp_path / "tree" / "tensorflow", firmware.golden.inputs, firmware.golden.outputs, 0)
        more = [f"-DNET_TFLM_TREE={tmp_path / 'tree'}"]
    run(["cmake", "-S", folder, "-B", tmp_path / "b", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror", *more], tmp_path)
    run(["cmake", "--build", tmp_path / "b"], tmp_path)
    told = said(run([tmp_path / "b" / "net_classify"], tmp_path, input=STEPS_IN if is_engine else ""))
    assert told == (answers(firmware, rows()) if is_engine else [])


IDF = """cmake_minimum_required(VERSION 3.16)
project(host C CXX)
function(idf_component_register)
  cmake_parse_arguments(a "" "" "SRCS;INCLUDE_DIRS;PRIV_REQUIRES" ${ARGN})
  set_source_files_properties(src/net.cpp PROPERTIES LANGUAGE CXX)
  add_library(component OBJECT ${a_SRCS})
  target_include_directories(component PUBLIC ${a_INCLUDE_DIRS} %s)
  target_compile_features(component PUBLIC cxx_std_17)
  message(STATUS "needs: ${a_PRIV_REQUIRES}")
endfunction()
add_subdirectory(net)
"""
ZEPHYR = """cmake_minimum_required(VERSION 3.16)
project(host C CXX)
macro(zephyr_library)
  add_library(module OBJECT)
  target_include_directories(module PUBLIC %s)
  target_compile_features(module PUBLIC cxx_std_17)
endmacro()
macro(zephyr_library_sources)
  target_sources(module PRIVATE ${ARGN})
endmacro()
macro(zephyr_include_directories)
  target_include_directories(module PUBLIC ${ARGN})
endmacro()
set(CONFIG_TINYNAS_NET y)
add_subdirectory(net/zephyr)
"""


@needs_cmake
@needs_compiler
@pytest.mark.parametrize("kind", ["esp-idf", "zephyr"])
def test_components_build_where_their_commands_are_stood_in_for(tmp_path: Path, kind: str) -> None:
    unpacked(tmp_path / "net", sensor(is_engine=False), kind)
    (tmp_path / "CMakeLists.txt").write_text((IDF if kind == "esp-idf" else ZEPHYR) % STUBS)
    said = run(["cmake", "-S", ".", "-B", "b"], tmp_path)
    assert kind == "zephyr" or "needs: espressif__esp-tflite-micro" in said
    run(["cmake", "--build", "b"], tmp_path)


HEADERS = {
    "esp_timer.h": "int64_t esp_timer_get_time(void);",
    "freertos/FreeRTOS.h": "#define portTICK_PERIOD_MS 10",
    "freertos/task.h": "void vTaskDelay(uint32_t ticks);",
    "zephyr/kernel.h": "int64_t k_uptime_ticks(void); int64_t k_ticks_to_us_floor64(int64_t t);"
    "int k_usleep(int32_t us); void k_yield(void); void printk(const char *format, ...);",
}


@needs_arm
@pytest.mark.parametrize("is_engine", [True, False])
def test_sources_and_examples_compile_for_arm(tmp_path: Path, is_engine: bool) -> None:
    for path, text in HEADERS.items():
        (tmp_path / "headers" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "headers" / path).write_text(f"#pragma once\n#include <stdint.h>\n{text}\n")
    include = [f"-I{tmp_path / 'headers'}", f"-I{STUBS}"]
    for which, firmware in firmwares(is_engine).items():
        folder = unpacked(tmp_path / which, firmware, "cmsis-pack")
        flags = [*CORES["cortex-m0plus" if which == "sensor" else "cortex-m4f"], "-O1", "-Wall", "-Wextra", "-Werror"]
        c = list(folder.glob("src/*.c"))
        examples = []
        for kind in ("cmsis-pack", "esp-idf", "zephyr", "cmake"):
            for path, data in files_of(firmware, kind).items():
                if path.endswith(("main.c", "classify.c")):
                    examples.append(tmp_path / f"{which}_{kind}.c")
                    examples[-1].write_bytes(data)
        run(["arm-none-eabi-gcc", "-std=gnu99", *flags, *include, f"-I{folder / 'src'}", "-c", *c, *examples], tmp_path)
        cpp = [*folder.glob("src/*.cpp")]
        if cpp:
            run(["arm-none-eabi-g++", "-std=c++17", "-fno-exceptions", *flags, *include, "-c", *cpp], tmp_path)


def test_platformio_packs_it(tmp_path: Path) -> None:
    unpacked(tmp_path / "net", sensor(), "platformio")
    tool(
        "from platformio.package.manifest.schema import ManifestSchema\n"
        "ManifestSchema.load_spdx_licenses = staticmethod(lambda *a: {'licenses': [{'licenseId': 'Apache-2.0'}]})\n"
        "from platformio.package.pack import PackagePacker\n"
        f"print(PackagePacker({str(tmp_path / 'net')!r}).pack({str(tmp_path)!r}))",
        "platformio",
    )
    assert (tmp_path / "net-1.0.0.tar.gz").exists()


@pytest.mark.parametrize("is_engine", [True, False])
def test_compote_packs_the_component(tmp_path: Path, is_engine: bool) -> None:
    unpacked(tmp_path / "net", sensor(is_engine), "esp-idf")
    compote = TOOLS / "bin" / "compote"
    if not compote.exists():
        pytest.skip("idf-component-manager is not installed: make package-tools")
    run([compote, "component", "pack", "--name", "net"], tmp_path / "net")
    assert (tmp_path / "net" / "dist" / "net_1.0.0.tgz").exists()


# The keys that Zephyr reads of these in a module.yml, as its documentation of modules names them.
MODULE = """
type: map
mapping:
  name: {required: false, type: str}
  build:
    required: false
    type: map
    mapping:
      cmake: {required: false, type: str}
      kconfig: {required: false, type: str}
      depends: {required: false, type: seq, sequence: [{type: str}]}
  samples: {required: false, type: seq, sequence: [{type: str}]}
"""


@pytest.mark.parametrize("is_engine", [True, False])
def test_zephyr_s_files(tmp_path: Path, is_engine: bool) -> None:
    folder = unpacked(tmp_path / "net", sensor(is_engine), "zephyr")
    (tmp_path / "schema.yml").write_text(MODULE)
    around = "config CPP\n\tbool\n\tdefault y\nconfig TENSORFLOW_LITE_MICRO\n\tbool\n\tdefault y\n"
    (tmp_path / "Kconfig").write_text(f'{around}rsource "net/zephyr/Kconfig"\n')
    wanted = [line for line in (folder / "sample" / "prj.conf").read_text().splitlines() if "TINYNAS" in line]
    (tmp_path / "conf").write_text("\n".join(wanted) + "\n")
    said = tool(
        "from pykwalify.core import Core\nimport kconfiglib, yaml\n"
        "from west.manifest import ImportFlag, Manifest\n"
        f"top = {str(tmp_path)!r}\n"
        "Core(source_file=top + '/net/zephyr/module.yml', schema_files=[top + '/schema.yml']).validate()\n"
        "text = open(top + '/net/west.yml').read()\n"
        "manifest = Manifest.from_data(text, import_flags=ImportFlag.IGNORE)\n"
        "yaml.safe_load(open(top + '/net/sample/sample.yaml'))\n"
        "found = kconfiglib.Kconfig(top + '/Kconfig')\n"
        "found.load_config(top + '/conf')\n"
        "assert not found.warnings, found.warnings\n"
        "print(found.syms['TINYNAS_NET'].str_value, manifest.projects[1].name)",
        "pykwalify, kconfiglib and west",
    )
    assert said.split() == ["y", "zephyr"]
    module = (folder / "zephyr" / "module.yml").read_text()
    for path in ("zephyr/Kconfig", "sample/CMakeLists.txt"):
        assert path.split("/")[0] in module
        assert (folder / path).exists()


@pytest.mark.parametrize("is_engine", [True, False])
def test_the_pack_s_description(tmp_path: Path, is_engine: bool) -> None:
    folder = unpacked(tmp_path, sensor(is_engine), "cmsis-pack")
    text = (folder / "tinynas.net.pdsc").read_text()
    named = re.findall(r'<file .*?name="([^"]+)"', text)
    assert all((folder / name).exists() for name in named)
    assert {path.relative_to(folder).as_posix() for path in folder.glob("src/*")} <= set(named)
    schema = TOOLS / "PACK.xsd"
    if not schema.exists():
        pytest.skip("PACK.xsd of Open-CMSIS-Pack-Spec is not in .package-tools/")
    code = f"import xmlschema; xmlschema.XMLSchema({str(schema)!r}).validate({str(folder / 'tinynas.net.pdsc')!r})"
    tool(code, "xmlschema")
    broken = text.replace('category="header"', 'category="headers"')
    (folder / "tinynas.net.pdsc").write_text(broken)
    with pytest.raises(AssertionError, match="headers"):
        tool(code, "xmlschema")


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_convert_writes_a_package_whole_and_takes_away_what_it_wrote_before(tmp_path: Path) -> None:
    made_ = convert(NET, out=tmp_path / "p", package="arduino", name="first")
    assert made_.files[0].parent == tmp_path / "p"
    assert set(everything(tmp_path / "p")) == {path.relative_to(tmp_path / "p").as_posix() for path in made_.files}
    (tmp_path / "p" / "src" / "mine.cpp").write_text("int mine;\n")
    second = convert(NET, out=tmp_path / "p", package="arduino", name="second", formats=("engine",))
    left = set(everything(tmp_path / "p")) - {path.relative_to(tmp_path / "p").as_posix() for path in second.files}
    assert left == {"src/mine.cpp"}


def test_nothing_is_written_when_one_file_of_a_package_cannot_be(tmp_path: Path) -> None:
    convert(NET, out=tmp_path / "p", package="cmake", name="net")
    (tmp_path / "p" / "src" / "net_inference.h").unlink()
    (tmp_path / "p" / "src" / "net_inference.h").mkdir()
    before = everything(tmp_path / "p")
    with pytest.raises(ConversionError, match=r"net_inference.h is a folder"):
        convert(NET, out=tmp_path / "p", package="cmake", name="net", formats=("engine",))
    (tmp_path / "p" / "zephyr").write_text("a file")
    with pytest.raises(ConversionError, match=r"zephyr is a file"):
        convert(NET, out=tmp_path / "p", package="zephyr", name="other")
    assert everything(tmp_path / "p") == {**before, "zephyr": b"a file"}


def test_a_package_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no package 'mbed'; choose from arduino, platformio"):
        convert(NET, out=tmp_path / "p", package="mbed")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="leave the formats away, or give engine alone"):
        convert(NET, out=tmp_path / "p", package="cmake", formats=("tflite",))
    assert not (tmp_path / "p").exists()
