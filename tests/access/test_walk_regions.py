"""Regions of a country, one after the other or on a cluster: the same to the bit."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import distributed
import numpy as np
import osmium
import pytest
from osmium.osm.mutable import Node, Way

from commonweal.access import Points
from commonweal.access.streets import Streets
from commonweal.access.walks import Region, street_reach, walk_regions
from commonweal.errors import DataError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commonweal.access import Reach

SIDE, LIMIT_M = 12, 600.0


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers that are threads of this process; free ports, no dashboard."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,  # an error in a task comes here as one, below
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def corners(west: float) -> np.ndarray[Any, Any]:
    """(n, 2) corners of a town of square blocks, about 100 m a side."""
    return np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).reshape(-1, 2) * 0.001 + [
        west, 0
    ]  # fmt: skip


def sides() -> list[tuple[int, int]]:
    node = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    along = zip(node[:, :-1].ravel().tolist(), node[:, 1:].ravel().tolist(), strict=True)
    up = zip(node[:-1].ravel().tolist(), node[1:].ravel().tolist(), strict=True)
    return [*along, *up]


def region(number: int, streets: Streets | Path | str | None = None) -> Region:
    """A town, with more homes than halls in every other one."""
    west = 0.1 * number
    x, y = corners(west).T.copy()
    tail, head = np.array(sides()).T
    rng = np.random.default_rng(number)
    homes, halls = (
        Points(west + rng.uniform(0, 0.011, n), rng.uniform(0, 0.011, n))
        for n in ((70, 30) if number % 2 else (30, 70))
    )
    return Region(streets or Streets.from_edges(Points(x, y), tail, head), homes, halls)


def parts(found: list[Reach]) -> list[bytes]:
    return [a.tobytes() for reach in found for a in (reach.starts, reach.place, reach.distance_m)]


def kept_by(client: Any) -> int:
    """Tasks and data that the cluster still holds after up to ten seconds."""
    for _ in range(100):
        held = len(client.futures) + sum(map(len, client.has_what().values()))
        if not held:
            return 0
        time.sleep(0.1)
    return held


def test_a_cluster_gives_the_same_to_the_bit(client: Any) -> None:
    regions = [region(number) for number in range(11)]
    told: list[tuple[str, int, int]] = []
    there = walk_regions(regions, LIMIT_M, client=client, progress=lambda *step: told.append(step))
    here = walk_regions(regions, LIMIT_M)
    assert parts(there) == parts(here)
    assert told == [("regions", i, 11) for i in range(1, 12)]
    assert kept_by(client) == 0
    alone = [street_reach(r.streets, r.origins, r.places, LIMIT_M) for r in regions]  # type: ignore[arg-type]
    assert parts(here) == parts(alone)
    assert min(len(reach.place) for reach in here) > 100


def test_a_region_may_be_a_file(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(file)) as writer:
        for i, at in enumerate(corners(0)):
            writer.add_node(Node(id=i + 1, location=tuple(at)))
        for i, ends in enumerate(sides()):
            nodes = [end + 1 for end in ends]
            writer.add_way(Way(id=i + 1, nodes=nodes, tags={"highway": "residential"}))
    of_file = [region(0, file), region(1), region(0, str(file))]
    there, here = walk_regions(of_file, LIMIT_M, client=client), walk_regions(of_file, LIMIT_M)
    assert parts(there) == parts(here)
    assert parts(here[:1]) == parts(here[2:])
    given = street_reach(region(0).streets, of_file[0].origins, of_file[0].places, LIMIT_M)  # type: ignore[arg-type]
    # A file numbers and cuts streets in its own way; who reaches what is the same.
    assert here[0].place.tolist() == given.place.tolist()
    np.testing.assert_allclose(here[0].distance_m, given.distance_m, atol=0.05)


def test_an_error_in_a_region_is_the_error_that_is_raised_here(client: Any, tmp_path: Path) -> None:
    lost = tmp_path / "none.osm.pbf"
    far = Points(np.array([80.0]), np.array([80.0]))
    for bad, kind, said in (
        (region(1, lost), SourceError, "none.osm.pbf: no such file"),
        (Region(region(1).streets, far, far), DataError, "none of 1 places is within 500 m"),
    ):
        for on in (None, client):
            with pytest.raises(kind, match=said):
                walk_regions([region(0), bad, region(2)], LIMIT_M, client=on)
    assert kept_by(client) == 0


def test_an_interrupted_run_leaves_the_cluster_nothing_to_do(client: Any) -> None:
    def stop(what: str, done: int, of: int) -> None:
        raise KeyboardInterrupt

    regions = [region(number) for number in range(8)]
    with pytest.raises(KeyboardInterrupt):
        walk_regions(regions, LIMIT_M, client=client, progress=stop)
    assert kept_by(client) == 0


def test_no_region_is_no_work(client: Any) -> None:
    assert walk_regions([], LIMIT_M) == walk_regions([], LIMIT_M, client=client) == []
