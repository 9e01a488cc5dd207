"""A larger area as the parts of a page: its list, those just outside, people, authorities, domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import (
    FEWEST_PEOPLE,
    SURE,
    few_people,
    format_count,
    list_name,
    ordinal,
    sentence,
    stable,
)
from commonweal.document.model import (
    Document,
    Section,
    Table,
    TableData,
    table_from_columns,
    whole_numbers,
)
from commonweal.report.place.charts import domain_chart, domain_table, overview_map, rows_of
from commonweal.report.place.document import cited, source_list
from commonweal.report.place.place import Claim
from commonweal.report.place.text import condition_words, place_words, scale
from commonweal.report.study.charts import share_chart
from commonweal.report.study.method import cautions, limits, method, weak_indicators
from commonweal.report.study.tables import (
    certainty_words,
    changes_in_words,
    extra_columns,
    label_of,
    margin,
    share_of_draws,
)
from commonweal.study.names import authority, index_label, larger_name, parent_words, rule_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.chart.map import Shapes
    from commonweal.designation import Designation
    from commonweal.designation.rule import ConditionResult
    from commonweal.document.model import Chart
    from commonweal.report.place.describing import PlaceDescriber
    from commonweal.study.names import Scope
    from commonweal.study.results import Results

    Rows = NDArray[np.intp]


RANKS_INSIDE, RECALCULATIONS = "Ranks inside the cut-off", "Recalculations on the list"

_FEW = f"fewer than {FEWEST_PEOPLE}"


def shown_people(n: float) -> str:
    """Say a number of people; small ones are not shown."""
    if np.isnan(n):
        return "not given"
    return _FEW if few_people(n) else f"{n:,.0f}"


def listed(results: Results, name: str, rows: Rows, full: bool = False) -> TableData:
    """Show areas in the order given: ranges of ranks, ranks inside the cut-off, how stable that is."""
    d, p = results.designations[name], share_of_draws(results, name)
    table = results.areas.table[rows]
    first = authority(results)
    columns = [("Name", table["name"].fill_null(table["code"]))]
    if full:
        columns.append(("Code", table["code"]))
    if first and (full or table[first].n_unique() > 1):
        columns.append((parent_words(first)[0].capitalize(), table[f"{first}_name"]))
    residents = table["population"].fill_null(np.nan).to_numpy()
    people = len(columns)
    columns.append(("People", pl.Series([shown_people(n) for n in residents], dtype=pl.String)))
    for t in d.tested:
        label = index_label(results, t.condition.index)
        columns.append(_rank_or_range(results, name, label, t, rows))
    columns.append((RANKS_INSIDE, whole_numbers(margin(d)[rows])))
    shares = []
    if p is not None:
        columns.append((RECALCULATIONS, pl.Series(p[rows])))
        columns.append(("Certainty", certainty_words(results, name, rows)))
        shares.append(RECALCULATIONS)
    if full:
        texts = changes_in_words(results, d, rows)
        columns.append(("What would change the result", pl.Series(texts, dtype=pl.String)))
    columns += extra_columns(results, rows)
    return table_from_columns(columns, shares, (people,))


def _rank_or_range(
    results: Results, name: str, label: str, tested: ConditionResult, rows: Rows
) -> tuple[str, pl.Series]:
    """Give the range of each area's ranks in words, or its rank as a number where no rank was recalculated."""
    sure = results.certainty.get(name)
    known = None if sure is None else sure.ranks.get(tested.condition.index)
    if known is None:
        ranks = pl.Series(tested.rank[rows], nan_to_null=True).cast(pl.Int64)
        return f"{label}: rank", ranks
    texts = []
    for row in rows.tolist():
        if np.isnan(tested.rank[row]):
            texts.append("no rank")
        elif np.isnan(known[row, 0]):
            texts.append(f"about {ordinal(tested.rank[row])}")
        else:
            low, high = ordinal(known[row, 0]), ordinal(known[row, 2])
            texts.append(low if low == high else f"{low} to {high}")
    return f"{label}: range of ranks", pl.Series(texts, dtype=pl.String)


def people_table(results: Results, d: Designation, rows: Rows) -> TableData:
    """Count areas and people on the list, and those in need who are not on it."""
    say = place_words()
    here = np.zeros(len(results.areas), dtype=bool)
    here[rows] = True
    groups = [("On the list", d.selected & here), ("Just outside the cut-off", d.near_miss & here)]
    for t in d.tested:
        on = say("on_index", label=index_label(results, t.condition.index))
        words = f"In the {condition_words(say, t.condition)} {on}, but not on the list"
        groups.append((words, t.passes & ~d.selected & here))
    groups.append(("All", here))
    residents = results.areas.population
    counts = [
        (words, int(at.sum()), shown_people(float(residents[at].sum()))) for words, at in groups
    ]
    schema = {"Group": pl.String, results.areas.plural.capitalize(): pl.Int64, "People": pl.String}
    table = pl.DataFrame(counts, schema=schema, orient="row")
    return TableData(table, counts=frozenset({"People"}))


def by_authority(results: Results, d: Designation, rows: Rows) -> TableData | None:
    """Count by authority, those with most first; None where there is one or none."""
    first = authority(results)
    if first is None:
        return None
    table = (
        results.areas.table[rows]
        .select(code=first, name=f"{first}_name", people="population")
        .with_columns(selected=pl.Series(d.selected[rows]), near=pl.Series(d.near_miss[rows]))
        .drop_nulls("code")
    )
    inside = pl.col("people").filter(pl.col("selected"))
    counts = (
        table.group_by("code")
        .agg(
            pl.col("name").first(),
            selected=pl.col("selected").sum().cast(pl.Int64),
            near=pl.col("near").sum().cast(pl.Int64),
            areas=pl.len().cast(pl.Int64),
            people=pl.when(inside.null_count() > 0).then(None).otherwise(inside.sum()),
        )
        .sort(["selected", "near", "name", "code"], descending=[True, True, False, False])
    )
    if len(counts) < 2:
        return None
    counts = counts.filter((pl.col("selected") > 0) | (pl.col("near") > 0))
    residents = [shown_people(float("nan") if n is None else n) for n in counts["people"]]
    named = [larger_name(results.areas, first, *pair) for pair in counts["code", "name"].rows()]
    return table_from_columns(
        [
            (parent_words(first)[0].capitalize(), pl.Series(named, dtype=pl.String)),
            (f"All {results.areas.plural}", counts["areas"]),
            ("On the list", counts["selected"]),
            ("People on the list", pl.Series(residents, dtype=pl.String)),
            ("Just outside", counts["near"]),
        ],
        counts=(3,),  # people, whatever an authority is called
    )


MOST_LISTED = 300
"""Areas that a list in the page names; the workbook has every one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is said of a larger area: its document, and the full tables for the workbook."""

    document: Document
    tables: tuple[tuple[str, TableData], ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Its charts, in the order of the page."""
        return tuple(chart for section in self.document.sections for chart in section.charts)


def overview(
    describing: PlaceDescriber, scope: Scope, shapes: Shapes, link: Callable[[int], str]
) -> Overview:
    """Describe a larger area."""
    r, say = describing.results, describing.say
    standings = describing.standings.together(scope.rows, scope.title)
    domains = domain_chart("overview-domains", scope.title, r.areas.plural, standings)
    indices = {s.path: s.sources for s in standings}
    sections: list[Section] = []
    tables, claims = [], []
    for name in r.designations:
        parts, full, told = _designation(describing, name, scope, shapes, link, indices)
        sections += parts
        tables += full
        claims += told
    notes = describing.cited.notes(claims, standings, ())
    heads = tuple(k for k, (_, is_index) in enumerate(rows_of(standings)) if is_index)
    table = domain_table(scope.title, standings)
    means = Table("domains", say("all_better", kinds=r.areas.plural), domains.numbers, strong=heads)
    sections += [
        Section(say["domains"], charts=(domains,), tables=(means,)),
        Section(
            "How the list was made",
            text=(" ".join(r.study.description.split()),),
            points=tuple(f"{subject}: {text}" for subject, text in method(r)),
        ),
    ]
    document = Document(
        name="overview",
        title=scope.title,
        heading=f"{', '.join(_facts(r.areas, scope))}.",
        answer=cited(claims, notes),
        sections=tuple(sections),
        notes=(r.study.briefing.note,) if r.study.briefing.note else (),
        limits=tuple(limits(r)),
        sources=source_list(say, notes),
        short=True,
        within=r.study.title,
    )
    return Overview(document, (("Domains", table), *tables))


def _facts(areas: Areas, scope: Scope) -> list[str]:
    told = [format_count(len(scope.rows), areas.singular, areas.plural)]
    residents = areas.population[scope.rows]
    if not np.isnan(residents).any():
        told.append(f"{shown_people(float(residents.sum()))} people")
    return told


def _designation(
    describing: PlaceDescriber,
    name: str,
    scope: Scope,
    shapes: Shapes,
    link: Callable[[int], str],
    indices: dict[str, tuple[str, ...]],
) -> tuple[list[Section], list[tuple[str, TableData]], list[Claim]]:
    r, say = describing.results, describing.say
    d, p = r.designations[name], share_of_draws(r, name)
    kinds, label = r.areas.plural, label_of(r, name)
    inside = _ordered(scope.rows[d.selected[scope.rows]], d.tested[0].rank)
    near = _ordered(scope.rows[d.near_miss[scope.rows]], -margin(d))
    end, of = ("", "") if len(r.designations) == 1 else (f"-{name}", f": {label}")
    map_ = overview_map(f"overview-map{end}", r, name, scope, shapes, describing.standings.groups)
    authorities, people = by_authority(r, d, scope.rows), people_table(r, d, scope.rows)
    counted = Table(
        f"people{end}", "People on the list, and people in need who are not on it", people
    )
    lists = (
        [] if authorities is None else [Table(f"authorities{end}", "Where they are", authorities)]
    )
    lists += [
        Table(
            f"{key}{end}",
            f"{kinds.capitalize()} {words}",
            shown,
            rows=MOST_LISTED,
            links={shown.frame.columns[0]: [link(row) for row in rows.tolist()]},
        )
        for key, words, rows in (
            ("selected", "on the list", inside),
            ("near", "just outside the cut-off", near),
        )
        for shown in [listed(r, name, rows)]
        if len(rows)
    ]
    parts = [
        Section(
            sentence(list_name(label, kinds)),
            text=(say("rule", text=rule_in_words(r, name)),),
            charts=() if map_ is None else (map_,),
            tables=() if map_ is not None else (counted, *lists),
        )
    ]
    if map_ is not None:
        parts.append(Section(f"People{of}", tables=(counted,), beside=True))
        parts.append(Section(f"Which {kinds} they are{of}", tables=tuple(lists)))
    both = np.concatenate([inside, near])
    if p is not None and len(both):
        names = [shapes.names[row] for row in both.tolist()]
        chart = share_chart(
            f"overview-recalculations{end}",
            names,
            p[both],
            d.selected[both],
            kinds,
            label if end else "",
        )
        about = f"{say('not_a_chance')} {scale(say, r.certainty[name].next_release is not None, len(d.tested) == 1)}"
        parts.append(Section(f"How stable the list is{of}", text=(about,), charts=(chart,)))
    tables = [
        (f"On the list{of}", listed(r, name, inside, full=True)),
        (f"Just outside{of}", listed(r, name, near, full=True)),
        (f"People{of}", people),
    ]
    if authorities is not None:
        tables.append((f"Authorities{of}", authorities))
    rest = tuple(
        dict.fromkeys(s for t in d.tested for s in indices[t.condition.path.split("/")[0]])
    )
    return parts, tables, _claims(describing, name, scope, inside, near, rest)


def _ordered(rows: Rows, by: NDArray[np.float64]) -> Rows:
    return rows[np.argsort(by[rows], kind="stable")]


def _claims(
    describing: PlaceDescriber,
    name: str,
    scope: Scope,
    inside: Rows,
    near: Rows,
    sources: tuple[str, ...],
) -> list[Claim]:
    r = describing.results
    p, kinds, label = share_of_draws(r, name), r.areas.plural, label_of(r, name)
    n, of = len(inside), len(scope.rows)
    listed, where = list_name(label, kinds), scope.title
    if n:
        start = f"{n:,} of {format_count(of, r.areas.singular, kinds)} in {where}"
        told = [f"{start} {'is' if n == 1 else 'are'} on {listed}."]
    else:
        told = [f"None of the {of:,} {kinds} in {where} is on {listed}."]
    residents = r.areas.population
    home, everyone = float(residents[inside].sum()), float(residents[scope.rows].sum())
    if n and np.isfinite(home):
        of_all = f" of {shown_people(everyone)}" if np.isfinite(everyone) else ""
        told.append(
            f"{'It is' if n == 1 else 'They are'} home to {shown_people(home)}{of_all} people."
        )
    told += [*weak_indicators(r), *cautions(r, name, scope.rows)] if n else weak_indicators(r)
    if p is None:
        told.append(describing.say["untested"])
    elif n:
        told.append(stable(n, int((p[inside] >= SURE).sum())))
    if len(near):
        more = f"{len(near):,}{' more' if n else ''}"
        told.append(f"{more} {'is' if len(near) == 1 else 'are'} just outside the cut-off.")
    return [Claim(text, sources) for text in told]
