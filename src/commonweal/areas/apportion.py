"""Apportionment: small areas split along the borders of larger ones, so that their people add up."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.areas import Areas, boundaries, link_table
from commonweal.areas.catalogue import Link, Systems, load_systems
from commonweal.errors import DataError, UnknownNameError
from commonweal.sources.cache import cached_table
from commonweal.sources.geometry import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.sources import Store


__all__ = ["apportion"]


def area_shares(
    origin: pl.DataFrame, destination: pl.DataFrame, crs: str | None = "EPSG:27700"
) -> pl.DataFrame:
    """Measure how much of each area lies in each area of another set: ``share`` of the origin's area, above 0.

    Several rows of one code are parts of one area. Shares add up to less than 1 where the destinations leave a gap.
    The plane is by default the British National Grid, whose scale varies by less than 0.1% over England and hardly
    within a neighbourhood; None takes the coordinates as they are.
    """
    import shapely

    codes, shapes = _shapes(origin, crs)
    other_codes, other_shapes = _shapes(destination, crs)
    here, there = shapely.STRtree(other_shapes).query(shapes, predicate="intersects")
    size = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes[here], other_shapes[there]))
    pairs = pl.DataFrame(
        {
            "origin": codes.gather(here),
            "destination": other_codes.gather(there),
            "share": inside / np.where(size[here] > 0, size[here], 1.0),
        }
    )
    return pairs.filter(pl.col("share") > 0).sort("origin", "destination")


def _shapes(table: pl.DataFrame, crs: str | None) -> tuple[pl.Series, NDArray[np.object_]]:
    """Read WKB as one shape a code, on the plane."""
    import shapely
    from pyproj import Transformer

    # Pieces in one order, so that their union is the same to the last bit on any machine.
    table = table.drop_nulls("geometry").sort("code", "geometry")
    shapes = np.asarray(shapely.from_wkb(table["geometry"].to_numpy()), dtype=object)
    if crs is not None:
        project = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
        shapes = shapely.transform(shapes, lambda xy: np.column_stack(project(xy[:, 0], xy[:, 1])))
    codes = table["code"]
    if codes.n_unique() == len(codes):
        return codes, shapes
    first = np.flatnonzero((codes != codes.shift()).fill_null(True).to_numpy())
    ends = [*first[1:], len(shapes)]
    whole = [shapely.union_all(shapes[a:b]) for a, b in zip(first, ends, strict=True)]
    return codes.gather(first), np.array(whole, dtype=object)


def rake(
    pairs: pl.DataFrame,
    origin_totals: pl.DataFrame,
    destination_totals: pl.DataFrame,
    tolerance: float = 0.01,
    rounds: int = 1000,
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Rake shares until the people in each destination add up (iterative proportional fitting).

    Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table, Annals of Mathematical
    Statistics 11(4), 427-444. A share of 0 stays 0, and those of an origin add up to 1, always. Destinations without a
    total float. Totals that contradict each other leave a difference (in people), which the report shows.
    """
    joined = pairs.join(
        origin_totals.select(origin="code", people="population"),
        on="origin", how="left", maintain_order="left",
    )  # fmt: skip
    _check(joined, "origin", joined["people"], "population")
    _check(joined, "origin", joined["share"], "share")
    _check(destination_totals, "code", destination_totals["population"], "total")
    share = joined["share"].to_numpy(writable=True)
    people = joined["people"].to_numpy()
    origins, row = np.unique(joined["origin"].to_numpy(), return_inverse=True)
    destinations, column = np.unique(joined["destination"].to_numpy(), return_inverse=True)
    known = dict(destination_totals.select("code", "population").iter_rows())
    total = np.array([known.get(code, np.nan) for code in destinations])
    fixed = np.isfinite(total)
    unreached = sorted({code for code, n in known.items() if n > 0} - set(destinations))
    possible = np.bincount(column, weights=share * people, minlength=len(total)) > 0
    unreached += list(destinations[fixed & (total > 0) & ~possible])
    if unreached:
        raise DataError(f"area {unreached[0]} has {known[unreached[0]]:g} people and no part")
    done, off = 0, np.zeros(0)
    for done in range(rounds + 1):
        sums = np.bincount(row, weights=share, minlength=len(origins))
        if not (sums > 0).all():
            raise DataError(f"area {origins[sums <= 0][0]} has no part that it may go to")
        share = share / sums[row]
        here = np.bincount(column, weights=share * people, minlength=len(total))
        off = np.abs(here - total)[fixed]
        if done == rounds or off.max(initial=0.0) <= tolerance:
            break
        share = share * np.where(fixed & (here > 0), total / np.where(here > 0, here, 1), 1)[column]
    report = {"rounds": done, "largest": float(off.max(initial=0.0)), "median": 0.0}
    if len(off):
        report["median"] = float(np.median(off))
    return pairs.with_columns(share=pl.Series(share)), report


def _check(table: pl.DataFrame, code: str, values: pl.Series, what: str) -> None:
    bad = table.filter(values.is_null() | ~values.is_finite() | (values < 0))
    if len(bad):
        value = values.filter(values.is_null() | ~values.is_finite() | (values < 0))[0]
        raise DataError(f"area {bad[code][0]} has {what} {value}; expected 0 or more")


VERSION = 2  # of the rule: raise it when the result changes, and kept results are made anew


def nested(best_fit: pl.DataFrame, origin: Areas, destination: Areas) -> set[str]:
    """Find the destinations that are exactly the origins that a best fit gives them.

    Official populations of larger areas are built from the smallest output areas. Where those of the best-fit origins
    add up to the very person, no border is crossed. If the populations are of different dates there are none, nearly
    surely.
    """
    people = origin.table.select(origin="code", inside="population")
    published = destination.table.select(destination="code", published="population")
    sums = (
        best_fit.join(people, on="origin")
        .group_by("destination")
        .agg(pl.col("inside").sum(), unknown=pl.col("inside").is_null().any())
        .join(published, on="destination")
    )
    same = sums.filter(~pl.col("unknown") & ((pl.col("inside") - pl.col("published")).abs() < 0.5))
    return set(same["destination"])


def apportion(
    store: Store, origin: Areas, destination: Areas, systems: Systems | None = None
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Share out the people of small areas among the larger ones that they straddle.

    Origins of a nested destination (see `nested`) stay whole. The others are split by area over
    the destinations that are not nested; what those leave uncovered goes to the best fit if that
    has no polygon. The parts are then raked to both sets of populations.

    Parameters
    ----------
    store
        Where source files come from. The result is kept in its cache.
    origin, destination
        Areas with published populations of the same date, linked by a best fit.
    systems
        The area systems; those that ship if not given.

    Returns
    -------
    pairs : polars.DataFrame
        ``origin``, ``destination``, ``share`` (of the origin's people; they add up to 1 for each
        origin), for `areas.move_from_pairs`. A move of areas with populations of another date
        carries the parts to that date.
    report : dict
        What was done to how many areas and people, and what difference raking left.

    Raises
    ------
    UnknownNameError
        If no best fit links the two systems.
    DataError
        If no origin lies in a destination, or one that does has no population.
    """
    known = systems or load_systems()
    link = known.link(origin.system, destination.system)
    if link is None or link.kind not in ("nests", "best-fit"):
        linked = [x.destination for x in known.links if x.origin == origin.system]
        raise UnknownNameError(f"best fit of {origin.system} to", destination.system, linked)
    key = _key(store, origin, destination, link, known)
    kept = store.cache / "converted" / f"parts-{key}.parquet"
    return cached_table(kept, lambda: _split(store, link, origin, destination, known))


def _split(
    store: Store, link: Link, origin: Areas, destination: Areas, known: Systems
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Do what `apportion` says."""
    best_fit = link_table(store, link, known).select("origin", "destination")
    best_fit = best_fit.filter(
        pl.col("origin").is_in(origin.codes) & pl.col("destination").is_in(destination.codes)
    ).sort("origin", "destination")
    if best_fit.is_empty():
        raise DataError(f"no {origin.singular} has its best fit in one of the {destination.plural}")
    intact = nested(best_fit, origin, destination)
    stays = pl.col("destination").is_in(list(intact))
    whole, free = best_fit.filter(stays), best_fit.filter(~stays)
    others = [code for code in destination.codes if code not in intact]
    shapes = _polygons(store, destination.system, others, known)
    drawn = shapes.drop_nulls("geometry")["code"].to_list()
    covered = area_shares(_polygons(store, origin.system, free["origin"].to_list(), known), shapes)
    seed = _with_gaps(covered, free, drawn)
    # One with a polygon but no part, as its origins are not among those given, cannot be raked.
    reached = destination.table.filter(
        pl.col("code").is_in(drawn) & pl.col("code").is_in(seed["destination"].to_list())
    )
    raked, left = rake(seed, origin.table, reached.drop_nulls("population"))
    pairs = pl.concat([whole.with_columns(share=1.0), raked]).filter(pl.col("share") > 0)
    pairs = pairs.sort("origin", "destination")
    people = origin.table.select(origin="code", people="population")
    away = pairs.join(best_fit, on=["origin", "destination"], how="anti").join(people, on="origin")
    moved = (away["people"] * away["share"]).sort().to_numpy().sum()
    parts = pairs.group_by("origin").len()["len"]
    report = {
        "destinations nested": len(intact),
        "destinations raked": len(reached),
        "destinations without polygon": len(others) - len(drawn),
        "destinations that got nothing": len(destination) - pairs["destination"].n_unique(),
        "origins kept whole": int((parts == 1).sum()),
        "origins split": int((parts > 1).sum()),
        "people moved": float(moved),
        "rounds of raking": left["rounds"],
        "largest difference, people": left["largest"],
        "median difference, people": left["median"],
    }
    return pairs, report


def _with_gaps(covered: pl.DataFrame, best_fit: pl.DataFrame, drawn: list[str]) -> pl.DataFrame:
    """Give what no polygon covers to the best fit, if it has none or there is nothing else."""
    sums = covered.group_by("origin").agg(covered=pl.col("share").sum())
    gaps = best_fit.join(sums, on="origin", how="left").select(
        "origin", "destination", share=1 - pl.col("covered").fill_null(0.0), alone="covered"
    )
    gaps = gaps.filter(
        (pl.col("share") > 0) & (pl.col("alone").is_null() | ~pl.col("destination").is_in(drawn))
    )
    return pl.concat([covered, gaps.drop("alone")]).sort("origin", "destination")


def _outlines(system: str, known: Systems) -> tuple[str, Link | None]:
    """Say which system draws an area: its own, or that of the vintage that it became."""
    if known.system(system).boundaries:
        return system, None
    for link in known.links:
        later = link.origin == system and link.kind == "vintage"
        if later and known.system(link.destination).boundaries:
            return link.destination, link
    raise DataError(f"no boundaries of {system}, nor of a later vintage of it")


def _polygons(store: Store, system: str, codes: list[str], known: Systems) -> pl.DataFrame:
    """Read ``code`` and ``geometry``; an area that was split since has a row for each piece.

    One that was merged since has the polygon of the merged area.
    """
    drawn_as, link = _outlines(system, known)
    if not codes:
        return pl.DataFrame(schema={"code": pl.String, "geometry": pl.Binary})
    if link is None:
        return boundaries(store, system, codes, known)
    pieces = link_table(store, link, known).filter(pl.col("origin").is_in(codes))
    shapes = boundaries(store, drawn_as, pieces["destination"].unique().to_list(), known)
    return pieces.join(shapes, left_on="destination", right_on="code").select(
        "geometry", code="origin"
    )


def _key(store: Store, origin: Areas, destination: Areas, link: Link, known: Systems) -> str:
    """Name a result by all that it is made of: the rule, the areas, the bytes of the sources."""
    drawn_as, vintage = _outlines(origin.system, known)
    columns = [*known.system(drawn_as).boundaries, *known.system(destination.system).boundaries]
    links = [link, vintage] if vintage else [link]
    sources = {x.source for x in links if x.source} | {x.source for x in columns}
    beside: dict[str, str] = {}
    for source in sorted(sources):  # in the same order in each run: so they are listed
        beside |= parts_of(store.path(source))
    made_of = {
        "version": VERSION,
        "how": [x.model_dump() for x in (*links, *columns)],
        "sources": sorted((x["id"], x["sha256"]) for x in store.used if x["id"] in sources),
        "areas": [x.table.select("code", "population").write_csv() for x in (origin, destination)],
        **({"beside": beside} if beside else {}),
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]
