"""Two indices beside each other, told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.columns import coefficient, in_columns
from commonweal.document.words import people, percent
from commonweal.report.study.classes import class_word
from commonweal.study.names import authority_of, counted_areas, parent_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.compare import IndexComparison

__all__ = ["index_comparison_data", "index_comparison_lines", "index_comparison_tables"]

MOST_PARTS = 3
"""Parts whose correlations fit beside those of the whole; the tables have every one."""


def index_comparison_lines(
    c: IndexComparison, first: str, second: str, most: int = 5, where: str = ""
) -> Iterator[str]:
    """Give a comparison of two indices as lines of text.

    Parameters
    ----------
    c
        The comparison.
    first, second
        Titles of the two studies.
    most
        How many of the areas furthest apart to name, each way.
    where
        What larger area is counted alone; '' for everything.
    """
    whole = c.nodes.row(0, named=True)
    yield f"{whole['first_label']} beside {whole['second_label']}"
    yield f"  First:  {first}"
    yield f"  Second: {second}"
    if c.report:
        yield f"  The first was carried to {c.areas.title}, as means weighted by people."
    yield ""
    both = counted_areas(whole["areas"], c.areas) + (f" in {where}" if where else "")
    if _alike(c):
        yield f"The two rank the {both} that have both in the same order, part by part."
        return
    if where:
        yield (
            f"{both} have both; {whole['worst_first']:,} are in the worst tenth of the first, "
            f"{whole['worst_second']:,} in that of the second,"
        )
        yield (
            f"among the {c.ranked:,} that have both everywhere. By chance {_by_chance(whole)} would be in both."
        )
        yield "Rank correlation: 1 is the same order, 0 nothing in common, -1 the reverse."
    else:
        yield f"{both} have both; {whole['worst_first']:,} are in the worst tenth of each. By chance a"
        yield "tenth of these would be in both. Rank correlation: 1 is the same order, 0 nothing in common,"
        yield "-1 the reverse."
    yield from _nodes(c)
    people_in = [whole[f"people_{key}"] for key in ("both", "first_alone", "second_alone")]
    if c.areas.table["population"].null_count() < len(c.areas):
        both, one, other = map(people, people_in)
        yield ""
        yield f"{both[:1].upper()}{both[1:]} live in the worst tenth of both,"
        yield f"{one} in that of the first alone, {other} in that of the second alone."
    for kind in c.groups["kind"].unique(maintain_order=True) if len(c.groups) else ():
        if where and c.groups.filter(pl.col("kind") == kind)["group"].n_unique() == 1:
            continue  # all that is counted lies in one
        yield ""
        yield from _where(c, kind)
    if len(c.parts):
        yield ""
        yield from _apart(c)
    for more, less, rows in _furthest(c, most):
        yield ""
        yield f"Furthest apart, with more need on the {more} than on the {less}:"
        yield from in_columns(
            ["Code", "Name", ">First", ">Second", "What does most for it (part)"], rows
        )


def _alike(c: IndexComparison) -> bool:
    ranks = [
        column.removesuffix("rank_first")
        for column in c.places.columns
        if column.endswith("rank_first")
    ]
    return all(c.places[f"{r}rank_first"].equals(c.places[f"{r}rank_second"]) for r in ranks)


def _numbers(c: IndexComparison) -> dict[str, int]:
    """Give numbers to the parts right below the index, by their path in the first."""
    parts = [pair.first for pair in c.pairs if pair.first.count("/") == 1]
    return {path.replace("/", "."): k for k, path in enumerate(parts, start=1)}


def _by_chance(row: dict[str, Any]) -> str:
    """Say how many would be in both worst tenths here if the two orders had nothing in common."""
    number = row["worst_first"] * row["worst_second"] / row["areas"]
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}".replace("%", " %") if whole else ""


def _nodes(c: IndexComparison) -> Iterator[str]:
    numbers = _numbers(c)
    rows = [
        [
            str(numbers.get(row["first"], "")),
            "  " * (row["first"].count(".") - 1) + row["first_label"],
            "  " * (row["second"].count(".") - 1) + row["second_label"],
            coefficient(row["spearman"]),
            f"{row['worst_both']:,}",
            _share(row["worst_both"], row["worst_first"]),
        ]
        for row in c.nodes.iter_rows(named=True)
    ]
    yield from in_columns(["", "First", "Second", ">Correlation", ">In both", ">Share"], rows)


def _where(c: IndexComparison, kind: str) -> Iterator[str]:
    """Say where the worst tenths lie, and how alike the orders are inside each group."""
    parts = list(_numbers(c)) if len(_numbers(c)) <= MOST_PARTS else []
    word = parent_words(kind)[0] if kind in c.areas.parents else class_word(kind)
    heads = [word.capitalize(), ">Areas", ">All", ">First", ">Second", ">Both"]
    heads += [">Whole", *(f">{k}" for k in range(1, len(parts) + 1))]
    whole = c.nodes.row(0, named=True)
    here = c.groups.filter(pl.col("kind") == kind)
    rows = []
    for (group,), inside in here.group_by("group", maintain_order=True):
        row = inside.row(0, named=True)
        rows.append(
            [
                str(group),
                f"{row['areas']:,}",
                *(
                    _share(row[key], whole[key])
                    for key in ("areas", "worst_first", "worst_second", "worst_both")
                ),
                *(
                    coefficient(x)
                    for x in inside.filter(pl.col("first").is_in([whole["first"], *parts]))[
                        "spearman"
                    ]
                ),
            ]
        )
    yield f"By {word}: its share of all areas, of the worst tenth of the first, of the second, and of"
    of_what = f", of the whole and of parts 1 to {len(parts)}" if parts else ""
    yield f"both; then the rank correlation inside it{of_what}."
    yield from in_columns(heads, rows)


def _apart(c: IndexComparison) -> Iterator[str]:
    alone = c.parts.select("drives_first", "drives_second").sum().row(0)
    yield "What sets the two apart: each part's share of the difference between the scores; and where it"
    yield f"does most, of the {alone[0]:,} in the worst tenth of the first alone and of the {alone[1]:,} in that of"
    yield "the second alone."
    rows = [
        [part, percent(share) if share >= 0 else "below 0 %", f"{first:,}", f"{second:,}"]
        for part, share, first, second in c.parts.sort("share", descending=True).rows()
    ]
    yield from in_columns(["Part", ">Share", ">First alone", ">Second alone"], rows)


def _furthest(c: IndexComparison, most: int) -> Iterator[tuple[str, str, list[list[str]]]]:
    gap = pl.col("rank_first") - pl.col("rank_second")
    known = c.places.drop_nulls(["rank_first", "rank_second"])
    parent = authority_of(c.areas)
    numbers = {
        p.first_label: k for p in c.pairs if (k := _numbers(c).get(p.first.replace("/", ".")))
    }
    for more, less, found in (
        ("first", "second", known.filter(gap < 0).sort(gap, "code").head(most)),
        ("second", "first", known.filter(gap > 0).sort(-gap, "code").head(most)),
    ):
        rows = []
        for row in found.iter_rows(named=True):
            around = row[f"{parent}_name"] if parent else None
            name = row["name"] or row["code"]
            if around and not name.startswith(around):
                name = f"{name}, {around}"
            does_most = row.get("driver_inside") or row.get("driver") or ""
            if row.get("driver") in numbers:
                does_most = f"{does_most} ({numbers[row['driver']]})"
            ranks = (f"{row['rank_first']:,}", f"{row['rank_second']:,}")
            rows.append([row["code"], name, *ranks, does_most])
        if rows:
            yield more, less, rows


def index_comparison_data(c: IndexComparison) -> dict[str, Any]:
    """Give a comparison of two indices as plain data for ``--json``: without the single areas."""
    return {
        "first": c.nodes["first"][0],
        "second": c.nodes["second"][0],
        "carried": c.report,
        "nodes": c.nodes.fill_nan(None).to_dicts(),
        "groups": c.groups.fill_nan(None).to_dicts(),
        "parts": c.parts.fill_nan(None).to_dicts(),
    }


def index_comparison_tables(
    comparisons: Sequence[IndexComparison],
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give the long tables, each with the name of its file.

    ``nodes`` and ``groups`` have every comparison, ``parts-<index>`` and ``areas-<index>`` one, as
    `commonweal.compare.IndexComparison` says.
    """
    yield "nodes.csv", pl.concat(c.nodes for c in comparisons)
    groups = [c.groups for c in comparisons if len(c.groups)]
    if groups:
        yield "groups.csv", pl.concat(groups)
    for c in comparisons:
        index = c.pairs[0].first
        if len(c.parts):
            yield f"parts-{index}.csv", c.parts
        yield f"areas-{index}.csv", c.places
