"""Run what the pages show.

python docs/outputs.py PAGE...    write into pages what their commands and their Python print now
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "images" / "index"
WIDTH = 110  # of the terminal whose output the pages show
NEEDS_DATA = "<!-- needs the data -->\n"
FOLDER = "…"  # stands for the folder that a page's commands run in
BLOCK = re.compile(rf"({NEEDS_DATA})?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what the page says that they print."""
    parts = re.split(r"^\$ (.+)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


OPENED = re.compile(r"Opened results/\S+ \(written ")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def surroundings(folder: Path, cache: Path | None = None) -> Iterator[_Terminal]:
    """Be in a folder, with what is printed gathered; with a cache given, without any data."""
    out = _Terminal()
    errors = mock.Mock(write=out.write, flush=out.flush, isatty=lambda: False)
    env = {"COLUMNS": str(WIDTH)}
    if cache is not None:
        env |= {"COMMONWEAL_CACHE": str(cache), "COMMONWEAL_OFFLINE": "1", "COMMONWEAL_MIRROR": ""}
    with (
        mock.patch.dict(os.environ, env),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        yield out


def output_of(command: str, folder: Path, cache: Path | None = None) -> str:
    """Run ``commonweal ...`` in a folder and give what a terminal would show."""
    from commonweal.cli.app import main

    with (
        surroundings(folder, cache) as out,
        mock.patch.object(sys, "argv", shlex.split(command)),
        contextlib.suppress(SystemExit),
    ):
        main()
    lines = out.getvalue().replace(str(folder.resolve()), FOLDER).splitlines()
    # When results were written that a command opens is another minute each time.
    return "".join(line.rstrip() + "\n" for line in lines if not OPENED.match(line))


def matches(said: str, found: str) -> bool:
    """Whether an output is as said; a line ``...`` stands for any lines, ``[...]`` for any words."""
    pattern = re.escape(said).replace(re.escape("[...]"), ".*")
    pattern = re.sub(rf"(?m)^{re.escape(re.escape('...'))}\\?\n", lambda _: "(?:.*\n)*", pattern)
    return re.fullmatch(pattern, found) is not None


def renewed(text: str, folder: Path, cache: Path | None, *, needs_data: bool) -> str:
    """Give a page as running its commands and its Python, in order, makes it.

    The blocks that need the data are run, or the others. An output that fits what was printed stays
    as it is; that of Python stands in a block of text right below it, or is not shown.
    """
    names: dict[str, Any] = {"__name__": "page"}
    pieces: list[str] = []
    body_end = block_end = 0
    printed: str | None = None  # by the Python block just above
    for block in BLOCK.finditer(text):
        runs, language, body = bool(block[1]) == needs_data, block[2], block[3]
        if (
            printed is not None
            and language == "text"
            and not text[block_end : block.start()].strip()
        ):
            body = body if matches(body, printed) else printed
        elif runs and language == "console":
            body = ""
            for command, said in commands(block[3]):
                found = output_of(command, folder, cache)
                body += f"$ {command}\n{said if matches(said, found) else found}"
        printed = None
        if runs and language == "python":
            with surroundings(folder, cache) as out:
                exec(compile(body, "page", "exec"), names)
            printed = out.getvalue()
        pieces += [text[body_end : block.start(3)], body]
        body_end, block_end = block.end(3), block.end()
    return "".join([*pieces, text[body_end:]])


def pictures(folder: Path) -> dict[str, str]:
    """Give the pictures that a page's Python has drawn, and their numbers, by name of the file."""
    drawn = [f for f in folder.glob("*.svg") if f.with_suffix(".csv").is_file()]
    return {f.name: f.read_text("utf-8") for d in drawn for f in (d, d.with_suffix(".csv"))}


def write_outputs(page: Path) -> None:
    """Put into a page what its commands and its Python print, and beside it what they draw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(DOCS / "examples", Path(name) / "here"))
        text = page.read_text("utf-8")
        text = renewed(text, folder, Path(name) / "cache", needs_data=False)
        if NEEDS_DATA in text:
            text = renewed(text, folder, None, needs_data=True)
        page.write_text(text, "utf-8")
        for name, drawn in pictures(folder).items():
            (PICTURES / name).write_text(drawn, "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_outputs(Path(name))
