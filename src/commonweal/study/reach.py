"""What people can reach, as indicators: from where they live, to places and by timetables."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access import (
    Exponential,
    Gaussian,
    Points,
    Power,
    catchment,
    count_within,
    decayed_count,
    kth_nearest_m,
    straight_nearest,
    variety,
    within_minutes,
)
from commonweal.access.conflation import load_places
from commonweal.access.departures import (
    BANDS,
    COVERAGE_M,
    covered,
    departures_per_hour,
    stops_within,
)
from commonweal.access.distance import axes_swapped
from commonweal.access.measures import by_area
from commonweal.access.places import join_places, load_taxonomy
from commonweal.access.postcodes import grid_to_degrees
from commonweal.access.registers import in_united_kingdom, load_registers
from commonweal.access.timetable import read_timetable
from commonweal.errors import DataError, UnknownNameError
from commonweal.study.files import file_source, own_source, read_points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.access import Decay, Nearest, Reach
    from commonweal.access.places import Places
    from commonweal.access.postcodes import Postcodes
    from commonweal.areas import Areas
    from commonweal.sources import Source, Store
    from commonweal.spec import Study
    from commonweal.spec.indicators import ReachSpec, TimetableSpec

    Progress = Callable[[str, int, int], None]


POSTCODES = "postcodes"
"""What a study calls them."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Where people set out from."""

    areas: Areas  # the areas that they live in
    points: Points  # (n_points,) where
    rows: NDArray[np.intp]  # (n_points,) the row of the area that each lies in
    of: str  # what the points are, for the account

    def at_areas(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give each area the mean of its points.

        Gives (n_areas,) the mean of the points that have a value.
        """
        found = by_area(values, self.rows, len(self.areas))
        return np.where(found.missing_share <= 0.5, found.mean, np.nan)

    def residents(self) -> NDArray[np.float64]:
        """Give (n_points,) residents: an area's, shared out equally over its points; NaN where not given."""
        points = np.bincount(self.rows, minlength=len(self.areas))
        shared: NDArray[np.float64] = (self.areas.population / np.maximum(points, 1))[self.rows]
        return shared

    def people(self) -> NDArray[np.float64]:
        """Give the same, and refuse an area whose residents are not given."""
        unknown = np.unique(self.rows[np.isnan(self.areas.population[self.rows])])
        if len(unknown):
            raise DataError(
                f"no population is given for {len(unknown):,} of the {len(self.areas):,} {self.areas.called}, such as "
                f"{self.areas.codes[unknown[0]]}; expected one for each, as a catchment shares places among people"
            )
        return self.residents()

    def account(self) -> dict[str, Any]:
        """Say what was set out from, and how many areas nobody set out from."""
        empty = len(self.areas) - len(np.unique(self.rows))
        told = {"from": self.of, "points": len(self.points)}
        return told | ({"areas without a point": empty} if empty else {})


def area_points(areas: Areas) -> Origins:
    """Take the points of areas, one each."""
    longitude, latitude = (
        areas.table[c].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for c in ("longitude", "latitude")
    )
    rows = np.flatnonzero(~(np.isnan(longitude) | np.isnan(latitude)))
    if not len(rows):
        raise DataError(
            f"none of the {len(areas):,} {areas.called} has a point; expected their "
            "longitude and latitude, which reach is measured from"
        )
    beyond = rows[~((np.abs(longitude[rows]) <= 180) & (np.abs(latitude[rows]) <= 90))]
    if len(beyond):
        row = beyond[0]
        raise DataError(
            f"area {areas.codes[row]} has longitude {longitude[row]:g} and latitude "
            f"{latitude[row]:g}; expected degrees from -180 to 180 and from -90 to 90"
        )
    return Origins(
        areas, Points(longitude[rows], latitude[rows]), rows, f"points of {areas.system}"
    )


def postcodes_inside(areas: Areas, shapes: pl.DataFrame, directory: Postcodes) -> Origins:
    """Take the postcodes that lie in areas.

    How many people live at a postcode is not published openly for every year, so each counts the same: about fifteen
    addresses.
    """
    _, points, rows = _placed(areas, shapes, directory)
    return Origins(areas, points, rows, f"postcodes of {areas.system}")


def postcodes_kept(
    areas: Areas, shapes: pl.DataFrame, directory: Postcodes, lost: str
) -> NDArray[np.float64]:
    """Give (n_areas,) the share of an area's postcodes whose district does not fit a pattern."""
    codes, _, rows = _placed(areas, shapes, directory)
    # The last three characters are the inward code; what is before them is the district.
    kept = ~codes.str.head(-3).str.contains(f"^(?:{lost})$").to_numpy()
    return by_area(kept.astype(np.float64), rows, len(areas)).mean


def _placed(
    areas: Areas, shapes: pl.DataFrame, directory: Postcodes
) -> tuple[pl.Series, Points, NDArray[np.intp]]:
    """Give the postcodes that lie in areas: they, their points, and the row of the area of each."""
    import shapely

    polygons = shapely.from_wkb(shapes["geometry"].to_numpy())
    if shapely.is_missing(polygons).all():
        raise DataError(
            f"none of the {len(areas):,} {areas.called} has a boundary; expected some, which "
            "say what postcodes lie in them"
        )
    live = directory.table.filter(
        pl.col("easting").is_not_null()
        & ~pl.col("ended").fill_null(False)
        & ~pl.col("postcode").str.starts_with("BT")
    )
    longitude, latitude = grid_to_degrees(live["easting"].to_numpy(), live["northing"].to_numpy())
    west, south, east, north = shapely.total_bounds(polygons)
    near = np.flatnonzero(
        (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    )
    points = shapely.points(longitude[near], latitude[near])
    at, rows = shapely.STRtree(polygons).query(points, predicate="intersects")
    order = np.lexsort((rows, at))  # one on a border goes to the first area
    _, first = np.unique(at[order], return_index=True)
    at, rows = near[at[order][first]], rows[order][first]
    if not len(at):
        raise DataError(f"no postcode of {directory.title} lies in one of the {areas.called}")
    return live["postcode"][at], Points(longitude[at], latitude[at]), rows


def offered(
    spec: TimetableSpec, points: Points, path: Path
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Measure what a timetable offers.

    Gives (n_points,) stops, or departures per hour.
    """
    bands = ["day", *(band.name for band in BANDS)]
    if spec.band not in bands:
        raise UnknownNameError("timetable: band", spec.band, bands)
    timetable = read_timetable(path)
    stops = timetable.served_points()
    if not len(stops):
        raise DataError(f"{path.name} has no stop to board at, or none with a place; expected one")
    inside = covered(points, timetable)
    if not inside.any():
        raise DataError(
            f"{path.name} covers none of the areas: they lie at {points.extent()}, stops at "
            f"{stops.extent()}; expected an area within {COVERAGE_M / 1000:g} km of a stop"
        )
    if spec.measure == "stops":
        values = stops_within(points, timetable, spec.within_m, within=inside)
    else:
        table = departures_per_hour(points, timetable, spec.date, spec.within_m, within=inside)
        values = table[spec.band].fill_null(float("nan")).to_numpy()
    told = {"date": str(spec.date), "stops": len(timetable.stops), "covered": int(inside.sum())}
    return values, told


_FEW = 3
"""Kinds of place that a message describes."""

_ABROAD_M = 500_000.0


def no_such(to: Sequence[str], among: str, sources: Sequence[Source]) -> str:
    """Say that a kind is not among the places: what counts as one on a map, and what was searched."""
    kinds = load_taxonomy()
    wanted = kinds.kinds_of(to)
    tags = [
        f"{key}={', '.join(values)}"
        for kind in wanted[:_FEW]
        for rule in kinds.kinds[kind].osm
        for key, values in rule.tags.items()
    ]
    searched = [source.called if source.path else source.title for source in sources]
    return (
        f"no place is a {' or '.join(to)}, among {among} of {', '.join(searched)}; "
        f"expected at least one\n"
        f"what counts: {', '.join(kinds.kinds[kind].label for kind in wanted[:_FEW])}"
        f"{', ...' if len(wanted) > _FEW else ''}; on a map {'; '.join(tags)}"
    )


class NearbyPlaces:
    """The places around where people live, read once, and what of them is within reach."""

    def __init__(
        self, study: Study, origins: Origins, store: Store, progress: Progress | None = None
    ) -> None:
        self.spec, self.origins = study.access, origins
        names = registers_read(self.spec.registers, origins.points)
        own = [own_source(study, table, store) for table in self.spec.points]
        maps = [file_source(study, file, store) for file in self.spec.maps]
        mine = [read_points(source, store) for source in own]
        paths = {source.id: store.path(source) for source in maps}
        self.places = load_places(store, names, paths, mine, progress=progress).places
        for source, places in zip(own, mine, strict=True):
            check_near(origins.points, places, f"{source.called}: ")
        check_near(origins.points, self.places)
        streets = []
        if paths:
            from commonweal.access.osm_streets import read_streets

            streets = [read_streets(path, progress=progress).streets for path in paths.values()]
        self.ways: dict[str, Any] = {
            "streets": streets,
            "detour": self.spec.detour,
            "snap_m": self.spec.snap_m,
        }
        self.account = self.places.account()
        self._maps = frozenset(paths)
        self.sources: tuple[Source, ...] = (*own, *(store.source(name) for name in names), *maps)

    def with_more(self, places: Places) -> NearbyPlaces:
        """Give the same surroundings with places that are planned; they have a source of their own."""
        fuller = copy(self)
        fuller.places = join_places([self.places, places])
        return fuller

    def sources_of(self, spec: ReachSpec) -> tuple[Source, ...]:
        """Give the sources of the places that reach is measured to, and the maps that lead there."""
        used = {*self.places.of(spec.to).table["source"], *self._maps}
        return tuple(source for source in self.sources if source.id in used)

    def measure(self, spec: ReachSpec) -> tuple[NDArray[np.float64], str, dict[str, Any]]:
        """Measure reach.

        Gives (n_points,) values, NaN where what is asked cannot be reached.
        """
        places = self.places.of(spec.to)
        if not len(places):
            raise DataError(no_such(spec.to, f"the {len(self.places):,}", self.sources))
        found, how = self._measured(spec, places)
        kept = dict(places.table["kind"].value_counts(sort=True).iter_rows())
        return found, how, {"places": kept, "how": how, **self.origins.account()}

    def _measured(self, spec: ReachSpec, places: Places) -> tuple[NDArray[np.float64], str]:
        if spec.measure == "nearest":
            near = self._nearest(places, spec.k)
            found = kth_nearest_m(near, spec.k)
            limit_m = _limit_m(spec)
            return (
                found if limit_m is None else np.where(found <= limit_m, found, np.nan)
            ), near.how
        limit_m = _limit_m(spec)
        assert limit_m is not None  # the recipe has checked it
        reach = self._reach(places, limit_m)
        decay = _decay(spec)
        if spec.measure == "count":
            found = count_within(reach, limit_m)
        elif spec.measure == "variety":
            found = variety(reach, places.table["kind"].to_list(), limit_m)
        elif spec.measure == "decay":
            assert decay is not None
            found = decayed_count(reach, decay)
        else:
            found = spec.out_of * catchment(reach, self.origins.people(), decay=decay)
        return found, reach.how

    def _nearest(self, places: Places, k: int) -> Nearest:
        from commonweal.access.mixed import mixed_nearest

        return mixed_nearest(self.origins.points, places.points, k, **self.ways)

    def _reach(self, places: Places, limit_m: float) -> Reach:
        from commonweal.access.mixed import mixed_reach

        return mixed_reach(self.origins.points, places.points, limit_m, **self.ways)


def check_near(origins: Points, places: Places, of: str = "") -> None:
    """Refuse places that are all in another part of the world than the areas, or would be near with axes exchanged."""
    if not len(places):
        return
    points = places.points
    turned = axes_swapped(points, origins)
    if turned.any():
        row = int(turned.argmax())
        which = places.table["name"][row] or places.table["id"][row]
        raise DataError(
            f"{of}{int(turned.sum()):,} of {len(places):,} places lie far from every area, such as {which} "
            f"(longitude {points.longitude[row]:.6g}, latitude {points.latitude[row]:.6g}); areas lie at "
            f"{origins.extent()}; are latitude and longitude swapped? If not, leave these "
            "out: no area reaches them"
        )
    if not _any_near(origins, points):
        raise DataError(
            f"{of}no place lies within {_ABROAD_M / 1000:g} km of any area: areas lie at "
            f"{origins.extent()}, places at {points.extent()}; expected both in one country"
        )


def registers_read(asked: tuple[str, ...] | None, origins: Points) -> list[str]:
    """Give the registers to read: those asked for, else all that ship; they list places of the United Kingdom."""
    if asked is not None:
        return list(asked)
    return list(load_registers()) if in_united_kingdom(origins) else []


def _any_near(origins: Points, places: Points) -> bool:
    step = len(origins) // 1_000 + 1
    few = Points(origins.longitude[::step], origins.latitude[::step])
    return any(  # one that is near is enough, and most are
        bool((straight_nearest(some, places, limit_m=_ABROAD_M).place >= 0).any())
        for some in (few, origins)
    )


def _limit_m(spec: ReachSpec) -> float | None:
    return spec.within_m if spec.minutes is None else within_minutes(spec.minutes)


def _decay(spec: ReachSpec) -> Decay | None:
    if spec.decay is None:
        return None
    if spec.decay.law == "power":
        return Power.half_at(spec.decay.half_at_m, spec.decay.floor_m)
    laws: dict[str, type[Exponential | Gaussian]] = {
        "exponential": Exponential,
        "gaussian": Gaussian,
    }
    return laws[spec.decay.law].half_at(spec.decay.half_at_m)
