"""`tinynas train`: the final training for any trial of a run."""

from typing import Annotated

import typer

from tinynas.cli.completion import runs


def train(
    trial: Annotated[
        str,
        typer.Argument(
            metavar="RUN:TRIAL",
            help='A trial of a run, such as latest:4; RUN is a run folder, a name in runs/, or "latest".',
            autocompletion=runs,
        ),
    ],
    time_budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Wall time for everything, such as 20m. Default: as many epochs as the run's best had."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print its summary.json on stdout, progress on stderr.")
    ] = False,
) -> None:
    """Give a trial of a run the final training that its best had, to convert it as RUN:TRIAL; the best stays as it is.

    tinynas pareto lists what is worth it: a smaller network, a quicker one.
    """
    from tinynas.cli.console import console as console_for
    from tinynas.cli.formats import parse_duration
    from tinynas.cli.session import loaded, show_trained, watched
    from tinynas.runs import numbered, read_settings, read_trials, run_and_trial
    from tinynas.searching import train as run_train

    console = console_for(stderr=as_json)
    seconds = None if time_budget is None else parse_duration(time_budget)
    folder, number = run_and_trial(trial)
    dataset = None
    if number is not None:
        numbered(read_trials(folder / "journal.sqlite"), number, folder)  # before data are read that may take long
        dataset = loaded(read_settings(folder), console)
    result = watched(
        console,
        run_train,
        trial,
        dataset,
        time_budget_s=seconds,
        stopped="Nothing was written; start it again with: tinynas train " + trial,
    )
    show_trained(result, console, as_json)
