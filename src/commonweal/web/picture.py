"""The map as a picture: every area in the colour of its class, with a key that says how many."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from commonweal.web.layers import NONE
from commonweal.web.tiles import shapes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.web.explorer import Explorer
    from commonweal.web.layers import Layer

__all__ = ["map_svg"]

TALL = 1200.0
"""Units from top to bottom of the map itself."""
_MOST_WIDE = 1600.0
_KEY = 34
_INK = "#1a1f24"


def map_svg(explorer: Explorer, layer: Layer) -> str:
    """Draw the map of a layer.

    Returns
    -------
    str
        An ``svg`` element with a title, a description and a key.
    """
    rows, paths, wide = _paths(explorer)
    letters = np.frombuffer(layer.letters.encode("ascii"), dtype=np.uint8)[rows]
    drawn = []
    # The least first, so that a class of few areas is never hidden.
    for one in sorted(layer.classes, key=lambda c: (c.letter != NONE, -c.areas)):
        of_class = "".join(paths[letters == ord(one.letter)])
        drawn.append(
            f'<path d="{of_class}" fill="{one.colour}" stroke="#8a949c" stroke-width="0.4" stroke-linejoin="round"/>'
        )
    top = 60 + _KEY * len(layer.classes)
    key = "".join(
        f'<rect x="2" y="{52 + _KEY * k}" width="26" height="20" fill="{c.colour}" stroke="#4a545e"/>'
        f'<text x="40" y="{69 + _KEY * k}" font-size="20" fill="{_INK}">{escape(c.label)}: {c.areas:,}</text>'
        for k, c in enumerate(layer.classes)
    )
    about = "; ".join(f"{c.label}: {c.areas:,}" for c in layer.classes)
    whole = max(wide, 720.0)
    note = explorer.results.study.briefing.note
    foot = "Fictional. " if "fictional" in note.casefold() else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {whole:.0f} {top + TALL + 50:.0f}" '
        f'width="{whole:.0f}" height="{top + TALL + 50:.0f}" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif">'
        f"<title>{escape(layer.title)}</title><desc>{escape(about)}</desc>"
        f'<text x="0" y="28" font-size="26" font-weight="700" fill="{_INK}">{escape(layer.title)}</text>{key}'
        f'<g transform="translate(0 {top})">{"".join(drawn)}</g>'
        f'<text x="0" y="{top + TALL + 36:.0f}" font-size="16" fill="#4a545e">'
        f"{escape(foot + explorer.results.study.title)}. Made with Commonweal.</text></svg>"
    )


def _paths(explorer: Explorer) -> tuple[NDArray[np.intp], NDArray[np.object_], float]:
    """Rows, the outline of each as a path, and the width; in Mercator's projection, as on the page."""
    import shapely

    rows, shapes = shapes_of(explorer.results)
    xy = shapely.transform(
        shapes,
        lambda c: np.column_stack([np.radians(c[:, 0]), -np.arcsinh(np.tan(np.radians(c[:, 1])))]),
    )
    left, top, right, bottom = shapely.total_bounds(xy)
    scale = float(min(TALL / max(bottom - top, 1e-9), _MOST_WIDE / max(right - left, 1e-9)))
    units = shapely.transform(xy, lambda c: np.rint((c - (left, top)) * scale * 10) / 10)
    paths = np.array([_path(shape) for shape in units], dtype=object)
    return rows, paths, (right - left) * scale


def _path(shape: object) -> str:
    import shapely

    if shapely.get_dimensions(shape) == 0:
        x, y = shapely.get_coordinates(shape)[0]
        return f"M{x - 1.5:.1f} {y:.1f}a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0z"
    rings = shapely.get_rings(shapely.get_parts(shape))
    return "".join(
        "M" + "L".join(f"{x:g} {y:g}" for x, y in shapely.get_coordinates(ring)[:-1].tolist()) + "z"
        for ring in rings
    )
