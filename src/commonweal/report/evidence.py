"""The library by theme, for readers: as lines for a terminal and as a part of a page."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from commonweal.evidence.cite import cite, full_reference
from commonweal.evidence.work import STRENGTHS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from commonweal.evidence.library import Evidence

__all__ = ["evidence_html", "evidence_lines"]

NOT_CHECKED = "Not fully checked"


def evidence_lines(evidence: Evidence, theme: str = "") -> Iterator[str]:
    """Give the library in plain words, theme by theme.

    Parameters
    ----------
    evidence
        The library.
    theme
        Only this theme; all if not given.

    Yields
    ------
    str
        A line for a terminal.

    Raises
    ------
    UnknownNameError
        If there is no such theme.
    """
    for name in [theme] if theme else evidence.themes:
        about = evidence.theme(name)
        yield from ("", f"{about.title} ({name})", about.about)
        for work in evidence.under(name):
            yield from ("", f"  {full_reference(work, evidence)}", f"    Finds: {work.finds}")
            yield f"    How: {work.method}. Where: {work.place}. Strength: {work.strength}."
            if work.caution:
                yield f"    Beware: {work.caution}"
            if not work.checked:
                yield f"    {NOT_CHECKED}: {work.check}"
    yield from ("", "Strength, from what says most about an effect to what says least:")
    yield from (f"  {name}: {meaning}" for name, meaning in STRENGTHS.items())


def evidence_html(
    evidence: Evidence,
    themes: Sequence[str] = (),
    level: int = 2,
    *,
    works: Collection[str] | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Give the library as a part of an HTML page, without style of its own.

    Parameters
    ----------
    evidence
        The library.
    themes
        Ids of the themes to show, in this order; all if none is given.
    level
        Of the heading of a theme: 2 is ``h2``.
    works
        Ids of the works to show; all of a theme's if not given.
    notes
        By theme, paragraphs that stand before its works.

    Returns
    -------
    str
        One ``section`` a theme, with id ``evidence-THEME``, and one ``article`` a work in it.

    Raises
    ------
    UnknownNameError
        If there is no such theme.
    """
    from jinja2 import Environment, StrictUndefined

    page = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = (resources.files(__package__) / "templates" / "evidence.html").read_text("utf-8")
    shown = [evidence.theme(name) for name in themes or evidence.themes]
    return page.from_string(text).render(
        themes=[
            (theme, [w for w in evidence.under(theme.id) if works is None or w.id in works])
            for theme in shown
        ],
        notes=notes or {},
        level=level,
        cite=lambda work: cite(work.id, evidence),
        strengths=STRENGTHS,
        not_checked=NOT_CHECKED,
    )
