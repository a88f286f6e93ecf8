"""Tiny data of every kind that has a reader: written to a folder, with the arguments that read it."""

import csv
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import wavfile

from tinynas.data import write_idx

CLASSES = ("down", "rest", "up")


@dataclass(frozen=True)
class Kind:
    """write(folder, n a class) makes it and gives the path; `shape` is the input shape that must come out."""

    write: Callable[[Path, int], Path]
    shape: tuple[int, int, int]
    layout: str
    options: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = CLASSES
    grouped: bool = False


def patterns(n: int, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """n samples a class in [0, 1], each class with a slope of its own, and labels 0, 1, 2."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), n)
    slope = np.linspace(-1, 1, int(np.prod(shape)))
    x = 0.5 + 0.35 * (y[:, None] - 1) * slope + rng.normal(0, 0.04, (len(y), slope.size))
    return np.clip(x, 0, 1).reshape(len(y), *shape), y


def write_csv(path: Path, rows: list[list[Any]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def _idx(folder: Path, n: int) -> Path:
    x, y = patterns(n, (8, 8))
    (folder / "train-images-idx3-ubyte").write_bytes(write_idx((x * 255).astype(np.uint8)))
    (folder / "train-labels-idx1-ubyte").write_bytes(write_idx(y.astype(np.uint8)))
    (folder / "meta.json").write_text('{"classes": ["down", "rest", "up"]}')
    return folder


def _npz(folder: Path, n: int) -> Path:
    x, y = patterns(n, (16, 1, 3))
    np.savez(folder / "set.npz", x=x.astype(np.float32), y=y, class_names=np.array(CLASSES))
    return folder / "set.npz"


def _npy(folder: Path, n: int) -> Path:
    x, y = patterns(n, (8, 8, 3))
    x_test, y_test = patterns(3, (8, 8, 3), seed=1)
    arrays = {"x": x, "x_test": x_test}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", (array * 255).astype(np.uint8))
    np.save(folder / "y.npy", np.array(CLASSES)[y])
    np.save(folder / "y_test.npy", np.array(CLASSES)[y_test])
    return folder


def _images(folder: Path, n: int) -> Path:
    x, y = patterns(n, (8, 10))
    for number, (sample, label) in enumerate(zip(x, y, strict=True)):
        place = folder / CLASSES[label]
        place.mkdir(exist_ok=True)
        Image.fromarray((sample * 255).astype(np.uint8)).save(place / f"{number:03}.png")
    return folder


def _images_split(folder: Path, n: int) -> Path:
    for part, count in (("train", n), ("test", 3)):
        (folder / part).mkdir()
        for name in CLASSES:
            (folder / part / name).mkdir()
        x, y = patterns(count, (9, 9, 3), seed=len(part))
        for number, (sample, label) in enumerate(zip(x, y, strict=True)):
            image = Image.fromarray((sample * 255).astype(np.uint8))
            image.save(folder / part / CLASSES[label] / f"{number}.bmp")
    return folder


def _rows(folder: Path, n: int) -> Path:
    x, y = patterns(n, (12,))
    rows = [[*(f"{value:.6f}" for value in sample), CLASSES[label]] for sample, label in zip(x, y, strict=True)]
    return write_csv(folder / "rows.csv", [[*(f"t{i}" for i in range(12)), "label"], *rows])


def _unlike_rows(folder: Path, n: int) -> Path:
    x, y = patterns(n, (5,))
    x = x * [1, 1000, 1, 1, 1]
    rows = [[CLASSES[label], *sample] for sample, label in zip(x, y, strict=True)]
    return write_csv(folder / "rows.tsv", rows, "\t")


def _signals(folder: Path, n: int) -> Path:
    """A file a recording: n windows a class over four files, every class in each."""
    rng = np.random.default_rng(0)
    for file in range(4):
        rows: list[list[Any]] = [["ax", "ay", "activity"]]
        for label, name in enumerate(CLASSES):
            steps = np.arange(16 * -(-n // 4))
            wave = np.sin(steps * (label + 1) * 0.4)[:, None] + rng.normal(0, 0.1, (len(steps), 2))
            rows += [[*values, name] for values in wave]
        write_csv(folder / f"rec{file}.csv", rows)
    return folder


def _signal_folders(folder: Path, n: int) -> Path:
    rng = np.random.default_rng(1)
    for label, name in enumerate(CLASSES):
        for file in range(3):
            steps = np.arange(16 * -(-n // 3))
            wave = np.cos(steps * (label + 1) * 0.5)[:, None] + rng.normal(0, 0.1, (len(steps), 1))
            write_csv(folder / name / f"{file}.csv", [["a"], *wave.tolist()])
    return folder


def write_wav(path: Path, sound: np.ndarray, rate: int = 4000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, (sound * 32767).astype(np.int16))


def _sounds(folder: Path, n: int) -> Path:
    rng = np.random.default_rng(2)
    for label, name in enumerate(CLASSES):
        for number in range(n):
            time = np.arange(1600 - 40 * (number % 2)) / 4000
            tone = 0.4 * np.sin(2 * np.pi * (300 + 450 * label) * time + rng.uniform(0, 6))
            write_wav(folder / name / f"{number}.wav", tone + rng.normal(0, 0.02, len(time)))
    return folder


KINDS: dict[str, Kind] = {
    "idx": Kind(_idx, (8, 8, 1), "image"),
    "npz": Kind(_npz, (16, 1, 3), "series"),
    "npy": Kind(_npy, (8, 8, 3), "image"),
    "pictures": Kind(_images, (8, 10, 1), "image"),
    "pictures in two parts": Kind(_images_split, (6, 6, 3), "image", {"image_size": 6, "colour": "rgb"}),
    "rows": Kind(_rows, (12, 1, 1), "series"),
    "rows of unlike columns": Kind(_unlike_rows, (1, 1, 5), "series"),
    "signals": Kind(_signals, (16, 1, 2), "series", {"window": 16, "stride": 8}, grouped=True),
    "signals by folder": Kind(_signal_folders, (8, 1, 1), "series", {"window": 8}, grouped=True),
    "sounds": Kind(_sounds, (19, 40, 1), "image"),
    "sounds in windows": Kind(_sounds, (9, 20, 1), "image", {"window": 800, "stride": 400, "mels": 20}, grouped=True),
}


def wav_bytes(n: int, rate: int = 8000) -> bytes:
    """A valid WAV file of n silent 16-bit samples."""
    data = bytes(2 * n)
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body
