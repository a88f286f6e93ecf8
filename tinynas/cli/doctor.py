"""`tinynas doctor`: what is installed, what the machine has, and the lines that install what is missing."""

from typing import Annotated

import typer

_MARKS = {"ok": "ok", "fact": "", "absent": "-", "missing": "MISSING"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Say whether everything is there; exit code 1, and the lines that install it, when something needed is missing."""
    from tinynas.cli.checks import checks

    found = checks()
    missing = [check for check in found if check.state == "missing"]
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({"ok": not missing, "checks": [asdict(check) for check in found]}, indent=1))
    else:
        from tinynas.cli.console import console, table

        rows = table(None, "what, , *found, *install with")
        for check in found:
            rows.add_row(check.name, _MARKS[check.state], check.found, check.install or "")
        screen = console()
        screen.print(rows)
        absent = ", ".join(check.name for check in missing)
        screen.print(f"Missing: {absent}." if missing else "Everything that is needed is there.")
    if missing:
        raise typer.Exit(1)
