"""A chart of small-area estimates: every neighbourhood in order, with the band of its interval."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown

if TYPE_CHECKING:
    from commonweal.areas import Areas
    from commonweal.social_capital.neighbourhoods import Estimates

__all__ = ["band_chart"]

_LEFT, _TOP, _WIDE, _HIGH = 60, 16, 620, 260
_POINTS = 200
_PLACES = (0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1)


def band_chart(e: Estimates, areas: Areas, level: float) -> Chart:
    """Draw the estimates from the lowest to the highest, each with its interval."""
    order = np.argsort(e.estimate, kind="stable")
    n = len(order)
    picked = order[np.unique(np.linspace(0, n - 1, min(n, _POINTS)).astype(int))]
    x = _LEFT + _WIDE * np.linspace(0, 1, len(picked))
    low, high = (0.0, 1.0) if e.share else (float(e.lower.min()), float(e.upper.max()))
    span = (high - low) or 1.0

    def y(values: np.ndarray) -> np.ndarray:
        return np.asarray(_TOP + _HIGH * (1 - (values - low) / span))

    def path(ys: np.ndarray, xs: np.ndarray) -> str:
        return " ".join(f"{a:.1f} {b:.1f}" for a, b in zip(xs, ys, strict=True))

    # Intervals of neighbours in the order differ in width: the band is their running median.
    upper, lower = _smooth(e.upper[picked]), _smooth(e.lower[picked])
    band = f"M{path(y(upper), x)} L{path(y(lower)[::-1], x[::-1])}Z"
    parts = []
    for tick in np.linspace(low, high, 5):
        at = float(y(np.array([tick]))[0])
        told = f"{100 * tick:.0f} %" if e.share else f"{tick:.2g}"
        parts.append(
            f'<path class="grid" d="M{_LEFT} {at:.1f}h{_WIDE}" fill="none" stroke="#c9d0d6"/>'
        )
        parts.append(
            f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" font-size="13">{told}</text>'
        )
    title = f"{e.label}: every {areas.singular}, from the lowest estimate to the highest"
    id_ = f"estimates-{e.outcome.replace('_', '-')}"
    bottom = _TOP + _HIGH + 30
    svg = (
        f'<svg class="chart" role="img" aria-labelledby="{id_}-title" viewBox="0 0 700 {bottom}" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{id_}-title">{escape(title)}</title>'
        f'<path d="{band}" fill="#9cc7cc" stroke="none"/>{"".join(parts)}'
        f'<path d="M{path(y(e.estimate[picked]), x)}" fill="none" stroke="#0b5c66" stroke-width="3"/>'
        f'<text class="tick" x="{_LEFT}" y="{bottom - 8}" font-size="13">lowest estimate</text>'
        f'<text class="tick" x="{_LEFT + _WIDE}" y="{bottom - 8}" text-anchor="end" font-size="13">highest</text></svg>'
    )
    rows = order[[round(q * (n - 1)) for q in _PLACES]]
    words = ["lowest", *(f"{100 * q:.0f} % are lower" for q in _PLACES[1:-1]), "highest"]
    headers = ("Estimate", "Lower", "Upper")
    numbers = Shown(
        pl.DataFrame(
            {
                "Place in the order": words,
                areas.singular.capitalize(): areas.table["name"].gather(rows),
                **{
                    h: v[rows] for h, v in zip(headers, (e.estimate, e.lower, e.upper), strict=True)
                },
            }
        ),
        frozenset(headers) if e.share else frozenset(),
    )
    about = (
        f"The line is the estimate, the band its interval of {100 * level:.0f} % (smoothed along the order). Where the "
        f"band is wide against the slope of the line, the order of {areas.plural} says little."
    )
    return Chart(id_, title, about, svg, numbers)


def _smooth(values: np.ndarray, reach: int = 5) -> np.ndarray:
    padded = np.pad(values, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.median(windows, axis=1))
