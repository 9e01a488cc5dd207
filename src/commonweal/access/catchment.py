"""Supply shared by the people who can reach it: floating catchments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.measures import amounts, sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from commonweal.access.decay import Decay
    from commonweal.access.distance import Reach


def catchment(
    reach: Reach,
    people: ArrayLike,
    supply: ArrayLike | None = None,
    decay: Decay | None = None,
) -> NDArray[np.float64]:
    """Give the supply per person, shared by the people who can reach it, in two steps.

    Step 1: each place j shares its supply among the people i within reach,
    ``R_j = S_j / sum_i w(d_ij) P_i``. Step 2: each origin adds up what it gets,
    ``A_i = sum_j w(d_ij) R_j``.

    Parameters
    ----------
    reach
        What is within reach of where people live.
    people
        (n_origins,) people at each origin, at least 0.
    supply
        (n_places,) size of each place, at least 0. Without it every place has size 1.
    decay
        What a place counts by its distance. Without it everything within reach counts alike (the
        method of 2003); with `Steps` it is the enhanced method of 2009.

    Returns
    -------
    ndarray
        (n_origins,) supply per person; 0 where no place is within reach. Weighted by people it adds
        up to the supply that is within anyone's reach. An origin is missing if it reaches a place
        that nobody reaches (it has no people then): there is no one to share the place.

    Raises
    ------
    DataError
        If people or a supply are missing, infinite or negative.

    Notes
    -----
    Sources: W. Luo and F. Wang (2003), Measures of spatial accessibility to health care in a GIS
    environment, Environment and Planning B 30(6), 865-884; Luo and Qi (2009), as `Steps`.

    Examples
    --------
    Two villages of 100 people, a hall that both reach and one that only the second does:

    >>> from commonweal.access import Reach
    >>> pairs = np.array([0, 2, 3]), np.array([0, 1, 0], np.int32), np.array([500.0, 700.0, 600.0])
    >>> catchment(Reach(2, 2, *pairs, limit_m=800, how="straight line"), [100, 100]).tolist()
    [0.015, 0.005]
    """
    weight = np.ones(len(reach.place)) if decay is None else decay(reach.distance_m)
    return _shared(reach, people, supply, weight)


def catchment_by_choice(
    reach: Reach,
    people: ArrayLike,
    supply: ArrayLike | None = None,
    *,
    decay: Decay,
) -> NDArray[np.float64]:
    """Give the supply per person where people choose among places: three steps.

    As `catchment`, with ``w_ij G_ij`` in place of w_ij and ``G_ij = w_ij / sum_k w_ik`` over the
    places k within reach: whoever has many places puts less demand on each. In two steps their
    demand counts in full at every one.

    Parameters
    ----------
    reach, people, supply, decay
        As of `catchment`. Without a decay the choice would be blind, so one is needed.

    Returns
    -------
    ndarray
        As of `catchment`.

    Raises
    ------
    DataError
        As of `catchment`.

    Notes
    -----
    Source: N. Wan, B. Zou and T. Sternberg (2012), A three-step floating catchment area method for
    analyzing spatial access to health services, International Journal of Geographical Information
    Science 26(6), 1073-1089.
    """
    weight = decay(reach.distance_m)
    origin = reach.origin()
    whole = sums(origin, weight, reach.n_origins)[origin]
    choice = np.divide(weight, whole, out=np.zeros_like(weight), where=whole > 0)
    return _shared(reach, people, supply, weight * choice)


def _shared(
    reach: Reach,
    people: ArrayLike,
    supply: ArrayLike | None,
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Share the supply by (n_pairs,) weights; what nobody reaches is shared by none."""
    many = amounts(people, "people", reach.n_origins, "origin")
    size = np.ones(reach.n_places)
    if supply is not None:
        size = amounts(supply, "supply", reach.n_places, "place")
    origin = reach.origin()
    demand = sums(reach.place, weight * many[origin], reach.n_places)
    ratio = np.where(size > 0, np.nan, 0.0)
    np.divide(size, demand, out=ratio, where=demand > 0)
    # What counts for nothing is not there: a weight of 0 takes no part, whatever the ratio.
    counts = weight > 0
    return sums(origin[counts], weight[counts] * ratio[reach.place[counts]], reach.n_origins)
