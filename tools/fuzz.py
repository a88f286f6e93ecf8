"""Feeds damaged files to everything that reads one, and counts what comes of it.

    python tools/fuzz.py 20000                 so many inputs, more for the quick readers; the table
    python tools/fuzz.py 2000 --only csv,pcap  those with a word in their name
    python tools/fuzz.py 500 --seed 9 --only tflite

Each input is a small whole file (of tests/data/kinds.py and tests/fixtures, and of a run of version 0.1.0) with one to
four places changed: bytes turned, cut, doubled, put elsewhere; numbers made huge, negative or no number; words of one
file in another. What is right is an answer or one of tinynas's own errors, in one line, within 5 s of CPU and 1 GiB.
Readers run in processes of their own, so that a crash is an input with a name. A reader whose whole file takes four
times as long gets half as many inputs. Exit code 1 when one was not as it
should be; the input is kept then, where the table says.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from tests.data.kinds import KINDS  # noqa: E402
from tinynas import Dataset, Target, analyze, write_report  # noqa: E402
from tinynas.data.captures.files import frames  # noqa: E402
from tinynas.errors import TinynasError  # noqa: E402
from tinynas.runs import Best, read_settings, read_summary, read_trials  # noqa: E402
from tinynas.runs.weights import read_weights  # noqa: E402

_MOST_S, _MOST_BYTES = 5.0, 1 << 30
_BATCH = 250  # inputs a process
_LEAST_COST_S = 1e-3  # of an input, what is around the reader included
_WORDS = [
    *(
        b"nan",
        b"-1",
        b"0",
        b"1e400",
        b"99999999999999999999",
        b"",
        b"\xff",
        b"\x00",
        b'"',
        b"\n",
        b",",
        b";",
        b"\t",
        b"\r",
    ),
    *(
        b"x",
        b"[",
        b"{",
        b"null",
        b"true",
        b"0x10",
        b"1_000",
        b"-0.0",
        b"2024-01-01",
        b"\xef\xbb\xbf",
        b"'",
        b"=1+1",
        b"../",
    ),
]
_NUMBERS = [0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]


@dataclass(frozen=True)
class Corpus:
    """A whole thing that `read` reads: `place` is a file or folder, `damaged` are the files of it that may be."""

    name: str
    place: Path
    damaged: tuple[Path, ...]
    read: Callable[[Path], Any]


@dataclass
class Tally:
    """What came of the inputs of one reader."""

    inputs: int = 0
    answers: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    most_bytes: int = 0
    spent_s: float = 0.0


def changed(data: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """Return `data` with one to four places changed."""
    buffer = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(buffer) + 1)
        if rng.random() < 0.3:  # what says what a file is mostly stands at its beginning
            at = rng.randrange(min(len(buffer), 64) + 1)
        length = min(rng.choice((1, 1, 2, 4, 8, 32, 200)), max(0, len(buffer) - at))
        rng.choice(_CHANGES)(buffer, at, length, rng, others)
    return bytes(buffer)


def _turn(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    for place in range(at, at + length):
        buffer[place] ^= 1 << rng.randrange(8)


def _noise(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    buffer[at : at + length] = rng.randbytes(length)


def _cut(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    del buffer[at : at + length]


def _end(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    del buffer[at:]


def _double(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    buffer[at:at] = buffer[at : at + length] * rng.choice((1, 2, 50))


def _move(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    piece = buffer[at : at + length]
    del buffer[at : at + length]
    to = rng.randrange(len(buffer) + 1)
    buffer[to:to] = piece


def _number(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice(_NUMBERS) & (2 ** (8 * size) - 1)
    buffer[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def _word(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    buffer[at : at + rng.choice((0, length))] = rng.choice(_WORDS)


def _other(buffer: bytearray, at: int, length: int, rng: random.Random, others: list[bytes]) -> None:
    piece = rng.choice(others)
    start = rng.randrange(len(piece) + 1)
    buffer[at : at + length] = piece[start : start + length]


_CHANGES = (_turn, _noise, _cut, _end, _double, _move, _number, _word, _other)


# --- what is read


def corpora(folder: Path) -> list[Corpus]:
    """Write the whole things below `folder`; return them with what reads them."""
    made = []
    for name, kind in KINDS.items():
        place = kind.write(_fresh(folder / name.replace(" ", "-")), 12)

        def load(path: Path, options: dict[str, Any] = kind.options) -> Dataset:
            return Dataset.load(path, **options)

        made.append(_corpus(f"data: {name}", place, load))
    for name, text in _TABLES.items():
        place = _fresh(folder / name) / "table.csv"
        place.write_text(text)
        made.append(_corpus(f"data: csv {name}", place, Dataset.load))
    place = _fresh(folder / "captures")
    for capture in sorted((ROOT / "tests" / "fixtures" / "data").rglob("*.pcap*"))[:6]:
        shutil.copy(capture, place)
    if not any(place.iterdir()):
        (place / "made.pcap").write_bytes(_pcap())
    made.append(_corpus("captures: pcap", place, _sessions))
    board = _fresh(folder / "board") / "board.json"
    board.write_text(json.dumps(Target.load("nucleo_f401").model_dump(mode="json")))
    made.append(_corpus("board: json", board, Target.load))
    for path in sorted((ROOT / "tests" / "fixtures" / "arena").glob("*.tflite"), key=lambda each: each.stat().st_size)[
        :12
    ]:
        place = (
            _fresh(folder / "models") / path.name if not (folder / "models").exists() else folder / "models" / path.name
        )
        shutil.copy(path, place)
        made.append(_corpus(f"tflite: {path.stem}", place, lambda path: analyze(path.read_bytes())))
    run = folder / "run"
    shutil.copytree(ROOT / "tests" / "fixtures" / "run_0_1" / "trained", run)
    weights = run / "best_weights.npz"
    for name, file, read in (
        ("settings", run / "settings.json", lambda _: read_settings(run)),
        ("summary", run / "summary.json", lambda _: read_summary(run)),
        ("journal", run / "journal.sqlite", lambda _: [str(trial) for trial in read_trials(run / "journal.sqlite")]),
        ("weights", weights, lambda _: read_weights(weights)),
        ("best", run / "best", lambda _: Best(run)),
        ("report", run / "summary.json", lambda _: write_report(run)),
    ):
        if file.exists():
            made.append(_corpus(f"run: {name}", file, read))
    return made


_TABLES = {
    "plain": "a,b,label\n" + "".join(f"{n},{n * n % 7},{'xyz'[n % 3]}\n" for n in range(24)),
    "quoted": 'a;"b c";label\n' + "".join(f'"{n},5";{n % 5};"{"xy"[n % 2]}"\n' for n in range(24)),
    "timed": "time,ax,ay,activity\n"
    + "".join(f"2024-01-01 00:00:{n:02}.5,{n % 3},{-n},{'ab'[n // 12]}\n" for n in range(24)),
    "bare": "".join(f"{n / 7:.3f} {n} {'xyz'[n % 3]}\n" for n in range(24)),
}


def _fresh(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _corpus(name: str, place: Path, read: Callable[[Path], Any]) -> Corpus:
    files = tuple(sorted(path for path in place.rglob("*") if path.is_file())) if place.is_dir() else (place,)
    return Corpus(name, place, files, read)


def _pcap() -> bytes:
    """Return a capture of six TCP sessions over Ethernet, in the classic format."""
    out = bytearray(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    for n in range(24):
        payload = bytes((n * k) % 256 for k in range(20))
        tcp = (40000 + n % 6).to_bytes(2, "big") + (80).to_bytes(2, "big") + bytes(8) + b"\x50\x10" + bytes(6)
        size = 20 + len(tcp) + len(payload)
        ip = b"\x45\x00" + size.to_bytes(2, "big") + bytes(4) + b"\x40\x06\x00\x00" + bytes((10, 0, 0, 1, 10, 0, 0, 2))
        frame = bytes(12) + b"\x08\x00" + ip + tcp + payload
        out += n.to_bytes(4, "little") + bytes(4) + len(frame).to_bytes(4, "little") * 2 + frame
    return bytes(out)


def _sessions(place: Path) -> int:
    return sum(1 for path in place.iterdir() for _ in frames(path, Counter()))


# --- one process, some inputs


def batch(corpus: Corpus, seed: int, count: int, kept: Path, results: Any) -> None:
    """Read so many damaged inputs of `corpus`; send what came of them, and before each which it is."""
    rng = random.Random(seed)
    whole = {path: path.read_bytes() for path in corpus.damaged}
    others = [data for data in whole.values() if data] or [b"0"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for number in range(count):
        path = rng.choice(corpus.damaged)
        data = changed(whole[path], rng, others)
        path.write_bytes(data)
        name = kept / f"{corpus.name.replace(' ', '-').replace(':', '')}-{seed}-{number}{path.suffix}"
        results.send(("at", str(name)))
        began = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, 12 * _MOST_S)  # the default is to end the process
        said, fault = "answer", ""
        try:
            corpus.read(corpus.place)
        except TinynasError as error:
            said = type(error).__name__
            fault = "an error of several lines" if "\n" in str(error) else ""
        except BaseException as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__}: {str(error)[:80]} ({Path(last.filename).name}:{last.lineno})"
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        seconds = time.process_time() - began
        taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
        fault = fault or (f"{seconds:.1f} s" if seconds > _MOST_S else "")
        fault = fault or (f"{taken >> 20} MiB" if taken > _MOST_BYTES else "")
        if fault:
            name.write_bytes(data)
        path.write_bytes(whole[path])
        results.send(("done", said, fault, seconds, taken))
    results.send(("end",))


def fuzz(corpus: Corpus, count: int, seed: int, kept: Path) -> Tally:
    """Read `count` damaged inputs of `corpus`, in processes of their own."""
    corpus.read(corpus.place)  # undamaged it is read; and what is imported for it is there in every process
    tally = Tally()
    whole = {path: path.read_bytes() for path in corpus.damaged}
    while tally.inputs < count:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        many = min(_BATCH, count - tally.inputs)
        process = multiprocessing.get_context("fork").Process(
            target=batch, args=(corpus, seed + tally.inputs, many, kept, theirs)
        )
        process.start()
        theirs.close()
        at = ""
        while True:
            try:
                message = ours.recv()
            except EOFError:  # it crashed, or took far too long
                damaged = next((path for path, data in whole.items() if path.read_bytes() != data), corpus.damaged[0])
                shutil.copy(damaged, at)
                tally.inputs += 1
                process.join()
                tally.faults.append(f"{at}: the process ended with {process.exitcode}")
                for path, data in whole.items():
                    path.write_bytes(data)
                break
            if message[0] == "end":
                break
            if message[0] == "at":
                at = message[1]
                continue
            _, said, fault, seconds, taken = message
            tally.inputs += 1
            tally.spent_s += seconds
            tally.slowest_s, tally.most_bytes = max(tally.slowest_s, seconds), max(tally.most_bytes, taken)
            if fault:
                tally.faults.append(f"{at}: {fault}")
            elif said == "answer":
                tally.answers += 1
            else:
                tally.errors[said] += 1
        process.join()
    return tally


def cost(corpus: Corpus) -> float:
    """Return the CPU seconds that the undamaged file takes; what is imported for it is not counted."""
    corpus.read(corpus.place)
    began = time.process_time()
    corpus.read(corpus.place)
    return max(_LEAST_COST_S, time.process_time() - began)


def shares(total: int, costs: list[float]) -> list[int]:
    """Return how many of `total` inputs each reader gets: by the inverse root of what one costs, one at least."""
    weights = [seconds**-0.5 for seconds in costs]
    edges = [round((total - len(costs)) * sum(weights[:at]) / sum(weights)) for at in range(len(costs) + 1)]
    return [1 + high - low for low, high in pairwise(edges)]


def main() -> int:
    """Print the table; return 1 when an input was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", type=int, nargs="?", default=20_000)
    parser.add_argument("--only", default="", help="words, one of which the reader's name has")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "tinynas-fuzz")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    np.seterr(all="ignore")
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # libraries warn of what they read
    total, began = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinynas-fuzz-") as folder:
        words = [word for word in options.only.split(",") if word]
        chosen = [each for each in corpora(Path(folder)) if not words or any(word in each.name for word in words)]
        counts = shares(max(options.inputs, len(chosen)), [cost(corpus) for corpus in chosen])
        for corpus, share in zip(chosen, counts, strict=True):
            tally = fuzz(corpus, share, options.seed * 10**6, options.keep)
            kinds = ", ".join(f"{count:,} {name}" for name, count in tally.errors.most_common())
            print(
                f"{corpus.name:32} {tally.inputs:7,} inputs, {tally.answers:6,} answers, {kinds or 'no errors'}; "
                f"{1000 * tally.spent_s / max(1, tally.inputs):.1f} ms each, slowest {tally.slowest_s:.2f} s, most "
                f"{tally.most_bytes >> 20} MiB, {len(tally.faults)} faults",
                flush=True,
            )
            for fault in tally.faults[:5]:
                print(f"      {fault}", flush=True)
            total.inputs += tally.inputs
            total.faults += tally.faults
    print(f"{total.inputs:,} inputs, {len(total.faults)} faults, {time.monotonic() - began:.0f} s")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
