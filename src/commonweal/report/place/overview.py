"""A larger area as the parts of a page: how many places and people, who they are, how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.chart.chance import chance_chart
from commonweal.document.words import SURE, counted
from commonweal.report.place.larger_tables import by_authority, listed, people_table, shown_people
from commonweal.report.place.overview_map import overview_map
from commonweal.report.place.place import Claim
from commonweal.report.place.strand_chart import rows_of, strand_chart, strand_table
from commonweal.report.place.told import cited, picture, shown_table, source_list
from commonweal.report.study.cautions import cautions, thin
from commonweal.report.study.method import limits, method
from commonweal.report.study.tables import label_of, margin, probability
from commonweal.study.names import rule_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.document.chart.chart import Chart
    from commonweal.document.table import Shown
    from commonweal.report.place.describing import Describing
    from commonweal.report.place.shapes import Shapes
    from commonweal.study.scope import Scope

    Rows = NDArray[np.intp]

__all__ = ["MOST_LISTED", "Overview", "overview"]

MOST_LISTED = 300
"""Places that a list in the page names; the workbook has every one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is said of a larger area: its page, its charts, and the full tables for the workbook."""

    page: dict[str, Any]
    charts: tuple[Chart, ...]
    tables: tuple[tuple[str, Shown], ...]


def overview(
    describing: Describing, scope: Scope, shapes: Shapes, link: Callable[[int], str]
) -> Overview:
    """Say what there is to say of a larger area.

    Parameters
    ----------
    describing
        Says what there is to say of each place of a run.
    scope
        Which places.
    shapes
        Outlines of all places.
    link
        Gives the address of a place's profile by its row, '' if it has none.
    """
    r = describing.results
    standings = describing.standings.together(scope.rows, scope.title)
    strands = strand_chart("overview-strands", scope.title, r.areas.plural, standings)
    charts = [strands]
    parts, tables, claims = [], [], []
    indices = {s.path: s.sources for s in standings}
    for name in r.designations:
        part, drawn, full, told = _designation(describing, name, scope, shapes, link, indices)
        parts.append(part)
        charts += drawn
        tables += full
        claims += told
    notes = describing.cited.notes(claims, standings, ())
    heads = [k for k, (_, is_index) in enumerate(rows_of(standings)) if is_index]
    table = strand_table(scope.title, standings)
    page = {
        "title": scope.title,
        "study": r.study.title,
        "note": r.study.briefing.note,
        "about": " ".join(r.study.description.split()),
        "facts": _facts(r.areas, scope),
        "headline": cited(claims, notes),
        "parts": parts,
        "strands": {
            "chart": picture(strands),
            "table": shown_table(
                table, "The same as a table: share of places that have less need", heads
            ),
        },
        "method": [{"subject": subject, "text": text} for subject, text in method(r)],
        "caveats": limits(r),
        **source_list(notes),
    }
    return Overview(page, tuple(charts), (("Strands", table), *tables))


def _facts(areas: Areas, scope: Scope) -> list[str]:
    told = [counted(len(scope.rows), areas.singular, areas.plural)]
    residents = areas.population[scope.rows]
    if not np.isnan(residents).any():
        told.append(f"{shown_people(float(residents.sum()))} people")
    return told


def _designation(
    describing: Describing,
    name: str,
    scope: Scope,
    shapes: Shapes,
    link: Callable[[int], str],
    indices: dict[str, tuple[str, ...]],
) -> tuple[dict[str, Any], list[Chart], list[tuple[str, Shown]], list[Claim]]:
    r = describing.results
    d, p = r.designations[name], probability(r, name)
    kinds, label = r.areas.plural, label_of(r, name)
    inside = _ordered(scope.rows[d.selected[scope.rows]], d.tested[0].rank)
    near = _ordered(scope.rows[d.near_miss[scope.rows]], -margin(d))
    end, of = ("", "") if len(r.designations) == 1 else (f"-{name}", f": {label}")
    groups = describing.standings.groups
    map_ = overview_map(
        f"overview-map{end}", scope, kinds, label, shapes, groups, d.selected, d.near_miss, p
    )
    chance = None
    both = np.concatenate([inside, near])
    if p is not None and len(both):
        names = [shapes.names[row] for row in both.tolist()]
        chance = chance_chart(
            f"overview-chance{end}", names, p[both], d.selected[both], kinds, label if end else ""
        )
    authorities = by_authority(r, d, scope.rows)
    people = people_table(r, d, scope.rows)
    part = {
        "label": label,
        "rule": rule_in_words(r, name),
        "map": picture(map_),
        "chance": picture(chance),
        "selected": _linked(r, name, inside, f"{kinds.capitalize()} on the list", link),
        "near": _linked(r, name, near, "Near misses", link),
        "more": max(0, len(inside) - MOST_LISTED),
        "people": shown_table(people, "People on the list, and people in need who are not on it"),
        "authorities": None if authorities is None else shown_table(authorities, "Where they are"),
    }
    tables = [
        (f"On the list{of}", listed(r, name, inside, full=True)),
        (f"Near misses{of}", listed(r, name, near, full=True)),
        (f"People{of}", people),
    ]
    if authorities is not None:
        tables.append((f"Authorities{of}", authorities))
    rest = tuple(
        dict.fromkeys(s for t in d.tested for s in indices[t.condition.path.split("/")[0]])
    )
    charts = [chart for chart in (map_, chance) if chart is not None]
    return part, charts, tables, _claims(describing, name, scope, inside, near, rest)


def _ordered(rows: Rows, by: NDArray[np.float64]) -> Rows:
    return rows[np.argsort(by[rows], kind="stable")]


def _linked(
    results: Any, name: str, rows: Rows, title: str, link: Callable[[int], str]
) -> dict[str, Any] | None:
    table = shown_table(listed(results, name, rows[:MOST_LISTED]), title)
    if table is not None:
        table["links"] = [link(row) for row in rows[:MOST_LISTED].tolist()]
    return table


def _claims(
    describing: Describing,
    name: str,
    scope: Scope,
    inside: Rows,
    near: Rows,
    sources: tuple[str, ...],
) -> list[Claim]:
    r = describing.results
    p, kinds, label = probability(r, name), r.areas.plural, label_of(r, name)
    n, of = len(inside), len(scope.rows)
    where = f" in {scope.title}"
    what = f"{n:,} of {counted(of, r.areas.singular, kinds)}{where}"
    verb = "counts" if n == 1 else "count"
    told = [
        f"{what} {verb} as “{label}”."
        if n
        else f"None of the {of:,} {kinds}{where} counts as “{label}”."
    ]
    residents = r.areas.population
    home, everyone = float(residents[inside].sum()), float(residents[scope.rows].sum())
    if n and np.isfinite(home):
        of_all = f" of {shown_people(everyone)}" if np.isfinite(everyone) else ""
        told.append(
            f"{'It is' if n == 1 else 'They are'} home to {shown_people(home)}{of_all} people."
        )
    told += [*thin(r), *cautions(r, name, scope.rows)] if n else thin(r)
    if p is None:
        told.append("How sure this is has not been worked out.")
    elif n:
        firm = int((p[inside] >= SURE).sum())
        start = f"{firm:,} of the {n:,}" if firm else f"None of the {n:,}"
        start += " are" if firm > 1 else " is"
        if n == 1:
            start = "It is" if firm else "It is not"
        told.append(f"{start} on the list in at least 95 % of the runs of the sums.")
    if len(near):
        verb = "is a near miss" if len(near) == 1 else "are near misses"
        told.append(f"{len(near):,}{' more' if n else ''} {verb}.")
    return [Claim(text, sources) for text in told]
