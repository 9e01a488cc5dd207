"""What all charts share: the palette, hatches, marks, words, axes, and the SVG around a drawing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


INK, QUIET, LINE, LAND, PAPER = "#1a1f24", "#4a545e", "#c9d0d6", "#eef1f3", "#ffffff"

# From the palettes of the Government Analysis Function: told apart with any colour vision, and each
# of the first six at least 3 : 1 on white. Shapes and hatches differ as well.
BLUE, PLUM, GREY, TEAL, ORANGE, RUST = (
    "#12436d", "#801650", "#3d3d3d", "#28a197", "#f46a25", "#a33b0b"
)  # fmt: skip
SKY, PALE, SAND, SHADE = "#7fa6cf", "#b7cbdd", "#f3d3c4", "#fbe9df"
"""Lighter ones, for areas of a map and bands: never the only sign of anything."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"
_LETTER = 0.57
"""Mean width of a letter, as a share of its size."""


# Wide: half of them are what a Chart says of itself.
def svg(
    id_: str,
    title: str,
    about: str,
    width: float,
    height: float,
    parts: Iterable[str],
    kind: str = "chart",
) -> str:
    """Put a drawing together, with a title and a description for those who do not see it."""
    body = "".join(parts)
    hatches = sorted(set(re.findall(r"url\(#hatch-([0-9a-f]{6})-(\d+)\)", body)))
    defs = "".join(_pattern(f"{id_}-{colour}-{angle}", colour, angle) for colour, angle in hatches)
    body = re.sub(r"url\(#hatch-", f"url(#{id_}-", body)
    return (
        f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_}-t {id_}-d" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'font-family="{_FONT}">'
        f'<title id="{id_}-t">{said(title)}</title><desc id="{id_}-d">{said(about)}</desc>'
        f"{f'<defs>{defs}</defs>' if defs else ''}"
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{body}</svg>'  # legible on dark grounds too
    )


def _pattern(name: str, colour: str, angle: str) -> str:
    return (
        f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate({angle})"><rect width="6" height="6" fill="{PAPER}"/>'
        f'<rect width="3" height="6" fill="#{colour}"/></pattern>'
    )


def said(words: str) -> str:
    """Escape words, without the control characters that XML knows no way to write."""
    return escape(clean_text(words))


def solid(colour: str) -> str:
    """Fill with a colour; a white edge keeps neighbours apart for those who do not tell their colours."""
    return f'fill="{colour}" stroke="{PAPER}"'


def stripes(colour: str, angle: int = 45) -> str:
    """Name stripes at an angle, as a colour for a fill."""
    return f"url(#hatch-{colour[1:]}-{angle})"


def hatch(colour: str, angle: int = 45) -> str:
    """Fill with stripes at an angle, inside an edge."""
    return f'fill="{stripes(colour, angle)}" stroke="{colour}"'


def hollow(colour: str, width: float = 1.5) -> str:
    """Draw an edge alone."""
    return f'fill="{PAPER}" stroke="{colour}" stroke-width="{width:g}"'


# Wide: where, what and how of a text in SVG; most are left at what is usual.
def text(
    x: float,
    y: float,
    words: str,
    size: float = 12.5,
    anchor: str = "start",
    fill: str = INK,
    bold: bool = False,
    halo: bool = False,
) -> str:
    """Write words; with a halo they can be read on top of lines."""
    weight = ' font-weight="700"' if bold else ""
    start = f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
    end = f"{said(words)}</text>"
    around = f' stroke="{PAPER}" stroke-width="3.5" stroke-linejoin="round"'
    # Not every renderer knows paint-order, so the halo is a text of its own, hidden from readers.
    behind = f'{start} fill="{PAPER}"{weight}{around} aria-hidden="true">{end}' if halo else ""
    return f'{behind}{start} fill="{fill}"{weight}>{end}'


def width_of(words: str, size: float = 12.5, bold: bool = False) -> float:
    """Estimate how wide words are."""
    return len(words) * size * _LETTER * (1.08 if bold else 1.0)


def fitted(words: str, width: float, size: float = 12.5) -> str:
    """Cut the end of words that would be wider."""
    most = max(int(width / (size * _LETTER)), 4)
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


_SHAPES: dict[str, Callable[[float], str]] = {
    "square": lambda r: (
        f"m{-r * 0.9:.1f} {-r * 0.9:.1f}h{r * 1.8:.1f}v{r * 1.8:.1f}h{-r * 1.8:.1f}z"
    ),
    "diamond": lambda r: "m0 {1:.1f}l{0:.1f} {0:.1f} {1:.1f} {0:.1f} {1:.1f} {1:.1f}z".format(
        r * 1.15, -r * 1.15
    ),
    "triangle": lambda r: f"m0 {-r * 1.15:.1f}l{r * 1.15:.1f} {r * 2:.1f}h{-r * 2.3:.1f}z",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How a point is drawn: its shape differs, and not its colour alone."""

    shape: str
    style: str
    r: float = 5

    def at(self, x: float, y: float, r: float | None = None, inside: str = "") -> str:
        """Draw it; `inside` is a title for it, as SVG."""
        size = self.r if r is None else r
        if self.shape == "circle":
            drawn = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {self.style}'
        else:
            drawn = f'<path d="M{x:.1f} {y:.1f}{_SHAPES[self.shape](size)}" {self.style}'
        return (
            f"{drawn}>{inside}</{'circle' if self.shape == 'circle' else 'path'}>"
            if inside
            else f"{drawn}/>"
        )


DOT, RING = Mark("circle", solid(BLUE), 5.5), Mark("circle", hollow(RUST, 2))
AUTHORITY, REGION = Mark("square", hollow(PLUM, 2.5)), Mark("triangle", hollow(GREY, 2))
PEERS = Mark("diamond", hollow(TEAL, 2.5))
PLACES = (
    DOT,
    Mark("square", solid(ORANGE)),
    Mark("diamond", solid(TEAL), 5.5),
    Mark("triangle", solid(PLUM)),
    Mark("circle", hollow(GREY, 2)),
)
"""Of up to five places that are compared."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale: its ends, and what is written where."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    title: str = ""

    def along(self, start: float, end: float) -> Callable[[float], float]:
        """Give where a value stands between two ends of a drawing."""
        unit = (end - start) / (self.high - self.low)
        return lambda value: start + (value - self.low) * unit


def round_axis(
    values: Sequence[float], say: Callable[[float], str], title: str = "", most: int = 6
) -> Axis:
    """Give a scale between round numbers that the values lie within."""
    low, high = (min(values), max(values)) if len(values) else (0.0, 1.0)
    far = max(abs(low), abs(high))
    span = max(high - low if high - low > 1e-9 * far else far, 1e-12)  # of one value: from zero
    power = 10.0 ** np.floor(np.log10(span / most))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= span / most)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    at = [float(f"{k * step:.12g}") for k in np.arange(first, max(last, first + 1) + 1)]
    return Axis(at[0], at[-1], tuple((value, say(value)) for value in at), title)


def short_number(value: float) -> str:
    """Write a number of an axis."""
    return f"{value:,.10g}".replace("-", "−")


def key(
    items: Iterable[tuple[Mark | str, str]], width: float, left: float = 8.0
) -> tuple[list[str], float]:
    """Say what marks and fills mean, on as many lines as it takes; and where the last line ends."""
    parts: list[str] = []
    x, y = left, 14.0
    for mark, words in items:
        words = fitted(words, width - 40, 12)
        wide = 20 + width_of(words, 12) + 18
        if x > left and x + wide > width:
            x, y = left, y + 19
        parts += [swatch(mark, x, y), text(x + 20, y, words, 12)]
        x += wide
    return parts, y + 6 if parts else 0.0


def swatch(mark: Mark | str, x: float, y: float) -> str:
    """Draw a mark, or a piece of a fill, before words on a line."""
    if isinstance(mark, Mark):
        return mark.at(x + 7, y - 4, min(mark.r, 5))
    return f'<rect x="{x:.1f}" y="{y - 11:.1f}" width="14" height="13" {mark}/>'


def grid(axis: Axis, at: Callable[[float], float], top: float, bottom: float) -> Iterator[str]:
    """Draw upright lines at the ticks of an axis, with their words above."""
    for value, words in axis.ticks:
        yield f'<path d="M{at(value):.1f} {top:.1f}V{bottom:.1f}" stroke="{LINE}"/>'
        if words:
            yield text(at(value), top - 6, words, 11.5, "middle", QUIET)
