"""Fit the instructions of one iteration of each kernel loop; print tinynas/tflite/loop_costs.py and the errors.

    python tools/fit_instructions.py                 the errors, cross-validated
    python tools/fit_instructions.py --write         and write tinynas/tflite/loop_costs.py anew

Data: tests/fixtures/arena (instructions of each operator on an emulated Cortex-M4 with CMSIS-NN and DSP, of CMSIS-NN
with -Os, and of whole nets with the reference kernels), tools/dsp_loops.json (CMSIS-NN's own functions, alone, for
small and odd layers with DSP on an emulated Cortex-M4, built with -O2 and with -Os) and tools/scalar_loops.json:
CMSIS-NN's loops for cores without DSP, written down anew, built by arm-none-eabi-gcc 12.2 -O2 for Cortex-M3 and
Cortex-M0+ and counted in an emulator (bodies of memcpy and memset left out on the M3). The same was done for loops
whose true counts are among the fixtures (depthwise with a multiplier or a dilation, max pools): -16 % to +8 %, which
is what the figures without DSP are worth.
A fit is a non-negative least squares on relative errors, drawn weakly to a prior: the count of a loop's instructions by
reading its source. The pull only matters where no measurement tells two loops apart.
"""

import argparse
import json
import random
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from loop_priors import ONLY_REFERENCE, PRIORS, WINDOWS
from scipy.optimize import nnls

from tinynas.hardware.kernels import KERNEL_LIBRARIES, KernelLibrary
from tinynas.tflite.graph import PADDING_SAME, PADDING_VALID, Graph, Operator, Tensor
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


def layers() -> Data:
    """The loops of tools/scalar_loops.json as graphs of one operator."""
    return [(layer_graph(layer), layer) for layer in json.loads((ROOT / "tools" / "scalar_loops.json").read_text())]


def layer_graph(layer: Measured) -> Graph:
    name, source, result = layer["operator"], tuple(layer["input"]), tuple(layer["output"])
    (height, width), (stride_h, stride_w) = layer["kernel"], layer["stride"]
    weights = {
        "CONV_2D": (result[-1], height, width, source[-1]),
        "DEPTHWISE_CONV_2D": (1, height, width, source[-1]),
        "FULLY_CONNECTED": (result[-1], source[-1]),
    }.get(name, ())
    tensors = (Tensor("x", source, "INT8"), Tensor("w", weights, "INT8", b""), Tensor("y", result, "INT8"))
    options = {
        "padding": PADDING_SAME if layer["padding"] == "same" else PADDING_VALID,
        "stride_h": stride_h, "stride_w": stride_w, "filter_height": height, "filter_width": width,
    }  # fmt: skip
    return Graph(tensors, (Operator(name, 1, (0, 1), (2,), options),), (0,), (2,))


def shape_graph(layer: Measured) -> Graph:
    """A graph of one operator of the shapes that are written down: inputs, result, options."""
    source, second, result = layer["input"], layer["second"], layer["output"]
    shapes = (source, second or (), result)
    tensors = tuple(
        Tensor(name, tuple(shape), "INT8", b"" if name == "w" else None)
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


def functions_alone(column: str) -> dict[str, list[Row]]:
    """Rows by kernel of tools/dsp_loops.json, with what TFLM itself takes for a call added: `column` is o2 or os."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for layer in json.loads((ROOT / "tools" / "dsp_loops.json").read_text()):
        graph = shape_graph(layer)
        kernel, counts = loop_counts(graph, graph.operators[0], "cmsis_nn")
        whole = layer[column] + CALLS.get(kernel.split()[0], CALLS["conv"])
        rows[kernel].append((np.array(counts), whole, whole))
    return rows


def fit_with_dsp(data: Data) -> Costs:
    rows = rows_by_kernel(data)
    for kernel, more in functions_alone("o2").items():
        rows[kernel] += more
    return {k: fit(rows[k], prior) for k, prior in PRIORS.items() if not k.endswith(("reference", "scalar"))}


def fit_for_size(data: Data, with_dsp: Costs) -> Costs:
    """Costs with -Os: drawn to a quarter more than with -O2, which what was not counted is taken to cost."""
    for_size = json.loads((ROOT / "tests" / "fixtures" / "arena" / "size.json").read_text())
    rows = functions_alone("os")
    for graph, net in data:
        for operator, counted in zip(graph.operators, for_size[net["model"]], strict=True):
            if counted is not None:
                kernel, counts = loop_counts(graph, operator, "cmsis_nn")
                rows[kernel].append((np.array(counts), counted, counted))
    library = {"copy": with_dsp["copy"]}  # the C library's memcpy is built once
    return {k: fit(rows[k], [1.25 * cost or 1.0 for cost in costs]) for k, costs in with_dsp.items()} | library


def size_errors(data: Data, costs: Costs) -> list[float]:
    """Errors of whole nets with -Os: the operators that were counted."""
    for_size, errors = json.loads((ROOT / "tests" / "fixtures" / "arena" / "size.json").read_text()), []
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


def fit_without_dsp(data: Data, with_dsp: Costs) -> Costs:
    """Costs on a Cortex-M3. The loops that gather a convolution's window are the same with DSP: taken from there."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for graph, layer in data:
        kernel, counts = loop_counts(graph, graph.operators[0], "cmsis_nn_no_dsp")
        own = np.array(counts, float)
        if kernel == "conv scalar":
            own[4 : len(WINDOWS) - 2] = 0  # the bodies of memcpy
            own[len(WINDOWS) - 1] = 0  # and of memset were not counted
        rows[kernel].append((own, layer["cortex_m3"], layer["cortex_m3"]))
    fitted = {kernel: fit(found, PRIORS[kernel]) for kernel, found in rows.items()}
    window = with_dsp["conv"][: len(WINDOWS)]
    fitted["conv scalar"] = (*window, *fitted["conv scalar"][len(WINDOWS) :])
    same = {k: c for k, c in with_dsp.items() if k not in ("conv", "conv 1x1", "depthwise columns", "fully connected")}
    return same | fitted


def predict(graph: Graph, kernels: KernelLibrary, costs: Costs) -> float:
    work = [loop_counts(graph, operator, kernels) for operator in graph.operators]
    return sum(float(np.dot(counts, costs[kernel])) for kernel, counts in work)


def net_errors(data: Data, kernels: KernelLibrary, costs: Costs) -> list[float]:
    build = "m4_reference" if kernels == "reference" else "m4_cmsis_nn"
    return [predict(graph, kernels, costs) / net[build]["instructions"] - 1 for graph, net in data]


def cross_validate(data: Data) -> dict[str, list[float]]:
    """Errors of whole nets the fit has not seen: fitted on one half, read on the other, both ways, SPLITS times."""
    errors: dict[str, list[float]] = {"cmsis_nn": [], "cmsis_nn -Os": [], "reference": []}
    for seed in range(SPLITS):
        shuffled = random.Random(seed).sample(data, len(data))
        half = len(shuffled) // 2
        for train, test in ((shuffled[:half], shuffled[half:]), (shuffled[half:], shuffled[:half])):
            with_dsp = fit_with_dsp(train)
            errors["cmsis_nn"] += net_errors(test, "cmsis_nn", with_dsp)
            errors["cmsis_nn -Os"] += size_errors(test, fit_for_size(train, with_dsp))
            errors["reference"] += net_errors(test, "reference", fit_reference(train, with_dsp))
    return errors


def fit_all() -> dict[KernelLibrary, Costs]:
    with_dsp = fit_with_dsp(nets())
    fitted = {"cmsis_nn": with_dsp, "cmsis_nn_no_dsp": fit_without_dsp(layers(), with_dsp),
              "reference": fit_reference(nets(), with_dsp)}  # fmt: skip
    return {library: fitted[library] for library in KERNEL_LIBRARIES}


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
SIZE_COSTS: Costs = _CMSIS_NN_SIZE
"""


def source(fitted: Mapping[KernelLibrary, Costs], for_size: Costs) -> str:
    """The text of loop_costs.py: the costs with DSP, and of the others what differs from them."""
    base, lines = fitted["cmsis_nn"], []
    for library, costs in fitted.items():
        own = {kernel: cost for kernel, cost in costs.items() if costs is base or base.get(kernel) != cost}
        lines.append(f"_{library.upper()}: Costs = {{")
        for kernel, cost in own.items():
            lines += _line(kernel, cost)
        lines.append("}  # fmt: skip")
    lines.append("_CMSIS_NN_SIZE: Costs = {")
    for kernel, cost in for_size.items():
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
    without = [
        predict(graph, "cmsis_nn_no_dsp", fitted["cmsis_nn_no_dsp"]) / layer["cortex_m3"] - 1
        for graph, layer in layers()
        if layer["operator"] != "CONV_2D" or layer["kernel"] == [1, 1]
    ]
    print("Loops without DSP:    ", summary(without))
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
        (ROOT / "tinynas" / "tflite" / "loop_costs.py").write_text(
            source(fitted, fit_for_size(nets(), fitted["cmsis_nn"]))
        )
    report(fitted)


if __name__ == "__main__":
    main()
