"""Comparisons for readers: two designations, two indices, two studies, smaller and larger areas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.format import (
    MOST_LINES,
    align_columns,
    capped,
    coded_name,
    coefficient,
    format_count,
    format_people,
    list_name,
    percent,
)
from commonweal.document.model import TableData
from commonweal.errors import CommonwealError
from commonweal.report.study.tables import class_word
from commonweal.study.names import authority_of, counted_areas, focus_name, parent_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from commonweal.areas import Areas
    from commonweal.compare import IndexComparison, StudyComparison, UnitComparison
    from commonweal.designation import Comparison, Designation


def comparison_lines(
    c: Comparison, before: str, after: str, most: int = MOST_LINES, where: str = ""
) -> Iterator[str]:
    """Give a comparison as lines of text."""
    old, new = c.before, c.after
    within = f" in {where}" if where else ""
    whole = ", everywhere" if where and c.report else within
    yield f"From {before} ({_of(old)}{whole})"
    yield f"  to {after} ({_of(new)}{within}):"
    yield f"{c.stay.sum():,} stay on the list, {c.leave.sum():,} leave it, {c.enter.sum():,} enter it."
    if c.report:
        told = ", ".join(
            f"{n:,} {what}" for what, n in c.report.items() if n and "areas" not in what
        )
        yield (
            f"Converted from {old.areas.title} to {new.areas.title}: {told}. {carried_note(new.areas)}"
        )
        sizes = sorted(len(d.areas) for d in (old, new))
        if sizes[1] > 2 * sizes[0]:
            yield (
                f"The two studies use areas of different size ({len(old.areas):,} {old.areas.plural}, "
                f"{len(new.areas):,} {new.areas.plural}). Much of the difference comes from that."
            )
    frame = c.to_frame()
    parent = authority_of(new.areas)
    for change in ("leaves", "enters", "stays"):
        rows = frame.filter(frame["change"] == change)
        if rows.is_empty() or not most:
            continue
        yield ""
        yield f"{change.capitalize()}:"
        named = (_named(row, parent) for row in rows.iter_rows(named=True))
        yield from capped(named, "--all lists them; --out FILE writes them", most)


def carried_note(areas: Areas) -> str:
    """Say when an area counts as having been on an earlier list of other areas."""
    return (
        f"We count any {areas.singular} as on the earlier list if at least half of its residents lived in one "
        "that was."
    )


def _named(row: Mapping[str, Any], parent: str | None) -> str:
    where = f", {row[f'{parent}_name']}" if parent and row[f"{parent}_name"] else ""
    return f"  {coded_name(row['code'], row['name'], '{code}  {name}')}{where}"


def _of(d: Designation) -> str:
    return counted_areas(int(d.selected.sum()), d.areas)


def comparison_data(c: Comparison, before: str, after: str) -> dict[str, Any]:
    """Give a comparison as plain data for ``--json``; `before` and `after` name the studies."""
    frame = c.to_frame()
    named = {
        change: frame.filter(frame["change"] == change).select("code", "name").to_dicts()
        for change in ("stays", "enters", "leaves")
    }
    counts = {change: len(rows) for change, rows in named.items()}
    return {"before": before, "after": after, "counts": counts, "carried": c.report, **named}


MOST_PARTS = 3
"""Domains whose correlations fit next to those of the whole index; the tables have every one."""


def index_comparison_lines(
    c: IndexComparison, first: str, second: str, most: int = 5, where: str = ""
) -> Iterator[str]:
    """Give a comparison of two indices as lines of text."""
    whole = c.nodes.row(0, named=True)
    yield f"{whole['first_label']} compared with {whole['second_label']}"
    yield f"  First:  {first}"
    yield f"  Second: {second}"
    if c.report:
        yield f"  We converted the first to {c.areas.title}, as averages weighted by population."
    yield ""
    both = counted_areas(whole["areas"], c.areas) + (f" in {where}" if where else "")
    if _alike(c):
        yield f"Both rank the {both} in the same order, on every domain."
        return
    if where:
        yield (
            f"{both} have scores on both. {whole['worst_first']:,} are in the worst 10% of the first, "
            f"{whole['worst_second']:,} in that of the second,"
        )
        yield (
            f"ranked among all {c.ranked:,} with scores on both. By chance {_by_chance(whole)} would be in both."
        )
    else:
        yield f"{both} have scores on both. {whole['worst_first']:,} are in the worst 10% of each;"
        yield "by chance, 10% of these would be in both."
    yield "Rank correlation: 1 means the same order, 0 no relation, -1 the reverse order."
    yield from _nodes(c)
    people_in = [whole[f"people_{key}"] for key in ("both", "first_alone", "second_alone")]
    if c.areas.table["population"].null_count() < len(c.areas):
        both, one, other = map(format_people, people_in)
        yield ""
        yield f"Residents of the worst 10% of both: {both}."
        yield f"Of the first only: {one}. Of the second only: {other}."
    for kind in c.groups["kind"].unique(maintain_order=True) if len(c.groups) else ():
        if where and c.groups.filter(pl.col("kind") == kind)["group"].n_unique() == 1:
            continue  # all that is counted lies in one
        yield ""
        yield from _by_kind(c, kind)
    if len(c.parts):
        yield ""
        yield from _apart(c)
    for more, less, rows in _furthest(c, most):
        yield ""
        yield f"Furthest apart, with more need on the {more} than on the {less}:"
        yield from align_columns(
            ["Code", "Name", ">First", ">Second", "Largest cause (domain)"], rows
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


def _part_of(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _nodes(c: IndexComparison) -> Iterator[str]:
    numbers = _numbers(c)
    rows = [
        [
            str(numbers.get(row["first"], "")),
            "  " * (row["first"].count(".") - 1) + row["first_label"],
            "  " * (row["second"].count(".") - 1) + row["second_label"],
            coefficient(row["spearman"]),
            f"{row['worst_both']:,}",
            _part_of(row["worst_both"], row["worst_first"]),
        ]
        for row in c.nodes.iter_rows(named=True)
    ]
    yield from align_columns(["", "First", "Second", ">Correlation", ">In both", ">Share"], rows)


def _by_kind(c: IndexComparison, kind: str) -> Iterator[str]:
    """Describe where the worst 10% lie, and how similar the orders are inside each group."""
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
                    _part_of(row[key], whole[key])
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
    yield f"By {word}: share of all areas, and of the worst 10% of the first, the second and both."
    of_what = f": of the whole index and of domains 1 to {len(parts)}" if parts else ""
    yield f"The last columns are the rank correlation inside it{of_what}."
    yield from align_columns(heads, rows)


def _apart(c: IndexComparison) -> Iterator[str]:
    alone = c.parts.select("drives_first", "drives_second").sum().row(0)
    yield "Why the two differ: each domain's share of the difference between the scores."
    yield f"The last columns count where it is the largest cause: of the {alone[0]:,} in the worst 10% of the"
    yield f"first only, and of the {alone[1]:,} in that of the second only."
    rows = [
        [part, percent(share) if share >= 0 else "below 0%", f"{first:,}", f"{second:,}"]
        for part, share, first, second in c.parts.sort("share", descending=True).rows()
    ]
    yield from align_columns(["Domain", ">Share", ">First only", ">Second only"], rows)


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


def study_comparison_lines(c: StudyComparison, everyone: bool = False) -> Iterator[str]:
    """Give a comparison of two studies as lines of text; `everyone` names every area of the lists."""
    titles, where = (c.first.study.title, c.second.study.title), _focus(c)
    if c.focus is not None:
        known = counted_areas(int(c.focus.sum()), c.second.areas)
        yield f"This counts only the {known} in {where}. Ranks and cut-offs are set among all."
        yield ""
    if c.lists is not None:
        yield from comparison_lines(c.lists, *titles, 10**9 if everyone else MOST_LINES, where)
    else:
        yield f"{titles[0]}\n  compared with {titles[1]}:"
        for r in (c.first, c.second):
            if len(r.designations) != 1:
                said = ", ".join(r.designations) or "nothing"
                yield f"No lists are compared: {r.study.name} designates {said}; expected exactly one list."
    for found in c.indices:
        yield ""
        yield ""
        yield from index_comparison_lines(found, *titles, where=where)


def _focus(c: StudyComparison) -> str:
    """Name the larger area that is counted alone; '' for everything."""
    return next(
        (focus_name(r.study, r.areas) for r in (c.second, c.first) if r.study.focus),
        "",
    )


def study_comparison_data(c: StudyComparison, before: str, after: str) -> dict[str, Any]:
    """Give a comparison of two studies as plain data for ``--json``."""
    data: dict[str, Any] = {"before": before, "after": after}
    if c.lists is not None:
        data = comparison_data(c.lists, before, after)
    if c.focus is not None:
        data["focus"] = {"name": _focus(c), "areas": int(c.focus.sum())}
    return {**data, "indices": [index_comparison_data(found) for found in c.indices]}


def write_study_comparison(c: StudyComparison, out: Path) -> None:
    """Write the long tables as CSV."""
    try:
        if out.suffix.lower() == ".csv":
            if c.lists is None:
                raise CommonwealError(
                    f"{out}: no lists are compared; expected the name of a folder, for the indices"
                )
            out.write_bytes(TableData(c.lists.to_frame()).csv())
            return
        out.mkdir(parents=True, exist_ok=True)
        for name, table in _tables(c):
            (out / name).write_bytes(TableData(table).csv())
    except OSError as error:
        raise CommonwealError(f"{out} cannot be written: {error.strerror}") from None


def _tables(c: StudyComparison) -> Iterator[tuple[str, pl.DataFrame]]:
    if c.lists is not None:
        yield "lists.csv", c.lists.to_frame()
    if c.indices:
        yield from index_comparison_tables(c.indices)


def _selected_lines(comparisons: Sequence[UnitComparison], name: str) -> Iterator[str]:
    """Give how many one designation selects on areas of each size, and how far they are the same people."""
    rows = []
    for k, c in enumerate(comparisons):
        d = c.designations.row(by_predicate=pl.col("designation") == name, named=True)
        for unit, areas in (("small", c.small), ("large", c.large)):
            if unit == "large" or k == 0:
                n = d[f"{unit}_selected"]
                rows.append(
                    [
                        areas.title,
                        f"{len(areas):,}",
                        f"{n:,}",
                        f"{d[f'{unit}_people']:,.0f}",
                        _people_share(d[f"{unit}_share"]),
                    ]
                )
    yield from align_columns(["Areas", ">All", ">On the list", ">People", ">% of all people"], rows)
    for c in comparisons:
        d = c.designations.row(by_predicate=pl.col("designation") == name, named=True)
        yield ""
        yield f"  On {c.large.title}:"
        yield (
            f"    {d['small_inside']:,} of the {d['small_selected']:,} small areas on the list lie in a larger "
            "one on its list."
        )
        holding = format_count(
            d["large_selected"], "larger area on the list", "larger areas on the list"
        )
        contain = "contains" if d["large_holding"] == 1 else "contain"
        yield f"    {d['large_holding']:,} of the {holding} {contain} a small one on its list."
        gained, lost = (format_people(d[key]) for key in ("people_gained", "people_lost"))
        yield f"    In a larger area on the list, but not in a small one: {gained}."
        yield f"    In a small area on the list, but not in a larger one: {lost}."


def unit_lines(
    comparisons: Sequence[UnitComparison], title: str, label: str, where: str = ""
) -> Iterator[str]:
    """Give the comparisons of a study's areas with larger ones as lines of text."""
    yield f"{title}: the same method on areas of different size"
    if where:
        yield ""
        yield f"This counts only the {counted_areas(len(comparisons[0].small), comparisons[0].small)} in {where}"
        yield "and the larger ones around them. Ranks and cut-offs are set among all areas of the study."
    names = comparisons[0].designations
    for name in names["designation"] if len(names) else ():
        yield ""
        listed = list_name(label if len(names) == 1 else name.replace("_", " "), "areas")
        yield f"{listed[:1].upper()}{listed[1:]}:"
        yield from _selected_lines(comparisons, name)
    for c in comparisons:
        yield ""
        yield f"Small areas compared with the larger ones around them ({c.large.title}):"
        yield "rank correlation; small areas in the same decile as the larger one, or at most one decile apart;"
        yield "small areas in the worst 10% whose larger area is too; people in the worst 10% of larger areas,"
        yield "as a share of all people."
        if c.nodes["spearman"].is_nan().any():
            yield "No correlation is given where all areas rank the same on one of the two."
        rows = [
            [
                ("  " if "." in row["index"] else "") + row["label"],
                coefficient(row["spearman"]),
                percent(row["same_decile"]),
                percent(row["within_one_decile"]),
                f"{row['worst_both']:,} of {row['worst_tenth']:,}",
                _people_share(row["people_large"]),
            ]
            for row in c.nodes.iter_rows(named=True)
        ]
        yield from align_columns(
            ["", ">Correlation", ">Same decile", ">One apart", ">Worst 10% of both", ">People"],
            rows,
        )


def _people_share(share: float) -> str:
    """Say a share of people for a cell: empty where nobody is known to live in what is counted."""
    return "" if math.isnan(share) else f"{share:.1%}"


def unit_data(comparisons: Sequence[UnitComparison], where: str = "") -> list[dict[str, Any]]:
    """Give the comparisons as plain data for ``--json``: without the single areas."""
    return [
        {
            **({"focus": {"name": where, "areas": len(c.small)}} if where else {}),
            "small": {"areas": c.small.system, "number": len(c.small)},
            "large": {"areas": c.large.system, "number": len(c.large)},
            "indices": c.nodes.fill_nan(None).to_dicts(),
            "designations": c.designations.fill_nan(None).to_dicts(),
        }
        for c in comparisons
    ]


def unit_table(comparisons: Sequence[UnitComparison]) -> pl.DataFrame:
    """Give every small area with each larger one that it lies in: one row for each pair."""
    return pl.concat(
        c.places.select(pl.lit(c.large.system).alias("larger_areas"), pl.all()) for c in comparisons
    )
