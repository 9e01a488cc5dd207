"""What a timetable offers near where people live, as an indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.access.departures import (
    BANDS,
    COVERAGE_M,
    covered,
    departures_per_hour,
    stops_within,
)
from commonweal.access.timetable import read_timetable
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.access import Points
    from commonweal.spec import TimetableSpec

__all__ = ["offered"]


def offered(
    spec: TimetableSpec, points: Points, path: Path
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Measure what a timetable offers.

    Parameters
    ----------
    spec
        What of it, on which day and how near.
    points
        Where people set out from.
    path
        The feed.

    Returns
    -------
    tuple
        (n_points,) stops, or departures per hour; NaN where the feed does not cover the point; and
        an account.

    Raises
    ------
    UnknownNameError
        If there is no such band.
    DataError
        If the feed cannot be read, or covers neither the day nor any point.
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
