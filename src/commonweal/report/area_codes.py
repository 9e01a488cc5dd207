"""Areas and larger areas by their names, in every system that ships: their codes, and what a study writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from commonweal.areas import area_names, load_systems
from commonweal.errors import UnknownNameError, UnreachableError
from commonweal.study.find import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.sources import Store

__all__ = ["FoundAreas", "find_areas", "found_lines"]

_FIRST = ("lad24", "region", "country", "wd24", "msoa21", "lsoa21")
"""Systems in the order in which what is found is listed; the older ones follow."""
MOST = 20


@dataclass(frozen=True, slots=True)
class FoundAreas:
    """What a name fits.

    Attributes
    ----------
    whole
        Areas whose code or whole name it is: ``system``, ``code``, ``name``, ``inside`` (the authority, if known).
    part
        Others of whose names it is a part, the same columns.
    away
        Systems whose names cannot be had here.
    """

    whole: pl.DataFrame
    part: pl.DataFrame
    away: tuple[str, ...]


def find_areas(store: Store, asked: str, system: str | None = None) -> FoundAreas:
    """Find areas by code or name, whatever their case, accents and punctuation.

    Parameters
    ----------
    store
        Where source files come from.
    asked
        A code, a name (official, or as people say), or a part of one.
    system
        The only area system to look in.

    Raises
    ------
    UnknownNameError
        If nothing fits, or there is no such system.
    UnreachableError
        If no system's names can be had.
    """
    known = load_systems()
    names = (
        [system] if system else [*_FIRST, *sorted(set(known.systems) - set(_FIRST), reverse=True)]
    )
    wanted, away, fault = folded(asked), [], None
    found: list[tuple[bool, str, str, str, str]] = []
    seen: list[str] = []
    for name in names:
        known.system(name)
        try:
            table = area_names(store, name)
        except UnreachableError as error:
            away.append(name)
            fault = fault or error
            continue
        around = [] if name.startswith("lad") else known.parents(name)
        above = next((f"{p}_name" for p in around if p.startswith("lad")), None)
        columns = [c for c in ("name", "local_name", "official_name") if c in table.columns]
        for row in table.sort("code").iter_rows(named=True):
            texts = [folded(row[c] or "") for c in columns]
            if wanted in texts or wanted == folded(row["code"]):
                whole = True
            elif any(wanted in text for text in texts):
                whole = False
            else:
                continue
            found.append(
                (whole, name, row["code"], row["name"] or "", (above and row[above]) or "")
            )
        seen += table["name"].drop_nulls().to_list()
    if fault is not None and len(away) == len(names):
        raise fault
    if not wanted or not found:
        raise UnknownNameError("area", asked, seen)
    schema = {"whole": pl.Boolean} | dict.fromkeys(("system", "code", "name", "inside"), pl.String)
    frame = pl.DataFrame(found, schema=schema, orient="row")
    whole_ones, part = (
        frame.filter(pl.col("whole") == is_whole).drop("whole") for is_whole in (True, False)
    )
    return FoundAreas(whole_ones, part, tuple(away))


def found_lines(found: FoundAreas, asked: str) -> Iterator[str]:
    """Give what was found as lines of text: every whole name, else parts of names, and how many more there are."""
    systems = load_systems()
    shown = found.whole if len(found.whole) else found.part
    for system, code, name, inside in shown.head(MOST).iter_rows():
        title = systems.system(system).title
        below = [s for s in systems.systems if system in systems.parents(s)]
        use = (
            f"where: {{{system}: {code}}} in a study on {', '.join(below)}: its areas alone; or\n"
            f"    focus: {{{system}: {code}}} to list them with ranks and cut-offs among all"
            if below
            else f"commonweal show {code}"
        )
        yield f"{code}  {name}{f', {inside}' if inside else ''}  ({title})"
        yield f"    {use}"
    rest = shown[MOST:] if len(found.whole) == 0 else pl.concat([shown[MOST:], found.part])
    if len(rest):
        counts = rest.group_by("system", maintain_order=True).len()
        told = ", ".join(f"{n:,} of {system}" for system, n in counts.iter_rows())
        yield f"More fit {asked!r}: {told}. List those of one system with --system."
    if found.away:
        yield f"Not looked in, since their files cannot be had: {', '.join(found.away)}"
