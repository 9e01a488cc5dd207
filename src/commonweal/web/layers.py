"""What colours the map: classes of the areas, a letter an area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.chart.canvas import AUTHORITY, LAND, OTHER, PEER, PLACE
from commonweal.errors import UnknownNameError
from commonweal.report.study.tables import label_of
from commonweal.study.names import index_label
from commonweal.web.view import NUMBER, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.study.results import Results
    from commonweal.web.view import View

__all__ = ["Layer", "MapClass", "layer_names", "layer_of"]

NONE = "-"
"""The letter of an area that has no value."""

ELSEWHERE = "_"
"""The letter of an area that the study does not list."""

MOST_MARKED = 5000

_STATE_COLOURS = {
    "selected": PLACE, "just": "#4f86b8", "near": OTHER, "out": LAND, "enters": AUTHORITY, "leaves": PEER,
}  # fmt: skip
_SCALE = (PLACE, "#2f74b5", "#6ba8cf", "#b2d0e6", "#e6eff6")
"""From most need to least; each is told from its neighbours without colour vision."""
_FIFTHS = (
    "Most need: tenths 1 and 2",
    "Tenths 3 and 4",
    "Tenths 5 and 6",
    "Tenths 7 and 8",
    "Least need: tenths 9 and 10",
)
_CHANCES = ("95 % to 100 % of runs", "80 % to 95 %", "20 % to 80 %", "5 % to 20 %", "Under 5 %")


@dataclass(frozen=True, slots=True)
class MapClass:
    """A class of areas: its letter, what it means, its colour, and how many there are."""

    letter: str
    label: str
    colour: str
    areas: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A way to colour the map.

    Attributes
    ----------
    key, title
        Its name in addresses and for readers.
    classes
        What there is.
    letters
        The letter of each area's class, in the order of the areas; `NONE` where there is no value.
    marked
        Rows of the areas that matter most, few enough to be marked where they are too small to be seen.
    """

    key: str
    title: str
    classes: tuple[MapClass, ...]
    letters: str
    marked: NDArray[np.intp]


def layer_names(view: View) -> list[tuple[str, str]]:
    """Give key and title of every layer, the default first."""
    return list(_names(view))


def _names(view: View) -> Iterator[tuple[str, str]]:
    results = view.results
    for name in view.states:
        label = label_of(results, name)
        yield f"state.{name}", f"{results.areas.plural.capitalize()} that are {label}"
        if f"probability.{name}" in view.columns:
            yield f"probability.{name}", f"How sure: share of runs in which an area is {label}"
    for index in results.scores:
        yield f"rank.{index}", f"{index_label(results, index)}, by tenths"
    for key in view.columns:
        if key.startswith("rank.") and key.count(".") > 1:
            yield key, f"{index_label(results, key.removeprefix('rank.'))}, by tenths"
    for key, column in view.columns.items():
        if key.startswith("shown_rank."):
            yield key, f"{column.label.removesuffix(': rank')}, by tenths of those with a value"


def layer_of(view: View, key: str = "") -> Layer:
    """Colour the areas.

    Parameters
    ----------
    view
        The areas.
    key
        One of `layer_names`; the first if not given.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    """
    names = dict(layer_names(view))
    key = key or next(iter(names))
    if key not in names:
        raise UnknownNameError("layer", key, names)
    values = view.columns[key].values
    if key.startswith("state."):
        counts = np.bincount(values[view.results.focus], minlength=len(STATES))
        kinds = [k for k in STATES if counts[NUMBER[k]] or k == "selected"]
        place = np.full(len(STATES), -1)
        place[[NUMBER[k] for k in kinds]] = range(len(kinds))
        numbers = place[values]
        labels = [STATES[k] for k in kinds]
        colours = [_STATE_COLOURS[k] for k in kinds]
    elif key.startswith("probability."):
        p = values.astype(np.float64)
        numbers = np.select([p >= 0.95, p >= 0.8, p >= 0.2, p >= 0.05], [0, 1, 2, 3], 4)
        labels, colours = list(_CHANCES), list(_SCALE)
    else:
        numbers, labels, colours = _fifths(values.astype(np.float64)), list(_FIFTHS), list(_SCALE)
    here = view.results.focus
    numbers = np.where(here, numbers, -2)
    matter = (
        np.flatnonzero(here & (values != NUMBER["out"]))
        if key.startswith("state.")
        else np.array([], np.intp)
    )
    return Layer(
        key,
        names[key],
        tuple(_classes(numbers, labels, colours, view.results)),
        _letters(numbers),
        matter[: len(matter) if len(matter) <= MOST_MARKED else 0],
    )


def _fifths(ranks: NDArray[np.float64]) -> NDArray[np.intp]:
    n = max(int(np.count_nonzero(~np.isnan(ranks))), 1)
    fifth = np.ceil(ranks * 5 / n) - 1
    return np.where(np.isnan(fifth), -1, fifth).astype(np.intp)


def _classes(
    numbers: NDArray[np.intp], labels: list[str], colours: list[str], results: Results
) -> Iterator[MapClass]:
    for k, (label, colour) in enumerate(zip(labels, colours, strict=True)):
        yield MapClass(chr(ord("a") + k), label, colour, int((numbers == k).sum()))
    if missing := int((numbers == -1).sum()):
        yield MapClass(NONE, f"No score for this {results.areas.singular}", "#ffffff", missing)
    if others := int((numbers == -2).sum()):
        yield MapClass(ELSEWHERE, "Elsewhere, not listed here", "#ffffff", others)


def _letters(numbers: NDArray[np.intp]) -> str:
    missing = np.where(numbers == -1, ord(NONE), ord(ELSEWHERE))
    codes = np.where(numbers < 0, missing, ord("a") + numbers).astype(np.uint8)
    return codes.tobytes().decode("ascii")
