"""How the numbers of a chart are drawn with Vega-Lite: marks and columns, without the data."""

from __future__ import annotations

import re
from typing import TypeAlias

Vega: TypeAlias = dict[str, object]


def bars(label: str, value: str) -> Vega:
    """Draw a bar a row."""
    return {"mark": "bar", "encoding": {"y": _names(label), "x": _number(value)}}


def stacked(label: str, *values: str) -> Vega:
    """Draw the values of a row one after the other."""
    return {
        "transform": [{"fold": [_name(v) for v in values]}],
        "mark": "bar",
        "encoding": {"y": _names(label), "x": _number("value"), "color": _kind()},
    }


def dots(label: str, *values: str, ends: tuple[str, str] | None = None) -> Vega:
    """Draw the values of a row as points, on the line between its ends if it has any."""
    points: Vega = {
        "transform": [{"fold": [_name(v) for v in values]}],
        "mark": {"type": "point", "filled": True, "size": 60},
        "encoding": {"y": _names(label), "x": _number("value"), "color": _kind()},
    }
    if ends is None:
        return points
    span = {"x": _number(ends[0]), "x2": {"field": _name(ends[1])}, "y": _names(label)}
    return {"layer": [{"mark": "rule", "encoding": span}, points]}


def curves(x: str, *values: str) -> Vega:
    """Draw a line for each of some columns."""
    return {
        "transform": [{"fold": [_name(v) for v in values]}],
        "mark": {"type": "line", "point": True},
        "encoding": {"x": _number(x), "y": _number("value"), "color": _kind()},
    }


def scatter(x: str, y: str, size: str) -> Vega:
    """Draw a point a row."""
    encoding = {"x": _number(x), "y": _number(y), "size": _number(size)}
    return {"mark": "point", "encoding": encoding}


def histogram(low: str, high: str, count: str) -> Vega:
    """Draw how often each stretch came out."""
    encoding = {
        "x": {**_number(low), "bin": "binned"},
        "x2": {"field": _name(high)},
        "y": _number(count),
    }
    return {"mark": "bar", "encoding": encoding}


def _name(header: str) -> str:
    """Name a column: in Vega's paths, points and brackets have a meaning."""
    return re.sub(r"([.\[\]])", r"\\\1", header)


def _names(header: str) -> Vega:
    return {"field": _name(header), "type": "nominal", "sort": None, "title": header}


def _number(header: str) -> Vega:
    return {
        "field": _name(header),
        "type": "quantitative",
        "title": header if header != "value" else None,
    }


def _kind() -> Vega:
    return {"field": "key", "type": "nominal", "title": None}
