"""Areas built up from small ones: contiguous, of the right size, apart from each other."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from tests.invest.allocation.places import areas_of, rule_of, scores_of

from commonweal.errors import DataError
from commonweal.invest.allocation.regions import adjacency, bordering, build_regions, build_up


def grid(n: int) -> list[shapely.Polygon]:
    """Give n x n squares, row by row from the south-west."""
    return [shapely.box(x, y, x + 1, y + 1) for y in range(n) for x in range(n)]


def wkb(shapes: list[shapely.Polygon | None]) -> pl.Series:
    return pl.Series([None if s is None else s.wkb for s in shapes], dtype=pl.Binary)


class TestNeighbours:
    def test_squares_that_share_a_side_border_and_those_that_share_a_corner_do_not(self) -> None:
        found = adjacency(wkb(grid(3))).toarray()
        assert np.flatnonzero(found[4]).tolist() == [1, 3, 5, 7]
        assert np.flatnonzero(found[0]).tolist() == [1, 3]
        assert (found == found.T).all()

    def test_one_without_an_outline_or_across_the_water_has_none(self) -> None:
        shapes = [*grid(2), None, shapely.box(9, 9, 10, 10)]
        found = adjacency(wkb(shapes)).toarray()
        assert found[4].sum() == found[5].sum() == 0
        with pytest.raises(DataError, match="no area has an outline"):
            adjacency(wkb([None]))


def row(n: int) -> object:
    return bordering([(i, i + 1) for i in range(n - 1)], n)


def built(need: list[float], people: list[float], least: float, most: float, **more: object):  # type: ignore[no-untyped-def]
    return build_regions(np.array(need), np.array(people), row(len(need)), least, most, **more)


class TestByHand:
    # A row of six with ten people each.
    def test_the_neediest_begins_and_takes_in_its_neediest_neighbours(self) -> None:
        found = built([1, 5, 9, 6, 2, 3], [10] * 6, 30, 30)
        assert found.region.tolist() == [-1, 0, 0, 0, -1, -1]  # 9, then 6, then 5
        assert found.seed.tolist() == [2]
        assert set(found.why_not[[0, 4, 5]]) == {"neighbours do not fill the window"}

    def test_what_is_left_joins_a_neighbour_with_room(self) -> None:
        assert built([1, 5, 9, 6, 2, 3], [10] * 6, 30, 40).region.tolist() == [-1, 0, 0, 0, 0, -1]
        assert built([1, 5, 9, 6, 2, 3], [10] * 6, 20, 30).region.tolist() == [1, 1, 0, 0, 2, 2]

    def test_one_that_does_not_fit_is_passed_by(self) -> None:
        found = built([4, 9, 8], [10, 10, 25], 20, 30)
        assert found.region.tolist() == [0, 0, 1]  # 8 has too many people to join, and enough alone

    def test_borders_of_a_larger_area_are_not_crossed(self) -> None:
        within = np.array([0, 0, 0, 1, 1, 1])
        found = built([1, 5, 9, 6, 2, 3], [10] * 6, 20, 20, within=within)
        assert found.region.tolist() == [-1, 0, 0, 1, 1, -1]

    def test_who_can_be_in_none_is_told_why(self) -> None:
        need, people = [9.0, np.nan, 8, 7, 6], [99.0, 10, np.nan, 10, 10]
        borders = bordering([(0, 1), (1, 2), (2, 3)], 5)
        found = build_regions(np.array(need), np.array(people), borders, 15, 50)
        assert found.why_not.tolist() == [
            "more people than the window",
            "no score",
            "population unknown",
            "neighbours do not fill the window",
            "island",
        ]

    def test_an_empty_window_or_arrays_that_do_not_match_are_refused(self) -> None:
        with pytest.raises(DataError, match="window of 30 to 20"):
            built([1.0], [1.0], 30, 20)
        with pytest.raises(DataError, match="2 values of need, 1 of people"):
            build_regions(np.ones(2), np.ones(1), row(2), 1, 2)  # type: ignore[arg-type]


@st.composite
def maps(draw: st.DrawFn) -> tuple[int, list[int], list[int], int, int]:
    n = draw(st.integers(1, 6))
    need = draw(st.lists(st.integers(0, 9), min_size=n * n, max_size=n * n))
    people = draw(st.lists(st.integers(1, 9), min_size=n * n, max_size=n * n))
    least = draw(st.integers(1, 20))
    return n, need, people, least, least + draw(st.integers(0, 20))


@given(maps())
def test_regions_are_contiguous_of_the_right_size_and_whole(
    of: tuple[int, list[int], list[int], int, int],
) -> None:
    from scipy.sparse.csgraph import connected_components

    n, need, people, least, most = of
    at = {(x, y): y * n + x for y in range(n) for x in range(n)}
    pairs = [
        (i, at[x + dx, y + dy])
        for (x, y), i in at.items()
        for dx, dy in ((1, 0), (0, 1))
        if (x + dx, y + dy) in at
    ]
    borders = bordering(pairs, n * n)
    found = build_regions(np.array(need, float), np.array(people, float), borders, least, most)
    for r in range(len(found.seed)):
        members = found.members(r)
        assert found.seed[r] in members
        assert least <= sum(people[i] for i in members) <= most
        assert connected_components(borders[members][:, members])[0] == 1
    outside = found.region < 0
    assert [bool(w) for w in found.why_not] == outside.tolist()
    # Nobody is left who could have stood alone, or joined a neighbour.
    for i in np.flatnonzero(outside):
        assert not least <= people[i] <= most
        for j in np.flatnonzero(borders[[int(i)]].toarray()[0]):
            if not outside[j]:
                total = sum(people[k] for k in found.members(int(found.region[j])))
                assert total + people[i] > most


def test_a_programme_builds_its_areas_with_the_means_of_their_people() -> None:
    areas = areas_of([f"P{i}" for i in range(9)], [10, 30, 10, 10, 10, 10, 10, 10, 10], town=["N"] * 9)  # fmt: skip
    scores = scores_of(areas, a=[9, 8, 1, 1, 1, 1, 1, 1, 1])
    shapes = pl.DataFrame({"code": areas.codes, "geometry": wkb(list(grid(3)))})
    rule = rule_of(build={"min": 40, "max": 60, "official": True})
    found = build_up(rule, scores, areas, shapes)
    first = found.areas.position["P0"]
    assert found.areas.table["name"][first] == "P0 and around"
    assert found.areas.population[first] == 40  # with P1; all that border on them are in the other
    assert found.areas.table["town"][first] == "N"
    assert found.left()["code"].to_list() == ["P8"]
    total = found.areas.population.sum() + found.left()["population"].sum()
    assert total == areas.population.sum()
    mean = (9 * 10 + 8 * 30) / 40
    assert found.scores["a"].score[first] == pytest.approx(mean)
    for code, geometry in found.shapes.iter_rows():
        assert shapely.from_wkb(geometry).geom_type == "Polygon", code


def test_a_programme_that_can_build_nothing_says_so() -> None:
    areas = areas_of("AB", [1, 1])
    shapes = pl.DataFrame({"code": ["A", "B"], "geometry": wkb(list(grid(2)[:2]))})
    rule = rule_of(build={"min": 40, "max": 60, "official": True})
    with pytest.raises(DataError, match="none of the 2 places can be built up to 40 to 60 people"):
        build_up(rule, scores_of(areas, a=[1, 2]), areas, shapes)


@pytest.mark.slow
def test_ours_and_those_of_spopt_are_contiguous_by_the_same_test() -> None:
    """A peer for contiguity alone: MaxP has no upper bound of people and no order of need."""
    import warnings

    n = 6
    shapes = grid(n)
    rng = np.random.default_rng(7)
    need, people = rng.random(n * n), rng.integers(5, 15, n * n).astype(float)
    ours = build_regions(need, people, adjacency(wkb(list(shapes))), 40, 80)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what spopt's own dependencies complain of
        import geopandas
        import networkx
        from libpysal.weights import Rook
        from spopt.region import MaxPHeuristic
        from spopt.region.base import w_to_g

        frame = geopandas.GeoDataFrame({"need": need, "people": people}, geometry=shapes)
        w = Rook.from_dataframe(frame, use_index=False)
        np.random.seed(7)  # noqa: NPY002  # spopt draws from the global state
        peer = MaxPHeuristic(frame, w, ["need"], "people", 40, 2, 20, 2)
        peer.solve()
        graph = w_to_g(w)
    assert len(ours.seed) > 3
    for labels in (ours.region, np.array(peer.labels_)):
        for label in set(labels[labels >= 0].tolist()):
            members = np.flatnonzero(labels == label)
            assert people[members].sum() >= 40
            assert networkx.is_connected(graph.subgraph(members.tolist()))
