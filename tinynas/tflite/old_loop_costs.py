"""The costs of version 0.1.0, for the times of searches that began with it: see hardware/old_figures.py."""

from collections.abc import Mapping

from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.loop_costs import Costs

_CMSIS_NN: Costs = {
    "conv": (598.7, 39.01, 19.42, 32.31, 23.66, 7.717, 3.46, 2.32, 1.227, 29.1, 2.807, 9.928, 7.505, 147,
        184.6, 25.91, 8.828, 96.21, 15.36, 9.905, 63.81, 10.54, 5.785),
    "conv 1x1": (282.1, 50.79, 78.67, 6.427, 160.2, 91.82, 26.12, 13.03, 102.3, 58.17, 30.37, 9, 51.89,
        6.779),
    "depthwise 3x3": (501.3, 40.03, 59.27, 170.6, 5.944, 11.5, 50, 6, 6),
    "depthwise columns": (925, 76.18, 19.75, 32.78, 14.2, 7.627, 22.37, 2.72, 52.09, 1.377, 166.9, 30.87,
        15.66, 34.91, 10.08),
    "depthwise by 4": (500, 39.84, 24.94, 182.8, 17.81, 15.56),
    "depthwise generic": (499.9, 29.96, 10.04, 79.92, 25.96, 12.13),
    "depthwise dilated": (499.9, 29.93, 9.936, 102.2, 26.59, 13.01),
    "fully connected": (403.9, 39.64, 115.3, 15.02, 6.071, 70.88, 9.184, 0),
    "max pool": (342.8, 47.04, 26.23, 16.77, 31.77, 31.83, 10.22, 4.372, 3.98, 3.346, 16.09, 29.99, 5.483,
        41.24, 14.2),
    "average pool": (647.1, 44.15, 20.39, 10.02, 20.15, 5.835),
    "reduce mean": (1301, 7.832, 23.6, 35.57),
    "reduce max": (909.4, 20.03, 28.21, 33.86),
    "copy": (192.9, 33.79, 3.578, 9.469),
    "CONCATENATION": (519.7, 30.32, 0.966),
    "PAD": (499.5, 69.93, 0.8474),
    "SOFTMAX": (270.2, 519.1),
    "LOGISTIC": (133.2, 363.3),
    "TANH": (150, 400),
    "ADD": (754.8, 81.1),
    "ADD broadcast": (900, 115),
    "SUB": (900, 90.33),
    "SUB broadcast": (900, 125),
    "MUL": (600, 36.01),
    "MUL broadcast": (700, 53.92),
    "MAXIMUM": (500.1, 8.038),
    "MAXIMUM broadcast": (700, 60),
    "MINIMUM": (500, 8),
    "MINIMUM broadcast": (700, 60),
    "HARD_SWISH": (300, 88.94),
    "LEAKY_RELU": (300, 51.2),
    "PRELU": (400, 53.58),
    "RELU": (300, 49.25),
    "RELU6": (250, 13.98),
    "TRANSPOSE": (500.1, 7.031),
    "QUANTIZE": (300.1, 40.14),
    "QUANTIZE float": (300, 45),
    "DEQUANTIZE": (300, 14),
    "EXPAND_DIMS": (140.1, 4.009),
    "SHAPE": (131.3, 0),
    "STRIDED_SLICE": (800.5, 15),
    "PACK": (246.1, 5.996),
}  # fmt: skip
_CMSIS_NN_NO_DSP: Costs = {
    "depthwise 3x3": (0, 77.01, 59.02, 164.1, 8.435, 18.46, 78.68, 9.288, 2.249),
    "conv scalar": (598.7, 39.01, 19.42, 32.31, 23.66, 7.717, 3.46, 2.32, 1.227, 29.1, 2.807, 5.004, 95.95,
        165.6, 10, 83.96, 6.952, 57.18, 4.976),
    "conv 1x1 scalar": (13.51, 88.17, 68.26, 5.95, 146.3, 9.998, 83.46, 7.061, 51.37, 5.991),
    "fully connected scalar": (31.56, 36.69, 127.9, 9.997, 63.87, 6.002),
    "average pool reference": (18.03, 25.41, 0, 26.93, 11.3),
}  # fmt: skip
_REFERENCE: Costs = {
    "PAD": (502.6, 60.87, 37.98),
    "SOFTMAX": (295.6, 512.7),
    "ADD": (737.4, 89.95),
    "ADD broadcast": (900, 145),
    "MUL": (599.3, 52.42),
    "MUL broadcast": (698.9, 52.93),
    "conv reference": (446.2, 23.86, 85.08, 14.85, 7.914, 30.1, 5.997),
    "depthwise reference": (743.7, 65.77, 102.9, 12.77, 7.997, 20.05),
    "fully connected reference": (424.4, 60.6, 5.984),
    "average pool reference": (495.8, 27.34, 41.72, 13.99, 5.015),
    "max pool reference": (502.1, 30.35, 52.35, 8.623, 6.528),
}  # fmt: skip

# Kernels that are told apart since.
_SINCE = {"fully connected by tensor": "fully connected", "QUANTIZE flip": "QUANTIZE"}
_SINCE_SCALAR = {"fully connected scalar by tensor": "fully connected scalar"}

_CMSIS_NN = {**_CMSIS_NN, **{new: _CMSIS_NN[old] for new, old in _SINCE.items()}}
_CMSIS_NN_NO_DSP = {**_CMSIS_NN_NO_DSP, **{new: _CMSIS_NN_NO_DSP[old] for new, old in _SINCE_SCALAR.items()}}
OLD_COSTS: Mapping[KernelLibrary, Costs] = {
    "cmsis_nn": _CMSIS_NN,
    "cmsis_nn_no_dsp": {**_CMSIS_NN, **_CMSIS_NN_NO_DSP},
    "reference": {**_CMSIS_NN, **_REFERENCE},
}
