"""What holds places back: the part of an index that puts in most, and the indicator in it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown, framed
from commonweal.document.words import joined, percent
from commonweal.index import decile
from commonweal.report.study.leading import leading, parts_tested
from commonweal.study.names import counted_areas, index_label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.report.study.leading import Paths
    from commonweal.study.results import Results

__all__ = ["HeldBack", "held_back"]

_COUNT, _SHARE, _DECILE = "Held back most", "Share", "Mean decile"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What holds the selected areas back on one index.

    Attributes
    ----------
    label
        The name of the index.
    words
        The same as its chart, in a sentence.
    parts
        A chart of the parts, with its numbers.
    indicators
        The indicators in each part; None where the parts are the indicators.
    """

    label: str
    words: str
    parts: Chart
    indicators: Shown | None


def held_back(results: Results, name: str) -> list[HeldBack]:
    """Say what holds the selected areas of a designation back, for each index that it tests."""
    inside = results.listed(name).selected
    if not inside.any():
        return []
    return [
        _of_index(results, index, inside, f"holds-{name}-{number}")
        for number, index in enumerate(parts_tested(results, name), start=1)
    ]


def _of_index(results: Results, index: str, inside: NDArray[np.bool_], id_: str) -> HeldBack:
    scores, label = results.scores[index], index_label(results, index)
    most = leading(scores)[inside]
    parts = sorted(scores.domains, key=lambda path: -int((most == path).sum()))
    numbers = _counted(results, scores, parts, most, inside, "Part")
    n = int(inside.sum())
    shares = [(part, f"{c:,} ({percent(s)})") for part, c, s, _ in numbers.frame.rows() if c][:3]
    some = [
        f"{part} {told}" if k else f"{part} holds {told} back most"
        for k, (part, told) in enumerate(shares)
    ]
    words = f"Of the {counted_areas(n, results.areas)} on the list, {joined(some)}."
    title = f"{label}: what holds {results.areas.plural} back most"
    about = (
        f"{words} It is the part that contributes most to the score, weights counted. Mean deciles are those "
        f"of all on the list: 1 is the tenth of {results.areas.plural} with most need, 5.5 the middle."
    )
    chart = Chart(id_, title, about, _bars(id_, title, numbers.frame), numbers)
    if not any(scores.part(path).domains for path in parts):
        return HeldBack(label, words, chart, None)
    return HeldBack(label, words, chart, _indicators(results, scores, parts, inside))


def _indicators(
    results: Results, scores: Scores, parts: list[str], inside: NDArray[np.bool_]
) -> Shown:
    """Count, for each indicator, the selected areas where it puts most into its part."""
    blocks = []
    for path in parts:
        part = scores.part(path)
        most = leading(part, deep=True)[inside]
        leaves = [p for p, node in part.tree.walk(path) if not node.children]
        leaves.sort(key=lambda leaf: -int((most == leaf).sum()))
        frame = _counted(results, part, leaves, most, inside, "Indicator").frame
        blocks.append(frame.insert_column(1, pl.lit(index_label(results, path)).alias("Part")))
    return Shown(pl.concat(blocks), frozenset([_SHARE]))


def _counted(
    results: Results,
    scores: Scores,
    paths: list[str],
    most: Paths,
    inside: NDArray[np.bool_],
    head: str,
) -> Shown:
    n = [int((most == path).sum()) for path in paths]
    deciles = [decile(scores.rank_of(path))[inside] for path in paths]
    means = [float(np.nanmean(d)) if np.isfinite(d).any() else None for d in deciles]
    columns = [
        (head, pl.Series([index_label(results, path) for path in paths])),
        (_COUNT, pl.Series(n)),
        (_SHARE, pl.Series([k / len(most) for k in n])),
        (_DECILE, pl.Series(means, dtype=pl.Float64)),
    ]
    return framed(columns, [_SHARE])


def _bars(id_: str, title: str, numbers: pl.DataFrame) -> str:
    wide, row = 230, 60
    scale = wide / max(1, *numbers[_COUNT])
    drawn = []
    for k, (part, n, _, mean) in enumerate(numbers.iter_rows()):
        y = k * row
        told = f"{n:,}" + (f"; mean decile {mean:.1f}" if mean is not None else "")
        drawn.append(
            f'<text class="row" x="0" y="{y + 18}">{escape(part)}</text>'
            f'<rect class="in" x="0" y="{y + 25}" width="{n * scale:.1f}" height="22"/>'
            f'<text class="row" x="{n * scale + 8:.1f}" y="{y + 41}">{told}</text>'
        )
    return (
        f'<svg class="chart slim" role="img" aria-labelledby="{id_}-title" viewBox="0 0 420 {len(drawn) * row}" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{id_}-title">{escape(title)}</title>{"".join(drawn)}</svg>'
    )
