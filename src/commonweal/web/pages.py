"""The pages: written on the server, so that they work without scripts; scripts only make them quicker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

import jinja2
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from commonweal.document.format import NOT_A_CHANCE, format_count, renewed
from commonweal.document.words import environment
from commonweal.evidence import load_evidence
from commonweal.report.evidence import evidence_html
from commonweal.report.place.charts import compare_chart
from commonweal.report.place.document import reasons, works_of
from commonweal.report.study.method import method
from commonweal.report.study.provenance import sources
from commonweal.study.names import counted_areas, focus_note, is_postcode, listed_areas
from commonweal.version import __version__
from commonweal.web import tables as told
from commonweal.web.api import NO_MAP, REFUSED, row_of
from commonweal.web.charts import domains_chart
from commonweal.web.invest import (
    OWN,
    bounds_of,
    kinds_offered,
    options_answer,
    options_of,
    options_offered,
    planning_of,
    programmes_table,
    scope_of,
    where_is,
    where_offered,
)
from commonweal.web.rescore import plain_number
from commonweal.web.schemas import (
    MOST_COMPARED,
    MOST_SITES,
    AreaQuery,
    Code,
    CompareQuery,
    ListQuery,
    OptionsQuery,
    PageQuery,
    code_in_path,
)
from commonweal.web.search import DEFAULT_PER, default_sort, list_page, record, search
from commonweal.web.tables import (
    changes_table,
    compare_table,
    domains_table,
    drivers_table,
)
from commonweal.web.view import STATES, layer_names, layer_of

if TYPE_CHECKING:
    from commonweal.web.explorer import Explorer
    from commonweal.web.rescore import Choices
    from commonweal.web.view import View


class Pages:
    """Fills in templates for one run."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        shared = environment()  # of every template; what the explorer adds is laid over it
        self._templates = shared.overlay(loader=jinja2.PackageLoader("commonweal.web"))
        self._templates.filters = shared.filters | {
            "n": told.format_whole,
            "cell": told.format_cell,
            "in_path": code_in_path,
            "plain_number": plain_number,
            "lower_first": told.lower_first,
            "merged": lambda one, other: {**one, **other},
        }
        self._templates.globals = shared.globals | {
            "explorer": explorer,
            "study": explorer.results.study,
            "areas": explorer.results.areas,
            "listed_areas": listed_areas(explorer.results),
            "focus": focus_note(explorer.results),
            "counted": format_count,
            "counted_areas": counted_areas,
            "STATES": STATES,
            "NOT_A_CHANCE": NOT_A_CHANCE,
            "renewed": renewed,
            "NO_MAP": NO_MAP,
            "MOST_COMPARED": MOST_COMPARED,
            "MOST_SITES": MOST_SITES,
            "version": __version__,
            "none_of": lambda choices: dict.fromkeys(choices.query(), ""),
            "first_rows": lambda table, n: replace(table, rows=table.rows[:n]),
            "short_drivers": told.short_drivers,
            "count_of": lambda table, word: sum(row[0] == word for row in table.rows),
            "number_in": told.is_number,
            "shares_in": told.shares,
            "pages_around": told.pages_around,
        }

    def page(
        self, name: str, asked: PageQuery, choices: Choices, status: int = 200, **more: Any
    ) -> Response:
        """Fill in one page."""
        kept = {**choices.query(), "layer": asked.layer, "embed": asked.embed}

        def link(path: str, **changes: Any) -> str:
            query = {k: v for k, v in {**kept, **changes}.items() if v not in ("", None, False)}
            return f"{path}?{urlencode(query, doseq=True)}" if query else path

        html = self._templates.get_template(name).render(
            asked=asked, choices=choices, embed=asked.embed == "1", link=link, kept=kept, **more
        )
        # A number and its percent sign stay on one line.
        return HTMLResponse(html, status)

    def problem(self, request: Request, status: int, words: str) -> Response:
        """Show a page that explains what is wrong."""
        embed: Literal["", "1"] = "1" if request.query_params.get("embed") == "1" else ""
        title = "Page not found" if status == 404 else "This page cannot be shown"
        asked = PageQuery.model_construct(layer="", embed=embed)
        choices = self.explorer.choices({})
        return self.page("problem.html", asked, choices, status, title=title, words=words, path="")


# Long: each route is a function of its own, and all know the explorer.
def page_router(explorer: Explorer, pages: Pages) -> APIRouter:
    """Make the routes of the pages of one run."""
    router = APIRouter(
        tags=["pages"],
        default_response_class=HTMLResponse,
        responses={
            **REFUSED,
            303: {"description": "Only one area matches: its page."},
            404: {"content": {"text/html": {}}, "description": "Not found."},
            422: {
                "content": {"text/html": {}},
                "description": "The request is not valid.",
            },
        },
    )
    results = explorer.results

    @router.get("/")
    def front(asked: Annotated[ListQuery, Query()]) -> Response:
        """Show the list of areas and the map."""
        choices = asked.choices(explorer)
        view = explorer.view(choices)
        page = list_page(explorer, view, asked.listed)
        columns = [c for c in view.columns.values() if c.brief]
        own = {
            "q": asked.q, "within": asked.within, "state": asked.state, "sort": asked.sort,
            "order": asked.order, "per": asked.per if asked.per != DEFAULT_PER else "",
        }  # fmt: skip
        return pages.page(
            "list.html", asked, choices,
            view=view, page=page, columns=columns, own=own,
            rows=[(int(row), record(view, int(row))) for row in page.rows],
            sort=asked.sort or default_sort(view), figures=told.figures(explorer, view),
            **_map(view, asked), path="/",
        )  # fmt: skip

    @router.get("/find")
    def find(asked: Annotated[ListQuery, Query()]) -> Response:
        """Find an area: go to its page if only one matches, else list the matches."""
        choices = asked.choices(explorer)
        found = search(explorer, asked.q)
        if found.row is not None:
            by = found.asked if is_postcode(found.asked) else ""
            kept = {**choices.query(), "embed": asked.embed, "postcode": by}
            query = urlencode({k: v for k, v in kept.items() if v})
            code = results.areas.codes[found.row]
            return RedirectResponse(f"/area/{code_in_path(code)}{'?' if query else ''}{query}", 303)
        return pages.page(
            "find.html",
            asked,
            choices,
            found=found,
            others=told.search_matches(explorer, found),
            path="/find",
        )

    @router.get("/area/{code:path}/options")
    def options(code: Code, asked: Annotated[OptionsQuery, Query()]) -> Response:
        """Show what new venues would do for an area or a larger one: picked sites, or the best ones."""
        choices, path = asked.choices(explorer), f"/area/{code_in_path(code)}/options"
        planning = planning_of(explorer)
        own = {
            **asked.model_dump(include=set(OWN), exclude_defaults=True),
            "site": list(asked.site),
        }
        own = {k: v for k, v in own.items() if v}
        if asked.q:
            scope_of(explorer, code)
            there = where_is(explorer, asked.q)
            if there is not None:
                sites = [*asked.site, there][-MOST_SITES:]
                query = urlencode(
                    {**own, **choices.query(), "embed": asked.embed, "site": sites}, doseq=True
                )
                return RedirectResponse(f"{path}?{query}", 303)
        found = options_of(explorer, planning, code, asked)
        return pages.page(
            "options.html", asked, choices,
            code=code, found=found, own=own, missed=asked.q, answer=options_answer(found),
            kinds=kinds_offered(explorer, planning),
            where=where_offered(planning), bounds=bounds_of(explorer, found),
            **_map(explorer.published, asked), path=path,
        )  # fmt: skip

    @router.get("/area/{code:path}")
    def area(code: Code, asked: Annotated[AreaQuery, Query()]) -> Response:
        """Show the profile of an area."""
        row = row_of(explorer, code)
        choices = asked.choices(explorer)
        place = explorer.describe(row)
        return pages.page(
            "area.html", asked, choices,
            place=place, row=row, chart=domains_chart(place), domains=domains_table(place),
            drivers=drivers_table(place), reasons=[(d.label, d.why, works_of(place, d)) for d in reasons(place)],
            under=told.rescored_values(explorer, choices, row), options=options_offered(explorer, place),
            by=told.by_postcode(explorer, asked.postcode, row), since=told.change_since(explorer, row),
            **_map(explorer.published, asked), path=f"/area/{code_in_path(code)}",
        )  # fmt: skip

    @router.get("/compare")
    def compare(asked: Annotated[CompareQuery, Query()]) -> Response:
        """Show up to five areas side by side."""
        known = [results.areas.codes[row_of(explorer, c)] for c in dict.fromkeys(asked.area) if c]
        found = search(explorer, asked.q) if asked.q and len(known) < MOST_COMPARED else None
        if found and found.row is not None:
            known = list(dict.fromkeys([*known, results.areas.codes[found.row]]))
            found = None
        places = [explorer.describe(results.areas.position[c]) for c in known]
        return pages.page(
            "compare.html", asked, asked.choices(explorer),
            places=places, codes=known, found=found, others=told.search_matches(explorer, found) if found else [],
            chart=compare_chart(places).svg if places else "", table=compare_table(places), path="/compare",
        )  # fmt: skip

    @router.get("/weights")
    def weights(asked: Annotated[PageQuery, Query()]) -> Response:
        """Show the weights and cut-offs that can be changed, and what changes with them."""
        choices = asked.choices(explorer)
        view = explorer.view(choices)
        changes = (
            [(name, changes_table(explorer, view, name)) for name in view.states] if choices else []
        )
        return pages.page(
            "weights.html", asked, choices,
            view=view, changes=changes, sliders=told.sliders(explorer, choices, view),
            figures=told.figures(explorer, view), before=told.figures(explorer, explorer.published),
            **_map(view, asked), path="/weights",
        )  # fmt: skip

    @router.get("/programmes")
    def programmes(asked: Annotated[PageQuery, Query()]) -> Response:
        """List the funding programmes applied to this study."""
        return pages.page(
            "programmes.html", asked, asked.choices(explorer),
            table=programmes_table(explorer), path="/programmes",
        )  # fmt: skip

    @router.get("/about")
    def about(asked: Annotated[PageQuery, Query()]) -> Response:
        """Show the method, its limits and the sources."""
        return pages.page(
            "about.html", asked, asked.choices(explorer),
            report=explorer.document, method=method(results), sources=sources(results), path="/about",
        )  # fmt: skip

    @router.get("/evidence")
    def evidence(asked: Annotated[PageQuery, Query()]) -> Response:
        """Show the evidence that claims cite, by theme."""
        library = load_evidence()
        return pages.page(
            "evidence.html", asked, asked.choices(explorer),
            library=library, works=evidence_html(library), path="/evidence",
        )  # fmt: skip

    @router.get("/accessibility")
    def accessibility(asked: Annotated[PageQuery, Query()]) -> Response:
        """Show the accessibility statement."""
        return pages.page(
            "accessibility.html", asked, asked.choices(explorer), path="/accessibility"
        )

    return router


def _map(view: View, asked: PageQuery) -> dict[str, Any]:
    """Give what the map of a page needs: its layer, and those that there are."""
    return {"layer": layer_of(view, asked.layer), "layers": layer_names(view)}
