"""The command that lists the works that claims cite: `commonweal evidence`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, write_text

__all__ = ["evidence"]


def evidence(
    theme: Annotated[str, typer.Option(help="Only the works of this theme.")] = "",
    bibtex: Annotated[Path | None, typer.Option(help="Write the works as BibTeX.")] = None,
    csl: Annotated[Path | None, typer.Option(help="Write the works as CSL-JSON.")] = None,
    as_json: Json = False,
) -> None:
    """List the works that claims cite: what each finds, how strong that is, what was checked."""
    from commonweal import evidence as library
    from commonweal.report.evidence import evidence_lines

    found = library.load_evidence()
    works = found.under(theme) if theme else list(found.works.values())
    for file, text in ((bibtex, library.bibtex), (csl, library.csl_json)):
        if file is not None:
            write_text(file, text(works))
            print(f"Wrote {file}: {len(works)} works.")
    if as_json:
        print_json([work.model_dump(mode="json") for work in works])
    elif bibtex is None and csl is None:
        print_lines(evidence_lines(found, theme))
