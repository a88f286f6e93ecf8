"""Arrays and scratch buffers of TFLM's SIGNAL operators (signal/micro/kernels), in bytes on a 32-bit core.

Their options are a flexbuffer map. The Fourier transforms keep the state of KissFFT 1.3.0.
"""

from flatbuffers import flexbuffers

from tinynas.errors import ModelError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite.graph import Graph, Operator, element_bytes
from tinynas.tflite.kernel_arrays import Sizes, data_type, require_input

FFT_TYPES = frozenset({"INT16", "INT32", "FLOAT32"})
MOST = 2**20
"""The largest length or count that is taken for a model of a microcontroller."""
_POINTER, _CIRCULAR_BUFFER = 4, 24
_FFT_STATE, _REAL_FFT_STATE, _FLOAT_INVERSE_STATE = 8 + 4 * 2 * 32, 12, 8  # nfft, inverse and 2 * MAXFACTORS factors


def signal_option(operator: Operator, name: str) -> int:
    """A whole number from the options of a SIGNAL operator; ModelError when it is not there or out of range."""
    try:
        value = flexbuffers.GetRoot(bytearray(operator.custom or b"")).AsMap[name].AsInt
    except Exception:  # the reader checks nothing: whatever it stumbles over, the options are no sound map
        raise ModelError(
            f"operator {operator.name} has no option {name!r} that can be read; convert the model again"
        ) from None
    if not 0 <= value <= MOST:
        raise ModelError(f"operator {operator.name} has {value:,} as its option {name!r}; wanted 0 to {MOST:,}")
    return int(value)


def _fft_state(operator: Operator, width: int) -> int:
    """Bytes of a transform of real values (kiss_fftr_alloc), `width` bytes each."""
    half, value = signal_option(operator, "fft_length") // 2, 2 * width
    return _REAL_FFT_STATE + _FFT_STATE + value * half + value * (half * 3 // 2)


def rfft_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """The state of the transform."""
    return (_fft_state(operator, element_bytes(data_type(graph, operator, 0))),)


def rfft_scratch(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """The input, padded to the transform's length."""
    return (signal_option(operator, "fft_length") * element_bytes(data_type(graph, operator, 0)),)


def irfft_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """The state of the inverse transform; that of floats has a head of its own."""
    dtype = data_type(graph, operator, 0)
    return (_fft_state(operator, element_bytes(dtype)) + (_FLOAT_INVERSE_STATE if dtype == "FLOAT32" else 0),)


def filter_bank_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """An uint64 a channel and one more."""
    return (8 * (signal_option(operator, "num_channels") + 1),)


def subtraction_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """The noise that is estimated of each channel."""
    return (4 * signal_option(operator, "num_channels"),)


def stacker_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """A circular buffer of all frames that are stacked."""
    frames = signal_option(operator, "stacker_left_context") + signal_option(operator, "stacker_right_context") + 1
    return (_circular(signal_option(operator, "num_channels") * frames),)


def framer_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Pointers, and a circular buffer of whole steps for each row."""
    size, step = signal_option(operator, "frame_size"), max(signal_option(operator, "frame_step"), 1)
    rows, _ = _rows(graph, operator)
    return (_POINTER * rows, _POINTER * rows, *(_circular(-(-size // step) * step),) * rows)


def delay_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Pointers, and a circular buffer of a frame and the delay for each row."""
    rows, frame = _rows(graph, operator)
    capacity = frame + signal_option(operator, "delay_length")
    return (_POINTER * rows, _POINTER * rows, *(_circular(capacity),) * rows)


def overlap_arrays(graph: Graph, operator: Operator, kernels: KernelLibrary) -> Sizes:
    """Pointers, and a frame for each row of frames."""
    source = require_input(graph, operator, 0)
    if len(source.shape) < 2:
        raise ModelError(f"operator {operator.name} has an input of shape {source.shape}; wanted frames in rows")
    frames, frame = source.shape[-2:]
    rows = source.elements // max(frames * frame, 1)
    return (_POINTER * rows, *(frame * element_bytes(source.dtype),) * rows)


def _rows(graph: Graph, operator: Operator) -> tuple[int, int]:
    """(how many rows, values in a row) of the operator's input."""
    source = require_input(graph, operator, 0)
    row = source.shape[-1] if source.shape else 1
    rows = source.elements // max(row, 1)
    if rows > MOST:
        raise ModelError(f"operator {operator.name} has {rows:,} rows; wanted {MOST:,} at most")
    return rows, row


def _circular(capacity: int) -> int:
    """CircularBufferGetNeededMemory: its head, then each int16 twice."""
    return _CIRCULAR_BUFFER + 4 * capacity
