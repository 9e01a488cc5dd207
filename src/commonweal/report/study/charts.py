"""Charts and the map of a study as SVG, each with its numbers as a table; no outside request."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.document.format import SURE, UNSURE
from commonweal.document.model import Chart, TableData
from commonweal.report.study.tables import ON_THE_LIST, probability, the_list
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.designation import ConditionResult, Designation
    from commonweal.study.results import Results


_BINS = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
_AROUND = 15


def probability_chart(results: Results, name: str) -> Chart | None:
    """Count areas by how often they are on the list; None without recalculations."""
    p = probability(results, name)
    if p is None:
        return None
    d, here = results.designation_in_focus(name), results.focus
    words, inside, outside = [], [], []
    for low, high in pairwise(_BINS):
        last = high == _BINS[-1]
        at = (p >= low) & ((p <= high) if last else (p < high))
        words.append(f"{low:.0%} to {high:.0%}")
        inside.append(int((at & d.selected).sum()))
        outside.append(int((at & here & ~d.selected).sum()))
    plural = results.areas.plural
    numbers = TableData(
        pl.DataFrame({ON_THE_LIST: words, "On the list": inside, "Not on the list": outside})
    )
    title = f"How often {plural} are on the list when assumptions change"
    about = (
        f"Each bar counts {plural} by the share of recalculations in which they are on the list. Solid: on the "
        f"list now. Striped: not on it. {plural.capitalize()} under 5% are left out."
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
        f'<text class="row" x="{left + 26}" y="{key + 15}">On the list</text>'
        f'<rect class="out" fill="url(#{id_}-stripes)" x="{left + 130}" y="{key}" width="18" height="18"/>'
        f'<text class="row" x="{left + 156}" y="{key + 15}">Not on the list</text></svg>'
    )


def rank_charts(results: Results, name: str) -> Iterator[Chart]:
    """Show rank intervals of the areas close to each cut-off where ranks were recalculated."""
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
        title = f"{results.areas.plural.capitalize()} close to the cut-off: {label}"
        about = (
            f"The {_AROUND} just inside and the {_AROUND} just outside, of those whose result this cut-off decides. "
            f"Dot: the rank, solid inside and hollow outside. Line: from the rank at 5% to that at 95% of the "
            f"recalculations. The vertical line is the cut-off, after rank {cut:,.0f}."
        )
        ranks = sure.ranks[c.path][rows]
        names = [n or c_ for n, c_ in zip(
            results.areas.table["name"][rows].to_list(), results.areas.table["code"][rows].to_list(), strict=True
        )]  # fmt: skip
        now = tested.rank[rows]
        id_ = f"ranks-{name}-{number}"
        numbers = TableData(
            pl.DataFrame(
                {
                    results.areas.singular.capitalize(): names,
                    "Code": results.areas.table["code"][rows].to_list(),
                    "Rank": now.astype(np.int64),
                    "Rank at 5% of recalculations": np.rint(ranks[:, 0]).astype(np.int64),
                    "Rank at 95% of recalculations": np.rint(ranks[:, 2]).astype(np.int64),
                    "Side": np.where(tested.passes[rows], "inside", "outside").tolist(),
                }
            )
        )
        yield Chart(id_, title, about, _intervals(id_, title, names, now, ranks, cut), numbers)


def _around(d: Designation, tested: ConditionResult, here: NDArray[np.bool_]) -> NDArray[np.intp]:
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


Floats: TypeAlias = NDArray[np.float64]

HEIGHT = 1000.0
"""Units of the drawing from top to bottom."""
_SLACK = 1.2  # an outline may be off by this many units: less than its stroke
_MOST_SHAPES = 5000
_BRITAIN = (-9.0, 49.5, 2.5, 61.0)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of areas: how it is drawn, so that shape and fill differ and not colour alone."""

    key: str
    words: str
    rows: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Map:
    """A drawing, and its legend: the mark of each class as SVG, and what it means."""

    svg: str
    legend: list[tuple[str, str]]


def draw_map(results: Results, name: str) -> Map | None:
    """Draw one designation."""
    table = results.areas.table
    lon = table["longitude"].cast(float).fill_null(np.nan).to_numpy()
    lat = table["latitude"].cast(float).fill_null(np.nan).to_numpy()
    here = results.focus
    lon, lat = np.where(here, lon, np.nan), np.where(here, lat, np.nan)
    if not np.isfinite(lon).any():
        return None
    frame = _Frame(lon, lat)
    behind = results.outline if len(results.outline) else results.boundaries
    if results.study.focus:  # the part alone, large enough to be seen
        behind = results.boundaries.filter(pl.Series(here))
    shapes = behind["geometry"].drop_nulls()
    paths = frame.paths(shapes) if 0 < len(shapes) <= _MOST_SHAPES else []
    frame.fit(paths, lon, lat)
    d = results.designation_in_focus(name)
    kinds = list(_kinds(results, name, d))
    n = max(int(d.selected.sum()), 1)
    size = float(np.clip(150 / np.sqrt(n), 4.0, 10.0))
    x, y = frame.place(lon, lat)
    names = table["name"].to_list()
    marks = "".join(_marks(kind, x, y, names, size) for kind in reversed(kinds))
    lost = int((d.selected & ~np.isfinite(x)).sum())
    about = "; ".join(f"{len(k.rows):,} {k.words.lower()}" for k in kinds)
    about += f"; {lost:,} on the list have no known location and are not drawn" if lost else ""
    return Map(
        f'<svg class="map" role="img" aria-labelledby="map-{name}-title map-{name}-desc" '
        f'viewBox="0 0 {frame.width:.0f} {HEIGHT + 60:.0f}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="map-{name}-title">Map of {escape(the_list(results, name))}'
        "</title>"
        f'<desc id="map-{name}-desc">{escape(about)}. The table has the same numbers.</desc>'
        f'<g class="land">{"".join(frame.drawn(p) for p in paths)}</g>'
        f"<g>{marks}</g>"
        f'<g class="place">{"".join(_region_names(results, frame, lon, lat))}</g>'
        f"{frame.scale_bar()}</svg>",
        [(_key(kind), f"{kind.words}: {len(kind.rows):,}") for kind in kinds],
    )


def _key(kind: _Kind) -> str:
    """Draw the mark of a class for the legend, which words beside it explain."""
    return (
        '<svg class="key" aria-hidden="true" viewBox="0 0 24 24" xmlns="http://www.w3.org/2000/svg">'
        f'<g class="{kind.key}">{_mark(kind.key, 12, 12, 8, "")}</g></svg>'
    )


def _kinds(results: Results, name: str, d: Designation) -> Iterator[_Kind]:
    p = probability(results, name)
    if p is None:
        yield _Kind("sure", "On the list", np.flatnonzero(d.selected))
    else:
        yield _Kind(
            "sure",
            "Secure: on the list in 95% or more of recalculations",
            np.flatnonzero(d.selected & (p >= SURE)),
        )
        likely = d.selected & (p < SURE) & (p > 1 - UNSURE)
        yield _Kind("likely", "Likely: in 80% to 95%", np.flatnonzero(likely))
        yield _Kind(
            "toss",
            "On the list, but in 80% or fewer",
            np.flatnonzero(d.selected & (p <= 1 - UNSURE)),
        )
    yield _Kind("near", "Just outside the cut-off", np.flatnonzero(d.near_miss))


def _marks(kind: _Kind, x: Floats, y: Floats, names: list[str | None], size: float) -> str:
    drawn = [
        f"{_mark(kind.key, x[row], y[row], size, escape(names[row] or ''))}"
        for row in kind.rows
        if np.isfinite(x[row])
    ]
    return f'<g class="{kind.key}">{"".join(drawn)}</g>'


def _mark(key: str, x: float, y: float, r: float, title: str) -> str:
    inside = f"<title>{title}</title>" if title else ""
    if key == "likely":
        return (
            f'<rect x="{x - r * 0.9:.1f}" y="{y - r * 0.9:.1f}" width="{r * 1.8:.1f}" '
            f'height="{r * 1.8:.1f}">{inside}</rect>'
        )
    if key == "toss":
        h = r * 1.3
        return (
            f'<path d="M{x:.1f} {y - h:.1f}l{h:.1f} {h * 1.75:.1f}h{-2 * h:.1f}z">{inside}</path>'
        )
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}">{inside}</circle>'


def _region_names(results: Results, frame: _Frame, lon: Floats, lat: Floats) -> Iterator[str]:
    """Write the name of each region at the middle of its areas."""
    if "region" not in results.areas.parents:
        return
    names = np.array([n or "" for n in results.areas.table["region_name"].to_list()])
    for name in sorted(set(names) - {""}):
        at = (names == name) & np.isfinite(lon)
        if at.any() and results.focus[names == name].all():
            # The middle of its extent: the mean would lie in the thick of the marks.
            middle = [np.quantile(v[at], [0.05, 0.95]).mean(keepdims=True) for v in (lon, lat)]
            x, y = frame.place(*middle)
            words = str(name).replace(" and The Humber", "")
            yield f'<text x="{x[0]:.0f}" y="{y[0]:.0f}">{escape(words)}</text>'


class _Frame:
    """From longitude and latitude to units of the drawing, through metres on the ground."""

    def __init__(self, lon: Floats, lat: Floats) -> None:
        import pyproj

        west, south, east, north = _BRITAIN
        x, y = np.nanmedian(lon), np.nanmedian(lat)
        grid = "EPSG:27700" if west < x < east and south < y < north else (
            f"+proj=laea +lat_0={y:.3f} +lon_0={x:.3f} +units=m"
        )  # fmt: skip
        self._to_metres = pyproj.Transformer.from_crs("EPSG:4326", grid, always_xy=True).transform
        self._left, self._top, self._scale = 0.0, 0.0, 1.0
        self.width = HEIGHT

    def paths(self, geometry: pl.Series) -> list[list[Floats]]:
        """Rings of each shape, in metres."""
        import shapely

        shapes = shapely.from_wkb(geometry.to_list(), on_invalid="ignore")
        shapes = shapely.transform(
            shapes, lambda c: np.column_stack(self._to_metres(c[:, 0], c[:, 1]))
        )
        bounds = shapely.total_bounds(shapes)
        tall = bounds[3] - bounds[1]
        shapes = shapely.simplify(shapes, _SLACK * tall / HEIGHT)
        out = []
        for shape in shapes:
            parts = shapely.get_parts(shape)
            rings = [shapely.get_coordinates(r) for r in shapely.get_rings(parts)]
            out.append([r for r in rings if len(r) >= 4])
        return out

    def fit(self, paths: list[list[Floats]], lon: Floats, lat: Floats) -> None:
        """Choose the scale so that outlines and points fill the height."""
        x, y = self._to_metres(lon, lat)
        known = np.isfinite(x) & np.isfinite(y)
        points = [np.column_stack([x[known], y[known]]), *(r for rings in paths for r in rings)]
        low = np.min([p.min(axis=0) for p in points], axis=0)
        high = np.max([p.max(axis=0) for p in points], axis=0)
        wide, tall = np.maximum(high - low, 1.0)
        margin = 15.0
        self._scale = float(min((HEIGHT - 2 * margin) / tall, (1.6 * HEIGHT - 2 * margin) / wide))
        self._left = float(low[0]) - margin / self._scale
        self._top = float(high[1]) + margin / self._scale
        self.width = float(max(wide * self._scale + 2 * margin, 520.0))

    def place(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Units from the left and from the top."""
        x, y = self._to_metres(lon, lat)
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        x[~np.isfinite(x)], y[~np.isfinite(y)] = np.nan, np.nan
        return (x - self._left) * self._scale, (self._top - y) * self._scale

    def drawn(self, rings: list[Floats]) -> str:
        """One shape as a path of whole units, each step relative to the last."""
        parts = []
        for ring in rings:
            units = np.rint((ring - (self._left, self._top)) * (self._scale, -self._scale)).astype(
                int
            )
            steps = np.diff(units, axis=0)
            steps = steps[(steps != 0).any(axis=1)]
            if len(steps) < 3:
                continue
            line = " ".join(f"{a} {b}" for a, b in steps[:-1].tolist())
            parts.append(f"M{units[0, 0]} {units[0, 1]}l{line}z")
        return f'<path d="{"".join(parts)}"/>' if parts else ""

    def scale_bar(self) -> str:
        """Draw a bar of 1, 2 or 5 times a power of ten of kilometres, about a quarter of the width."""
        wanted = 0.25 * self.width / self._scale
        power = 10 ** np.floor(np.log10(wanted))
        metres = float(max(k * power for k in (1, 2, 5) if k * power <= wanted))
        units = metres * self._scale
        words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
        right, y = self.width - 15, HEIGHT + 18
        return (
            f'<path class="scale" d="M{right - units:.0f} {y - 8:.0f}v8h{units:.0f}v-8"/>'
            f'<text class="legend" text-anchor="end" x="{right:.0f}" y="{y + 30:.0f}">{words}</text>'
        )
