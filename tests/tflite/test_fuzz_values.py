"""Sound files with absurd values: each size, option and index of a graph set to extremes, one at a time."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tinynas.errors import ModelError
from tinynas.tflite import Graph, analyze, read, write

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"
EXTREMES = (-1, 0, 1, 2, 3, 1 << 16, 1 << 20, 1 << 28, (1 << 31) - 1)
FEW = ("s_conv1x1_s2", "mn_concat", "s_se_mul", "s_h1_tiny")
LARGE = 100_000
MANY = sorted(p.stem for p in ARENA.glob("*.tflite") if p.stem not in FEW and p.stat().st_size < LARGE)


def put(values: tuple, place: int, value: object) -> tuple:
    return (*values[:place], value, *values[place + 1 :])


def tensor_mutants(graph: Graph) -> Iterator[tuple[str, Graph]]:
    for index, tensor in enumerate(graph.tensors):
        shapes = [put(tensor.shape, axis, v) for axis in range(len(tensor.shape)) for v in EXTREMES if v >= 0]
        changes = [
            *({"shape": shape} for shape in (*shapes, (), (1,) * 8, tensor.shape[:1], (*tensor.shape, 1))),
            *({"dtype": dtype} for dtype in ("INT4", "FLOAT32", "STRING", "INT64", "BOOL")),
            {"is_variable": True},
            {"data": None},
        ]
        for change in changes:
            yield (
                f"tensor {index} {change}",
                replace(graph, tensors=put(graph.tensors, index, replace(tensor, **change))),
            )


def operator_mutants(graph: Graph) -> Iterator[tuple[str, Graph]]:
    for index, operator in enumerate(graph.operators):
        options = operator.options or {}
        changes: list[dict] = [
            {"options": {**options, name: value}}
            for name in options
            for value in EXTREMES
            if isinstance(options[name], int)
        ]
        changes += [
            {"inputs": put(operator.inputs, place, value)}
            for place in range(len(operator.inputs))
            for value in (-1, 0, len(graph.tensors) - 1)
        ]
        changes += [{"options": None}, {"inputs": ()}, {"outputs": ()}, {"inputs": operator.inputs * 3}]
        for change in changes:
            yield (
                f"operator {index} {change}",
                replace(graph, operators=put(graph.operators, index, replace(operator, **change))),
            )


@pytest.mark.parametrize("name", [*FEW, *(pytest.param(name, marks=pytest.mark.slow) for name in MANY)])
def test_extreme_values_are_refused_in_one_sentence_or_are_sound(name: str) -> None:
    graph = read((ARENA / f"{name}.tflite").read_bytes())
    refused = 0
    for label, mutant in (*tensor_mutants(graph), *operator_mutants(graph)):
        start = time.perf_counter()
        try:
            analyze(write(mutant))
        except ModelError as error:
            refused += 1
            if "\n" in str(error) or not str(error):
                pytest.fail(f"{label}: no sentence: {error!s}")
        except Exception as error:  # what else comes is the failure that is looked for
            pytest.fail(f"{label}: {type(error).__name__}: {error}")
        assert time.perf_counter() - start < 1.0, label
    assert refused > 50
