"""convert: the best model of a run as .tflite and C array, run in TFLM before anything is written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinynas.errors import ConversionError, UsageError
from tinynas.hardware import Target
from tinynas.runs import Best, latest_run, read_settings
from tinynas.tflite import Analysis, add_offline_plan, analyze, c_files

if TYPE_CHECKING:
    from tinynas.searching import SearchResult

_WORTH_A_PLAN = 0.01  # an offline plan costs some bytes of Flash: it must save this share of the arena


@dataclass(frozen=True)
class Converted:
    """What was written: the files, the analysis of the .tflite, and how TFLM agreed (None: not available here).

    `stage` is "final", or the fidelity of a child of a search that has not ended.
    """

    files: tuple[Path, ...]
    analysis: Analysis
    tflm_largest_step: int | None
    offline_plan: bool
    stage: str


def convert(
    source: "SearchResult | Path | str" = "best",
    *,
    out: Path | str | None = None,
    name: str = "model",
    runs: Path | str = "runs",
) -> Converted:
    """Write NAME.tflite, NAME.h and NAME.cc of a run's best model into `out` (default: firmware/ in the run folder).

    `source` is "best" (the newest run below `runs`), a run folder, or a search's result. The bytes are run in the real
    TFLM beside TFLite's reference resolver on held-out samples first: ConversionError when they differ by more than
    one step, or when the file does not fit the run's target. Nothing is written then. RunError when there is no run.
    """
    folder = _run_folder(source, Path(runs))
    settings = read_settings(folder)
    best = Best(folder)
    data, planned = _with_plan(best.tflite, settings.target)
    analysis = analyze(data, settings.target)
    footprint = replace(analysis.footprint, flops=best.about["footprint"]["flops"])
    violations = (*analysis.violations, *settings.limits.violations(footprint))
    if violations:
        reasons = "; ".join(dict.fromkeys(str(violation) for violation in violations))
        raise ConversionError(f"The model of {folder} does not fit {settings.target.name}: {reasons}.")
    step = _checked(data, best)
    texts = c_files(
        name,
        data,
        analysis,
        target=settings.target,
        normalization=best.about["normalization"],
        class_names=best.about["class_names"],
        layout=best.about["layout"],
        golden=_golden(data, best),
    )
    destination = Path(out) if out is not None else folder / "firmware"
    files = _write(destination, {f"{name}.tflite": data, **{n: t.encode() for n, t in texts.items()}})
    return Converted(files, analysis, step, planned, best.about["stage"])


def _run_folder(source: "SearchResult | Path | str", runs: Path) -> Path:
    if isinstance(source, str | Path):
        return latest_run(runs) if source == "best" else Path(source)
    folder = getattr(source, "folder", None)
    if not isinstance(folder, Path):
        raise UsageError(f"convert takes 'best', a run folder or a search's result; got {type(source).__name__}.")
    return folder


def _with_plan(data: bytes, target: Target) -> tuple[bytes, bool]:
    """Return the file with an offline memory plan where that saves enough arena, and whether it has one."""
    planned = add_offline_plan(data, target.kernel_library)
    before = analyze(data, target).arena.minimum
    after = analyze(planned, target).arena.minimum
    if after <= before * (1 - _WORTH_A_PLAN):
        return planned, True
    return data, False


def _checked(data: bytes, best: Best) -> int | None:
    """Return how far TFLM is from the reference on the run's held-out samples."""
    from tinynas.training.verify import largest_step

    return largest_step(data, best.samples)


def _golden(data: bytes, best: Best) -> tuple[np.ndarray, np.ndarray]:
    """Return a held-out input and the output that the reference resolver gives for it, both int8."""
    from tinynas.training.int8 import Int8Model

    return best.samples[0], Int8Model(data, reference=True).run(best.samples[:1])[0]


def _write(folder: Path, files: dict[str, bytes]) -> tuple[Path, ...]:
    """Write all files, each whole; ConversionError when the folder cannot be written."""
    from tinynas.runs.folder import write_atomically

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in files:
            if (folder / name).is_dir():
                raise ConversionError(f"{folder / name} is a folder: choose another --out or --name.")
        for name, data in files.items():
            write_atomically(folder / name, data)
    except OSError as error:
        raise ConversionError(f"{folder} cannot be written ({error.strerror}); choose another --out.") from error
    return tuple(folder / name for name in files)
