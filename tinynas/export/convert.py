"""convert: a model to the folder that firmware includes, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynas.data import Dataset
from tinynas.data.values import ValueDataset
from tinynas.engine import Engine, Figures, build, check_preset, estimate
from tinynas.errors import ConversionError, ModelError, UsageError, door
from tinynas.export import c_text, check, golden
from tinynas.export.arena import ArenaSize, arena_size
from tinynas.export.ends import dequantized
from tinynas.export.facts import UNIT, as_range
from tinynas.export.output import Kind, Output, as_kind
from tinynas.export.packages import SOURCES
from tinynas.export.packages import package as packaged
from tinynas.export.render import DEFAULT_FORMATS, ENGINE, FORMATS, Firmware, render
from tinynas.export.resolve import resolve
from tinynas.export.score import Accuracy, Deviation, Score, score, warnings_of
from tinynas.export.source import Source
from tinynas.export.stream import front_end_of, stream_of
from tinynas.export.write import write_folder
from tinynas.features import MelFeatures, Spectral
from tinynas.hardware import WITHOUT_FPU, FrontEnd, Target
from tinynas.options import FLASH_BUDGET, PACKAGE_KINDS, PRESETS, PackageKind, Preset
from tinynas.runs import require_outside_models
from tinynas.tflite import Analysis, Tensor, add_offline_plan, analyze, read
from tinynas.tflite.tflm import require_same_head
from tinynas.words import counted

if TYPE_CHECKING:
    from tinynas.searching import SearchResult

_WORTH_A_PLAN = 0.01  # an offline plan costs some bytes of Flash: it must save this share of the arena


@dataclass(frozen=True)
class Converted:
    """What was written and what is known of it.

    `analysis` and `arena` are of the model under TFLM, `engine` is what it needs as plain C; None where an operator has
    no code there. `engines` are its figures by preset. `fits` is of what was written; None without a board.
    `is_engine`: that is plain C, without TFLM.

    `golden_maker`: whose the golden outputs are, "TFLM" where it is installed. `tflm_largest_step`: how far TFLM was
    from TFLite's reference kernels, None where one of the two is not available or does not run the file. `stage` is
    "final", or the fidelity of a trial that had no final training; None for a model that is no run's. `output` is what
    the model's output was taken for, `more_outputs` what further ones were. Where data were given, `accuracy` is known
    of a model that tells classes apart, `error` of one that gives values or its input again. `warnings` say why the
    model is of no use, or could easily be better; `notes` are other sentences for a person.
    """

    files: tuple[Path, ...]
    analysis: Analysis
    arena: ArenaSize
    golden_samples: int
    golden_maker: str
    tflm_largest_step: int | None
    offline_plan: bool
    stage: str | None
    output: Output
    accuracy: Accuracy | None = None
    error: Deviation | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    more_outputs: tuple[Output, ...] = ()
    engine: Figures | None = None
    engines: Mapping[str, Figures] = field(default_factory=dict)
    fits: bool | None = None
    is_engine: bool = False

    def __repr__(self) -> str:
        """Return a line: what was written where, how large it is, how good."""
        figures = self.engine
        if self.is_engine and figures is not None:
            size = f"plain C, Flash {figures.flash:,} B, RAM {figures.ram:,} B"
        else:
            size = f"file {self.analysis.footprint.flash_bytes:,} B, arena {self.arena.total:,} B"
        score = "" if self.accuracy is None else f", {self.accuracy.int8:.2%} on {self.accuracy.samples:,} test samples"
        folder = self.files[0].parent if self.files else "nothing"
        return f"Converted({size}{score}; {counted(len(self.files), 'file')} in {folder})"


@door
def convert(
    source: SearchResult | Path | str = "best",
    *,
    out: Path | str | None = None,
    name: str | None = None,
    runs: Path | str = "runs",
    data: Dataset | ValueDataset | None = None,
    output: Kind | None = None,
    target: Target | Path | str | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
    package: PackageKind | None = None,
    check_fit: bool | None = None,
    offline_plan: bool | None = None,
    input_range: tuple[float, float] = UNIT,
    keep_input: bool = False,
    optimize: Preset = "memory",
    flash_budget: int = FLASH_BUDGET,
    trust: bool = False,
) -> Converted:
    """Write what firmware needs of a model into `out`: .tflite, C array, settings, resolver, self-test, main, README.

    With `formats` of ("engine",) it is the model as plain C instead, for firmware without TFLM; with `keep_input` its
    input is still there after a run. `optimize` for "memory" or "speed", and the bytes of Flash that "speed" may take
    more, are as for tinynas.engine.build.

    `package`, one of options.PACKAGE_KINDS, writes a package for that tool instead, for TFLM, or with the format
    "engine" for no library: its sources in src/, what the tool wants around them, and examples.

    `source` is a run (its best model) or RUN:TRIAL, RUN being "best" or "latest" (the newest below `runs`), a folder or
    a name below `runs`; or a search's result, an int8 .tflite, or a float model (.keras, .h5, SavedModel), which is
    quantised on `data`; `input_range` is what the data's [0, 1] is stretched to for it. `output` says what the output
    is (one of export.KINDS) where the guess by the file and the labels is wrong; real labels come as a
    data.ValueDataset. `formats` are some of export.FORMATS. `target`, a board, is a run's own by default. With
    `check_fit` (the default for a run on its own target) a model that does not fit is a ConversionError that names the
    limit.
    A float model that could run code of its own, as one with a Lambda layer can, is refused; `trust` is for a file
    whose maker is known.
    `offline_plan` puts TFLM's memory plan into the file where that saves arena: by default into all but a .tflite.

    The bytes are run in the real TFLM first, where it is installed, and its plan and outputs are held against tinynas's
    and TFLite's. Nothing is written when something is wrong; a TinynasError says what, in one sentence.
    """
    _require_formats(formats)
    _require_package(package, formats)
    if keep_input and tuple(formats) != (ENGINE,):
        raise UsageError(f"Only the format {ENGINE} can keep its input: TFLM's arena is TFLM's.")
    if optimize != "memory" and tuple(formats) != (ENGINE,):
        raise UsageError(f"Only the format {ENGINE} can be optimised for {optimize!r}: TFLM's kernels are TFLM's.")
    check_preset(optimize, flash_budget)
    if name is not None:
        c_text.check_name(name)
    if out is not None:
        require_outside_models(Path(out))
    asked = None if output is None else as_kind(output)
    found = resolve(source, Path(runs), data, as_range(input_range), asked, trust)
    board = _board(target, found)
    is_engine = tuple(formats) == (ENGINE,)
    front = _front_end(found, board, is_engine)
    data_of_file, planned, analysis = _analyzed(found, board, False if is_engine else offline_plan, front)
    engine = _engine(
        found, analysis, is_engine, {"keep_input": keep_input, "optimize": optimize, "flash_budget": flash_budget}
    )
    judged = check.as_engine(analysis, engine.figures, board) if is_engine and engine is not None else analysis
    notes = found.notes + _stream_note(found) + _fit(found, judged, board, check_fit)
    if is_engine and engine is not None:
        answers = check.engine_answers(engine, found)
    else:
        require_same_head(data_of_file)
        answers = check.answers(data_of_file, found)
    graph = read(data_of_file)
    result = graph.tensors[graph.outputs[0]]
    scored = _score(data_of_file, found, result)
    arena = arena_size(data_of_file, analysis, board)
    tests_itself = is_engine or package is not None or "test" in formats
    no_room = golden.too_large(answers, judged, board) if tests_itself and judged.fits is not False else None
    notes += answers.notes if no_room is None else (*answers.notes, no_room)
    firmware = Firmware(
        name=name or found.name,
        tflite=data_of_file,
        output=found.output,
        more_outputs=found.more_outputs,
        names=found.names,
        facts=found.facts,
        arena=None if is_engine else arena,
        golden=golden.choose(answers, golden.how_many(answers, judged, board), found.output, result),
        target=board,
        offline_plan=planned,
        warnings=found.warnings + warnings_of(scored, found.output.class_names) + _without_fpu(found, board),
        engine=engine if is_engine else None,
        features=found.features,
    )
    texts = render(firmware, formats) if package is None else packaged(firmware, package)
    usual = ENGINE if is_engine else "firmware"  # a folder of its own: their files share names
    usual = found.destination.name.replace("firmware", usual if package is None else package)
    folder = found.destination.with_name(usual) if out is None else Path(out)
    _spare(found, folder, texts)
    files = write_folder(folder, texts, None if package is None else SOURCES)
    return Converted(
        files,
        analysis,
        arena,
        len(firmware.golden.inputs),
        firmware.golden.maker,
        answers.step,
        planned,
        found.stage,
        found.output,
        scored if isinstance(scored, Accuracy) else None,
        scored if isinstance(scored, Deviation) else None,
        notes,
        firmware.warnings,
        found.more_outputs,
        None if engine is None else engine.figures,
        {} if engine is None else _by_preset(data_of_file, engine, optimize, keep_input, flash_budget),
        judged.fits,
        is_engine,
    )


def _by_preset(
    data: bytes, engine: Engine, optimize: Preset, keep_input: bool, flash_budget: int
) -> dict[str, Figures]:
    """The figures of the engine, and of what another preset would make of the file."""
    graph = read(data)
    return {
        preset: engine.figures
        if preset == optimize
        else estimate(graph, optimize=preset, keep_input=keep_input, flash_budget=flash_budget)
        for preset in PRESETS
    }


def _engine(source: Source, analysis: Analysis, is_wanted: bool, options: Mapping[str, Any]) -> Engine | None:
    """The model as plain C; where it cannot be that, None, or if it is wanted the error, with what TFLM needs."""
    graph = read(source.tflite)
    try:
        if [graph.tensors[index].dtype for index in (*graph.inputs, *graph.outputs)] != ["INT8", "INT8"]:
            raise ModelError("a model as plain C has one int8 input and one int8 output")
        return build(source.tflite, **options)
    except ModelError as error:
        if not is_wanted:
            return None
        footprint = analysis.footprint
        raise type(error)(
            f"{source.origin}: {error}. Under TFLM, without --format engine, the model needs "
            f"{footprint.ram_bytes:,} B of RAM and {footprint.flash.total:,} B of Flash"
        ) from error


def _without_fpu(source: Source, board: Target | None) -> tuple[str, ...]:
    """A sentence where the features of sound need a floating-point unit that the board has not."""
    if not isinstance(source.features, MelFeatures) or board is None or board.core not in WITHOUT_FPU:
        return ()
    return (
        f"The features are decibels in floating point ({source.features.KIND}), and a {board.core} has no unit for it: "
        f"the compiler's library takes many times as long, perhaps longer than the sound lasts. Search anew on the "
        f"same data: features are whole numbers then.",
    )


def _stream_note(source: Source) -> tuple[str, ...]:
    """A sentence on the stream's threshold; none for a model without a stream."""
    stream = stream_of(source.tflite, source.output, source.facts, source.features)
    if stream is None:
        return ()
    tuned = source.facts.tuned
    if tuned is None:
        if isinstance(source.features, Spectral):
            return (f"The stream's threshold is the usual one, {stream.smoothing.threshold} of 255.",)
        tried = "" if source.features is None else "; tinynas stream RUN --wav FILE shows what another one tells"
        return (
            f"The stream's threshold is the usual one, {stream.smoothing.threshold} of 255: no finalist was heard on "
            f"enough validation recordings to say better{tried}.",
        )
    return (f"The stream has {tuned}.",)


def _score(data: bytes, source: Source, result: Tensor) -> Score | None:
    """How right the file is on the test samples; None without data."""
    held_out = source.held_out
    if held_out is None:
        return None
    from tinynas.training.verify import run

    real = dequantized(run(data, source.samples), result)
    return score(source.output, held_out.data, held_out.rows, held_out.inputs, real, held_out.floats)


def _require_formats(formats: Sequence[str]) -> None:
    if tuple(formats) == (ENGINE,):
        return
    if ENGINE in formats:
        raise UsageError(f"The format {ENGINE} writes a folder of its own, without TFLM: ask for it alone.")
    unknown = [each for each in formats if not (isinstance(each, str) and each in FORMATS)]
    if unknown or not formats:
        what = f"no format {unknown[0]!r}" if unknown else "no format given"
        raise UsageError(f"There is {what}; choose from {', '.join(FORMATS)}, or {ENGINE} alone.")


def _require_package(package: PackageKind | None, formats: Sequence[str]) -> None:
    if package is None:
        return
    if package not in PACKAGE_KINDS:
        raise UsageError(f"There is no package {package!r}; choose from {', '.join(PACKAGE_KINDS)}.")
    if tuple(formats) not in (tuple(DEFAULT_FORMATS), (ENGINE,)):
        raise UsageError(
            f"A package holds all that there is of a model: leave the formats away, or give {ENGINE} alone."
        )


def _board(target: Target | Path | str | None, source: Source) -> Target | None:
    """The board asked for, or the source's own."""
    if target is None:
        return source.target
    board = target if isinstance(target, Target) else Target.load(target)
    return source.target if source.target is not None and board.is_same_board(source.target) else board


def _front_end(source: Source, board: Target | None, is_engine: bool) -> FrontEnd | None:
    """What stands before the network in the firmware; a file that cannot be read is named."""
    try:
        return front_end_of(source.tflite, source.output, source.facts, source.features, board, engine=is_engine)
    except ModelError as error:
        raise type(error)(f"{source.origin}: {error}") from error


def _analyzed(
    source: Source, board: Target | None, wanted: bool | None, front: FrontEnd | None
) -> tuple[bytes, bool, Analysis]:
    """The file, with an offline memory plan where that saves enough arena, whether it got one, and its analysis."""
    try:
        plain = analyze(source.tflite, board, front_end=front)
        if wanted is False or (wanted is None and not source.is_own):
            return source.tflite, False, plain
        data = add_offline_plan(source.tflite, "cmsis_nn" if board is None else board.kernel_library)
        planned = analyze(data, board, front_end=front)
    except ModelError as error:
        raise type(error)(f"{source.origin}: {error}") from error
    if planned.arena.minimum <= plain.arena.minimum * (1 - _WORTH_A_PLAN):
        return data, True, planned
    return source.tflite, False, plain


def _fit(source: Source, analysis: Analysis, board: Target | None, wanted: bool | None) -> tuple[str, ...]:
    """A note when the model does not fit the board; ConversionError, naming the limits, where that is checked."""
    if board is None:
        if wanted:
            raise UsageError("Whether the model fits can be checked against a board alone: give --target.")
        return ()
    broken = check.violations(source, analysis, board)
    if not broken:
        return ()
    sentence = f"{source.origin} does not fit {board.name}: {'; '.join(map(str, broken))}."
    if wanted or (wanted is None and board is source.target):
        raise ConversionError(sentence[:1].upper() + sentence[1:] if source.stage else sentence)
    return (sentence,)


def _spare(source: Source, folder: Path, files: Iterable[str]) -> None:
    """ConversionError when one of the files would take the place of the model that it comes from."""
    if any((folder / name).resolve() == Path(source.origin).resolve() for name in files):
        raise ConversionError(f"{source.origin} would be written over: choose another --out or --name.")
