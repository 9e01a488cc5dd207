"""The command line: thin, and quick to start. Everything it says comes from the library."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
import threading
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commonweal.cli.brief import brief, session, show
from commonweal.cli.invest import invest_app
from commonweal.cli.papers import discontent, wealth
from commonweal.cli.run import compare, demo, explore, run, units
from commonweal.cli.sources import areas_app, evidence, places, sources_app
from commonweal.cli.studies import check, new, studies_app
from commonweal.cli.survey import small_areas, social_capital, survey
from commonweal.errors import CommonwealError, SourceError
from commonweal.files.inputs import record_inputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


app = typer.Typer(
    name="commonweal",
    help="Find 'left behind' neighbourhoods: which they are, how stable the list is, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Debug = Annotated[bool, typer.Option("--debug", help="Show technical details of errors.")]


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    debug: Debug = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Find 'left behind' neighbourhoods: which they are, how stable the list is, and why."""
    context.obj = debug
    context.with_resource(record_inputs())
    if version:
        from commonweal.version import __version__

        print(f"commonweal {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit


app.command()(run)
app.command()(demo)
app.command()(explore)
app.command()(compare)
app.command()(units)
app.command()(show)
app.command()(brief)
app.command()(evidence)
app.command()(session)
app.command()(discontent)
app.command("social-capital")(social_capital)
app.command()(survey)
app.command()(wealth)
app.command()(small_areas)
app.command()(check)
app.command()(new)
app.command()(places)
app.add_typer(studies_app, name="studies")
app.add_typer(areas_app, name="areas")
app.add_typer(sources_app, name="sources")
app.add_typer(invest_app, name="invest")


_STOPPED = {130: signal.SIGINT, 143: signal.SIGTERM}
"""Exit codes of a command that was stopped, as shells give them: 128 and the number of the signal."""
_terminated = threading.Event()
"""Whether it was stopped by SIGTERM."""


def main() -> None:
    """Run the command line: 0 done, 2 a user's mistake, 1 a fault."""
    gc.set_threshold(
        20_000
    )  # what is read and imported stays: to go through it so often takes a tenth of the time
    _end_in_order()
    code = _exit_code([a for a in sys.argv[1:] if a != "--debug"], "--debug" in sys.argv)
    if code in _STOPPED and _solver_runs():
        # A solver that does not hear yet: Python would wait for it, the signal itself ends it too.
        signal.signal(_STOPPED[code], signal.SIG_DFL)
        signal.raise_signal(_STOPPED[code])
    sys.exit(code)


def _end_in_order() -> None:
    """Let SIGTERM (of a container, a service, a cluster's limit) end a command as Ctrl-C does."""

    def stop(_: int, frame: FrameType | None) -> None:
        _terminated.set()
        on_ctrl_c = signal.getsignal(signal.SIGINT)
        if callable(on_ctrl_c):
            on_ctrl_c(signal.SIGINT, frame)
        else:  # a job in the background has none
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, stop)


def _exit_code(args: list[str], debug: bool) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an old console may not have every letter
            stream.reconfigure(errors="backslashreplace")
    try:
        _refuse_nothing(args)
        code = _command()(args=args, standalone_mode=False, prog_name="commonweal") or 0
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except SystemExit:  # how typer tells that a write to the pipe failed: Ctrl-C and usage do not
        return _reader_left()
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        if debug and not hasattr(error, "show"):
            import traceback

            traceback.print_exc()
            return 2 if isinstance(error, CommonwealError) else 1
        return _print_error(error)
    if code == 130:
        code = 143 if _terminated.is_set() else 130
        print("commonweal: stopped; nothing was half-written", file=sys.stderr)
    return int(code)


def _refuse_nothing(args: list[str]) -> None:
    """Refuse ``--out ""``, as of a variable that is not set: it would be the current folder."""
    following = dict(pairwise(args))
    if following.get("--out") == "" or "--out=" in args:
        raise CommonwealError("--out: found nothing; expected a folder (. is the current one)")


@cache
def _command() -> Callable[..., Any]:
    """Give the command that typer makes of the application, once."""
    return typer.main.get_command(app)


def _solver_runs() -> bool:
    """Whether the thread of `commonweal.invest.solver` has not ended: the only one that may not hear."""
    return any(t.name == "HiGHS" for t in threading.enumerate())


def _print_error(error: Exception) -> int:
    """Print an error in plain lines, and give the exit code."""
    show = getattr(error, "show", None)
    if show is not None:  # a wrong option or argument: typer's own words
        show()
        return int(getattr(error, "exit_code", 2))
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        error = SourceError(f"{error.filename} cannot be read: {error.strerror}")
    if isinstance(error, CommonwealError):
        print(f"commonweal: {error}", file=sys.stderr)
        return 2
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        print(
            "commonweal: your current folder no longer exists; go to one that does (cd) and try again",
            file=sys.stderr,
        )
        return 2
    print(
        f"commonweal: a fault of the program: {type(error).__name__}: {error}\n"
        "Run it again with --debug to see where, and please report it.",
        file=sys.stderr,
    )
    return 1


def _folder_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _reader_left() -> int:
    """Be quiet when the reader of a pipe has what it wanted, as ``head`` does."""
    # What is still to be flushed at exit would fail once more, and be told.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0
