"""Points on the ground, distances in a straight line, and what is within reach."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.frames import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.spatial import KDTree


EARTH_RADIUS_M = 6_371_009.0
"""Mean radius of the Earth (IUGG). On a sphere lengths are within 0.6% of those on the ellipsoid."""

WALKING_SPEED_M_PER_MIN = 80.0
"""4.8 km/h: the pace at which 10 minutes are 800 m, as accessibility standards commonly have it."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points in longitude and latitude, checked once here.

    Attributes
    ----------
    longitude, latitude
        (n,) float64 degrees, WGS 84; made of lists, Series or arrays.

    Raises
    ------
    DataError
        If the two differ in length, or a coordinate is missing, infinite or out of range.

    Examples
    --------
    >>> len(Points([0.0, 0.1], [51.5, 51.6]))
    2
    >>> Points([51.5], [100.0])
    Traceback (most recent call last):
    commonweal.errors.DataError: point 1 has latitude 100; expected degrees from -90 to 90 (longitude comes first)
    """

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("longitude", "latitude"):
            object.__setattr__(self, name, _degrees(getattr(self, name), name))
        if self.longitude.shape != self.latitude.shape or self.longitude.ndim != 1:
            raise DataError(
                f"longitudes have shape {self.longitude.shape} and latitudes {self.latitude.shape}; "
                "expected two lists of the same length"
            )
        for name, values, most in (
            ("longitude", self.longitude, 180),
            ("latitude", self.latitude, 90),
        ):
            bad = ~(np.abs(values) <= most)  # NaN too
            if bad.any():
                row = int(bad.argmax())
                raise DataError(
                    f"point {row + 1} has {name} {values[row]:g}; expected degrees from -{most} to {most}"
                    + _why_not_degrees(values[row], name)
                )

    def __len__(self) -> int:
        return len(self.longitude)

    def extent(self) -> str:
        """Say within what degrees they lie, for messages; there is at least one."""
        return (
            f"longitude {self.longitude.min():.4g} to {self.longitude.max():.4g}, "
            f"latitude {self.latitude.min():.4g} to {self.latitude.max():.4g}"
        )

    def on_sphere(self) -> NDArray[np.float64]:
        """(n, 3) float64 metres from the Earth's centre, for searches by chord."""
        longitude, latitude = np.radians(self.longitude), np.radians(self.latitude)
        around = np.cos(latitude)
        return EARTH_RADIUS_M * np.column_stack(
            [around * np.cos(longitude), around * np.sin(longitude), np.sin(latitude)]
        )


def _degrees(given: Any, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name}: {type(given).__name__} found; expected numbers") from None


def _why_not_degrees(value: float, name: str) -> str:
    """Guess what a number is that is no longitude or latitude."""
    if abs(value) > DEGREES_AROUND and np.isfinite(value):
        return "; metres of a national grid? A GeoDataFrame says which in its crs, and is converted"
    if name == "latitude" and np.isfinite(value):
        return " (longitude comes first)"
    return ""


DEGREES_AROUND = 360
"""What is larger is no angle, however it is counted."""


def points_of(given: Any, what: str = "points") -> Points:
    """Give points of whatever holds them.

    Parameters
    ----------
    given
        `Points`; a GeoDataFrame or GeoSeries of points, in any reference system; a frame (Polars, pandas,
        Arrow) with columns ``longitude`` and ``latitude``; or a pair of lists or Series, longitude first.
    what
        What messages call them.

    Raises
    ------
    DataError
        If they are no points, have no reference system, or a coordinate is none.

    Examples
    --------
    >>> points_of(([-1.2, -1.3], [54.7, 54.6])).extent()
    'longitude -1.3 to -1.2, latitude 54.6 to 54.7'
    """
    if isinstance(given, Points):
        return given
    shapes = getattr(given, "geometry", None)
    if shapes is not None and hasattr(shapes, "geom_type"):
        return _points_of_shapes(shapes, what)
    if isinstance(given, tuple | list) and len(given) == 2:
        return Points(*given)
    frame = frame_of(given)
    if frame is None:
        raise DataError(
            f"{what}: {type(given).__name__} found; expected Points, a GeoDataFrame, a table with columns "
            "longitude and latitude, or a pair of lists of these"
        )
    for name in ("longitude", "latitude"):
        if name not in frame.columns:
            raise UnknownNameError("column", name, frame.columns, f" in the table of {what}")
    return Points(frame["longitude"].to_numpy(), frame["latitude"].to_numpy())


def _points_of_shapes(shapes: Any, what: str) -> Points:
    if shapes.crs is None:
        raise DataError(
            f"{what}: these shapes have no reference system; say which with set_crs, such as "
            ".set_crs(27700) for the British grid or .set_crs(4326) for degrees"
        )
    other = ~(shapes.geom_type == "Point").to_numpy()
    if other.any():
        row = int(other.argmax())
        raise DataError(
            f"{what}: row {row + 1} is {shapes.geom_type.iloc[row] or 'empty'}; expected points, such as "
            "those of .representative_point()"
        )
    degrees = shapes.to_crs(4326)
    return Points(degrees.x.to_numpy(), degrees.y.to_numpy())


def sides(origins: Any, places: Any) -> tuple[Points, Points]:
    """Give origins and places as points; of tables and lists refuse those of which one has its axes swapped."""
    if isinstance(origins, Points) and isinstance(places, Points):
        return origins, places
    begin, end = points_of(origins, "origins"), points_of(places, "places")
    refuse_swapped(begin, end)
    return begin, end


def refuse_swapped(begin: Points, end: Points) -> None:
    """Refuse two sets of points that are worlds apart, and in the same place if one has its axes swapped."""
    if not (len(begin) and len(end)):
        return
    turned = Points(begin.latitude, np.clip(begin.longitude, -90, 90))
    if not _meet(begin, end) and _meet(turned, end):
        raise DataError(
            f"origins lie at {begin.extent()}, and places at {end.extent()}; longitude and latitude are "
            "swapped in one of them (longitude comes first)"
        )


MARGIN_DEGREES = 1.0
"""Within which two sets of points count as in the same part of the world: about 100 km."""


FAR_DEGREES = 5.0
"""Beyond a rectangle by so much, a point is far from what lies in it: about 500 km."""


def axes_swapped(points: Points, around: Points) -> NDArray[np.bool_]:
    """(n_points,) whether each is far from the rectangle that holds others, and in it with its axes exchanged."""
    a, b = around.longitude, around.latitude

    def inside(x: NDArray[np.float64], y: NDArray[np.float64], by: float) -> NDArray[np.bool_]:
        within: NDArray[np.bool_] = (
            (x >= a.min() - by) & (x <= a.max() + by) & (y >= b.min() - by) & (y <= b.max() + by)
        )
        return within

    x, y = points.longitude, points.latitude
    return ~inside(x, y, FAR_DEGREES) & inside(y, x, MARGIN_DEGREES)


def _meet(one: Points, other: Points) -> bool:
    """Say whether the rectangles that hold two sets of points touch, with a margin."""
    return all(
        a.min() - MARGIN_DEGREES <= b.max() and b.min() - MARGIN_DEGREES <= a.max()
        for a, b in ((one.longitude, other.longitude), (one.latitude, other.latitude))
    )


PointsLike: TypeAlias = Any
"""`Points`, or what `points_of` makes them of."""


def great_circle_m(
    longitude_1: ArrayLike, latitude_1: ArrayLike, longitude_2: ArrayLike, latitude_2: ArrayLike
) -> NDArray[np.float64]:
    """Give the shortest way over the sphere in metres, by the haversine formula.

    R. W. Sinnott (1984), Virtues of the haversine, Sky and Telescope 68(2), 159.
    """
    x1, y1, x2, y2 = (
        np.radians(np.asarray(v, dtype=np.float64))
        for v in (longitude_1, latitude_1, longitude_2, latitude_2)
    )
    across = np.sin((y2 - y1) / 2) ** 2 + np.cos(y1) * np.cos(y2) * np.sin((x2 - x1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(across, 0, 1))))


@dataclass(frozen=True, slots=True)
class Reach:
    """Every pair of an origin and a place no farther apart than a limit, checked once here.

    Attributes
    ----------
    n_origins, n_places
        How many of each there are.
    starts
        (n_origins + 1,) int64: the pairs of origin o are ``starts[o]:starts[o + 1]``.
    place
        (n_pairs,) int32 row of the place.
    distance_m
        (n_pairs,) float64 metres, ascending within an origin.
    limit_m
        No place beyond it is there, and none within it is missing.
    how
        How distances were measured, in words: ``along streets``, ``straight line x 1.3``.

    Raises
    ------
    DataError
        If the parts do not fit together.
    """

    n_origins: int
    n_places: int
    starts: NDArray[np.int64]
    place: NDArray[np.int32]
    distance_m: NDArray[np.float64]
    limit_m: float
    how: str

    def __post_init__(self) -> None:
        n_pairs = len(self.place)
        if not self.limit_m > 0:
            raise DataError(f"limit {self.limit_m:g} m; expected more than 0")
        if (
            self.starts.shape != (self.n_origins + 1,)
            or self.starts[0] != 0
            or self.starts[-1] != n_pairs
            or (np.diff(self.starts) < 0).any()
        ):
            raise DataError(
                f"starts do not divide {n_pairs:,} pairs among {self.n_origins:,} origins"
            )
        if self.distance_m.shape != (n_pairs,):
            raise DataError(f"{len(self.distance_m):,} distances for {n_pairs:,} pairs")
        if n_pairs == 0:
            return
        if self.place.min() < 0 or self.place.max() >= self.n_places:
            raise DataError(f"a pair names a place that is not one of the {self.n_places:,}")
        if not (self.distance_m.min() >= 0 and self.distance_m.max() <= self.limit_m):
            raise DataError(f"a distance is missing, below 0 or beyond {self.limit_m:g} m")
        falls = np.flatnonzero(np.diff(self.distance_m) < 0) + 1
        if not np.isin(falls, self.starts).all():
            raise DataError("distances do not ascend within an origin")

    def origin(self) -> NDArray[np.int64]:
        """(n_pairs,) row of the origin of each pair."""
        return np.repeat(np.arange(self.n_origins), np.diff(self.starts))


@dataclass(frozen=True, slots=True)
class Nearest:
    """The k nearest places of every origin; what is out of reach is missing, never a number.

    Attributes
    ----------
    place
        (n_origins, k) int32 row of the place; -1 where there is none.
    distance_m
        (n_origins, k) float64 metres, ascending; NaN where there is none.
    how
        How distances were measured, in words.
    """

    place: NDArray[np.int32]
    distance_m: NDArray[np.float64]
    how: str


_ACROSS_M = 2 * EARTH_RADIUS_M
_HAIR = 1 + 1e-14  # what is exactly at a limit is within it, however the limit is rounded
_CELLS = 2_000_000  # looked at in one go: some 100 MB besides the result


def straight_nearest(
    origins: PointsLike,
    places: PointsLike,
    k: int = 1,
    *,
    detour: float = 1.0,
    limit_m: float = math.inf,
) -> Nearest:
    """Find the k nearest places of every origin, as the crow flies.

    Parameters
    ----------
    origins, places
        Where people are, and where they might go: `Points`, or what `points_of` takes.
    k
        How many places, at least 1. With fewer places than that the last columns are missing.
    detour
        What distances are multiplied by, at least 1: how much longer ways are than straight lines.
    limit_m
        Metres, after the detour. Beyond it a place is out of reach.

    Returns
    -------
    Nearest
        Ascending; places equally far in their order. Where more of those are k-th than there is
        room for, any of them may be the one.

    Raises
    ------
    DataError
        If there are no places, or a number makes no sense.

    Notes
    -----
    The chord c between two points on a sphere of radius R is a way of 2 R asin(c / 2 R) over it: exact,
    at the poles and across the date line too.

    Examples
    --------
    >>> from commonweal.access import Points
    >>> home = Points(np.array([0.0]), np.array([51.5]))
    >>> halls = Points(np.array([0.02, 0.01, 0.3]), np.array([51.5, 51.5, 51.5]))
    >>> near = straight_nearest(home, halls, k=2, detour=1.3)
    >>> near.place.tolist(), near.distance_m.round().tolist(), near.how
    ([[1, 0]], [[900.0, 1800.0]], 'straight line x 1.3')
    """
    if k < 1:
        raise DataError(f"k = {k}; expected 1 or more nearest places")
    origins, places = sides(origins, places)
    tree, how, at = _tree(places), _said(detour), origins.on_sphere()
    place = np.full((len(origins), k), -1, np.int32)
    distance_m = np.full((len(origins), k), np.nan)
    found = min(k, len(places))
    for rows in _blocks(np.full(len(origins), found)):
        row, way_m = _query(tree, at[rows], found, limit_m, detour)
        place[rows, :found] = np.where(np.isnan(way_m), -1, row)
        distance_m[rows, :found] = way_m
    return Nearest(place, distance_m, how)


def straight_reach(
    origins: PointsLike, places: PointsLike, limit_m: float, *, detour: float = 1.0
) -> Reach:
    """Find every place within a limit of every origin, as the crow flies.

    Parameters
    ----------
    origins, places, detour
        As of `straight_nearest`.
    limit_m
        Metres, after the detour; above 0 and finite.

    Returns
    -------
    Reach
        12 bytes a pair; places equally far in their order. For counts alone `straight_count` makes
        no pairs.

    Raises
    ------
    DataError
        If there are no places, or a number makes no sense.

    Examples
    --------
    >>> from commonweal.access import Points
    >>> home = Points(np.array([0.0]), np.array([51.5]))
    >>> halls = Points(np.array([0.02, 0.01, 0.3]), np.array([51.5, 51.5, 51.5]))
    >>> straight_reach(home, halls, 1600).place
    array([1, 0], dtype=int32)
    """
    if limit_m == math.inf:
        raise DataError("limit inf m; expected a finite one, or every place would be a pair")
    origins, places = sides(origins, places)
    tree, how, at = _tree(places), _said(detour), origins.on_sphere()
    many = _count(tree, at, limit_m, detour)
    starts = np.concatenate([[0], np.cumsum(many)])
    place = np.empty(starts[-1], np.int32)
    distance_m = np.empty(starts[-1])
    for rows in _blocks(many):
        column = np.arange(many[rows].max())
        row, way_m = _query(tree, at[rows], len(column), limit_m, detour)
        there = column < many[rows, None]
        pair = (starts[rows, None] + column)[there]
        place[pair], distance_m[pair] = row[there], way_m[there]
    return Reach(len(origins), len(places), starts, place, distance_m, limit_m, how)


def straight_count(
    origins: PointsLike, places: PointsLike, limits_m: Sequence[float], *, detour: float = 1.0
) -> NDArray[np.int64]:
    """Count the places within each of `limits_m` (after the detour) of every origin, as the crow flies.

    Gives (n_origins, n_limits) counts: those of `straight_reach`, without its pairs.
    """
    _said(detour)
    origins, places = sides(origins, places)
    tree, at = _tree(places), origins.on_sphere()
    counts = np.empty((len(origins), len(limits_m)), np.int64)
    for column, limit_m in enumerate(limits_m):
        counts[:, column] = _count(tree, at, limit_m, detour)
    return counts


def _tree(places: Points) -> KDTree:
    from scipy.spatial import KDTree

    if len(places) == 0:
        raise DataError("no places; expected at least one to look for")
    return KDTree(places.on_sphere())


def _said(detour: float) -> str:
    if not 1 <= detour < math.inf:
        raise DataError(f"detour {detour:g}; expected 1 or more: no way is shorter than straight")
    return "straight line" if detour == 1 else f"straight line x {detour:g}"


def _chord_m(limit_m: float, detour: float) -> float:
    """Give the chord of a limit; beyond half the Earth's round, that between opposite points."""
    if not limit_m > 0:
        raise DataError(f"limit {limit_m:g} m; expected more than 0")
    return _ACROSS_M * math.sin(min(limit_m / detour / _ACROSS_M, math.pi / 2)) * _HAIR


def _count(
    tree: KDTree, at: NDArray[np.float64], limit_m: float, detour: float
) -> NDArray[np.int64]:
    within = tree.query_ball_point(at, _chord_m(limit_m, detour), return_length=True, workers=-1)
    return np.asarray(within, dtype=np.int64)


def _blocks(many: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Divide the origins that look for any place into blocks that look for about as many."""
    order = np.argsort(many, kind="stable")
    n_cells = many[order]
    start = int(np.searchsorted(n_cells, 1))
    while start < len(order):
        alike = np.searchsorted(n_cells, n_cells[start] * 1.25 + 8, side="right")
        room = _CELLS // int(n_cells[alike - 1])
        stop = min(int(alike), start + max(room, 1))
        yield order[start:stop]
        start = stop


def _query(
    tree: KDTree, at: NDArray[np.float64], k: int, limit_m: float, detour: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Give (n, k) rows of the nearest places and ways to them; NaN where there is none."""
    beyond = _chord_m(limit_m, detour) * _HAIR  # the bound itself is left out
    chord_m, found = tree.query(at, range(1, k + 1), distance_upper_bound=beyond, workers=-1)
    row = np.asarray(found)
    arc_m = _ACROSS_M * np.arcsin(np.minimum(chord_m / _ACROSS_M, 1))
    way_m = np.where(np.isfinite(chord_m), np.minimum(arc_m * detour, limit_m), np.nan)
    tied = np.flatnonzero((way_m[:, 1:] <= way_m[:, :-1]).any(axis=1))
    if len(tied):
        order = np.lexsort((row[tied], way_m[tied]), axis=1)
        row[tied], way_m[tied] = (np.take_along_axis(x[tied], order, axis=1) for x in (row, way_m))
    return row, way_m
