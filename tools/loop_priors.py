"""Instructions of one iteration of each loop in tinynas/tflite/loops.py, read off the kernels' sources.

fit_instructions.py draws its fits weakly towards them. An operator that no fixture holds keeps its prior: TANH (as
LOGISTIC), broadcasts other than MUL's, MINIMUM (as MAXIMUM), QUANTIZE and DEQUANTIZE from and to float32.
"""

from collections.abc import Mapping

_COPY = (30, 34, 10, 4, 5, 3)
WINDOWS = (600, 40, 20, *_COPY, 30, 2.5)
PRIORS: Mapping[str, tuple[float, ...]] = {
    "conv": (*WINDOWS, 9, 7, 150, 190, 26, 10, 95, 16, 10, 65, 11, 6),
    "conv 1x1": (300, 60, 85, 6.3, 160, 95, 26, 13, 95, 66, 20, 9, 60, 7),
    "conv scalar": (*WINDOWS, 7, 150, 190, 10, 95, 6, 65, 6),
    "conv 1x1 scalar": (300, 60, 85, 6.3, 190, 12, 95, 8, 60, 7),
    "conv reference": (600, 60, 60, 12, 14, 16, 8),
    "depthwise 3x3": (500, 40, 60, 180, 6, 12.5, 50, 6, 6),
    "depthwise columns": (1000, 75, 20, 25, 9, 7, 25, 4, 80, 4, 160, 34, 14, 55, 9),
    "depthwise by 4": (500, 40, 25, 190, 18, 16),
    "depthwise generic": (500, 30, 10, 75, 26, 12.5),
    "depthwise dilated": (500, 30, 10, 110, 28, 14),
    "depthwise reference": (600, 60, 80, 12, 16, 14),
    "fully connected": (450, 40, 105, 15, 8, 55, 9.5, 8),
    "fully connected by tensor": (450, 40, 105, 15, 8, 55, 9.5, 8),
    "fully connected scalar": (450, 40, 150, 12, 55, 6),
    "fully connected scalar by tensor": (450, 40, 150, 12, 55, 6),
    "fully connected reference": (450, 60, 9),
    "max pool": (340, 45, 25, 17, *_COPY, 20, 30, 7, 43, 14),
    "average pool": (650, 45, 20, 12, 20, 6),
    "average pool reference": (500, 30, 40, 12, 10),
    "max pool reference": (500, 30, 40, 12, 10),
    "reduce mean": (900, 50, 28, 33, 20),
    "reduce max": (900, 20, 28, 33, 20),
    "copy": (190, 34, 10, 4),
    "CONCATENATION": (500, 30, 1),
    "PAD": (500, 92, 0.56, 80),
    "SOFTMAX": (270, 519),
    "LOGISTIC": (150, 365),
    "TANH": (150, 400),
    "ADD": (750, 81),
    "ADD broadcast": (700, 100, 15),
    "SUB": (900, 90),
    "SUB broadcast": (700, 120, 15),
    "MUL": (680, 36),
    "MUL broadcast": (700, 50, 15),
    "MAXIMUM": (500, 8),
    "MAXIMUM broadcast": (700, 60, 15),
    "MINIMUM": (500, 8),
    "MINIMUM broadcast": (700, 60, 15),
    "HARD_SWISH": (300, 89),
    "LEAKY_RELU": (300, 51),
    "PRELU": (400, 54),
    "RELU": (300, 49),
    "RELU6": (250, 14),
    "TRANSPOSE": (500, 7),
    "QUANTIZE": (300, 40),
    "QUANTIZE float": (300, 45),
    "QUANTIZE flip": (155, 5),
    "DEQUANTIZE": (300, 14),
    "EXPAND_DIMS": (140, 4),
    "SHAPE": (110, 6),
    "STRIDED_SLICE": (800, 15),
    "PACK": (250, 6),
}
ONLY_REFERENCE = {
    "ADD": (750, 110), "ADD broadcast": (900, 145, 15), "MUL": (600, 60), "MUL broadcast": (700, 90, 15),
    "SOFTMAX": (300, 560), "PAD": (500, 60, 28, 1),
}  # fmt: skip
"""Operators that TFLM's CMSIS-NN build replaces: their costs with the reference kernels."""
