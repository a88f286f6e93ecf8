"""What the tests of packages share: firmware whose answers are known, and the tools that look packages over."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.export.firmware import made
from tests.export.test_stream import sound_firmware
from tests.tflite.models import activation, constant, integers, one_operator
from tinynas.data import Normalization
from tinynas.engine import Engine, build
from tinynas.export.ends import ends, quantized
from tinynas.export.golden import Golden
from tinynas.export.packages import package
from tinynas.export.render import Firmware
from tinynas.export.stream import stream_of
from tinynas.tflite import write

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".package-tools"
HOST = Path(__file__).parent / "arduino"
STEPS, CHANNELS = 50, 3
NAMES = ("none", "left", "right", "up")


@cache
def sensor(is_engine: bool = True, name: str = "net") -> Firmware:
    """A model of 50 steps of three analog pins: class 1 + c where pin c is high, and else none, which is never told."""
    shape = (1, STEPS, 1, CHANNELS)
    weights = np.where(np.arange(STEPS * CHANNELS) % CHANNELS == np.arange(-1, CHANNELS)[:, None], 20, -10)
    weights[0] = 0
    kernel = replace(constant(weights.shape), data=weights.astype(np.int8).tobytes(), scales=(0.01,), zero_points=(0,))
    bias = replace(integers(76500, 0, 0, 0), scales=(0.01 / 255,), zero_points=(0,))
    inputs = [activation(shape, 1 / 255, -128), kernel, bias]
    data = write(one_operator("FULLY_CONNECTED", inputs, activation((1, 4), 0.04, -128), {"keep_num_dims": False}))
    facts = {"layout": "series", "normalization": Normalization((0.0,) * 3, (1 / 1023,) * 3, "int16")}
    names = ("ax [g]", 'a "y", */', "z??/")
    firmware = made(name=name, tflite=data, class_names=NAMES, names=names, rate=50.0, **facts)
    return with_answers(firmware, is_engine)


def with_answers(firmware: Firmware, is_engine: bool) -> Firmware:
    """The firmware with golden outputs that are right, as plain C or for TFLM."""
    engine = build(firmware.tflite)
    inputs = firmware.golden.inputs
    golden = Golden(inputs, engine.run(inputs).reshape(len(inputs), -1), "tinynas")
    if is_engine:
        return replace(firmware, golden=golden, engine=engine, arena=None)
    return replace(firmware, golden=golden)


@cache
def firmwares(is_engine: bool) -> dict[str, Firmware]:
    """Firmware of a sensor, of sound and of pictures."""
    return {
        "sensor": sensor(is_engine),
        "sound": with_answers(sound_firmware(), is_engine),
        "picture": with_answers(made(), is_engine),
    }


def rows() -> np.ndarray:
    """Steps of the three pins (n, 3): nothing, then one after the other high."""
    rng = np.random.default_rng(1)
    level = np.zeros((600, CHANNELS), int)
    for channel in range(CHANNELS):
        level[100 + 150 * channel : 200 + 150 * channel, channel] = 900
    return np.clip(level + rng.integers(0, 60, level.shape), 0, 1023)


def answers(firmware: Firmware, steps: np.ndarray) -> list[str]:
    """The classes that Python tells of the steps."""
    normalization = firmware.facts.normalization
    stream = stream_of(firmware.tflite, firmware.output, firmware.facts, None)
    engine: Engine = build(firmware.tflite)
    assert normalization is not None
    assert stream is not None
    source, _ = ends(firmware.tflite)
    levels = quantized(normalization.apply(steps)[:, None], replace(source, shape=(1, 1, CHANNELS)))
    windows = np.lib.stride_tricks.sliding_window_view(levels.reshape(-1, CHANNELS), STEPS, axis=0)
    outputs = engine.run(np.ascontiguousarray(windows[:: stream.stride].swapaxes(1, 2)).reshape(-1, STEPS * CHANNELS))
    return [NAMES[found.label] for found in stream.smoothing.detections(outputs.reshape(-1, len(NAMES)))]


@cache
def files_of(firmware: Firmware, kind: str) -> dict[str, bytes]:
    """The package, made once for all tests."""
    return package(firmware, kind)  # type: ignore[arg-type]


def unpacked(folder: Path, firmware: Firmware, kind: str) -> Path:
    """The package in `folder`, which is made."""
    for path, data in files_of(firmware, kind).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def tool(code: str, *modules: str) -> str:
    """What Python code prints in the environment of `make package-tools`; without that the test is skipped."""
    python = TOOLS / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{', '.join(modules)} are not installed: make package-tools")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
