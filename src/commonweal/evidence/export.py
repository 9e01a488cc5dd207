"""Works for reference managers: BibTeX and CSL-JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.evidence.work import Kind, Work

__all__ = ["bibtex", "csl_json"]

_ENTRIES: dict[Kind, tuple[str, str]] = {
    "article": ("article", "article-journal"),
    "book": ("book", "book"),
    "report": ("techreport", "report"),
    "statistics": ("techreport", "report"),
    "working-paper": ("techreport", "report"),
}
"""By kind, the entry of BibTeX and the type of the Citation Style Language (1.0.2)."""

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "—": "---",
    "−": "$-$",
}


def bibtex(works: Iterable[Work]) -> str:
    """Give works as BibTeX, in UTF-8, keyed by their ids.

    What LaTeX would read as a command is escaped; titles are braced, so that no style changes their
    capitals. What each finds is in ``annote``.

    Examples
    --------
    >>> from commonweal.evidence import load_evidence
    >>> print(bibtex([load_evidence().work("corry-2020")]).splitlines()[0])
    @techreport{corry-2020,
    """
    return "\n".join(_entry(work) for work in works)


def _entry(work: Work) -> str:
    authors = [
        f"{_latex(family)}, {_latex(given)}" if given else f"{{{_latex(family)}}}"
        for family, given in work.people
    ]
    entry = _ENTRIES[work.kind][0]
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{_latex(work.title)}}}",
        "year": str(work.year),
        "journal": _latex(work.journal),
        "volume": _latex(work.volume),
        "number": _latex(work.issue or work.number),
        "pages": _latex(work.pages),
        "type": _latex(work.series),
        "institution" if entry == "techreport" else "publisher": _latex(work.publisher),
        "doi": work.doi,  # verbatim fields: what reads them takes no escapes
        "url": work.address,
        "annote": _latex(work.finds),
    }
    lines = [f"  {key} = {{{value}}}" for key, value in fields.items() if value]
    return f"@{entry}{{{work.id},\n" + ",\n".join(lines) + "\n}\n"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def csl_json(works: Iterable[Work]) -> str:
    """Give works as CSL-JSON, which Zotero, Mendeley and pandoc read."""
    return json.dumps([_item(work) for work in works], indent=2, ensure_ascii=False) + "\n"


def _item(work: Work) -> dict[str, Any]:
    fields = {
        "id": work.id,
        "type": _ENTRIES[work.kind][1],
        "title": work.title,
        "author": [
            {"family": family, "given": given} if given else {"literal": family}
            for family, given in work.people
        ],
        "issued": {"date-parts": [[work.year]]},
        "container-title": work.journal,
        "volume": work.volume,
        "issue": work.issue,
        "page": work.pages.replace("–", "-"),
        "genre": work.series,
        "number": work.number,
        "publisher": work.publisher,
        "DOI": work.doi,
        "URL": work.address,
        "annote": work.finds,
    }
    return {key: value for key, value in fields.items() if value}
