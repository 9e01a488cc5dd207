"""The tables of a study that its workbook alone has: a row for every area, indicator and larger area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.model import Table
from commonweal.report.study.data_dictionary import indicator_table, prepared_values
from commonweal.report.study.larger_areas import about_summaries, by_tier, larger_areas, tiers
from commonweal.report.study.sensitivity import sensitivity_table
from commonweal.report.study.tables import areas_in_short, domain_ranks, indicator_values
from commonweal.report.study.trends import all_trends, trend_words
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.study.results import Results


def appendix(results: Results) -> Iterator[Table]:
    """Give the tables in order; each is on a sheet of its name."""
    areas = results.areas_in_focus
    for name in results.designations:
        yield from _of_list(results, name)
    yield Table(
        "areas",
        f"All {areas.plural}",
        areas_in_short(results),
        f"All {len(areas):,}, in short. The Parquet files in this folder have every number. An empty cell means no "
        "value.",
    )
    ranks = domain_ranks(results)
    if ranks.frame.width > 2:  # an index of one indicator has no domains
        yield Table(
            "domains",
            f"Ranks of all {areas.plural} on every domain",
            ranks,
            "Of each index, its domains in the order of the sheet Indices. Rank 1 is the greatest need.",
        )
    state = "after the steps in Preparation" if results.study.prepare else "as published"
    for index, on, values in indicator_values(results):
        yield Table(
            f"indicator-values-{index}" if index else "indicator-values",
            f"The value of every indicator for every one of the {on}",
            values,
            f"What the indices are made from, {state}. The sheet Indicators explains each one.",
        )
    larger = larger_areas(results)
    if larger.frame.width:
        yield Table(
            "larger-areas", "Summaries for larger areas", larger, about_summaries(results, larger)
        )
    for index, found in results.trends.items():
        years = found.scores.years
        yield Table(
            "trends" if len(results.trends) == 1 else f"trends-{index}",
            f"{index_label(results, index)}: {years[0]} to {years[-1]}",
            all_trends(results, index),
            " ".join(trend_words(results, index)),
        )
    if results.study.prepare:
        yield Table(
            "prepared-values",
            "Values that were filled in, limited or left out",
            prepared_values(results),
            "One by one, with the reason. Where a step changed every value of an indicator, prepared.parquet has them.",
        )
    yield Table(
        "indicators",
        "What each indicator measures",
        indicator_table(results),
        "What it is and why it counts, on which areas it was measured, from what, and how many areas have a value.",
    )


def _of_list(results: Results, name: str) -> Iterator[Table]:
    areas = results.areas_in_focus
    end = "" if len(results.designations) == 1 else f"-{name}"
    if name in results.sensitivity:
        yield Table(
            f"uncertainty{end}",
            "Biggest sources of uncertainty",
            sensitivity_table(results, name),
            "How much of the difference between recalculations each assumption explains. The sheet Notes explains the "
            "shares.",
        )
    for tier in tiers(results):
        yield Table(
            f"by-{tier.singular.replace(' ', '-')}{end}",
            f"{tier.header}: how many {areas.plural} are on the list",
            by_tier(results, name, tier),
            f"Each {tier.singular} with at least one {areas.singular} on the list or just outside it, most first.",
        )
