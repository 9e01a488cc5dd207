"""Where something could be built, and a problem made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import shapely

from commonweal.access import Points
from commonweal.access.distance import great_circle_m
from commonweal.access.postcodes import Postcodes
from commonweal.errors import DataError, SourceError
from commonweal.invest.siting import Goal, solve
from commonweal.invest.siting.demand import (
    CANDIDATES,
    Candidates,
    Demand,
    build_problem,
    demand_of,
    grid_candidates,
    need_of_ranks,
    outline_of,
    postcode_candidates,
    read_candidates,
    walker,
)

if TYPE_CHECKING:
    from pathlib import Path

SQUARE = shapely.box(-1.20, 54.60, -1.10, 54.66)


def some(**columns: list[object]) -> Candidates:
    n = len(next(iter(columns.values())))
    base = {
        "id": [f"c{k}" for k in range(n)], "name": ["Hall"] * n, "longitude": [-1.15] * n,
        "latitude": [54.63] * n, "cost": [1.0] * n, "capacity": [None] * n,
    }  # fmt: skip
    return Candidates(pl.DataFrame({**base, **columns}, schema=CANDIDATES), "halls")


def test_a_grid_covers_its_area_evenly() -> None:
    grid = grid_candidates(SQUARE, 500.0)
    x, y = (grid.table[c].to_numpy() for c in ("longitude", "latitude"))
    assert len(grid) == pytest.approx(6450 / 500 * 6670 / 500, rel=0.06)
    step = great_circle_m(x[0], y[0], x[1], y[1])
    assert float(step) == pytest.approx(500, rel=0.01)
    assert shapely.intersects_xy(SQUARE, x, y).all()


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (0.0, "a step of 0 m"),
        (1.0, "expected 50,000"),
        (100_000.0, "no candidate sites among a grid"),
    ],
)
def test_a_grid_that_makes_no_sense(step: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        grid_candidates(shapely.Polygon([(0, 54), (0.1, 54), (0, 54.1)]), step)


def test_postcodes_inside_an_outline() -> None:
    directory = Postcodes(
        "three",
        pl.DataFrame(
            {
                "postcode": ["TS241AA", "TS241AB", "OX495NU"],
                "easting": [452000, 452500, 465900],
                "northing": [526000, 526500, 195900],
                "ended": [None, True, None],
            }
        ),
    )
    found = postcode_candidates(directory, SQUARE.buffer(0.1))
    assert found.table["name"].to_list() == ["TS24 1AA"]
    with pytest.raises(DataError, match="no candidate sites among postcodes"):
        postcode_candidates(directory, shapely.box(0, 50, 0.1, 50.1))


def test_own_candidates_with_costs_and_capacities(tmp_path: Path) -> None:
    file = tmp_path / "halls.csv"
    file.write_text(
        'name,longitude,latitude,Cost,capacity\nOld hall,-1.15,54.63,"£120,000",300\nNew hall,-1.16,54.64,0,\n'
    )
    found = read_candidates(file)
    assert found.costed
    assert found.table["cost"].to_list() == [120_000.0, 0.0]
    assert found.table["capacity"].to_list() == [300.0, None]
    assert found.table["name"].to_list() == ["Old hall", "New hall"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("longitude,latitude,cost\n-1.1,54.6,-5\n", "row 1: cost is '-5'"),
        ("longitude,latitude,cost\n-1.1,54.6,5\n-1.1,54.6,\n", "row 2: no cost"),
        ("longitude,latitude,cost\n-1.1,54.6,nan\n", "row 1: cost is 'nan'"),
        ("longitude,latitude,capacity\n-1.1,54.6,many\n", "row 1: capacity is 'many'"),
        ("longitude,latitude\n-1.1,54.6\n,\n", "1 of 2 rows have no position, the first is row 2"),
        ("name\nHall\n", "no column says where"),
        ("longitude,latitude\n", "no row below the header"),
    ],
)
def test_own_candidates_that_make_no_sense(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "halls.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_candidates(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv"):
        read_candidates(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": []}, "no candidate sites among halls"),
        ({"cost": [-1.0]}, "c0 has cost -1"),
        ({"cost": [None]}, "1 candidates have no cost, such as c0"),
        ({"capacity": [-1.0]}, "c0 has capacity -1"),
        ({"latitude": [None]}, "latitude nan"),
    ],
)
def test_candidates_are_checked(columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        some(**columns)


def test_only_what_lies_in_or_near_an_outline_is_kept() -> None:
    three = some(longitude=[-1.15, -1.09, -1.0])
    assert three.inside(SQUARE).table["id"].to_list() == ["c0"]
    assert three.inside(SQUARE, 1_000.0).table["id"].to_list() == ["c0", "c1"]  # 640 m beyond


def test_without_boundaries_the_outline_is_around_the_points() -> None:
    at = Points(np.array([-1.15]), np.array([54.63]))
    outline = outline_of(np.array([None], dtype=object), at, 1_000.0)
    west, south, east, north = shapely.bounds(outline)
    assert float(great_circle_m(west, 54.63, east, 54.63)) == pytest.approx(2_000, rel=0.01)
    assert float(great_circle_m(-1.15, south, -1.15, north)) == pytest.approx(2_000, rel=0.01)


def test_need_of_ranks_keeps_its_order_and_its_mean() -> None:
    need = need_of_ranks([3.0, 1.0, np.nan, 2.0])
    assert np.isnan(need[2])
    assert np.nanmean(need) == 1.0
    assert need[1] > need[3] > need[0] > 0


def test_a_problem_on_the_ground() -> None:
    """Four villages along a parallel, 1 km apart; a hall in the first; where does the second go?"""
    km = 1_000 / (np.cos(np.radians(54.63)) * 111_195)
    x = -1.2 + km * np.arange(4)
    demand = Demand(
        list("ABCD"), list("ABCD"), Points(x, np.full(4, 54.63)),
        np.array([100.0, 100.0, 100.0, 100.0]), np.ones(4),
    )  # fmt: skip
    halls = some(longitude=x.tolist(), latitude=[54.63] * 4)
    first = Points(x[:1], np.array([54.63]))
    problem = build_problem(demand, halls, first, walker(detour=1.0), 1_500.0)
    assert problem.n_sites == 5
    assert problem.existing.tolist() == [False] * 4 + [True]
    found = solve(problem, Goal("maximal_covering", 1))
    assert found.objective_before == 200
    assert found.objective == 400
    assert found.chosen.tolist() in ([2], [3])
    far = Points(np.array([5.0]), np.array([54.63]))  # a hall abroad counts for nothing
    assert build_problem(demand, halls, far, walker(), 1_500.0).n_sites == 4


def test_areas_without_people_or_a_point_are_named() -> None:
    from commonweal.areas import Areas

    table = pl.DataFrame(
        {
            "code": ["A", "B", "C"], "name": ["Ash", None, "Cedar"], "population": [10.0, 20.0, None],
            "longitude": [-1.1, -1.2, None], "latitude": [54.6, 54.6, None],
        }
    )  # fmt: skip
    areas = Areas("three", "Three", "place", "places", table)
    assert demand_of(areas).codes == ["A", "B"]
    assert demand_of(areas).names == ["Ash", "B"]
    with pytest.raises(
        DataError, match="no point is given for 1 of the 1 areas of three, such as C"
    ):
        demand_of(areas, rows=np.array([2]))
    with pytest.raises(
        DataError, match="no need is given for 1 of the 2 areas of three, such as B"
    ):
        demand_of(areas, need=[1.0, np.nan, 1.0])
