"""The tables that workbook, report and map show, made once from the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.areas import load_systems
from commonweal.briefing.headline import SURE, UNSURE
from commonweal.briefing.words import authority, index_label, percent
from commonweal.index import decile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.designation import Designation, Rule
    from commonweal.results import Results

__all__ = [
    "Counts",
    "Shown",
    "Tier",
    "areas_in_short",
    "by_tier",
    "changes_in_words",
    "counts",
    "designated",
    "label_of",
    "larger_areas",
    "margin",
    "near_miss_rows",
    "probability",
    "selected_rows",
    "tiers",
    "worst_areas",
]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]

MOST_INDICES = 4
"""Indices that the short table of all areas shows; the Parquet files have all of them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A table for readers: the frame's columns are named by their headers.

    Attributes
    ----------
    frame
        Text, whole numbers (integers), decimals (floats) and shares (floats, 0..1).
    shares
        Headers of the columns that are shares.
    """

    frame: pl.DataFrame
    shares: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.frame)

    def is_number(self, header: str) -> bool:
        """Whether a column holds numbers."""
        return self.frame.schema[header].is_numeric()

    def cells(self) -> list[tuple[str, ...]]:
        """Give every row as text for readers; empty where there is no value."""
        columns = []
        for header, kind in self.frame.schema.items():
            values = self.frame[header].to_list()
            if header in self.shares:
                text = ["" if v is None else percent(v) for v in values]
            elif kind.is_integer():
                text = ["" if v is None else f"{v:,}" for v in values]
            elif kind.is_float():
                text = ["" if v is None else f"{v:,.2f}" for v in values]
            else:
                text = ["" if v is None else str(v) for v in values]
            columns.append(text)
        return list(zip(*columns, strict=True)) if len(self.frame) else []


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
    known = load_systems().systems
    table = results.areas.table
    found = []
    for key in dict.fromkeys(k for k in keys if k is not None):
        if table[key].null_count() == len(table):
            continue
        word = key.replace("_", " ")
        words = (known[key].singular, known[key].plural) if key in known else (word, _plural(word))
        found.append(Tier(key, *words))
    return found


def _plural(word: str) -> str:
    """Make the plural of a name that a study gives its larger areas."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return word if word.endswith("s") else f"{word}s"


def label_of(results: Results, name: str) -> str:
    """Say what an area that a designation selects is called."""
    alone = len(results.designations) == 1
    return results.study.briefing.label if alone else name.replace("_", " ")


def probability(results: Results, name: str) -> Floats | None:
    """(n_areas,) share of the draws in which an area qualifies; None without draws."""
    sure = results.certainty.get(name)
    return None if sure is None else sure.selected


def margin(designation: Designation) -> Floats:
    """(n_areas,) places to the cut-off that decides: positive inside, negative outside.

    Of conditions joined by 'all' the nearest to failing decides, of those joined by 'any' the
    furthest inside. NaN where a deciding score is missing.
    """
    places = iter(np.nan_to_num(t.places, nan=-np.inf) for t in designation.tested)

    def visit(rule: Rule) -> Floats:
        if rule.condition is not None:
            return next(places)
        if rule.not_ is not None:
            return -visit(rule.not_)
        parts = [visit(r) for r in rule.all or rule.any or ()]
        joined: Floats = (np.minimum if rule.all else np.maximum).reduce(parts)
        return joined

    found = visit(designation.rule)
    return np.where(np.isfinite(found), found, np.nan)


def changes_in_words(results: Results, designation: Designation, rows: Rows) -> list[str]:
    """Say for each of some areas which single domain would turn the answer, and how far."""
    path, now, then = designation.least_change()
    text = []
    for row in rows:
        if path[row] is None:
            text.append("No single domain alone")
            continue
        verb = "Out" if designation.selected[row] else "In"
        text.append(
            f"{verb} if {index_label(results, path[row])} moved from rank "
            f"{now[row]:,.0f} to {then[row]:,.0f}"
        )
    return text


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of a headline.

    Attributes
    ----------
    selected, of
        Areas selected, of how many.
    population
        Who lives in the selected ones; NaN if unknown.
    authorities
        In how many larger areas of the first tier they lie; None if there are none.
    near_misses, just_inside
        Areas that a cut-off a tenth wider would bring in, or a tenth tighter put out.
    sure, toss_ups
        Of the selected: in at least 95 % of draws; in 20 % to 80 %. None without draws.
    toss_ups_out
        Of the others: in 20 % to 80 % of draws.
    """

    selected: int
    of: int
    population: float
    authorities: int | None
    near_misses: int
    just_inside: int
    sure: int | None
    toss_ups: int | None
    toss_ups_out: int | None


def counts(results: Results, name: str) -> Counts:
    """Count what a headline says."""
    d, p = results.designations[name], probability(results, name)
    first = tiers(results)[:1]
    inside = results.areas.table.filter(d.selected)
    toss = None if p is None else (p >= UNSURE) & (p <= 1 - UNSURE)
    return Counts(
        selected=int(d.selected.sum()),
        of=len(results.areas),
        population=d.population,
        authorities=inside[first[0].key].drop_nulls().n_unique() if first else None,
        near_misses=int(d.near_miss.sum()),
        just_inside=int(d.just_inside.sum()),
        sure=None if p is None else int((p[d.selected] >= SURE).sum()),
        toss_ups=None if toss is None else int(toss[d.selected].sum()),
        toss_ups_out=None if toss is None else int(toss[~d.selected].sum()),
    )


def _unique(headers: Sequence[str]) -> list[str]:
    """Set a number to headers that occur twice, case ignored: those of an Excel table must differ."""
    seen: dict[str, int] = {}
    out = []
    for header in headers:
        key = header.casefold()
        seen[key] = seen.get(key, 0) + 1
        out.append(header if seen[key] == 1 else f"{header} ({seen[key]})")
    return out


def _whole(values: Floats) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64).fill_nan(None).round(0).cast(pl.Int64)


def _who(results: Results, rows: Rows | slice) -> list[tuple[str, pl.Series]]:
    """Code, name, larger areas and people of some areas."""
    table = results.areas.table[rows] if not isinstance(rows, slice) else results.areas.table
    columns = [("Code", table["code"]), ("Name", table["name"])]
    columns += [(t.header, table[f"{t.key}_name"]) for t in tiers(results)]
    return [*columns, ("Population", _whole(table["population"].fill_null(np.nan).to_numpy()))]


def _framed(columns: Sequence[tuple[str, pl.Series]], shares: Sequence[str] = ()) -> Shown:
    headers = _unique([header for header, _ in columns])
    series = [s.alias(h) for h, (_, s) in zip(headers, columns, strict=True)]
    return Shown(pl.DataFrame(series), frozenset(shares))


def designated(results: Results, name: str, rows: Rows, brief: bool = False) -> Shown:
    """Show areas with what decides about them, in the order given.

    Parameters
    ----------
    brief
        Whether to leave out the margin of each condition, and larger areas but the first.
    """
    d, p = results.designations[name], probability(results, name)
    columns = _who(results, rows)
    if brief:
        columns = [c for c in columns if c[0] not in {t.header for t in tiers(results)[1:]}]
    for t in d.tested:
        label = index_label(results, t.condition.index)
        columns += [(f"{label}: rank", _whole(t.rank[rows]))]
        if not brief:
            columns += [(f"{label}: places inside", _whole(t.places[rows]))]
    columns.append(("Smallest margin", _whole(margin(d)[rows])))
    if p is not None:
        columns.append(("Probability", pl.Series(p[rows])))
    columns.append(
        ("What would change it", pl.Series(changes_in_words(results, d, rows), dtype=pl.String))
    )
    return _framed(columns, ["Probability"])


def selected_rows(designation: Designation) -> Rows:
    """Row numbers of the selected areas, by the rank that the first condition was decided on."""
    rows = np.flatnonzero(designation.selected)
    return rows[np.argsort(designation.tested[0].rank[rows], kind="stable")]


def near_miss_rows(designation: Designation) -> Rows:
    """Row numbers of the near misses, the nearest first."""
    rows = np.flatnonzero(designation.near_miss)
    return rows[np.argsort(-margin(designation)[rows], kind="stable")]


def worst_areas(results: Results, index: str, n: int) -> Shown:
    """Show the areas that rank first on an index."""
    found = results.scores[index]
    ranks = found.rank
    rows = np.argsort(np.nan_to_num(ranks, nan=np.inf), kind="stable")[:n]
    rows = rows[~np.isnan(ranks[rows])]
    columns = [("Rank", _whole(ranks[rows])), *_who(results, rows)]
    columns.append(("Score", pl.Series(found.score[rows])))
    columns += [
        (f"{index_label(results, path)}: rank", _whole(found.rank_of(path)[rows]))
        for path in found.domains
    ]
    return _framed(columns)


def by_tier(results: Results, name: str, tier: Tier, everyone: bool = False) -> Shown:
    """Count, for each larger area, who is selected; those with most first.

    Parameters
    ----------
    everyone
        Whether to list larger areas with neither selected areas nor near misses.
    """
    d, p = results.designations[name], probability(results, name)
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
    if not everyone:
        table = table.filter((pl.col("selected") > 0) | (pl.col("near") > 0))
    share = "Share selected"
    columns = [
        (tier.header, table["name"]),
        ("Code", table["code"]),
        (f"All {results.areas.plural}", table["areas"]),
        ("Selected", table["selected"]),
        (share, table["share"]),
        ("People in them", table["people"].round(0).cast(pl.Int64)),
    ]
    if p is not None:
        columns.append(("In at least 95 % of draws", table["sure"]))
    return _framed([*columns, ("Near misses", table["near"])], [share])


def larger_areas(results: Results, only: str | None = None) -> Shown:
    """Show the five summaries of every index for larger areas, and how many are selected."""
    blocks = []
    for tier in tiers(results):
        if only is not None and tier.key != only:
            continue
        base = (
            results.areas.table.drop_nulls(tier.key)
            .group_by(tier.key)
            .agg(
                pl.col(f"{tier.key}_name").first(),
                pl.len().cast(pl.Int64).alias(f"All {results.areas.plural}"),
                pl.col("population").sum().round(0).cast(pl.Int64).alias("Population"),
            )
        )
        block = base.select(
            pl.lit(tier.header).alias("Kind"),
            pl.col(tier.key).alias("Code"),
            pl.col(f"{tier.key}_name").alias("Name"),
            pl.col("^All .*$"),
            "Population",
        ).sort("Code")
        for name, d in results.designations.items():
            taken = results.areas.table.select(Code=tier.key, taken=pl.Series(d.selected))
            header = "Selected" if len(results.designations) == 1 else f"Selected: {name}"
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
    return Shown(
        frame, frozenset(c for c in frame.columns if c.endswith((": proportion", ": extent")))
    )


def areas_in_short(results: Results) -> Shown:
    """Show every area with what is asked for most."""
    columns = _who(results, slice(None))
    for index, scores in list(results.scores.items())[:MOST_INDICES]:
        ranks = scores.rank
        label = index_label(results, index)
        columns += [(f"{label}: rank", _whole(ranks)), (f"{label}: decile", _whole(decile(ranks)))]
    shares = []
    for name, d in results.designations.items():
        start = "" if len(results.designations) == 1 else f"{label_of(results, name)}: "
        state = np.select([d.selected, d.near_miss], ["Selected", "Near miss"], "Not selected")
        columns.append((f"{start}result".capitalize(), pl.Series(state.tolist())))
        columns.append((f"{start}smallest margin".capitalize(), _whole(margin(d))))
        p = probability(results, name)
        if p is not None:
            columns.append((f"{start}probability".capitalize(), pl.Series(p)))
            shares.append(columns[-1][0])
    return _framed(columns, shares)
