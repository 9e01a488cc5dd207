"""The report: one page of HTML that needs nothing else, to read, print and keep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from commonweal.document.format import NOT_A_CHANCE, living
from commonweal.document.model import TableData
from commonweal.document.words import environment
from commonweal.files.inputs import input_files
from commonweal.report.evidence import citations, references
from commonweal.report.study.charts import draw_map, probability_chart, rank_charts
from commonweal.report.study.data_dictionary import dictionary_entries, measured_extra, step_table
from commonweal.report.study.drivers import DriverSummary, summarise_drivers
from commonweal.report.study.larger_areas import Tier, by_tier, larger_areas, tiers
from commonweal.report.study.method import cautions, index_table, limits, method, sparse_indicators
from commonweal.report.study.provenance import changes, differences, sources, validation_table
from commonweal.report.study.sensitivity import (
    NOT_RECALCULATED,
    describe_sensitivity,
    moved_by_choice,
    recalculated,
    sensitivity_charts,
)
from commonweal.report.study.social_capital_tables import capital_notes, capital_overall
from commonweal.report.study.tables import (
    DesignationCounts,
    counts,
    designation_table,
    extra_lines,
    label_of,
    near_miss_rows,
    selected_rows,
    the_list,
    worst_areas,
)
from commonweal.report.study.trends import by_year, moved_most, trend_chart, trend_words
from commonweal.study.names import focus_note, index_label, rule_in_words

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from commonweal.document.model import Chart
    from commonweal.study.results import Results


_MOST_LISTED = 3000
"""Areas that a list in the page names; the workbook has every one."""

_MOST_ON_PAPER = 100
"""Rows of a table that are printed: a list of a thousand areas is to be searched, not read."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What the page says of one designation."""

    id: str
    label: str
    list_name: str
    rule: str
    recalculated: str
    order: str
    counts: DesignationCounts
    living: str
    cautions: list[str]
    map: Chart | None
    regions: TableData | None
    holds: list[DriverSummary]
    charts: list[Chart]
    matters: str
    shares: list[Chart]
    choices: TableData | None
    first: Tier | None
    selected: TableData
    near: TableData
    tables: list[tuple[Tier, TableData]]


def write_report(results: Results, path: Path, day: date | None = None) -> None:
    """Write the page; see `render_report`."""
    path.write_text(render_report(results, day), encoding="utf-8", newline="\n")


def render_report(results: Results, day: date | None = None) -> str:
    """Make the page."""
    from markupsafe import Markup

    page, folder = environment(), f"{__package__}:templates"
    others = measured_extra(results)
    text = page.get_template(f"{folder}/report.html").render(
        css=Markup(page.get_template(f"{folder}/report.css").render(most_on_paper=_MOST_ON_PAPER)),
        most_on_paper=_MOST_ON_PAPER,
        book="results.xlsx" if find_spec("xlsxwriter") else "designation.parquet",
        study=results.study,
        areas=results.areas_in_focus,
        focus=focus_note(results),
        extra=list(extra_lines(results)),
        day=f"{day.day} {day:%B %Y}" if day else "",
        thin=sparse_indicators(results),
        parts=[_part(results, name) for name in results.designations],
        worst=_worst(results),
        agreement=validation_table(results) if results.validations else None,
        agrees=[a.holds for a in results.validations],
        flags=any(a.spec.compare == "flag" for a in results.validations),
        differences=differences(results),
        since=results.since[0] if results.since else "",
        moved=_moved(results),
        changes=changes(results),
        trends=_trends(results),
        method=method(results),
        prepared=step_table(results) if results.study.prepare else None,
        indices=index_table(results),
        measured=[
            *(
                (index, index_label(results, index), dictionary_entries(results, index))
                for index in results.scores
            ),
            *([("shown", "Shown, but not part of an index", others)] if others else []),
        ],
        capital=capital_overall(results),
        capital_notes=capital_notes(results),
        limits=limits(results),
        references=references(results),
        citations=citations(results),
        sources=sources(results),
        closed=_closed(results),
        run=_run(results),
        most=_MOST_LISTED,
    )
    # A number and its percent sign stay on one line.
    return re.sub(r"\n\s*\n+", "\n", text)


def _part(results: Results, name: str) -> _Part:
    d = results.designation_in_focus(name)
    levels = [t for t in tiers(results) if _all_listed(results, t)]
    region = next((t for t in levels if t.key == "region"), levels[-1] if levels else None)
    chance = probability_chart(results, name)
    return _Part(
        id=name,
        label=label_of(results, name),
        list_name=the_list(results, name),
        rule=rule_in_words(results, name),
        recalculated=_recalculated(results, name),
        order=index_label(results, d.tested[0].condition.index),
        counts=counts(results, name),
        living=living(d.population),
        cautions=cautions(results, name),
        map=draw_map(results, name),
        regions=_short(by_tier(results, name, region, everyone=True)) if region else None,
        holds=summarise_drivers(results, name),
        charts=[*([chance] if chance else []), *rank_charts(results, name)],
        matters=describe_sensitivity(results, name),
        shares=list(sensitivity_charts(results, name)),
        choices=moved_by_choice(results, name),
        first=levels[0] if levels else None,
        selected=designation_table(results, name, selected_rows(d)[:_MOST_LISTED], brief=True),
        near=designation_table(results, name, near_miss_rows(d)[:_MOST_LISTED], brief=True),
        tables=[(t, by_tier(results, name, t)) for t in levels if t is not region],
    )


def _recalculated(results: Results, name: str) -> str:
    """Say how the list was recalculated, and what the shares mean."""
    sure = results.certainty.get(name)
    if sure is None:
        return NOT_RECALCULATED
    return f"{recalculated(sure.n_draws, sure.settings.assumptions)} {NOT_A_CHANCE}"


def _all_listed(results: Results, tier: Tier) -> bool:
    """Say whether all areas of the larger areas to show are listed: else their counts are not those of the answer."""
    shown = results.areas_in_focus.table[tier.key].drop_nulls().unique().to_list()
    inside = results.areas.table[tier.key].is_in(shown).fill_null(value=False).to_numpy()
    return bool(results.focus[inside].all())


def _short(shown: TableData) -> TableData:
    """Leave out what does not fit next to a map."""
    return TableData(
        shown.frame.select(
            c for c in shown.frame.columns if c != "Code" and not c.startswith("All ")
        ),
        shown.shares,
    )


def _worst(results: Results) -> dict[str, Any] | None:
    """Give what the page shows of a study without a list: the indices themselves."""
    if results.designations:
        return None
    index = next(iter(results.scores))
    levels = tiers(results)
    return {
        "label": index_label(results, index),
        "areas": worst_areas(results, index, 50),
        "larger": [(t, larger_areas(results, t.key)) for t in levels],
    }


def _moved(results: Results) -> str:
    """Count the areas that stay, leave and join since the study named under ``since``."""
    if results.since_in_focus is None:
        return ""
    c = results.since_in_focus[1]
    return f"{c.stay.sum():,} stay, {c.leave.sum():,} leave and {c.enter.sum():,} join"


def _closed(results: Results) -> list[str]:
    return [
        str(s["title"])
        for s in results.provenance.get("sources", ())
        if s.get("use") == "benchmark-only"
    ]


def _run(results: Results) -> list[tuple[str, str]]:
    """Versions, seeds and recalculations."""
    p = results.provenance
    told = [("Study", str(p.get("study", results.study.name)))]
    told.append(("Commonweal", str(p.get("commonweal", ""))))
    told.append(("Python", str(p.get("python", ""))))
    told.append(("Packages", ", ".join(f"{k} {v}" for k, v in p.get("packages", {}).items())))
    for name, sure in results.certainty.items():
        told.append(
            (
                f"Recalculations: {label_of(results, name)}",
                f"{sure.n_draws:,} from seed {sure.seed}",
            )
        )
    for name, found in results.sensitivity.items():
        runs = f"{found.selected.n_runs:,} from seed {found.seed}"
        told.append((f"Recalculations for uncertainty: {label_of(results, name)}", runs))
    told += [(f"Your own file: {f['name']}", f"SHA-256 {f['sha256']}") for f in input_files()]
    return [(k, v) for k, v in told if v]


def _trends(results: Results) -> list[tuple[Any, ...]]:
    """Give how each index moved over the years: label, words, tables and chart."""
    return [
        (
            index_label(results, index),
            index,
            trend_words(results, index),
            by_year(results, index),
            trend_chart(results, index),
            moved_most(results, index),
        )
        for index in results.trends
    ]
