"""The tables of an overview: who is on the list, near misses, people, authorities, strands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.numbers import FEWEST_PEOPLE
from commonweal.document.table import Shown, framed, whole
from commonweal.document.words import ordinal
from commonweal.report.place.say import condition_words, in_running_text
from commonweal.report.study.extra import extra_columns
from commonweal.report.study.tables import changes_in_words, margin, probability
from commonweal.study.names import authority, index_label, larger_name, parent_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.designation import Designation
    from commonweal.study.results import Results

    Rows = NDArray[np.intp]

__all__ = ["by_authority", "listed", "people_table", "shown_people"]

_FEW = f"fewer than {FEWEST_PEOPLE}"


def shown_people(n: float) -> str:
    """Say a number of people; small ones are not shown."""
    if np.isnan(n):
        return "not known"
    return f"{n:,.0f}" if n >= FEWEST_PEOPLE or n == 0 else _FEW


def listed(results: Results, name: str, rows: Rows, full: bool = False) -> Shown:
    """Show places with their ranks as intervals, margin and probability, in the order given.

    Parameters
    ----------
    results, name
        A run, and one of its designations.
    rows
        Which places.
    full
        Whether to add the code, and what would change the answer.
    """
    d, p = results.designations[name], probability(results, name)
    table = results.areas.table[rows]
    first = authority(results)
    columns = [("Place", table["name"].fill_null(table["code"]))]
    if full:
        columns.append(("Code", table["code"]))
    if first and (full or table[first].n_unique() > 1):
        columns.append((parent_words(first)[0].capitalize(), table[f"{first}_name"]))
    residents = table["population"].fill_null(np.nan).to_numpy()
    people = len(columns)
    columns.append(("People", pl.Series([shown_people(n) for n in residents], dtype=pl.String)))
    for t in d.tested:
        label = index_label(results, t.condition.index)
        texts = _intervals(results, name, t.condition.index, t.rank, rows)
        columns.append((f"{label}: rank", pl.Series(texts, dtype=pl.String)))
    columns.append(("Margin in places", whole(margin(d)[rows])))
    shares = []
    if p is not None:
        columns.append(("Share of runs", pl.Series(p[rows])))
        shares.append("Share of runs")
    if full:
        texts = changes_in_words(results, d, rows)
        columns.append(("What would change it", pl.Series(texts, dtype=pl.String)))
    columns += extra_columns(results, rows)
    return framed(columns, shares, (people,))


def _intervals(
    results: Results, name: str, index: str, ranks: NDArray[np.float64], rows: Rows
) -> list[str]:
    sure = results.certainty.get(name)
    known = None if sure is None else sure.ranks.get(index)
    texts = []
    for row in rows.tolist():
        if np.isnan(ranks[row]):
            texts.append("no rank")
        elif known is None or np.isnan(known[row, 0]):
            texts.append(f"about {ordinal(ranks[row])}")
        else:
            low, high = ordinal(known[row, 0]), ordinal(known[row, 2])
            texts.append(low if low == high else f"{low} to {high}")
    return texts


def people_table(results: Results, d: Designation, rows: Rows) -> Shown:
    """Count places and people on the list, and those in need who are not on it."""
    here = np.zeros(len(results.areas), dtype=bool)
    here[rows] = True
    groups = [("On the list", d.selected & here), ("Near misses", d.near_miss & here)]
    for t in d.tested:
        what = in_running_text(index_label(results, t.condition.index))
        joint = "on" if what.startswith("the ") else "for"
        words = f"In the {condition_words(t.condition)} {joint} {what}, but not on the list"
        groups.append((words, t.passes & ~d.selected & here))
    groups.append(("All", here))
    residents = results.areas.population
    counts = [
        (words, int(at.sum()), shown_people(float(residents[at].sum()))) for words, at in groups
    ]
    schema = {"Group": pl.String, results.areas.plural.capitalize(): pl.Int64, "People": pl.String}
    table = pl.DataFrame(counts, schema=schema, orient="row")
    return Shown(table, counts=frozenset({"People"}))


def by_authority(results: Results, d: Designation, rows: Rows) -> Shown | None:
    """Count by authority, those with most first; None where there is one or none."""
    first = authority(results)
    if first is None:
        return None
    table = (
        results.areas.table[rows]
        .select(code=first, name=f"{first}_name", people="population")
        .with_columns(selected=pl.Series(d.selected[rows]), near=pl.Series(d.near_miss[rows]))
        .drop_nulls("code")
    )
    inside = pl.col("people").filter(pl.col("selected"))
    counts = (
        table.group_by("code")
        .agg(
            pl.col("name").first(),
            selected=pl.col("selected").sum().cast(pl.Int64),
            near=pl.col("near").sum().cast(pl.Int64),
            areas=pl.len().cast(pl.Int64),
            people=pl.when(inside.null_count() > 0).then(None).otherwise(inside.sum()),
        )
        .sort(["selected", "near", "name", "code"], descending=[True, True, False, False])
    )
    if len(counts) < 2:
        return None
    counts = counts.filter((pl.col("selected") > 0) | (pl.col("near") > 0))
    residents = [shown_people(float("nan") if n is None else n) for n in counts["people"]]
    named = [larger_name(results.areas, first, *pair) for pair in counts["code", "name"].rows()]
    return framed(
        [
            (parent_words(first)[0].capitalize(), pl.Series(named, dtype=pl.String)),
            (f"All {results.areas.plural}", counts["areas"]),
            ("On the list", counts["selected"]),
            ("People in them", pl.Series(residents, dtype=pl.String)),
            ("Near misses", counts["near"]),
        ],
        counts=(3,),  # people, whatever an authority is called
    )
