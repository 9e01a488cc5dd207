"""The list of areas, filtered, sorted and cut into pages, and the search box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import UnknownNameError
from commonweal.study.names import folded, is_postcode
from commonweal.web.view import NUMBER, STATE_KEYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.web.explorer import Explorer
    from commonweal.web.view import View


DEFAULT_PER, MOST_PER = 25, 200

STATE_FILTERS = {
    "in": ("selected", "just", "enters"),
    "just": ("just",),
    "near": ("near",),
    "out": ("near", "out", "leaves"),
    "enters": ("enters",),
    "leaves": ("leaves",),
    "change": ("enters", "leaves"),
}
"""What may be asked for under ``state``, and the states that it keeps."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list is asked for."""

    q: str = ""  # a part of names or a code; case, accents and punctuation do not matter
    within: str = ""  # the code of a larger area
    state: str = ""  # a key of `STATE_FILTERS`, of the first designation
    # sort, down: the key of the column to sort by, and whether from the greatest down
    sort: str = ""
    down: bool = False
    # page, per: which page, from 1, and how many areas on one
    page: int = 1
    per: int = DEFAULT_PER


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: NDArray[np.intp]  # rows of the areas on it, in order
    found: NDArray[np.intp]  # rows of all areas that fit, in order
    # number, of: which page this is, of how many; beyond the last is the last
    number: int
    of: int


def list_page(explorer: Explorer, view: View, asked: ListRequest) -> Page:
    """Filter, sort and cut."""
    fits = explorer.focus.copy()
    if asked.within:
        if asked.within not in explorer.inside:
            raise UnknownNameError("larger area", asked.within, explorer.inside)
        inside = explorer.inside[asked.within]
        # One that lies elsewhere, as a neighbour's may, is listed if it is asked for.
        fits = fits & inside if (fits & inside).any() else inside.copy()
    if wanted := folded(asked.q):
        fits &= explorer.names_with(wanted)
    if asked.state:
        if asked.state not in STATE_FILTERS:
            raise UnknownNameError("state", asked.state, STATE_FILTERS)
        if not view.states:
            raise UnknownNameError("designation", "of this study", ())
        fits &= np.isin(
            next(iter(view.states.values())), [NUMBER[k] for k in STATE_FILTERS[asked.state]]
        )
    rows = np.flatnonzero(fits)
    rows = rows[_order(explorer, view, asked, rows)]
    n_pages = max(-(-len(rows) // asked.per), 1)
    number = min(asked.page, n_pages)
    return Page(rows[(number - 1) * asked.per : number * asked.per], rows, number, n_pages)


def default_sort(view: View) -> str:
    """Give the column that a list is sorted by where nothing is asked: the first index's rank."""
    return next(key for key in view.columns if key.startswith("rank."))


def _order(
    explorer: Explorer, view: View, asked: ListRequest, rows: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Sort rows by a column; what has no value comes last either way."""
    key = asked.sort or default_sort(view)
    if key not in view.columns:
        raise UnknownNameError("column", key, view.columns)
    column = view.columns[key]
    text = column.kind == "text"
    values = (explorer.places_in_order[key] if text else column.values)[rows].astype(np.float64)
    return np.argsort(-values if asked.down else values, kind="stable")


def record(view: View, row: int) -> dict[str, Any]:
    """Give one area as plain data: every column, missing as None."""
    return {key: plain(column.values[row], column.kind) for key, column in view.columns.items()}


def plain(value: Any, kind: str) -> Any:
    """Give a value of a column as plain data."""
    if kind == "text":
        return str(value)
    if kind == "state":
        return STATE_KEYS[value]
    number = float(value)
    if np.isnan(number):
        return None
    return int(number) if kind == "whole" and number == int(number) else number


MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search gives."""

    asked: str
    row: int | None  # the one area that is meant; None if none or several fit
    # areas that fit, or that may be meant, the likeliest first, at most `MOST_FOUND`
    rows: tuple[int, ...]
    of: int
    words: str  # what there is to say, such as that nothing was found


def search(explorer: Explorer, asked: str) -> SearchResult:
    """Find areas."""
    areas, asked = explorer.results.areas, asked.strip()
    if is_postcode(asked):
        if explorer.postcodes is None:
            return SearchResult(
                asked,
                None,
                (),
                0,
                "This study has no postcodes. Search by name or code instead.",
            )
        answer = explorer.postcodes.find(asked)
        rows = (() if answer.row is None else (answer.row,)) + answer.near
        return SearchResult(answer.postcode, answer.row, rows, len(rows), answer.words)
    wanted = folded(asked)
    if not wanted:
        return SearchResult(asked, None, (), 0, "")
    exact = explorer.exactly.get(wanted)
    if exact is not None:
        return SearchResult(asked, exact, (exact,), 1, "")
    fits = np.flatnonzero(explorer.names_with(wanted))
    if len(fits) == 0:  # words in any order, of the name or what lies around it
        fits = np.flatnonzero(
            np.logical_and.reduce([explorer.words_with(w) for w in wanted.split()])
        )
    order = explorer.places_in_order["name"][fits]
    fits = fits[np.argsort(order, kind="stable")]
    if len(fits) == 0:
        return SearchResult(
            asked,
            None,
            (),
            0,
            f"No {areas.singular} has a name or code like “{asked}”. Check the spelling, or try its local authority.",
        )
    only = int(fits[0]) if len(fits) == 1 else None
    return SearchResult(asked, only, tuple(int(r) for r in fits[:MOST_FOUND]), len(fits), "")
