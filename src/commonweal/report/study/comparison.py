"""Comparisons as documents: two lists, two indices, two studies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.format import format_count, format_people, percent
from commonweal.document.model import Document, Figure, Section, Table, TableData, make_table
from commonweal.errors import CommonwealError
from commonweal.report.study.tables import class_word
from commonweal.study.names import authority_of, counted_areas, focus_name, parent_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commonweal.areas import Areas
    from commonweal.compare import IndexComparison, StudyComparison
    from commonweal.designation import Comparison, Designation


_ROWS = 60
"""Rows of a long list that stand on a page; its file has all."""


def change_answer(c: Comparison, before: str, after: str, where: str = "") -> Iterator[str]:
    """Say which lists are compared, how many areas stay, leave and enter, and how areas were converted."""
    old, new = c.before, c.after
    within = f" in {where}" if where else ""
    whole = ", everywhere" if where and c.report else within
    yield (
        f"From {before} ({_of(old)}{whole}) to {after} ({_of(new)}{within}): {c.stay.sum():,} stay on the list, "
        f"{c.leave.sum():,} leave it, {c.enter.sum():,} enter it."
    )
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


def carried_note(areas: Areas) -> str:
    """Say when an area counts as having been on an earlier list of other areas."""
    return (
        f"We count any {areas.singular} as on the earlier list if at least half of its residents lived in one "
        "that was."
    )


def _of(d: Designation) -> str:
    return counted_areas(int(d.selected.sum()), d.areas)


def change_tables(c: Comparison) -> Iterator[Table]:
    """Give the areas that leave, enter and stay, with their authority; none where no area does."""
    frame, parent = c.to_frame(), authority_of(c.after.areas)
    shown = {"code": "Code"}
    if (frame["name"] != frame["code"]).any():
        shown["name"] = "Name"
    if parent:
        shown[f"{parent}_name"] = "Authority"
    if c.report:  # areas were converted, so some were on the earlier list in part
        shown["share_before"] = _BEFORE
    for change in ("leaves", "enters", "stays"):
        rows = frame.filter(frame["change"] == change)
        listed = rows.select(*shown, pl.exclude(*shown, "name", "change")).rename(shown)
        if len(listed):
            hidden = [h for h in listed.columns if h not in shown.values()]
            table = make_table(listed, [_BEFORE], hidden=hidden, names=_CODES)
            yield Table(change, f"{change.capitalize()} ({len(listed):,})", table, rows=_ROWS)


_BEFORE = "Residents on the earlier list"
_CODES = {_BEFORE: "share_before"}


def _lists(c: Comparison) -> Section:
    counts = {"stays": c.stay, "leaves": c.leave, "enters": c.enter}
    return Section(
        "Who leaves the list, enters it or stays",
        figures=tuple(
            Figure(name, name.capitalize(), int(which.sum()), f"{which.sum():,}")
            for name, which in counts.items()
        ),
        tables=tuple(change_tables(c)),
    )


def list_comparison_document(c: Comparison, before: str, after: str, where: str = "") -> Document:
    """Tell how a list differs from an earlier one."""
    return Document(
        name="changes",
        title="What has changed",
        heading=f"Compared with {before}",
        answer=tuple(change_answer(c, before, after, where)),
        sections=(_lists(c),),
        account=(("before", before), ("after", after), ("carried", dict(c.report))),
    )


def comparison_document(c: StudyComparison) -> Document:
    """Tell how two studies differ: who leaves the list, enters it or stays, and how similar the indices are."""
    titles, where = (c.first.study.title, c.second.study.title), _focus(c)
    answer: list[str] = []
    sections: list[Section] = []
    notes = []
    if c.focus is not None:
        known = counted_areas(int(c.focus.sum()), c.second.areas)
        notes.append(
            f"This counts only the {known} in {where}. Ranks and cut-offs are set among all."
        )
    if c.lists is not None:
        answer += change_answer(c.lists, *titles, where)
        sections.append(_lists(c.lists))
    for r in (c.first, c.second):
        if c.lists is None and len(r.designations) != 1:
            said = ", ".join(r.designations) or "nothing"
            answer.append(
                f"No lists are compared: {r.study.name} designates {said}; expected exactly one list."
            )
    for found in c.indices:
        answer.append(_similar(found, where))
        sections += _index_sections(found, where)
    return Document(
        name="comparison",
        title=f"{titles[0]} compared with {titles[1]}",
        heading="Who is on both lists, and how similar the indices are",
        answer=tuple(dict.fromkeys(answer)),
        sections=tuple(sections),
        notes=tuple(notes),
        account=(
            ("before", c.first.study.name),
            ("after", c.second.study.name),
            ("carried", {} if c.lists is None else dict(c.lists.report)),
            ("focus", None if c.focus is None else {"name": where, "areas": int(c.focus.sum())}),
            ("indices", [c.nodes.select("first", "second").row(0, named=True) for c in c.indices]),
        ),
    )


def _focus(c: StudyComparison) -> str:
    """Name the larger area that is counted alone; '' for everything."""
    return next(
        (focus_name(r.study, r.areas) for r in (c.second, c.first) if r.study.focus),
        "",
    )


MOST_PARTS = 3
"""Domains whose correlations fit next to those of the whole index; programs get every one."""


def _similar(c: IndexComparison, where: str) -> str:
    """Say how similar two indices are, in a sentence."""
    whole = c.nodes.row(0, named=True)
    if _alike(c):
        both = counted_areas(whole["areas"], c.areas) + (f" in {where}" if where else "")
        return (
            f"Both rank the {both} in the same order on {whole['first_label']} and all its domains."
        )
    rho = whole["spearman"]
    known = "not known" if rho is None or math.isnan(rho) else f"{rho:.2f}"
    return (
        f"The rank correlation of {whole['first_label']} with {whole['second_label']} is {known}. "
        f"In the worst 10% of both: {format_count(whole['worst_both'], c.areas.singular, c.areas.plural)}."
    )


def _index_sections(c: IndexComparison, where: str) -> Iterator[Section]:
    """Tell how similar two indices are, where they differ and why; the same is said in a sentence."""
    whole = c.nodes.row(0, named=True)
    title = f"{whole['first_label']} compared with {whole['second_label']}"
    index = c.pairs[0].first
    residents = [whole[f"people_{key}"] for key in ("both", "first_alone", "second_alone")]
    text = [*_scored(c, whole, where)]
    if c.areas.table["population"].null_count() < len(c.areas):
        both, one, other = map(format_people, residents)
        text.append(
            f"Residents of the worst 10% of both: {both}. Of the first only: {one}. Of the second only: {other}."
        )
    tables = [
        Table(
            f"nodes-{index}",
            "How similar the ranks are, by domain",
            _nodes(c),
            "Rank correlation: 1 means the same order, 0 no relation, -1 the reverse order. In both: "
            f"{c.areas.plural} in the worst 10% of both; share: of those of the first.",
        )
    ]
    kinds = c.groups["kind"].unique(maintain_order=True).to_list() if len(c.groups) else []
    tables += [_by_kind(c, kind, index) for kind in kinds]
    if len(c.parts):
        tables.append(_apart(c, index))
    yield Section(title, text=tuple(text), tables=(*tables, *_furthest(c, index)), annex=_alike(c))


def _scored(c: IndexComparison, whole: dict[str, Any], where: str) -> Iterator[str]:
    if c.report:
        yield f"We converted the first to {c.areas.title}, as averages weighted by population."
    both = counted_areas(whole["areas"], c.areas) + (f" in {where}" if where else "")
    if where:
        yield (
            f"{both} have scores on both. {whole['worst_first']:,} are in the worst 10% of the first, "
            f"{whole['worst_second']:,} in that of the second, ranked among all {c.ranked:,} with scores on both. "
            f"By chance {_by_chance(whole)} would be in both."
        )
    else:
        yield (
            f"{both} have scores on both. {whole['worst_first']:,} are in the worst 10% of each; by chance, 10% of "
            "these would be in both."
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


def _part_of(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _nodes(c: IndexComparison) -> TableData:
    numbers = _numbers(c)
    rows = [
        (
            str(numbers.get(row["first"], "")),
            "  " * (row["first"].count(".") - 1) + row["first_label"],
            "  " * (row["second"].count(".") - 1) + row["second_label"],
            row["spearman"],
            row["worst_both"],
            _part_of(row["worst_both"], row["worst_first"]),
        )
        for row in c.nodes.iter_rows(named=True)
    ]
    numeric = {"Correlation": pl.Float64, "In both": pl.Int64, "Share (%)": pl.Float64}
    schema = {**dict.fromkeys(("No.", "First", "Second"), pl.String), **numeric}
    frame = pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None)
    return TableData(frame, places={"Share (%)": 1}, data=c.nodes)


def _by_kind(c: IndexComparison, kind: str, index: str) -> Table:
    """Show where the worst 10% lie, and how similar the orders are inside each group."""
    parts = list(_numbers(c)) if len(_numbers(c)) <= MOST_PARTS else []
    word = parent_words(kind)[0] if kind in c.areas.parents else class_word(kind)
    whole, here = c.nodes.row(0, named=True), c.groups.filter(pl.col("kind") == kind)
    keys = {
        "All (%)": "areas",
        "First (%)": "worst_first",
        "Second (%)": "worst_second",
        "Both (%)": "worst_both",
    }
    all_of_it = "Whole index" if parts else "Correlation"
    heads = [*keys, all_of_it, *(f"Domain {k}" for k in range(1, len(parts) + 1))]
    rows = []
    for (group,), inside in here.group_by("group", maintain_order=True):
        row = inside.row(0, named=True)
        rhos = inside.filter(pl.col("first").is_in([whole["first"], *parts]))["spearman"]
        rows.append(
            (
                str(group),
                row["areas"],
                *(_part_of(row[key], whole[key]) for key in keys.values()),
                *rhos,
            )
        )
    schema = {word.capitalize(): pl.String, "Areas": pl.Int64, **dict.fromkeys(heads, pl.Float64)}
    frame = pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None)
    of_what = f": of the whole index and of domains 1 to {len(parts)}" if parts else ""
    return Table(
        f"by-{kind}-{index}".replace("_", "-"),
        f"By {word}: share of all areas, and of the worst 10% of the first, the second and both",
        TableData(frame, places=dict.fromkeys(keys, 1), data=here),
        f"The last columns are the rank correlation inside it{of_what}.",
        rows=_ROWS,
    )


def _apart(c: IndexComparison, index: str) -> Table:
    alone = c.parts.select("drives_first", "drives_second").sum().row(0)
    ordered = c.parts.sort("share", descending=True)
    rows = [
        (part, percent(share) if share >= 0 else "below 0%", first, second)
        for part, share, first, second in ordered.rows()
    ]
    counts = {"First only": pl.Int64, "Second only": pl.Int64}
    schema = {"Domain": pl.String, "Share": pl.String, **counts}
    return Table(
        f"parts-{index}",
        "Why the two differ: each domain's share of the difference between the scores",
        TableData(pl.DataFrame(rows, schema=schema, orient="row"), data=ordered),
        f"The last columns count where it is the largest cause: of the {alone[0]:,} in the worst 10% of the first "
        f"only, and of the {alone[1]:,} in that of the second only.",
    )


def _furthest(c: IndexComparison, index: str, most: int = 20) -> Iterator[Table]:
    """Give the areas whose ranks are furthest apart, either way."""
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
            rows.append((row["code"], name, row["rank_first"], row["rank_second"], does_most))
        if rows:
            ranks = {"First": pl.Int64, "Second": pl.Int64}
            words = dict.fromkeys(("Code", "Name"), pl.String)
            schema = {**words, **ranks, "Largest cause (domain)": pl.String}
            frame = pl.DataFrame(rows, schema=schema, orient="row")
            shown = TableData(frame, names={"First": "rank_first", "Second": "rank_second"})
            title = f"Furthest apart, with more need on the {more} than on the {less}"
            yield Table(f"furthest-{more}-{index}", title, shown)


def area_tables(c: StudyComparison) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give the tables of single areas: the name of the file, what it is, and the rows."""
    if c.lists is not None:
        yield (
            "lists.csv",
            "Every area that enters the list, leaves it or stays.",
            c.lists.to_frame(),
        )
    for found in c.indices:
        what = "Every area with its ranks on both, and what sets them apart."
        yield f"areas-{found.pairs[0].first}.csv", what, found.places


def write_lists(c: StudyComparison, out: Path) -> None:
    """Write every area that enters the list, leaves it or stays, as CSV."""
    if c.lists is None:
        raise CommonwealError(
            f"{out}: no lists are compared; expected the name of a folder, for the indices"
        )
    try:
        out.write_bytes(TableData(c.lists.to_frame()).csv())
    except OSError as error:
        raise CommonwealError(f"{out} cannot be written: {error.strerror}") from None
