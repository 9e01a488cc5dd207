"""The map of an allocation: who gets an award, and who is passed over because of a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.canvas import LAND, OTHER, PLACE, Frame, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.invest.allocation import Allocation

__all__ = ["allocation_map"]

_WIDTH, _HEIGHT, _FOOT = 480.0, 560.0, 60.0
_PART = 0.15
"""Marks within such a part of the land are drawn close up: in a map of a country they would be one dot."""


def allocation_map(
    id_: str,
    allocation: Allocation,
    outline: pl.DataFrame,
    shapes: pl.DataFrame | None = None,
) -> Chart | None:
    """Draw the selected areas as discs and those passed over because of a cap as hollow diamonds.

    Parameters
    ----------
    id_
        Of the drawing.
    allocation
        Who is selected.
    outline
        ``geometry`` (WKB, WGS 84) of the land behind; may be empty.
    shapes
        ``code`` and ``geometry`` of the areas: where all lie close together, the selected are drawn whole.

    Returns
    -------
    Chart or None
        None if it is not known where any of them is.
    """
    import pyproj
    import shapely

    kinds = {"selected": allocation.selected, "passed over": allocation.cost.passed_over}
    table = allocation.areas.table
    lon, lat = (
        table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
    )
    shown = (kinds["selected"] | kinds["passed over"]) & np.isfinite(lon) & np.isfinite(lat)
    if not shown.any():
        return None
    british = bool((np.abs(lon[shown] + 3) < 6).all() and (np.abs(lat[shown] - 55) < 6).all())
    plane = (
        "EPSG:27700"
        if british
        else f"+proj=laea +lat_0={lat[shown].mean():.3f} +lon_0={lon[shown].mean():.3f}"
    )
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True).transform
    land = shapely.transform(
        shapely.from_wkb(outline["geometry"].drop_nulls().to_list()), to_metres, interleaved=False
    )
    points = np.column_stack(to_metres(lon, lat))
    marked = (*points[shown].min(axis=0), *points[shown].max(axis=0))
    whole = shapely.total_bounds(land) if len(land) else marked
    near = _across(marked) < _PART * _across(whole)
    west, south, east, north = marked if near else whole
    pad = (0.25 if near else 0.03) * max(east - west, north - south, 1000.0)
    box = (west - pad, south - pad, east + pad, north + pad)
    if near:
        box = _filling(box)
        land = shapely.clip_by_rect(land, *box)
        land = land[~shapely.is_empty(land)]
    frame = Frame(box, _WIDTH, _HEIGHT)
    parts = [f'<rect width="{_WIDTH:g}" height="{_HEIGHT:g}" fill="#fff"/>']
    parts += [frame.path(s, f'fill="{LAND}" stroke="#fff" stroke-width="0.6"', 0.7) for s in land]
    if near and shapes is not None:
        codes = np.array(allocation.areas.codes)[allocation.selected].tolist()
        inside = shapes.filter(pl.col("code").is_in(codes))["geometry"].drop_nulls().to_list()
        drawn = shapely.transform(shapely.from_wkb(inside), to_metres, interleaved=False)
        style = f'fill="{PLACE}" fill-opacity="0.25" stroke="{PLACE}" stroke-width="0.8"'
        parts += [frame.path(s, style, 0.7) for s in shapely.clip_by_rect(drawn, *box)]
    counts = {kind: int((which & shown).sum()) for kind, which in kinds.items()}
    for kind in ("passed over", "selected"):
        at = frame.at(points[np.flatnonzero(kinds[kind] & shown)])
        parts += [_mark(kind, x, y) for x, y in at]
    parts += _legend(counts, frame)
    plural = allocation.areas.plural
    title = f"Where the {counts['selected']:,} selected {plural} are"
    over = counts["passed over"]
    about = f"Map. Selected: {counts['selected']:,} {plural}" + (
        f"; passed over because of a cap: {over:,}." if over else "."
    )
    numbers = Shown(
        pl.DataFrame({"What": list(counts), plural.capitalize(): list(counts.values())})
    )
    return Chart(id_, title, about, svg(id_, title, about, _WIDTH, _HEIGHT + _FOOT, parts), numbers)


def _across(box: Sequence[float]) -> float:
    """Longer side of west, south, east, north."""
    return float(max(box[2] - box[0], box[3] - box[1]))


def _filling(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Widen or heighten a box about its middle to the proportions of the drawing."""
    west, south, east, north = box
    width = max(east - west, (north - south) * _WIDTH / _HEIGHT)
    height = width * _HEIGHT / _WIDTH
    x, y = (west + east) / 2, (south + north) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _mark(kind: str, x: float, y: float, r: float = 3.4) -> str:
    if kind == "selected":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="{PLACE}" stroke="#fff" stroke-width="0.5"/>'
    d = r + 0.8
    return (
        f'<path d="M{x:.1f} {y - d:.1f}l{d:g} {d:g}l{-d:g} {d:g}l{-d:g} {-d:g}z" fill="#fff" '
        f'stroke="{OTHER}" stroke-width="1.6"/>'
    )


def _legend(counts: dict[str, int], frame: Frame) -> Iterator[str]:
    words = {"selected": "Selected", "passed over": "Passed over because of a cap"}
    y = _HEIGHT + 16
    for kind in [k for k, n in counts.items() if n]:
        yield _mark(kind, 11, y - 5, 5)
        yield text(28, y, f"{words[kind]}: {counts[kind]:,}", 13)
        y += 21
    yield frame.scale_bar(_WIDTH - 2, _HEIGHT + 16)
