"""Charts as SVG, each with its numbers as a table; no outside request."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown
from commonweal.report.study.tables import probability
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.designation import Designation, Tested
    from commonweal.study.results import Results

__all__ = [
    "probability_chart",
    "rank_charts",
]

_BINS = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
_AROUND = 15


def probability_chart(results: Results, name: str) -> Chart | None:
    """Count areas by how often they are selected; None without draws."""
    p = probability(results, name)
    if p is None:
        return None
    d, here = results.listed(name), results.focus
    words, inside, outside = [], [], []
    for low, high in pairwise(_BINS):
        last = high == _BINS[-1]
        at = (p >= low) & ((p <= high) if last else (p < high))
        words.append(f"{low:.0%} to {high:.0%}".replace("%", " %"))
        inside.append(int((at & d.selected).sum()))
        outside.append(int((at & here & ~d.selected).sum()))
    plural = results.areas.plural
    numbers = Shown(
        pl.DataFrame({"Share of draws": words, "Selected": inside, "Not selected": outside})
    )
    title = f"How often {plural} are selected when the choices vary"
    about = (
        f"Each bar counts {plural} by the share of draws in which they are selected. Filled: selected by the "
        f"rule as it stands. Striped: not selected. {plural.capitalize()} under 5 % are left out."
    )
    return Chart(
        f"chance-{name}",
        title,
        about,
        _bars(f"chance-{name}", title, words, inside, outside),
        numbers,
    )


def _bars(id_: str, title: str, words: list[str], inside: list[int], outside: list[int]) -> str:
    left, wide, row = 120, 460, 40
    most = max(1, *(a + b for a, b in zip(inside, outside, strict=True)))
    scale = wide / most
    parts = []
    for k, (word, a, b) in enumerate(zip(words, inside, outside, strict=True)):
        y = 10 + k * row
        parts.append(
            f'<text class="row" x="{left - 10}" y="{y + 20}" text-anchor="end">{word}</text>'
        )
        parts.append(f'<rect class="in" x="{left}" y="{y}" width="{a * scale:.1f}" height="28"/>')
        if b:
            parts.append(
                f'<rect class="out" fill="url(#{id_}-stripes)" x="{left + a * scale:.1f}" y="{y}" '
                f'width="{b * scale:.1f}" height="28"/>'
            )
        told = f"{a:,}" + (f" + {b:,}" if b else "")
        parts.append(
            f'<text class="row" x="{left + (a + b) * scale + 8:.1f}" y="{y + 20}">{told}</text>'
        )
    bottom = 10 + len(words) * row + 40
    key = bottom - 26
    return (
        f'<svg class="chart" role="img" aria-labelledby="{id_}-title" viewBox="0 0 700 {bottom}" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{id_}-title">{escape(title)}</title>'
        f'<defs><pattern id="{id_}-stripes" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="7" height="7" class="stripe-ground"/>'
        f'<rect width="3" height="7" class="stripe"/></pattern></defs>{"".join(parts)}'
        f'<rect class="in" x="{left}" y="{key}" width="18" height="18"/>'
        f'<text class="row" x="{left + 26}" y="{key + 15}">Selected</text>'
        f'<rect class="out" fill="url(#{id_}-stripes)" x="{left + 130}" y="{key}" width="18" height="18"/>'
        f'<text class="row" x="{left + 156}" y="{key + 15}">Not selected</text></svg>'
    )


def rank_charts(results: Results, name: str) -> Iterator[Chart]:
    """Show rank intervals of the areas around each cut-off that the draws moved ranks across."""
    sure = results.certainty.get(name)
    if sure is None:
        return
    d = results.designations[name]
    for number, tested in enumerate(d.tested, start=1):
        c = tested.condition
        if c.worst is None or c.within or c.among or c.path not in sure.ranks:
            continue  # only there do ranks and cut-off count the same areas
        rows = _around(d, tested, results.focus)
        if len(rows) == 0:
            continue
        label = index_label(results, c.index)
        cut = float(tested.cut[0])
        title = f"Who stands around the cut-off: {label}"
        about = (
            f"The last {_AROUND} inside and the first {_AROUND} outside, of those that this cut-off decides "
            f"about. The dot is the rank as it stands, filled inside and hollow outside; the line runs "
            f"from the rank at 5 % to that at 95 % of the draws. The upright line is the cut-off, after "
            f"rank {cut:,.0f}."
        )
        ranks = sure.ranks[c.path][rows]
        names = [n or c_ for n, c_ in zip(
            results.areas.table["name"][rows].to_list(), results.areas.table["code"][rows].to_list(), strict=True
        )]  # fmt: skip
        now = tested.rank[rows]
        id_ = f"ranks-{name}-{number}"
        numbers = Shown(
            pl.DataFrame(
                {
                    results.areas.singular.capitalize(): names,
                    "Code": results.areas.table["code"][rows].to_list(),
                    "Rank": now.astype(np.int64),
                    "Rank at 5 % of draws": np.rint(ranks[:, 0]).astype(np.int64),
                    "Rank at 95 % of draws": np.rint(ranks[:, 2]).astype(np.int64),
                    "Side": np.where(tested.passes[rows], "inside", "outside").tolist(),
                }
            )
        )
        yield Chart(id_, title, about, _intervals(id_, title, names, now, ranks, cut), numbers)


def _around(d: Designation, tested: Tested, here: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Find the nearest areas listed on each side of a cut-off, of those for which it alone decides."""
    path = tested.condition.path
    decided = np.zeros(len(d.areas), dtype=bool)
    for child, needed in d.changes.items():
        if child == path or child.startswith(f"{path}/"):
            decided |= ~np.isnan(needed)
    decided &= here
    inside = np.flatnonzero(decided & tested.passes & (tested.places > 0))
    outside = np.flatnonzero(decided & ~tested.passes & (tested.places < 0))
    inside = inside[np.argsort(tested.places[inside], kind="stable")][:_AROUND][::-1]
    outside = outside[np.argsort(-tested.places[outside], kind="stable")][:_AROUND]
    return np.concatenate([inside, outside])


def _intervals(
    id_: str,
    title: str,
    names: list[str],
    now: NDArray[np.float64],
    ranks: NDArray[np.float64],
    cut: float,
) -> str:
    left, wide, row, top = 260, 470, 20, 34
    high = _round_up(float(max(ranks[:, 2].max(), now.max(), cut)))
    scale = wide / high
    parts = []
    for tick in np.linspace(0, high, 5):
        x = left + tick * scale
        parts.append(f'<path class="grid" d="M{x:.1f} {top - 6}v{row * len(names) + 8}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{top - 14}" text-anchor="middle">{tick:,.0f}</text>'
        )
    for k, (name, here, (low, _, far)) in enumerate(zip(names, now, ranks, strict=True)):
        y = top + k * row + row / 2
        side = "in" if here <= cut else "out"
        short = name if len(name) <= 36 else f"{name[:17]}…{name[-17:]}"
        parts.append(
            f'<text class="tick" x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{escape(short)}</text>'
        )
        parts.append(
            f'<path class="span" d="M{left + low * scale:.1f} {y:.0f}H{left + far * scale:.1f}"/>'
        )
        parts.append(
            f'<circle class="{side}" cx="{left + here * scale:.1f}" cy="{y:.0f}" r="4.5"/>'
        )
    x = left + (cut + 0.5) * scale
    parts.append(f'<path class="cut" d="M{x:.1f} {top - 6}v{row * len(names) + 8}"/>')
    bottom = top + row * len(names) + 34
    parts.append(
        f'<text class="row" x="{x:.1f}" y="{bottom - 12}" text-anchor="middle">cut-off {cut:,.0f}</text>'
    )
    return (
        f'<svg class="chart" role="img" aria-labelledby="{id_}-title" viewBox="0 0 760 {bottom}" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{id_}-title">{escape(title)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _round_up(value: float) -> float:
    """Give a round number just above, that quarters evenly."""
    power = 10 ** np.floor(np.log10(max(value, 1.0)))
    return float(
        next(k * power for k in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if k * power >= value)
    )
