"""A report as one page of HTML that needs nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

from commonweal.evidence import cite, load_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment, Template

    from commonweal.document.model import Document


@cache
def templates_of(package: str) -> Environment:
    """Give the templates of a package, each of which is taken apart once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["n"] = lambda value: f"{value:,}"
    made.globals["raw"] = Markup  # for what this program drew itself, escaped as it was drawn
    return made


def fill_page(template: str, **told: object) -> str:
    """Fill the template of a page."""
    return _tidy(_page(template).render(**told))


@cache
def _page(template: str) -> Template:
    from markupsafe import Markup

    css = {"css": Markup(_template("page.css"))}
    return templates_of("commonweal.document").from_string(template, css)


def _tidy(text: str) -> str:
    return unbroken(re.sub(r"\n\s*\n+", "\n", text))


def unbroken(text: str) -> str:
    r"""Keep a number on one line with its million.

    Examples
    --------
    >>> unbroken("69% of £1.2 million").split(" ")
    ['69%', 'of', '£1.2\xa0million']
    """
    return re.sub(r"(?<=\d) (?=million\b|billion\b)", "\N{NO-BREAK SPACE}", text)


@dataclass(frozen=True, slots=True)
class InteractivePart:
    """A part of a page that answers to its reader, and is not shown where scripts do not run, nor on paper.

    Attributes
    ----------
    title
        Its heading.
    html
        What it holds.
    data
        What the script reads, as JSON, from the element ``live-data``.
    script
        What makes it answer.
    """

    title: str
    html: str
    data: str
    script: str

    @property
    def hash(self) -> str:
        """What a policy knows the script by, as it stands in the page: no other runs."""
        stands = f"\n{self.script}\n".encode()
        return f"sha256-{b64encode(sha256(stands).digest()).decode()}"


def document_html(
    report: Document, files: Sequence[tuple[str, str]] = (), live: InteractivePart | None = None
) -> str:
    """Make the page.

    Parameters
    ----------
    report
        What it tells.
    files
        Files that lie beside it, with what each is: they are linked.
    live
        A part that answers to its reader, after the answer.

    Returns
    -------
    str
        HTML with its style and drawings inside; it asks nothing of any server.
    """
    evidence = load_evidence()
    works = [(evidence.work(id_), cite(id_, evidence)) for id_ in report.works]
    if live is not None:  # as it will stand in the page
        live = replace(live, script=_tidy(live.script).strip())
    return fill_page(
        _template("report.html"),
        title=report.title,
        heading=report.heading,
        notes=report.notes,
        live=live,
        r=report,
        works=works,
        files=files,
    )


def _template(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")
