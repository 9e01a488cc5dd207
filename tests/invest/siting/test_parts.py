"""Problems that fall apart are solved part by part, and as well as by trying every choice."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.invest.siting import Goal, problem_from_matrix, solve
from commonweal.invest.siting import branch_and_cut as parts
from commonweal.invest.siting.branch_and_cut import _Lines, branch_and_cut, part_by_part, parts_of
from commonweal.invest.siting.lagrangian import Core, FixedCore, Incumbent, greedy, reduce_problem
from commonweal.invest.solver import TimeLimit

if TYPE_CHECKING:
    from commonweal.invest.siting.problem import Model


def apart(seed: int, model: Model, number: int) -> Core:
    """Two groups of six sites and one of a single site, with nobody who could go from one to another."""
    rng = np.random.default_rng(seed)
    distance = np.full((29, 13), np.inf)
    for group in (slice(0, 6), slice(6, 12)):
        rows = slice(2 * group.start, 2 * group.stop)
        distance[rows, group] = rng.integers(0, 100, (12, 6))
    distance[24:, 12] = rng.integers(0, 40, 5)
    problem = problem_from_matrix(distance, rng.integers(1, 50, 29).astype(float), limit=50.0)
    return reduce_problem(
        problem, Goal(model, number, within=None if model == "p_median" else 40.0)
    )


def solved(core: Core, seconds: float = 3600.0) -> Incumbent:
    """Solve part by part, then what convex curves leave open."""
    left, found = nothing(core)
    clock = TimeLimit(seconds)
    part = parts_of(core)
    assert part.max() > 0
    part_by_part(left, part, found, 1e-6, clock)
    branch_and_cut(left, found, 1e-6, clock)
    return found


def nothing(core: Core) -> tuple[FixedCore, Incumbent]:
    """Start from nothing: no choice, and prices of nothing."""
    m = len(core.columns)
    left = FixedCore(core, np.arange(m), np.zeros(m, np.bool_), np.zeros(len(core.weight)))
    return left, Incumbent(np.empty(0, np.intp), core.untouched, core.fixed)


def coast_and_town() -> Core:
    """A town whose second site adds less than its third, and a coast, for two sites in all.

    A large site of the town covers half of each of three small ones: 24, 32 and 48, between which a straight line
    has 36.
    """
    town = np.zeros((12, 4), np.bool_)
    for small in range(3):
        town[4 * small : 4 * small + 4, small] = town[4 * small : 4 * small + 2, 3] = True
    coast = np.eye(6, 5, dtype=np.bool_) | np.eye(6, 5, -1, dtype=np.bool_)  # each covers 5 + 5
    covers = np.block([[town, np.zeros((12, 5), np.bool_)], [np.zeros((6, 4), np.bool_), coast]])
    people = np.repeat([4.0, 5.0], [12, 6])
    problem = problem_from_matrix(np.where(covers, 0.0, np.inf), people, limit=1.0)
    return reduce_problem(problem, Goal("maximal_covering", 2, within=1.0))


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(0, 2**31), st.sampled_from(["p_median", "maximal_covering"]), st.integers(1, 6))
def test_parts_equal_brute_force(seed: int, model: Model, number: int) -> None:
    core = apart(seed, model, number)
    best = min(
        core.of(np.array(some, np.intp))
        for some in combinations(range(len(core.columns)), core.most)
    )
    found = solved(core)
    assert found.cost == pytest.approx(best, rel=2e-6)
    assert found.cost == core.of(found.chosen)
    assert len(found.chosen) <= core.most
    assert found.met(2e-6)


def test_a_second_site_that_adds_less_than_a_third() -> None:
    core = coast_and_town()
    found = solved(core)
    assert core.untouched - found.cost == pytest.approx(24 + 10)
    assert found.met(1e-6)


def test_when_time_is_up_the_bound_still_holds() -> None:
    core = apart(1, "p_median", 4)
    best = solved(core)
    hurried = solved(core, 1e-9)
    assert hurried.bound <= best.cost * (1 + 1e-9)
    assert hurried.cost >= best.cost * (1 - 1e-9)
    assert hurried.cost == core.of(hurried.chosen)


def test_a_programme_that_fails_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best is 300; after some programmes HiGHS may not take a single step any more."""
    core, solve_lines = apart(1, "maximal_covering", 3), _Lines.solve
    for programmes in (0, 1, 5):
        done = 0

        def fails(lines: _Lines, seconds: float, most: int = programmes) -> Any:
            nonlocal done
            if done == most:
                lines.highs.setOptionValue("simplex_iteration_limit", 0)
            done += 1
            return solve_lines(lines, seconds)

        monkeypatch.setattr(_Lines, "solve", fails)
        left, found = nothing(core)
        branch_and_cut(left, found, 1e-6, TimeLimit(3600))
        assert found.bound <= 300 <= found.cost
        assert not found.met(1e-6)


@pytest.mark.parametrize("model", ["p_median", "maximal_covering"])
@pytest.mark.parametrize("number", [2, 3, 4])
def test_convex_curves_prove_it_alone(model: Model, number: int) -> None:
    core = apart(3, model, number)
    left, found = nothing(core)
    part_by_part(left, parts_of(core), found, 1e-6, TimeLimit(3600))
    assert found.met(2e-6)
    assert found.cost == core.of(found.chosen)


def test_no_curve_is_sought_once_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(core: Core) -> Any:
        asked.append(core.most)
        return greedy(core)

    monkeypatch.setattr(parts, "greedy", counted)
    solved(apart(1, "p_median", 4))
    assert len(asked) > 1
    asked.clear()
    solved(apart(1, "p_median", 4), 1e-9)
    assert len(asked) == 1


def test_solve_proves_four_towns_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fourteen sites in each, and eight to build: more than a few nodes in all of them at once prove."""
    met = []

    def told(
        left: FixedCore, part: Any, found: Incumbent, gap: float, clock: TimeLimit, tell: Any
    ) -> None:
        assert not found.met(gap)
        part_by_part(left, part, found, gap, clock, tell)
        met.append(found.met(gap))

    monkeypatch.setattr(parts, "part_by_part", told)
    rng = np.random.default_rng(3)
    distance = np.full((168, 56), np.inf)
    for town in range(4):
        distance[42 * town : 42 * town + 42, 14 * town : 14 * town + 14] = rng.integers(
            0, 100, (42, 14)
        )
    problem = problem_from_matrix(distance, rng.integers(1, 50, 168).astype(float), limit=50.0)
    assert solve(problem, Goal("p_median", 8), seconds=3600).proven
    assert met == [True]
