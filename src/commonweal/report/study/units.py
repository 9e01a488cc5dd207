"""A study on its own areas and on larger ones, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import format_count, format_people, list_name
from commonweal.document.model import Document, Section, Table, TableData
from commonweal.study.names import counted_areas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.compare.units import UnitComparison


def units_document(
    comparisons: Sequence[UnitComparison], title: str, label: str, where: str = ""
) -> Document:
    """Tell how much the result of a study depends on the size of its areas."""
    small, names = comparisons[0].small, comparisons[0].designations
    notes = []
    if where:
        notes.append(
            f"This counts only the {counted_areas(len(small), small)} in {where} and the larger ones around them. "
            "Ranks and cut-offs are set among all areas of the study."
        )
    listed = [_listed(comparisons, name, label) for name in names["designation"]]
    return Document(
        name="units",
        title=f"{title}: the same method on areas of different size",
        heading=" and ".join(c.large.title for c in comparisons),
        answer=tuple(_answer(comparisons)),
        sections=(*listed, *(_ranks(c) for c in comparisons)),
        notes=tuple(notes),
        account=(
            ("focus", {"name": where, "areas": len(small)} if where else None),
            ("small", {"areas": small.system, "number": len(small)}),
            ("large", [{"areas": c.large.system, "number": len(c.large)} for c in comparisons]),
        ),
    )


def _answer(comparisons: Sequence[UnitComparison]) -> Iterator[str]:
    for c in comparisons:
        for d in c.designations.iter_rows(named=True):
            yield (
                f"On {c.large.title}, {d['small_inside']:,} of the {d['small_selected']:,} small areas on the list lie "
                "in a larger one on its list."
            )
        if not len(c.designations):
            worst, both = c.nodes.select("worst_tenth", "worst_both").row(0)
            yield (
                f"On {c.large.title}, {both:,} of the {worst:,} small areas in the worst 10% lie in a larger one that "
                "is too."
            )


def _listed(comparisons: Sequence[UnitComparison], name: str, label: str) -> Section:
    """Say how many one designation selects on areas of each size, and how far they are the same people."""
    rows, text = [], list[str]()
    for k, c in enumerate(comparisons):
        d = c.designations.row(by_predicate=pl.col("designation") == name, named=True)
        for unit, areas in (("small", c.small), ("large", c.large)):
            if unit == "large" or k == 0:
                counts = (d[f"{unit}_selected"], d[f"{unit}_people"])
                rows.append((areas.title, len(areas), *counts, 100 * d[f"{unit}_share"]))
        text += _overlap(c, d)
    numbers = {"All": pl.Int64, "On the list": pl.Int64, "People": pl.Float64, _OF_ALL: pl.Float64}
    frame = pl.DataFrame(rows, schema={"Areas": pl.String, **numbers}, orient="row").fill_nan(None)
    single = len(comparisons[0].designations) == 1
    listed = list_name(label if single else name.replace("_", " "), "areas")
    data = pl.concat(
        c.designations.filter(pl.col("designation") == name).select(
            pl.lit(c.large.system).alias("larger_areas"), pl.all()
        )
        for c in comparisons
    )
    title = f"{listed[:1].upper()}{listed[1:]}"
    shown = TableData(frame, places={"People": 0, _OF_ALL: 1}, data=data)
    return Section(
        title,
        text=tuple(text),
        tables=(Table(f"list-{name}".replace("_", "-"), "The list on areas of each size", shown),),
    )


_OF_ALL = "% of all people"


def _overlap(c: UnitComparison, d: dict[str, int | float]) -> Iterator[str]:
    yield (
        f"On {c.large.title}: {d['small_inside']:,} of the {d['small_selected']:,} small areas on the list lie in a "
        "larger one on its list."
    )
    many = int(d["large_selected"])
    holding = format_count(many, "larger area on the list", "larger areas on the list")
    contain = "contains" if d["large_holding"] == 1 else "contain"
    yield f"{d['large_holding']:,} of the {holding} {contain} a small one on its list."
    gained, lost = (format_people(d[key]) for key in ("people_gained", "people_lost"))
    yield f"In a larger area on the list, but not in a small one: {gained}."
    yield f"In a small area on the list, but not in a larger one: {lost}."


def _ranks(c: UnitComparison) -> Section:
    """Compare the ranks of small areas with those of the larger ones around them, by index and domain."""
    text = [
        "The table has the rank correlation, and the small areas in the same decile as the larger one or at most one "
        "decile apart. It then has the small areas in the worst 10%, and those of them whose larger area is too. The "
        "last column is the people in the worst 10% of larger areas."
    ]
    if c.nodes["spearman"].is_nan().any():
        text.append("No correlation is given where all areas rank the same on one of the two.")
    frame = c.nodes.select(
        pl.when(pl.col("index").str.contains(".", literal=True))
        .then("  " + pl.col("label"))
        .otherwise("label")
        .alias("Index or domain"),
        pl.col("spearman").fill_nan(None).alias("Correlation"),
        pl.col("same_decile").alias("Same decile"),
        pl.col("within_one_decile").alias("One apart"),
        pl.col("worst_tenth").cast(pl.Int64).alias("Worst 10%"),
        pl.col("worst_both").cast(pl.Int64).alias("Of both"),
        (100 * pl.col("people_large").fill_nan(None)).alias(_OF_ALL),
    )
    shown = TableData(frame, frozenset({"Same decile", "One apart"}), {_OF_ALL: 1}, data=c.nodes)
    title = f"Small areas compared with the larger ones around them ({c.large.title})"
    return Section(
        title,
        tuple(text),
        tables=(Table(f"ranks-{c.large.system}", title, shown),),
    )


def unit_table(comparisons: Sequence[UnitComparison]) -> pl.DataFrame:
    """Give every small area with each larger one that it lies in: one row for each pair."""
    return pl.concat(
        c.places.select(pl.lit(c.large.system).alias("larger_areas"), pl.all()) for c in comparisons
    )
