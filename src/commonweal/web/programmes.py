"""Funding programmes on the run: which there are, who gets an award, who gains and loses beside another list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import HTTPException

from commonweal.errors import UnknownNameError
from commonweal.report.allocation import allocation_data
from commonweal.web.asking import AskError
from commonweal.web.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.allocation.worked import Worked
    from commonweal.web.explorer import Explorer

__all__ = ["beside", "others_of", "programme_data", "programme_of", "programmes_table"]

_GROUPS = ("both", "this one only", "the other only")


def programme_of(explorer: Explorer, name: str) -> Worked:
    """Find a programme; 404 if there is none of that name."""
    found = explorer.programmes.get(name)
    if found is None:
        raise HTTPException(404, f"There is no programme called {name[:40]!r} on this study.")
    return found


def programmes_table(explorer: Explorer) -> Table:
    """List the programmes: how many areas get an award, and how many people live there."""
    rows = tuple(
        (
            name,
            worked.allocation.programme.title,
            int(worked.allocation.selected.sum()),
            round(worked.allocation.people),
        )
        for name, worked in explorer.programmes.items()
    )
    plural = explorer.results.areas.plural.capitalize()
    return Table("Funding programmes", ("Name", "Programme", plural, "People"), rows)


def others_of(explorer: Explorer, name: str) -> dict[str, str]:
    """Give what a programme can be set beside: the study's own lists, and other programmes."""
    own = {
        f"list:{key}": f"This study's list: {explorer.label(key)}"
        for key in explorer.results.designations
    }
    more = {
        other: worked.allocation.programme.title
        for other, worked in explorer.programmes.items()
        if other != name
    }
    return {**own, **more}


def beside(explorer: Explorer, name: str, against: str) -> tuple[str, Table, Table]:
    """Set a programme beside another list.

    Parameters
    ----------
    explorer
        The run.
    name
        Of the programme.
    against
        A key of `others_of`.

    Returns
    -------
    tuple
        The other list's title; areas and people in both and in one only; the areas in one only, by need.

    Raises
    ------
    AskError
        If there is no such list.
    """
    offered = others_of(explorer, name)
    if against not in offered:
        raise AskError(str(UnknownNameError("list", against[:100], offered)))
    a = programme_of(explorer, name).allocation
    mine, other = a.selected, _selected(explorer, against)
    people = np.nan_to_num(a.areas.population)
    groups = (mine & other, mine & ~other, ~mine & other)
    sides = tuple(
        (words.capitalize(), int(g.sum()), round(float(people[g].sum())), round(float(people[g & a.in_need].sum())))
        for words, g in zip(_GROUPS, groups, strict=True)
    )  # fmt: skip
    rows = np.flatnonzero(mine ^ other)
    rows = rows[np.argsort(a.rank[rows], kind="stable")]
    listed = tuple(
        (
            a.areas.codes[row],
            a.areas.table["name"][int(row)] or a.areas.codes[row],
            _GROUPS[1 if mine[row] else 2].capitalize(),
            None if np.isnan(a.rank[row]) else int(a.rank[row]),
            round(float(people[row])),
        )
        for row in rows.tolist()
    )
    plural = a.areas.plural.capitalize()
    return (
        offered[against],
        Table(
            "Who gains and who loses", ("In", plural, "People", "People in areas in need"), sides
        ),
        Table(
            f"{plural} in one and not in the other",
            ("Code", "Name", "In", "Rank", "People"),
            listed,
        ),
    )


def _selected(explorer: Explorer, against: str) -> NDArray[np.bool_]:
    if against.startswith("list:"):
        return explorer.results.designations[against.removeprefix("list:")].selected
    return explorer.programmes[against].allocation.selected


def programme_data(explorer: Explorer, name: str, against: str = "") -> dict[str, Any]:
    """Give a programme as plain data, with who gains and loses if another list is named."""
    data = allocation_data(programme_of(explorer, name))
    other = None
    if against:
        title, sides, listed = beside(explorer, name, against)
        other = {"list": title, "sides": sides.to_dict()["rows"], "areas": listed.to_dict()["rows"]}
    return {**data, "beside": other}
