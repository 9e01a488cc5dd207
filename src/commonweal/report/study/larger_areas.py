"""Larger areas: which there are, how many of the areas in each are on the list, and summaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import SURE
from commonweal.document.model import TableData, table_from_columns
from commonweal.study.names import authority, index_label, larger_name, parent_words

if TYPE_CHECKING:
    from commonweal.study.results import Results


@dataclass(frozen=True, slots=True)
class Tier:
    """A set of larger areas that results are summed up for."""

    key: str
    singular: str
    plural: str

    @property
    def header(self) -> str:
        """Its name at the head of a column."""
        return self.singular[:1].upper() + self.singular[1:]


def tiers(results: Results) -> list[Tier]:
    """Name the larger areas to sum up for: the local authority first, then the region."""
    first = authority(results)
    summed = dict.fromkeys(parent for parent, _ in results.summaries)
    keys = [first, *summed, *(p for p in ("region",) if p in results.areas.parents)]
    table = results.areas.table
    found = []
    for key in dict.fromkeys(k for k in keys if k is not None):
        if table[key].null_count() == len(table):
            continue
        found.append(Tier(key, *parent_words(key)))
    return found


def by_tier(results: Results, name: str, tier: Tier, everyone: bool = False) -> TableData:
    """Count, for each larger area, the areas on the list; those with most first.

    Where the study has a focus, those are listed that hold an area in it, each with all of its areas.
    """
    d, sure = results.designations[name], results.certainty.get(name)
    p = None if sure is None else sure.overall  # what “secure” goes by on every page
    frame = results.areas.table.select(
        code=tier.key, name=f"{tier.key}_name", people=pl.col("population")
    ).with_columns(
        selected=pl.Series(d.selected),
        near=pl.Series(d.near_miss),
        sure=pl.Series(d.selected & (p >= SURE)) if p is not None else pl.lit(None, pl.Boolean),
    )
    inside = pl.col("people").filter(pl.col("selected"))
    table = (
        frame.drop_nulls("code")
        .group_by("code")
        .agg(
            pl.col("name").first(),
            areas=pl.len().cast(pl.Int64),
            selected=pl.col("selected").sum().cast(pl.Int64),
            share=pl.col("selected").mean(),
            people=pl.when(inside.null_count() > 0).then(None).otherwise(inside.sum()),
            sure=pl.col("sure").sum().cast(pl.Int64),
            near=pl.col("near").sum().cast(pl.Int64),
        )
        .sort(["selected", "near", "name", "code"], descending=[True, True, False, False])
    )
    table = table.filter(pl.col("code").is_in(_holding(results, tier)))
    if not everyone:
        table = table.filter((pl.col("selected") > 0) | (pl.col("near") > 0))
    share = "Share on the list"
    named = [larger_name(results.areas, tier.key, *pair) for pair in table["code", "name"].rows()]
    columns = [
        (tier.header, pl.Series(named, dtype=pl.String)),
        ("Code", table["code"]),
        (f"All {results.areas.plural}", table["areas"]),
        ("On the list", table["selected"]),
        (share, table["share"]),
        ("People living in them", table["people"].round(0).cast(pl.Int64)),
    ]
    if p is not None:
        columns.append(("Secure", table["sure"]))
    return table_from_columns([*columns, ("Just outside the cut-off", table["near"])], [share])


def _holding(results: Results, tier: Tier) -> list[str]:
    """Give the codes of the larger areas that hold an area to list."""
    return results.areas_in_focus.table[tier.key].drop_nulls().unique().to_list()


def _members(results: Results, tier: Tier) -> pl.DataFrame:
    """Give the larger areas of a tier: code, name, how many areas they hold, and their people."""
    people = pl.col("population")
    known = pl.when(people.null_count() == 0).then(people.sum())
    base = (
        results.areas.table.filter(pl.col(tier.key).is_in(_holding(results, tier)))
        .group_by(tier.key)
        .agg(
            pl.col(f"{tier.key}_name").first(),
            pl.len().cast(pl.Int64).alias(f"All {results.areas.plural}"),
            known.round(0).cast(pl.Int64).alias("Population"),
        )
    )
    labels = [larger_name(results.areas, tier.key, *pair) for pair in base[:, :2].rows()]
    return base.select(
        pl.lit(tier.header).alias("Kind"),
        pl.col(tier.key).alias("Code"),
        pl.Series("Name", labels, dtype=pl.String),
        pl.col("^All .*$"),
        "Population",
    ).sort("Code")


def larger_areas(results: Results, only: str | None = None) -> TableData:
    """Show the five summaries of every index for larger areas, and how many areas are on the list."""
    blocks = []
    for tier in tiers(results):
        if only is not None and tier.key != only:
            continue
        block = _members(results, tier)
        for name, d in results.designations.items():
            taken = results.areas.table.select(Code=tier.key, taken=pl.Series(d.selected))
            header = "On the list" if len(results.designations) == 1 else f"On the list: {name}"
            count = taken.group_by("Code").agg(pl.col("taken").sum().cast(pl.Int64).alias(header))
            block = block.join(count, on="Code", how="left", maintain_order="left")
        for index in results.scores:
            summary = results.summaries.get((tier.key, index))
            if summary is None:
                continue
            label = index_label(results, index)
            named = summary.select(
                pl.col("code").alias("Code"),
                *(
                    pl.col(c).alias(f"{label}: {c.replace('_', ' ')}")
                    for c in (
                        "average_score",
                        "average_rank",
                        "proportion",
                        "extent",
                        "local_concentration",
                    )
                ),
            )
            block = block.join(named, on="Code", how="left", maintain_order="left")
        blocks.append(block)
    frame = pl.concat(blocks, how="diagonal") if blocks else pl.DataFrame()
    return TableData(
        frame, frozenset(c for c in frame.columns if c.endswith((": proportion", ": extent")))
    )


def about_summaries(results: Results, table: TableData) -> str:
    """Say how to read the five summaries, and why some may be blank."""
    text = (
        "Averages are weighted by population; a higher average rank means more need. The proportion is the share of "
        f"{results.areas.plural} in the worst 10% of all. Extent and local concentration show how widespread and how "
        "deep need is."
    )
    if table.frame["Population"].null_count():
        text += f" Where the population of one {results.areas.singular} is not known, only the proportion can be given."
    return text
