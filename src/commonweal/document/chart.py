"""Charts as accessible SVG, each with the numbers that it shows."""

from __future__ import annotations

import re
from html import escape
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.document.format import SURE, percent, shorten
from commonweal.document.model import Chart, TableData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    pass


INK, QUIET, LINE, LAND = "#1a1f24", "#4a545e", "#c9d0d6", "#eef1f3"

# From the palettes of the Government Analysis Function: told apart with any colour vision, and each
# at least 3 : 1 on white. Shapes differ as well.
PLACE, AUTHORITY, REGION, PEER, OTHER = "#12436d", "#801650", "#3d3d3d", "#28a197", "#f46a25"

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"


def svg(id_: str, title: str, about: str, width: float, height: float, parts: Iterable[str]) -> str:
    """Put a drawing together, with a title and a description for those who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_}-t {id_}-d" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'font-family="{_FONT}">'
        f'<title id="{id_}-t">{_said(title)}</title><desc id="{id_}-d">{_said(about)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _said(words: str) -> str:
    """Escape words, without the control characters that XML knows no way to write."""
    return escape(_CONTROL.sub(" ", words))


# Wide: where, what and how of a text in SVG; most are left at what is usual.
def text(
    x: float,
    y: float,
    words: str,
    size: float = 13,
    anchor: str = "start",
    fill: str = INK,
    bold: bool = False,
    halo: bool = False,
) -> str:
    """Write words; with a halo they can be read on top of lines."""
    weight = ' font-weight="700"' if bold else ""
    around = ' stroke="#fff" stroke-width="3.5" stroke-linejoin="round"' if halo else ""
    start = f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
    said = f"{_said(words)}</text>"
    # Not every renderer knows paint-order, so the halo is a text of its own, hidden from readers.
    behind = f'{start} fill="#fff"{weight}{around} aria-hidden="true">{said}' if halo else ""
    return f'{behind}{start} fill="{fill}"{weight}>{said}'


def mark(kind: str, x: float, y: float, r: float = 6) -> str:
    """Draw the mark of a group: every one has a shape of its own."""
    if kind == "place":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r + 1:.1f}" fill="{PLACE}"/>'
    if kind == "peers":
        d = r + 0.5
        return (
            f'<path d="M{x:.1f} {y - d:.1f}l{d:.1f} {d:.1f}l{-d:.1f} {d:.1f}l{-d:.1f} {-d:.1f}z" '
            f'fill="#fff" stroke="{PEER}" stroke-width="2.5"/>'
        )
    if kind == "region":
        h = r * 1.05
        return (
            f'<path d="M{x:.1f} {y - h:.1f}l{h:.1f} {h * 1.8:.1f}h{-2 * h:.1f}z" '
            f'fill="#fff" stroke="{REGION}" stroke-width="2"/>'
        )
    s = r * 0.9
    return (
        f'<rect x="{x - s:.1f}" y="{y - s:.1f}" width="{2 * s:.1f}" height="{2 * s:.1f}" '
        f'fill="#fff" stroke="{AUTHORITY}" stroke-width="2.5"/>'
    )


class Frame:
    """From metres to units of a drawing."""

    def __init__(self, box: Box, width: float, height: float, left: float = 0, top: float = 0):
        west, south, east, north = box
        self.scale = min(width / (east - west), height / (north - south))
        self.box = box
        self.width, self.height = width, height
        # What is left over goes to both sides.
        self._x = left + (width - (east - west) * self.scale) / 2 - west * self.scale
        self._y = top + (height - (north - south) * self.scale) / 2 + north * self.scale

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) units from left and top."""
        return np.column_stack(
            [points[:, 0] * self.scale + self._x, self._y - points[:, 1] * self.scale]
        )

    def path(self, shape: object, style: str, slack: float = 0.4) -> str:
        """Draw an outline; `slack` is by how many units it may be off."""
        import shapely

        if shape is None or shapely.is_empty(shape):
            return ""
        shape = shapely.simplify(shape, slack / self.scale)
        parts = []
        for ring in shapely.get_rings(shapely.get_parts(shape)):
            units = np.rint(self.at(shapely.get_coordinates(ring)) * 10).astype(int)
            steps = np.diff(units, axis=0)
            steps = steps[(steps != 0).any(axis=1)]
            if len(steps) < 3:
                continue
            line = " ".join(f"{a / 10:g} {b / 10:g}" for a, b in steps[:-1].tolist())
            parts.append(f"M{units[0, 0] / 10:g} {units[0, 1] / 10:g}l{line}z")
        return f'<path d="{"".join(parts)}" {style}/>' if parts else ""

    def lines(self, shape: object, style: str, slack: float = 0.4) -> str:
        """Draw lines that are not closed, such as an edge cut off at the frame."""
        import shapely

        parts = []
        for part in shapely.get_parts(shapely.simplify(shape, slack / self.scale)):
            units = self.at(shapely.get_coordinates(part))
            if len(units) > 1:
                parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in units.tolist()))
        return f'<path d="{"".join(parts)}" {style}/>' if parts else ""

    def scale_bar(self, right: float, y: float) -> str:
        """Draw a bar of 1, 2 or 5 times a power of ten, about a quarter of the width."""
        wanted = 0.28 * self.width / self.scale
        power = 10 ** np.floor(np.log10(wanted))
        metres = float(max(k * power for k in (1, 2, 5) if k * power <= wanted))
        units = metres * self.scale
        words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
        return (
            f'<path d="M{right - units:.1f} {y - 5:.1f}v5h{units:.1f}v-5" fill="none" '
            f'stroke="{INK}" stroke-width="1.5"/>'
        ) + text(right - units - 6, y, words, 12, "end")


Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east and north, in metres."""


_MOST_BARS = 30
_ENDS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
_INSIDE, _OUTSIDE = "#12436d", "#a33b0b"


def chance_chart(
    id_: str,
    names: Sequence[str],
    chance: NDArray[np.float64],
    selected: NDArray[np.bool_],
    kinds: str,
    label: str = "",
) -> Chart:
    """Draw how often areas are on the list in recalculations."""
    order = np.lexsort((np.arange(len(names)), -chance))
    each = len(names) <= _MOST_BARS
    n, firm = int(selected.sum()), int((selected & (chance >= SURE)).sum())
    title = f"{label[:1].upper()}{label[1:]}: " if label else ""
    title += f"{firm:,} of the {n:,} {kinds} on the list stay there in at least {SURE:.0%} of recalculations"
    if firm == 1 or n == 1:
        title = title.replace(" stay there", " stays there")
    end = "Filled bars are on the list, hollow bars are not."
    share = "Recalculations on the list"
    if each:
        about = (
            f"Each bar is one of the {kinds}: how often it is on the list in recalculations. {end}"
        )
        rows = [(names[k], float(chance[k]), bool(selected[k])) for k in order]
        numbers = TableData(
            pl.DataFrame(
                [(n, c, "Yes" if s else "No") for n, c, s in rows],
                schema={"Name": pl.String, share: pl.Float64, "On the list": pl.String},
                orient="row",
            ),
            frozenset({share}),
        )
        bars = [(n, c, percent(c), s) for n, c, s in rows]
    else:
        about = (
            f"Each bar counts {kinds} by how often they are on the list in recalculations. {end}"
        )
        counted = list(_counted(chance, selected))
        numbers = TableData(
            pl.DataFrame(
                counted,
                schema={share: pl.String, "On the list": pl.Int64, "Not on the list": pl.Int64},
                orient="row",
            )
        )
        most = max(1, *(max(a, b) for _, a, b in counted))
        bars = []
        for words, inside, outside in counted:
            bars.append((words, inside / most, f"{inside:,}", True))
            bars.append(("", outside / most, f"{outside:,}", False))
    return Chart(id_, title, about, _drawn(id_, title, about, bars, each), numbers)


def _counted(
    chance: NDArray[np.float64], selected: NDArray[np.bool_]
) -> Iterator[tuple[str, int, int]]:
    for low, high in pairwise(_ENDS):
        at = (chance >= low) & ((chance < high) | ((high == 1.0) & (chance == 1.0)))
        words = f"{low:.0%} to {high:.0%}"
        yield words, int((at & selected).sum()), int((at & ~selected).sum())


def _drawn(
    id_: str, title: str, about: str, bars: Sequence[tuple[str, float, str, bool]], share: bool
) -> str:
    left, width, row, top = 210.0, 600.0, 20.0, 24.0
    plot = width - left - 84
    height = top + len(bars) * row + 8
    parts = []
    if share:
        for at in (0.0, 0.5, 1.0):
            x = left + at * plot
            parts.append(f'<path d="M{x:g} {top - 4:g}V{height - 6:g}" stroke="{LINE}"/>')
            parts.append(text(x, top - 9, f"{at:.0%}", 11.5, "middle", QUIET))
    for k, (words, value, told, inside) in enumerate(bars):
        y = top + k * row
        parts.append(text(left - 8, y + 13, shorten(words, 30), 12, "end"))
        wide = max(value * plot, 0.8)
        fill, edge = (_INSIDE, _INSIDE) if inside else ("#fff", _OUTSIDE)
        parts.append(
            f'<rect x="{left:g}" y="{y + 3:g}" width="{wide:.1f}" height="12" fill="{fill}" '
            f'stroke="{edge}" stroke-width="1.4"/>'
        )
        parts.append(text(left + wide + 6, y + 13, told, 12))
    return svg(id_, title, about, width, height, parts)


WIDTH, LEFT, RIGHT, ROW, HEAD, TOP = 640.0, 220.0, 64.0, 22.0, 26.0, 34.0


class Estimate(NamedTuple):
    """A row of the chart: what it is of and, where it may be told, its value and interval."""

    heading: str
    label: str
    value: float | None
    low: float | None
    high: float | None


# Wide: half of them are what a Chart says of itself.
def interval_chart(
    id_: str,
    title: str,
    about: str,
    rows: Sequence[Estimate],
    numbers: TableData,
    say: Callable[[float], str],
    middle: float | None = None,
    whole: bool = False,
) -> Chart:
    """Draw estimates, with a heading above each run of rows that has the same."""
    known = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    low, high, ticks = _axis(known or [0.0, 1.0], whole)

    def at(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    runs = sum(1 for heading, _ in groupby(r.heading for r in rows) if heading)
    height = TOP + len(rows) * ROW + HEAD * runs + 10
    parts = [*_grid(ticks, at, height, say)]
    if middle is not None:
        x = at(middle)
        parts.append(
            f'<path d="M{x:.1f} {TOP:g}V{height - 8:g}" stroke="{QUIET}" stroke-width="1.6"/>'
        )
    y, heading = TOP, ""
    for row in rows:
        if row.heading and row.heading != heading:
            heading, y = row.heading, y + HEAD
            parts.append(text(8, y - 6, heading, 13, bold=True))
        y += ROW
        parts += _row(row, y - ROW / 2, at, say)
    return Chart(id_, title, about, svg(id_, title, about, WIDTH, height, parts), numbers)


def _axis(known: Sequence[float], whole: bool) -> tuple[float, float, list[float]]:
    """Give the ends of the axis and round numbers on it."""
    low, high = min(known), max(known)
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** np.floor(np.log10(span))
    step *= next(f for f in (0.2, 0.5, 1.0, 2.0) if span / (step * f) <= 6)
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    if whole:
        low, high = max(low, 0.0), min(high, 1.0)
    high = high if high > low else low + step
    return float(low), float(high), [float(t) for t in np.arange(low, high + step / 2, step)]


def _grid(
    ticks: Sequence[float], at: Callable[[float], float], height: float, say: Callable[[float], str]
) -> Iterator[str]:
    for tick in ticks:
        x = at(tick)
        yield f'<path d="M{x:.1f} {TOP:g}V{height - 8:g}" stroke="{LINE}" stroke-width="1"/>'
        yield text(x, TOP - 10, say(tick), 12, "middle", QUIET)


def _row(
    row: Estimate, y: float, at: Callable[[float], float], say: Callable[[float], str]
) -> Iterator[str]:
    label = row.label if len(row.label) <= 30 else f"{row.label[:29].rstrip()}…"
    yield text(20 if row.heading else 8, y + 4.5, label, 12.5)
    if row.value is None:
        yield text(LEFT + 6, y + 4, "too few to publish", 11.5, fill=QUIET)
        return
    if row.low is not None and row.high is not None:
        yield (
            f'<path d="M{at(row.low):.1f} {y:.1f}H{at(row.high):.1f}" stroke="{PLACE}" stroke-width="4" '
            'stroke-opacity="0.45" stroke-linecap="round"/>'
        )
    yield f'<circle cx="{at(row.value):.1f}" cy="{y:.1f}" r="5.5" fill="{PLACE}"/>'
    yield text(WIDTH - 8, y + 4.5, say(row.value), 12.5, "end")
