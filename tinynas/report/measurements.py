"""What was measured on the board of a run: on what its latency rests, and how long its own model took there."""

from collections.abc import Collection

from tinynas.errors import TargetError
from tinynas.hardware import Footprint, Target
from tinynas.hardware.measured import Record, path_for, read_records, valid
from tinynas.report.words import millis, percent

_WAYS = {"tflm": "under TFLM", "engine": "as plain C"}


def measurements(target: Target, footprint: Footprint | None, digests: Collection[str]) -> tuple[str, ...]:
    """Return sentences on what `tinynas measure` found for the board of a run: none where nothing was measured.

    `footprint` is that of the run's best model, `digests` the SHA-256 of the files that it is exported as. What was
    measured after the search is known of a board that ships with tinynas.
    """
    said = []
    now = _board_now(target)
    if target.measured is not None:
        error = percent(target.measured.error, 0)
        said.append(
            f"The latency rests on what tinynas measure found on the board: {target.measured.source}; ± {error}."
        )
    elif now is not None and now.measured is not None:
        scaled = (
            None if footprint is None or footprint.latency_ms is None else footprint.latency_ms * now.measured.ratio
        )
        own = (
            "" if scaled is None else f", by which this model takes {millis(scaled)} ± {percent(now.measured.error, 0)}"
        )
        said.append(f"Since the search began the board was measured ({now.measured.source}){own}.")
    for record in [] if now is None else _records(now):
        if record.model in digests:
            emulator = ", on an emulator" if record.is_emulated else ""
            said.append(
                f"tinynas measure found {millis(record.us / 1000)} for this very model {_WAYS[record.runtime]} "
                f"({record.when}{emulator})."
            )
    return tuple(said)


def _board_now(target: Target) -> Target | None:
    """Return the board as it is now, with what was measured of it; None where it is not one that ships."""
    try:
        now = Target.load(target.name) if target.name in Target.names() else None
    except TargetError:  # what was measured cannot be read
        return None
    return now if now is not None and now.is_same_board(target) else None


def _records(board: Target) -> tuple[Record, ...]:
    records = read_records(path_for(board.name, None))
    return valid(records, board.core, board.clock_hz, board.kernels, board.figures)
