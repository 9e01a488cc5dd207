"""Options that several commands about investment have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Out", "Seed", "Year"]

Out = Annotated[Path | None, typer.Option(help="Folder for a page, a PDF, a workbook and tables.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same answer.")]
Year = Annotated[
    int | None, typer.Option(help="Of a study over years: which [default: the latest].")
]
