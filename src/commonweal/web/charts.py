"""Charts of the explorer as SVG of their own, and the same as PNG; each has its numbers as a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from commonweal.briefing.words import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.pack import Place
    from commonweal.pack.place import Standing

__all__ = ["compare_chart", "png_of", "strands_chart"]

INK, QUIET, GRID, SURE, OTHER = "#1a1f24", "#4a545e", "#d5dbdf", "#08306b", "#c2410c"
_FONT = 'font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, DejaVu Sans, sans-serif"'
_LEFT, _WIDE, _ROW, _TOP = 320, 400, 34, 74
_PLACE_COLOURS = (SURE, OTHER, "#1b7f79", "#7b3f98", "#5b5b5b")


def strands_chart(place: Place) -> str:
    """Draw where a place stands on each index and strand, beside its peers and larger areas.

    Parameters
    ----------
    place
        The place.

    Returns
    -------
    str
        An ``svg`` element with a title and a description.
    """
    rows = _rows(place)
    groups = [a for a in (place.standings[0].averages if place.standings else ()) if a.group != "all"]
    marks = {"peers": "diamond"} | {g.group: ("square", "triangle")[k % 2] for k, g in enumerate(groups[1:])}
    key = [("circle", place.name), *((marks[g.group], g.label) for g in groups)]
    title = f"{place.name}: share of {place.kinds} that have less need"
    parts = list(_frame(title, len(rows), place.kinds, key))
    for number, (one, depth) in enumerate(rows):
        y = _TOP + 30 + number * _ROW
        parts.append(_row_label(one.label, y, depth))
        if one.worse_than is None:
            parts.append(f'<text x="{_LEFT}" y="{y + 5}" font-size="14" fill="{QUIET}">no score</text>')
            continue
        for average in one.averages:
            if average.group in marks:
                parts.append(_mark(marks[average.group], _x(average.worse_than), y, "none", QUIET))
        parts.append(_mark("circle", _x(one.worse_than), y, SURE, "#fff", 8))
        parts.append(
            f'<text x="{_LEFT + _WIDE + 16}" y="{y + 5}" font-size="15" font-weight="600" fill="{INK}">'
            f"{percent(one.worse_than)}</text>"
        )
    told = "; ".join(f"{o.label} {percent(o.worse_than)}" for o, _ in rows if o.worse_than is not None)
    return _svg("strands", title, f"{told}. The table has the same numbers.", parts, len(rows), len(key))


def compare_chart(places: Sequence[Place]) -> str:
    """Draw up to five places beside each other on each index and strand."""
    rows = [_rows(p) for p in places]
    shapes = ("circle", "square", "diamond", "triangle", "ring")
    key = [(shapes[k], p.name) for k, p in enumerate(places)]
    title = f"Share of {places[0].kinds} that have less need"
    parts = list(_frame(title, len(rows[0]), places[0].kinds, key, _PLACE_COLOURS))
    for number, (one, depth) in enumerate(rows[0]):
        y = _TOP + 30 + number * _ROW
        parts.append(_row_label(one.label, y, depth))
        for k in reversed(range(len(places))):
            share = rows[k][number][0].worse_than
            if share is not None:
                colour = _PLACE_COLOURS[k]
                parts.append(_mark(shapes[k], _x(share), y, "#fff" if shapes[k] == "ring" else colour, colour))
    about = "Each row is an index or one of its strands; each place has a mark. The table has the same numbers."
    return _svg("compare", title, about, parts, len(rows[0]), len(key))


def _rows(place: Place) -> list[tuple[Standing, int]]:
    return [(one, depth) for s in place.standings for one, depth in ((s, 0), *((c, 1) for c in s.strands))]


def _x(share: float) -> float:
    return _LEFT + share * _WIDE


def _row_label(label: str, y: float, depth: int) -> str:
    weight = 400 if depth else 700
    short = label if len(label) <= 36 else f"{label[:35]}…"
    return (
        f'<text x="{_LEFT - 14}" y="{y + 5}" text-anchor="end" font-size="15" font-weight="{weight}" fill="{INK}">'
        f"{escape(short)}</text>"
    )


def _frame(
    title: str, n: int, kinds: str, key: list[tuple[str, str]], colours: tuple[str, ...] = ()
) -> Iterator[str]:
    """Draw title, key, grid and axis."""
    yield f'<text x="0" y="20" font-size="17" font-weight="700" fill="{INK}">{escape(title)}</text>'
    x = 0.0
    for number, (shape, label) in enumerate(key):
        colour = colours[number] if colours else (SURE if number == 0 else QUIET)
        solid = bool(colours) and shape != "ring" or number == 0
        y = 44 + 22 * (number // 3)
        x = 8.0 + (number % 3) * 270
        yield _mark(shape, x, y, colour if solid else "none", colour)
        words = label if len(label) <= 30 else f"{label[:29]}…"
        yield f'<text x="{x + 14}" y="{y + 5}" font-size="14" fill="{INK}">{escape(words)}</text>'
    shift = 22 * ((len(key) - 1) // 3)
    yield f'<g transform="translate(0 {shift})">'
    bottom = _TOP + 30 + (n - 1) * _ROW + 20
    for tick in (0, 25, 50, 75, 100):
        at = _x(tick / 100)
        dash = ' stroke-dasharray="4 4"' if tick == 50 else ""
        yield f'<path d="M{at:.1f} {_TOP + 8}V{bottom}" stroke="{QUIET if tick == 50 else GRID}"{dash} fill="none"/>'
        yield f'<text x="{at:.1f}" y="{bottom + 18}" font-size="13" text-anchor="middle" fill="{QUIET}">{tick} %</text>'
    yield f'<text x="{_LEFT}" y="{bottom + 38}" font-size="13" fill="{QUIET}">less need than others</text>'
    yield (
        f'<text x="{_LEFT + _WIDE}" y="{bottom + 38}" font-size="13" text-anchor="end" fill="{QUIET}">'
        "greater need than others</text>"
    )
    del kinds


def _mark(shape: str, x: float, y: float, fill: str, stroke: str, r: float = 6.5) -> str:
    line = f'fill="{fill}" stroke="{stroke}" stroke-width="2"'
    if shape in ("circle", "ring"):
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {line}/>'
    if shape == "square":
        return f'<rect x="{x - r * 0.85:.1f}" y="{y - r * 0.85:.1f}" width="{1.7 * r:.1f}" height="{1.7 * r:.1f}" {line}/>'
    if shape == "diamond":
        h = 1.2 * r
        return f'<path d="M{x:.1f} {y - h:.1f}l{h:.1f} {h:.1f}l{-h:.1f} {h:.1f}l{-h:.1f} {-h:.1f}z" {line}/>'
    h = 1.1 * r
    return f'<path d="M{x:.1f} {y - h:.1f}l{h:.1f} {1.8 * h:.1f}h{-2 * h:.1f}z" {line}/>'


def _svg(name: str, title: str, about: str, parts: list[str], n: int, n_key: int) -> str:
    tall = _TOP + 30 + (n - 1) * _ROW + 66 + 22 * ((n_key - 1) // 3)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 820 {tall}" {_FONT} '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(about)}</desc>{"".join(parts)}</g></svg>'
    )


def png_of(svg: str) -> bytes:
    """Turn an SVG into a PNG of twice its size, with fonts that ship.

    Parameters
    ----------
    svg
        An ``svg`` element with a ``viewBox`` and the namespace.
    """
    import matplotlib
    import typst

    from pathlib import Path

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    page = (
        "#set page(width: auto, height: auto, margin: 12pt, fill: white)\n"
        f'#image(bytes({_quoted(svg)}), format: "svg", width: 570pt, alt: "chart")'
    )
    found: bytes = typst.compile(
        page.encode(), format="png", ppi=192.0, font_paths=[str(fonts)], ignore_system_fonts=True
    )
    return found


def _quoted(text: str) -> str:
    """Give a text as a string literal of typst."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
