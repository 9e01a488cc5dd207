"""The workbook of a study: what stands in each sheet, and writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import sentence
from commonweal.document.model import TableData
from commonweal.document.xlsx import Sheet, sheet_name, write_sheets
from commonweal.report.study.data_dictionary import indicator_table, prepared_values, step_table
from commonweal.report.study.larger_areas import by_tier, larger_areas, tiers
from commonweal.report.study.method import index_table, limits, method
from commonweal.report.study.provenance import changes, differences, sources, validation_table
from commonweal.report.study.sensitivity import describe_sensitivity, sensitivity_table
from commonweal.report.study.social_capital_tables import capital_notes, capital_overall
from commonweal.report.study.tables import (
    areas_in_short,
    designation_table,
    domain_ranks,
    indicator_values,
    near_miss_rows,
    selected_rows,
    the_list,
    worst_areas,
)
from commonweal.report.study.trends import all_trends, trend_words
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from commonweal.study.results import Results


_BY_TEXT = 1000  # rows from which on a table is written the fast way


def sheets(results: Results) -> Iterator[Sheet]:
    """Give the sheets in order, without the cover."""
    areas = results.areas_in_focus
    notes = [*method(results), *(("Limit", text) for text in limits(results))]
    yield Sheet(
        "Notes",
        "Notes: how the results were made, and what they do not show",
        "How to read the other sheets.",
        TableData(
            pl.DataFrame(notes, schema={"Subject": pl.String, "Note": pl.String}, orient="row")
        ),
    )
    used: set[str] = set()
    for name in results.designations:
        yield from _designation_sheets(results, name, used)
    if not results.designations:
        index = next(iter(results.scores))
        table = worst_areas(results, index, 50)
        yield Sheet(
            "Greatest_need",
            f"{areas.plural.capitalize()} of greatest need",
            f"The {len(table):,} that rank first on the {index_label(results, index)}.",
            table,
        )
    yield from _number_sheets(results, used)
    yield from _published(results)
    if results.study.prepare:
        yield from _preparation_sheets(results)
    yield Sheet(
        "Indices",
        "What the indices are made of",
        "Each domain and indicator, and its weight.",
        index_table(results),
    )
    yield Sheet(
        "Indicators",
        "What each indicator measures",
        "What it is and why it counts, on which areas it was measured, from what, and how many areas have a value.",
        indicator_table(results),
    )
    capital = capital_overall(results)
    if capital is not None:
        yield Sheet(
            "Social_capital",
            "Social capital, headline by headline",
            " ".join(capital_notes(results)),
            capital,
        )
    yield Sheet(
        "Sources",
        "Sources",
        "Every source, its licence, and what may be done with it.",
        sources(results),
    )


def _published(results: Results) -> Iterator[Sheet]:
    if results.validations:
        yield Sheet(
            "Checks",
            "Checked against what is published",
            "What was compared, for how many areas, and the largest difference found.",
            validation_table(results),
        )
        found = differences(results)
        if found is not None:
            yield Sheet(
                "Differences",
                "Areas that differ from what is published",
                "Each area that is only on our list or only on the published one, with its distance to each cut-off.",
                found,
            )
    moved = changes(results)
    if moved is not None and results.since is not None:
        title = results.since[0]
        yield Sheet(
            "Changes",
            f"Changes since: {title}",
            f"{results.areas.plural.capitalize()} that leave or join the list, compared with “{title}”.",
            moved,
        )


def write_workbook(results: Results, path: Path, day: date | None = None) -> None:
    """Write the workbook."""
    made = f"Made with Commonweal {results.provenance.get('commonweal', '')}".rstrip()
    lines = [
        results.study.briefing.note,
        " ".join(results.study.description.split()),
        f"Created on {day.day} {day:%B %Y}." if day else "",
        f"{made}.",
        "How to read the numbers, and what they do not show: see the sheet Notes. "
        "Licences: see the sheet Sources.",
    ]
    subject = f"{results.areas.plural.capitalize()}: ranks, the list, recalculations"
    write_sheets(path, results.study.title, subject, lines, list(sheets(results)), day)


def _designation_sheets(results: Results, name: str, used: set[str]) -> Iterator[Sheet]:
    """Give the sheets of one designation: the list, just outside it, sources of uncertainty, larger areas."""
    areas, d = results.areas_in_focus, results.designation_in_focus(name)
    end = "" if len(results.designations) == 1 else f"_{name}"
    rows = selected_rows(d)
    first = index_label(results, d.tested[0].condition.index)
    yield Sheet(
        sheet_name(f"On_the_list{end}", used),
        sentence(the_list(results, name)),
        f"The {len(rows):,} {areas.plural} on the list, by rank on the {first}. Rank 1 is the greatest need.",
        designation_table(results, name, rows),
    )
    rows = near_miss_rows(d)
    yield Sheet(
        sheet_name(f"Just_outside{end}", used),
        f"Just outside the cut-off of {the_list(results, name)}",
        f"{len(rows):,} that would join the list if every cut-off were a tenth more generous, the nearest first.",
        designation_table(results, name, rows),
    )
    if name in results.sensitivity:
        yield Sheet(
            sheet_name(f"Uncertainty{end}", used),
            "Biggest sources of uncertainty",
            f"{describe_sensitivity(results, name)} The sheet Notes explains the shares.",
            sensitivity_table(results, name),
        )
    for tier in tiers(results):
        yield Sheet(
            sheet_name(f"By_{tier.singular}{end}", used),
            f"{tier.header}: how many {areas.plural} are on the list",
            f"Each {tier.singular} with at least one {areas.singular} on the list or just outside it, most first.",
            by_tier(results, name, tier),
        )


def _number_sheets(results: Results, used: set[str]) -> Iterator[Sheet]:
    """Give the sheets with a number for every area, larger area and year."""
    areas = results.areas_in_focus
    yield Sheet(
        "Areas",
        f"All {areas.plural}",
        f"All {len(areas):,}, in short. The Parquet files in this folder have every number. "
        "An empty cell means no value.",
        areas_in_short(results),
        long=True,
    )
    ranks = domain_ranks(results)
    if ranks.frame.width > 2:  # an index of one indicator has no domains
        yield Sheet(
            "Domains",
            f"Ranks of all {areas.plural} on every domain",
            "Of each index, its domains in the order of the sheet Indices. Rank 1 is the greatest need.",
            ranks,
            long=True,
        )
    state = "after the steps in Preparation" if results.study.prepare else "as published"
    for index, on, values in indicator_values(results):
        yield Sheet(
            sheet_name(f"Indicator_values_{index}" if index else "Indicator_values", used),
            f"The value of every indicator for every one of the {on}",
            f"What the indices are made from, {state}. The sheet Indicators explains each one.",
            values,
            long=True,
        )
    larger = larger_areas(results)
    if larger.frame.width:
        yield Sheet(
            "Larger_areas",
            "Summaries for larger areas",
            "Average score and rank are weighted by population (a higher average rank means more need). "
            "The proportion is the share of small areas in the worst 10%. Extent and local concentration show how "
            "widespread and how deep need is.",
            larger,
        )
    for index, found in results.trends.items():
        label, years = index_label(results, index), found.scores.years
        yield Sheet(
            sheet_name("Trends" if len(results.trends) == 1 else f"Trends_{index}", used),
            f"{label}: {years[0]} to {years[-1]}",
            " ".join(trend_words(results, index)),
            all_trends(results, index),
            long=True,
        )


def _preparation_sheets(results: Results) -> Iterator[Sheet]:
    """Give the sheets of what was done to the indicators first."""
    yield Sheet(
        "Preparation",
        "What was done to the indicators before the indices read them",
        "Each step in order, and each indicator that it changed.",
        step_table(results),
    )
    single = prepared_values(results)
    yield Sheet(
        "Prepared_values",
        "Values that were filled in, limited or left out",
        "One by one, with the reason. Where a step changed every value of an indicator, prepared.parquet has them.",
        single,
        long=len(single) > _BY_TEXT,
    )
