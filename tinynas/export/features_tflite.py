"""The features as a .tflite of TFLM's signal operators: a frame of samples in, a frame of int8 out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from flatbuffers import flexbuffers

from tinynas.features import IntLogMel, noise
from tinynas.features.tables import BANK_BITS, WINDOW_BITS, correction_bits
from tinynas.tflite import Graph, Operator, Tensor, write

_INT16 = 7  # of TensorType in the schema, as SignalRfft wants it


def features_tflite(features: IntLogMel) -> bytes:
    """The file: input int16 (frame,), output int8 (n_mels,), a byte of the features less 128.

    QUANTIZE takes the zero point off: its input and output have one scale, so that it only subtracts and clips. TFLM
    begins an estimate of noise with 0, not with the background.
    """
    net = _Net()
    tables, half = features.tables, features.n_fft // 2
    samples = net.tensor("samples", "INT16", (features.frame,))
    window = net.constant("window", tables.window)
    windowed = net.tensor("windowed", "INT16", (features.frame,))
    net.signal("SignalWindow", (samples, window), (windowed,), shift=WINDOW_BITS)
    scaled, bits = net.tensor("scaled", "INT16", (features.frame,)), net.tensor("bits", "INT32", ())
    net.signal("SignalFftAutoScale", (windowed,), (scaled, bits))
    spectrum = net.tensor("spectrum", "INT16", (2 * half + 2,))
    net.signal("SignalRfft", (scaled,), (spectrum,), T=_INT16, fft_length=features.n_fft)
    energies = net.tensor("energies", "UINT32", (half + 1,))
    end = tables.first + len(tables.weights)
    net.signal("SignalEnergy", (spectrum,), (energies,), start_index=tables.first, end_index=end)
    offsets = np.concatenate([[0], np.cumsum(tables.widths)[:-1]]).astype(np.int16)
    bank = (
        net.constant("weights", tables.weights),
        net.constant("unweights", ((1 << BANK_BITS) - tables.weights).astype(np.int16)),
        net.constant("frequency_starts", (tables.first + offsets).astype(np.int16)),
        net.constant("weight_starts", offsets),
        net.constant("widths", tables.widths),
    )
    sums = net.tensor("sums", "UINT64", (features.n_mels,))
    net.signal("SignalFilterBank", (energies, *bank), (sums,), num_channels=features.n_mels)
    roots = net.tensor("roots", "UINT32", (features.n_mels,))
    net.signal("SignalFilterBankSquareRoot", (sums, bits), (roots,))
    left = roots if features.noise is None else _without_noise(net, roots, features, features.noise)
    log = net.tensor("log", "INT16", (features.n_mels,), features.log_zero)
    net.signal(
        "SignalFilterBankLog",
        (left,),
        (log,),
        input_correction_bits=correction_bits(features.n_fft),
        output_scale=features.log_scale,
    )
    made = net.tensor("features", "INT8", (features.n_mels,), -128)
    net.operators.append(Operator("QUANTIZE", 1, (log,), (made,), {}))
    return write(Graph(tuple(net.tensors), tuple(net.operators), (samples,), (made,)))


def _without_noise(net: _Net, roots: int, features: IntLogMel, settings: noise.Noise) -> int:
    """The tensor of what noise reduction and PCAN leave of the magnitudes `roots`."""
    left, estimate = (net.tensor(name, "UINT32", (features.n_mels,)) for name in ("left", "noise"))
    one, (even, odd) = 1 << noise.SHARE_BITS, noise.SHARES
    net.signal(
        "SignalFilterBankSpectralSubtraction",
        (roots,),
        (left, estimate),
        smoothing=even,
        one_minus_smoothing=one - even,
        alternate_smoothing=odd,
        alternate_one_minus_smoothing=one - odd,
        smoothing_bits=noise.SMOOTHING_BITS,
        min_signal_remaining=noise.LEAST_LEFT,
        clamping=0,
        num_channels=features.n_mels,
        spectral_subtraction_bits=noise.SHARE_BITS,
    )
    if not settings.pcan:
        return left
    evened = net.tensor("evened", "UINT32", (features.n_mels,))
    gains = net.constant("gains", noise.gains(features.n_fft))
    net.signal("SignalPCAN", (left, estimate, gains), (evened,), snr_shift=noise.snr_shift(features.n_fft))
    return evened


class _Net:
    """Tensors and operators as they are added, by number."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, name: str, dtype: str, shape: tuple[int, ...], zero_point: int | None = None) -> int:
        """The number of a new tensor; with a zero point its scale is 1."""
        scales, zeros = ((), ()) if zero_point is None else ((1.0,), (zero_point,))
        self.tensors.append(Tensor(name, shape, dtype, None, scales, zeros))
        return len(self.tensors) - 1

    def constant(self, name: str, values: npt.NDArray[np.int16]) -> int:
        """The number of a new constant of 16 bits."""
        self.tensors.append(Tensor(name, values.shape, "INT16", values.astype("<i2").tobytes()))
        return len(self.tensors) - 1

    def signal(self, name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], **attributes: int) -> None:
        """Add a signal operator: its attributes are a map, whose values kernels read in the order of the keys."""
        packed = _packed(attributes)
        self.operators.append(Operator(f"CUSTOM:{name}", 1, inputs, outputs, None, packed))


def _packed(attributes: dict[str, int]) -> bytes:
    builder: Any = flexbuffers.Builder()
    with builder.Map():
        for key in sorted(attributes):
            builder.Int(key, attributes[key])
    return bytes(builder.Finish())
