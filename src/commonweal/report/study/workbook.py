"""The workbook of a study: what stands in each sheet, and writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

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
    label_of,
    near_miss_rows,
    selected_rows,
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
        "Notes: how this was worked out, and what it does not show",
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
        "Indices", "What the indices are made of", "Each part and its weight.", index_table(results)
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
            "Agreement",
            "Agreement with what is published",
            "What was compared, for how many areas, and the largest difference found.",
            validation_table(results),
        )
        found = differences(results)
        if found is not None:
            yield Sheet(
                "Differences",
                "Areas that differ from what is published",
                "Each selected area that is not in the published result, or the other way round, with its margins.",
                found,
            )
    moved = changes(results)
    if moved is not None and results.since is not None:
        title = results.since[0]
        yield Sheet(
            "Changes",
            f"Changes since: {title}",
            f"{results.areas.plural.capitalize()} that leave or enter compared with “{title}”.",
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
    subject = f"{results.areas.plural.capitalize()}: indices, designation, certainty"
    write_sheets(path, results.study.title, subject, lines, list(sheets(results)), day)


def _designation_sheets(results: Results, name: str, used: set[str]) -> Iterator[Sheet]:
    """Give the sheets of one designation: who is selected, near misses, what matters, larger areas."""
    areas, d = results.areas_in_focus, results.designation_in_focus(name)
    label = label_of(results, name)
    end = "" if len(results.designations) == 1 else f"_{name}"
    rows = selected_rows(d)
    first = index_label(results, d.tested[0].condition.index)
    yield Sheet(
        sheet_name(f"Selected{end}", used),
        f"{areas.plural.capitalize()} that are {label}",
        f"The {len(rows):,} selected {areas.plural}, by rank on the {first}. Rank 1 is the greatest need.",
        designation_table(results, name, rows),
    )
    rows = near_miss_rows(d)
    yield Sheet(
        sheet_name(f"Near_misses{end}", used),
        f"{areas.plural.capitalize()} that are nearly {label}",
        f"{len(rows):,} that a cut-off a tenth more generous would bring in, the nearest first.",
        designation_table(results, name, rows),
    )
    if name in results.sensitivity:
        yield Sheet(
            sheet_name(f"What_matters{end}", used),
            "Which choice matters",
            f"{describe_sensitivity(results, name)} The sheet Notes says how to read the shares.",
            sensitivity_table(results, name),
        )
    for tier in tiers(results):
        yield Sheet(
            sheet_name(f"By_{tier.singular}{end}", used),
            f"{tier.header}: how many {areas.plural} are {label}",
            f"Each {tier.singular} with at least one selected {areas.singular} or near miss, most first.",
            by_tier(results, name, tier),
        )


def _number_sheets(results: Results, used: set[str]) -> Iterator[Sheet]:
    """Give the sheets with a number for every area, larger area and year."""
    areas = results.areas_in_focus
    yield Sheet(
        "Areas",
        f"All {areas.plural}",
        f"All {len(areas):,}, in short. The Parquet files beside this workbook have every number. "
        "An empty cell means that there is no value.",
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
            f"What the indices are made from, {state}. The sheet Indicators says what each one measures.",
            values,
            long=True,
        )
    larger = larger_areas(results)
    if larger.frame.width:
        yield Sheet(
            "Larger_areas",
            "Summaries for larger areas",
            "Average score and rank weigh small areas by their people (a higher average rank means more need); "
            "the proportion is the share of small areas in the worst tenth; extent and local concentration say how "
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
        "Each step in order, and each indicator that it worked on.",
        step_table(results),
    )
    single = prepared_values(results)
    yield Sheet(
        "Prepared_values",
        "Values that were filled in, brought in or left out",
        "One by one, with the reason. Where a step changed every value of an indicator, prepared.parquet has them.",
        single,
        long=len(single) > _BY_TEXT,
    )
