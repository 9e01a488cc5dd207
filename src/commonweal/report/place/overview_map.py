"""The map of a larger area: which of its places are on the list, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.canvas import INK, LAND, LINE, QUIET, Frame, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown
from commonweal.document.words import SURE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.document.chart.canvas import Box
    from commonweal.report.place.shapes import Shapes
    from commonweal.report.place.standing import Group
    from commonweal.study.scope import Scope

    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]
    Floats = NDArray[np.float64]

__all__ = ["overview_map"]

WIDTH, HEIGHT, FOOT = 480.0, 520.0, 78.0
_MOST_OUTLINES = 900
"""Above this many places each is too small to be seen, and those on the list are drawn as marks."""

_FILLS = {"sure": "#12436d", "open": "#7fa6cf"}
"""Near misses have stripes: see `_defs`."""


def overview_map(
    id_: str,
    scope: Scope,
    kinds: str,
    label: str,
    shapes: Shapes,
    groups: list[Group],
    selected: Bools,
    near: Bools,
    chance: Floats | None,
) -> Chart | None:
    """Draw the places of a larger area in classes that differ by fill and by outline.

    None if it is not known where any of them is.

    Parameters
    ----------
    id_
        Of the drawing.
    scope
        Which places.
    kinds, label
        What places are called, and those on the list.
    shapes, groups
        Outlines, and the larger areas whose edges are drawn.
    selected, near, chance
        (n_areas,) whether on the list, whether a near miss, and the share of draws; None without.
    """
    if not shapes.seen(scope.rows):
        return None
    sure = selected if chance is None else selected & (chance >= SURE)
    classes = {
        "sure": scope.rows[sure[scope.rows]],
        "open": scope.rows[(selected & ~sure)[scope.rows]],
        "near": scope.rows[near[scope.rows]],
    }
    words = {
        "sure": "On the list" if chance is None else "On the list in at least 95 % of runs",
        "open": "On the list, in fewer runs",
        "near": "Near miss",
    }
    title = f"{scope.title}: {kinds} that are {label}"
    told = "; ".join(
        f"{words[k].lower()}: {len(rows):,}" for k, rows in classes.items() if len(rows)
    )
    about = f"Map of {scope.title}. {told[:1].upper()}{told[1:] or 'none on the list'}."
    small = len(scope.rows) > _MOST_OUTLINES
    west, south, east, north = _bounds(scope, shapes, groups, small)
    pad = 0.03 * max(east - west, north - south, 200.0)
    box = (west - pad, south - pad, east + pad, north + pad)
    frame = Frame(box, WIDTH, HEIGHT)
    drawn = [f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>']
    drawn += _land(scope, shapes, frame, groups, small)
    fills = {**_FILLS, "near": f"url(#{id_}-near)"}
    for key in ("near", "open", "sure"):
        drawn += [_place(int(row), key, fills[key], shapes, frame, small) for row in classes[key]]
    if not small:
        drawn += _edges(scope, shapes, frame, groups)
    parts = [_defs(id_), f'<g clip-path="url(#{id_}-frame)">{"".join(drawn)}</g>']
    parts += _legend(classes, words, fills, frame, small)
    numbers = Shown(
        pl.DataFrame(
            {
                "Class": [words[k] for k in classes],
                "Places": [len(rows) for rows in classes.values()],
            }
        )
    )
    return Chart(id_, title, about, svg(id_, title, about, WIDTH, HEIGHT + FOOT, parts), numbers)


def _defs(id_: str) -> str:
    """Define the stripes of near misses and the frame."""
    return (
        f'<defs><pattern id="{id_}-near" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/>'
        '<rect width="2.4" height="6" fill="#a33b0b"/></pattern>'
        f'<clipPath id="{id_}-frame">'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}"/></clipPath></defs>'
    )


def _bounds(scope: Scope, shapes: Shapes, groups: list[Group], small: bool) -> Box:
    """Box about the places, and about the larger areas that they make up where some have no outline."""
    import shapely

    boxes = [shapes.bounds(scope.rows)]
    if groups and not small:
        inside = np.isin(np.arange(len(groups[0].numbers)), scope.rows)
        boxes += [
            shapely.bounds(shapes.edge(groups[0], number)).tolist()
            for number in np.unique(groups[0].numbers[scope.rows]).tolist()
            if number >= 0 and inside[groups[0].numbers == number].all()
        ]
    found = np.array(boxes)
    low, high = np.nanmin(found[:, :2], axis=0), np.nanmax(found[:, 2:], axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _land(
    scope: Scope, shapes: Shapes, frame: Frame, groups: list[Group], small: bool
) -> Iterator[str]:
    if small and groups:
        for number in np.unique(groups[0].numbers[scope.rows]).tolist():
            if number >= 0:
                whole = shapes.whole(groups[0], number)
                yield frame.path(whole, f'fill="{LAND}" stroke="#fff" stroke-width="0.6"', 0.7)
        return
    if small:
        return
    for shape in shapes.ground(frame.box):
        yield frame.path(shape, 'fill="#f7f8f9"')
    for number in np.unique(groups[0].numbers[scope.rows]).tolist() if groups else ():
        if number >= 0:
            yield frame.path(shapes.edge(groups[0], number), f'fill="{LAND}"')
    for row in scope.rows:
        if shapes.has(int(row)):
            style = f'fill="{LAND}" stroke="{LINE}" stroke-width="0.8"'
            yield frame.path(shapes.of[row], style)


def _place(row: int, key: str, fill: str, shapes: Shapes, frame: Frame, small: bool) -> str:
    edge = "#a33b0b" if key == "near" else "#fff"
    if shapes.has(row) and not small:
        return frame.path(shapes.of[row], f'fill="{fill}" stroke="{edge}" stroke-width="0.8"')
    if np.isnan(shapes.points[row]).any():
        return ""
    x, y = frame.at(shapes.points[[row]])[0]
    return _mark(key, x, y, 3.2)


def _mark(key: str, x: float, y: float, r: float) -> str:
    if key == "open":
        return (
            f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:.1f}" height="{2 * r:.1f}" '
            'fill="#7fa6cf" stroke="#12436d" stroke-width="0.8"/>'
        )
    fill, edge = ("#12436d", "#fff") if key == "sure" else ("#fff", "#a33b0b")
    wide = 0.4 if key == "sure" else 1.1
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}" stroke="{edge}" '
        f'stroke-width="{wide}"/>'
    )


def _edges(scope: Scope, shapes: Shapes, frame: Frame, groups: list[Group]) -> Iterator[str]:
    """Draw the edges of the authorities in it, and name them where there are several."""
    if not groups:
        return
    numbers = [n for n in np.unique(groups[0].numbers[scope.rows]).tolist() if n >= 0]
    for number in numbers:
        whole = shapes.edge(groups[0], number)
        yield frame.path(whole, f'fill="none" stroke="{INK}" stroke-width="1.4"', 0.6)
    if 1 < len(numbers) <= 40:
        import shapely

        for number in numbers:
            point = shapely.point_on_surface(shapes.edge(groups[0], number))
            if not shapely.is_empty(point):
                x, y = frame.at(shapely.get_coordinates(point))[0]
                yield text(x, y, groups[0].names[number], 11, "middle", QUIET, halo=True)


def _legend(
    classes: dict[str, Rows],
    words: dict[str, str],
    fills: dict[str, str],
    frame: Frame,
    small: bool,
) -> Iterator[str]:
    y = HEIGHT + 16
    for key in [k for k, rows in classes.items() if len(rows)]:
        edge = "#a33b0b" if key == "near" else "#12436d"
        yield (
            _mark(key, 11, y - 5, 5)
            if small
            else (
                f'<rect x="2" y="{y - 11:g}" width="18" height="13" fill="{fills[key]}" stroke="{edge}"/>'
            )
        )
        yield text(28, y, f"{words[key]}: {len(classes[key]):,}", 13)
        y += 21
    yield frame.scale_bar(WIDTH - 2, HEIGHT + 16)
