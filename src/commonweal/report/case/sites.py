"""Where a case builds: the commercial part with its sites, and its GeoPackage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import polars.selectors as cs

from commonweal.document.format import with_article
from commonweal.document.model import Section
from commonweal.invest.case.cautions import unsited
from commonweal.report.case.tables import by_place
from commonweal.report.siting import siting_section
from commonweal.report.study.geopackage import fix_timestamp, polygons, write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.document.model import TableData
    from commonweal.invest.case.model import Case
    from commonweal.invest.siting.result import SitingResult


_TOGETHER = 1.0
"""Degrees within which places lie near enough together for a map of sites."""


def commercial(case: Case, rows: int, few: int) -> Section:
    """Give the sites, with a map where they lie together; or say why there are none."""
    if case.sited is None:
        kind = f" of a kind that {case.asked.values} names" if unsited(case) else ""
        return Section(
            "Commercial case: sites",
            text=(
                f"Nothing in this mix is a building{kind}, so we did not look for sites. --kind finds them for any "
                "kind of venue.",
            ),
        )
    return _sites(case, case.sited, rows, few)


def _sites(case: Case, sited: SitingResult, rows: int, few: int) -> Section:
    section = siting_section(sited)
    label = sited.label.lower()
    built = " and ".join(case.interventions.interventions[n].label.lower() for n in case.built)
    first = (
        f"Sites for what the mix builds ({built}): one for each {case.results.areas.singular} that gets it."
        if built
        else f"Nothing in this mix is {with_article(label)}. If each {case.results.areas.singular} had one, these "
        "sites would be nearest to people."
    )
    warnings = section.warnings
    if not len(sited.existing) and not sited.unread:
        warnings = (
            f"We know of no {label} in or near these areas. If there is one, fewer people are newly reached than the "
            "numbers say.",
            *warnings,
        )
    drawn, areas = sited.outlines, case.worked.allocation.areas
    lost = drawn.filter(pl.col("geometry").is_null())["code"].to_list()
    if lost and sited.plural != areas.plural:
        names = ", ".join(areas.table["name"][areas.position[code]] or code for code in lost)
        warnings = (
            f"No boundary is known of {len(lost):,} of the {areas.plural} ({names}), so we found no sites for the "
            "people there.",
            *warnings,
        )
    points = sited.demand.points
    together = max(np.ptp(points.longitude), np.ptp(points.latitude)) < _TOGETHER
    return replace(
        section,
        title="Commercial case: sites",
        text=(first, *section.text),
        charts=section.charts if together else (),
        tables=tuple(
            replace(t, shown=_with_place(case, t.shown), rows=rows)
            if t.name == "sites"
            else replace(t, rows=few)
            for t in section.tables
        ),
        warnings=warnings,
    )


def _with_place(case: Case, sites: TableData) -> TableData:
    """Say of each site in which of the places it lies, or to which it is nearest."""
    import shapely

    joined = pl.DataFrame(
        {"code": list(case.problem.codes), "name": list(case.problem.names)}
    ).join(case.worked.shapes, on="code", how="left", maintain_order="left")
    known = joined.drop_nulls("geometry")
    if known.is_empty() or sites.frame.is_empty():
        return sites
    tree = shapely.STRtree(_mercator(shapely.from_wkb(known["geometry"].to_numpy())))
    points = shapely.points(sites.frame["Longitude"], sites.frame["Latitude"])
    names = known["name"].gather(tree.nearest(_mercator(points)).tolist())
    frame = sites.frame.select(cs.first(), names.alias("In or nearest to"), ~cs.first())
    return replace(sites, frame=frame)


def _mercator(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Project from degrees so that near any place all directions have one scale, so nearest there is nearest."""
    import shapely

    def project(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        longitude, latitude = np.radians(degrees).T
        return np.column_stack([longitude, np.arcsinh(np.tan(latitude))])

    return np.asarray(shapely.transform(shapes, project))


def write_places(case: Case, path: Path) -> None:
    """Write the places, with what each gets, and the proposed sites as a GeoPackage.

    Places without a known boundary are in a layer of their own, as points.
    """
    import shapely

    frame = by_place(case).rename(
        {
            "Code": "code", "Place": "name", "People": "people", "Rank": "rank", "What is done": "done",
            "Cost (£)": "cost_gbp", "Need met": "need_met", "Authority": "authority",
            "Share of draws": "share_of_draws",
        },
        strict=False,
    ).with_columns(pl.col("people", "cost_gbp").round(0).cast(pl.Int64))  # fmt: skip
    joined = frame.select("code").join(
        case.worked.shapes, on="code", how="left", maintain_order="left"
    )
    shapes = polygons(joined["geometry"])
    known = np.array([s is not None for s in shapes], dtype=bool)
    if known.any():
        write_layer(path, "places", "MultiPolygon", shapes, frame, known)
    table = case.worked.allocation.areas.table[case.rows.tolist()]
    spots = shapely.points(
        *(table[c].cast(float).fill_null(np.nan) for c in ("longitude", "latitude"))
    )
    alone = ~known & ~np.isnan(shapely.get_x(spots))
    if alone.any():
        wkb = np.asarray(shapely.to_wkb(spots), dtype=object)
        write_layer(path, "place_points", "Point", wkb, frame, alone)
    sites = None if case.sited is None else case.sited.sites
    if sites is not None and len(sites):
        points = shapely.to_wkb(shapely.points(sites["longitude"], sites["latitude"]))
        fields = sites.select("id", "name", people_nearest="nearest", people_newly="newly")
        write_layer(
            path,
            "sites",
            "Point",
            np.asarray(points, dtype=object),
            fields,
            np.ones(len(sites), bool),
        )
    if path.exists():
        fix_timestamp(path)
