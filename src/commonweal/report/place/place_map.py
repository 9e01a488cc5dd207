"""The map of one place: with its neighbours, its authority, and where that lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.canvas import AUTHORITY, INK, LAND, PLACE, QUIET, Frame, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.document.chart.canvas import Box
    from commonweal.report.place.place import Place
    from commonweal.report.place.shapes import Shapes
    from commonweal.report.place.standing import Group

__all__ = ["place_map"]

WIDTH, HEIGHT, FOOT = 340.0, 340.0, 24.0
_AROUND = 0.85
"""How much of its own size is shown on each side of a place."""
_LOCATOR = 92.0


def place_map(
    id_: str,
    place: Place,
    row: int,
    shapes: Shapes,
    groups: list[Group],
    listed: NDArray[np.bool_],
) -> Chart | None:
    """Draw the place among its neighbours; None if it is not known where it is.

    Parameters
    ----------
    id_
        Of the drawing.
    place, row
        The place, and its row among the areas.
    shapes
        Outlines of all of them.
    groups
        Larger areas, the authority first; there may be none.
    listed
        (n_areas,) whether an area is on a list of the study.
    """
    if not shapes.seen(np.array([row])):
        return None
    title = f"{place.name} and its neighbours"
    inside = [larger for larger in place.larger if larger.system == groups[0].key] if groups else []
    about = f"Map of {place.name}, filled dark, among the {place.kinds} around it."
    if inside:
        about += f" A thick line marks the edge of {inside[0].name}."
    if listed.any():
        about += f" Those that are {listed_words(place)} are filled light."
    box = _box(shapes.bounds(np.array([row])))
    frame = Frame(box, WIDTH, HEIGHT)
    near = shapes.within(box)
    parts = [f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>']
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
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1:g}" height="{HEIGHT - 1:g}" fill="none" stroke="#9aa5ae"/>'
    )
    if inside:
        parts += _locator(row, shapes, groups)
    parts.append(frame.scale_bar(WIDTH - 2, HEIGHT + 16))
    numbers = Shown(
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
    drawn = svg(id_, title, about, WIDTH, HEIGHT + FOOT, parts)
    return Chart(id_, title, about, drawn, numbers)


def listed_words(place: Place) -> str:
    """Say what a listed place is, of one or more designations."""
    return " or ".join(f"“{a.label}”" for a in place.answers) or "on the list"


def _box(bounds: Box) -> Box:
    """Make a square about a place, with some of what is around it."""
    west, south, east, north = bounds
    half = max(east - west, north - south, 200.0) * (0.5 + _AROUND)
    x, y = (west + east) / 2, (south + north) / 2
    return x - half, y - half, x + half, y + half


def _edge(shapes: Shapes, group: Group, row: int, frame: Frame, box: Box) -> str:
    import shapely

    whole = shapes.joined(group, int(group.numbers[row]))
    line = shapely.clip_by_rect(shapely.boundary(whole), *box)
    style = f'fill="none" stroke="{AUTHORITY}" stroke-width="3" stroke-linejoin="round"'
    return frame.lines(line, style)


def _short(name: str, where: str) -> str:
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
    name = _short(place.name, where)
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
        label = _short(shapes.names[other], where)
        x, y = frame.at(shapely.get_coordinates(shapely.point_on_surface(cut[other])))[0]
        wide = len(label) * 11 * 0.6
        box = _around(x, y, wide, 11)
        outside = box[0] < 3 or box[2] > WIDTH - 3 or box[1] < 3 or box[3] > HEIGHT - 3
        locator = box[0] < _LOCATOR + 6 and box[3] > HEIGHT - _LOCATOR - 6 and len(place.larger) > 0
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


def _locator(row: int, shapes: Shapes, groups: list[Group]) -> Iterator[str]:
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
    size, top = _LOCATOR, HEIGHT - _LOCATOR
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
