"""Run the commands that the pages show.

python docs/outputs.py PAGE...    write into pages what their commands print now
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
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parent
WIDTH = 110  # of the terminal whose output the pages show
NEEDS_DATA = "<!-- needs the data -->\n"
FOLDER = "…"  # stands for the folder that a page's commands run in
BLOCK = re.compile(rf"({NEEDS_DATA})?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what the page says that they print."""
    parts = re.split(r"^\$ (.+)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


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
    from commonweal.cli import main

    with (
        surroundings(folder, cache) as out,
        mock.patch.object(sys, "argv", shlex.split(command)),
        contextlib.suppress(SystemExit),
    ):
        main()
    lines = out.getvalue().replace(str(folder.resolve()), FOLDER).splitlines()
    return "".join(line.rstrip() + "\n" for line in lines)


def matches(said: str, found: str) -> bool:
    """Whether an output is as said; a line ``...`` stands for any lines, ``[...]`` for any words."""
    pattern = re.escape(said).replace(re.escape("[...]"), ".*")
    pattern = re.sub(rf"(?m)^{re.escape(re.escape('...'))}\\?\n", lambda _: "(?:.*\n)*", pattern)
    return re.fullmatch(pattern, found) is not None


def write_outputs(page: Path) -> None:
    """Put what each command prints into a page; outputs with ``...`` in them stay."""
    text = page.read_text("utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(DOCS / "examples", Path(name) / "here"))
        empty = Path(name) / "cache"

        def renew(block: re.Match[str]) -> str:
            if block[2] != "console":
                return block[0]
            new = ""
            for command, said in commands(block[3]):
                found = output_of(command, folder, None if block[1] else empty)
                new += f"$ {command}\n{said if matches(said, found) else found}"
            return f"{block[1] or ''}```console\n{new}```"

        page.write_text(BLOCK.sub(renew, text), "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_outputs(Path(name))
