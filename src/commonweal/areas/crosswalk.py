"""Crosswalks: numbers taken from one area system or vintage to another, with a report of what was touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.areas import Areas, link_table, load_areas
from commonweal.areas.catalogue import Systems, load_systems
from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from commonweal.sources import Store


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """A way from one set of areas to another.

    Attributes
    ----------
    origin, destination
        The two sets of areas.
    weights
        (n_destination, n_origin) sparse: how many of the destination's people live in each origin
        area; rows without any are areas that nothing moves to.
    report
        How many areas each rule touched: unchanged, split, merged, irregular, aggregated; origin
        areas that go nowhere and destination areas that get nothing.
    """

    origin: Areas
    destination: Areas
    weights: csr_array
    report: dict[str, int]

    def then(self, onward: Crosswalk) -> Crosswalk:
        """Give the move that goes on from here: people are those of the last areas."""
        from scipy.sparse import csr_array

        shares, _ = self.shares()
        weights = csr_array(onward.weights @ shares)
        pairs = weights.tocoo()
        report = _report(
            pairs.row.astype(np.intp), pairs.col.astype(np.intp), self.origin, onward.destination
        )
        return Crosswalk(self.origin, onward.destination, weights, report)

    def shares(self) -> tuple[csr_array, NDArray[np.float64]]:
        """Give the part of each destination's people in each origin, and the people."""
        people = np.asarray(self.weights.sum(axis=1), dtype=np.float64).ravel()
        shares = self.weights.copy()
        # Divided, not multiplied by 1 / people, which is not always exactly 1 (49 x 1/49): a share
        # of 1 keeps the value of an unchanged area to the bit, so ties stay ties.
        shares.data /= np.repeat(people, np.diff(shares.indptr))
        return shares, people

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Population-weighted mean: for scores, rates and ranks.

        Parameters
        ----------
        values
            (n_origin,) or (n_origin, k). A missing value is left out of its destination's mean.

        Returns
        -------
        ndarray
            (n_destination,) or (n_destination, k), NaN where no value arrives.
        """
        shares, people = self.shares()
        present = ~np.isnan(values)
        moved: NDArray[np.float64] = shares @ np.where(present, values, 0.0)
        if not present.all():
            with np.errstate(invalid="ignore", divide="ignore"):
                moved /= shares @ present.astype(np.float64)
        moved[people == 0] = np.nan
        return moved

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share counts out in proportion to people: for counts of persons, votes, grants.

        Parameters
        ----------
        values
            (n_origin,) or (n_origin, k) counts; missing counts as missing, not as zero.

        Returns
        -------
        ndarray
            (n_destination,) or (n_destination, k). Totals are kept, save those of origin areas
            that go nowhere (see `report`).
        """
        people = np.asarray(self.weights.sum(axis=0)).ravel()
        shares = self.weights.copy()
        shares.data /= people[shares.indices]
        moved: NDArray[np.float64] = shares @ values
        reached = np.diff(self.weights.indptr) > 0
        moved[~reached] = np.nan
        return moved


def build_crosswalk(
    store: Store,
    origin: Areas,
    destination: Areas,
    systems: Systems | None = None,
) -> Crosswalk:
    """Find the way between two area systems.

    A direct link is taken where there is one, in either direction; then the chain of parents; then the shortest way
    through other systems that leads down to parts and up again, such as from wards of 2017 through the LSOAs of 2011
    and those of 2021 to MSOAs. Values of unchanged and split areas are carried, those of merged and irregular ones are
    means weighted by the origin's population (METHODS: IoD technical reports; ONS LSOA change codes).
    """
    known = systems or load_systems()
    here, there = origin.system, destination.system
    if here == there:
        same = pl.DataFrame({"origin": origin.codes, "destination": origin.codes})
        return crosswalk_from_pairs(origin, destination, same)
    pairs = _direct(store, origin, destination, known)
    if pairs is not None:
        return crosswalk_from_pairs(origin, destination, pairs)
    way = _way(known, here, there)
    if way:
        move = build_crosswalk(store, origin, load_areas(store, way[0], systems=known), known)
        for through in [*way[1:], there]:
            last = through == there
            onto = destination if last else load_areas(store, through, systems=known)
            move = move.then(build_crosswalk(store, move.destination, onto, known))
        return move
    reachable = sorted(
        {lk.destination for lk in known.links if lk.origin == here} | {*origin.parents}
    )
    raise DataError(
        f"no lookup leads from the {origin.called} to the {destination.called}; "
        f"lookups from it lead to: {', '.join(reachable) or 'none'}"
    )


def _direct(store: Store, origin: Areas, destination: Areas, known: Systems) -> pl.DataFrame | None:
    """Read the pairs of a direct link, of its reverse, or of a chain of parents."""
    here, there = origin.system, destination.system
    link, back = known.link(here, there), known.link(there, here)
    if link is not None:
        return link_table(store, link, known)
    if there in origin.parents:
        return origin.table.select(origin="code", destination=there).drop_nulls()
    turned = {"origin": "destination", "destination": "origin"}
    if back is not None:
        return link_table(store, back, known).rename(turned)
    if here in destination.parents:
        return destination.table.select(destination="code", origin=here).drop_nulls()
    return None


def _way(known: Systems, here: str, there: str) -> tuple[str, ...]:
    """Give the systems between two, as few as there can be, the first in the data first; () for none.

    A way leads down to parts first, then up to what they make; other vintages may lie anywhere on
    it. It never leads up and then down: every part of a region would get the region's mean.
    """
    if not {here, there} <= known.systems.keys():  # a table of the user's own
        return ()
    above = {s: known.parents(s) for s in known.systems}
    vintages = [(lk.origin, lk.destination) for lk in known.links if lk.kind == "vintage"]
    beside = {*vintages, *((b, a) for a, b in vintages)}
    ways: dict[tuple[str, bool], tuple[str, ...]] = {(here, False): ()}
    queue = [(here, False)]
    while queue:
        at, risen = queue.pop(0)
        for onto in known.systems:
            up, down = onto in above[at], at in above[onto]
            if not (up or (onto, at) in beside or (down and not risen)):
                continue
            if onto == there:
                return ways[at, risen]
            state = (onto, risen or up)
            if state not in ways:
                ways[state] = (*ways[at, risen], onto)
                queue.append(state)
    return ()


def crosswalk_from_pairs(origin: Areas, destination: Areas, pairs: pl.DataFrame) -> Crosswalk:
    """Build a move from pairs of codes.

    Parameters
    ----------
    origin, destination
        The two sets of areas; pairs outside them are left aside.
    pairs
        ``origin``, ``destination`` and optionally ``share``: the part of the origin's people that
        lives in the destination. Where an origin states none, its people are shared out in
        proportion to the destinations' populations, or equally where those are unknown.

    Raises
    ------
    DataError
        If an origin that moves has no population, states some of its shares and not others, or
        states a negative one or more than 1 in all: people would be lost or made up.
    """
    from scipy.sparse import csr_array

    if "share" not in pairs.columns:
        pairs = pairs.with_columns(share=pl.lit(None, pl.Float64))
    inside = pairs.filter(
        pl.col("origin").is_in(origin.codes) & pl.col("destination").is_in(destination.codes)
    ).unique(["origin", "destination"], keep="first", maintain_order=True)
    rows = np.array([destination.position[c] for c in inside["destination"]], dtype=np.intp)
    columns = np.array([origin.position[c] for c in inside["origin"]], dtype=np.intp)
    people = origin.population[columns]
    if np.isnan(people).any():
        first = inside["origin"][int(np.isnan(people).argmax())]
        raise DataError(
            f"{origin.system}: area {first} has no population "
            f"({int(np.isnan(people).sum()):,} areas); a weighted move needs one for each"
        )
    share = inside["share"].to_numpy()
    _check_shares(share, columns, origin)
    share = np.where(np.isnan(share), _shares(columns, rows, destination), share)
    # A tie between empty areas still has to carry a value: no people count as very few.
    weights = csr_array(
        (np.maximum(people * share, 1e-9), (rows, columns)), shape=(len(destination), len(origin))
    )
    return Crosswalk(origin, destination, weights, _report(rows, columns, origin, destination))


def _check_shares(share: NDArray[np.float64], columns: NDArray[np.intp], origin: Areas) -> None:
    """Refuse shares by which people would be lost or made up."""
    stated, n = ~np.isnan(share), len(origin)
    total = np.bincount(columns, weights=np.where(stated, share, 0.0), minlength=n)
    some = np.bincount(columns, weights=stated, minlength=n)
    partly = (some > 0) & (some < np.bincount(columns, minlength=n))
    negative = np.bincount(columns, weights=share < 0, minlength=n) > 0
    for bad, found in (
        (partly, "states shares for some of its destinations only; expected each or none"),
        (negative, "states a share below 0; expected 0 to 1"),
        (total > 1 + 1e-6, "states shares of more than 1 in all; expected 1 or less"),
    ):
        if bad.any():
            first = origin.codes[int(bad.argmax())]
            raise DataError(f"{origin.system}: area {first} {found} ({int(bad.sum()):,} areas)")


def _shares(
    columns: NDArray[np.intp], rows: NDArray[np.intp], destination: Areas
) -> NDArray[np.float64]:
    """Split each origin's people over its destinations, by their populations where known."""
    size = destination.population[rows]
    size = np.where(np.isnan(size) | (size <= 0), np.nan, size)
    n = int(columns.max(initial=-1)) + 1
    known = np.bincount(columns, weights=np.isnan(size), minlength=n)[columns] == 0
    size = np.where(known, size, 1.0)
    shares: NDArray[np.float64] = size / np.bincount(columns, weights=size, minlength=n)[columns]
    return shares


def _report(
    rows: NDArray[np.intp], columns: NDArray[np.intp], origin: Areas, destination: Areas
) -> dict[str, int]:
    """Count destination areas by how they got their value."""
    into = np.bincount(rows, minlength=len(destination))
    out = np.bincount(columns, minlength=len(origin))
    whole = np.bincount(rows, weights=out[columns] == 1, minlength=len(destination)) == into
    return {
        "origin areas": len(origin),
        "destination areas": len(destination),
        "unchanged": int(((into == 1) & whole).sum()),
        "split": int(((into == 1) & ~whole).sum()),
        "merged": int(((into > 1) & whole).sum()),
        "irregular": int(((into > 1) & ~whole).sum()),
        "got nothing": int((into == 0).sum()),
        "went nowhere": int((out == 0).sum()),
    }
