"""The drivers of a score: which domain of an index, and which indicator in it, adds most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.chart.rows import Bar, Row, row_chart
from commonweal.chart.theme import BLUE, solid
from commonweal.chart.vega import bars
from commonweal.document.format import join_words, percent
from commonweal.document.model import TableData, table_from_columns
from commonweal.index import decile
from commonweal.study.names import counted_areas, index_label

if TYPE_CHECKING:
    from commonweal.document.model import Chart
    from commonweal.index import Scores
    from commonweal.study.results import Results


DRIVERS = "What adds most to the score of the {areas} on the list: {domains}."
DRIVERS_ABOUT = "{words} The mean decile is that of all on the list: 1 is the worst 10% of {plural}, 5.5 the middle."

Paths: TypeAlias = NDArray[np.object_]
"""(n_areas,) paths of nodes, '' where none is known."""


def top_contributors(scores: Scores, deep: bool = False) -> Paths:
    """Find the part of an index that contributes most to each area's score.

    Gives (n_areas,) paths.
    """
    found: Paths = np.full(len(scores.codes), "", dtype=object)
    if not scores.domains:
        found[:] = scores.index
        return found
    put_in = np.column_stack(list(scores.contributions.values()))
    known = ~np.isnan(put_in).all(axis=1)
    most = np.argmax(np.nan_to_num(put_in, nan=-np.inf), axis=1)
    for k, path in enumerate(scores.domains):
        here = known & (most == k)
        found[here] = top_contributors(scores.part(path), deep=True)[here] if deep else path
    return found


def parts_tested(results: Results, name: str) -> list[str]:
    """Name the indices that a designation tests of which several parts have a share of their own."""
    tested = (t.condition.index.split(".")[0] for t in results.designations[name].tested)
    return [i for i in dict.fromkeys(tested) if has_parts(results.scores[i])]


def has_parts(scores: Scores) -> bool:
    """Whether an index has several domains, and what they contribute is known."""
    return len(scores.domains) > 1 and not np.isnan(list(scores.contributions.values())).all()


def main_driver_labels(results: Results, name: str, rows: NDArray[np.intp]) -> list[str] | None:
    """Name the domain that adds most to the score of each of some areas, on the first index that has domains."""
    indices = parts_tested(results, name)
    if not indices:
        return None
    return [
        index_label(results, p) if p else ""
        for p in top_contributors(results.scores[indices[0]])[rows]
    ]


_COUNT, _SHARE, _DECILE = "Adds most in", "Share", "Mean decile"


@dataclass(frozen=True, slots=True)
class DriverSummary:
    """What adds most to the scores of the areas on the list, on one index."""

    label: str  # the name of the index
    words: str  # the same as its chart, in a sentence
    parts: Chart  # a chart of the parts, with its numbers
    # the indicators in each part; None where the parts are the indicators
    indicators: TableData | None


def summarise_drivers(results: Results, name: str) -> list[DriverSummary]:
    """Say what adds most to the scores of the areas on a list, for each index that the rule tests."""
    inside = results.designation_in_focus(name).selected
    if not inside.any():
        return []
    return [
        _of_index(results, index, inside, f"drivers-{name}-{number}")
        for number, index in enumerate(parts_tested(results, name), start=1)
    ]


def _of_index(results: Results, index: str, inside: NDArray[np.bool_], id_: str) -> DriverSummary:
    scores, label = results.scores[index], index_label(results, index)
    most = top_contributors(scores)[inside]
    parts = sorted(scores.domains, key=lambda path: -int((most == path).sum()))
    numbers = _counted(results, scores, parts, most, inside, "Domain")
    n = int(inside.sum())
    shares = [(part, f"{c:,} ({percent(s)})") for part, c, s, _ in numbers.frame.rows() if c][:3]
    some = [f"{part} in {told}" for part, told in shares]
    words = DRIVERS.format(areas=counted_areas(n, results.areas), domains=join_words(some))
    first, count, share, _ = numbers.frame.row(0)
    title = f"{label}: {first} adds most to the score in {count:,} of {n:,} ({percent(share)})"
    rows = [
        Row(part, (Bar(0, c, solid(BLUE)),), after=f"{c:,}" + (f"; mean decile {mean:.1f}" if mean is not None else ""))
        for part, c, _, mean in numbers.frame.iter_rows()
    ]  # fmt: skip
    about = DRIVERS_ABOUT.format(words=words, plural=results.areas.plural)
    chart = row_chart(id_, title, about, rows, numbers, bars("Domain", _COUNT))
    if not any(scores.part(path).domains for path in parts):
        return DriverSummary(label, words, chart, None)
    return DriverSummary(label, words, chart, _indicators(results, scores, parts, inside))


def _indicators(
    results: Results, scores: Scores, parts: list[str], inside: NDArray[np.bool_]
) -> TableData:
    """Count, for each indicator, the selected areas where it puts most into its part."""
    blocks = []
    for path in parts:
        part = scores.part(path)
        most = top_contributors(part, deep=True)[inside]
        leaves = [p for p, node in part.tree.walk(path) if not node.children]
        leaves.sort(key=lambda leaf: -int((most == leaf).sum()))
        frame = _counted(results, part, leaves, most, inside, "Indicator").frame
        blocks.append(frame.insert_column(1, pl.lit(index_label(results, path)).alias("Domain")))
    return TableData(pl.concat(blocks), frozenset([_SHARE]))


def _counted(
    results: Results,
    scores: Scores,
    paths: list[str],
    most: Paths,
    inside: NDArray[np.bool_],
    head: str,
) -> TableData:
    n = [int((most == path).sum()) for path in paths]
    deciles = [decile(scores.rank_of(path))[inside] for path in paths]
    means = [float(np.nanmean(d)) if np.isfinite(d).any() else None for d in deciles]
    columns = [
        (head, pl.Series([index_label(results, path) for path in paths])),
        (_COUNT, pl.Series(n)),
        (_SHARE, pl.Series([k / len(most) for k in n])),
        (_DECILE, pl.Series(means, dtype=pl.Float64)),
    ]
    return table_from_columns(columns, [_SHARE])
