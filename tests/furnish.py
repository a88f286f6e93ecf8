"""The folder in which the blocks of README.md and docs/*.md run: small files under the names that the text uses.

    model.tflite MODEL.tflite my.tflite    an int8 model of 28 x 28 x 1, 10 classes
    my_board.json                          the profile of a board
    mnist1d                                IDX files, series of 40
    my_data                                IDX files, 8 x 8 pictures of 10 classes, as scikit-learn's digits
    pictures my_pictures                   a folder a class of PGM pictures
    words                                  a folder a class of WAV files
    flowers.csv                            a row a sample: w, h, species
    motion my_recordings                   a CSV file a person: ax, ay, person, activity
    captures labels.csv                    network captures of two classes
    tools targets tests                    the project's own

Where a block speaks of a run there are three of one search, runs/a, runs/b and runs/small, and runs/latest is the last.
Where it speaks of my.keras there is that model, for my_data.
"""

import shlex
import shutil
import sys
import wave
from pathlib import Path

import numpy as np

from tests.data.captures.traffic import conversation, udp, write
from tinynas.data import write_idx

ROOT = Path(__file__).parents[1]
PROGRAMS = (("tinynas", "-m tinynas"), ("python", ""), ("pytest", "-m pytest"))


def furnish(folder: Path) -> Path:
    """Make the folder, all but the run and my.keras."""
    folder.mkdir(parents=True)
    for name in ("model.tflite", "MODEL.tflite", "my.tflite"):
        shutil.copy(ROOT / "tests" / "fixtures" / "arena" / "mn_tiny_c4_b1.tflite", folder / name)
    shutil.copy(ROOT / "targets" / "nucleo_f401.json", folder / "my_board.json")
    shutil.copytree(ROOT / "tests" / "fixtures" / "data" / "mnist1d", folder / "mnist1d")
    for name in ("tools", "targets", "tests"):
        (folder / name).symlink_to(ROOT / name)
    rng = np.random.default_rng(0)
    _idx(folder / "my_data", rng)
    _pictures(folder, rng)
    _sounds(folder / "words", rng)
    _tables(folder, rng)
    _captures(folder)
    return folder


def programs(folder: Path) -> Path:
    """Make a folder for PATH in which the commands are those of this Python."""
    folder.mkdir()
    for name, module in PROGRAMS:
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def _idx(folder: Path, rng: np.random.Generator) -> None:
    folder.mkdir()
    labels = (np.arange(100) % 10).astype(np.uint8)
    pictures = rng.integers(0, 70, (100, 8, 8)) + 20 * labels[:, None, None]
    (folder / "train-images-idx3-ubyte").write_bytes(write_idx(pictures.astype(np.uint8)))
    (folder / "train-labels-idx1-ubyte").write_bytes(write_idx(labels))


def _pictures(folder: Path, rng: np.random.Generator) -> None:
    for name in ("pictures", "my_pictures"):
        for shade, label in enumerate(("cat", "dog")):
            (folder / name / label).mkdir(parents=True)
            for number in range(12):
                pixels = rng.integers(0, 100, (24, 24), dtype=np.uint8) + np.uint8(100 * shade)
                (folder / name / label / f"{number}.pgm").write_bytes(b"P5\n24 24\n255\n" + pixels.tobytes())


def _sounds(folder: Path, rng: np.random.Generator) -> None:
    for pitch, label in ((300, "no"), (900, "yes")):
        (folder / label).mkdir(parents=True)
        for number in range(8):
            clip = 8000 * np.sin(2 * np.pi * pitch * np.arange(4000) / 8000) + rng.normal(0, 500, 4000)
            with wave.open(str(folder / label / f"{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(clip.astype("<i2").tobytes())


def _tables(folder: Path, rng: np.random.Generator) -> None:
    flowers = [
        f"{number % 2 + rng.random():.3f},{rng.random():.3f},{'rose' if number % 2 else 'lily'}" for number in range(60)
    ]
    (folder / "flowers.csv").write_text("\n".join(["w,h,species", *flowers]) + "\n")
    for name in ("motion", "my_recordings"):
        (folder / name).mkdir()
        for person in range(6):
            rows = ["ax,ay,person,activity"]
            for step in range(400):
                label = "walk" if step < 200 else "run"
                ax, ay = rng.normal(0, 1 if label == "walk" else 3, 2)
                rows.append(f"{ax:.3f},{ay:.3f},p{person},{label}")
            (folder / name / f"{person}.csv").write_text("\n".join(rows) + "\n")


def _captures(folder: Path) -> None:
    (folder / "captures").mkdir()
    for number in range(4):
        talks = [conversation([b"GET /%d" % n, b"200 %d" % n], ("10.0.0.1", 2000 + n)) for n in range(number, 40, 4)]
        write(folder / "captures" / f"web-{number}.pcap", [frame for talk in talks for frame in talk])
    asked = [udp(("10.0.0.1", 3000 + number), ("10.0.0.9", 53), b"\1\0ask%d" % number) for number in range(40)]
    write(folder / "captures" / "dns.pcapng", asked)
    (folder / "labels.csv").write_text("capture,label\nweb-*.pcap,web\ndns.pcapng,dns\n")


def add_keras_model(path: Path) -> None:
    """Save a model for my_data, of the Keras that tinynas trains with."""
    import tf_keras

    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.save(path)
