"""Charts and the map of a study as SVG, each with its numbers as a table; no outside request."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.chart.map import Map, Name, Projector, bounds_of, degrees_of, padded
from commonweal.chart.rows import Bar, Row, Upright, row_chart
from commonweal.chart.theme import (
    BLUE,
    DOT,
    INK,
    LAND,
    LINE,
    QUIET,
    RING,
    RUST,
    Axis,
    Mark,
    hatch,
    hollow,
    round_axis,
    short_number,
    solid,
)
from commonweal.chart.vega import bars, dots, stacked
from commonweal.document.format import LIKELY, SURE, percent, shorten, stable
from commonweal.document.model import TableData
from commonweal.report.study.tables import certain, share_of_draws, the_list
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.chart.map import Frame
    from commonweal.designation import Designation
    from commonweal.designation.rule import ConditionResult
    from commonweal.document.model import Chart
    from commonweal.study.results import Results


Floats: TypeAlias = NDArray[np.float64]

_BANDS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
_MOST_BARS = 30
_AROUND = 15
_KEYS = ((solid(BLUE), "On the list"), (hatch(RUST), "Not on the list"))


def draws_chart(results: Results, name: str) -> Chart | None:
    """Show how often the areas listed are on the list in recalculations; None without recalculations."""
    p, here = share_of_draws(results, name), results.focus
    if p is None:
        return None
    names = [
        called or code
        for code, called in results.areas_in_focus.table.select("code", "name").iter_rows()
    ]
    selected = results.designation_in_focus(name).selected
    return share_chart(
        f"recalculations-{name}", names, p[here], selected[here], results.areas.plural
    )


def share_chart(
    id_: str,
    names: Sequence[str],
    shares: Floats,
    selected: NDArray[np.bool_],
    kinds: str,
    label: str = "",
) -> Chart:
    """Show how often areas are on the list in recalculations: each of them, or in bands where they are many."""
    n, firm = int(selected.sum()), int((selected & (shares >= SURE)).sum())
    title = f"{label[:1].upper()}{label[1:]}: " if label else ""
    title += stable(n, firm, kinds).removesuffix(".")
    share = "Recalculations on the list"
    if len(names) <= _MOST_BARS:
        order = np.lexsort((np.arange(len(names)), -shares)).tolist()
        about = f"Each bar is one of the {kinds}: how often it is on the list in recalculations."
        frame = pl.DataFrame(
            {
                "Name": [names[k] for k in order],
                share: shares[order],
                "On the list": np.where(selected[order], "Yes", "No").tolist(),
            },
            schema={"Name": pl.String, share: pl.Float64, "On the list": pl.String},
        )
        rows = [
            Row(name, (Bar(0.0, p, _KEYS[inside == "No"][0]),), after=percent(p))
            for name, p, inside in frame.iter_rows()
        ]
        axis = Axis(0.0, 1.0, ((0.0, "0%"), (0.5, "50%"), (1.0, "100%")))
        numbers, vega = TableData(frame, frozenset({share})), bars("Name", share)
    else:
        about = f"Each bar counts {kinds} by how often they are on the list in recalculations."
        counted = [_band(low, high, shares, selected) for low, high in pairwise(_BANDS)][::-1]
        heads = (share, "On the list", "Not on the list")
        numbers = TableData(pl.DataFrame(counted, schema=heads, orient="row"))
        vega, axis = stacked(*heads), None
        *rest, (words, inside, outside) = counted
        if inside == 0 and outside > 3 * max(1, *(a + b for _, a, b in rest)):
            about += f" The other {outside:,}, with {words}, are left out."
            counted = rest
        rows = [
            Row(words, (Bar(0, a, _KEYS[0][0]), Bar(a, a + b, _KEYS[1][0])), after=_both(a, b))
            for k, (words, a, b) in enumerate(counted)
            if any(a + b for _, a, b in counted[k:])  # none below the last that has any
        ]
    return row_chart(id_, title, about, rows, numbers, vega, axis, _KEYS)


def _band(
    low: float, high: float, shares: Floats, selected: NDArray[np.bool_]
) -> tuple[str, int, int]:
    at = (shares >= low) & ((shares < high) | ((high == 1.0) & (shares == 1.0)))
    return f"{low:.0%} to {high:.0%}", int((at & selected).sum()), int((at & ~selected).sum())


def _both(inside: int, outside: int) -> str:
    return f"{inside:,} + {outside:,}" if inside and outside else f"{inside + outside:,}"


def rank_charts(results: Results, name: str) -> Iterator[Chart]:
    """Show rank intervals of the areas close to each cut-off where ranks were recalculated."""
    sure = results.certainty.get(name)
    if sure is None:
        return
    d, plural = results.designations[name], results.areas.plural
    for number, tested in enumerate(d.tested, start=1):
        c = tested.condition
        if c.worst is None or c.within or c.among or c.path not in sure.ranks:
            continue  # only there do ranks and cut-off count the same areas
        near = _around(d, tested, results.focus)
        if len(near) == 0:
            continue
        cut, table = float(tested.cut[0]), results.areas.table[near]
        low, high = (np.rint(sure.ranks[c.path][near][:, k]).astype(np.int64) for k in (0, 2))
        both = int(((low <= cut) & (high > cut)).sum())
        title = (
            f"{index_label(results, c.index)}: for {both:,} of the {len(near):,} {plural} closest to the cut-off, "
            "the range of ranks crosses it"
        )
        about = (
            f"The {_AROUND} just inside and the {_AROUND} just outside, of those whose result this cut-off decides. "
            f"Dot: the rank, solid inside and hollow outside. Line: from the rank at 5% to that at 95% of the "
            f"recalculations. The vertical line is the cut-off, after rank {cut:,.0f}."
        )
        frame = pl.DataFrame(
            {
                results.areas.singular.capitalize(): table["name"].fill_null(table["code"]),
                "Code": table["code"],
                "Rank": tested.rank[near].astype(np.int64),
                "Rank at 5% of recalculations": low,
                "Rank at 95% of recalculations": high,
                "Side": np.where(tested.passes[near], "inside", "outside").tolist(),
            }
        )
        rows = [
            Row(shorten(label, 36), marks=((at, DOT if side == "inside" else RING),), span=(a, b))
            for label, _, at, a, b, side in frame.iter_rows()
        ]
        heads = frame.columns
        yield row_chart(
            f"ranks-{name}-{number}", title, about, rows, TableData(frame),
            dots(heads[0], "Rank", ends=(heads[3], heads[4])),
            round_axis([cut, *low, *high], short_number, "Rank"),
            lines=[Upright(cut + 0.5, f"cut-off {cut:,.0f}")],
        )  # fmt: skip


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


_MOST_SHAPES = 5000
_LIKELY = Mark("square", solid("#1f78b4"))
_CLASSES = {
    "near": (Mark("circle", hollow(QUIET)), "Just outside the cut-off"),
    "open": (Mark("triangle", solid(RUST)), "On the list, borderline or unlikely: under 80%"),
    "likely": (_LIKELY, "On the list, likely: 80% to 95%"),
    "sure": (DOT, "On the list, secure: 95% and more"),
}
"""The mark of each class of areas, which differ by shape and not by colour alone, from the back."""


def draw_map(results: Results, name: str) -> Chart | None:
    """Draw one designation; None where no area has a known place."""
    lon, lat = degrees_of(results.areas)
    lon, lat = np.where(results.focus, lon, np.nan), np.where(results.focus, lat, np.nan)
    if not np.isfinite(lon).any():
        return None
    projector = Projector(lon, lat)
    points = projector.points(lon, lat)
    behind = results.outline if len(results.outline) else results.boundaries
    if results.study.focus:  # the part alone, large enough to be seen
        behind = results.boundaries.filter(pl.Series(results.focus))
    shapes = projector.outlines(behind["geometry"].drop_nulls().head(_MOST_SHAPES + 1))
    shapes = shapes if len(shapes) <= _MOST_SHAPES else shapes[:0]
    drawing = Map(f"map-{name}", padded(bounds_of(points, shapes), 0.02), hug=True)
    drawing.areas(shapes, f'fill="{LAND}" stroke="{LINE}" stroke-width="0.6"')
    d = results.designation_in_focus(name)
    classes = _classes(results, name, d)
    size = float(np.clip(75 / np.sqrt(max(int(d.selected.sum()), 1)), 2.4, 5.5))
    names = np.array(results.areas.table["name"].fill_null("").to_list(), dtype=object)
    for key, rows in classes.items():
        drawing.points(points[rows], _CLASSES[key][0], size, names[rows].tolist())
    drawing.names(_region_names(results, points, drawing.frame))
    words = {key: words for key, (_, words) in _CLASSES.items()}
    if name not in results.certainty:
        words["sure"] = "On the list"
    front = list(classes)[::-1]
    numbers = pl.DataFrame(
        {
            "Class": [words[key] for key in front],
            results.areas.plural.capitalize(): [len(classes[key]) for key in front],
        }
    )
    lost = int((d.selected & np.isnan(points[:, 0])).sum())
    about = f"Each mark is one {results.areas.singular}, at its middle. "
    about += "; ".join(f"{words[key]}: {len(classes[key]):,}" for key in front)
    about += f"; {lost:,} on the list have no known location and are not drawn" if lost else ""
    return drawing.chart(
        _where(results, name, d), f"{about}.", TableData(numbers), bars(*numbers.columns),
        [(_CLASSES[key][0], f"{words[key]}: {len(classes[key]):,}") for key in front if len(classes[key])],
    )  # fmt: skip


def _where(results: Results, name: str, d: Designation) -> str:
    """Say where most of the list is."""
    n, listed = int(d.selected.sum()), the_list(results, name)
    regions = results.areas.table.get_column("region_name", default=None)
    counted = (
        None if regions is None else regions.filter(d.selected).drop_nulls().value_counts(sort=True)
    )
    if counted is None or len(counted) == 0 or regions.n_unique() < 2:
        return f"Where the {n:,} on {listed} are"
    first = counted.sort("count", "region_name", descending=[True, False]).row(0)
    return f"{first[1]:,} of the {n:,} on {listed} are in {first[0]}"


def _classes(results: Results, name: str, d: Designation) -> dict[str, NDArray[np.intp]]:
    """Give the rows of each class that there is, from the back."""
    p = certain(results, name)
    if p is None:
        return {"near": np.flatnonzero(d.near_miss), "sure": np.flatnonzero(d.selected)}
    return {
        "near": np.flatnonzero(d.near_miss),
        "open": np.flatnonzero(d.selected & (p < LIKELY)),
        "likely": np.flatnonzero(d.selected & (p < SURE) & (p >= LIKELY)),
        "sure": np.flatnonzero(d.selected & (p >= SURE)),
    }


def _region_names(results: Results, points: Floats, frame: Frame) -> Iterator[Name]:
    """Name each region at the middle of its areas."""
    if "region" not in results.areas.parents:
        return
    names = results.areas.table["region_name"].fill_null("")
    for name in sorted(set(names.unique()) - {""}):
        inside = (names == name).to_numpy()
        at = inside & np.isfinite(points[:, 0])
        if at.any() and results.focus[inside].all():
            # The middle of its extent: the mean would lie in the thick of the marks.
            middle = np.quantile(points[at], [0.05, 0.95], axis=0).mean(axis=0, keepdims=True)
            x, y = frame.at(middle)[0].tolist()
            yield Name(x, y, name.replace(" and The Humber", ""), 11, INK, bold=True)
