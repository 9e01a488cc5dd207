"""Two designations side by side: who enters, who leaves, who stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.areas.crosswalk import build_crosswalk
from commonweal.files.frames import Tabular

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from commonweal.designation.designation import Designation
    from commonweal.sources import Store


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Tabular):
    """How one designation differs from another.

    Attributes
    ----------
    before, after
        The two designations.
    carried
        (n_areas of `after`,) share of each area's people whose place was selected before, 0..1.
    report
        How the areas of `before` were carried to those of `after`; empty where both are the same.
    stay, enter, leave
        (n_areas of `after`,) whether an area is selected in both, only after, or only before. An
        area counts as selected before where at least half of its people lived in a selected place.
    """

    before: Designation
    after: Designation
    carried: NDArray[np.float64]
    report: dict[str, int]
    stay: NDArray[np.bool_]
    enter: NDArray[np.bool_]
    leave: NDArray[np.bool_]

    def inside(self, here: NDArray[np.bool_]) -> Comparison:
        """Count some areas of `after` alone; of `before` too, where its areas were not converted."""
        before = self.before
        if not self.report:
            before = before.inside(
                np.isin(before.areas.codes, np.array(self.after.areas.codes)[here])
            )
        return replace(
            self,
            before=before,
            after=self.after.inside(here),
            stay=self.stay & here,
            enter=self.enter & here,
            leave=self.leave & here,
        )

    def _about(self) -> str:
        """Say how many enter, leave and stay."""
        n = [int(x.sum()) for x in (self.enter, self.leave, self.stay)]
        return (
            f"{n[0]:,} {self.after.areas.plural} enter the list, {n[1]:,} leave and {n[2]:,} stay"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row an area that enters, leaves or stays, with its names and the change."""
        import polars as pl

        change = np.select([self.stay, self.enter, self.leave], ["stays", "enters", "leaves"], "")
        areas = self.after.areas.table
        kept = [c for c in areas.columns if c not in ("longitude", "latitude")]
        return (
            areas.select(kept)
            .with_columns(change=pl.Series(change), share_before=pl.Series(self.carried))
            .filter(pl.col("change") != "")
            .sort("change", "code")
        )


def compare_designations(before: Designation, after: Designation, store: Store) -> Comparison:
    """Compare two designations, across vintages of geography where need be.

    Parameters
    ----------
    before, after
        The designations.
    store
        For the links between area systems.

    Raises
    ------
    UnknownNameError
        If no link leads from the areas of one to those of the other.
    """
    report: dict[str, int] = {}
    carried = before.selected.astype(np.float64)
    earlier = before.areas.position
    if before.areas.codes != after.areas.codes and earlier.keys() >= after.areas.position.keys():
        rows = np.array([earlier[code] for code in after.areas.codes])  # a part of the same areas
        carried = carried[rows]
        before = before.inside(np.isin(np.arange(len(before.areas)), rows))
    elif before.areas.codes != after.areas.codes:
        move = build_crosswalk(store, before.areas, after.areas)
        report = move.report
        carried = np.nan_to_num(move.mean(carried))
    # Half of the people, give or take the last bit of a sum of shares.
    was = carried >= 0.5 - 1e-9
    now = after.selected
    return Comparison(before, after, carried, report, was & now, now & ~was, was & ~now)
