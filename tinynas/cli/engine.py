"""How an engine, a model as plain C, is shown on a terminal beside the same model under TFLM."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tinynas.cli.console import console, table
from tinynas.cli.formats import size

if TYPE_CHECKING:
    from tinynas.engine import Engine, Figures
    from tinynas.tflite import Analysis


def instead(analysis: "Analysis") -> str:
    """What a model that cannot be an engine needs under TFLM, a sentence."""
    footprint = analysis.footprint
    return (
        f"Under TFLM the model needs {size(footprint.ram_bytes)} B of RAM and {size(footprint.flash.total)} B of Flash."
    )


def engine_dict(engines: "Mapping[str, Engine]") -> dict[str, Any]:
    """Plain values, ready for JSON, of the engine for least memory; below "speed" the figures of the one for speed."""
    from dataclasses import asdict

    engine, quick = engines["memory"], engines["speed"]
    return {
        **engine.figures.to_dict(),
        "layers_by_rows": engine.plan.streamed,
        "keeps_input": engine.keeps_input,
        "gains": [asdict(gain) for gain in engine.gains],
        "speed": quick.figures.to_dict(),
    }


def show_engine(engines: "Mapping[str, Engine]", analysis: "Analysis") -> None:
    """Print the layers of the engine for least memory, the figures of each engine beside TFLM's, and what each
    simplification gained."""
    screen, engine = console(), engines["memory"]
    screen.print(_layers(engine))
    screen.print(_figures(engine.figures, engines["speed"].figures, analysis))
    if len(engine.gains) > 1:
        screen.print(_gains(engine))


def _layers(engine: "Engine") -> Any:
    """A row a layer: what it is made of, its result, and where that lies."""
    rows = table("The engine's layers", ">#, *layer, *of the file's operators, result, >at byte, >bytes, *order")
    net, plan = engine.net, engine.plan
    for number, layer in enumerate(net.layers):
        value = net.values[layer.output]
        ring = plan.rings.get(layer.output)
        held = value.bytes if ring is None else ring * (value.bytes // value.shape[0])
        rows.add_row(
            str(number),
            layer.kind,
            ", ".join(net.names[operator] for operator in layer.operators),
            "x".join(map(str, value.shape)),
            size(plan.offsets[layer.output]),
            size(held),
            _order(engine, number),
        )
    return rows


def _order(engine: "Engine", number: int) -> str:
    if number < engine.plan.streamed:
        ring = engine.plan.rings.get(engine.net.layers[number].output)
        return "row by row" if ring is None else f"row by row, {ring} held"
    return "from the end" if number in engine.plan.backwards else ""


def _figures(small: "Figures", quick: "Figures", analysis: "Analysis") -> Any:
    from tinynas.engine.figures import measured

    footprint, flash, compiler = analysis.footprint, analysis.footprint.flash, measured()["compiler"]
    rows = table(None, "figure, >engine, >for speed, >TFLM, *what it is")
    for figure, theirs, about in (
        ("memory", footprint.arena_bytes, "all values, proven byte by byte; TFLM's arena"),
        ("beside it", footprint.ram_outside_bytes, f"stack ({compiler}); TFLM: and its interpreter"),
        ("RAM of the network", footprint.network_ram_bytes, ""),
        ("weights", flash.model, "with biases and tables; TFLM's .tflite"),
        ("code", flash.runtime, f"Cortex-M4, {compiler}; TFLM's, build {analysis.build}"),
        ("Flash of the network", flash.network, ""),
        ("MACs", footprint.macs, "an inference"),
        ("instructions", footprint.instructions, "an inference on a Cortex-M4, about"),
    ):
        unit = "" if figure in ("MACs", "instructions") else " B"
        ours = [f"{size(_FIGURES[figure](each))}{unit}" for each in (small, quick)]
        rows.add_row(figure, *ours, "not known" if theirs is None else f"{size(theirs)}{unit}", about)
    return rows


_FIGURES: "Mapping[str, Callable[[Figures], int]]" = {
    "memory": lambda each: each.memory,
    "beside it": lambda each: each.stack,
    "RAM of the network": lambda each: each.ram,
    "weights": lambda each: each.weights + each.tables,
    "code": lambda each: each.code,
    "Flash of the network": lambda each: each.flash,
    "MACs": lambda each: each.macs,
    "instructions": lambda each: each.instructions,
}


def _gains(engine: "Engine") -> Any:
    """A row a simplification, with what is left after it."""
    rows = table("Simplifications that keep every bit", "*done, >layers, >MACs, >weights B, >least memory B")
    for gain in engine.gains:
        rows.add_row(gain.what, size(gain.layers), size(gain.macs), size(gain.weights_bytes), size(gain.memory_bytes))
    return rows
