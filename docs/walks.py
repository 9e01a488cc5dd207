"""Draw the walks of docs/methods/walking.md: the streets, the way, and how long each part of it is.

python docs/walks.py

Each way is found with scipy on the network as it is read, and added up from the coordinates of its
bends; a test holds the sums against what the program finds. Needs the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np
import polars as pl
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from commonweal.access import Points
from commonweal.access.distance import great_circle_m
from commonweal.access.osm_places import read_places_pbf
from commonweal.access.osm_streets import read_streets
from commonweal.access.streets import snap
from commonweal.areas.areas import load_areas
from commonweal.sources import Store

if TYPE_CHECKING:
    from commonweal.access.streets import Streets

IMAGES = Path(__file__).resolve().parent / "images" / "access"
WIDTH, TOP, BOTTOM = 760, 58, 44
HOME, PLACE, WAY = "#D55E00", "#0072B2", "#000"


@dataclass(frozen=True)
class Asked:
    """A walk to be drawn: from the point of an area to a place of a map."""

    title: str
    map_: str
    area: str
    place: str
    told: str


ASKED = {
    "oakham": Asked(
        "Oakham: from the centre of Rutland 003F to the library",
        "osm-rutland", "E01035106", "osm:w101326490", "Rutland County Library",
    ),
    "oakham-west": Asked(
        "Oakham: from the centre of Rutland 003B to the library",
        "osm-rutland", "E01013799", "osm:w101326490", "Rutland County Library",
    ),
    "newport": Asked(
        "Newport: from the centre of Newport 019D to the library",
        "osm-newport", "W01001689", "osm:n8119823730", "Tredegar House Library",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """A walk and how long it is: the way to the street, along streets, and on to the place.

    Attributes
    ----------
    asked
        Which.
    streets
        The network.
    course
        (n, 2) degrees of all that it passes, from the home's point to the place.
    """

    asked: Asked
    streets: Streets
    course: np.ndarray

    @property
    def pieces_m(self) -> np.ndarray:
        """(n - 1,) metres between what it passes."""
        (x, y) = self.course.T
        return great_circle_m(x[:-1], y[:-1], x[1:], y[1:])

    @property
    def straight_m(self) -> float:
        return float(great_circle_m(*self.course[0], *self.course[-1]))

    @property
    def length_m(self) -> float:
        return float(self.pieces_m.sum())


def ends(name: str, store: Store) -> tuple[Points, Points]:
    """Where a walk begins and ends."""
    asked = ASKED[name]
    home = load_areas(store, "lsoa21").table.row(
        by_predicate=pl.col("code") == asked.area, named=True
    )
    table = read_places_pbf(store.path(asked.map_)).table
    place = table.row(by_predicate=pl.col("id") == asked.place, named=True)
    begin, end = (
        Points(np.array([row["longitude"]]), np.array([row["latitude"]])) for row in (home, place)
    )
    return begin, end


def find(name: str, store: Store) -> Walk:
    """Find a walk by scipy's Dijkstra, with the two points as nodes of their own."""
    asked = ASKED[name]
    streets = read_streets(store.path(asked.map_)).streets
    points = ends(name, store)
    on = [snap(streets, p, 500) for p in points]
    n = streets.n_nodes
    arcs = [(int(a), int(b), float(m)) for a, b, m in
            zip(streets.tail, streets.head, streets.length_m, strict=True)]  # fmt: skip
    arcs += [(n + i, int(on[i].node[0, side]), float(metres)) for i in (0, 1) for side, metres in
             enumerate((on[i].at_m[0], on[i].length_m[0] - on[i].at_m[0]))]  # fmt: skip
    shortest: dict[tuple[int, int], float] = {}
    for a, b, metres in arcs:
        pair = min(a, b), max(a, b)
        shortest[pair] = min(metres, shortest.get(pair, np.inf))
    tail, head = np.array(list(shortest)).T
    graph = csr_array((list(shortest.values()), (tail, head)), shape=(n + 2, n + 2))
    before = dijkstra(graph, directed=False, indices=n, return_predecessors=True)[1]
    passed = [n + 1]
    while passed[-1] != n:
        passed.append(int(before[passed[-1]]))
    passed.reverse()
    streets_of = [int(on[0].street[0])]
    for a, b in pairwise(passed[1:-1]):
        between = ((streets.tail == a) & (streets.head == b)) | (
            (streets.tail == b) & (streets.head == a)
        )
        rows = np.flatnonzero(between)
        streets_of.append(int(rows[streets.length_m[rows].argmin()]))
    streets_of.append(int(on[1].street[0]))
    parts = [_degrees(points[0])]
    parts.append(_part(streets, streets_of[0], points[0], passed[1], leaving=True))
    for street, node in zip(streets_of[1:-1], passed[2:-1], strict=True):
        course = _degrees(streets.course(street))
        parts.append(course if streets.head[street] == node else course[::-1])
    parts.append(_part(streets, streets_of[-1], points[1], passed[-2], leaving=False))
    parts.append(_degrees(points[1]))
    course = np.vstack(parts)
    moved = np.r_[True, (np.diff(course, axis=0) != 0).any(axis=1)]
    return Walk(asked, streets, course[moved])


def _degrees(points: Points) -> np.ndarray:
    return np.column_stack([points.longitude, points.latitude])


def _part(streets: Streets, street: int, point: Points, node: int, leaving: bool) -> np.ndarray:
    """The part of a street between a point's foot on it and one of its ends."""
    course = _degrees(streets.course(street))
    at = _degrees(point)[0]
    squeeze = np.array([np.cos(np.radians(at[1])), 1.0])
    best = (np.inf, 0, at)
    for i, (a, b) in enumerate(pairwise(course)):
        along = (b - a) * squeeze
        share = np.clip(((at - a) * squeeze) @ along / max(along @ along, 1e-30), 0, 1)
        foot = a + share * (b - a)
        best = min(best, (float(np.hypot(*((foot - at) * squeeze))), i, foot), key=lambda f: f[0])
    _, i, foot = best
    ahead = np.vstack([foot, course[i + 1 :]])
    behind = np.vstack([foot, course[: i + 1][::-1]])
    part = ahead if streets.head[street] == node else behind
    return part if leaving else part[::-1]


# --- the picture


def picture(walk: Walk) -> str:
    low, high = walk.course.min(axis=0), walk.course.max(axis=0)
    squeeze = np.cos(np.radians((low[1] + high[1]) / 2))
    margin = 0.16 * max((high[0] - low[0]) * squeeze, high[1] - low[1])
    low, high = low - margin / np.array([squeeze, 1]), high + margin / np.array([squeeze, 1])
    scale = WIDTH / ((high[0] - low[0]) * squeeze)
    tall = float((high[1] - low[1]) * scale)
    if tall > 620:
        scale *= 620 / tall
        tall = 620
    left = (WIDTH - (high[0] - low[0]) * squeeze * scale) / 2

    def place(degrees: np.ndarray) -> np.ndarray:
        x = left + (degrees[:, 0] - low[0]) * squeeze * scale
        return np.column_stack([x, TOP + (high[1] - degrees[:, 1]) * scale])

    def line(degrees: np.ndarray) -> str:
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in place(degrees))

    streets = "".join(line(c) for c in _near(walk.streets, low, high))
    (home_x, home_y), (place_x, place_y) = place(walk.course[[0, -1]])
    bar = 100 / great_circle_m(low[0], low[1], low[0] + 1, low[1]) * squeeze * scale
    bottom = TOP + tall
    title = escape(walk.asked.title)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + BOTTOM:.0f}" '
        'role="img" aria-labelledby="title desc" font-family="sans-serif" font-size="14">',
        f'<title id="title">{title}</title>',
        f'<desc id="desc">The way is {walk.length_m:,.0f} m long, the straight line '
        f'{walk.straight_m:,.0f} m.</desc>',
        f'<rect width="{WIDTH}" height="{bottom + BOTTOM:.0f}" fill="#fff"/>',
        f'<clipPath id="map"><path d="M0 {TOP}h{WIDTH}v{tall:.1f}h-{WIDTH}z"/></clipPath>',
        f'<text x="12" y="24" font-size="17" font-weight="bold">{title}</text>',
        f'<text x="12" y="46">On foot {walk.length_m:,.0f} m (black); in a straight line '
        f'{walk.straight_m:,.0f} m (dashed); {walk.length_m / walk.straight_m:.2f} times as far</text>',
        f'<path d="M0 {TOP}h{WIDTH}v{tall:.1f}h-{WIDTH}z" fill="#f6f6f4"/>',
        f'<g clip-path="url(#map)" fill="none"><path d="{streets}" stroke="#b5b5b0" stroke-width="2"/>',
        f'<path d="M{home_x:.1f} {home_y:.1f}L{place_x:.1f} {place_y:.1f}" stroke="#555" '
        'stroke-width="1.5" stroke-dasharray="7 5"/>',
        f'<path d="{line(walk.course)}" stroke="{WAY}" stroke-width="4.5" stroke-linejoin="round"/></g>',
        f'<circle cx="{home_x:.1f}" cy="{home_y:.1f}" r="8" fill="{HOME}" stroke="#fff" stroke-width="2"/>',
        f'<rect x="{place_x - 8:.1f}" y="{place_y - 8:.1f}" width="16" height="16" fill="{PLACE}" '
        'stroke="#fff" stroke-width="2"/>',
        _label(home_x, home_y, "centre of the neighbourhood", HOME),
        _label(place_x, place_y, walk.asked.told, PLACE),
        f'<path d="M{WIDTH - 12 - bar:.1f} {bottom + 14:.1f}v6h{bar:.1f}v-6" fill="none" stroke="#333"/>'
        f'<text x="{WIDTH - 20 - bar:.1f}" y="{bottom + 24:.1f}" text-anchor="end">100 m</text>',
        f'<text x="12" y="{bottom + 24:.1f}" fill="#444">Map data © OpenStreetMap contributors, '
        'Open Database Licence</text>',
        "</svg>",
    ]) + "\n"  # fmt: skip


def _label(x: float, y: float, text: str, colour: str) -> str:
    side, at = ("end", x - 14) if x > WIDTH / 2 else ("start", x + 14)
    down = -12 if y < 360 else 24
    return (
        f'<text x="{at:.1f}" y="{y + down:.1f}" text-anchor="{side}" font-weight="bold" fill="{colour}" '
        f'stroke="#fff" stroke-width="4" paint-order="stroke">{escape(text)}</text>'
    )


def _near(streets: Streets, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """Courses of the streets that may be seen."""
    courses = (_degrees(streets.course(e)) for e in range(streets.n_streets))
    return [c for c in courses if (c.max(axis=0) >= low).all() and (c.min(axis=0) <= high).all()]


def row(walk: Walk) -> str:
    """The walk as a row of the page's table."""
    first, *along, last = walk.pieces_m
    return (
        f"| {walk.asked.title} | {first:.1f} | {sum(along):.1f} | {len(along)} | {last:.1f} | "
        f"{walk.length_m:.1f} | {walk.straight_m:.1f} | {walk.length_m / walk.straight_m:.2f} |"
    )


def main() -> None:
    store = Store.from_environment()
    IMAGES.mkdir(exist_ok=True)
    for name in ASKED:
        walk = find(name, store)
        (IMAGES / f"{name}.svg").write_text(picture(walk), encoding="utf-8")
        print(row(walk))


if __name__ == "__main__":
    main()
