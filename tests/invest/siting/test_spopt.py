"""The same optimum as spopt, on the instances that spopt ships with its own tests."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commonweal.invest.siting import Goal, problem_from_matrix, solve


@cache
def spopt() -> Any:
    """Import it where a test needs it: that takes seconds, and every worker reads this file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("spopt.locate")
        import spopt
    return spopt


@cache
def san_francisco() -> tuple[np.ndarray, np.ndarray]:
    """Distances in metres from 205 census tracts to 16 stores, and who lives in the tracts."""
    data = Path(spopt().__file__).parent / "tests" / "test_locate" / "data"
    pairs = pl.read_csv(
        data / "SF_network_distance_candidateStore_16_censusTract_205_new.csv",
        schema_overrides={"DestinationName": pl.String},
    )
    wide = pairs.pivot("name", index="DestinationName", values="distance").sort("DestinationName")
    people = pairs.unique("DestinationName").sort("DestinationName")["demand"].to_numpy()
    return wide.drop("DestinationName").to_numpy(), people.astype(float)


def solved(model: str, *given: Any, **more: Any) -> Any:
    """Build and solve one of spopt's models; what it warns of is its own affair."""
    locate = spopt().locate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pulp

        built = getattr(locate, model).from_cost_matrix(*given, **more)
        return built.solve(pulp.PULP_CBC_CMD(msg=False), results=False)


@pytest.mark.slow
@pytest.mark.parametrize("p", [1, 2, 4, 7, 16])
def test_p_median(p: int) -> None:
    metres, people = san_francisco()
    theirs = solved("PMedian", metres, people, p).problem.objective.value()
    ours = solve(problem_from_matrix(metres, people), Goal("p_median", p))
    assert ours.proven
    assert ours.objective == pytest.approx(theirs, rel=1e-6)
    if p == 4:  # the mean distance that spopt's own tests state
        assert ours.objective / people.sum() == pytest.approx(2982.1268579890657)


@pytest.mark.parametrize(("p", "within"), [(1, 5000), (4, 5000), (4, 2000), (8, 3000)])
def test_maximal_covering(p: int, within: float) -> None:
    metres, people = san_francisco()
    theirs = solved("MCLP", metres, people, within, p)
    ours = solve(problem_from_matrix(metres, people), Goal("maximal_covering", p, within=within))
    assert ours.proven
    assert ours.objective == pytest.approx(theirs.problem.objective.value())
    if (p, within) == (4, 5000):  # the uncovered tracts that spopt's own tests state
        assert int((ours.served == 0).sum()) == 21


@pytest.mark.parametrize("within", [5500, 8000, 12000])
def test_set_covering(within: float) -> None:
    metres, people = san_francisco()
    reached = metres.min(axis=1) <= within  # spopt knows no answer where someone is out of reach
    metres, people = metres[reached], people[reached]
    theirs = solved("LSCP", metres, within).problem.objective.value()
    ours = solve(problem_from_matrix(metres, people), Goal("set_covering", within=within))
    assert ours.proven
    assert ours.objective == theirs


@pytest.mark.slow
@pytest.mark.parametrize("p", [1, 4, 6])
def test_p_center(p: int) -> None:
    metres, people = san_francisco()
    theirs = solved("PCenter", metres, p).problem.objective.value()
    ours = solve(problem_from_matrix(metres, np.maximum(people, 1)), Goal("p_center", p))
    assert ours.proven
    assert ours.objective == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("existing", [[0], [3, 11]])
def test_existing_places_are_their_predefined_ones(existing: list[int]) -> None:
    metres, people = san_francisco()
    there = np.isin(np.arange(16), existing)
    theirs = solved(
        "PMedian", metres, people, 3 + len(existing), predefined_facilities_arr=np.array(existing)
    ).problem.objective.value()
    ours = solve(problem_from_matrix(metres, people, existing=there), Goal("p_median", 3))
    assert ours.objective == pytest.approx(theirs, rel=1e-6)


@pytest.mark.slow
def test_capacities() -> None:
    metres, people = san_francisco()
    rng = np.random.default_rng(4)
    capacity = people.sum() * rng.uniform(0.15, 0.45, 16)
    theirs = solved(
        "PMedian", metres, people, 5, facility_capacities=capacity
    ).problem.objective.value()
    problem = problem_from_matrix(metres, people, capacity=capacity)
    ours = solve(problem, Goal("p_median", 5, divide=False))
    assert ours.proven
    assert ours.objective == pytest.approx(theirs, rel=1e-6)
    assert solve(problem, Goal("p_median", 5)).objective < ours.objective
    fewest = solved(
        "LSCP", metres, 15000, demand_quantity_arr=people, facility_capacity_arr=capacity
    ).problem.objective.value()
    assert solve(problem, Goal("set_covering", within=15000)).objective == fewest
