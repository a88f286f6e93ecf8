"""Fit the cycles of an instruction to published times; print how far a board is off that the fit has not seen.

    python tools/fit_latency.py                 the errors, a board left out at a time
    python tools/fit_latency.py --rows          and every row: measured, estimated with its board left out
    python tools/fit_latency.py --write         and write tinynas/hardware/pace.py and docs/published.md anew

Data: tests/fixtures/published/latency.json, published times with their sources and the layers of the files that were
timed. cycles = instructions x pace + bytes of weights fetched x what a byte of Flash waits: the instructions are those
of tinynas/tflite/instructions.py, the waits follow from the data sheet of each board, so that the pace is the only
number that is fitted, one a family of cores. It is the geometric mean over the boards of a family, each board being
the mean over its runtimes, each runtime that over its files: a board with many results weighs no more than another.
"""

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fit_instructions import shape_graph

from tinynas.hardware import Estimate, Target, Work, energy, latency, total
from tinynas.hardware.cores import CORES
from tinynas.hardware.latency import XIP_ERROR
from tinynas.tflite.work import work

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "tests" / "fixtures" / "published" / "latency.json"
TABLE = ROOT / "docs" / "published.md"
PACE = ROOT / "tinynas" / "hardware" / "pace.py"
FAMILIES = {
    "Cortex-M4 and M33": ("Cortex-M4", "Cortex-M4F", "Cortex-M33"),
    "Cortex-M7": ("Cortex-M7",),
    "Xtensa LX7": ("Xtensa LX7",),
    "Xtensa LX6": ("Xtensa LX6",),
}
SHARE = 90  # percent of the rows that the stated error holds
POWERED = {"NUCLEO-L4R5ZI": "nucleo_l4r5zi", "Teensy 4.0": "teensy41"}  # the profile that has a row's power
LEAST = 0.15  # no error below this is stated: the families have few boards


class Row(NamedTuple):
    """One published time, and what the model knows of it: instructions, how many of them belong to convolutions that
    gather a window (im2col), and cycles of the Flash's waits."""

    number: int
    family: str
    board: str
    runtime: str
    net: str
    group: str
    ms: float
    clock_hz: int
    instructions: float
    windows: float
    stall: float
    uj: float | None
    before_ms: float | None
    before_error: float

    def pace(self) -> float:
        """Cycles an instruction took, the waits for Flash left out."""
        return (self.ms * self.clock_hz / 1000 - self.stall) / self.instructions

    def at(self, pace: float) -> float:
        """ms at that pace."""
        return (self.instructions * pace + self.stall) / self.clock_hz * 1000


def board_of(measured: dict[str, Any]) -> Target:
    """The board of a row as a profile, as large as need be."""
    flash = {key: measured[key] for key in ("flash_wait_cycles", "flash_read_bytes", "flash_cache_bytes")}
    return Target(
        name=measured["board"], mcu=measured["board"], core=measured["core"], clock_hz=measured["clock_hz"],
        flash_bytes=2**24, ram_bytes=2**24, kernels=measured["kernels"], **flash,
    )  # fmt: skip


def work_of(layers: Iterable[dict[str, Any]], board: Target, for_size: bool = False) -> Work:
    """The work of a net on a board, with kernels built by -O2, or by -Os."""
    graphs, build = [shape_graph(layer) for layer in layers], "release -Os i8" if for_size else "release -O2 i8"
    return total(work(graph, graph.operators[0], board.kernel_library, board, build) for graph in graphs)  # type: ignore[arg-type]


def rows() -> list[Row]:
    """Every published time."""
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    found = []
    for number, measured in enumerate(published["measurements"]):
        board = board_of(measured)
        family = next((name for name, cores in FAMILIES.items() if board.core in cores), board.core)
        for net, ms in measured["ms"].items():
            layers = published["nets"][net]["layers"]
            done = work_of(layers, board, measured["kernels_for_size"])
            before = latency(work_of(layers, board), board.with_figures(1))
            windows = work_of([each for each in layers if _gathers(each)], board, measured["kernels_for_size"])
            found.append(
                Row(
                    number, family, measured["board"], measured["runtime"], net, measured["group"], ms, board.clock_hz,
                    done.instructions, windows.instructions, done.weight_bytes * board.flash_stall,
                    measured["uj"].get(net),
                    None if before is None else before.value, 0 if before is None else before.error,
                )
            )  # fmt: skip
    return found


def _gathers(layer: dict[str, Any]) -> bool:
    return layer["operator"] == "CONV_2D" and layer["second"][1:3] != [1, 1]


def unseen_with_two_paces(data: Sequence[Row]) -> list[tuple[Row, float]]:
    """As `unseen`, with a pace for convolutions that gather a window (loads and stores) and one for all the rest."""
    told = []
    for row in data:
        others = [each for each in data if each.family == row.family and each.board != row.board]
        cycles = np.array([each.ms * each.clock_hz / 1000 - each.stall for each in others])
        counts = np.array([[each.windows, each.instructions - each.windows] for each in others])
        paces, *_ = np.linalg.lstsq(counts / cycles[:, None], np.ones(len(others)), rcond=None)
        spent = row.windows * paces[0] + (row.instructions - row.windows) * paces[1] + row.stall
        told.append((row, spent / row.clock_hz * 1000))
    return told


def fitted(data: Iterable[Row]) -> float:
    """The pace: geometric mean of files, then of runtimes, then of boards."""
    boards: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in data:
        boards[row.board][row.runtime].append(np.log(row.pace()))
    return float(np.exp(np.mean([np.mean([np.mean(each) for each in by.values()]) for by in boards.values()])))


def unseen(data: Sequence[Row]) -> list[tuple[Row, float]]:
    """Each row with the ms that the other boards of its family tell for it."""
    told = []
    for row in data:
        others = [each for each in data if each.family == row.family and each.board != row.board]
        told.append((row, row.at(fitted(others))))
    return told


def off(told: Iterable[tuple[Row, float]]) -> np.ndarray:
    """Relative errors, as an Estimate states them: of what is measured, relative to what is estimated."""
    return np.array([row.ms / ms - 1 for row, ms in told])


def energies(data: Sequence[Row]) -> list[tuple[Row, Estimate]]:
    """The rows with a measured energy whose power a profile has, and the energy told by the time of other boards."""
    found = paces(data)
    times = [(row, Estimate(ms, found[row.family][1])) for row, ms in unseen(data) if row.uj and row.board in POWERED]
    told = [(row, energy(time, Target.load(POWERED[row.board]))) for row, time in times]
    return [(row, spent) for row, spent in told if spent is not None]


def summary(errors: np.ndarray) -> str:
    size = 100 * np.abs(errors)
    median, most = np.percentile(size, [50, SHARE])
    return f"median {median:5.1f} %   {SHARE} % below {most:5.1f} %   worst {size.max():6.1f} %   n {len(size)}"


def paces(data: Sequence[Row]) -> dict[str, tuple[float, float]]:
    """Family -> pace, and the error that is stated: that of boards left out."""
    told, found = unseen(data), {}
    for family in FAMILIES:
        own = [(row, ms) for row, ms in told if row.family == family]
        error = max(float(np.percentile(np.abs(off(own)), SHARE, method="higher")), LEAST)
        found[family] = (round(fitted(row for row, _ in own), 2), np.ceil(100 * error) / 100)
    return found


def write(found: dict[str, tuple[float, float]]) -> None:
    """Put the fit into pace.py."""
    lines = "".join(f'    "{family}": Pace({pace:.2f}, {error:.2f}),\n' for family, (pace, error) in found.items())
    text = re.sub(r"(FITTED: .*? = \{\n).*?\}", lambda match: f"{match[1]}{lines}}}", PACE.read_text(), flags=re.DOTALL)
    PACE.write_text(text)


HEAD = """# Published times and energies

<!-- written by tools/fit_latency.py --write -->

What `latency` and `energy` are held against: `tests/fixtures/published/latency.json` as a table. "estimated" is the
time that the *other* boards of the family tell, ± what is stated; for the rows apart, the one that all boards tell.
Files: those of MLPerf Tiny (kws, vww, ic, ad) and of TFLM's person detection, by their SHA-256 in the JSON;
"vww, thinned" is vww without the channels that no input changes.

"""
GROUPS = {
    "current": "TFLM and static CMSIS-NN or ESP-NN, by which the estimate is fitted and judged",
    "XIP": "Weights in QSPI Flash that is executed in place",
    "arena in external RAM": "The arena in external RAM",
    "2021": "TFLM of 2021",
    "another engine": "Another engine",
}


def table(data: Sequence[Row]) -> str:
    """docs/published.md: every row with its estimate, and each source."""
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))["measurements"]
    found, current = paces([row for row in data if row.group == "current"]), [r for r in data if r.group == "current"]
    told = {(row.number, row.net): ms for row, ms in unseen(current)}
    lines = [HEAD.rstrip("\n")]
    for group, title in GROUPS.items():
        lines += ["", f"## {title}", ""]
        lines += [
            "| board | runtime, compiler | file: measured, estimated ms | energy | source |",
            "|---|---|---|---|---|",
        ]
        for number, measured in enumerate(published):
            own = [row for row in data if row.number == number and row.group == group]
            if own:
                lines.append(_published_line(measured, own, found, told))
    return "\n".join(lines) + "\n"


def _published_line(
    measured: dict[str, Any],
    own: Sequence[Row],
    found: dict[str, tuple[float, float]],
    told: dict[tuple[int, str], float],
) -> str:
    board = f"{measured['board']}, {measured['core']}, {measured['clock_hz'] / 1e6:g} MHz"
    if measured["flash_wait_cycles"]:
        board += f", {measured['flash_wait_cycles']:g} cycles for {measured['flash_read_bytes']} B of Flash"
    times = []
    for row in own:
        ms = told.get((row.number, row.net), row.at(pace_now(row, found)))
        error = XIP_ERROR if row.group == "XIP" else found.get(row.family, (0, 0))[1]
        stated = f" ± {100 * error:.0f} %" if error else ""
        times.append(f"{row.net.replace('_thinned', ', thinned')}: {row.ms:.4g}, {ms:.4g}{stated}")
    spent = [f"{row.net.split('_')[0]} {row.uj / 1000:.4g} mJ" for row in own if row.uj]
    energy_of = f"{', '.join(spent)} ({measured['power_of']})" if spent else ""
    note = f"{measured['source']}{'; ' + measured['note'] if measured['note'] else ''}"
    return f"| {board} | {measured['runtime']}; {measured['compiler']} | {'; '.join(times)} | {energy_of} | {note} |"


def apart(data: Sequence[Row], found: dict[str, tuple[float, float]]) -> list[tuple[Row, float, float]]:
    """Rows of today's TFLM that are not fitted (weights in QSPI Flash, arena in external RAM), told and stated."""
    errors = {"XIP": XIP_ERROR, "arena in external RAM": 0.0}
    return [
        (row, row.at(pace_now(row, found)), errors[row.group] or found[row.family][1])
        for row in data
        if row.group in errors
    ]


def report(data: Sequence[Row], every: bool) -> None:
    current = [row for row in data if row.group == "current"]
    told, found = unseen(current), paces(current)
    print("A board left out at a time, TFLM and static CMSIS-NN or ESP-NN:")
    for family, (pace, error) in found.items():
        own = [(row, ms) for row, ms in told if row.family == family]
        print(f"  {family:18} {pace:.2f} cycles, stated {100 * error:.0f} %: {summary(off(own))}")
        before = [(row, row.before_ms) for row, _ in own if row.before_ms]
        stated = 100 * max(row.before_error for row, _ in own)
        print(f"  {'version 0.1.0':18}              stated {stated:.0f} %: {summary(off(before))}")
    inside = np.array([abs(row.ms / ms - 1) <= found[row.family][1] for row, ms in told])
    print(f"  {'all':18} {summary(off(told))}; {100 * inside.mean():.0f} % within the error that is stated")
    if every:
        show(told)
    two = [row for row in current if row.family == "Cortex-M4 and M33"]
    print(f"  {'two paces, M4, M33':18} {summary(off(unseen_with_two_paces(two)))}: loads apart tell no more")
    more = apart(data, found)
    both = np.abs(np.concatenate([off(told), off((row, ms) for row, ms, _ in more)]))
    held = np.concatenate([inside, [abs(row.ms / ms - 1) <= error for row, ms, error in more]])
    print(f"  {'with XIP, SDRAM':18} {summary(both)}; {100 * held.mean():.0f} % within the error that is stated")
    spent = energies(current)
    errors = np.array([row.uj / 1000 / each.value - 1 for row, each in spent if row.uj])
    inside = np.array([each.low <= row.uj / 1000 <= each.high for row, each in spent if row.uj])
    print(f"  {'energy':18} {summary(errors)}; {100 * inside.mean():.0f} % within the error that is stated")
    for group in dict.fromkeys(row.group for row in data if row.group != "current"):
        own = [(row, row.at(pace_now(row, found))) for row in data if row.group == group]
        print(f"Apart, {group}: {summary(off(own))}")
        show(own)


def pace_now(row: Row, found: dict[str, tuple[float, float]]) -> float:
    """The pace of the row's core: fitted, or, where nothing was published to fit, as cores.py has it."""
    if row.family in found:
        return found[row.family][0]
    pace = CORES[row.family].pace["cmsis_nn_no_dsp"]
    assert pace is not None
    return pace.cycles


def show(told: Iterable[tuple[Row, float]]) -> None:
    for row, ms in told:
        told_off = f"{100 * (ms / row.ms - 1):+5.0f} %   {row.runtime}"
        print(f"    {row.board:18} {row.net:14} {row.ms:9.3f} ms, estimated {ms:9.3f} ms, {told_off}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", action="store_true", help="print every row")
    parser.add_argument("--write", action="store_true", help="write pace.py and docs/published.md anew")
    chosen = parser.parse_args()
    data = rows()
    if chosen.write:
        write(paces([row for row in data if row.group == "current"]))
        TABLE.write_text(table(data), encoding="utf-8")
    report(data, chosen.rows)


if __name__ == "__main__":
    main()
