"""Small pieces of SVG that look the same in a browser, in a PDF and as a picture: no style sheet."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    pass


__all__ = [
    "AUTHORITY",
    "INK",
    "LAND",
    "LINE",
    "OTHER",
    "PEER",
    "PLACE",
    "QUIET",
    "REGION",
    "Box",
    "Frame",
    "mark",
    "svg",
    "text",
]

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
