"""What is made of reach: the nearest, how many, of how many kinds; then from points to areas.

A distance to what is out of reach is missing. A count of nothing within reach is 0, which is known;
an origin that could not be placed is not known, and `where_placed` makes it missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.access.distance import (
    WALKING_SPEED_M_PER_MIN,
    Points,
    PointsLike,
    points_of,
    refuse_swapped,
    straight_nearest,
)
from commonweal.errors import DataError, UnknownNameError
from commonweal.files.frames import frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from commonweal.access.decay import Decay
    from commonweal.access.distance import Nearest, Reach
    from commonweal.access.streets import Streets


def within_minutes(minutes: float, speed_m_per_min: float = WALKING_SPEED_M_PER_MIN) -> float:
    """Give how many metres one comes in so many minutes.

    Examples
    --------
    >>> within_minutes(10), within_minutes(15), within_minutes(20)
    (800.0, 1200.0, 1600.0)
    """
    for what, value in (("minutes", minutes), ("metres a minute", speed_m_per_min)):
        if not 0 < value < math.inf:
            raise DataError(f"{value:g} {what}; expected a number above 0")
    return minutes * speed_m_per_min


def nearest(
    homes: PointsLike,
    places: PointsLike,
    k: int = 1,
    *,
    streets: Streets | str | Path | None = None,
    label: str = "",
    limit_m: float = math.inf,
    detour: float = 1.0,
) -> Any:
    """Find the nearest places of each home, as a table: that of the homes with the place and the metres.

    Parameters
    ----------
    homes, places
        GeoDataFrames in any reference system, tables with columns ``longitude`` and ``latitude``, or what else
        `points_of` takes.
    k
        How many places.
    streets
        A network, or the path of an OpenStreetMap PBF, to walk along; the crow flies without one.
    label
        The column of `places` that names them; the index of a GeoDataFrame if not given, else the row from 0.
    limit_m
        What is farther than so many metres is out of reach.
    detour
        Without streets: what distances are multiplied by, at least 1.

    Returns
    -------
    GeoDataFrame, or frame of the homes' library
        The homes, in their order and reference system, with columns ``nearest`` and ``metres`` (with k above 1:
        ``nearest_1``, ``metres_1`` and so on); missing where no place is within reach. A Polars frame of these
        columns where the homes are no table.

    Raises
    ------
    DataError
        If either are no points, have no reference system or swapped axes, or there are no places.

    Examples
    --------
    >>> import polars as pl
    >>> homes = pl.DataFrame({"home": ["A"], "longitude": [0.0], "latitude": [51.5]})
    >>> halls = pl.DataFrame({"hall": ["Far", "Near"], "longitude": [0.02, 0.01], "latitude": [51.5, 51.5]})
    >>> nearest(homes, halls, label="hall").select("home", "nearest", pl.col("metres").round()).rows()
    [('A', 'Near', 692.0)]
    """
    begin, end = points_of(homes, "homes"), points_of(places, "places")
    refuse_swapped(begin, end)
    if streets is None:
        found = straight_nearest(begin, end, k, detour=detour, limit_m=limit_m)
    else:
        from commonweal.access.osm_streets import read_streets
        from commonweal.access.walks import street_nearest

        network = read_streets(streets).streets if isinstance(streets, str | Path) else streets
        found = street_nearest(network, begin, end, k, limit_m)
    names = _labels(places, label, len(end))
    columns: dict[str, list[Any]] = {}
    for j in range(k):
        end_of = f"_{j + 1}" if k > 1 else ""
        columns[f"nearest{end_of}"] = [names[i] if i >= 0 else None for i in found.place[:, j]]
        far = found.distance_m[:, j]
        columns[f"metres{end_of}"] = [None if math.isnan(m) else m for m in far.tolist()]
    if hasattr(homes, "assign"):  # pandas and GeoPandas, whose rows keep their index
        return homes.assign(**columns)
    import narwhals as nw
    import polars as pl

    frame = None if isinstance(homes, tuple | list | Points) else frame_of(homes)
    if frame is None:
        return pl.DataFrame(columns)
    made = [nw.new_series(n, v, backend=frame.implementation) for n, v in columns.items()]
    return frame.with_columns(*made).to_native()


def _labels(places: Any, label: str, n: int) -> list[Any]:
    """Name the places by a column of their table, their index, or their rows."""
    if label:
        frame = None if isinstance(places, tuple | list | Points) else frame_of(places)
        known = [] if frame is None else frame.columns
        if frame is None or label not in known:
            raise UnknownNameError("column", label, known, " in the table of places")
        return list(frame[label].to_list())
    index = getattr(places, "index", None)
    return list(range(n)) if index is None or callable(index) else index.tolist()


def nearest_m(nearest: Nearest) -> NDArray[np.float64]:
    """Give the metres to the nearest place.

    Returns
    -------
    ndarray
        (n_origins,) metres; NaN where no place is within reach.
    """
    return kth_nearest_m(nearest, 1)


def kth_nearest_m(nearest: Nearest, k: int) -> NDArray[np.float64]:
    """Give the metres to the k-th nearest place: whether there is a choice.

    Parameters
    ----------
    nearest
        The nearest places.
    k
        1 for the nearest itself.

    Returns
    -------
    ndarray
        (n_origins,) metres; NaN where fewer than k places are within reach.

    Raises
    ------
    DataError
        If not so many were looked for.
    """
    looked_for = nearest.distance_m.shape[1]
    if not 1 <= k <= looked_for:
        raise DataError(f"nearest place {k} wanted; expected 1 to {looked_for}, as were looked for")
    return nearest.distance_m[:, k - 1].copy()


def count_within(reach: Reach, within_m: float) -> NDArray[np.float64]:
    """Count the places within so many metres.

    Parameters
    ----------
    reach
        What is within reach.
    within_m
        Metres, at most the limit of the reach; `within_minutes` gives them for a walk.

    Returns
    -------
    ndarray
        (n_origins,) whole numbers, 0 where there is none.

    Raises
    ------
    DataError
        If `within_m` is beyond the limit of the reach: places between them are not in it.
    """
    near = _near(reach, within_m)
    return np.bincount(reach.origin()[near], minlength=reach.n_origins).astype(np.float64)


def any_within(reach: Reach, within_m: float) -> NDArray[np.float64]:
    """Say whether there is a place within so many metres.

    Returns
    -------
    ndarray
        (n_origins,) 1 or 0. Its mean by `by_area`, weighted by people, is the share of an area's
        people who have one that near.
    """
    return (count_within(reach, within_m) > 0).astype(np.float64)


def decayed_count(
    reach: Reach, decay: Decay, supply: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Count the places within reach, each for less the farther it is.

    The sum over places j within reach of ``S_j w(d_j)``.

    Parameters
    ----------
    reach
        What is within reach. Nothing counts beyond its limit, whatever the weight is there.
    decay
        What a place counts by its distance.
    supply
        (n_places,) size of each place, at least 0. Without it every place has size 1.

    Returns
    -------
    ndarray
        (n_origins,) in the unit of the supply, or places; 0 where there is none.

    Raises
    ------
    DataError
        If a supply is missing, infinite or negative.

    Notes
    -----
    Source: W. G. Hansen (1959), How accessibility shapes land use, Journal of the American
    Institute of Planners 25(2), 73-76.
    """
    weight = decay(reach.distance_m)
    if supply is not None:
        weight = weight * amounts(supply, "supply", reach.n_places, "place")[reach.place]
    return sums(reach.origin(), weight, reach.n_origins)


def kind_counts(
    reach: Reach, kinds: Sequence[str], within_m: float
) -> tuple[list[str], NDArray[np.int64]]:
    """Count the places of each kind within so many metres: the kinds, sorted, and (n_origins, n_kinds) counts."""
    given = list(kinds)
    if len(given) != reach.n_places:
        raise DataError(f"{len(given):,} kinds; expected {reach.n_places:,}, one for each place")
    for row, kind in enumerate(given):
        if not isinstance(kind, str) or not kind:
            raise DataError(f"place {row + 1} has kind {kind!r}; expected a name")
    names = sorted(set(given))
    at = {name: i for i, name in enumerate(names)}
    kind_of = np.array([at[kind] for kind in given], np.int64)
    near = _near(reach, within_m)
    cell = reach.origin()[near] * len(names) + kind_of[reach.place[near]]
    counts = np.bincount(cell, minlength=reach.n_origins * len(names))
    return names, counts.reshape(reach.n_origins, len(names))


def variety(reach: Reach, kinds: Sequence[str], within_m: float) -> NDArray[np.float64]:
    """Count the kinds of places within so many metres; arguments as of `kind_counts`.

    Returns
    -------
    ndarray
        (n_origins,) whole numbers, 0 where there is no place.
    """
    return (kind_counts(reach, kinds, within_m)[1] > 0).sum(axis=1).astype(np.float64)


def effective_kinds(reach: Reach, kinds: Sequence[str], within_m: float) -> NDArray[np.float64]:
    """Give as how many equally common kinds the places count; arguments as of `kind_counts`.

    ``exp(-sum p ln p)`` over the share p of each kind: nine pubs and a library are 1.38 kinds.

    Returns
    -------
    ndarray
        (n_origins,) from 1 to the number of kinds there; 0 where there is no place.

    Notes
    -----
    Source: M. O. Hill (1973), Diversity and evenness: a unifying notation and its consequences,
    Ecology 54(2), 427-432 (the number of order 1).
    """
    counts = kind_counts(reach, kinds, within_m)[1]
    total = counts.sum(axis=1)
    share = counts / np.maximum(total, 1)[:, None]
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    return np.where(total > 0, np.exp(entropy), 0.0)


def where_placed(values: NDArray[np.float64], placed: ArrayLike) -> NDArray[np.float64]:
    """Make values missing of the origins that could not be placed."""
    known = np.asarray(placed)
    if known.dtype != np.bool_ or known.shape != values.shape:
        raise DataError(
            f"placed: {known.dtype} of shape {known.shape}; "
            f"expected true or false for each of {len(values):,} origins"
        )
    return np.where(known, values, np.nan)


@dataclass(frozen=True, slots=True)
class AreaMeans:
    """A measure of points as a measure of their areas."""

    # (n_areas,) weighted mean over the points that have a value; NaN where none has
    mean: NDArray[np.float64]
    # (n_areas,) share of the area's weight of which the value is missing, 0..1; NaN where the area has no weight at
    # all
    missing_share: NDArray[np.float64]


def by_area(
    values: ArrayLike, area: ArrayLike, n_areas: int, weights: ArrayLike | None = None
) -> AreaMeans:
    """Average a measure over the points of each area, by people if `weights` are given; -1 is a point in no area.

    The mean of those present stands for the whole area only if what is missing is like them: that it seldom is (what
    is out of reach is far) is why the missing share is told.
    """
    value = np.asarray(values, dtype=np.float64)
    of = np.asarray(area)
    if value.ndim != 1 or of.shape != value.shape or of.dtype.kind not in "iu":
        raise DataError(
            f"values of shape {value.shape}, areas of shape {of.shape} and type {of.dtype}; "
            "expected a value and the row of an area for each point"
        )
    for wrong, said in (
        ((of < -1) | (of >= n_areas), "area {1}; expected a row from 0 to " + f"{n_areas - 1}, or -1"),
        (np.isinf(value), "value {0:g}; expected a number, or NaN for missing"),
    ):  # fmt: skip
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(f"point {row + 1} has " + said.format(value[row], of[row]))
    weight = np.ones(len(value))
    if weights is not None:
        weight = amounts(weights, "weight", len(value), "point")
    inside = of >= 0
    there = inside & ~np.isnan(value)
    whole = sums(of[inside], weight[inside], n_areas)
    present = sums(of[there], weight[there], n_areas)
    total = sums(of[there], weight[there] * value[there], n_areas)
    with np.errstate(invalid="ignore"):
        return AreaMeans(total / present, 1 - present / whole)


def amounts(given: ArrayLike, what: str, n: int, per: str) -> NDArray[np.float64]:
    """Take in an amount of at least 0 for each of something, or name the first that is none."""
    found = np.asarray(given, dtype=np.float64)
    if found.shape != (n,):
        raise DataError(f"{what} of shape {found.shape}; expected {n:,}, one for each {per}")
    bad = ~((found >= 0) & (found < math.inf))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{per} {row + 1} has {what} {found[row]:g}; expected a number of at least 0"
        )
    return found


def sums(of: NDArray[np.integer], values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Add up values by what each is of: (n,) float64."""
    return np.bincount(of, values, n).astype(np.float64, copy=False)  # of nothing they are integers


def _near(reach: Reach, within_m: float) -> NDArray[np.bool_]:
    if not 0 < within_m <= reach.limit_m:
        raise DataError(
            f"within {within_m:g} m wanted of what is within {reach.limit_m:g} m; "
            "expected more than 0 and no more than that"
        )
    return reach.distance_m <= within_m
