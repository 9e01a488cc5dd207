"""A programme worked out on its study, and another beside it: the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.sources import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from commonweal.index import Scores
    from commonweal.invest.allocation import Allocation
    from commonweal.invest.allocation.building import Built
    from commonweal.invest.allocation.chance import Chance
    from commonweal.invest.allocation.comparing import Difference, Published
    from commonweal.study.results import Results

__all__ = [
    "Against",
    "Worked",
]


@dataclass(frozen=True, slots=True)
class Worked:
    """A programme worked out on its study.

    Attributes
    ----------
    results
        The run of the study.
    scores
        Its indices on the areas that were chosen from.
    allocation
        Who gets an award.
    chance
        How sure that is; None without draws.
    built
        How the areas were built up; None where they are the study's.
    shapes
        ``code`` and ``geometry`` (WKB, WGS 84) of the areas chosen from; null where unknown.
    published
        The list beside a published one; None where none was given.
    """

    results: Results
    scores: Mapping[str, Scores]
    allocation: Allocation
    chance: Chance | None
    built: Built | None
    shapes: pl.DataFrame
    published: Published | None = None

    @property
    def closed(self) -> list[str]:
        """Titles of the sources that are not open, so that what rests on them is marked."""
        known = load_catalogue()
        ids = {m.source for i in self.results.indicators.values() for m in i.meta}
        return sorted(known[i].title for i in ids if i in known and known[i].use != "open")


@dataclass(frozen=True, slots=True)
class Against:
    """Another programme, and how the first differs from it.

    Attributes
    ----------
    other
        The other programme, worked out.
    difference
        The first beside the other.
    """

    other: Worked
    difference: Difference
