"""Turn names of the index engine in the tables of methods/ into links to their signatures.

MkDocs calls `on_page_markdown` with each page (`hooks` in mkdocs.yml).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate import IN_PYTHON, in_python


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Link the names in the columns of tables that say that they are in Python."""
    if not page.file.src_uri.startswith("methods/"):
        return markdown
    known = in_python()

    def link(name: re.Match[str]) -> str:
        return f"[`{name[1]}`][{known[name[1]]}]" if name[1] in known else name[0]

    lines = []
    column: int | None = None  # of the names, in the table that a line is in
    for line in markdown.splitlines():
        cells = re.split(r"(?<!\\)\|", line) if line.startswith("|") else []
        heads = [cell.strip() for cell in cells]
        if not cells:
            column = None
        elif IN_PYTHON in heads:
            column = heads.index(IN_PYTHON)
        elif column is not None:
            cells[column] = re.sub(r"`([\w.]+)`", link, cells[column])
        lines.append("|".join(cells) or line)
    return "\n".join(lines)
