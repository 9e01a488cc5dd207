"""The charts of one place: its ranks by domain compared with others, and its map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart import (
    AUTHORITY,
    INK,
    LAND,
    LINE,
    PLACE,
    QUIET,
    Frame,
    mark,
    svg,
    text,
)
from commonweal.document.format import list_name, percent
from commonweal.document.model import Chart, TableData, table_from_columns
from commonweal.report.place.text import on_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.document.chart import Box
    from commonweal.report.place.drivers import LargerAreas
    from commonweal.report.place.maps import Shapes
    from commonweal.report.place.place import Place, PlaceRank


ABOUT = (
    "Further right is worse off: at 90%, worse off than nine in ten {kinds}. The dot is {dot}. The other marks are "
    "averages. The dark line is the median of {whole}."
)
RANGED = "{name}; the line through it is the range in 90% of recalculations"

_CHART_WIDTH = 600.0
_LEFT, _RIGHT, _ROW, _TOP = 248.0, 12.0, 25.0, 62.0
_PLOT = _CHART_WIDTH - _LEFT - _RIGHT


def columns_of(standings: Sequence[PlaceRank]) -> list[tuple[str, str]]:
    """Give group and label of what is compared with, in the order drawn and listed."""
    found: dict[str, str] = {}
    for standing in standings:
        found |= {a.group: a.label for a in standing.averages}
    return list(found.items())


def rows_of(standings: Sequence[PlaceRank]) -> list[tuple[PlaceRank, bool]]:
    """Give the indices, each with its strands after it, and whether it is an index."""
    return [
        row for s in standings for row in ((s, True), *((strand, False) for strand in s.strands))
    ]


def strand_table(name: str, standings: Sequence[PlaceRank]) -> TableData:
    """Show, for each domain, the share of others that are better off: here, and the average elsewhere."""
    rows = [s for s, _ in rows_of(standings)]
    columns = [
        ("Measure", pl.Series([s.label for s in rows], dtype=pl.String)),
        (name, pl.Series([s.worse_than for s in rows], dtype=pl.Float64)),
    ]
    for group, label in columns_of(standings):
        means = [next((a.worse_than for a in s.averages if a.group == group), None) for s in rows]
        columns.append((label, pl.Series(means, dtype=pl.Float64)))
    shown = table_from_columns(columns)
    return TableData(shown.frame, frozenset(shown.frame.columns[1:]))


def strand_chart(id_: str, name: str, kinds: str, standings: Sequence[PlaceRank]) -> Chart:
    """Draw `strand_table`: a mark for each place or group, the worst off to the right."""
    whole = dict(columns_of(standings)).get("all", f"all {kinds}")
    title, dot = _finding(name, kinds, standings), name
    if any(s.low is not None for s in standings):
        dot = RANGED.format(name=name)
    elif all(s.rank is None for s in standings):
        dot = f"the average of {name}"
    about = ABOUT.format(kinds=kinds, dot=dot, whole=whole.replace("All ", "all ", 1))
    rows = rows_of(standings)
    height = _TOP + len(rows) * _ROW + 6
    parts = [*_axis(whole, height), *_key(name, standings)]
    for k, (standing, is_index) in enumerate(rows):
        parts += _row(standing, is_index, _TOP + k * _ROW + _ROW / 2)
    drawn = svg(id_, title, about, _CHART_WIDTH, height, parts)
    return Chart(id_, title, about, drawn, strand_table(name, standings))


def _finding(name: str, kinds: str, standings: Sequence[PlaceRank]) -> str:
    """Say on which index it is worst off; of several areas, on average."""
    worst = max(standings, key=lambda s: s.worse_than or 0.0, default=None)
    if worst is None or worst.worse_than is None:
        return f"How {name} compares"
    share = percent(worst.worse_than)
    average = ", on average," if worst.rank is None else ""
    return f"{name}{average} is worse off than {share} of {kinds} {on_index(worst.label)}"


def _x(share: float) -> float:
    return _LEFT + share * _PLOT


def _axis(whole: str, height: float) -> Iterator[str]:
    bottom = height - 6
    yield (
        f'<rect x="{_x(0.9):.1f}" y="{_TOP:g}" width="{_PLOT * 0.1:.1f}" height="{bottom - _TOP:g}" fill="#fbe9df"/>'
    )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        dark = share == 0.5
        yield (
            f'<path d="M{_x(share):.1f} {_TOP:g}V{bottom:g}" stroke="{QUIET if dark else LINE}" '
            f'stroke-width="{1.6 if dark else 1}"/>'
        )
    yield text(_x(0), _TOP - 8, "best off", 11.5, "start", QUIET)
    yield text(
        _x(0.5),
        _TOP - 8,
        f"median of {whole}" if len(whole) < 18 else "median",
        11.5,
        "middle",
        QUIET,
    )
    yield text(_x(1), _TOP - 8, "worst 10%", 11.5, "end", "#a33b0b", bold=True)


def _key(name: str, standings: Sequence[PlaceRank]) -> Iterator[str]:
    """Name each mark, above the drawing."""
    items = [("place", _shortened(name, 24))]
    items += [(_kind(g), _shortened(label, 22)) for g, label in columns_of(standings) if g != "all"]
    x, y = 8.0, 14.0
    for kind, words in items:
        wide = 28 + len(words) * (8.3 if kind == "place" else 7.3)
        if x > 8 and x + wide > _CHART_WIDTH:
            x, y = 8.0, y + 19
        yield mark(kind, x + 6, y - 4, 5)
        yield text(x + 18, y, words, 12, bold=kind == "place")
        x += wide


def _kind(group: str) -> str:
    return group if group in ("peers", "region") else "authority"


def _shortened(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _row(s: PlaceRank, is_index: bool, y: float) -> Iterator[str]:
    words = _shortened(s.label, 34)
    yield text(8 if is_index else 20, y + 4.5, words, 12.5 if is_index else 12, bold=is_index)
    if is_index:
        yield f'<path d="M8 {y - _ROW / 2:g}H{_CHART_WIDTH - _RIGHT:g}" stroke="{INK}" stroke-width="0.8"/>'
    if s.worse_than is None:
        yield text(_x(0) + 6, y + 4, "not known", 11.5, fill=QUIET)
        return
    if s.low is not None and s.high is not None and s.of > 1:
        ends = [_x(1 - (r - 1) / (s.of - 1)) for r in (s.high, s.low)]
        yield (
            f'<path d="M{ends[0]:.1f} {y:.1f}H{ends[1]:.1f}" stroke="{PLACE}" stroke-width="4" '
            'stroke-opacity="0.45" stroke-linecap="round"/>'
        )
    for a in reversed(s.averages):
        if a.group != "all":
            yield mark(_kind(a.group), _x(a.worse_than), y, 5)
    yield mark("place", _x(s.worse_than), y, 5.5)


_MAP_WIDTH, _MAP_HEIGHT, _MAP_FOOT = 340.0, 340.0, 24.0
_AROUND = 0.85
"""How much of its own size is shown on each side of a place."""
_LOCATOR = 92.0


def place_map(
    id_: str,
    place: Place,
    row: int,
    shapes: Shapes,
    groups: list[LargerAreas],
    listed: NDArray[np.bool_],
) -> Chart | None:
    """Draw the place among its neighbours; None if it is not known where it is."""
    if not shapes.seen(np.array([row])):
        return None
    title = f"{place.name} and the {place.kinds} around it"
    inside = [larger for larger in place.larger if larger.system == groups[0].key] if groups else []
    about = f"Map of {place.name}, in dark shading, and the {place.kinds} around it."
    if inside:
        about += f" The thick line is the boundary of {inside[0].name}."
    if listed.any():
        about += f" Lighter shading: {listed_words(place)}."
    box = _box(shapes.bounds(np.array([row])))
    frame = Frame(box, _MAP_WIDTH, _MAP_HEIGHT)
    near = shapes.within(box)
    parts = [f'<rect width="{_MAP_WIDTH:g}" height="{_MAP_HEIGHT:g}" fill="#fff"/>']
    cut = {
        int(other): shape
        for other, shape in zip(near, shapes.cut(near, box), strict=True)
        if not shape.is_empty
    }
    parts += [frame.path(shape, f'fill="{LAND}"') for shape in shapes.ground(box)]
    for other, shape in cut.items():
        fill = "#b7cbdd" if listed[other] else LAND
        if other != row:
            parts.append(frame.path(shape, f'fill="{fill}" stroke="#9aa5ae" stroke-width="0.8"'))
    if shapes.has(row):
        parts.append(frame.path(shapes.of[row], f'fill="{PLACE}" stroke="#fff" stroke-width="1.5"'))
    else:
        x, y = frame.at(shapes.points[[row]])[0]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{PLACE}"/>')
    if inside:
        parts.append(_edge(shapes, groups[0], row, frame, box))
    parts += _names(place, row, shapes, frame, cut)
    parts.append(
        f'<rect x="0.5" y="0.5" width="{_MAP_WIDTH - 1:g}" height="{_MAP_HEIGHT - 1:g}" fill="none" stroke="#9aa5ae"/>'
    )
    if inside:
        parts += _locator(row, shapes, groups)
    parts.append(frame.scale_bar(_MAP_WIDTH - 2, _MAP_HEIGHT + 16))
    numbers = TableData(
        pl.DataFrame(
            {
                "Neighbour": [o.name for o in place.neighbours],
                "Code": [o.code for o in place.neighbours],
                "Metres away": [None if o.metres is None else int(o.metres) for o in place.neighbours],
                "On the list": ["Yes" if o.selected else "No" for o in place.neighbours],
            },
            schema={"Neighbour": pl.String, "Code": pl.String, "Metres away": pl.Int64, "On the list": pl.String},
        )
    )  # fmt: skip
    drawn = svg(id_, title, about, _MAP_WIDTH, _MAP_HEIGHT + _MAP_FOOT, parts)
    return Chart(id_, title, about, drawn, numbers)


def listed_words(place: Place) -> str:
    """Name the lists that shading shows."""
    return (
        " or ".join(f"on {list_name(a.label, place.kinds)}" for a in place.answers) or "on the list"
    )


def _box(bounds: Box) -> Box:
    """Make a square about a place, with some of what is around it."""
    west, south, east, north = bounds
    half = max(east - west, north - south, 200.0) * (0.5 + _AROUND)
    x, y = (west + east) / 2, (south + north) / 2
    return x - half, y - half, x + half, y + half


def _edge(shapes: Shapes, group: LargerAreas, row: int, frame: Frame, box: Box) -> str:
    import shapely

    whole = shapes.joined(group, int(group.numbers[row]))
    line = shapely.clip_by_rect(shapely.boundary(whole), *box)
    style = f'fill="none" stroke="{AUTHORITY}" stroke-width="3" stroke-linejoin="round"'
    return frame.lines(line, style)


def _without_authority(name: str, where: str) -> str:
    """Leave out the name of the authority that many neighbourhoods begin with."""
    return name.removeprefix(where).strip() or name


def _names(
    place: Place, row: int, shapes: Shapes, frame: Frame, cut: dict[int, object]
) -> Iterator[str]:
    """Write the names of neighbours into the middle of what is seen of them, where there is room."""
    import shapely

    where = place.larger[0].name if place.larger else ""
    taken: list[tuple[float, float, float, float]] = []
    own = frame.at(_middle(shapes, row))[0]
    name = _without_authority(place.name, where)
    # Its own name is white on dark where it fits, else beside a halo.
    size = 14.0
    wide = len(name) * size * 0.62
    low = frame.at(
        np.array([shapes.bounds(np.array([row]))[:2], shapes.bounds(np.array([row]))[2:]])
    )
    fits = wide < abs(low[1, 0] - low[0, 0]) * 0.8
    taken.append(_around(own[0], own[1], wide, size))
    yield text(own[0], own[1] + 5, name, size, "middle", "#fff" if fits else INK, True, not fits)
    order = sorted((o for o in cut if o != row), key=lambda o: -float(shapely.area(cut[o])))
    for other in order[:14]:
        label = _without_authority(shapes.names[other], where)
        x, y = frame.at(shapely.get_coordinates(shapely.point_on_surface(cut[other])))[0]
        wide = len(label) * 11 * 0.6
        box = _around(x, y, wide, 11)
        outside = box[0] < 3 or box[2] > _MAP_WIDTH - 3 or box[1] < 3 or box[3] > _MAP_HEIGHT - 3
        locator = (
            box[0] < _LOCATOR + 6 and box[3] > _MAP_HEIGHT - _LOCATOR - 6 and len(place.larger) > 0
        )
        if outside or locator or any(_meet(box, t) for t in taken):
            continue
        taken.append(box)
        yield text(x, y + 4, label, 11, "middle", QUIET, halo=True)


def _middle(shapes: Shapes, row: int) -> np.ndarray:
    import shapely

    if not shapes.has(row):
        return shapes.points[[row]] + [[0, 1.0]]
    return shapely.get_coordinates(shapely.point_on_surface(shapes.of[row]))


def _around(x: float, y: float, wide: float, size: float) -> tuple[float, float, float, float]:
    return x - wide / 2, y - size * 0.75, x + wide / 2, y + size * 0.75


def _meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _locator(row: int, shapes: Shapes, groups: list[LargerAreas]) -> Iterator[str]:
    """Draw, in a corner, where the authority lies among the others of its region."""
    first, last = groups[0], groups[-1]
    mine = int(first.numbers[row])
    if len(groups) > 1 and last.numbers[row] >= 0:
        rows = np.flatnonzero(last.numbers == last.numbers[row])
    else:
        rows = np.flatnonzero(first.numbers >= 0)
    numbers = np.unique(first.numbers[rows])
    if len(numbers) < 2 or len(numbers) > 80:
        return
    size, top = _LOCATOR, _MAP_HEIGHT - _LOCATOR
    box = shapes.bounds(rows)
    if not np.isfinite(box).all():
        return
    yield f'<rect x="0.5" y="{top:g}" width="{size:g}" height="{size - 0.5:g}" fill="#fff" stroke="#9aa5ae"/>'
    frame = Frame(box, size - 10, size - 10, 5, top + 5)
    key = ("locator", *(first.codes[n] for n in numbers.tolist()))
    if key not in shapes.kept:
        style = 'fill="#dfe4e8" stroke="#fff" stroke-width="0.4"'
        shapes.kept[key] = [
            frame.path(shapes.whole(first, n), style, 0.5) for n in numbers.tolist()
        ]
    yield from shapes.kept[key]
    yield frame.path(shapes.whole(first, mine), f'fill="{AUTHORITY}"', 0.5)
    x, y = frame.at(_middle(shapes, row))[0]
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="none" stroke="{PLACE}" stroke-width="1.6"/>'
