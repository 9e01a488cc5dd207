"""Trust beside the other parts of wealth, drawn as bars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

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
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown
from commonweal.document.words import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WealthRow", "wealth_chart"]

WIDTH = 720.0
_LEFT, _RIGHT, _ROW, _BAR, _TOP = 218.0, 62.0, 26.0, 16.0, 62.0

PARTS = (
    ("produced", "Physical", PLACE),
    ("human", "Human", AUTHORITY),
    ("natural", "Natural", PEER),
    ("foreign", "Net financial", REGION),
)


@dataclass(frozen=True, slots=True)
class WealthRow:
    """A bar: measured wealth per head by part, and trust beside it.

    Attributes
    ----------
    label
        Of a country or a group.
    parts
        Produced, human, natural and net foreign wealth per head, as `PARTS` orders them.
    value
        Trust as a share of measured wealth.
    low, high
        Its ends; None where there are none.
    """

    label: str
    parts: tuple[float, float, float, float]
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        """The parts as shares of measured wealth."""
        total = sum(self.parts)
        return tuple(part / total for part in self.parts)


def wealth_chart(id_: str, title: str, rows: Sequence[WealthRow]) -> Chart:
    """Draw a bar a row: the parts of measured wealth, together 100 %, and trust after them.

    Parameters
    ----------
    id_, title
        Of the drawing.
    rows
        From top to bottom.
    """
    ends = any(row.low is not None for row in rows)
    about = (
        "Each bar is one country or group, its measured wealth set to 100 %. What it owes abroad, on balance, stands "
        "to the left of nought. Trust, striped, comes on top, as a share of measured wealth: it is modelled."
        + (" The line at its end shows how far that could be out." if ends else "")
        + " Intangible capital and institutions have no data."
    )
    low = min(0.0, *(sum(min(0.0, s) for s in row.shares) for row in rows))
    tops = [_top(row) + max(row.value, _finite(row.high)) for row in rows]
    low, high = math.floor(low * 10) / 10, math.ceil(max(tops) * 4) / 4
    scale = (WIDTH - _LEFT - _RIGHT) / (high - low)

    def x(share: float) -> float:
        return _LEFT + (share - low) * scale

    height = _TOP + len(rows) * _ROW + 10
    parts = [
        f'<defs><pattern id="{id_}-s" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="6" height="6" fill="#fff"/><rect width="3" height="6" fill="{OTHER}"/></pattern></defs>',
        *_key(id_),
    ]
    for k in range(math.ceil(low * 4), math.floor(high * 4) + 1):
        dark = k in (0, 4)
        parts.append(
            f'<path d="M{x(k / 4):.1f} {_TOP:g}V{height - 10:g}" stroke="{QUIET if dark else LINE}" stroke-width="1"/>'
        )
        if k % 2 == 0:
            parts.append(text(x(k / 4), _TOP - 6, f"{25 * k} %", 11.5, "middle", QUIET))
    for k, row in enumerate(rows):
        y = _TOP + k * _ROW + (_ROW - _BAR) / 2
        parts.append(text(_LEFT - 8, y + _BAR - 4, _short(row.label), 12.5, "end"))
        left, right = 0.0, 0.0
        for (_, _, colour), share in zip(PARTS, row.shares, strict=True):
            start = right if share >= 0 else left + share
            left, right = left + min(0.0, share), right + max(0.0, share)
            parts.append(_rect(x(start), y, abs(share) * scale, colour))
        wide = row.value * scale
        parts.append(_rect(x(right), y, wide, f"url(#{id_}-s)", f' stroke="{OTHER}"'))
        if row.low is not None and row.high is not None:
            far = min(high, right + row.high)
            middle = y + _BAR / 2
            parts.append(
                f'<path d="M{x(right + row.low):.1f} {middle:.1f}H{x(far):.1f}" stroke="{INK}" stroke-width="2"/>'
            )
        parts.append(text(WIDTH, y + _BAR - 4, f"+ {percent(row.value)}", 12, "end", bold=True))
    drawn = svg(id_, title, about, WIDTH, height, parts)
    return Chart(id_, title, about, drawn, _numbers(rows))


def _numbers(rows: Sequence[WealthRow]) -> Shown:
    columns = {name: [row.shares[k] for row in rows] for k, (_, name, _) in enumerate(PARTS)}
    ends = {"Trust, low": [r.low for r in rows], "Trust, high": [_none(r.high) for r in rows]}
    shares = {**columns, "Trust": [row.value for row in rows]}
    if any(row.low is not None for row in rows):
        shares |= ends  # type: ignore[arg-type]
    frame = pl.DataFrame({"Country or group": [row.label for row in rows], **shares})
    return Shown(frame, frozenset(shares))


def _key(id_: str) -> Iterator[str]:
    at = 8.0
    for _, name, colour in (*PARTS, ("", "Trust (modelled)", f"url(#{id_}-s)")):
        yield _rect(at, 8, 16, colour, f' stroke="{OTHER}"' if "url" in colour else "")
        yield text(at + 22, 21, name, 12.5)
        at += 46 + 7.4 * len(name)


def _rect(x: float, y: float, wide: float, fill: str, more: str = "") -> str:
    # A white edge keeps neighbours apart for those who do not tell their colours.
    edge = more or ' stroke="#fff" stroke-width="1"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(wide, 0):.1f}" height="{_BAR:g}" fill="{fill}"{edge}/>'


def _top(row: WealthRow) -> float:
    return sum(max(0.0, share) for share in row.shares)


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 0.0


def _none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _short(words: str) -> str:
    return words if len(words) <= 30 else f"{words[:29].rstrip()}…"
