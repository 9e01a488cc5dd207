"""The charts of places: ranks by domain compared with others, and maps of one place and of a larger area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.chart.map import BORDER, Frame, Map, Name, border, bounds_of, padded
from commonweal.chart.rows import Row, Upright, row_chart
from commonweal.chart.theme import (
    AUTHORITY,
    BLUE,
    DOT,
    INK,
    LAND,
    LINE,
    PALE,
    PAPER,
    PEERS,
    PLACES,
    PLUM,
    REGION,
    RUST,
    SKY,
    Axis,
    Mark,
    hatch,
    hollow,
    solid,
    width_of,
)
from commonweal.chart.vega import bars, dots
from commonweal.document.format import SURE, list_name
from commonweal.document.model import TableData, table_from_columns
from commonweal.report.place.text import place_words
from commonweal.report.study.tables import label_of, share_of_draws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.chart.map import Box, Shapes
    from commonweal.document.model import Chart
    from commonweal.document.words import Words
    from commonweal.report.place.drivers import LargerAreas
    from commonweal.report.place.place import Place, PlaceRank
    from commonweal.study.names import Scope
    from commonweal.study.results import Results


COMPARED = (
    "Each row is one measure. Further right is worse: a larger share of {kinds} are better off."
)
_MARKS = {"peers": PEERS, "region": REGION}


def columns_of(standings: Sequence[PlaceRank]) -> list[tuple[str, str]]:
    """Give group and label of what is compared with, in the order drawn and listed."""
    found: dict[str, str] = {}
    for standing in standings:
        found |= {a.group: a.label for a in standing.averages}
    return list(found.items())


def rows_of(standings: Sequence[PlaceRank]) -> list[tuple[PlaceRank, bool]]:
    """Give the indices, each with its domains after it, and whether it is an index."""
    return [
        row for s in standings for row in ((s, True), *((domain, False) for domain in s.domains))
    ]


def domain_table(name: str, standings: Sequence[PlaceRank], say: Words | None = None) -> TableData:
    """Show, for each domain, the share of others that are better off, here and elsewhere, and its rank here."""
    say = say or place_words()
    rows = [s for s, _ in rows_of(standings)]
    columns = [
        (say["measure"], pl.Series([s.label for s in rows], dtype=pl.String)),
        (name, pl.Series([s.worse_than for s in rows], dtype=pl.Float64)),
    ]
    for group, label in columns_of(standings):
        means = [next((a.worse_than for a in s.averages if a.group == group), None) for s in rows]
        columns.append((label, pl.Series(means, dtype=pl.Float64)))
    shares = [head for head, _ in columns[1:]]
    ranks = [None if s.rank is None else say("rank_of", rank=s.rank, of=s.of) for s in rows]
    if any(ranks):
        columns.append((say["rank"], pl.Series(ranks, dtype=pl.String)))
    if any(s.share is not None for s in rows):
        columns.append((say["share"], pl.Series([s.share for s in rows], dtype=pl.Float64)))
        shares.append(say["share"])
    return table_from_columns(columns, shares)


def domain_chart(
    id_: str, name: str, kinds: str, standings: Sequence[PlaceRank], say: Words | None = None
) -> Chart:
    """Draw `domain_table`: a mark for each place or group, the worst off to the right."""
    say = say or place_words()
    groups = dict(columns_of(standings))
    whole = groups.pop("all", f"all {kinds}")
    about = say(
        "chart_about",
        kinds=kinds,
        name=name,
        ranged=any(s.low is not None for s in standings),
        mean=all(s.rank is None for s in standings),
        whole=whole.replace("All ", "all ", 1),
    )
    rows = []
    for s, is_index in rows_of(standings):
        others = [
            (a.worse_than, _MARKS.get(a.group, AUTHORITY)) for a in s.averages if a.group != "all"
        ]
        ends = None
        if s.low is not None and s.high is not None and s.of > 1:
            ends = 1 - (s.high - 1) / (s.of - 1), 1 - (s.low - 1) / (s.of - 1)
        known = s.worse_than is not None
        marks = (*reversed(others), (s.worse_than or 0.0, DOT)) if known else ()
        note = "" if known else say["unknown"]
        rows.append(Row(s.label, marks=marks, span=ends, note=note, strong=is_index))
    numbers = domain_table(name, standings, say)
    compared = numbers.frame.columns[1 : 2 + len(columns_of(standings))]
    return row_chart(
        id_, _finding(say, name, kinds, standings), about,
        rows, numbers, dots(say["measure"], *compared), _worse(say, whole),
        [(DOT, name), *((_MARKS.get(group, AUTHORITY), label) for group, label in groups.items())],
        [Upright(0.5)], (0.9, 1.0),
    )  # fmt: skip


def _worse(say: Words, whole: str) -> Axis:
    """Give the scale of shares that are better off."""
    median = say("median_of", whole=whole) if len(whole) < 18 else say["middle"]
    ends = say["best_off"], say["worst_tenth"]
    words = ((0.0, ends[0]), (0.25, ""), (0.5, median), (0.75, ""), (1.0, ends[1]))
    return Axis(0.0, 1.0, words)


def _finding(say: Words, name: str, kinds: str, standings: Sequence[PlaceRank]) -> str:
    """Say on which index it is worst off; of several areas, on average."""
    worst = max(standings, key=lambda s: s.worse_than or 0.0, default=None)
    if worst is None or worst.worse_than is None:
        return say("chart_unknown", name=name)
    on, mean = say("on_index", label=worst.label), worst.rank is None
    return say("chart", name=name, share=worst.worse_than, kinds=kinds, on=on, mean=mean)


def compare_chart(places: Sequence[Place]) -> Chart:
    """Draw up to five places on each index and domain."""
    measures = [rows_of(p.standings) for p in places]
    labels = [(s.label, is_index) for s, is_index in measures[0]]
    shares = [[s.worse_than for s, _ in of_place] for of_place in measures]
    rows = [
        Row(
            label,
            marks=tuple(
                (share, PLACES[k])
                for k, of_place in reversed(list(enumerate(shares)))
                if (share := of_place[number]) is not None
            ),
            strong=is_index,
        )
        for number, (label, is_index) in enumerate(labels)
    ]
    worst = [
        max(range(len(places)), key=lambda k: of[k] or 0.0) for of in zip(*shares, strict=True)
    ]
    first = max(range(len(places)), key=worst.count)
    title = f"{places[first].name} is worst off on {worst.count(first)} of {len(rows)} measures"
    if len(places) == 1:
        title = _finding(place_words(), places[0].name, places[0].kinds, places[0].standings)
    heads = [f"{p.name} ({p.code})" for p in places]
    values = [pl.Series(of_place, dtype=pl.Float64) for of_place in shares]
    columns = [
        ("Measure", pl.Series([label for label, _ in labels])),
        *zip(heads, values, strict=True),
    ]
    kinds = places[0].kinds
    return row_chart(
        "compare", title, COMPARED.format(kinds=kinds), rows,
        table_from_columns(columns, heads), dots("Measure", *heads), _worse(place_words(), f"all {kinds}"),
        [(PLACES[k], p.name) for k, p in enumerate(places)], [Upright(0.5)], (0.9, 1.0),
    )  # fmt: skip


_SIDE = 340.0
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
    say = place_words(place.language)
    near_by = len(place.neighbours) if place.answers else 0
    title = say(
        "map",
        name=place.name,
        kinds=place.kinds,
        listed=sum(o.selected for o in place.neighbours),
        of=near_by,
    )
    inside = [larger for larger in place.larger if larger.system == groups[0].key] if groups else []
    lists = [say("list_name", label=a.label, kinds=place.kinds) for a in place.answers]
    about = say(
        "map_about",
        name=place.name,
        kinds=place.kinds,
        authority=inside[0].name if inside else "",
        lists=(lists or [say["the_list"]]) if listed.any() else [],
    )
    bounds = shapes.bounds(np.array([row]))
    box = _box(bounds)
    near = shapes.within(box)
    cut = dict(zip(near.tolist(), shapes.cut(near, box), strict=True))
    cut = {other: shape for other, shape in cut.items() if not shape.is_empty and other != row}
    drawing = Map(id_, box, _SIDE, _SIDE)
    drawing.areas(shapes.ground(box), f'fill="{LAND}"')
    for fill, on in ((LAND, False), (PALE, True)):
        around = [shape for other, shape in cut.items() if listed[other] == on]
        drawing.areas(around, f'fill="{fill}" stroke="{BORDER}" stroke-width="0.8"')
    if shapes.has(row):
        drawing.areas([shapes.of[row]], f'fill="{BLUE}" stroke="#fff" stroke-width="1.5"')
    else:
        drawing.points(shapes.points[[row]], DOT, 9)
    if inside:
        drawing.add(_edge(shapes, groups[0], row, drawing.frame))
        drawing.keep_free((0, _SIDE - _LOCATOR - 6, _LOCATOR + 6, _SIDE))
    drawing.names(_names(place, row, bounds, shapes, drawing.frame, cut))
    drawing.add(border(0, 0, _SIDE, _SIDE))
    if inside:
        drawing.add(*_locator(row, shapes, groups))
    columns = {
        say["neighbour"]: [o.name for o in place.neighbours],
        say["code"]: [o.code for o in place.neighbours],
        say["metres"]: [None if o.metres is None else int(o.metres) for o in place.neighbours],
        say["on_the_list"]: [say["yes" if o.selected else "no"] for o in place.neighbours],
    }
    kinds = (pl.String, pl.String, pl.Int64, pl.String)
    numbers = TableData(pl.DataFrame(columns, schema=dict(zip(columns, kinds, strict=True))))
    return drawing.chart(title, about, numbers, bars(say["neighbour"], say["metres"]))


def _box(bounds: Box) -> Box:
    """Make a square about a place, with some of what is around it."""
    west, south, east, north = bounds
    half = max(east - west, north - south, 200.0) * (0.5 + _AROUND)
    x, y = (west + east) / 2, (south + north) / 2
    return x - half, y - half, x + half, y + half


def _edge(shapes: Shapes, group: LargerAreas, row: int, frame: Frame) -> str:
    import shapely

    whole = shapes.joined(group, int(group.numbers[row]))
    line = shapely.clip_by_rect(shapely.boundary(whole), *frame.box)
    return frame.lines(
        line, f'fill="none" stroke="{PLUM}" stroke-width="3" stroke-linejoin="round"'
    )


def _names(
    place: Place, row: int, bounds: Box, shapes: Shapes, frame: Frame, cut: dict[int, object]
) -> Iterator[Name]:
    """Name the place, then its neighbours, in the middle of what is seen of them."""
    import shapely

    where = place.larger[0].name if place.larger else ""
    x, y = frame.at(shapes.middle(row))[0].tolist()
    name = _without_authority(place.name, where)
    # Its own name is white on dark where it fits, else beside a halo.
    fits = width_of(name, 14, bold=True) < (bounds[2] - bounds[0]) * frame.scale * 0.85
    inside = fits and shapes.has(row)
    yield Name(x, y if shapes.has(row) else y - 20, name, 14, INK, bold=True, inside=inside)
    for other in sorted(cut, key=lambda o: -float(shapely.area(cut[o])))[:14]:
        x, y = frame.at(shapely.get_coordinates(shapely.point_on_surface(cut[other])))[0].tolist()
        yield Name(x, y, _without_authority(shapes.names[other], where))


def _without_authority(name: str, where: str) -> str:
    """Leave out the name of the authority that many neighbourhoods begin with."""
    return name.removeprefix(where).strip() or name


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
    size, top = _LOCATOR, _SIDE - _LOCATOR
    box = shapes.bounds(rows)
    if not np.isfinite(box).all():
        return
    yield border(0, top, size, size, PAPER)
    frame = Frame(box, size - 10, size - 10, 5, top + 5)
    key = ("locator", *(first.codes[n] for n in numbers.tolist()))
    if key not in shapes.kept:
        whole = np.array([shapes.whole(first, n) for n in numbers.tolist()], dtype=object)
        shapes.kept[key] = frame.drawn(
            whole, 'fill="#dfe4e8" stroke="#fff" stroke-width="0.4"', 0.5
        )
    yield from shapes.kept[key]
    yield from frame.drawn(np.array([shapes.whole(first, mine)], object), f'fill="{PLUM}"', 0.5)
    x, y = frame.at(shapes.middle(row))[0]
    yield Mark("circle", f'fill="none" stroke="{BLUE}" stroke-width="1.6"', 6).at(x, y)


_MOST_OUTLINES = 900
"""Above this many places each is too small to be seen, and those on the list are drawn as marks."""
_OPEN = f'fill="{SKY}" stroke="{BLUE}" stroke-width="0.8"'
_CLASSES = {
    "near": (hatch(RUST), Mark("circle", hollow(RUST, 1.1), 3.2)),
    "open": (_OPEN, Mark("square", _OPEN, 3.2)),
    "sure": (solid(BLUE), Mark("circle", f'fill="{BLUE}" stroke="#fff" stroke-width="0.4"', 3.2)),
}
"""The fill and the mark of each class of places, from the back."""


def overview_map(
    id_: str,
    results: Results,
    designation: str,
    scope: Scope,
    shapes: Shapes,
    groups: list[LargerAreas],
) -> Chart | None:
    """Draw the places of a larger area in classes of a designation that differ by fill and by outline.

    None if it is not known where any of them is.
    """
    if not shapes.seen(scope.rows):
        return None
    d, share = results.designations[designation], share_of_draws(results, designation)
    sure = d.selected if share is None else d.selected & (share >= SURE)
    where = {"sure": sure, "open": d.selected & ~sure, "near": d.near_miss}
    classes = {key: scope.rows[which[scope.rows]] for key, which in where.items()}
    words = {
        "sure": "On the list" if share is None else "On the list in at least 95% of recalculations",
        "open": "On the list, in fewer recalculations",
        "near": "Just outside the cut-off",
    }
    listed = list_name(label_of(results, designation), results.areas.plural)
    n = int(d.selected[scope.rows].sum())
    title = f"{n:,} of {len(scope.rows):,} {results.areas.plural} in {scope.title} on {listed}"
    told = "; ".join(
        f"{words[k].lower()}: {len(rows):,}" for k, rows in classes.items() if len(rows)
    )
    about = f"Map of {scope.title}. {told[:1].upper()}{told[1:] or 'none on the list'}."
    small = len(scope.rows) > _MOST_OUTLINES
    numbers = (
        [k for k in np.unique(groups[0].numbers[scope.rows]).tolist() if k >= 0] if groups else []
    )
    drawing = Map(id_, padded(_bounds(scope, shapes, groups, small), 0.03), hug=True)
    _land(drawing, scope, shapes, groups, numbers, small)
    for key, (style, mark) in _CLASSES.items():
        outlined = np.array([shapes.has(row) and not small for row in classes[key].tolist()], bool)
        drawing.areas(shapes.of[classes[key][outlined]], style)
        drawing.points(shapes.points[classes[key][~outlined]], mark)
    if not small and groups:
        edges = {k: shapes.edge(groups[0], k) for k in numbers}
        drawing.areas(list(edges.values()), f'fill="none" stroke="{INK}" stroke-width="1.4"', 0.6)
        if 1 < len(edges) <= 40:
            drawing.names(_authorities(groups[0], edges, drawing.frame))
    counted = pl.DataFrame(
        {
            "Class": [words[k] for k in classes],
            results.areas.plural.capitalize(): [len(rows) for rows in classes.values()],
        }
    )
    legend = [
        (_CLASSES[key][1 if small else 0], f"{words[key]}: {len(rows):,}")
        for key, rows in classes.items()
        if len(rows)
    ]
    return drawing.chart(title, about, TableData(counted), bars(*counted.columns), legend)


def _bounds(scope: Scope, shapes: Shapes, groups: list[LargerAreas], small: bool) -> Box:
    """Box about the places, and about the larger areas that they make up where some have no outline."""
    west, south, east, north = shapes.bounds(scope.rows)
    if not groups or small:
        return west, south, east, north
    inside = np.isin(np.arange(len(groups[0].numbers)), scope.rows)
    whole = [
        shapes.edge(groups[0], number)
        for number in np.unique(groups[0].numbers[scope.rows]).tolist()
        if number >= 0 and inside[groups[0].numbers == number].all()
    ]
    return bounds_of(np.array([[west, south], [east, north]]), np.array(whole, dtype=object))


def _land(
    drawing: Map,
    scope: Scope,
    shapes: Shapes,
    groups: list[LargerAreas],
    numbers: list[int],
    small: bool,
) -> None:
    if small:
        whole = [shapes.whole(groups[0], number) for number in numbers]
        drawing.areas(whole, f'fill="{LAND}" stroke="#fff" stroke-width="0.6"', 0.7)
        return
    drawing.areas(shapes.ground(drawing.frame.box), 'fill="#f7f8f9"')
    drawing.areas([shapes.edge(groups[0], number) for number in numbers], f'fill="{LAND}"')
    known = [row for row in scope.rows.tolist() if shapes.has(row)]
    drawing.areas(shapes.of[known], f'fill="{LAND}" stroke="{LINE}" stroke-width="0.8"')


def _authorities(group: LargerAreas, edges: dict[int, object], frame: Frame) -> Iterator[Name]:
    """Name the authorities, the largest first."""
    import shapely

    for number in sorted(edges, key=lambda k: -float(shapely.area(edges[k]))):
        point = shapely.point_on_surface(edges[number])
        if not shapely.is_empty(point):
            x, y = frame.at(shapely.get_coordinates(point))[0].tolist()
            yield Name(x, y, group.names[number])
