"""Pictures as SVG by hand: what every plot of an index is put together from.

A picture has a title and a description that screen readers find, asks for nothing from elsewhere,
and says nothing by colour alone: shape, stripes or words say the same. Colours are those of Okabe
and Ito (2008), Color Universal Design, which people with any colour vision can tell apart.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = [
    "BLUE",
    "COLOURS",
    "GREY",
    "INK",
    "VERMILION",
    "Plot",
    "axis",
    "circle",
    "line",
    "numeral",
    "picture",
    "plain",
    "rank_ticks",
    "rectangle",
    "shorten",
    "text",
    "ticks",
    "tint",
]

INK, GREY, GRID = "#1a1a1a", "#595959", "#d0d0d0"
BLUE, VERMILION = "#0072b2", "#d55e00"
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f")

_TOP = 30
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture and its numbers.

    Attributes
    ----------
    svg
        The picture: one ``svg`` element that stands by itself as a file or in a page.
    numbers
        Everything that it draws, as a table.
    title, about
        Its title, and how to read it; both are in the picture too.
    """

    svg: str
    numbers: pl.DataFrame
    title: str
    about: str

    def save(self, path: Path | str) -> None:
        """Write the picture to a file.

        Raises
        ------
        DataError
            If the name does not end in ``.svg``, or there is no such folder.
        """
        to = Path(path)
        if to.suffix != ".svg":
            raise DataError(f"{to}: expected a name that ends in .svg")
        if not to.parent.is_dir():
            raise DataError(f"{to}: there is no folder {to.parent}")
        to.write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg  # what a notebook shows


def picture(
    title: str, about: str, width: float, height: float, parts: Sequence[str], numbers: pl.DataFrame
) -> Plot:
    """Put parts into a picture, below its title.

    Parameters
    ----------
    title, about
        As in `Plot`.
    width, height
        Of the drawing in its own units, without the room for title and description.
    parts
        SVG elements; y = 0 is below the title.
    numbers
        As in `Plot`.
    """
    lines = textwrap.wrap(plain(about), max(20, int(width / 7)))
    heading = textwrap.wrap(plain(title), max(20, int(width / 10.5)))
    top = _TOP + 22.0 * (len(heading) - 1) + 16 * len(lines) + 12
    shown = [
        *(text(12, 24 + 22 * k, part, size=17, weight=700) for k, part in enumerate(heading)),
        *(
            text(12, 22 + 22 * len(heading) + 16 * k, part, size=12, fill=GREY)
            for k, part in enumerate(lines)
        ),
    ]
    body = "".join(parts)
    # Two pictures of one page must not share an id; the same picture keeps its own.
    id_ = (
        "p" + hashlib.sha256(f"{title}\0{about}\0{body}".encode(errors="replace")).hexdigest()[:10]
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} '
        f'{height + top:g}" width="{width:g}" height="{height + top:g}" '
        f'aria-labelledby="{id_}-title {id_}-desc" '
        'font-family="system-ui, -apple-system, Arial, sans-serif">'
        f'<title id="{id_}-title">{escape(plain(title))}</title>'
        f'<desc id="{id_}-desc">{escape(plain(about))} The table has the same numbers.</desc>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(shown)}'
        f'<g transform="translate(0 {top:g})">{body.replace("#stripes", f"#{id_}-stripes")}</g>'
        f'<defs><pattern id="{id_}-stripes" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="6" height="6" fill="#ffffff"/>'
        f'<rect width="3" height="6" fill="{VERMILION}"/></pattern></defs></svg>'
    )
    return Plot(svg, numbers, title, about)


def plain(words: str) -> str:
    """Leave out what XML cannot hold."""
    return _CONTROL.sub("", words)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 12,
    anchor: str = "start",
    fill: str = INK,
    weight: int = 400,
    turn: float = 0,
) -> str:
    """Write words, turned by so many degrees about their own place."""
    turned = f' transform="rotate({turn:.1f} {x:.1f} {y:.1f})"' if turn else ""
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" '
        f'fill="{fill}"{bold}{turned}>{escape(plain(words))}</text>'
    )


def rectangle(
    x: float, y: float, width: float, height: float, fill: str, stroke: str = "none"
) -> str:
    """Draw a rectangle; a fill of ``url(#stripes)`` is striped."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, stroke: str = INK, width: float = 1, dash: str = ""
) -> str:
    """Draw a line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width:g}"{dashed}/>'
    )


def circle(x: float, y: float, r: float, fill: str = INK, stroke: str = "none") -> str:
    """Draw a circle."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="{fill}" stroke="{stroke}" '
        'stroke-width="2"/>'
    )


def axis(
    at: Sequence[float], x0: float, x1: float, low: float, high: float, top: float, bottom: float
) -> list[str]:
    """Draw upright grid lines at values, with the values above them."""
    parts = []
    for value in at:
        x = x0 + (value - low) / (high - low) * (x1 - x0)
        parts.append(line(x, top, x, bottom, GRID))
        parts.append(text(x, top - 6, numeral(value), size=11, anchor="middle", fill=GREY))
    return parts


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Give round numbers from below `low` to above `high`, about `n` of them.

    Examples
    --------
    >>> ticks(0, 87)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    if not high > low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / n
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= raw * 0.999)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [float(round(k * step, 12)) for k in np.arange(first, last + 1)]


def rank_ticks(low: float, high: float) -> list[float]:
    """Give round ranks from `low` to `high`; the first is rank 1, and not 0.

    Examples
    --------
    >>> rank_ticks(2, 87)
    [1.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    at = ticks(low if low > high / 2 else 0, high)  # far down the table, look more closely
    return [max(at[0], 1.0), *at[1:]]


def numeral(value: float) -> str:
    """Write a number shortly.

    Examples
    --------
    >>> numeral(33755.0), numeral(0.25), numeral(-1.0)
    ('33,755', '0.25', '−1')
    """
    told = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
    return told.replace("-", "−")


def shorten(words: str, n: int) -> str:
    """Take the middle out of words that are too long, since names differ at both ends.

    Examples
    --------
    >>> shorten("Kingston upon Hull 012A", 15)
    'Kingsto…ll 012A'
    """
    words = plain(words)
    half = (n - 1) // 2
    return words if len(words) <= n else f"{words[: n - 1 - half]}…{words[-half:] if half else ''}"


def tint(colour: str, share: float) -> str:
    """Mix a colour with white: 1 = the colour, 0 = white.

    Examples
    --------
    >>> tint("#0072b2", 0.5)
    '#80b8d8'
    """
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in parts)
