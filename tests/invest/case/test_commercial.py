"""Sites in a case: each is told in, or nearest to, the right one of its places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import shapely

from commonweal.access.distance import great_circle_m
from commonweal.invest.siting.on_study import SitingOptions, site
from commonweal.report.case.sites import commercial

if TYPE_CHECKING:
    from commonweal.invest.case.model import Case
    from commonweal.sources import Store
    from commonweal.study.results import Results


def test_a_site_is_nearest_to_what_is_fewest_metres_away(
    case: Case, county: Results, store: Store
) -> None:
    """Away from the equator a degree of longitude is shorter than one of latitude."""
    sited = site(
        county, SitingOptions("Vesselhoe", "pub", 1, candidates="grid:1000"), store, effect=False
    )
    x, y = sited.sites.select("longitude", "latitude").row(0)
    west, north = (x - 0.015, y), (x, y + 0.012)
    assert great_circle_m(x, y, *west) < great_circle_m(x, y, *north)
    shapes = pl.DataFrame(
        {
            "code": case.problem.codes[:2],
            "geometry": shapely.to_wkb([shapely.Point(at).buffer(1e-4) for at in (west, north)]),
        }
    )
    worked = replace(case.worked, shapes=shapes)
    section = commercial(replace(case, worked=worked, sited=sited, built=()), rows=20, few=5)
    told = next(table for table in section.tables if table.name == "sites").shown.frame
    assert told.columns[1] == "In or nearest to"
    assert told["In or nearest to"].to_list() == [case.problem.names[0]]
