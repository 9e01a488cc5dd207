"""What commands have in common: options, progress, printing."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = [
    "Draws",
    "Json",
    "NoSensitivity",
    "StudyName",
    "print_json",
    "print_lines",
    "progress_bar",
    "write_text",
]

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Draws = Annotated[
    int | None,
    typer.Option(min=0, help="Draws in place of the study's; 0 for none, and no sensitivity."),
]
NoSensitivity = Annotated[
    bool, typer.Option("--no-sensitivity", help="Leave out which choice matters.")
]
StudyName = Annotated[str, typer.Argument(help="A study that ships, or the path of a YAML file.")]


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show progress on a terminal, after a second; nothing when piped."""
    if not sys.stderr.isatty():
        yield None
        return
    from commonweal.progress import bar

    with bar() as tell:
        yield tell


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, wrapped to the terminal with their indent kept; unwrapped when piped."""
    import shutil
    import textwrap

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        if width > 40 and len(line) > width:
            wrapped = textwrap.fill(
                line.strip().replace(" %", "\N{NO-BREAK SPACE}%"),
                width - 1,
                initial_indent=indent,
                subsequent_indent=indent + "  ",
                break_on_hyphens=False,
                break_long_words=False,
            )
            print(wrapped.replace("\N{NO-BREAK SPACE}", " "))
        else:
            print(line)


def print_json(data: Any) -> None:
    """Print data as JSON that any console can show, with the files that the user gave."""
    import json

    from commonweal.files.given import given

    if isinstance(data, dict) and (found := given()):
        data = {**data, "given_files": found}

    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(data, indent=2, ensure_ascii=plain, allow_nan=False))


def write_text(file: Path, text: str) -> None:
    """Write a file, or say plainly why it cannot be written."""
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise CommonwealError(f"{file} cannot be written: {error.strerror}") from None
