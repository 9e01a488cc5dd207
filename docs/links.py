"""Turn names of the index room in the tables of methods/ into links to their signatures.

MkDocs calls `on_page_markdown` with each page (`hooks` in mkdocs.yml).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate import in_python


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Link what stands in backticks in a table and is called so after an import."""
    if not page.file.src_uri.startswith("methods/"):
        return markdown
    known = in_python()

    def link(name: re.Match[str]) -> str:
        full = known.get(name[1]) if "." in name[1] else None
        return f"[`{name[1]}`][{full}]" if full else name[0]

    lines = (
        re.sub(r"`([\w.]+)`(?!\])", link, line) if line.startswith("|") else line
        for line in markdown.splitlines()
    )
    return "\n".join(lines)
