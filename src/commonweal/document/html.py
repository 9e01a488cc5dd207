"""A report as one page of HTML that needs nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from commonweal.document.words import environment, template, words
from commonweal.evidence import cite, load_evidence
from commonweal.evidence.library import STRENGTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.document.model import Document


_PAGE = {
    "within": "Commonweal", "home": "", "short": False, "pictures": False, "live": None, "dated": "", "scripts": (),
}  # fmt: skip
"""What a page is if nothing else is said."""


def fill_page(template: str, **told: object) -> str:
    """Fill the template of a page, given by its name or as text."""
    named = template.endswith(".html")
    made = environment().get_template(template) if named else environment().from_string(template)
    return _tidy(made.render(**{**_PAGE, "w": words("document"), **told}))


_BLANK = re.compile(r"\n\s*\n+")


def _tidy(text: str) -> str:
    return unbroken(_BLANK.sub("\n", text))


def unbroken(text: str) -> str:
    r"""Keep a number on one line with its million.

    >>> unbroken("69% of £1.2 million").split(" ")
    ['69%', 'of', '£1.2\xa0million']
    """
    if "illion" not in text:  # a page has few, and every space of it would be looked at
        return text
    return re.sub(r"(?<=\d) (?=million\b|billion\b)", "\N{NO-BREAK SPACE}", text)


@dataclass(frozen=True, slots=True)
class InteractivePart:
    """A part of a page that answers to its reader, and is not shown where scripts do not run, nor on paper."""

    title: str
    html: str
    data: str  # what the script reads, as JSON, from the element ``live-data``
    script: str

    @property
    def hash(self) -> str:
        """What a policy knows the script by, as it stands in the page: no other runs."""
        return _hash(self.script)


def _hash(script: str) -> str:
    stands = f"\n{script}\n".encode()
    return f"sha256-{b64encode(sha256(stands).digest()).decode()}"


def document_html(
    report: Document,
    files: Sequence[tuple[str, str]] = (),
    live: InteractivePart | None = None,
    home: str = "",
) -> str:
    """Make the page, with its style and drawings inside; it asks nothing of any server.

    `live` is a part that answers to its reader, after the answer; `home` is linked above the title.
    """
    scripts = []  # each as it will stand in the page
    if live is not None:
        live = replace(live, script=_tidy(live.script).strip())
        scripts.append(live.script)
    if any(table.find for section in report.sections for table in section.tables):
        scripts.append(_tidy(template("find.js")).strip())
    return fill_page(
        "report.html",
        **_values(report),
        files=files,
        live=live,
        home=home,
        scripts=[(script, _hash(script)) for script in scripts],
    )


def document_fragment(report: Document) -> str:
    """Make the main part alone, for a page that is there already, such as a notebook."""
    main = fill_page("body.html", **_values(report), files=(), live=None, contents=False)
    return f"<h1>{escape(report.title)}</h1>\n<p>{escape(report.heading)}</p>\n{main}"


def _values(report: Document) -> dict[str, object]:
    evidence = report.library or load_evidence()
    return {
        "title": report.title,
        "heading": report.heading,
        "notes": report.notes,
        "within": report.within,
        "short": report.short,
        "dated": report.dated,
        "w": words("document", report.language),
        "r": report,
        "works": report.works,
        "work_of": evidence.work,
        "cite": lambda id_: cite(id_, evidence),
        "strengths": STRENGTHS,
    }
