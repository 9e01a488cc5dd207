"""The pages: written on the server, so that they work without scripts; scripts only make them quicker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import jinja2
import numpy as np
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from commonweal import __version__
from commonweal.briefing.headline import headline
from commonweal.briefing.method import limits, method
from commonweal.briefing.published import sources
from commonweal.briefing.words import counted, counted_areas, people, percent, rule_in_words
from commonweal.web.asking import MOST_COMPARED, Asked, AskedCompare, AskedList
from commonweal.web.charts import compare_chart, strands_chart
from commonweal.web.layers import layer_names, layer_of
from commonweal.web.listing import DEFAULT_PER, default_sort, listed, record
from commonweal.web.search import Found, search
from commonweal.web.tables import changes_table, compare_table, drivers_table, history_table, strands_table
from commonweal.web.view import STATES

if TYPE_CHECKING:
    from commonweal.web.choices import Choices
    from commonweal.web.explorer import Explorer
    from commonweal.web.listing import Page
    from commonweal.web.tables import Table
    from commonweal.web.view import View

__all__ = ["Pages", "page_router"]

Code = Annotated[str, Path(max_length=40)]


class Pages:
    """Fills in templates for one run.

    Parameters
    ----------
    explorer
        The run.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("commonweal.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "n": _whole,
            "percent": percent,
            "cell": _cell,
            "plain_number": lambda value: f"{value:g}",
            "lower_first": _lower_first,
            "merged": lambda one, other: {**one, **other},
        }
        self._templates.globals |= {
            "explorer": explorer,
            "study": explorer.results.study,
            "areas": explorer.results.areas,
            "raw": Markup,  # for what this package drew itself, escaped as it was drawn
            "counted": counted,
            "counted_areas": counted_areas,
            "STATES": STATES,
            "MOST_COMPARED": MOST_COMPARED,
            "version": __version__,
            "none_of": lambda choices: dict.fromkeys(choices.query(), ""),
            "first_rows": lambda table, n: replace(table, rows=table.rows[:n]),
            "short_drivers": _short_drivers,
            "count_of": lambda table, word: sum(row[0] == word for row in table.rows),
            "number_in": _is_number,
            "shares_in": _shares,
            "pages_around": _pages_around,
        }

    def page(self, name: str, asked: Asked, choices: Choices, status: int = 200, **more: Any) -> Response:
        """Fill in one page."""
        kept = {**choices.query(), "layer": asked.layer, "embed": asked.embed}

        def link(path: str, **changes: Any) -> str:
            query = {k: v for k, v in {**kept, **changes}.items() if v not in ("", None, False)}
            return f"{path}?{urlencode(query, doseq=True)}" if query else path

        html = self._templates.get_template(name).render(
            asked=asked, choices=choices, embed=asked.embed == "1", link=link, kept=kept, **more
        )
        # A number and its percent sign stay on one line.
        return HTMLResponse(html.replace(" %", "\N{NO-BREAK SPACE}%"), status)

    def problem(self, request: Request, status: int, words: str) -> Response:
        """Say on a page what is wrong."""
        embed = "1" if request.query_params.get("embed") == "1" else ""
        title = "Page not found" if status == 404 else "That cannot be shown"
        asked = Asked.model_construct(layer="", embed=embed)
        choices = self.explorer.choices({})
        return self.page("problem.html", asked, choices, status, title=title, words=words, path="")


def page_router(explorer: Explorer, pages: Pages) -> APIRouter:
    """Make the routes of the pages of one run."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, include_in_schema=True)
    results = explorer.results

    @router.get("/")
    def front(asked: Annotated[AskedList, Query()]) -> Response:
        """Show the list of areas and the map."""
        choices = asked.choices(explorer)
        view = explorer.view(choices)
        page = listed(explorer, view, asked.listed)
        columns = [c for c in view.columns.values() if c.brief]
        own = {
            "q": asked.q, "within": asked.within, "state": asked.state, "sort": asked.sort,
            "order": asked.order, "per": asked.per if asked.per != DEFAULT_PER else "",
        }  # fmt: skip
        return pages.page(
            "list.html", asked, choices,
            view=view, page=page, columns=columns, own=own,
            rows=[(int(row), record(view, int(row))) for row in page.rows],
            sort=asked.sort or default_sort(view), figures=_figures(explorer, view),
            **_map(view, asked), path="/",
        )  # fmt: skip

    @router.get("/find")
    def find(asked: Annotated[AskedList, Query()]) -> Response:
        """Find an area: goes to it where only one is meant, else lists what fits."""
        choices = asked.choices(explorer)
        found = search(explorer, asked.q)
        if found.row is not None and len(found.rows) == 1:
            query = urlencode({**choices.query(), **({"embed": "1"} if asked.embed else {})})
            code = results.areas.codes[found.row]
            return RedirectResponse(f"/area/{_quoted(code)}{'?' if query else ''}{query}", 303)
        return pages.page("find.html", asked, choices, found=found, others=_others(explorer, found), path="/find")

    @router.get("/area/{code}")
    def area(code: Code, asked: Annotated[Asked, Query()]) -> Response:
        """Show the profile of an area."""
        row = _row(explorer, code)
        choices = asked.choices(explorer)
        place = explorer.describe(row)
        return pages.page(
            "area.html", asked, choices,
            place=place, row=row, chart=strands_chart(place), strands=strands_table(place),
            drivers=drivers_table(place), under=_under(explorer, choices, row), since=_since(explorer, row),
            **_map(explorer.published, asked), path=f"/area/{_quoted(code)}",
        )  # fmt: skip

    @router.get("/compare")
    def compare(asked: Annotated[AskedCompare, Query()]) -> Response:
        """Show up to five areas side by side."""
        known = [results.areas.codes[_row(explorer, c)] for c in dict.fromkeys(asked.area) if c]
        found = search(explorer, asked.q) if asked.q else None
        if found and found.row is not None and len(found.rows) == 1 and len(known) < MOST_COMPARED:
            known = list(dict.fromkeys([*known, results.areas.codes[found.row]]))
            found = None
        places = [explorer.describe(results.areas.position[c]) for c in known]
        return pages.page(
            "compare.html", asked, asked.choices(explorer),
            places=places, codes=known, found=found, others=_others(explorer, found) if found else [],
            chart=compare_chart(places) if places else "", table=compare_table(places), path="/compare",
        )  # fmt: skip

    @router.get("/weights")
    def weights(asked: Annotated[Asked, Query()]) -> Response:
        """Show what may be set otherwise, and what that changes."""
        choices = asked.choices(explorer)
        view = explorer.view(choices)
        changes = [(name, changes_table(explorer, view, name)) for name in view.states] if choices else []
        return pages.page(
            "weights.html", asked, choices,
            view=view, changes=changes, sliders=_sliders(explorer, choices, view),
            figures=_figures(explorer, view), before=_figures(explorer, explorer.published),
            **_map(view, asked), path="/weights",
        )  # fmt: skip

    @router.get("/history")
    def history(asked: Annotated[Asked, Query()]) -> Response:
        """Show who entered, left and stayed since the earlier study."""
        table = history_table(explorer)
        earlier = results.since[0] if results.since else ""
        return pages.page("history.html", asked, asked.choices(explorer), table=table, earlier=earlier, path="/history")

    @router.get("/about")
    def about(asked: Annotated[Asked, Query()]) -> Response:
        """Show how it was worked out, what it does not show, and the sources."""
        return pages.page(
            "about.html", asked, asked.choices(explorer),
            lines=headline(results), method=method(results), limits=limits(results),
            sources=sources(results), path="/about",
        )  # fmt: skip

    @router.get("/accessibility")
    def accessibility(asked: Annotated[Asked, Query()]) -> Response:
        """Show the accessibility statement."""
        return pages.page("accessibility.html", asked, asked.choices(explorer), path="/accessibility")

    return router


def _row(explorer: Explorer, code: str) -> int:
    row = explorer.results.areas.position.get(code)
    if row is None:
        raise HTTPException(404, f"There is no {explorer.results.areas.singular} with the code {code[:40]!r} in this study.")
    return row


def _map(view: View, asked: Asked) -> dict[str, Any]:
    """Give what the map of a page needs: its layer, and those that there are."""
    return {"layer": layer_of(view, asked.layer), "layers": layer_names(view)}


def _figures(explorer: Explorer, view: View) -> list[dict[str, Any]]:
    """Give the figures of each designation under the choices of a view."""
    table = explorer.results.areas.table
    found = []
    for name, d in view.results.designations.items():
        first = explorer.tiers[:1]
        inside = table.filter(d.selected)
        sure = view.results.certainty.get(name)
        found.append(
            {
                "name": name,
                "label": explorer.label(name),
                "rule": rule_in_words(view.results, name),
                "selected": int(d.selected.sum()),
                "near": int(d.near_miss.sum()),
                "people": people(d.population),
                "tier": first[0] if first else None,
                "larger": inside[first[0].key].drop_nulls().n_unique() if first else 0,
                "sure": None if sure is None else int((sure.selected[d.selected] >= 0.95).sum()),
                "runs": None if sure is None else sure.n_draws,
                "enters": int((view.states[name] == "enters").sum()),
                "leaves": int((view.states[name] == "leaves").sum()),
            }
        )
    return found


def _sliders(explorer: Explorer, choices: Choices, view: View) -> dict[str, list[dict[str, Any]]]:
    """Give every weight and cut-off with its value now, by index and for the rule."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for w in explorer.weights:
        tree = view.results.scores[w.index].tree
        share = tree.weights.get(w.domain, 0.0) / sum(tree.weights.values())
        now = choices.weights.get(w.key, w.stated)
        groups.setdefault(w.index_label, []).append(
            {"key": w.key, "label": w.label, "now": now, "stated": w.stated, "low": 0, "high": 100, "step": 1,
             "most": 1000, "share": share, "unit": ""}
        )  # fmt: skip
    rule = "Cut-offs of the rule"
    for c in explorer.cuts:
        now = choices.cuts.get(c.key, c.stated)
        high = min(c.high, max(3 * c.stated, 30.0 if c.unit == "%" else 3 * c.stated)) if c.unit != "points" else c.high
        label = f"{c.label}: " + {"%": "worst", "areas": "worst", "points": "score above"}[c.unit]
        groups.setdefault(rule, []).append(
            {"key": c.key, "label": label, "now": now, "stated": c.stated, "low": c.low, "high": high,
             "step": c.step, "most": c.high, "share": None,
             "unit": {"%": "%", "areas": explorer.results.areas.plural, "points": "points"}[c.unit]}
        )  # fmt: skip
    return groups


def _others(explorer: Explorer, found: Found) -> list[dict[str, Any]]:
    """Give code, name and larger area of what a search found."""
    table, tier = explorer.results.areas.table, explorer.tiers[:1]
    return [
        {
            "code": explorer.results.areas.codes[r],
            "name": table["name"][r],
            "where": (table[f"{tier[0].key}_name"][r] or "") if tier else "",
            "meant": r == found.row,
        }
        for r in found.rows
    ]


def _under(explorer: Explorer, choices: Choices, row: int) -> list[dict[str, Any]]:
    """Give, under a reader's choices, each rank and result of an area beside the published one."""
    if not choices:
        return []
    view, rows = explorer.view(choices), []
    for key, column in view.columns.items():
        if key.startswith("state."):
            state = str(column.values[row])
            before = str(explorer.published.columns[key].values[row])
            rows.append({"label": column.label, "now": STATES[state], "before": STATES[before]})
        elif key.startswith("rank.") and key.count(".") == 1:
            old = explorer.published.columns[key].values[row]
            rows.append({"label": column.label, "now": _cell(column.values[row]), "before": _cell(old)})
    return rows


def _since(explorer: Explorer, row: int) -> str:
    """Say whether an area entered, left or stayed since the earlier study; '' without one."""
    if explorer.results.since is None:
        return ""
    earlier, c = explorer.results.since
    label = explorer.label(next(iter(explorer.results.designations)))
    if c.stay[row]:
        return f"It was {label} in the earlier study too: {earlier}."
    if c.enter[row]:
        return f"It has entered the list: it was not {label} in the earlier study, {earlier}."
    if c.leave[row]:
        return f"It has left the list: it was {label} in the earlier study, {earlier}."
    return f"It was not {label} in the earlier study either: {earlier}."


def _lower_first(label: str) -> str:
    """Begin a label small, unless it is a name such as GP."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _short_drivers(table: Table, n: int | None) -> Table:
    """Give the columns of the drivers that fit a page."""
    kept = [1, 2, 3, 4, 5, 6]
    rows = tuple(tuple(row[k] for k in kept) for row in table.rows[:n])
    return replace(table, head=tuple(table.head[k] for k in kept), rows=rows)


def _is_number(table: Table, column: int) -> bool:
    """Say whether a column of a table holds numbers."""
    values = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and all(isinstance(v, int | float) for v in values)


def _shares(table: Table) -> list[int]:
    """Number the columns of a table that hold shares."""
    return [k for k, h in enumerate(table.head) if "greater need than" in h.lower() or h.startswith("Share") or h.endswith(": peers")]


def _pages_around(page: Page) -> list[int | None]:
    """Give the page numbers to show: the ends and those around, None for a gap."""
    near = sorted({1, page.of, *range(max(page.number - 1, 1), min(page.number + 1, page.of) + 1)})
    out: list[int | None] = []
    for k in near:
        if out and out[-1] is not None and k > out[-1] + 1:
            out.append(None)
        out.append(k)
    return out


def _quoted(code: str) -> str:
    from urllib.parse import quote

    return quote(code, safe="")


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _cell(value: Any) -> str:
    """Give a value of a table for readers; a dash where there is none."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | np.integer) or float(value).is_integer():
        return f"{value:,.0f}"
    text = f"{value:,.2g}" if abs(value) < 1 else f"{value:,.2f}"
    return text.replace("-", "−")
