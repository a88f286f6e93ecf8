"""Fit the bytes of code that TFLM's operators share; print the table of tinynas/hardware/runtime.py and the errors.

    python tools/fit_runtime.py

Programs of several operators are smaller than the sum of their parts, since helpers are linked once. The difference
is fitted, for each build, as bytes per helper times how often the sum counts it again (non-negative least squares).
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from tinynas.hardware import runtime

_CNN = ("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX")
# The linked sizes of programs of several operators, in the order of runtime._COLUMNS.
TOGETHER: tuple[tuple[tuple[str, ...], tuple[int | None, ...]], ...] = (
    (("MAX_POOL_2D", "AVERAGE_POOL_2D"), (27676, 26480, None, None, None, None)),
    (("FULLY_CONNECTED", "SOFTMAX"), (50668, 45116, None, None, None, None)),
    (_CNN, (82996, 59664, 67244, 44908, 58572, 38316)),
    ((*_CNN, "SHAPE", "STRIDED_SLICE", "PACK"), (97256, 73924, 79500, 57164, 64044, 43820)),
    (("CONV_2D", "MAX_POOL_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"), (86124, 62792, 70508, 48172, 60876, 40620)),
    (
        ("CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"),
        (99584, 68428, 82968, 52760, 72088, 45016),
    ),
    (
        ("CONV_2D", "ADD", "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"),
        (94396, 65368, 77676, 49804, 65772, 41932),
    ),
    (
        (
            "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "RESHAPE", "ADD",
            "FULLY_CONNECTED", "SOFTMAX", "PAD",
        ),
        (124196, 86052, 103936, 67008, 87776, 55968),
    ),
)  # fmt: skip
HELPERS = tuple(runtime.SHARED)


def rows(build: runtime.Build) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(how often helpers are counted again, bytes that the sum is too large, bytes measured), one row a program."""
    column = runtime._COLUMNS.index(build)
    again, over, measured = [], [], []
    for operators, sizes in TOGETHER:
        size = sizes[column]
        if size is None:
            continue
        parts = runtime._CORE[column] + sum(runtime.own_bytes(name, build) for name in operators)
        repeats = runtime.repeats(frozenset(operators))
        again.append([repeats[helper] for helper in HELPERS])
        over.append(parts - size)
        measured.append(size)
    return np.array(again, float), np.array(over, float), np.array(measured, float)


def fit(again: np.ndarray, over: np.ndarray, measured: np.ndarray) -> np.ndarray:
    return nnls(again / measured[:, None], over / measured)[0]


def left_out(again: np.ndarray, over: np.ndarray, measured: np.ndarray) -> list[float]:
    """The relative error of each program, fitted without it."""
    errors = []
    for row in range(len(over)):
        keep = np.arange(len(over)) != row
        shared = fit(again[keep], over[keep], measured[keep])
        errors.append(float((over[row] - again[row] @ shared) / measured[row]))
    return errors


def main() -> None:
    table: dict[str, list[int]] = {helper: [] for helper in HELPERS}
    worst: list[float] = []
    for build in runtime._COLUMNS:
        data = rows(build)
        for helper, size in zip(HELPERS, fit(*data), strict=True):
            table[helper].append(round(float(size)))
        errors = left_out(*data)
        worst.append(max(map(abs, errors)))
        print(f"{build:15} left out, %:", _percent(errors))
    for helper, sizes in table.items():
        print(f'    "{helper}": {tuple(sizes)},')
    print("ERRORS =", tuple(round(error, 3) for error in worst))


def _percent(errors: Sequence[float]) -> str:
    return " ".join(f"{100 * error:+.1f}" for error in errors)


if __name__ == "__main__":
    main()
