"""A report as one page of HTML that needs nothing else."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from commonweal.evidence import cite, load_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.reports.report import Report

__all__ = ["page_style", "page_template", "report_html"]


def page_template(name: str) -> str:
    """Give a template of this room: ``parts.html`` has the tables and figures that all pages share."""
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")


def page_style() -> str:
    """Give the style of a report's page."""
    return page_template("page.css")


def report_html(report: Report, files: Sequence[tuple[str, str]] = ()) -> str:
    """Make the page.

    Parameters
    ----------
    report
        What it tells.
    files
        Files that lie beside it, with what each is: they are linked.

    Returns
    -------
    str
        HTML with its style and drawings inside; it asks nothing of any server.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    page = Environment(
        loader=FunctionLoader(page_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.globals["raw"] = Markup  # for what this package drew itself, escaped as it was drawn
    evidence = load_evidence()
    text = page.get_template("report.html").render(
        css=Markup(page_style()),
        r=report,
        works=[(evidence.work(id_), cite(id_, evidence)) for id_ in report.works],
        files=files,
    )
    # A number and its percent sign stay on one line.
    return re.sub(r"\n\s*\n+", "\n", text).replace(" %", "\N{NO-BREAK SPACE}%")
