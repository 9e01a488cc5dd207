"""Documents in the explorer: one route, by which every subject is a page, JSON, a workbook, a PDF, tables and charts.

A subject registers in `SUBJECTS` by one function, which gives its document for the explorer and what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import HTMLResponse

from commonweal.document.data import document_data
from commonweal.document.pdf import document_pdf
from commonweal.document.write import document_xlsx
from commonweal.errors import UnknownNameError
from commonweal.evidence import cite, load_evidence
from commonweal.invest.allocation.comparison import SelectedShares, compare
from commonweal.report.allocation import allocation_document, comparison_section
from commonweal.report.case.pack_pages import with_value
from commonweal.report.siting import siting_document
from commonweal.report.study.comparison import list_comparison_document
from commonweal.report.study.social_capital_tables import social_capital_document
from commonweal.study.names import focus_name
from commonweal.web import schemas as answers
from commonweal.web.api import NO_CAPITAL, REFUSED, row_of
from commonweal.web.charts import png_of
from commonweal.web.invest import (
    options_answer,
    options_of,
    others_of,
    planning_of,
    programme_of,
    selected_by,
)
from commonweal.web.schemas import DocumentQuery, QueryError
from commonweal.web.tables import csv_answer, file_answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonweal.document.model import Document
    from commonweal.web.explorer import Explorer
    from commonweal.web.pages import Pages


@dataclass(frozen=True)
class Subject:
    """What the explorer can tell."""

    make: Callable[[Explorer, DocumentQuery], Document]  # gives the document for what is asked
    # gives what can be chosen: by parameter, values with words for each
    offers: Callable[[Explorer, DocumentQuery], Mapping[str, Mapping[str, str]]] = lambda *_: {}


def _programme(explorer: Explorer, asked: DocumentQuery) -> Document:
    """Tell a funding programme and, if another list is named, who gains and loses compared with it."""
    worked = programme_of(explorer, asked.programme)
    document, a = allocation_document(worked), worked.allocation
    if worked.certainty is None:
        note = (
            "This page has no recalculations with different assumptions. To make them, run commonweal invest allocate "
            f"{asked.programme}."
        )
        document = replace(document, limits=(*document.limits, note))
    if asked.against:
        offered = others_of(explorer, asked.programme)
        if asked.against not in offered:
            raise QueryError(str(UnknownNameError("list", asked.against[:100], offered)))
        mine, other = (
            SelectedShares(a.areas, selected.astype(np.float64))
            for selected in (a.selected, selected_by(explorer, asked.against))
        )
        beside = comparison_section(worked, offered[asked.against], compare(mine, other, a.in_need))
        document = replace(document, sections=(beside, *document.sections))
    return document


def _lists(explorer: Explorer, asked: DocumentQuery) -> Mapping[str, Mapping[str, str]]:
    return {"against": others_of(explorer, asked.programme)}


def _changes(explorer: Explorer, _: DocumentQuery) -> Document:
    """Tell which areas entered the list, left it and stayed since the earlier study."""
    results = explorer.results
    if results.since_in_focus is None:
        raise HTTPException(
            404,
            "This study has no earlier one to compare with. Add “since: EARLIER-STUDY” to the study file. This page "
            f"then shows which {results.areas.plural} entered the list, left it or stayed.",
        )
    earlier, comparison = results.since_in_focus
    where = focus_name(results.study, results.areas)
    return list_comparison_document(comparison, earlier, results.study.title, where)


def _social_capital(explorer: Explorer, asked: DocumentQuery) -> Document:
    """Tell the social capital of an area."""
    place = explorer.describe(row_of(explorer, asked.area))
    if place.capital is None:
        raise HTTPException(404, NO_CAPITAL)
    study = explorer.results.study
    return social_capital_document(place.capital, place.name, study.title)


def _options(explorer: Explorer, asked: DocumentQuery) -> Document:
    """Tell what new venues would do for an area, or for a larger one by its code."""
    found = options_of(explorer, planning_of(explorer), asked.area, asked)
    document = with_value(siting_document(found.sited), found.worth)
    account = (*document.account, ("picked", found.picked), ("areas", len(found.scope.rows)))
    return replace(document, answer=tuple(options_answer(found)), account=account)


SUBJECTS: dict[str, Subject] = {
    "study": Subject(lambda explorer, _: explorer.document),
    "programme": Subject(_programme, _lists),
    "changes": Subject(_changes),
    "social-capital": Subject(_social_capital),
    "options": Subject(_options),
}
"""By name, what the explorer can tell."""

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Name = Annotated[str, Path(max_length=100, description="Name of a subject.")]
Part = Annotated[str, Path(max_length=200, description="Name of a table or chart of the document.")]
Asked = Annotated[DocumentQuery, Query()]


def _subject(name: str) -> Subject:
    if name not in SUBJECTS:
        raise HTTPException(404, f"There is no document called {name[:40]!r}.")
    return SUBJECTS[name]


# Long: each route is a function of its own, and all know the explorer.
def document_router(explorer: Explorer, pages: Pages) -> APIRouter:
    """Make the routes of the documents of one run."""
    none: dict[int | str, dict[str, Any]] = {
        **REFUSED,
        404: {"model": answers.Problem, "description": "Not found."},
        422: {"model": answers.Problem, "description": "The request is not valid."},
    }
    router = APIRouter(tags=["documents"], responses=none)

    def made(name: str, asked: DocumentQuery) -> Document:
        asked.choices(explorer)  # so that an unknown key is refused
        return _subject(name).make(explorer, asked)

    def of(kind: str) -> dict[str, Any]:
        what: dict[int | str, Any] = {200: {"content": {kind: {}}, "description": "The file."}}
        return {"response_class": Response, "responses": what}

    page_errors: dict[int | str, dict[str, Any]] = {
        status: {"content": {"text/html": {}}, "description": words}
        for status, words in ((404, "Not found."), (422, "The request is not valid."))
    }

    @router.get("/documents/{name}", response_class=HTMLResponse, responses=page_errors)
    def page(name: Name, asked: Asked) -> Response:
        """Show a document as a page."""
        document, evidence = made(name, asked), load_evidence()
        own = asked.own()
        query = urlencode(own, doseq=True)
        return pages.page(
            "document.html", asked, asked.choices(explorer),
            document=document, works=[cite(w, evidence) for w in document.works],
            offers=_subject(name).offers(explorer, asked), own=own,
            file=lambda rest: f"/api/documents/{name}{rest}{'?' if query else ''}{query}",
            path=f"/documents/{name}",
        )  # fmt: skip

    @router.get("/api/documents/{name}.json", response_model=answers.DocumentOut)
    def as_json(name: Name, asked: Asked) -> Any:
        """Give everything in a document, unrounded."""
        return json_answer(document_data(made(name, asked)))

    @router.get("/api/documents/{name}.pdf", **of("application/pdf"))
    def as_pdf(name: Name, asked: Asked) -> Any:
        """Give a document as a tagged PDF."""
        made_pdf = document_pdf(made(name, asked), files=False)
        return file_answer(made_pdf, "application/pdf", f"{name}.pdf")

    @router.get("/api/documents/{name}.xlsx", **of(_XLSX))
    def as_xlsx(name: Name, asked: Asked) -> Any:
        """Give every table of a document as a workbook."""
        return file_answer(document_xlsx(made(name, asked)), _XLSX, f"{name}.xlsx")

    @router.get("/api/documents/{name}/{part}.csv", **of("text/csv"))
    def as_csv(name: Name, part: Part, asked: Asked) -> Any:
        """Give a table of a document, or the numbers of a chart, as CSV."""
        table = next((t for t in made(name, asked).tables() if t.name == part), None)
        if table is None:
            raise HTTPException(404, f"This document has no table called {part[:40]!r}.")
        frame = table.shown.frame
        return csv_answer(frame.columns, frame.iter_rows(), f"{part}.csv")

    def chart(name: str, part: str, asked: DocumentQuery) -> str:
        charts = (c for s in made(name, asked).sections for c in s.charts if c.id == part)
        found = next(charts, None)
        if found is None:
            raise HTTPException(404, f"This document has no chart called {part[:40]!r}.")
        return found.svg

    @router.get("/api/documents/{name}/{part}.svg", **of("image/svg+xml"))
    def as_svg(name: Name, part: Part, asked: Asked) -> Any:
        """Give a chart of a document as SVG."""
        return file_answer(chart(name, part, asked).encode(), "image/svg+xml", f"{part}.svg")

    @router.get("/api/documents/{name}/{part}.png", **of("image/png"))
    def as_png(name: Name, part: Part, asked: Asked) -> Any:
        """Give a chart of a document as PNG."""
        return file_answer(png_of(chart(name, part, asked)), "image/png", f"{part}.png")

    return router
