"""The commands of NAME_bench.c, and their answers: one question, one answer that ends with m-ready."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from tinynas.errors import BoardError
from tinynas.measuring.line import Line

Int8s = npt.NDArray[np.int8]

_CHUNK_BYTES = 36  # of input a command: a command has at most 80 characters, as in MLPerf Tiny
_MOST_LINES = 4096  # of one answer
_TRIES = 3


@dataclass(frozen=True)
class Profile:
    """What runs on the board: the model's SHA-256, "tflm" or "engine", the compiler's -O of the benchmark's own file,
    and the lengths of input and output in bytes."""

    model: str
    runtime: str
    optimize: str
    input_bytes: int
    output_bytes: int
    n_operators: int


@dataclass(frozen=True, eq=False)
class Answer:
    """The output of the last run, and the microseconds of all runs together."""

    output: Int8s
    spent_us: int


class Device:
    """The board at the end of a line, whose firmware is NAME_bench; each wait is `timeout_s` at most, a run's
    `run_timeout_s`. BoardError, in one sentence, for what does not come, or comes otherwise."""

    def __init__(self, line: Line, timeout_s: float = 5.0, run_timeout_s: float = 60.0) -> None:
        """Use `connect` before anything else."""
        self._line = line
        self._timeout_s = timeout_s
        self._run_timeout_s = run_timeout_s
        self._heard = ""  # the last line that was no answer

    def connect(self) -> Profile:
        """Wake the board, which opening its port may have reset, and say what runs there."""
        for attempt in range(1, _TRIES + 1):
            self._line.drain()
            if self._is_there(attempt):
                break
        else:
            raise BoardError(
                f"{self._line.port} gave no answer in {_TRIES} tries of {self._timeout_s:g} s"
                + (f", but {self._heard!r}" if self._heard else "")
                + ": is it the board's port, its speed that of the firmware, and the firmware compiled with "
                "-DTINYNAS_BENCH?"
            )
        names = self._ask("name", "m-name-dut-")
        if names != ["m-name-dut-[tinynas]"]:
            raise BoardError(
                f"{self._line.port} calls itself {names[0].removeprefix('m-name-dut-')[:60]}, and not [tinynas]: flash "
                f"the firmware of tinynas convert, compiled with -DTINYNAS_BENCH."
            )
        return self._profile()

    def _is_there(self, number: int) -> bool:
        """Whether the board says the number; the first % ends what an earlier program may have left of a command."""
        self._line.send(f"%sync {number}%", self._timeout_s)
        end, line = time.monotonic() + self._timeout_s, ""
        while line != f"m-sync-{number}":
            line = self._line.receive(end - time.monotonic()) or ""
            if not line:
                return False
            self._heard = line[:60]
        return self._line.receive(self._timeout_s) == "m-ready"

    def _profile(self) -> Profile:
        said = dict(_split(line) for line in self._ask("profile", "m-"))
        try:
            profile = Profile(
                said["model"],
                said["runtime"],
                said["optimize"],
                *(int(said[key]) for key in ("input", "output", "operators")),
            )
        except (KeyError, ValueError) as error:
            self._unexpected(f"a profile without {error}")
        if profile.runtime not in ("tflm", "engine") or not re.fullmatch("[0-9a-f]{64}", profile.model):
            self._unexpected(f"the profile {said}")
        return profile

    def self_test(self) -> int:
        """How many golden outputs are not what they should be."""
        return self._number("test", "m-test-", self._run_timeout_s)

    def microseconds(self) -> int:
        """The board's clock."""
        return self._number("timestamp", "m-lap-us-", self._timeout_s)

    def clock_error(self, seconds: float = 1.0) -> float:
        """By how much of a second the board's clock goes wrong in a second of this machine's, as far as that is known:
        what the answers' way may take is taken off."""
        first, one = self._stamped()
        time.sleep(seconds)
        second, two = self._stamped()
        board = (two - one) % 2**32 / 1e6
        least, most = second[0] - first[1], second[1] - first[0]
        return max(0.0, board / most - 1) - max(0.0, 1 - board / least) if least > 0 else 0.0

    def _stamped(self) -> tuple[tuple[float, float], int]:
        before = time.monotonic()
        found = self.microseconds()
        return (before, time.monotonic()), found

    def load(self, sample: Int8s) -> None:
        """Give the board its next input."""
        data = sample.astype(np.int8).tobytes()
        self._ask(f"db load {len(data)}", "m-expecting-")
        pieces = [data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES)]
        said: list[str] = []
        for piece in pieces:
            said = self._ask(f"db {piece.hex()}")
        found = [line.removeprefix("m-hash-") for line in said if line.startswith("m-hash-")]
        if found != [f"{_fnv(data):08x}"]:
            raise BoardError(
                f"{self._line.port}: {len(data):,} bytes of input did not arrive as they were sent: try a lower speed, "
                f"or a shorter cable."
            )

    def infer(self, n: int = 1, warm_ups: int = 0) -> Answer:
        """Run the loaded input n times, after some runs that do not count."""
        said = self._ask(f"infer {n} {warm_ups}", timeout_s=self._run_timeout_s)
        results = [line for line in said if line.startswith("m-results-")]
        match = re.fullmatch(r"m-results-\[(-?\d+(?:,-?\d+)*)\]", results[0]) if len(results) == 1 else None
        values = [] if match is None else [int(value) for value in match[1].split(",")]
        if not values or min(values) < -128 or max(values) > 127:
            self._unexpected(f"no outputs but {results or said[-1:]}")
        return Answer(np.array(values, np.int8), self._value(said, "m-spent-us-"))

    def operators(self, n: int) -> list[tuple[str, float]] | None:
        """The name of each operator and its microseconds a run, the mean of n; None where the build times none."""
        try:
            said = self._ask(f"ops {n}", timeout_s=self._run_timeout_s)
        except _RefusalError:
            return None
        rows = [re.fullmatch(r"m-op-(\d+),(\w+),(\d+)", line) for line in said if line.startswith("m-op-")]
        if not rows or [row and int(row[1]) for row in rows] != list(range(len(rows))):
            self._unexpected("no list of operators")
        return [(row[2], int(row[3]) / n) for row in rows if row]

    def features(self) -> tuple[float, bool | None] | None:
        """Microseconds of a frame of the sound's features, and whether they are right (None: not looked at); None where
        the firmware has no features."""
        try:
            said = self._ask("features 1", timeout_s=self._run_timeout_s)
        except _RefusalError:
            return None
        frame = self._value(said, "m-spent-us-") / max(1, self._value(said, "m-features-frames-"))
        hashes = [
            line.rpartition("-")[2] for line in said if line.startswith(("m-features-hash-", "m-features-wanted-"))
        ]
        return frame, None if len(hashes) != 2 else hashes[0] == hashes[1]

    def _number(self, command: str, start: str, timeout_s: float) -> int:
        return self._value(self._ask(command, start, timeout_s), start)

    def _value(self, lines: list[str], start: str) -> int:
        found = [line.removeprefix(start) for line in lines if line.startswith(start)]
        if not found or not re.fullmatch(r"\d{1,10}", found[-1]):
            self._unexpected(f"no number after {start}")
        return int(found[-1])

    def _ask(self, command: str, start: str | None = None, timeout_s: float | None = None) -> list[str]:
        """The lines that answer the command, but for m-ready; with `start` those that begin so, one at least."""
        wait = self._timeout_s if timeout_s is None else timeout_s
        self._line.send(f"{command}%", self._timeout_s)
        end, said, refused = time.monotonic() + wait, list[str](), ""
        while True:
            line = self._line.receive(end - time.monotonic())
            if line is None:
                raise BoardError(
                    f"{self._line.port} did not answer {command.split()[0]!r} within {wait:g} s"
                    + (f" (it said {said[-1][:60]!r})" if said else "")
                    + ": is it the board's port, and its firmware compiled with -DTINYNAS_BENCH?"
                )
            if line == "m-ready":
                break
            if line == "m-init-done":
                raise BoardError(
                    f"{self._line.port}: the board started anew while it was to answer {command.split()[0]!r}: its "
                    f"power, a watchdog or a fault, such as a stack that is too small."
                )
            if line.startswith("e-["):
                refused = line[3:].rstrip("]")[:80]
                continue
            if not line.startswith("m-") or len(said) > _MOST_LINES:
                self._unexpected(repr(line[:60]))
            said.append(line)
        if refused:
            raise _RefusalError(f"{self._line.port} refused {command.split()[0]!r}: {refused}.")
        found = [line for line in said if start is None or line.startswith(start)]
        if start is not None and not found:
            self._unexpected(f"no line {start}")
        return found

    def _unexpected(self, what: str) -> NoReturn:
        raise BoardError(
            f"{self._line.port} answered what tinynas measure does not know ({what[:200]}): is the speed that of the "
            f"firmware, and the firmware that of tinynas convert, compiled with -DTINYNAS_BENCH?"
        )


class _RefusalError(BoardError):
    """The board said what was wrong."""


def _split(line: str) -> tuple[str, str]:
    """("model", "abc") of "m-model-[abc]" or "m-model-abc"."""
    match = re.fullmatch(r"m-([a-z]+)-\[?(.*?)\]?", line)
    return ("", "") if match is None else (match[1], match[2])


def _fnv(data: bytes) -> int:
    found = 2166136261
    for byte in data:
        found = (found ^ byte) * 16777619 % 2**32
    return found
