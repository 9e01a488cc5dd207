"""What a timetable offers near where people live, as an indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.access.departures import BANDS, departures_per_hour, stops_within
from commonweal.access.timetable import read_timetable
from commonweal.errors import UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.access import Points
    from commonweal.recipe import TimetableSpec

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
        If the feed cannot be read, or does not cover the day.
    """
    bands = ["day", *(band.name for band in BANDS)]
    if spec.band not in bands:
        raise UnknownNameError("timetable: band", spec.band, bands)
    timetable = read_timetable(path)
    if spec.measure == "stops":
        values = stops_within(points, timetable, spec.within_m)
    else:
        table = departures_per_hour(points, timetable, spec.date, spec.within_m)
        values = table[spec.band].fill_null(float("nan")).to_numpy()
    covered = int((~np.isnan(values)).sum())
    return values, {"date": str(spec.date), "stops": len(timetable.stops), "covered": covered}
