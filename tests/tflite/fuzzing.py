"""Mutants of small fixtures through `read` and `analyze`, in a process whose memory is bounded, with a JSON report.

Run as a module with the number of mutants and the seed: `python -m tests.tflite.fuzzing 500 0`.
"""

import json
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinynas.errors import ModelError
from tinynas.tflite import analyze
from tinynas.tflite.read import read

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"
SEEDS = ("s_dense16", "f_01", "s_td_dense", "o_permute", "o_prelu", "s_conv1x1_s2", "s_h1_tiny", "s_se_mul", "f_07")
EXTRA_BYTES = 512 << 20
SLOW_S = 1.0
_WORDS = (0, 1, 2, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC)

Mutation = Callable[[bytearray, np.random.Generator], None]


def flip_bits(data: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(0, len(data), rng.integers(1, 9)):
        data[at] ^= 1 << rng.integers(8)


def set_bytes(data: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(0, len(data), rng.integers(1, 5)):
        data[at] = rng.integers(256)


def truncate(data: bytearray, rng: np.random.Generator) -> None:
    del data[rng.integers(0, len(data)) :]


def set_word(data: bytearray, rng: np.random.Generator) -> None:
    """Overwrite aligned words, where lengths and offsets lie, with extremes, file sizes or small numbers."""
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, len(data) // 4)) * 4
        choices = (*_WORDS, len(data), len(data) - at, int(rng.integers(0, 64)), int(rng.integers(0, 1 << 32)))
        word = choices[rng.integers(len(choices))]
        data[at : at + 4] = (word & 0xFFFFFFFF).to_bytes(4, "little")


def nudge_word(data: bytearray, rng: np.random.Generator) -> None:
    """Move an offset or a length by a little."""
    at = int(rng.integers(0, len(data) // 4)) * 4
    word = int.from_bytes(data[at : at + 4], "little") + int(rng.integers(-16, 17))
    data[at : at + 4] = (word & 0xFFFFFFFF).to_bytes(4, "little")


def set_small_word(data: bytearray, rng: np.random.Generator) -> None:
    """Overwrite a word that looks like a size, an index or an option, so that the file stays well formed."""
    words = np.frombuffer(bytes(data[: len(data) // 4 * 4]), dtype="<u4")
    places = np.flatnonzero(((words > 0) & (words <= 1024)) | (words > 0xFFFFFF00))
    if places.size:
        at = int(places[rng.integers(places.size)]) * 4
        choices = (0, 1, 2, 3, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 1 << 30, 65_536, int(rng.integers(0, 1024)))
        data[at : at + 4] = choices[rng.integers(len(choices))].to_bytes(4, "little")


def swap_bytes(data: bytearray, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 5)):
        one, other = rng.integers(0, len(data), 2)
        data[one], data[other] = data[other], data[one]


def copy_span(data: bytearray, rng: np.random.Generator) -> None:
    """Put one stretch of the file over another, so that tables and offsets are sound but misplaced."""
    size = int(rng.integers(1, 65))
    source, target = (int(rng.integers(0, max(1, len(data) - size))) for _ in range(2))
    data[target : target + size] = data[source : source + size]


def cut_span(data: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(0, len(data)))
    del data[at : at + int(rng.integers(1, 33))]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    set_bytes,
    truncate,
    set_word,
    nudge_word,
    set_small_word,
    swap_bytes,
    copy_span,
    cut_span,
)


def mutant(rng: np.random.Generator) -> tuple[str, bytes]:
    """One to three mutations of a fixture, and their names."""
    name = SEEDS[rng.integers(len(SEEDS))]
    data = bytearray((ARENA / f"{name}.tflite").read_bytes())
    done = [name]
    for index in rng.integers(0, len(MUTATIONS), rng.integers(1, 4)):
        if len(data) >= 8:
            MUTATIONS[index](data, rng)
            done.append(MUTATIONS[index].__name__)
    return " ".join(done), bytes(data)


def outcome(data: bytes) -> tuple[str, str]:
    """What became of one mutant ("sound", "refused" or "broken"), and the sentence or the traceback."""
    try:
        read(data)
        analyze(data)
    except ModelError as error:
        text = str(error)
        return ("refused", text) if text and "\n" not in text else ("broken", f"no sentence: {text!r}")
    except Exception:
        return "broken", traceback.format_exc(limit=-3)
    return "sound", ""


def fuzz(n_mutants: int, seed: int) -> dict[str, object]:
    """Counts of the outcomes, and the first broken and slow mutants."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + EXTRA_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    problems: list[str] = []
    slowest = 0.0
    for number in range(n_mutants):
        label, data = mutant(rng)
        start = time.perf_counter()
        verdict, text = outcome(data)
        seconds = time.perf_counter() - start
        slowest = max(slowest, seconds)
        counts[verdict] += 1
        if verdict == "broken" or seconds > SLOW_S:
            problems.append(f"mutant {number} ({label}), {seconds:.2f} s: {text}")
    return {**counts, "slowest_s": slowest, "problems": problems[:10], "n_problems": len(problems)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fuzz(int(sys.argv[1]), int(sys.argv[2]))))
