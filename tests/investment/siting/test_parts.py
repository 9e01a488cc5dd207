"""Problems that fall apart are solved part by part, and as well as by trying every choice."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.investment.clock import Clock
from commonweal.investment.siting import Goal, problem_from_matrix
from commonweal.investment.siting.branch import best_choice
from commonweal.investment.siting.core import Core, core_of
from commonweal.investment.siting.parts import part_by_part, parts_of
from commonweal.investment.siting.relax import Found, Narrowed

if TYPE_CHECKING:
    from commonweal.investment.siting.problem import Model


def apart(seed: int, model: Model, number: int) -> Core:
    """Two groups of six sites and one of a single site, with nobody who could go from one to another."""
    rng = np.random.default_rng(seed)
    distance = np.full((29, 13), np.inf)
    for group in (slice(0, 6), slice(6, 12)):
        rows = slice(2 * group.start, 2 * group.stop)
        distance[rows, group] = rng.integers(0, 100, (12, 6))
    distance[24:, 12] = rng.integers(0, 40, 5)
    problem = problem_from_matrix(distance, rng.integers(1, 50, 29).astype(float), limit=50.0)
    return core_of(problem, Goal(model, number, within=None if model == "p_median" else 40.0))


def solved(core: Core, seconds: float = 60.0) -> Found:
    """Start from nothing: no choice, and prices of nothing."""
    m = len(core.columns)
    left = Narrowed(core, np.arange(m), np.zeros(m, np.bool_), np.zeros(len(core.weight)))
    found = Found(np.empty(0, np.intp), core.untouched, core.fixed)
    clock = Clock(seconds)
    part = parts_of(core)
    assert part.max() > 0
    part_by_part(left, part, found, 1e-6, clock)
    best_choice(left, found, 1e-6, clock)  # what convex curves leave open
    return found


@settings(max_examples=30, deadline=None)
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
    """A large site covers half of each of three small ones: 24, 32 and 48, between which a straight line has 36."""
    town = np.zeros((12, 4), np.bool_)
    for small in range(3):
        town[4 * small : 4 * small + 4, small] = town[4 * small : 4 * small + 2, 3] = True
    coast = np.eye(6, 5, dtype=np.bool_) | np.eye(6, 5, -1, dtype=np.bool_)  # each covers 5 + 5
    covers = np.block([[town, np.zeros((12, 5), np.bool_)], [np.zeros((6, 4), np.bool_), coast]])
    people = np.repeat([4.0, 5.0], [12, 6])
    problem = problem_from_matrix(np.where(covers, 0.0, np.inf), people, limit=1.0)
    core = core_of(problem, Goal("maximal_covering", 2, within=1.0))
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
