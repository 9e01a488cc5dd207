"""Sites that serve only so many: the best choice, and nobody served beyond what there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from commonweal.errors import DataError
from commonweal.invest.siting import Goal, problem_from_matrix, solve
from commonweal.invest.siting import covering as capacity
from commonweal.invest.solver import MipResult


def assigned(distance, people, capacity, weight, open_, cover):
    """The least cost of who goes where with some sites open, as a linear programme of its own; None if it can't be."""
    n, m = distance.shape
    unit = np.where(np.isfinite(distance), distance, 0.0)
    cost = ((-1.0 if cover else unit) * (weight / people)[:, None] * np.ones((n, m))).ravel()
    may = (np.isfinite(distance) & open_[None, :]).ravel()
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    a_ub, b_ub = columns, np.where(open_, capacity, 0.0)
    equal = {} if cover else {"A_eq": rows, "b_eq": people}
    if cover:
        a_ub, b_ub = np.vstack([a_ub, rows]), np.concatenate([b_ub, people])
    found = linprog(cost, a_ub, b_ub, bounds=[(0, None if x else 0) for x in may], **equal)
    return found.fun if found.status == 0 else None


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(0, 2**31), st.sampled_from(["p_median", "maximal_covering"]))
def test_equals_brute_force(seed, model):
    rng = np.random.default_rng(seed)
    n, m, p = int(rng.integers(2, 8)), int(rng.integers(2, 6)), int(rng.integers(1, 3))
    distance = rng.integers(1, 50, (n, m)).astype(float)
    distance[rng.random((n, m)) < 0.2] = np.inf
    distance[:, 0] = rng.integers(1, 50, n)
    people = rng.integers(1, 20, n).astype(float)
    weight = people * rng.choice([0.5, 1.0, 3.0], n)
    capacity = rng.integers(5, 80, m).astype(float)
    problem = problem_from_matrix(distance, people, weight=weight, capacity=capacity)
    cover = model == "maximal_covering"
    costs = []
    for k in range(1, p + 1):
        for some in combinations(range(m), k):
            open_ = np.isin(np.arange(m), some)
            costs.append(assigned(distance, people, capacity, weight, open_, cover))
    known = [c for c in costs if c is not None]
    if not known:
        with pytest.raises(DataError, match="capacity"):
            solve(problem, Goal(model, p))
        return
    found = solve(problem, Goal(model, p))
    best = -min(known) if cover else min(known)
    assert found.proven
    assert found.objective == pytest.approx(best, rel=1e-5, abs=1e-5)
    assert found.bound == pytest.approx(best, rel=1e-5, abs=1e-5)
    assert (found.served <= people + 1e-6).all()
    assert found.served.sum() <= capacity[found.chosen].sum() + 1e-6
    if not cover:
        np.testing.assert_allclose(found.served, people, rtol=1e-6)


def test_people_of_a_point_may_be_divided():
    problem = problem_from_matrix([[1.0, 2.0]], [10], capacity=[6, 6])
    found = solve(problem, Goal("p_median", 2))
    assert found.objective == pytest.approx(6 * 1 + 4 * 2)
    assert found.chosen.tolist() == [0, 1]


def test_existing_places_fill_first_at_no_cost():
    problem = problem_from_matrix(
        [[5.0, 1.0], [5.0, 1.0]], [10, 10], capacity=[10, 30], existing=[True, False], cost=[0, 7]
    )
    found = solve(problem, Goal("set_covering"))
    assert found.objective == 7.0
    assert found.served.tolist() == [10.0, 10.0]


def test_too_little_capacity_is_said_with_numbers():
    problem = problem_from_matrix([[1.0, 1.0]], [100], capacity=[30, 20])
    with pytest.raises(DataError, match=r"100 people .* capacity for 30 at most"):
        solve(problem, Goal("p_median", 1))
    with pytest.raises(DataError, match="capacity for 50 at most"):
        solve(problem, Goal("set_covering"))
    assert solve(problem, Goal("maximal_covering", 2)).objective == pytest.approx(50)


def test_capacity_that_is_there_but_out_of_reach():
    problem = problem_from_matrix(
        [[1.0, np.inf], [1.0, np.inf], [np.inf, 1.0]], [50, 50, 1], capacity=[60, 1000]
    )
    with pytest.raises(DataError, match="capacity within reach"):
        solve(problem, Goal("p_median", 2))


def test_a_p_center_with_capacities_is_refused():
    problem = problem_from_matrix([[1.0]], [1], capacity=[1])
    with pytest.raises(DataError, match="p_center: capacities found"):
        solve(problem, Goal("p_center", 1))


@pytest.mark.parametrize("method", ["greedy", "search"])
def test_a_quick_answer_is_allowed_and_not_called_proven(method):
    rng = np.random.default_rng(3)
    distance, people = rng.random((40, 12)) * 100, rng.integers(1, 9, 40)
    problem = problem_from_matrix(distance, people, capacity=np.full(12, people.sum() / 3))
    best = solve(problem, Goal("p_median", 4))
    quick = solve(problem, Goal("p_median", 4), method=method)
    assert not quick.proven
    assert quick.objective >= best.objective - 1e-6
    np.testing.assert_allclose(quick.served, people)


@pytest.mark.parametrize("model", ["p_median", "maximal_covering"])
def test_progress_is_told_as_the_answer_is(model: str) -> None:
    """A point that is out of reach counts in both: lost to a covering, at the limit in a p-median."""
    rng = np.random.default_rng(2)
    distance = rng.integers(1, 50, (30, 8)).astype(float)
    distance[0] = np.inf
    problem = problem_from_matrix(distance, np.full(30, 5.0), capacity=np.full(8, 60.0), limit=60.0)
    told: list[tuple[float, float]] = []
    found = solve(problem, Goal(model, 3), progress=lambda now, bound, _: told.append((now, bound)))
    known = [now for now, _ in told if np.isfinite(now)]
    assert known
    assert known[-1] == pytest.approx(found.objective)


def test_an_interrupt_before_there_is_any_choice_is_one(monkeypatch):
    nothing = MipResult("interrupted", None, np.inf, -np.inf)
    monkeypatch.setattr(capacity, "run_mip", lambda *_, **__: nothing)
    problem = problem_from_matrix([[1.0, 2.0], [2.0, 1.0]], [10, 10], capacity=[15, 15])
    with pytest.raises(KeyboardInterrupt):
        solve(problem, Goal("p_median", 2))
