"""Difference in differences against matched areas: how areas changed, less how areas like them did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from commonweal.errors import CommonwealError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Matched:
    """Places and those that are like them."""

    places: Rows  # (n,) rows of the places that have like ones
    like: Rows  # (n, k) rows of the likest, the likest first
    # (n, k) how unlike they are: the distance in standard deviations, over all covariates
    distance: Floats
    alone: Rows  # rows of places that have none in their group

    def weights(self, n_areas: int) -> Floats:
        """(n_areas,) 1 for a place, for a like one its share of the places that it stands beside, or 0."""
        weights = np.zeros(n_areas)
        weights[self.places] = 1.0
        np.add.at(weights, self.like, 1.0 / self.like.shape[1])
        return weights

    def imbalance(self, covariates: Floats, selected: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """(n_covariates,) mean difference of places from all others, and from those like them.

        In standard deviations over all areas. A tenth is commonly held to be little, a quarter to be much.
        """
        z = _standardised(covariates)
        here = z[self.places].mean(axis=0)
        return here - z[~selected].mean(axis=0), here - z[self.like].mean(axis=(0, 1))


def match(
    covariates: Floats,
    selected: NDArray[np.bool_],
    within: Sequence[tuple[str | None, ...]] = (),
    k: int = 5,
    usable: NDArray[np.bool_] | None = None,
) -> Matched:
    """Find the nearest others of each place, in the same groups `within`; a missing covariate counts as the median.

    Distances are Euclidean over covariates in standard deviations, with replacement (Stuart, 2010, Statistical Science
    25). A place with fewer than `k` others in its group is left out, and named.
    """
    if k < 1:
        raise CommonwealError(f"like places: found {k}; expected 1 or more")
    z = _standardised(covariates)
    if not z.shape[1]:
        raise DataError("no measure to seek like places by; expected one that varies")
    allowed = np.ones(len(z), dtype=bool) if usable is None else usable
    keys = np.array(
        ["\x1f".join(str(group[a]) for group in within) for a in range(len(z))], dtype=object
    )
    places, like, distance, alone = [], [], [], []
    for key in dict.fromkeys(keys[selected & allowed].tolist()):
        inside = (keys == key) & allowed
        here, others = np.flatnonzero(inside & selected), np.flatnonzero(inside & ~selected)
        if len(others) < k:
            alone.append(here)
            continue
        far, at = KDTree(z[others]).query(z[here], k=[*range(1, k + 1)])
        places.append(here)
        like.append(others[at])
        distance.append(far)
    if not places:
        groups = " and ".join(dict.fromkeys(str(g[0]) for g in within if len(g))) or "all areas"
        raise CommonwealError(
            f"no place has {k} others to be compared with in its own group (such as {groups}); ask for fewer, or "
            "compare within larger groups"
        )
    order = np.argsort(np.concatenate(places), kind="stable")
    return Matched(
        np.concatenate(places)[order],
        np.concatenate(like)[order],
        np.concatenate(distance)[order],
        np.sort(np.concatenate([*alone, np.flatnonzero(selected & ~allowed)]).astype(np.intp)),
    )


def _standardised(covariates: Floats) -> Floats:
    """Give columns that vary, in standard deviations from their mean; missing values are medians."""
    some = covariates[:, ~np.isnan(covariates).all(axis=0)]
    filled = np.where(np.isnan(some), np.nanmedian(some, axis=0), some) if some.shape[1] else some
    spread = filled.std(axis=0)
    varies = spread > 1e-12
    return (filled[:, varies] - filled[:, varies].mean(axis=0)) / spread[varies]


FEW = 10
"""Groups below which errors are not taken to go together in them: so few say nothing of how much they do."""


@dataclass(frozen=True)
class DiDEstimate:
    """How much more places changed than places like them."""

    # estimate, low, high: in the unit of the measure, with the ends of the 95% interval
    estimate: float
    low: float
    high: float
    # se, p: standard error, and the two-sided chance of so large a difference if there were none
    se: float
    p: float
    # places, like: how many places, and different areas like them
    places: int
    like: int
    # own, theirs: mean change of the places, and of those like them
    own: float
    theirs: float
    # in how many groups, such as authorities, errors may go together; 0 where each place has its own
    clusters: int

    @property
    def plain(self) -> float:
        """The one mean change less the other, with nothing held constant."""
        return self.own - self.theirs


def difference(
    change: Floats,
    start: Floats,
    matched: Matched,
    clusters: Sequence[str | None] | None = None,
) -> DiDEstimate:
    """Estimate the difference in differences on matched places.

    `change` is later less earlier value, NaN where either is missing. It is regressed by weighted least squares on
    being one of the places and on the value at the start, which takes out what is left of how unlike the two were
    (Abadie and Imbens, 2011, Journal of Business and Economic Statistics 29). A place weighs 1, a like area as many
    places as it stands beside, over `k`. Errors are clustered: the interval is that of leaving out each cluster in
    turn (`commonweal.survey.regression.jackknife`), by Student's t with one degree of freedom less than there are
    clusters. With fewer than `FEW` clusters each area is its own.
    """
    import polars as pl

    from commonweal.survey.regression import fit, jackknife

    weights = matched.weights(len(change))
    used = (weights > 0) & ~np.isnan(change) & ~np.isnan(start)
    treated = np.zeros(len(change), dtype=bool)
    treated[matched.places] = True
    n, m = int((used & treated).sum()), int((used & ~treated).sum())
    if n < 3 or m < 3:
        raise DataError(
            f"{n} places and {m} like them have both values; expected three or more of each"
        )
    rows = np.flatnonzero(used)
    groups = _groups(clusters, rows)
    columns = {
        "change": change[rows],
        "followed": treated[rows].astype(float),
        "weight": weights[rows],
        "group": groups,
    }
    names = ["followed"]
    centred = start[rows] - start[rows].mean()
    if centred.std() > 1e-9 * max(1.0, float(np.abs(start[rows]).max())):
        columns["start"] = centred
        names.append("start")
    table = pl.DataFrame(columns)
    if not float(np.std(change[rows])) > 0:
        raise DataError("every area changed alike; expected changes that differ")
    model = fit(table, "change", names, weights="weight", clusters="group")
    term = jackknife(model, "followed").term
    w = weights * used
    own = float(change[used & treated].mean())
    theirs = float(np.average(change[used & ~treated], weights=w[used & ~treated]))
    many = len(set(groups))
    return DiDEstimate(
        term.estimate, term.low, term.high, term.se, term.p, n, m, own, theirs, 0 if many == len(rows) else many
    )  # fmt: skip


def _groups(clusters: Sequence[str | None] | None, rows: NDArray[np.intp]) -> list[str]:
    """Give the cluster of each row: the row itself where there are no groups, or too few."""
    alone = [f"row {row}" for row in rows]
    if clusters is None:
        return alone
    found = [own if (own := clusters[row]) is not None else f"row {row}" for row in rows]
    return found if len(set(found)) >= FEW else alone


def holm(p: Sequence[float]) -> list[float]:
    """Adjust chances for having looked at several measures, by Holm's method."""
    given = np.asarray(p, np.float64)
    order = np.argsort(given)
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(raised, 1)
    return [float(q) for q in adjusted]
