"""Every model finds what trying every choice finds, and says so."""

from __future__ import annotations

import signal
from importlib import import_module
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.invest.siting import Goal, SitingProblem, Solution, problem_from_matrix, solve
from commonweal.invest.siting.problem import measured


@st.composite
def problems(draw: st.DrawFn) -> SitingProblem:
    """Small problems of every shape: ties, places out of reach, existing ones, costs, points without people."""
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    n, m = draw(st.integers(1, 14)), draw(st.integers(1, 7))
    step = draw(st.sampled_from([1.0, 20.0]))
    distance = np.round(rng.random((n, m)) * 100 / step) * step
    distance[rng.random((n, m)) < draw(st.sampled_from([0.0, 0.4]))] = np.inf
    people = rng.integers(0, 50, n).astype(float)
    people[0] = 10
    existing = rng.random(m) < draw(st.sampled_from([0.0, 0.3]))
    existing[0] = False
    return problem_from_matrix(
        distance,
        people,
        limit=draw(st.sampled_from([60.0, 100.0])),
        weight=people * rng.choice([0.5, 1.0, 2.0], n),
        cost=rng.integers(0, 5, m).astype(float),
        existing=existing,
    )


def choices(problem: SitingProblem, goal: Goal) -> list[list[int]]:
    """Every choice that number and budget allow."""
    new = problem.candidates.tolist()
    return [
        list(some)
        for k in range(len(new) + 1)
        for some in combinations(new, k)
        if (goal.sites is None or k <= goal.sites)
        and (goal.budget is None or problem.cost[list(some)].sum() <= goal.budget)
    ]


def reach(problem: SitingProblem, some: list[int]) -> np.ndarray:
    open_ = problem.existing.copy()
    open_[some] = True
    return problem.nearest(open_)[1]


def check(problem: SitingProblem, goal: Goal, solution: Solution, best: float) -> None:
    """The solution is allowed, does what it says, and is the best there is."""
    assert solution.proven
    assert solution.ended == "proven"
    assert solution.chosen.tolist() in choices(problem, goal)
    assert solution.spent == problem.cost[solution.chosen].sum()
    assert solution.objective == pytest.approx(best, rel=2e-6, abs=1e-9)
    least = 2e-6 * problem.weight.sum()  # of a covering, HiGHS sums up what is not covered
    assert solution.bound == pytest.approx(best, rel=2e-6, abs=max(least, 1e-6))
    np.testing.assert_array_equal(solution.distance, reach(problem, solution.chosen.tolist()))


LIMITS = st.tuples(st.none() | st.integers(1, 4), st.none() | st.sampled_from([1.0, 4.0, 7.0]))


@pytest.mark.slow
@settings(max_examples=40)
@given(problems(), LIMITS, st.sampled_from(["p_median", "maximal_covering"]))
def test_sums_equal_brute_force(problem, limits, model):
    sites, budget = limits
    sites = None if sites is None else min(sites, len(problem.candidates))
    if sites is None and budget is None:
        sites = 1
    goal = Goal(model, sites, budget, within=None if model == "p_median" else 40.0)
    if budget is not None and problem.cost[problem.candidates].min() > budget:
        with pytest.raises(DataError, match="buys none"):
            solve(problem, goal)
        return
    found = [measured(problem, goal, reach(problem, some)) for some in choices(problem, goal)]
    best = min(found) if model == "p_median" else max(found)
    check(problem, goal, solve(problem, goal), best)
    for method in ("greedy", "search"):
        quick = solve(problem, goal, method=method)
        assert not quick.proven
        assert quick.chosen.tolist() in choices(problem, goal)
        assert (
            quick.objective >= best - 1e-9
            if model == "p_median"
            else quick.objective <= best + 1e-9
        )


def test_the_gap_of_a_covering_is_a_share_of_what_is_covered() -> None:
    """Two of 300 sites cover little of what there is: a hundredth of the rest would be much of it."""
    rng = np.random.default_rng(4)
    people, sites = rng.random((400, 2)), rng.random((300, 2))
    apart = np.hypot(*(people[:, None] - sites[None]).transpose(2, 0, 1))
    problem = problem_from_matrix(apart, rng.integers(1, 50, 400), limit=0.06)
    for gap in (0.3, 0.02):
        found = solve(problem, Goal("maximal_covering", 2), gap=gap)
        assert found.objective < 0.06 * problem.weight.sum()
        assert found.proven
        assert found.gap <= gap


@settings(max_examples=40)
@given(problems(), st.sampled_from([20.0, 60.0]))
def test_set_covering_equals_brute_force(problem, within):
    goal = Goal("set_covering", within=within)

    def covered(some: list[int]) -> np.ndarray:
        return (reach(problem, some) <= within) & (problem.weight > 0)

    every = covered(problem.candidates.tolist())
    best = min(
        problem.cost[some].sum()
        for some in choices(problem, goal)
        if (covered(some) == every).all()
    )
    found = solve(problem, goal)
    check(problem, goal, found, best)
    assert (covered(found.chosen.tolist()) == every).all()
    quick = solve(problem, goal, method="greedy")
    assert (covered(quick.chosen.tolist()) == every).all()


@settings(max_examples=40)
@given(problems(), LIMITS)
def test_p_center_equals_brute_force(problem, limits):
    sites, budget = limits
    sites = None if sites is None else min(sites, len(problem.candidates))
    goal = Goal("p_center", 1 if sites is None and budget is None else sites, budget)
    best = min(measured(problem, goal, reach(problem, some)) for some in choices(problem, goal))
    if not np.isfinite(best) or (
        budget is not None and problem.cost[problem.candidates].min() > budget
    ):
        with pytest.raises(DataError, match=r"p_center|buys none"):
            solve(problem, goal)
        return
    check(problem, goal, solve(problem, goal), best)


@pytest.mark.parametrize(("method", "ended"), [("search", "asked"), ("exact", "proven")])
def test_an_interrupt_is_told_even_if_it_comes_too_late_to_matter(method, ended, monkeypatch):
    problem = problem_from_matrix([[0.0, 1, 2], [1, 0, 1], [2, 1, 0]], [300, 200, 100])
    found = solve(problem, Goal("p_median", sites=2), method=method)
    assert (found.ended, found.interrupted) == (ended, False)
    moments = [signal.SIGINT]

    def measures(*args):
        while moments:
            signal.raise_signal(moments.pop())
        return measured(*args)

    monkeypatch.setattr(import_module("commonweal.invest.siting.solve"), "measured", measures)
    found = solve(problem, Goal("p_median", sites=2), method=method)
    assert (found.ended, found.interrupted) == (ended, True)
