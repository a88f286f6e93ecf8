"""The kernel libraries whose memory and cost are known, and the one to compute with for each that is not."""

from typing import Literal, get_args

KernelLibrary = Literal["cmsis_nn", "cmsis_nn_no_dsp", "reference"]
TargetKernels = Literal["cmsis_nn", "cmsis_nn_no_dsp", "cmsis_nn_mve", "reference", "esp_nn"]

KERNEL_LIBRARIES: tuple[KernelLibrary, ...] = get_args(KernelLibrary)
TARGET_KERNELS: tuple[TargetKernels, ...] = get_args(TargetKernels)


def nearest_library(kernels: TargetKernels) -> KernelLibrary:
    """The measured library to compute with: itself, or CMSIS-NN with DSP for MVE and ESP-NN (then an estimate)."""
    if kernels == "cmsis_nn_mve" or kernels == "esp_nn":
        return "cmsis_nn"
    return kernels
