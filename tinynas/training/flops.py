"""FLOPs of a Keras model, as keras-flops counts them at batch 1."""

from typing import Any

from tinynas.errors import ConversionError
from tinynas.training.quiet import quiet


def count_flops(model: Any) -> int:
    """Return the floating-point operations of one inference of `model` (a multiply-add counts 2).

    Raises ConversionError when the profiler gives no positive figure: a count that fails must not pass a limit.
    """
    get_flops = _keras_flops()
    with quiet():  # the profiler prints a report
        flops = get_flops(model, batch_size=1)
    if not isinstance(flops, int) or flops <= 0:
        raise ConversionError(f"keras-flops counted {flops!r} FLOPs for the model; a positive number was expected.")
    return flops


def _keras_flops() -> Any:
    """Import keras-flops 0.1.2, which registers a count for AddV2 that TensorFlow >= 2.13 has already."""
    import sys

    import tinynas.training.keras  # noqa: F401  (keras_flops must see tf_keras)

    if "keras_flops" not in sys.modules:
        from tensorflow.python.framework import ops
        from tensorflow.python.profiler.internal import flops_registry  # noqa: F401  (it registers the counts)

        ops._stats_registry._registry.pop("AddV2,flops", None)
    from keras_flops import get_flops

    return get_flops
