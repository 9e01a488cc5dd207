"""The search box: a postcode, a code, a name or a part of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.study.find import folded
from commonweal.web.postcode import is_postcode

if TYPE_CHECKING:
    from commonweal.web.explorer import Explorer

__all__ = ["MOST_FOUND", "Found", "search"]

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gives.

    Attributes
    ----------
    asked
        What was looked for.
    row
        The one area that is meant; None if none or several fit.
    rows
        Areas that fit, or that may be meant, the likeliest first, at most `MOST_FOUND`.
    of
        How many fit.
    words
        What there is to say, such as that nothing was found.
    """

    asked: str
    row: int | None
    rows: tuple[int, ...]
    of: int
    words: str


def search(explorer: Explorer, asked: str) -> Found:
    """Find areas.

    Parameters
    ----------
    explorer
        The run.
    asked
        A postcode, code or name, or a part of a name; case, accents and punctuation do not matter.
    """
    areas, asked = explorer.results.areas, asked.strip()
    if is_postcode(asked):
        if explorer.postcodes is None:
            return Found(
                asked,
                None,
                (),
                0,
                "Postcodes cannot be looked up in this study; give a name or a code.",
            )
        answer = explorer.postcodes.find(asked)
        rows = (() if answer.row is None else (answer.row,)) + answer.near
        return Found(answer.postcode, answer.row, rows, len(rows), answer.words)
    wanted = folded(asked)
    if not wanted:
        return Found(asked, None, (), 0, "")
    exact = explorer.exactly.get(wanted)
    if exact is not None:
        return Found(asked, exact, (exact,), 1, "")
    fits = np.flatnonzero(explorer.names_with(wanted))
    if len(fits) == 0:  # words in any order, of the name or what lies around it
        fits = np.flatnonzero(
            np.logical_and.reduce([explorer.words_with(w) for w in wanted.split()])
        )
    order = explorer.places_in_order["name"][fits]
    fits = fits[np.argsort(order, kind="stable")]
    if len(fits) == 0:
        return Found(asked, None, (), 0, f"No {areas.singular} has a name or code like “{asked}”.")
    only = int(fits[0]) if len(fits) == 1 else None
    return Found(asked, only, tuple(int(r) for r in fits[:MOST_FOUND]), len(fits), "")
