"""How indices moved over the years of a panel: in words, as tables, as a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.chart.rows import Row, row_chart
from commonweal.chart.theme import BLUE, DOT, Mark, hollow, round_axis, short_number
from commonweal.chart.vega import dots
from commonweal.document.format import shorten
from commonweal.document.model import TableData, table_from_columns, whole_numbers
from commonweal.index.trends import movers
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.document.model import Chart
    from commonweal.index.panel import BaseYear
    from commonweal.study.results import Results


MOST = 10
"""Areas that are named among those that rose most, and among those that fell most."""
_BEFORE = Mark("circle", hollow(BLUE, 2))


def trend_words(results: Results, index: str) -> list[str]:
    """Say in sentences how an index changed, on what scale, and what the change is made of."""
    found = results.trends[index]
    earlier, later = found.compared
    change, plural = found.change, results.areas.plural
    states = found.state
    text = (
        f"Between {earlier} and {later}, on the scale of {scale_of(found.scores.base)}, need rose in "
        f"{_counted(int((change > 0).sum()), results)} and fell in {_counted(int((change < 0).sum()), results)}."
    )
    if came := states.count("enters"):
        text += f" {came:,} have a score only in {later}."
    if went := states.count("leaves"):
        text += f" {went:,} have a score only in {earlier}."
    told = [text]
    if found.scores.base != found.scores.years[-1]:
        told.append(
            f"Elsewhere in this report {found.scores.years[-1]} is on its own scale, so ranks there can differ "
            "from those here."
        )
    if found.unsplit:
        told.append(f"The change on each year's own scale cannot be calculated: {found.unsplit}.")
    own = found.own.get(index)
    if own is not None and not np.isnan(own.total).all():
        size = {name: float(np.nanmean(np.abs(part))) for name, part in own.parts.items()}
        method = f", the change of method by {size['method']:.1f}" if size["method"] else ""
        told.append(
            f"With each year on its own scale, scores would have changed by "
            f"{float(np.nanmean(np.abs(own.total))):.1f} points on average. New data for the {plural} themselves "
            f"changed them by {size['data']:.1f}{method}, and changes elsewhere by {size['base']:.1f}. These can "
            "offset each other."
        )
    return told


def scale_of(base: BaseYear) -> str:
    """Say what years are measured against."""
    return "all years together" if base == "pooled" else str(base)


def by_year(results: Results, index: str) -> TableData:
    """Show for each year how many areas have a score, the mean, and where the worst 10% begin."""
    scored = results.trends[index].scores
    need = scored.need()
    return TableData(
        pl.DataFrame(
            {
                "Year": [str(year) for year in scored.years],
                f"{results.areas.plural.capitalize()} with a score": (~np.isnan(need)).sum(axis=1),
                "Mean score": np.nanmean(need, axis=1),
                "Worst 10% score above": np.nanquantile(need, 0.9, axis=1),
            }
        )
    )


def moved_most(results: Results, index: str) -> list[tuple[str, TableData]]:
    """Show those whose need rose most, and those whose need fell most: a title and a table each."""
    plural = results.areas.plural.capitalize()
    risen, fallen = movers(_change(results, index), MOST)
    titles = (f"{plural} where need rose most", f"{plural} where need fell most")
    found = zip(titles, (risen, fallen), strict=True)
    return [(title, _rows(results, index, rows)) for title, rows in found if len(rows)]


def all_trends(results: Results, index: str) -> TableData:
    """Show every area that is listed, those whose need rose most first."""
    change, rows = results.trends[index].change, np.flatnonzero(results.focus)
    order = np.argsort(-np.nan_to_num(change[rows], nan=-np.inf), kind="stable")
    return _rows(results, index, rows[order])


def _change(results: Results, index: str) -> NDArray[np.float64]:
    """(n_areas,) change of the areas listed; NaN elsewhere."""
    return np.where(results.focus, results.trends[index].change, np.nan)


def _rows(results: Results, index: str, rows: NDArray[np.intp]) -> TableData:
    found, table = results.trends[index], results.areas.table[rows]
    columns = [("Code", table["code"]), ("Name", table["name"])]
    years = found.scores.years
    needs, ranks = found.scores.need(), found.scores.rank()
    columns.append(("Change", pl.Series(found.change[rows]).fill_nan(None)))
    columns.append(
        ("Mostly because of", pl.Series(_drivers(results, index, rows), dtype=pl.String))
    )
    columns += [(f"Score {y}", pl.Series(need[rows])) for y, need in zip(years, needs, strict=True)]
    columns += [
        (f"Rank {y}", whole_numbers(rank[rows])) for y, rank in zip(years, ranks, strict=True)
    ]
    return table_from_columns(
        [(head, s.fill_nan(None) if s.dtype == pl.Float64 else s) for head, s in columns]
    )


def _drivers(results: Results, index: str, rows: NDArray[np.intp]) -> list[str]:
    """Name for each of some areas the part of the index that did most of its change."""
    found = results.trends[index]
    parts = {path: points for path, points in found.drivers.items() if path.count("/") == 1}
    told = []
    for row in rows:
        change = found.change[row]
        same = {path: points[row] for path, points in parts.items() if points[row] * change > 0}
        if not same:
            told.append("—")
            continue
        path = max(same, key=lambda p: abs(same[p]))
        told.append(f"{index_label(results, path)} ({same[path]:+.1f})")
    return told


def trend_data(results: Results, index: str, row: int) -> dict[str, Any]:
    """Give how one area moved as plain data."""
    found = results.trends[index]

    def number(x: float) -> float | None:
        return float(x) if np.isfinite(x) else None

    years = zip(found.scores.years, found.scores.need(), found.scores.rank(), strict=True)
    return {
        "base": found.scores.base,
        "years": {
            str(year): {"score": number(need[row]), "rank": number(ranks[row])}
            for year, need, ranks in years
        },
        "compared": list(found.compared),
        "change": number(found.change[row]),
        "by": {
            path.split("/", 1)[1].replace("/", "."): number(points[row])
            for path, points in found.drivers.items()
        },
    }


def trend_chart(results: Results, index: str) -> Chart | None:
    """Draw the scores in the two years compared of those that moved most; None if nobody did."""
    found = results.trends[index]
    earlier, later = found.compared
    risen, fallen = movers(_change(results, index), MOST)
    moved = np.concatenate([risen, fallen[::-1]])
    if len(moved) == 0:
        return None
    at = [found.scores.years.index(year) for year in found.compared]
    ends, table = found.scores.need()[at][:, moved], results.areas.table[moved]
    change = ends[1] - ends[0]
    names = [n or c for n, c in zip(table["name"].to_list(), table["code"].to_list(), strict=True)]
    label = index_label(results, index)
    title = f"{label}, {earlier} to {later}: need rose most in {names[0]} ({change[0]:+.1f})" if len(risen) else (
        f"{label}, {earlier} to {later}: need fell most in {names[-1]} ({change[-1]:+.1f})"
    )  # fmt: skip
    about = (
        f"The {len(risen)} whose need rose most and the {len(fallen)} whose need fell most. Hollow dot: the score in "
        f"{earlier}. Solid dot: the score in {later}. Both are on the scale of {scale_of(found.scores.base)}; "
        "further right is greater need."
    )
    heads = (results.areas.singular.capitalize(), f"Score {earlier}", f"Score {later}")
    frame = pl.DataFrame(
        {
            heads[0]: names,
            "Code": table["code"],
            heads[1]: ends[0],
            heads[2]: ends[1],
            "Change": change,
        }
    )
    rows = [
        Row(shorten(name, 36), marks=((a, _BEFORE), (b, DOT)), span=(a, b))
        for name, a, b in frame.select(heads).iter_rows()
    ]
    return row_chart(
        f"trend-{index}", title, about, rows, TableData(frame), dots(*heads),
        round_axis(ends.ravel().tolist(), short_number, "Score"),
        [(_BEFORE, str(earlier)), (DOT, str(later))],
    )  # fmt: skip


def _counted(n: int, results: Results) -> str:
    return f"{n:,} {results.areas.singular if n == 1 else results.areas.plural}"
