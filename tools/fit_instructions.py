"""Fit the instructions of one iteration of each kernel loop; print tinynas/tflite/loop_costs.py and the errors.

    python tools/fit_instructions.py                 the errors, cross-validated
    python tools/fit_instructions.py --write         and write tinynas/tflite/loop_costs.py anew

Data: tests/fixtures/arena (instructions of each operator on an emulated Cortex-M4 with CMSIS-NN and DSP, and of whole
nets with the reference kernels; of CMSIS-NN's functions with -Os, on a Cortex-M3 and on a Cortex-M0+) and
tools/odd_layers.json (CMSIS-NN's functions, alone, for small and odd layers, counted in the same ways; and models of
one operator in TFLM, built as the firmware's Makefile does, less the 60 instructions of Invoke() itself). All were
built by arm-none-eabi-gcc 12.2, with -O2 where nothing else is said.
A fit is a non-negative least squares on relative errors, drawn weakly to a prior: the count of a loop's instructions by
reading its source. The pull only matters where no measurement tells two loops apart.
"""

import argparse
import json
import random
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from loop_priors import ONLY_REFERENCE, PRIORS
from scipy.optimize import nnls

from tinynas.hardware.kernels import KERNEL_LIBRARIES, KernelLibrary
from tinynas.tflite.graph import Graph, Operator, Tensor
from tinynas.tflite.instructions import loop_counts
from tinynas.tflite.read import read

ROOT = Path(__file__).resolve().parent.parent
PULL = 1e-4
SPLITS = 20
LINE = 110

Measured = dict[str, Any]
Data = list[tuple[Graph, Measured]]
Row = tuple[np.ndarray, float, float]  # counts, instructions, what the error is relative to
Costs = dict[str, tuple[float, ...]]
CALLS = {"conv": 200, "depthwise": 360, "fully": 257, "PAD": 390}
"""TFLM's own instructions a call, by the first word of the kernel: what the fixtures have beyond the function alone."""
SIZE_RATIO = {
    "reduce mean": 1.12, "reduce max": 1.12, "QUANTIZE": 1.07, "QUANTIZE flip": 1.22, "ADD broadcast": 1.18,
    "MUL broadcast": 1.14,
}  # fmt: skip
SIZE_OTHERS = 1.15
"""-Os to -O2 for TFLM's own loops: its functions alone, on an emulated Cortex-M4; others as the middle of these."""
SCALAR: KernelLibrary = "cmsis_nn_no_dsp"
CORES_OF = {"cortex_m3": 1.0, "cortex_m0plus": 2.2}
"""The cores without DSP, and how many instructions stand for one with it where a kernel was not counted there."""
ONLY_DSP = (
    "conv", "conv 1x1", "depthwise columns", "fully connected", "fully connected by tensor", "average pool",
)  # fmt: skip
DIFFERENT = ("conv", "depthwise", "fully connected", "max pool", "average pool")
"""Kernels of which CMSIS-NN and the reference library have their own."""


def fit(rows: Iterable[Row], prior: Sequence[float]) -> tuple[float, ...]:
    """Costs >= 0 that minimise sum(((counts . costs - measured) / scale)^2) + PULL * sum((costs / prior - 1)^2)."""
    rows, size = list(rows), np.asarray(prior, float)
    matrix = np.array([counts / scale for counts, _, scale in rows]).reshape(-1, len(size)) * size
    wanted = np.array([measured / scale for _, measured, scale in rows])
    pull = np.sqrt(PULL)
    costs, _ = nnls(
        np.vstack([matrix, pull * np.eye(len(size))]),
        np.concatenate([wanted, pull * np.ones(len(size))]),
        maxiter=10**5,
    )
    return tuple(float(cost) for cost in costs * size)


def nets() -> Data:
    folder = ROOT / "tests" / "fixtures" / "arena"
    measured = json.loads((folder / "measured.json").read_text())
    return [(read((folder / f"{net['model']}.tflite").read_bytes()), net) for net in measured]


def flipping(shape: Sequence[int]) -> Graph:
    """A graph of one QUANTIZE from uint8 to int8."""
    tensors = (
        Tensor("x", tuple(shape), "UINT8", None, (1.0,), (128,)),
        Tensor("y", tuple(shape), "INT8", None, (1.0,), (0,)),
    )
    return Graph(tensors, (Operator("QUANTIZE", 1, (0,), (1,), {}),), (0,), (1,))


@lru_cache
def json_of(name: str) -> Any:
    """A file of tests/fixtures/arena."""
    return json.loads((ROOT / "tests" / "fixtures" / "arena" / name).read_text())


def shape_graph(layer: Measured) -> Graph:
    """A graph of one operator of what is written down: shapes, options, whether each channel has its scale."""
    source, second, result = layer["input"], layer["second"], layer["output"]
    shapes = (source, second or (), result)
    if layer.get("flips"):
        return flipping(source)
    scales = (1.0,) * (result[-1] if layer.get("per_channel") else 1)
    tensors = tuple(
        Tensor(name, tuple(shape), "INT8", b"" if name == "w" else None, scales if name == "w" else ())
        for name, shape in zip("xwy", shapes, strict=True)
    )
    inputs = (0,) if second is None else (0, 1)
    return Graph(tensors, (Operator(layer["operator"], 1, inputs, (2,), layer["options"]),), (0,), (2,))


def rows_by_kernel(data: Data) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = defaultdict(list)
    for graph, net in data:
        for operator, measured in zip(graph.operators, net["per_op"], strict=True):
            kernel, counts = loop_counts(graph, operator, "cmsis_nn")
            rows[kernel].append((np.array(counts), measured["instructions"], measured["instructions"]))
    return rows


def call(kernel: str, column: str) -> int:
    """TFLM's own instructions for a call of the kernel."""
    return CALLS.get(kernel.split()[0], CALLS["conv"]) * (2 if column == "cortex_m0plus" else 1)


def functions_alone(column: str) -> dict[str, list[Row]]:
    """Rows by kernel of tools/odd_layers.json, with what TFLM itself takes for a call; `column`: how it was counted."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for layer in odd_layers():
        whole = whole_call(layer, column)
        if whole is not None:
            graph = shape_graph(layer)
            kernel, counts = loop_counts(graph, graph.operators[0], SCALAR if column in CORES_OF else "cmsis_nn")
            rows[kernel].append((np.array(counts), whole, whole))
    return rows


def odd_layers() -> list[Measured]:
    """The layers of tools/odd_layers.json."""
    layers: list[Measured] = json.loads((ROOT / "tools" / "odd_layers.json").read_text())
    return layers


def whole_call(layer: Measured, column: str) -> float | None:
    """Instructions of a layer with all that TFLM takes for a call: counted so, or the function's and TFLM's own."""
    if f"{column}_in_tflm" in layer:
        return float(layer[f"{column}_in_tflm"])
    if column not in layer:
        return None
    graph = shape_graph(layer)
    kernel, _ = loop_counts(graph, graph.operators[0], SCALAR if column in CORES_OF else "cmsis_nn")
    return float(layer[column] + call(kernel, column))


def fit_with_dsp(data: Data) -> Costs:
    rows = rows_by_kernel(data)
    for kernel, more in functions_alone("o2").items():
        rows[kernel] += more
    return {k: fit(rows[k], prior) for k, prior in PRIORS.items() if "reference" not in k and "scalar" not in k}


def fit_for_size(data: Data, with_dsp: Costs) -> Costs:
    """Costs with -Os: where operators were counted, drawn to a quarter more than with -O2; else by SIZE_RATIO."""
    for_size = json_of("size.json")
    rows = functions_alone("os")
    for graph, net in data:
        for operator, counted in zip(graph.operators, for_size[net["model"]], strict=True):
            if counted is not None:
                kernel, counts = loop_counts(graph, operator, "cmsis_nn")
                rows[kernel].append((np.array(counts), counted, counted))
    library = {"copy": with_dsp["copy"]}  # the C library's memcpy is built once
    return {k: _for_size(k, costs, rows[k]) for k, costs in with_dsp.items()} | library


def _for_size(kernel: str, costs: Sequence[float], rows: Sequence[Row]) -> tuple[float, ...]:
    if rows:
        return fit(rows, [1.25 * cost or 1.0 for cost in costs])
    return tuple(SIZE_RATIO.get(kernel, SIZE_OTHERS) * cost for cost in costs)


def size_errors(data: Data, costs: Costs) -> list[float]:
    """Errors of whole nets with -Os: the operators that were counted."""
    for_size, errors = json_of("size.json"), []
    for graph, net in data:
        told = counted = 0.0
        for operator, measured in zip(graph.operators, for_size[net["model"]], strict=True):
            if measured is not None:
                kernel, counts = loop_counts(graph, operator, "cmsis_nn")
                told, counted = told + float(np.dot(counts, costs[kernel])), counted + measured
        if counted:
            errors.append(told / counted - 1)
    return errors


def fit_reference(data: Data, with_dsp: Costs) -> Costs:
    """Only whole nets were measured: one fit over all kernels that differ, the others being known."""
    priors = {kernel: prior for kernel, prior in PRIORS.items() if kernel.endswith("reference")} | ONLY_REFERENCE
    flat = [cost for prior in priors.values() for cost in prior]
    rows: list[Row] = []
    for graph, net in data:
        total = net["m4_reference"]["instructions"]
        counts, known = {kernel: np.zeros(len(prior)) for kernel, prior in priors.items()}, 0.0
        for operator in graph.operators:
            kernel, own = loop_counts(graph, operator, "reference")
            if kernel in priors:
                counts[kernel] += own
            else:
                known += float(np.dot(own, with_dsp[kernel]))
        rows.append((np.concatenate(list(counts.values())), total - known, total))
    costs, fitted, start = fit(rows, flat), {}, 0
    for kernel, prior in priors.items():
        fitted[kernel], start = costs[start : start + len(prior)], start + len(prior)
    return {kernel: cost for kernel, cost in with_dsp.items() if not kernel.startswith(DIFFERENT)} | fitted


def scalar_counts(graph: Graph, net: Measured, column: str) -> list[tuple[str, np.ndarray, float]]:
    """Kernel, loops and instructions of each operator of a net that was counted without DSP."""
    found = []
    for operator, alone in zip(graph.operators, json_of("scalar.json")[net["model"]][column], strict=True):
        if alone is not None:
            kernel, counts = loop_counts(graph, operator, SCALAR)
            found.append((kernel, np.array(counts), float(alone + call(kernel, column))))
    return found


def fit_without_dsp(data: Data, with_dsp: Costs, column: str) -> Costs:
    """Costs on a Cortex-M3 or M0+. What was not counted there costs as with DSP, or on an M0+ 2.2 times that."""
    rows = functions_alone(column)
    for graph, net in data:
        for kernel, counts, whole in scalar_counts(graph, net, column):
            rows[kernel].append((counts, whole, whole))
    factor = CORES_OF[column]
    known = {k: tuple(factor * cost for cost in costs) for k, costs in with_dsp.items() if k not in ONLY_DSP}
    priors = {k: PRIORS[k] if "scalar" in k or "reference" in k else with_dsp[k] for k in rows}
    return known | {k: fit(found, [factor * cost or 1.0 for cost in priors[k]]) for k, found in sorted(rows.items())}


def scalar_errors(data: Data, column: str, costs: Costs) -> list[float]:
    """Errors of whole nets without DSP: the operators that were counted."""
    errors = []
    for graph, net in data:
        found = scalar_counts(graph, net, column)
        if found:
            told = sum(float(np.dot(counts, costs[kernel])) for kernel, counts, _ in found)
            errors.append(told / sum(whole for *_, whole in found) - 1)
    return errors


def predict(graph: Graph, kernels: KernelLibrary, costs: Costs) -> float:
    work = [loop_counts(graph, operator, kernels) for operator in graph.operators]
    return sum(float(np.dot(counts, costs[kernel])) for kernel, counts in work)


def net_errors(data: Data, kernels: KernelLibrary, costs: Costs) -> list[float]:
    build = "m4_reference" if kernels == "reference" else "m4_cmsis_nn"
    return [predict(graph, kernels, costs) / net[build]["instructions"] - 1 for graph, net in data]


def cross_validate(data: Data) -> dict[str, list[float]]:
    """Errors of whole nets the fit has not seen: fitted on one half, read on the other, both ways, SPLITS times."""
    errors: dict[str, list[float]] = defaultdict(list)
    for seed in range(SPLITS):
        shuffled = random.Random(seed).sample(data, len(data))
        half = len(shuffled) // 2
        for train, test in ((shuffled[:half], shuffled[half:]), (shuffled[half:], shuffled[:half])):
            with_dsp = fit_with_dsp(train)
            errors["cmsis_nn"] += net_errors(test, "cmsis_nn", with_dsp)
            errors["cmsis_nn -Os"] += size_errors(test, fit_for_size(train, with_dsp))
            for column in CORES_OF:
                errors[column] += scalar_errors(test, column, fit_without_dsp(train, with_dsp, column))
            errors["reference"] += net_errors(test, "reference", fit_reference(train, with_dsp))
    return errors


def fit_all() -> dict[KernelLibrary, Costs]:
    with_dsp = fit_with_dsp(nets())
    fitted = {"cmsis_nn": with_dsp, SCALAR: fit_without_dsp(nets(), with_dsp, "cortex_m3"),
              "reference": fit_reference(nets(), with_dsp)}  # fmt: skip
    return {library: fitted[library] for library in KERNEL_LIBRARIES}


def fit_more(with_dsp: Costs) -> dict[str, Costs]:
    """The costs with -Os, and those on a Cortex-M0+, by their names in loop_costs.py."""
    return {
        "SIZE_COSTS": fit_for_size(nets(), with_dsp),
        "M0PLUS_COSTS": fit_without_dsp(nets(), with_dsp, "cortex_m0plus"),
    }


HEAD = '''"""Instructions of one iteration of each loop in loops.py; written by tools/fit_instructions.py, see there."""

from collections.abc import Mapping

from tinynas.hardware.kernels import KernelLibrary

Costs = Mapping[str, tuple[float, ...]]

'''
TAIL = """
COSTS: Mapping[KernelLibrary, Costs] = {
    "cmsis_nn": _CMSIS_NN,
    "cmsis_nn_no_dsp": {**_CMSIS_NN, **_CMSIS_NN_NO_DSP},
    "reference": {**_CMSIS_NN, **_REFERENCE},
}
"""


def source(fitted: Mapping[KernelLibrary, Costs], more: Mapping[str, Costs]) -> str:
    """The text of loop_costs.py: the costs with DSP, and of the others what differs from them."""
    base, lines = fitted["cmsis_nn"], []
    for library, costs in fitted.items():
        own = {kernel: cost for kernel, cost in costs.items() if costs is base or base.get(kernel) != cost}
        lines.append(f"_{library.upper()}: Costs = {{")
        for kernel, cost in own.items():
            lines += _line(kernel, cost)
        lines.append("}  # fmt: skip")
    for name, costs in more.items():
        lines.append(f"{name}: Costs = {{")
        for kernel, cost in costs.items():
            lines += _line(kernel, cost)
        lines.append("}  # fmt: skip")
    return HEAD + "\n".join(lines) + "\n" + TAIL


def _line(kernel: str, cost: Sequence[float]) -> list[str]:
    text = f'"{kernel}": ({", ".join(f"{value:.4g}" for value in cost)}),'
    return textwrap.wrap(text, LINE, initial_indent="    ", subsequent_indent="        ")


def summary(errors: Iterable[float]) -> str:
    size = 100 * np.abs(np.asarray(list(errors)))
    median, most = np.percentile(size, [50, 90])
    return f"median {median:5.2f} %   90 % below {most:5.2f} %   worst {size.max():5.2f} %   n {len(size)}"


def report(fitted: Mapping[KernelLibrary, Costs]) -> None:
    data = nets()
    print("Each kernel, fitted on all nets:")
    for kernel, rows in rows_by_kernel(data).items():
        cost = fitted["cmsis_nn"][kernel]
        print(f"  {kernel:20}", summary(float(counts @ cost) / measured - 1 for counts, measured, _ in rows))
    ratios = [1 + error for error in size_errors(data, fitted["cmsis_nn"])]
    most, median = max(1 / ratio for ratio in ratios), float(np.median([1 / ratio for ratio in ratios]))
    print(f"-Os against -O2: median {median:.2f}, {min(1 / ratio for ratio in ratios):.2f} to {most:.2f} times")
    for library, errors in cross_validate(data).items():
        print(f"Whole nets, unseen, {library:9}:", summary(errors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write tinynas/tflite/loop_costs.py anew")
    fitted = fit_all()
    if parser.parse_args().write:
        (ROOT / "tinynas" / "tflite" / "loop_costs.py").write_text(source(fitted, fit_more(fitted["cmsis_nn"])))
    report(fitted)


if __name__ == "__main__":
    main()
