"""What commands have in common: options, amounts of money, progress, printing."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from commonweal.document.model import Document


Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Draws = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Number of recalculations [default: the study's]; 0 for none, and no sensitivity.",
    ),
]
NoSensitivity = Annotated[
    bool, typer.Option("--no-sensitivity", help="Leave out the sources of uncertainty.")
]
StudyName = Annotated[str, typer.Argument(help="A built-in study, or the path of a YAML file.")]
StudyOrFolder = Annotated[
    str,
    typer.Argument(help="A built-in study, the path of a YAML file, or a results folder."),
]


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show progress on a terminal, after a second; nothing when piped."""
    if not sys.stderr.isatty():
        yield None
        return
    from commonweal.progress import bar

    with bar() as tell:
        yield tell


def terminal_width() -> int | None:
    """Give the letters of a line of the terminal; None where there is no terminal, such as in a pipe."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, wrapped to the terminal with their indent kept; unwrapped when piped."""
    import textwrap

    width = terminal_width() or 0
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        if width > 40 and len(line) > width:
            wrapped = textwrap.fill(
                line.strip(),
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

    from commonweal.files.inputs import input_files

    if isinstance(data, dict) and (found := input_files()):
        data = {**data, "given_files": found}

    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(data, indent=2, ensure_ascii=plain, allow_nan=False))


def print_document(
    document: Document, folder: Path | None, *, as_json: bool, rows: int = 10, brief: bool = False
) -> None:
    """Print a document as lines or as JSON, and where it was written, if it was."""
    from commonweal.document.data import document_data
    from commonweal.document.text import WHOLE, WRITTEN, document_lines

    if as_json:
        print_json(document_data(document) | ({} if folder is None else {"folder": str(folder)}))
        return
    where = WHOLE if folder is None else WRITTEN
    print_lines(document_lines(document, rows, where, terminal_width(), brief))
    if folder is not None:
        print(f"\nReport: {folder / 'report.html'}")  # never wrapped: to be clicked or copied


def write_text(file: Path, text: str) -> None:
    """Write a file, or explain why it cannot be written."""
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise CommonwealError(f"{file} cannot be written: {error.strerror}") from None


Out = Annotated[Path | None, typer.Option(help="Folder for a page, a PDF, a workbook and tables.")]
Postcodes = Annotated[
    Path | None,
    typer.Option(
        envvar="COMMONWEAL_POSTCODES",
        exists=True,
        help="Your own postcode directory (CSV) [default: the built-in one].",
    ),
]
WhichDesignation = Annotated[str, typer.Option(help="Which list to use, if the study has several.")]
Interventions = Annotated[
    str, typer.Option(help="Possible interventions: a built-in set, or a YAML file.")
]
Equity = Annotated[
    float,
    typer.Option(
        help="Weight of need: 0 counts everyone the same, 1 in proportion to need, 2 its square."
    ),
]
Minutes = Annotated[float, typer.Option(help="Longest walk to a new venue, in minutes.")]
Seed = Annotated[
    int, typer.Option(min=0, help="Seed of random numbers: the same seed gives the same answer.")
]
Year = Annotated[
    int | None, typer.Option(help="Year, for a study over several years [default: the latest].")
]


_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9}


def pounds(option: str, text: str) -> float:
    """Read an amount of pounds."""
    plain = text.strip().lower().replace(",", "").removeprefix("£")
    fits = re.fullmatch(r"(-?(?:\d+(?:\.\d+)?|\.\d+))\s*(bn|m|k|)", plain)
    if fits is None:
        raise CommonwealError(f"{option}: found '{text}'; expected pounds, such as 20m or 750k")
    return float(fits[1]) * _UNITS[fits[2]]
