"""from_pcap: captures and their labels to a folder of IDX files with a manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.captures.files import DAMAGED, TRUNCATED, frames, is_capture
from tinynas.data.captures.labels import Labels, read_labels
from tinynas.data.captures.options import CaptureOptions
from tinynas.data.captures.sessions import sessions
from tinynas.data.captures.split import ClassSplit, split_classes
from tinynas.data.captures.spool import Spool
from tinynas.data.idx import write_idx
from tinynas.errors import DataError, UsageError
from tinynas.version import __version__

_SUFFIXES = (".pcap", ".pcapng", ".cap")
_SPOOL = "samples.spool"


@dataclass(frozen=True)
class Built:
    """What from_pcap wrote: the folder, and manifest.json as a mapping."""

    folder: Path
    manifest: dict[str, Any]


def from_pcap(
    captures: Sequence[Path | str],
    labels: Path | str,
    out: Path | str,
    options: CaptureOptions | None = None,
    watch: Callable[[Mapping[str, Any]], None] | None = None,
) -> Built:
    """Write the sessions of `captures` (files, or folders of them) as IDX files that Dataset.load reads, into `out`.

    `labels` is a CSV (see read_labels). A sample is (n_bytes, 1) bytes; sessions without any byte, without a label and
    duplicates are dropped and counted. `watch` is called with what manifest.json says of a capture once that is read.
    `out` must be new or empty, and is there only when all of it is. DataError for captures and labels, UsageError for
    `out` and options.
    """
    options = options or CaptureOptions()
    paths, rows, folder = find_captures(captures), read_labels(Path(labels)), Path(out)
    rows.check(paths)
    beside = _temporary(folder)
    try:
        spool = Spool(beside / _SPOOL, options.n_bytes)
        try:
            about = [_read(number, path, rows, options, spool, watch) for number, path in enumerate(paths)]
        finally:
            spool.close()
        manifest = _write(beside, folder.name, about, rows, options, spool)
        (beside / _SPOOL).unlink()
        if folder.exists():
            folder.rmdir()
        os.replace(beside, folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Built(folder, manifest)


def find_captures(given: Sequence[Path | str]) -> tuple[Path, ...]:
    """The capture files that are given or lie in a given folder (*.pcap, *.pcapng, *.cap, plain or .gz), sorted.

    DataError for what is missing or is no capture, and for none at all.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, given):
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file() and _is_named_so(entry))
        elif path.is_file():
            inside = [path]
        else:
            raise DataError(f"{path}: no such file or folder.")
        for entry in inside:
            found.setdefault(entry.resolve(), entry)
    if not found:
        where = ", ".join(map(str, given)) or "nothing"
        raise DataError(f"No captures in {where}: wanted files called *.pcap, *.pcapng or *.cap, plain or .gz.")
    for path in found.values():
        if not is_capture(path):
            raise DataError(f"{path}: is neither pcap nor pcapng (plain or gzipped).")
    return tuple(sorted(found.values()))


def _is_named_so(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(_SUFFIXES) and not name.startswith(".")


def _temporary(folder: Path) -> Path:
    """A new folder beside `folder`, which must be new or empty."""
    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise UsageError(f"{folder} is there already and not empty: choose another --out.")
        beside = folder.parent / f".{folder.name}.{os.getpid()}"
        beside.mkdir(parents=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror or error}).") from error
    return beside


def _read(
    number: int,
    path: Path,
    labels: Labels,
    options: CaptureOptions,
    spool: Spool,
    watch: Callable[[Mapping[str, Any]], None] | None,
) -> dict[str, Any]:
    """Put the sessions of one capture into the spool; return what manifest.json says of it."""
    tally: Counter[str] = Counter()
    matcher, order = labels.of(path), {name: place for place, name in enumerate(labels.classes)}
    used: Counter[int] = Counter()
    for session in sessions(frames(path, tally), options, tally):
        tally["sessions"] += 1
        row = matcher.first(session)
        if row is None:
            tally["unlabelled"] += 1
        elif not session.data:
            tally["empty"] += 1
        else:
            used[row.line] += 1
            spool.add(session.data, order[row.label], number)
    about = {"path": str(path), "bytes": path.stat().st_size, "sha256": _digest(path), **_counts(tally)}
    about["labels_lines"] = {str(line): used[line] for line in sorted(used)}
    about["labels_lines_unused"] = len(matcher.rows) - len(used)
    if watch is not None:
        watch(about)
    return about


def _counts(tally: Counter[str]) -> dict[str, Any]:
    """The counts of a capture as the manifest has them."""
    return {
        "end": "truncated" if tally[TRUNCATED] else "damaged" if tally[DAMAGED] else "whole",
        **{name: tally[name] for name in ("frames", "packets", "sessions", "unlabelled", "empty")},
        "after_the_end": tally["after the end"],
        "ended_early": tally["ended early"],
        "malformed": _reasons(tally, "malformed: "),
        "skipped": _reasons(tally, "skipped: "),
    }


def _reasons(tally: Counter[str], prefix: str) -> dict[str, int]:
    return {key.removeprefix(prefix): tally[key] for key in sorted(tally) if key.startswith(prefix)}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _write(
    folder: Path, name: str, about: list[dict[str, Any]], labels: Labels, options: CaptureOptions, spool: Spool
) -> dict[str, Any]:
    """Write the IDX files, meta.json and manifest.json into `folder`; return the manifest."""
    rows, numbers, captures = spool.kept()
    present = np.unique(numbers)
    names = [labels.classes[number] for number in present]
    if len(names) < 2:
        raise DataError(
            f"The captures hold samples of too few classes ({', '.join(names) or 'none'}), wanted two at least: "
            f"{_why(about, spool)}."
        )
    classes = np.searchsorted(present, numbers)
    is_test, splits = split_classes(classes, captures, options.test_fraction, options.seed)
    for part, chosen in (("train", ~is_test), ("test", is_test)):
        with (folder / f"{part}-images-idx3-ubyte").open("wb") as file:
            # write_idx's header for uint8 of three axes; the samples follow block by block.
            file.write(bytes([0, 0, 8, 3]) + struct.pack(">3I", int(chosen.sum()), options.n_bytes, 1))
            file.writelines(block.tobytes() for block in spool.blocks(rows[chosen]))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(write_idx(_small(classes[chosen])))
    (folder / "meta.json").write_text(json.dumps({"name": name, "classes": names, "layout": "series"}, indent=1))
    manifest = _manifest(about, labels, options, spool, dict(zip(names, splits, strict=True)))
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return manifest


def _small(classes: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Class numbers as bytes, as MNIST has them, or as int32 where there are more than 256."""
    return classes.astype(np.uint8 if classes.max(initial=0) < 256 else np.int32)


def _manifest(
    about: list[dict[str, Any]],
    labels: Labels,
    options: CaptureOptions,
    spool: Spool,
    splits: Mapping[str, ClassSplit],
) -> dict[str, Any]:
    def described(split: ClassSplit) -> dict[str, Any]:
        names = [about[number]["path"] for number in split.test_captures]
        return {**asdict(split), "test_captures": names}

    return {
        "tinynas": __version__,
        "options": asdict(options),
        "labels": {"path": str(labels.path), "sha256": _digest(labels.path)},
        "samples": sum(split.train + split.test for split in splits.values()),
        "classes": {name: described(split) for name, split in splits.items()},
        "classes_without_samples": [name for name in labels.classes if name not in splits],
        "duplicates": {"same_label": spool.same, "conflicting_labels": spool.conflicting},
        "captures": about,
    }


def _why(about: Iterable[Mapping[str, Any]], spool: Spool) -> str:
    """Where the sessions went, for the error when too few are left."""
    about, total = list(about), Counter[str]()
    for capture in about:
        total.update({key: capture[key] for key in ("sessions", "unlabelled", "empty")})
    skipped = Counter[str]()
    for capture in about:
        skipped.update(capture["skipped"])
    reasons = ", ".join(f"{count:,} ({reason})" for reason, count in skipped.most_common(3))
    frames = f"; of the frames were skipped {reasons}" if reasons else ""
    return (
        f"of {total['sessions']:,} sessions {total['unlabelled']:,} have no label, {total['empty']:,} no payload, "
        f"{spool.same + spool.conflicting:,} were duplicates{frames}"
    )
