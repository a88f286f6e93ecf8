"""Make a set of spoken words: WAV files by class, said by espeak-ng, no voice in both the training and the test part.

    python tools/make_spoken.py OUT [--voices 40] [--each 3] [--seed 0]
    tinynas data check OUT --sample-rate 16000
    tinynas search --target nucleo_f401 --data OUT --sample-rate 16000

Needs espeak-ng (Debian's package of this name). Each voice says each word a few times, in an accent, speed and pitch
that are drawn by the seed, somewhere in a second of faint noise. A fifth of the voices are the test part.
"""

import argparse
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy.io import wavfile

WORDS = ("yes", "no", "up", "down", "left", "right", "stop", "go")
ACCENTS = ("en-gb", "en-us", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-gb-x-gbcwmd")


def voices(wanted: int, rng: np.random.Generator) -> list[str]:
    """The names of espeak-ng's voice variants, those in different files, in an order that the seed draws."""
    lines = subprocess.run(["espeak-ng", "--voices=variant"], capture_output=True, text=True, check=True).stdout
    files = sorted({line.split()[4].removeprefix("!v/") for line in lines.splitlines()[1:]})
    chosen: list[str] = rng.permutation(files)[:wanted].tolist()
    return chosen


def say(word: str, voice: str, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """(sample rate, int16 samples of a second) with the word somewhere in it."""
    speed, pitch = int(rng.integers(120, 220)), int(rng.integers(20, 80))
    command = [
        "espeak-ng",
        "-v",
        f"{rng.choice(ACCENTS)}+{voice}",
        "-s",
        str(speed),
        "-p",
        str(pitch),
        "--stdout",
        word,
    ]
    wave = subprocess.run(command, capture_output=True, check=True).stdout
    rate = int.from_bytes(wave[24:28], "little")
    spoken = np.frombuffer(wave[44:], dtype="<i2")[:rate].astype(np.float64)
    clip = rng.normal(0, 30, rate)
    start = int(rng.integers(0, rate - len(spoken) + 1))
    clip[start : start + len(spoken)] += spoken * rng.uniform(0.3, 0.9)
    return rate, np.clip(clip, -32768, 32767).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--voices", type=int, default=40)
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.out.exists():
        sys.exit(f"{options.out} is there already: name a new folder.")
    rng = np.random.default_rng(options.seed)
    for number, voice in enumerate(voices(options.voices, rng)):
        part = options.out / ("test" if number % 5 == 4 else "train")
        for word in WORDS:
            (part / word).mkdir(parents=True, exist_ok=True)
            for take in range(options.each):
                buffer = io.BytesIO()
                wavfile.write(buffer, *say(word, voice, rng))
                (part / word / f"{voice}-{take}.wav").write_bytes(buffer.getvalue())


if __name__ == "__main__":
    main()
