"""Like places: for each place that is followed, others that were as it was at the start."""

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

__all__ = ["Matched", "match"]


@dataclass(frozen=True)
class Matched:
    """Places and those that are like them.

    Attributes
    ----------
    places
        (n,) rows of the places that have like ones.
    like
        (n, k) rows of the likest, the likest first.
    distance
        (n, k) how unlike they are: the distance in standard deviations, over all covariates.
    alone
        Rows of places that have none in their group.
    """

    places: Rows
    like: Rows
    distance: Floats
    alone: Rows

    def weights(self, n_areas: int) -> Floats:
        """(n_areas,) 1 for a place, for a like one its share of the places that it stands beside, or 0."""
        weights = np.zeros(n_areas)
        weights[self.places] = 1.0
        np.add.at(weights, self.like, 1.0 / self.like.shape[1])
        return weights

    def unlikeness(self, covariates: Floats, selected: NDArray[np.bool_]) -> tuple[Floats, Floats]:
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
    """Find the nearest others of each place.

    Parameters
    ----------
    covariates
        (n_areas, n_covariates) how areas were at the start; missing ones count as the median.
    selected
        (n_areas,) the places.
    within
        Groups, such as regions: only areas that are in all the same groups are compared.
    k
        How many like areas each place has. One may stand beside several places.
    usable
        (n_areas,) areas that may be used at all; all if not given.

    Returns
    -------
    Matched

    Raises
    ------
    CommonwealError
        If `k` is below 1, or no place has `k` others in its group.
    DataError
        If no covariate varies.

    Notes
    -----
    Distances are Euclidean over covariates in standard deviations, with replacement (Stuart, 2010,
    Statistical Science 25). A place with fewer than `k` others in its group is left out, and named.
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
