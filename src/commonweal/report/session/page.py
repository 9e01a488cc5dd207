"""A session as one page of HTML that needs nothing else."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from commonweal.document.html import fill_page
from commonweal.report.evidence import evidence_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.report.session.content import Content

__all__ = ["session_html"]


def session_html(told: Content, files: Sequence[tuple[str, str]] = ()) -> str:
    """Make the page.

    Parameters
    ----------
    told
        What it tells.
    files
        Files that lie beside it, with what each is: they are linked.

    Returns
    -------
    str
        HTML with its style and drawings inside; it asks nothing of any server.
    """
    from markupsafe import Markup

    return fill_page(
        (resources.files(__package__) / "templates" / "session.html").read_text("utf-8"),
        title=told.session.title,
        heading=told.heading,
        notes=told.notes,
        live=None,
        c=told,
        s=told.state,
        reading=[
            Markup(
                evidence_html(
                    told.evidence,
                    [r.theme.id],
                    level=3,
                    works={work.id for work in r.works},
                    notes={r.theme.id: r.note},
                )
            )
            for r in told.reading
        ],
        files=files,
    )
