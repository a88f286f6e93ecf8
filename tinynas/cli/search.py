"""`tinynas search`: find, train and keep the best model that fits."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.completion import RUN, boards, runs
from tinynas.cli.options import DATA, LIMITS, More, takes
from tinynas.cli.session import (
    go_on,
    load_data,
    refuse_more,
    refuse_with_resume,
    show_result,
    watched,
)
from tinynas.errors import ArchitectureError, UsageError
from tinynas.options import RUNNING, SETTINGS, SPACE, Option

if TYPE_CHECKING:
    from tinynas.architecture import SearchSpace
    from tinynas.data import Dataset

# What a newcomer needs, in this order.
_FIRST = (
    "target", "data", "time_budget_s", "out", "resume", "warm_start", "workers", "as_json", "tensorboard",
    "ram_bytes", "flash_bytes", "latency_ms", "board_ram_bytes", "board_flash_bytes",
)  # fmt: skip


@takes(RUNNING, SETTINGS, SPACE, LIMITS, DATA, first=_FIRST)
def search(
    target: Annotated[
        str | None,
        typer.Option(
            metavar="BOARD", help="A board (see tinynas targets), or the JSON file of one.", autocompletion=boards
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The data: IDX, .npz, .npy or CSV files, or a folder with a folder of pictures, WAVs or CSVs for each "
            "class (docs/data.md). Default: scikit-learn's digits.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The run folder to make. Default: runs/ and the time.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help=f"Go on with this search: {RUN[0].lower()}{RUN[1:]} One that has ended is given more, such as +30m.",
            autocompletion=runs,
        ),
    ] = None,
    warm_start: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Begin with the best of an earlier run, of other data or of another board: its networks, made to fit, "
            "and their weights.",
            autocompletion=runs,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout, progress on stderr.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write logs for TensorBoard into the run folder.")
    ] = False,
    **given: Any,
) -> None:
    """Search for the best model that fits the target, train it, and keep it in a run folder.

    Three options are enough for most searches: tinynas search --target nucleo_f401 --data DIR --time-budget 20m
    """
    from tinynas.cli.console import console as console_for

    console = console_for(stderr=as_json)
    if resume is not None:
        more = {name: value.value for name, value in given.items() if isinstance(value, More)}
        fixed = {name: value for name, value in given.items() if name not in RUNNING and name not in more}
        refuse_with_resume({"target": target, "data": data, "out": out, "warm_start": warm_start, **fixed})
        result = go_on(resume, console, more, tensorboard, **_of(RUNNING, given))
    else:
        from tinynas.hardware import Target
        from tinynas.searching import search as run_search
        from tinynas.searching import with_limits

        refuse_more(given)
        if target is None:
            raise UsageError("search needs --target: a name from tinynas targets, or a JSON file of your board.")
        board = Target.load(target)
        limits = with_limits(board, **_of(LIMITS, given))
        dataset, source = load_data(data, _of(DATA, given), console)
        settings = _of(SETTINGS, given)
        result = watched(
            console,
            run_search,
            dataset,
            board,
            out=out,
            limits=limits,
            space=_space(dataset, _of(SPACE, given)),
            source=source,
            warm_start=warm_start,
            tensorboard=tensorboard,
            **_of(RUNNING, given),
            **settings,
        )
    show_result(result, console, as_json)


def _of(table: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in table}


def _space(dataset: "Dataset", ranges: Mapping[str, Any]) -> "SearchSpace":
    from tinynas.architecture import SearchSpace

    try:
        return SearchSpace.for_input(dataset.input_shape, dataset.n_classes, **ranges)
    except ArchitectureError as error:
        raise UsageError(str(error)) from error
