"""The streets that people can walk, from an OpenStreetMap file (PBF)."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.distance import Points, great_circle_m
from commonweal.access.osm_file import check_texts
from commonweal.access.streets import Streets
from commonweal.errors import DataError, SourceError
from commonweal.files.inputs import read_strict
from commonweal.sources.sandbox import explain_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from numpy.typing import NDArray

    Progress = Callable[[str, int, int], None]

__all__ = ["StreetsRead", "read_streets"]


SMALLEST_COMPONENT = 50
"""Nodes: what hangs together in fewer is left out, so that nobody is put on a path that leads nowhere."""

A_STEP = 100_000

SMALL_FILE = 16_000_000
"""Bytes: nodes of a smaller file are looked at one by one, which takes seconds and next to no memory."""


@dataclass(frozen=True, slots=True)
class StreetsRead:
    """Streets from a map, and what became of the rest.

    Attributes
    ----------
    streets
        The network.
    report
        How many highways were read and how many of them can be walked; nodes that the file lacks;
        barriers that block; nodes, streets and components before and after small components were
        left out; and the length kept and the part of it in the largest component.
    """

    streets: Streets
    report: dict[str, float]


def read_streets(
    path: str | Path,
    smallest_component: int = SMALLEST_COMPONENT,
    progress: Progress | None = None,
) -> StreetsRead:
    """Read a walking network.

    Parameters
    ----------
    path
        An OpenStreetMap PBF.
    smallest_component
        Components of fewer nodes are left out, but never the largest.
    progress
        Called as ``progress("reading ways", done, 0)``, then with the nodes.

    Returns
    -------
    StreetsRead
        Nodes are in the order of a curve that fills the plane, so that near ones are near in memory.

    Raises
    ------
    SourceError
        If the file is not there.
    DataError
        If it is not a whole PBF, or no way in it can be walked.
    """
    path = Path(path)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; expected an OpenStreetMap PBF")
    with explain_damage(path, "cannot be read as an OpenStreetMap PBF"):
        check_texts(path)
        n_read, way, sizes, one_way, refs = _ways(path, progress)
        if not len(way):
            raise DataError(
                f"{path}: none of {n_read:,} highways can be walked; expected a map with streets"
            )
        ids = np.unique(refs)
        longitude, latitude, blocked = _nodes(path, ids, progress)
    whole = _streets(np.searchsorted(ids, refs), sizes, way, one_way, longitude, latitude, blocked)
    if whole is None:
        raise DataError(
            f"{path}: the nodes of all {len(way):,} ways are missing; expected a whole map"
        )
    n_components, component = whole.components()
    size = np.bincount(component)
    kept = size >= min(smallest_component, size[0])
    streets = whole.kept(kept[component])
    in_largest = component[whole.tail] == 0
    report = {
        "highways read": n_read,
        "highways walked": len(way),
        "nodes missing": int(np.isnan(longitude).sum()),
        "barriers": int(blocked.sum()),
        "nodes found": whole.n_nodes,
        "streets found": whole.n_streets,
        "components found": n_components,
        "nodes": streets.n_nodes,
        "streets": streets.n_streets,
        "components": int(kept.sum()),
        "length found, km": float(whole.length_m.sum() / 1000),
        "length, km": float(streets.length_m.sum() / 1000),
        "share in the largest": float(whole.length_m[in_largest].sum() / whole.length_m.sum()),
    }
    return StreetsRead(streets, report)


@cache
def _rules() -> dict[str, Any]:
    found = read_strict(files("commonweal.access").joinpath("walking.yaml").read_text("utf-8"))
    found["open"] = {kind for group in found["kinds"] for kind in group["highway"]}
    found["pavement"] = {
        kind: group["sidewalk"] for group in found["with_pavement"] for kind in group["highway"]
    }
    return found


def walked(tags: Mapping[str, str]) -> str:
    """Say how people may walk a way: ``both``, ``forward``, ``backward`` or ``no``."""
    rules, kind, foot = _rules(), tags.get("highway", ""), tags.get("foot")
    if foot in rules["foot"]["closed"]:
        return "no"
    if foot not in rules["foot"]["open"]:
        if tags.get("access") in rules["access"]["closed"]:
            return "no"
        if any(tags.get(key) == value for key, value in rules["never"]["tags"].items()):
            return "no"
        if kind not in rules["open"]:
            sides = rules["pavement"].get(kind, ())
            keys = ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
            if not any(tags.get(key) in sides for key in keys):
                return "no"
    elif kind in ("construction", "proposed", ""):
        return "no"
    for way in ("forward", "backward"):
        if any(tags.get(key) in values for key, values in rules["one_way"][way].items()):
            return way
    return "both"


def barrier_closed(tags: Mapping[str, str]) -> bool:
    """Say whether a node stops walkers."""
    barrier = tags.get("barrier")
    if barrier is None:
        return False
    rules, foot = _rules(), tags.get("foot")
    if foot in rules["foot"]["closed"]:
        return True
    if foot in rules["foot"]["open"]:
        return False
    if barrier in rules["barriers"]["gates"]:
        return tags.get("access") in rules["access"]["closed"] or tags.get("locked") == "yes"
    return barrier in rules["barriers"]["closed"]


def _ways(
    path: Path, progress: Progress | None
) -> tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Give how many highways there are; of those walked id, size, one way or not, and node ids."""
    import osmium

    ways, sizes, one_way, refs = array("q"), array("q"), array("b"), array("q")
    n_read = 0
    for way in _objects(path, osmium.osm.WAY, osmium.filter.KeyFilter("highway")):
        n_read += 1
        if progress and n_read % A_STEP == 0:
            progress("reading ways", n_read, 0)
        how = walked(way.tags)
        if how == "no":
            continue
        nodes = [node.ref for node in way.nodes]
        course = [n for i, n in enumerate(nodes) if i == 0 or n != nodes[i - 1]]
        if len(course) < 2:
            continue
        ways.append(way.id)
        sizes.append(len(course))
        one_way.append(how != "both")
        refs.extend(reversed(course) if how == "backward" else course)
    found = (np.array(ways, np.int64), np.array(sizes, np.int64), np.array(one_way, np.bool_))
    return n_read, *found, np.array(refs, np.int64)


def _nodes(
    path: Path, ids: NDArray[np.int64], progress: Progress | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """(n_ids,) longitude and latitude, NaN where the file lacks the node; whether it is closed."""
    longitude, latitude = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    blocked = np.zeros(len(ids), np.bool_)
    seen, x, y, shut = array("q"), array("d"), array("d"), array("q")

    def enter() -> None:
        at = np.searchsorted(ids, np.array(seen, np.int64))
        longitude[at], latitude[at] = np.array(x), np.array(y)
        for part in (seen, x, y):
            del part[:]

    n_read = 0
    for node in _chosen_nodes(path, ids.tolist()):
        n_read += 1
        if not node.location.valid():
            continue
        seen.append(node.id)
        x.append(node.location.lon)
        y.append(node.location.lat)
        if node.tags and barrier_closed(node.tags):
            shut.append(node.id)
        if n_read % A_STEP == 0:
            enter()
            if progress:
                progress("reading nodes", n_read, len(ids))
    enter()
    blocked[np.searchsorted(ids, np.array(shut, np.int64))] = True
    return longitude, latitude, blocked


def _chosen_nodes(path: Path, ids: list[int]) -> Iterator[Any]:
    import osmium

    if path.stat().st_size > SMALL_FILE:
        yield from _objects(path, osmium.osm.NODE, osmium.filter.IdFilter(ids))
    else:
        chosen = set(ids)
        yield from (node for node in _objects(path, osmium.osm.NODE) if node.id in chosen)


def _objects(path: Path, kind: Any, *keep: Any) -> Iterator[Any]:
    import osmium

    objects = osmium.FileProcessor(osmium.io.File(str(path), "pbf"), kind)
    for one in keep:
        objects.with_filter(one)
    yield from objects


def _streets(
    at: NDArray[np.int64],
    sizes: NDArray[np.int64],
    way: NDArray[np.int64],
    one_way: NDArray[np.bool_],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    blocked: NDArray[np.bool_],
) -> Streets | None:
    """Cut ways into streets where they meet, end, are blocked or leave the map."""
    of_way = np.repeat(np.arange(len(sizes)), sizes)
    x, y = longitude[at], latitude[at]
    there = ~np.isnan(x)
    goes_on = (of_way[:-1] == of_way[1:]) & there[:-1] & there[1:]
    piece = np.zeros(len(at))
    steps = np.flatnonzero(goes_on)
    piece[steps] = great_circle_m(x[steps], y[steps], x[steps + 1], y[steps + 1])
    before, after = np.r_[False, goes_on], np.r_[goes_on, False]
    met = np.bincount(at, minlength=len(longitude)) > 1
    cut = (met | blocked)[at] | ~before | ~after
    cuts = np.flatnonzero(cut & (before | after))
    begin = cuts[after[cuts]]
    if not len(begin):
        return None
    end = cuts[np.searchsorted(cuts, begin, side="right")]
    length_m = np.add.reduceat(piece, begin)  # from an end to the next begin there is nothing
    # A blocked node becomes a dead end of each street that leads there.
    ends = np.concatenate([at[begin], at[end]])
    shut = blocked[ends]
    ends[shut] = len(longitude) + np.arange(shut.sum())
    _, first, number = np.unique(ends, return_index=True, return_inverse=True)
    both = np.concatenate([begin, end])[first]
    order = _curve_order(x[both], y[both])
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    tail, head = rank[number[: len(begin)]], rank[number[len(begin) :]]
    bend = ~cut
    return Streets(
        Points(x[both][order], y[both][order]),
        tail,
        head,
        length_m,
        ~one_way[of_way[begin]],
        way[of_way[begin]],
        np.r_[0, np.cumsum(end - begin - 1)],
        Points(x[bend], y[bend]),
    )


def _curve_order(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the order of points along a Z-shaped curve."""
    code = np.zeros(len(x), np.uint64)
    for shift, values in enumerate((x, y)):
        extent = max(float(np.ptp(values)), 1e-12)
        bits = ((values - values.min()) / extent * 0xFFFF).astype(np.uint64)
        for k in range(16):
            code |= ((bits >> np.uint64(k)) & np.uint64(1)) << np.uint64(2 * k + shift)
    return np.argsort(code, kind="stable")
