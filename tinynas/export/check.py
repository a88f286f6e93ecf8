"""What is held before anything is written: TFLM plans the arena that tinynas plans, and answers as TFLite does."""

from __future__ import annotations

from dataclasses import replace

from tinynas.errors import ConversionError
from tinynas.export.source import Source
from tinynas.hardware import Target, Violation
from tinynas.tflite import Analysis, plan_arena, read, tflm


def require_same_head(data: bytes) -> None:
    """ConversionError unless TFLM itself plans the head that tinynas plans, where its Python package is installed.

    The package has the reference kernels, whose head is the same on every processor; its tail, of 64-bit pointers, is
    no board's.
    """
    if not tflm.available():
        return
    planned, found = plan_arena(read(data), "reference").head, tflm.head_bytes(data)
    if planned != found:
        raise ConversionError(
            f"TFLM plans a head of {found:,} B for this model where tinynas plans {planned:,} B, so the arena that it "
            f"gives cannot be trusted; please report the model."
        )


def agreement(data: bytes, source: Source) -> tuple[int | None, tuple[str, ...]]:
    """How far TFLM is from TFLite's reference kernels, in int8 steps (None without TFLM), and a note when it is far.

    ConversionError when more than a step lies between them and the file was made here; a file from elsewhere is
    taken as it is: its golden outputs are TFLM's.
    """
    from tinynas.training.verify import largest_step

    samples = source.samples[:_MOST_SAMPLES]
    if source.is_own:
        return largest_step(data, samples), ()
    step = largest_step(data, samples, allowed=255)
    if step is None or step <= 1:
        return step, ()
    note = f"TFLM's outputs are up to {step} steps from TFLite's on {len(samples)} samples: expect TFLM's on the board."
    return step, (note,)


_MOST_SAMPLES = 200


def violations(source: Source, analysis: Analysis, target: Target | None) -> tuple[Violation, ...]:
    """What the model breaks of the target's limits, and of a run's own while it stays on the run's target."""
    found = analysis.violations
    if source.limits is not None and target is source.target:
        found = (*found, *source.limits.violations(replace(analysis.footprint, flops=source.flops)))
    return tuple({str(each): each for each in found}.values())
