"""Citations: short in the text, in full in a list, and as BibTeX and CSL-JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from commonweal.evidence.library import load_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.evidence.library import Evidence, Kind, Work


_NAMED = 2
"""Authors that a short reference names; of more, the first and *et al.*"""


@dataclass(frozen=True, slots=True)
class Citation:
    """How a work is cited.

    Attributes
    ----------
    id
        Of the work.
    short
        For the text: ``Bolet 2021``.
    full
        For a list: authors, year, title, where it appeared, and its DOI or address.
    link
        Where to read it.
    checked
        Whether what the library says of it was checked.
    """

    id: str
    short: str
    full: str
    link: str
    checked: bool


def cite(id_: str, evidence: Evidence | None = None) -> Citation:
    """Cite a work.

    Parameters
    ----------
    id_
        Its id.
    evidence
        The library; the packaged one if not given.

    Raises
    ------
    UnknownNameError
        If there is no such work; the message names the nearest.

    Examples
    --------
    >>> cite("bolet-2021").short
    'Bolet 2021'
    >>> cite("hamilton-2016").short
    'Hamilton et al. 2016'
    """
    evidence = load_evidence() if evidence is None else evidence
    work = evidence.work(id_)
    return Citation(
        work.id,
        short_reference(work, evidence),
        full_reference(work, evidence),
        work.link,
        work.checked,
    )


def short_reference(work: Work, evidence: Evidence) -> str:
    """Give the reference for the text: who and when, with a letter where that is not enough."""
    return f"{_who(work)} {_when(work, evidence)}"


def _who(work: Work) -> str:
    names = [family for family, _ in work.people]
    return work.cited_as or (f"{names[0]} et al." if len(names) > _NAMED else " and ".join(names))


def _when(work: Work, evidence: Evidence) -> str:
    """Give the year, lettered in the order of ids where the same people wrote several in it."""
    who = _who(work)
    same = [w.id for w in evidence.works.values() if w.year == work.year and _who(w) == who]
    letter = "abcdefghijklmnopqrstuvwxyz"[sorted(same).index(work.id)] if len(same) > 1 else ""
    return f"{work.year}{letter}"


def full_reference(work: Work, evidence: Evidence) -> str:
    """Give the reference for a list: authors (year). Title. Where it appeared. Its link.

    >>> library = load_evidence()
    >>> print(full_reference(library.work("putnam-2000"), library))
    Putnam, R. D. (2000). Bowling Alone: The Collapse and Revival of American Community. Simon & Schuster. http://bowlingalone.com/
    """
    title = work.title if work.title[-1] in "?!." else f"{work.title}."
    names = [_initialled(*person) for person in work.people]
    who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    parts = [f"{who} ({_when(work, evidence)}). {title}"]
    if work.journal:
        volume = work.volume + (f"({work.issue})" if work.issue else "")
        parts.append(", ".join(filter(None, (work.journal, volume, work.pages))) + ".")
    series = " ".join(filter(None, (work.series, work.number)))
    if series or (work.publisher and work.publisher not in names):
        parts.append(", ".join(filter(None, (series, work.publisher))) + ".")
    return " ".join([*parts, work.link])


def _initialled(family: str, given: str) -> str:
    """Give a person with initials in place of the given names; an organisation as it is.

    >>> _initialled("Woolcock", "Michael"), _initialled("Onward", "")
    ('Woolcock, M.', 'Onward')
    """
    return ", ".join(filter(None, (family, " ".join(f"{name[0]}." for name in given.split()))))


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
