"""The explorer's charts; what they are drawn with, and the chart of one place, are the briefing pack's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.chart.canvas import (
    AUTHORITY,
    INK,
    LINE,
    OTHER,
    PEER,
    PLACE,
    QUIET,
    REGION,
    svg,
    text,
)
from commonweal.document.pdf_engine import papers
from commonweal.report.place.strand_chart import rows_of, strand_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.report.place import Place

__all__ = ["compare_chart", "png_of", "strands_chart"]

_LEFT, _PLOT, _ROW, _KEY = 248.0, 340.0, 25.0, 20.0
_COLOURS = (PLACE, OTHER, PEER, AUTHORITY, REGION)


def strands_chart(place: Place) -> str:
    """Draw where a place stands on each index and strand, beside its peers and larger areas."""
    return strand_chart("strands", place.name, place.kinds, place.standings).svg


def compare_chart(places: Sequence[Place]) -> str:
    """Draw up to five places beside each other on each index and strand.

    Parameters
    ----------
    places
        At least one place, of one run.

    Returns
    -------
    str
        An ``svg`` element with a title and a description. Every place has a shape of its own.
    """
    rows = [rows_of(p.standings) for p in places]
    top = 14 + _KEY * ((len(places) + 1) // 2) + 22
    parts = []
    for k, place in enumerate(places):
        x, y = 8 + 300 * (k % 2), 14 + _KEY * (k // 2)
        parts += [_mark(k, x + 6, y - 4), text(x + 20, y, _short(place.name, 38), 12)]
    bottom = top + _ROW * len(rows[0])
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        colour, wide = (QUIET, 1.6) if share == 0.5 else (LINE, 1)
        parts.append(
            f'<path d="M{_x(share):.1f} {top:g}V{bottom:g}" stroke="{colour}" stroke-width="{wide}"/>'
        )
    for share, words, anchor in (
        (0.0, "least need", "start"),
        (0.5, "the middle", "middle"),
        (1.0, "most need", "end"),
    ):
        parts.append(text(_x(share), top - 8, words, 11.5, anchor, QUIET))
    for number, (standing, is_index) in enumerate(rows[0]):
        y = top + _ROW * (number + 0.5)
        if is_index:
            parts.append(
                f'<path d="M8 {y - _ROW / 2:g}H{_LEFT + _PLOT:g}" stroke="{INK}" stroke-width="0.8"/>'
            )
        parts.append(
            text(8 if is_index else 20, y + 4.5, _short(standing.label, 34), 12.5, bold=is_index)
        )
        for k in reversed(range(len(places))):
            at = rows[k][number][0].worse_than
            if at is not None:
                parts.append(_mark(k, _x(at), y))
    kinds = places[0].kinds
    about = f"Each row is one measure; the further right, the greater the share of {kinds} that have less need."
    names = ", ".join(p.name for p in places)
    return svg(
        "compare", f"Where they stand: {names}", about, _LEFT + _PLOT + 12, bottom + 6, parts
    )


def _x(share: float) -> float:
    return _LEFT + share * _PLOT


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _mark(k: int, x: float, y: float) -> str:
    """Draw the mark of the k-th place: dot, square, diamond, triangle, ring."""
    line = f'fill="{"#fff" if k == 4 else _COLOURS[k]}" stroke="{_COLOURS[k]}" stroke-width="2"'
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" ',
        f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" ',
        f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" ',
        f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 9.5h-11z" ',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" ',
    )
    return f"{shapes[k]}{line}/>"


def png_of(drawing: str, ppi: float = 200) -> bytes:
    """Make a PNG picture of a drawing."""
    with papers() as made:
        return made["picture"].png(drawing, ppi)
