"""The command line: the only room that prints, exits and reads argv."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper

from tinynas.cli.ends import end_as_by_ctrl_c
from tinynas.errors import TinynasError

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with 0 (done), 1 (an error, or does not fit) or 2 (usage)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    for stream in (sys.stdout, sys.stderr):  # the name of a file may be no UTF-8, and is told all the same
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    end_as_by_ctrl_c()
    try:
        from tinynas.cli.app import app

        app(args=[argument for argument in given if argument != "--debug"], prog_name="tinynas")
    except KeyboardInterrupt:  # while commands are loaded
        _fail("Stopped.", 1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # what Typer makes of a Ctrl-C inside a command
            _fail("Stopped.", 1)
        raise
    except TinynasError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except BrokenPipeError:  # the reader of a pipe, such as head, has gone
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if debug:
            raise
        where = "" if error.filename is None else f"{error.filename}: "
        _fail(f"{where}{error.strerror or error}.", 1)
    except Exception as error:
        if debug:
            raise
        _fail(
            f"Internal error, {type(error).__name__}: {error}. Run it again with --debug for the traceback.",
            1,
        )


def _fail(sentence: str, code: int) -> None:
    print(f"tinynas: {sentence}", file=sys.stderr)
    sys.exit(code)
