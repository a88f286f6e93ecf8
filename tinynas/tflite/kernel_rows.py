"""What each kind of operator asks of the arena, a row each (TFLM 90b983c2, CMSIS-NN 4ab83cc3).

Sizes are by arm-none-eabi-gcc, whose enums are one byte; types are those that TFLM's kernels run.
"""

from collections.abc import Mapping

from tinynas.tflite import kernel_arrays as arrays
from tinynas.tflite import matrix_arrays as matrix
from tinynas.tflite import signal_arrays as signal
from tinynas.tflite.kernel_row import (
    ANY,
    FLOAT,
    FLOAT_INT8,
    FLOAT_INT8_INT16,
    INT8,
    SECOND_OUTPUT,
    KernelMemory,
)
from tinynas.tflite.sliding import OUTPUT, check_conv, check_depthwise, check_pool

_WINDOW = (0, 1, OUTPUT, 0, 1, 2, OUTPUT)  # a convolution's Prepare, then its CalculateOpData...
_REDUCE = (0, OUTPUT, 1, 0, 1)
_UNARY, _PAIR = (0, OUTPUT), (0, 1, OUTPUT)
_WHOLE = frozenset({"INT8", "INT16", "INT32", "FLOAT32"})
_INTEGERS = frozenset({"INT32", "INT64"})
_BOOL = frozenset({"BOOL"})
_INT16, _INT32 = frozenset({"INT16"}), frozenset({"INT32"})
_UINT32, _UINT64 = frozenset({"UINT32"}), frozenset({"UINT64"})

_WINDOWS: Mapping[str, KernelMemory] = {
    "CONV_2D": KernelMemory(
        (28, 4), (60, 56), _WINDOW, arrays.conv_arrays, arrays.conv_scratch, types=FLOAT_INT8_INT16, check=check_conv
    ),
    "DEPTHWISE_CONV_2D": KernelMemory(
        (28, 4),
        (60, 56),
        _WINDOW,
        arrays.depthwise_arrays,
        arrays.depthwise_scratch,
        types=FLOAT_INT8_INT16,
        check=check_depthwise,
    ),
    "TRANSPOSE_CONV": KernelMemory(
        (16, 4),
        (76, 72),
        (OUTPUT, 2, 1),
        matrix.transpose_conv_arrays,
        matrix.transpose_conv_scratch,
        more_in_integers=(2, 1, 3, OUTPUT),
        types=FLOAT_INT8_INT16,
        data=2,
    ),
    "MAX_POOL_2D": KernelMemory((40, 4), (36, 32), _UNARY, types=FLOAT_INT8_INT16, check=check_pool),
    "AVERAGE_POOL_2D": KernelMemory(
        (40, 4),
        (36, 32),
        _UNARY,
        scratch=arrays.average_pool_scratch,
        more_in_cmsis=_UNARY,
        types=FLOAT_INT8_INT16,
        check=check_pool,
    ),
    "L2_POOL_2D": KernelMemory((40, 4), (0, 0), (OUTPUT, 0), arrays.own_shape, types=FLOAT, check=check_pool),
}

_MATRICES: Mapping[str, KernelMemory] = {
    "FULLY_CONNECTED": KernelMemory(
        (5, 1),
        (72, 48),
        (0, 1, 2, OUTPUT),
        arrays.fully_connected_arrays,
        arrays.fully_connected_scratch,
        types=FLOAT_INT8_INT16,
    ),
    "BATCH_MATMUL": KernelMemory((3, 1), (36, 16), _PAIR, matrix.batch_matmul_arrays, types=FLOAT_INT8_INT16),
    "SVDF": KernelMemory(
        (8, 4), (40, 36), (0, 1, 2, 3, 4, OUTPUT), scratch=matrix.svdf_scratch, types=FLOAT_INT8, stateful=True
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": KernelMemory(
        (16, 4),
        (912, 688),
        (*range(24), OUTPUT),
        matrix.lstm_arrays,
        matrix.lstm_scratch,
        types=FLOAT_INT8_INT16,
        stateful=True,
    ),
}

_REDUCTIONS: Mapping[str, KernelMemory] = {
    **dict.fromkeys(
        ("MEAN", "SUM"),
        KernelMemory(
            (1, 1), (44, 44), _REDUCE, scratch=arrays.mean_scratch, more_in_int8=(OUTPUT,), types=FLOAT_INT8_INT16
        ),
    ),
    **dict.fromkeys(
        ("REDUCE_MAX", "REDUCE_MIN"),
        KernelMemory(
            (1, 1), (44, 44), _REDUCE, scratch=arrays.reduce_scratch, more_in_int8=(OUTPUT,), types=FLOAT_INT8
        ),
    ),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), KernelMemory((1, 1), types=FLOAT_INT8, results=_INT32)),
    "CUMSUM": KernelMemory((2, 1), (0, 0), _PAIR, arrays.only_int8(36), types=FLOAT_INT8),
    "SOFTMAX": KernelMemory(
        (4, 4), (64, 56), _UNARY, arrays.softmax_arrays, types=FLOAT_INT8_INT16, results=FLOAT_INT8_INT16
    ),
    "LOG_SOFTMAX": KernelMemory((0, 1), (0, 0), _UNARY, arrays.only_int8(28), types=FLOAT_INT8),
    "L2_NORMALIZATION": KernelMemory((1, 1), (4, 4), _UNARY, types=FLOAT_INT8),
}

_ELEMENTS: Mapping[str, KernelMemory] = {
    "ADD": KernelMemory((2, 1), (60, 60), _PAIR, types=_WHOLE),
    "SUB": KernelMemory((2, 1), (52, 52), _PAIR, types=_WHOLE),
    "MUL": KernelMemory((1, 1), (36, 36), _PAIR, types=_WHOLE),
    "DIV": KernelMemory((1, 1), (28, 28), _PAIR, types=FLOAT_INT8 | _INT32),
    "SQUARED_DIFFERENCE": KernelMemory((0, 1), (112, 112), _PAIR, types=_WHOLE),
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), KernelMemory(types=_WHOLE | _INTEGERS)),
    **dict.fromkeys(("FLOOR_DIV", "FLOOR_MOD"), KernelMemory(temporaries=_PAIR, types=FLOAT)),
    **dict.fromkeys(
        ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"),
        KernelMemory((0, 1), (32, 32), (0, 1), types=FLOAT_INT8 | _INTEGERS, results=_BOOL),
    ),
    **dict.fromkeys(("LOGICAL_AND", "LOGICAL_OR"), KernelMemory(types=_BOOL)),
    "LOGICAL_NOT": KernelMemory(temporaries=_UNARY, types=_BOOL),
    "SELECT_V2": KernelMemory((0, 1), (1, 1), (0, 1, 2, OUTPUT), types=FLOAT_INT8_INT16, data=1),
    "LOGISTIC": KernelMemory(op_data=(16, 16), temporaries=_UNARY, types=FLOAT_INT8_INT16),
    "TANH": KernelMemory(op_data=(16, 16), temporaries=(0, 0, OUTPUT), types=FLOAT_INT8_INT16),
    "LEAKY_RELU": KernelMemory((4, 4), (24, 24), _UNARY, types=FLOAT_INT8_INT16),
    "RELU": KernelMemory(op_data=(28, 28), temporaries=_UNARY, types=FLOAT_INT8_INT16),
    "RELU6": KernelMemory(op_data=(8, 8), temporaries=(0,), types=FLOAT_INT8_INT16),
    "HARD_SWISH": KernelMemory(op_data=(20, 20), temporaries=_UNARY, types=FLOAT_INT8),
    "PRELU": KernelMemory(op_data=(28, 28), temporaries=_PAIR, types=FLOAT_INT8),
    "ELU": KernelMemory(op_data=(256, 256), temporaries=_UNARY, types=FLOAT_INT8),
    "ABS": KernelMemory(op_data=(28, 28), temporaries=_UNARY, types=FLOAT_INT8_INT16),
    "RSQRT": KernelMemory(op_data=(28, 28), temporaries=_UNARY, types=FLOAT_INT8),
    **dict.fromkeys(
        ("SQUARE", "SQRT", "EXP", "LOG", "SIN", "COS", "CEIL", "ROUND"), KernelMemory(temporaries=_UNARY, types=FLOAT)
    ),
    "FLOOR": KernelMemory(types=FLOAT),
    "NEG": KernelMemory(types=FLOAT_INT8),
    "CAST": KernelMemory((2, 1), temporaries=_UNARY, types=ANY),
    "QUANTIZE": KernelMemory(op_data=(32, 32), temporaries=_UNARY, types=ANY),
    "DEQUANTIZE": KernelMemory(op_data=(32, 32), temporaries=_UNARY, types=ANY),
}

_SHAPES: Mapping[str, KernelMemory] = {
    **dict.fromkeys(("PAD", "PADV2"), KernelMemory(op_data=(56, 56), temporaries=(0, 1, 2, OUTPUT), types=_WHOLE)),
    "MIRROR_PAD": KernelMemory((1, 1), (20, 20), _PAIR, scratch=arrays.mirror_pad_scratch, types=FLOAT_INT8),
    "CONCATENATION": KernelMemory((8, 4), (24, 24), _UNARY, per_input=1, types=_WHOLE | _BOOL | {"INT64"}),
    "SPLIT": KernelMemory((4, 4), temporaries=(0,), types=_WHOLE, data=1),
    "SPLIT_V": KernelMemory((4, 4), temporaries=(2,), types=_WHOLE),
    "UNPACK": KernelMemory((8, 4), types=_WHOLE),
    "PACK": KernelMemory((8, 4), types=ANY),
    "TRANSPOSE": KernelMemory(temporaries=(0, 1, OUTPUT), types=FLOAT_INT8_INT16),
    "RESHAPE": KernelMemory((36, 4), temporaries=_UNARY, types=ANY),
    "SQUEEZE": KernelMemory((36, 4), temporaries=_UNARY, types=ANY),
    "EXPAND_DIMS": KernelMemory(temporaries=_PAIR, types=ANY),
    "SHAPE": KernelMemory((1, 1), types=ANY),
    "STRIDED_SLICE": KernelMemory((24, 4), (84, 84), (0, 1, 2, 3, OUTPUT), types=ANY),
    "SLICE": KernelMemory(temporaries=(0, 1, 2, OUTPUT), types=_WHOLE | _BOOL),
    "GATHER": KernelMemory((8, 4), (0, 0), _PAIR, arrays.own_shape, types=FLOAT_INT8),
    "GATHER_ND": KernelMemory((0, 1), (0, 0), _PAIR, arrays.own_shape, types=FLOAT_INT8),
    "REVERSE_V2": KernelMemory(temporaries=_PAIR, types=_WHOLE | _BOOL | {"UINT8", "INT64"}),
    "FILL": KernelMemory(temporaries=_PAIR, types=FLOAT_INT8_INT16 | _INTEGERS, data=1),
    "ZEROS_LIKE": KernelMemory(temporaries=_UNARY, types=FLOAT_INT8 | _INTEGERS),
    "BROADCAST_TO": KernelMemory(temporaries=_PAIR, types=ANY),
    "SPACE_TO_BATCH_ND": KernelMemory(op_data=(4, 4), temporaries=_UNARY, types=FLOAT_INT8),
    "BATCH_TO_SPACE_ND": KernelMemory(temporaries=_UNARY, types=FLOAT_INT8),
    **dict.fromkeys(
        ("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"),
        KernelMemory((4, 4), (0, 0), _UNARY, arrays.own_shape, types=FLOAT_INT8),
    ),
    "RESIZE_BILINEAR": KernelMemory((2, 1), temporaries=_PAIR, types=FLOAT_INT8),
    "RESIZE_NEAREST_NEIGHBOR": KernelMemory((2, 1), temporaries=_PAIR, types=FLOAT_INT8_INT16),
}

_SIGNALS: Mapping[str, KernelMemory] = {
    "CUSTOM:SignalWindow": KernelMemory((0, 1), (8, 8), _PAIR, types=_INT16),
    "CUSTOM:SignalFftAutoScale": KernelMemory(
        temporaries=(0, OUTPUT, SECOND_OUTPUT), types=_INT16, results=_INT16 | _INT32
    ),
    "CUSTOM:SignalRfft": KernelMemory(
        (0, 1), (32, 32), _UNARY, init=signal.rfft_arrays, scratch=signal.rfft_scratch, types=signal.FFT_TYPES
    ),
    "CUSTOM:SignalIrfft": KernelMemory((0, 1), (24, 24), _UNARY, init=signal.irfft_arrays, types=signal.FFT_TYPES),
    "CUSTOM:SignalEnergy": KernelMemory((0, 1), (8, 8), _UNARY, types=_INT16, results=_UINT32),
    "CUSTOM:SignalFilterBank": KernelMemory(
        (0, 1), (36, 36), (*range(6), OUTPUT), init=signal.filter_bank_arrays, types=_UINT32, results=_UINT64
    ),
    "CUSTOM:SignalFilterBankSquareRoot": KernelMemory(temporaries=_PAIR, types=_UINT64, results=_UINT32),
    "CUSTOM:SignalFilterBankLog": KernelMemory((0, 1), (8, 8), _UNARY, types=_UINT32, results=_INT16),
    "CUSTOM:SignalFilterBankSpectralSubtraction": KernelMemory(
        (0, 1), (44, 44), (*_UNARY, SECOND_OUTPUT), init=signal.subtraction_arrays, types=_UINT32, stateful=True
    ),
    "CUSTOM:SignalPCAN": KernelMemory((0, 1), (4, 4), (0, 1, 2, OUTPUT), types=_UINT32),
    "CUSTOM:SignalFramer": KernelMemory(
        (0, 1),
        (28, 28),
        (*_UNARY, SECOND_OUTPUT),
        signal.framer_arrays,
        types=_INT16,
        results=_INT16 | _BOOL,
        stateful=True,
    ),
    "CUSTOM:SignalStacker": KernelMemory(
        (0, 1),
        (36, 36),
        (*_UNARY, SECOND_OUTPUT),
        init=signal.stacker_arrays,
        types=_INT16,
        results=_INT16 | _BOOL,
        stateful=True,
    ),
    "CUSTOM:SignalDelay": KernelMemory((0, 1), (20, 20), _UNARY, signal.delay_arrays, types=_INT16, stateful=True),
    "CUSTOM:SignalOverlapAdd": KernelMemory(
        (0, 1), (24, 24), _UNARY, signal.overlap_arrays, types=FLOAT | _INT16, stateful=True
    ),
    "CUSTOM:CIRCULAR_BUFFER": KernelMemory((0, 1), (8, 8), _UNARY, types=INT8, stateful=True),
}

_VARIABLES: Mapping[str, KernelMemory] = {  # the variables themselves: resources.py
    "VAR_HANDLE": KernelMemory((8, 4), (4, 4), types=ANY, stateful=True),
    "READ_VARIABLE": KernelMemory(temporaries=(0,), types=ANY, stateful=True),
    "ASSIGN_VARIABLE": KernelMemory(temporaries=(1,), types=ANY, data=1, stateful=True),
    "CALL_ONCE": KernelMemory((4, 4), (8, 8), types=ANY, stateful=True),
}

KERNEL_MEMORY: Mapping[str, KernelMemory] = {
    **_WINDOWS,
    **_MATRICES,
    **_REDUCTIONS,
    **_ELEMENTS,
    **_SHAPES,
    **_SIGNALS,
    **_VARIABLES,
}

WITHOUT_SOURCE = frozenset({"VAR_HANDLE", "CALL_ONCE"})
"""Operators that have no input."""
WITHOUT_RESULT = frozenset({"ASSIGN_VARIABLE", "CALL_ONCE"})
"""Operators that have no output."""
