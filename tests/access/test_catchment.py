"""Catchments: against PySAL's on the same costs, by hand, and by what they must keep."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from access import Access, weights
from commonweal.access import (
    Decay,
    Exponential,
    Gaussian,
    Power,
    Reach,
    Steps,
    catchment,
    catchment_by_choice,
    decayed_count,
)
from commonweal.errors import DataError


def reach_of(costs: NDArray[np.float64], limit: float) -> Reach:
    """Give what is within a limit, from (n_origins, n_places) costs."""
    parts = [[int(p) for p in np.argsort(row, kind="stable") if row[p] <= limit] for row in costs]
    return Reach(
        n_origins=len(costs),
        n_places=costs.shape[1],
        starts=np.concatenate([[0], np.cumsum([len(p) for p in parts])]),
        place=np.array([p for part in parts for p in part], np.int32),
        distance_m=np.array(
            [costs[o, p] for o, part in enumerate(parts) for p in part], np.float64
        ),
        limit_m=limit,
        how="as given",
    )


def peer(
    costs: NDArray[np.float64], people: NDArray[Any], supply: NDArray[Any], limit: float
) -> Any:
    """Give PySAL's model; costs beyond the limit are left out, as its third step looks at them too."""
    origin, place = np.nonzero(costs <= limit)
    return Access(
        demand_df=pd.DataFrame({"id": np.arange(len(people)), "people": people}),
        demand_index="id",
        demand_value="people",
        supply_df=pd.DataFrame({"id": np.arange(len(supply)), "supply": supply}),
        supply_index="id",
        supply_value="supply",
        cost_df=pd.DataFrame({"origin": origin, "dest": place, "cost": costs[origin, place]}),
        cost_origin="origin",
        cost_dest="dest",
        cost_name="cost",
    )


def told(model: Any, method: str, n: int, **settings: Any) -> NDArray[np.float64]:
    """Run one of its methods; an origin that it leaves out has nothing within reach."""
    frame = getattr(model, method)(name="it", **settings)
    return frame["it_supply"].reindex(range(n)).fillna(0).to_numpy(np.float64)


def scenario(name: str) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[Any], float]:
    """Give costs, people, supply and the limit."""
    if name in HOSPITALS:
        return np.array(HOSPITALS[name], np.float64), *HOSPITAL_TOWNS, 61.0
    if name == "grid":  # five by five, everything 1
        x, y = np.divmod(np.arange(25), 5)
        return np.hypot(x[:, None] - x, y[:, None] - y), np.ones(25), np.ones(25), 2.5
    rng = np.random.default_rng(7)
    where, homes = rng.uniform(0, 3000, (60, 2)), rng.uniform(0, 3000, (200, 2))
    costs = np.linalg.norm(homes[:, None] - where, axis=2)
    return costs, rng.integers(1, 3000, 200), rng.integers(0, 40, 60), 600.0


# The hospital example of its own tests: three towns, travel alike both ways, or faster one way or both.
HOSPITAL_TOWNS = np.array([100, 50, 10]), np.array([15, 20, 100])
HOSPITALS = {
    "gridlock": [[1, 80, 40], [80, 1, 40], [40, 40, 1]],
    "faster in": [[1, 80, 20], [80, 1, 20], [40, 40, 1]],
    "faster out": [[1, 80, 40], [80, 1, 40], [20, 20, 1]],
    "faster": [[1, 40, 20], [40, 1, 20], [20, 20, 1]],
}
DECAYS: dict[str, tuple[Decay, Any]] = {
    "gravity": (Power(1, floor_m=1), weights.gravity(1, -1, 1)),
    "gaussian": (Gaussian(300), weights.gaussian(300)),
    "steps": (
        Steps((200, 400, 600), (1, 0.68, 0.22)),
        weights.step_fn({200: 1, 400: 0.68, 600: 0.22}),
    ),
}


# PySAL sets an index in a way that pandas is going to drop.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("name", [*HOSPITALS, "grid", "random"])
def test_catchments_are_those_of_pysal(name: str, decay: str) -> None:
    costs, people, supply, limit = scenario(name)
    reach, n = reach_of(costs, limit), len(people)
    model = peer(costs, people, supply, limit)
    ours, theirs = DECAYS[decay]
    np.testing.assert_allclose(
        catchment(reach, people, supply),
        told(model, "two_stage_fca", n, max_cost=limit),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        catchment(reach, people, supply, ours),
        told(model, "enhanced_two_stage_fca", n, max_cost=limit, weight_fn=theirs),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        catchment_by_choice(reach, people, supply, decay=ours),
        told(model, "three_stage_fca", n, max_cost=limit, weight_fn=theirs),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        decayed_count(reach, ours, supply),
        told(model, "weighted_catchment", n, max_cost=limit, weight_fn=theirs),
        rtol=1e-12,
    )


def test_its_hospital_example_by_hand() -> None:
    """Gridlock: town 3 has 100 beds for its 10 people and, at 1/40, for the 150 of towns 1 and 2."""
    costs, people, supply, limit = scenario("gridlock")
    found = catchment(reach_of(costs, limit), people, supply, Power(1, floor_m=1))
    beds = [15 / (100 + 10 / 40), 20 / (50 + 10 / 40), 100 / (10 + 150 / 40)]
    assert found[0] == pytest.approx(beds[0] + beds[2] / 40)
    assert found[1] == pytest.approx(beds[1] + beds[2] / 40)
    assert found[2] == pytest.approx(beds[2] + (beds[0] + beds[1]) / 40)


Method = Callable[[Reach, NDArray[Any], NDArray[Any]], NDArray[np.float64]]
METHODS: tuple[Method, ...] = (
    catchment,
    lambda reach, people, supply: catchment(reach, people, supply, Exponential(300)),
    lambda reach, people, supply: catchment_by_choice(
        reach, people, supply, decay=Steps((200, 700), (1, 0.4))
    ),
)
costs_of = st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(0, 2**32 - 1))


@given(costs_of, st.floats(0.01, 1000))
@settings(max_examples=100)
def test_what_people_get_adds_up_to_what_is_within_reach(
    size: tuple[int, int, int], times: float
) -> None:
    n, m, seed = size
    rng = np.random.default_rng(seed)
    costs = rng.uniform(0, 1500, (n, m))
    people = rng.integers(0, 4, n) * rng.uniform(0, 2000, n)  # some with nobody
    supply = rng.integers(0, 3, m) * rng.uniform(0, 50, m)
    reach = reach_of(costs, 800)
    for method, limit in zip(METHODS, (800, 800, 700), strict=True):
        found = method(reach, people, supply)
        used = supply[(costs[people > 0] <= limit).any(axis=0)].sum()
        with_people = people > 0
        assert not np.isnan(found[with_people]).any()
        assert (people * found)[with_people].sum() == pytest.approx(used)
        np.testing.assert_allclose(method(reach, people, supply * times), found * times)
        np.testing.assert_allclose(method(reach, people * times, supply), found / times)
        back = method(reach_of(costs[::-1], 800), people[::-1], supply)
        np.testing.assert_allclose(back[::-1], found)


def test_out_of_reach_is_nothing_and_what_nobody_shares_is_unknown() -> None:
    costs = np.array([[100.0, 9e9, 9e9], [9e9, 9e9, 9e9], [9e9, 100.0, 9e9], [9e9, 9e9, 100.0]])
    reach, supply = reach_of(costs, 800), [4, 5, 0]
    # A place of no size gives nothing, shared or not.
    np.testing.assert_array_equal(catchment(reach, [10, 10, 0, 0], supply), [0.4, 0, np.nan, 0])
    by_choice = catchment_by_choice(reach, [10, 10, 0, 0], supply, decay=Exponential(1e9))
    np.testing.assert_allclose(by_choice, [0.4, 0, np.nan, 0])


def test_a_place_of_no_weight_takes_no_part() -> None:
    reach = reach_of(np.array([[100.0, 700.0], [9e9, 700.0]]), 800)
    near = Steps((500,), (1,))
    assert catchment(reach, [10, 10], None, near).tolist() == [0.1, 0]
    assert catchment_by_choice(reach, [10, 10], decay=near).tolist() == [0.1, 0]


@pytest.mark.parametrize(
    ("people", "supply", "said"),
    [
        ([10, -1], None, "origin 2 has people -1; expected a number of at least 0"),
        ([math.nan, 10], None, "origin 1 has people nan"),
        ([10], None, r"people of shape \(1,\); expected 2, one for each origin"),
        ([10, 10], [1, math.nan], "place 2 has supply nan"),
        ([10, 10], [math.inf, 1], "place 1 has supply inf"),
        ([10, 10], 3, r"supply of shape \(\); expected 2, one for each place"),
    ],
)
def test_what_is_no_amount_is_refused(people: Any, supply: Any, said: str) -> None:
    reach = reach_of(np.array([[100.0, 700.0], [9e9, 700.0]]), 800)
    with pytest.raises(DataError, match=said):
        catchment(reach, people, supply)
