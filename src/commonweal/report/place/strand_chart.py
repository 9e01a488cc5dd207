"""Where a place stands, strand by strand, beside its peers, its authority and its region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.chart.canvas import INK, LINE, PLACE, QUIET, mark, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown, framed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.report.place.place import Standing

__all__ = ["columns_of", "rows_of", "strand_chart", "strand_table"]

WIDTH = 600.0
_LEFT, _RIGHT, _ROW, _TOP = 248.0, 12.0, 25.0, 62.0
_PLOT = WIDTH - _LEFT - _RIGHT


def columns_of(standings: Sequence[Standing]) -> list[tuple[str, str]]:
    """Give group and label of what is compared with, in the order drawn and listed."""
    found: dict[str, str] = {}
    for standing in standings:
        found |= {a.group: a.label for a in standing.averages}
    return list(found.items())


def rows_of(standings: Sequence[Standing]) -> list[tuple[Standing, bool]]:
    """Give the indices, each with its strands after it, and whether it is an index."""
    return [
        row for s in standings for row in ((s, True), *((strand, False) for strand in s.strands))
    ]


def strand_table(name: str, standings: Sequence[Standing]) -> Shown:
    """Show, of each strand, the share of places with less need: here and on average elsewhere."""
    rows = [s for s, _ in rows_of(standings)]
    columns = [
        ("Measure", pl.Series([s.label for s in rows], dtype=pl.String)),
        (name, pl.Series([s.worse_than for s in rows], dtype=pl.Float64)),
    ]
    for group, label in columns_of(standings):
        means = [next((a.worse_than for a in s.averages if a.group == group), None) for s in rows]
        columns.append((label, pl.Series(means, dtype=pl.Float64)))
    shown = framed(columns)
    return Shown(shown.frame, frozenset(shown.frame.columns[1:]))


def strand_chart(id_: str, name: str, kinds: str, standings: Sequence[Standing]) -> Chart:
    """Draw `strand_table`: a mark a place or group, most need to the right.

    Parameters
    ----------
    id_
        Of the drawing.
    name
        The place, or the larger area whose places are averaged.
    kinds
        What places are called.
    standings
        Of the place, or means over several.
    """
    title = f"Where {name} stands"
    whole = dict(columns_of(standings)).get("all", f"all {kinds}")
    known = any(s.low is not None for s in standings)
    line = " The line through it shows the range in nine of ten runs." if known else ""
    about = (
        f"Each row is one measure. The further right, the more need: at 90 %, nine in ten {kinds} have less "
        f"need. The dot is {name}.{line} Other marks are averages. The dark line is the middle of {whole}."
    )
    rows = rows_of(standings)
    height = _TOP + len(rows) * _ROW + 6
    parts = [*_axis(whole, height), *_key(name, standings)]
    for k, (standing, is_index) in enumerate(rows):
        parts += _row(standing, is_index, _TOP + k * _ROW + _ROW / 2)
    drawn = svg(id_, title, about, WIDTH, height, parts)
    return Chart(id_, title, about, drawn, strand_table(name, standings))


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
    yield text(_x(0), _TOP - 8, "least need", 11.5, "start", QUIET)
    yield text(
        _x(0.5),
        _TOP - 8,
        f"middle of {whole}" if len(whole) < 18 else "the middle",
        11.5,
        "middle",
        QUIET,
    )
    yield text(_x(1), _TOP - 8, "worst tenth", 11.5, "end", "#a33b0b", bold=True)


def _key(name: str, standings: Sequence[Standing]) -> Iterator[str]:
    """Name each mark, above the drawing."""
    items = [("place", _short(name, 24))]
    items += [(_kind(g), _short(label, 22)) for g, label in columns_of(standings) if g != "all"]
    x, y = 8.0, 14.0
    for kind, words in items:
        wide = 28 + len(words) * (8.3 if kind == "place" else 7.3)
        if x > 8 and x + wide > WIDTH:
            x, y = 8.0, y + 19
        yield mark(kind, x + 6, y - 4, 5)
        yield text(x + 18, y, words, 12, bold=kind == "place")
        x += wide


def _kind(group: str) -> str:
    return group if group in ("peers", "region") else "authority"


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _row(s: Standing, is_index: bool, y: float) -> Iterator[str]:
    words = _short(s.label, 34)
    yield text(8 if is_index else 20, y + 4.5, words, 12.5 if is_index else 12, bold=is_index)
    if is_index:
        yield f'<path d="M8 {y - _ROW / 2:g}H{WIDTH - _RIGHT:g}" stroke="{INK}" stroke-width="0.8"/>'
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
